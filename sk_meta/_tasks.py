"""The tasks of a fit, as callbacks see them.

::

    fit
    ├── search                       more than one if the time allows
    │   ├── logistic-C1, split 0     one for every configuration and split that is run
    │   └── ...
    ├── ensemble
    └── refit

The hooks are called in the thread of ``fit`` while results come in, wherever the work
is done. So a callback is an ordinary object, and what it returns is heard.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._compat import callbacks_of
from ._ensemble import WeightedEnsemble
from ._evaluation import FAILED, SCORE, FoldResult
from ._search import Unwatched
from ._strategy import Strategy, Unit
from ._unit import kept_model


@dataclass(frozen=True)
class SearchState:
    """How far a search has come.

    Parameters
    ----------
    n_configurations : int or None
        Most that will be tried; None if only the time is limited.
    n_begun, n_ended, n_folds : int
        Configurations that were begun; those that are evaluated, dropped or failed;
        and folds that have ended, all together. A further search, on other folds,
        begins them anew.
    running : tuple of str
        Names of the configurations whose folds run.
    latest : str or None
        Configuration whose fold has ended last.
    latest_split : int or None
        Position of that fold.
    latest_status : str or None
        How it has ended: "ok", "failed", "died" or "timeout".
    latest_score : float
        Its score, greater is better; NaN if there is none.
    best : str or None
        The best configuration of those with all folds of the first search.
    best_score : float
        Its mean score; NaN if there is none.
    elapsed, seconds_left : float
        Since ``fit`` began, and until its deadline; infinite if there is none.
    """

    n_configurations: int | None
    n_begun: int = 0
    n_ended: int = 0
    n_folds: int = 0
    running: tuple[str, ...] = ()
    latest: str | None = None
    latest_split: int | None = None
    latest_status: str | None = None
    latest_score: float = np.nan
    best: str | None = None
    best_score: float = np.nan
    elapsed: float = 0.0
    seconds_left: float = np.inf


@contextmanager
def watched(estimator, X, y, sample_weight) -> Iterator[Unwatched]:
    """The tasks of a fit, of which its callbacks are told, if there are any.

    Parameters
    ----------
    estimator : estimator with ``set_callbacks``
    X, y, sample_weight : as given to ``fit``

    Yields
    ------
    Unwatched
    """
    if not callbacks_of(estimator):
        yield Unwatched()
        return
    try:
        tasks = Tasks(estimator, X, y, sample_weight)
        yield tasks
        tasks.end()
    finally:
        vars(estimator).pop("search_state_", None)
        if hasattr(estimator, "_tear_down_callbacks"):  # scikit-learn before 1.9
            estimator._tear_down_callbacks()


class Tasks(Unwatched):
    """The tasks of a fit that has callbacks.

    Parameters
    ----------
    estimator : estimator with ``set_callbacks``
        During the search it has the attribute ``search_state_``.
    X, y, sample_weight : as given to ``fit``
    """

    def __init__(self, estimator, X, y, sample_weight):
        self._estimator = estimator
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._known = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self.wants_models = any(map(_wants_fitted, callbacks_of(estimator)))
        self._n_folds = 0
        self._strategies: list[Strategy] = []
        self._running: dict[Unit, Any] = {}
        self._latest: dict[str, Any] = {}
        # With a deadline there may be several searches.
        n_tasks = 3 if estimator.time_budget is None else None
        self._root = estimator._init_callback_context(max_subtasks=n_tasks)
        self._root.call_on_fit_task_begin(**self._known)

    def end(self) -> None:
        """The fit is over, and the estimator is complete."""
        self._root.call_on_fit_task_end(**self._known, reconstruction_attributes={})

    @contextmanager
    def task(self, name: str, max_subtasks: int | None = 0):
        context = self._root.subcontext(task_name=name, max_subtasks=max_subtasks)
        context.call_on_fit_task_begin(**self._known)
        yield context
        context.call_on_fit_task_end(**self._known)

    @contextmanager
    def search(self, strategy: Strategy):
        self._strategies.append(strategy)
        self._n_most, n_tasks = None, None
        left = strategy.budget.candidates_left()
        if not strategy.budget.limited:
            self._n_most = int(min(left, len(strategy.configurations)))
            n_tasks = self._n_most * sum(map(len, strategy.problem.folds.stages))
        elif np.isfinite(left):
            self._n_most = int(left)  # the search may make some of its own
        self._note()
        with self.task("search", n_tasks) as self._parent:
            yield

    def began(self, unit: Unit) -> None:
        context = self._parent.subcontext(f"{unit.run.name}, split {unit.split}")
        self._running[unit] = context
        self._note()
        context.call_on_fit_task_begin(**self._known)

    def ended(self, unit: Unit) -> bool:
        context = self._running.pop(unit, None)
        if context is None:
            return False  # it was never begun
        self._n_folds += 1
        self._latest = _told(unit)
        self._note()
        # A new fold changes what would be predicted only if it is the last of some, of
        # the first search: what is best on other folds is not better than its best.
        last = self._strategies[0].problem.folds.stages[-1]
        new = unit.split in last and unit.run.has(last)
        return context.call_on_fit_task_end(
            **self._known,
            reconstruction_attributes=self._as_if_stopped if new else None,
        )

    def _note(self) -> None:
        """Let the callbacks know how far the search has come."""
        first, budget = self._strategies[0], self._strategies[0].budget
        folds, ranked = first.problem.folds.stages[-1], first.ranked()
        runs = [(run, one.problem.folds.stages[-1])
                for one in self._strategies for run in one.runs]  # fmt: skip
        self._estimator.search_state_ = SearchState(
            n_configurations=self._n_most,
            n_begun=len(runs),
            # One that was picked up had ended, and is finished for the ensemble.
            n_ended=sum(run.over or run.picked_up or run.has(own) for run, own in runs),
            n_folds=self._n_folds,
            running=tuple(dict.fromkeys(u.run.name for u in self._running)),
            best=ranked[0].name if ranked else None,
            best_score=ranked[0].score(folds) if ranked else np.nan,
            elapsed=budget.elapsed(),
            seconds_left=budget.remaining(),
            **self._latest,
        )

    def _as_if_stopped(self) -> dict | None:
        """What makes a copy of the estimator predict by the best so far.

        The mean of its fold models, which costs no further fit.
        """
        best = self._strategies[0].ranked()[0]
        folds = self._strategies[0].problem.folds.stages[-1]
        models = [kept_model(best.results[i]) for i in folds]
        if any(model is None for model in models):
            return None  # too large to be kept
        weights = np.full(len(models), 1 / len(models))
        form = self._strategies[0].problem.target.form
        names = [best.name] * len(models)
        return {"ensemble_": WeightedEnsemble(models, weights, form, names=names)}


def _told(unit: Unit) -> dict[str, Any]:
    """Fields of the state that say how a unit has ended."""
    # A first look, or a repetition, that has failed is forgotten by the strategy.
    result = unit.run.results.get(unit.split, FoldResult(FAILED))
    return {
        "latest": unit.run.name,
        "latest_split": unit.split,
        "latest_status": result.status,
        "latest_score": result.scores.get(SCORE, np.nan),
    }


def _wants_fitted(callback) -> bool:
    """Whether it asks for an estimator that predicts, which takes kept models."""
    return "fitted_estimator" in inspect.signature(callback.on_fit_task_end).parameters
