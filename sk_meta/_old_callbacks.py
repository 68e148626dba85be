"""Callbacks for scikit-learn before 1.9, by the protocol of its ``sklearn.callback``.

Only what a single estimator needs: nothing is passed on to estimators inside of it.
"""

from __future__ import annotations

import inspect
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_HOOKS = ("setup", "on_fit_task_begin", "on_fit_task_end", "teardown")
_KNOWN = {"X", "y", "metadata", "fitted_estimator"}


@dataclass(eq=False)
class CallbackContext:
    """A task of a fit, and its place in the tree of tasks.

    Parameters
    ----------
    estimator_name, task_name : str
    callbacks : list
    task_id : int, default=0
        Number among its siblings.
    max_subtasks : int or None, default=0
        0 is a leaf, None not known.
    parent : CallbackContext or None, default=None
    root_uuid : uuid.UUID
        The same for all tasks of a fit.
    init_time : datetime
    """

    estimator_name: str
    task_name: str
    callbacks: list[Any] = field(repr=False)
    task_id: int = 0
    max_subtasks: int | None = 0
    parent: CallbackContext | None = field(default=None, repr=False)
    root_uuid: uuid.UUID = field(default_factory=uuid.uuid4)
    init_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    sequential_subtasks: bool = field(default=True, init=False)
    source_estimator_name: str | None = field(default=None, init=False)
    source_task_name: str | None = field(default=None, init=False)
    _n_children: int = field(default=0, init=False, repr=False)

    def subcontext(self, task_name="", max_subtasks: int | None = 0) -> CallbackContext:
        """The next task within this one."""
        child = CallbackContext(
            self.estimator_name, task_name, self.callbacks, self._n_children,
            max_subtasks, self, self.root_uuid,
        )  # fmt: skip
        self._n_children += 1
        return child

    def call_on_fit_task_begin(self, *, estimator, **known) -> CallbackContext:
        """Tell the callbacks that this task begins."""
        self._call("on_fit_task_begin", estimator, known)
        return self

    def call_on_fit_task_end(self, *, estimator, **known) -> bool:
        """Tell the callbacks that this task has ended; whether one wants to stop."""
        return self._call("on_fit_task_end", estimator, known)

    def _call(self, hook: str, estimator, known: dict) -> bool:
        stop = False
        for callback in self.callbacks:
            wanted = self._wanted(callback, hook)
            if "fitted_estimator" in wanted and "fitted_estimator" not in known:
                known["fitted_estimator"] = _fitted(estimator, known)
            arguments = {name: known.get(name) for name in wanted}
            stop |= bool(getattr(callback, hook)(estimator, self, **arguments))
        return stop

    @staticmethod
    def _wanted(callback, hook: str) -> set[str]:
        signature = inspect.signature(getattr(callback, hook))
        wanted = {p.name for p in signature.parameters.values()
                  if p.kind == p.KEYWORD_ONLY}  # fmt: skip
        if unknown := wanted - _KNOWN:
            raise TypeError(
                f"{hook} of the callback {type(callback).__name__} asks for "
                f"{sorted(unknown)}; there are {sorted(_KNOWN)}."
            )
        return wanted


def _fitted(estimator, known: dict):
    """A copy of the estimator that predicts, if it can by now."""
    attributes = known.get("reconstruction_attributes")
    if callable(attributes):
        attributes = attributes()
    if attributes is None:
        return None
    twin = type(estimator)(**estimator.get_params(deep=False))
    vars(twin).update({**vars(estimator), **attributes})
    return twin


class CallbackSupportMixin:
    """An estimator that callbacks can be set on."""

    def set_callbacks(self, *callbacks):
        """Set the callbacks, in place of those that were set before.

        Parameters
        ----------
        *callbacks : callback instances
            With the methods ``setup``, ``on_fit_task_begin``, ``on_fit_task_end`` and
            ``teardown``, as for scikit-learn 1.9.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If one of them lacks a method, or is a class.
        """
        for callback in callbacks:
            lacks = [h for h in _HOOKS if not callable(getattr(callback, h, None))]
            if lacks or isinstance(callback, type):
                raise TypeError(
                    "callbacks must be instances following the FitCallback protocol, "
                    f"with the methods {', '.join(_HOOKS)}; got {callback!r}."
                )
        vars(self).pop("_skl_callbacks", None)
        if callbacks:
            self._skl_callbacks = list(callbacks)
        return self

    def _init_callback_context(self, max_subtasks: int | None = 0) -> CallbackContext:
        callbacks = getattr(self, "_skl_callbacks", [])
        root = CallbackContext(
            type(self).__name__, "fit", callbacks, max_subtasks=max_subtasks
        )
        self._to_tear_down = []
        for callback in callbacks:
            self._to_tear_down.append((callback, root))
            callback.setup(estimator=self, context=root)
        return root

    def _tear_down_callbacks(self) -> None:
        """What scikit-learn does after ``fit`` since 1.9, also after a failed one."""
        errors = []
        for callback, root in vars(self).pop("_to_tear_down", []):
            try:
                callback.teardown(estimator=self, context=root)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def __sklearn_clone__(self):
        twin = super().__sklearn_clone__()
        return twin.set_callbacks(*getattr(self, "_skl_callbacks", []))
