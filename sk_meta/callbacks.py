"""Callbacks for ``set_callbacks``, besides those of ``sklearn.callback``."""

from __future__ import annotations

import time

from ._tasks import SearchState

__all__ = ["Progress", "SearchState"]

_REFRESHED = 4  # times a second


class Progress:
    """Show how far a fit has come: a bar, the best score, what runs, seconds left.

    Works with every supported version of scikit-learn and any ``n_jobs``. Where the
    output is no terminal, only the last state is written.

    Parameters
    ----------
    file : text stream or None, default=None
        Where to write; None is the standard error.

    Raises
    ------
    ImportError
        If rich is not installed.

    See Also
    --------
    sklearn.callback.ProgressBar : A bar for every step, since scikit-learn 1.9.

    Examples
    --------
    >>> import sys
    >>> from sklearn.datasets import load_iris
    >>> from sk_meta import MetaLearnerClassifier
    >>> from sk_meta.callbacks import Progress
    >>> model = MetaLearnerClassifier(n_candidates=2, candidates="linear")
    >>> model = model.set_callbacks(Progress(sys.stdout))  # doctest: +SKIP
    >>> model.fit(*load_iris(return_X_y=True))  # doctest: +SKIP
    """

    def __init__(self, file=None):
        try:
            import rich  # noqa: F401
        except ImportError as error:
            raise ImportError(
                "Progress needs rich. Install it with: pip install 'sk-meta[progress]'"
            ) from error
        self.file = file
        self._displays = {}

    def setup(self, estimator, context):
        """Begin to show a fit.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : CallbackContext
            Which step of its fit this is.
        """
        display = _Display(self.file, getattr(estimator, "time_budget", None))
        self._displays[context] = display
        display.live.start(refresh=True)

    def on_fit_task_begin(self, estimator, context):
        """Note which step begins, and what runs.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : CallbackContext
            Which step of its fit this is.
        """
        self._note(estimator, context)

    def on_fit_task_end(self, estimator, context):
        """Note the result; it never asks to stop.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : CallbackContext
            Which step of its fit this is.
        """
        self._note(estimator, context)

    def teardown(self, estimator, context):
        """Leave the last state on the screen.

        Parameters
        ----------
        estimator : estimator
            The one that is fitted.
        context : CallbackContext
            Which step of its fit this is.
        """
        display = self._displays.pop(context, None)
        if display is not None:
            display.close()

    def _note(self, estimator, context) -> None:
        # Fits in a search over parameters have one root, and maybe several threads.
        task = context
        while task is not None and task not in self._displays:
            task = task.parent
        if task is not None:
            self._displays[task].note(estimator, context)

    def __getstate__(self):
        # A copy that is sent to another process shows what is fitted there.
        return {**vars(self), "_displays": {}}


class _Display:
    """What is shown of one fit; a thread of rich's draws it."""

    def __init__(self, file, time_budget: float | None):
        from rich.console import Console
        from rich.live import Live

        self.begun = time.perf_counter()
        self.time_budget = time_budget
        self.step = "start"
        self.state: SearchState | None = None
        self.console = Console(file=file, stderr=file is None)
        self.live = Live(
            get_renderable=self.draw,
            console=self.console,
            refresh_per_second=_REFRESHED,
        )

    def note(self, estimator, context) -> None:
        self.state = getattr(estimator, "search_state_", self.state)
        if context.task_name in ("search", "ensemble", "refit"):
            self.step = context.task_name

    def close(self) -> None:
        self.step = "done"
        self.live.stop()
        if not self.console.is_terminal and not self.console.is_jupyter:
            self.console.line()

    def draw(self):
        """The bar and the words beside it, as they are now."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        elapsed = time.perf_counter() - self.begun
        part = 1.0 if self.step == "done" else self._part(elapsed)
        counts, found = describe(self.state)
        row = Table.grid(padding=(0, 1))
        bar = ProgressBar(1.0, part or 0.0, width=20, pulse=part is None)
        row.add_row(self.step, bar, counts, self._clock(elapsed, part))
        return Group(row, Text(found, style="dim", no_wrap=True, overflow="ellipsis"))

    def _part(self, elapsed: float) -> float | None:
        """How much is done, between 0 and 1; None if that is not known."""
        if self.time_budget is not None:
            return min(elapsed / self.time_budget, 1.0)
        if self.state is None or not self.state.n_configurations:
            return None
        return self.state.n_ended / self.state.n_configurations

    def _clock(self, elapsed: float, part: float | None) -> str:
        if self.step == "done" or not part:
            return f"{elapsed:.0f} s"
        return f"{elapsed:.0f} s, {elapsed / part - elapsed:.0f} s left"


def describe(state: SearchState | None) -> tuple[str, str]:
    """Say how far a search has come, and what is found and runs.

    Parameters
    ----------
    state : SearchState or None
        None if it has not begun.

    Returns
    -------
    counts, found : str

    Examples
    --------
    >>> describe(SearchState(20, 3, 2, 12, ("svc-C1",), best="lda", best_score=0.97))
    ('2 of 20 configurations, 12 folds', 'best 0.97 (lda); running svc-C1')
    """
    if state is None:
        return "looking at the table", ""
    most = "" if state.n_configurations is None else f" of {state.n_configurations}"
    found = []
    if state.best is not None:
        found.append(f"best {state.best_score:.4g} ({state.best})")
    if state.running:
        found.append(f"running {', '.join(state.running)}")
    counts = f"{state.n_ended}{most} configurations, {state.n_folds} folds"
    return counts, "; ".join(found)
