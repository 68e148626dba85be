"""The selected configurations, fitted on all rows, as the final predictor.

Refits and averaged fold models predict equally well (``benchmarks/final_model.py``);
a refit predicts faster, and fold models cost no more time. So members are refitted as
far as the time goes, and the others are averages of their fold models.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from threading import Thread

import numpy as np
from sklearn.pipeline import Pipeline

from ._budget import REFIT_GRACE, Budget
from ._catalogue import Configuration, choose
from ._ensemble import WeightedEnsemble
from ._evaluation import (
    SCORE,
    TIMED_ROWS,
    Evaluation,
    FoldResult,
    fit_all_rows,
    fit_weighted,
    time_prediction,
)
from ._log import warn_user
from ._problem import Problem
from ._search import SearchResult
from ._selection import Selection
from ._shared import Reference, SharedTask
from ._together import quiet
from ._unit import kept_model
from ._workers import Here

N_SPARES = 3  # refits to try before giving up
LAST_GRACE = 1.5  # seconds that a refit without workers may run over the budget


@dataclass(frozen=True)
class Fitted:
    """The final predictor.

    Parameters
    ----------
    best : Pipeline
        The best single configuration, fitted on all rows if that was possible.
    best_name : str
    ensemble : WeightedEnsemble
    n_models : dict of str to int
        Of every member: 0 if it was refitted on all rows, else the number of its fold
        models that are averaged.
    lost : list of str
        What was wanted and could not be fitted to all rows.
    predict_times : dict of str to float
        Seconds of every member for predicting 1,000 rows.
    """

    best: Pipeline
    best_name: str
    ensemble: WeightedEnsemble
    n_models: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    predict_times: dict[str, float] = field(default_factory=dict)


class Refits:
    """Fitting some of the pool on all rows, in what is left of the time.

    Parameters
    ----------
    problem : Problem
    result : SearchResult
    budget : Budget
    workers : Here, Threads, Processes or Rounds
    task : SharedTask
    max_predict_time : float, default=inf
        Seconds for 1,000 rows that predicting may take.
    """

    def __init__(
        self, problem: Problem, result: SearchResult, budget: Budget, workers,
        task: SharedTask, max_predict_time: float = np.inf,
    ):  # fmt: skip
        self.problem = problem
        self.result = result
        self.pool: tuple[Evaluation, ...] = result.pool
        self.rows = result.rows
        self.budget = budget
        self.workers = workers
        self.task = task
        self.max_predict_time = max_predict_time
        times = np.array([e.predict_time(self.rows) for e in self.pool])
        scores = np.array([evaluation.mean(SCORE) for evaluation in self.pool])
        # What is too slow is the best only where all are, and it is the quickest.
        comparable = np.arange(len(times)) < result.n_comparable
        quickest = times[comparable].min(initial=np.inf)
        in_time = comparable & (times <= max(max_predict_time, quickest))
        self.scores = np.where(in_time, scores, -np.inf).tolist()
        self.best = int(np.argmax(self.scores)) if self.pool else -1
        self.factors = [len(problem.y) / n_train for n_train in result.n_train]
        self.configurations: dict[str, Configuration] = {
            trial.configuration.name: trial.configuration for trial in result.trials
        }
        self._begun: dict[int, float] = {}  # with the seconds that had passed

    def begin(self) -> Refits:
        """Start on the best, which is wanted whatever the ensemble will be."""
        if self.pool and self.workers.free():
            with quiet():
                for i in self.affordable([self.best]):
                    self._submit(i)
        return self

    def finish(
        self,
        selection: Selection | None,
        excluded: dict[str, str] | None = None,
    ) -> Fitted:
        """Fit the best configuration and the members of the ensemble on all rows.

        Members that the rest of the budget has no time for, or that fail on all rows,
        are the mean of their fold models; where these were not kept, they are left
        out with a warning. If nothing is left, there are the fold models of another,
        a refit that is a matter of a moment, or a constant.

        Parameters
        ----------
        selection : Selection or None
            None if there is nothing to select from.
        excluded : dict of str to str or None, default=None
            Why configurations were not applicable, for a warning.

        Returns
        -------
        Fitted
        """
        if selection is None:
            return _refit_dummy(self.problem, self.result, excluded or {})
        members = sorted(
            np.flatnonzero(selection.weights).tolist(),
            key=lambda i: -selection.weights[i],
        )
        wanted = [self.best, *(i for i in members if i != self.best)]
        # What fold models can take the place of comes last.
        kept = self.fit(sorted(wanted, key=lambda i: bool(self._kept_folds(i))))
        share = self.max_predict_time / len(members)
        bags = {
            i: bag
            for i in members
            if i not in kept and (bag := self.fold_models(i, share))
        }
        if not kept and not bags:
            bags = self.best_fold_models()
            kept = self.last_resort(max([self.scores[i] for i in bags] or [-np.inf]))
        if lost := [self.pool[i].name for i in wanted if i not in {**kept, **bags}]:
            warn_user(
                f"Not refitted, for lack of time or because they failed: {lost}. "
                "Raise time_budget, or lower ensemble_size."
            )
        if not kept and not bags:
            return _refit_dummy(self.problem, self.result, excluded or {})
        fitted = _assemble(self.problem, self.result, kept, bags, selection)
        return replace(fitted, lost=lost, predict_times=self._predict_times(fitted))

    def _predict_times(self, fitted: Fitted) -> dict[str, float]:
        """Seconds for 1,000 rows, of every member.

        As the folds tell if they have so many, or they were timed; else they are
        timed now, if that is a matter of a moment.
        """
        known = {evaluation.name: evaluation for evaluation in self.pool}
        told = {name: known[name].predict_time(self.rows) * max(1, n_models)
                for name, n_models in fitted.n_models.items()}  # fmt: skip
        few = min(map(len, self.rows)) < TIMED_ROWS
        wanted = [name for name in told if few and not known[name].timed]
        rows, form = np.arange(len(self.problem.y)), self.problem.target.form
        end = time.perf_counter() + max(self.budget.remaining(), LAST_GRACE)
        models = list(zip(fitted.ensemble.names, fitted.ensemble.estimators,
                          strict=True))  # fmt: skip
        with quiet():
            for name in wanted:
                at_most = told[name]  # by few rows, of which a part is for the call
                if time.perf_counter() + at_most > end:
                    continue
                parts = [time_prediction(model, self.problem.X, rows, form)
                         for owner, model in models if owner == name]  # fmt: skip
                if np.isfinite(parts).all():
                    told[name] = sum(parts)
        return told

    def seconds(self, i: int) -> float:
        """Expected for fitting on all rows, not too few."""
        one = self.pool[i]
        return (one.fit_seconds + one.predict_seconds) * self.factors[i]

    def within_reach(self) -> set[str]:
        """Names of those of which there are fold models, or time to fit them all.

        Of those without, the best come first.
        """
        kept = {i for i in range(len(self.pool)) if self._kept_folds(i)}
        best_first = np.argsort(-np.array(self.scores), kind="stable").tolist()
        others = [i for i in best_first if i not in kept and i not in self._begun]
        fitted = self.affordable([*self._begun, *others])
        return {self.pool[i].name for i in {*kept, *self._begun, *fitted}}

    def affordable(self, wanted: list[int]) -> list[int]:
        """As many of the wanted that are not begun as there is time for."""
        left = self.budget.remaining() * self.workers.size
        kept: list[int] = []
        for i in dict.fromkeys(wanted):  # once each: a member may run already
            if i in self._begun:
                passed = self.budget.elapsed() - self._begun[i]
                left -= max(self.seconds(i) - passed, 0.0)
            elif self.seconds(i) <= min(left, self.budget.remaining() + REFIT_GRACE):
                kept.append(i)
                left -= self.seconds(i)
        return kept

    def fit(self, batch: list[int]) -> dict[int, Pipeline]:
        """Fit these in the workers; if none ends well, one of the next best."""
        spares = [[i] for i in np.argsort(self.scores)[::-1][:N_SPARES].tolist()]
        for wanted in ([*self._begun, *batch], *spares):
            kept = self._fit_all(self.affordable(wanted))
            if kept or any(self._kept_folds(i) for i in wanted):
                return kept
        return {}

    def _submit(self, i: int) -> None:
        self._begun[i] = self.budget.elapsed()
        configuration = self.configurations[self.pool[i].name]
        call = (self.task.reference, configuration, self.problem.random_state)
        self.workers.submit(i, _fit_on_all_rows, *call)

    def _fit_all(self, batch: list[int]) -> dict[int, Pipeline]:
        waiting, fitted = list(batch), {}
        try:
            with quiet():
                while (waiting or self.workers.busy()) and self._seconds_left() > 0:
                    while waiting and self.workers.free():
                        self._submit(waiting.pop(0))
                    fitted.update(self.workers.wait(self._seconds_left()))
        except KeyboardInterrupt:
            # The fold models, if there are any, are as good.
            if not fitted and not self._kept_folds(self.best):
                raise
            warn_user("The refit was interrupted; what is fitted is used.")
        finally:
            self.workers.stop()
        return {i: model for i, model in fitted.items() if isinstance(model, Pipeline)}

    def _seconds_left(self) -> float:
        # The search kept this time back; a little more is better than nothing.
        return self.budget.remaining() + REFIT_GRACE if self.budget.limited else np.inf

    def fold_models(self, i: int, max_predict_time: float) -> list[Pipeline]:
        """The models of its folds that were kept.

        As many as ``max_predict_time`` allows, at least one.
        """
        folds = self._kept_folds(i)
        cost = self.pool[i].predict_time(self.rows)
        n_models = len(folds)
        if cost * n_models > max_predict_time:
            n_models = max(1, int(max_predict_time / cost))
        return [kept_model(fold) for fold in folds[:n_models]]

    def _kept_folds(self, i: int) -> list[FoldResult]:
        """Those of a configuration whose models are at hand."""
        return [fold for fold in self.pool[i].folds if fold.model is not None]

    def best_fold_models(self) -> dict[int, list[Pipeline]]:
        """The fold models of the best configuration that has any, and is in time."""
        for i in np.argsort(self.scores)[::-1].tolist():
            if not np.isfinite(self.scores[i]):
                continue
            if models := self.fold_models(i, self.max_predict_time):
                return {i: models}
        return {}

    def last_resort(self, score: float) -> dict[int, Pipeline]:
        """Fit the best of the quick ones in this process, but don't wait for ever.

        Only what scores better than what is there already.

        The workers may have been stopped at the deadline, and new ones be slow.
        """
        if not self.budget.limited or isinstance(self.workers, Here):
            return {}
        better = [i for i, known in enumerate(self.scores) if known > score]
        quick = [i for i in better if self.seconds(i) < LAST_GRACE / 2]
        if not quick:
            return {}
        best = max(quick, key=lambda i: self.scores[i])
        fitted: list = []
        configuration = self.configurations[self.pool[best].name]

        def fit() -> None:  # and import what it needs
            data = self.problem.X, self.problem.y, self.problem.weights
            table, seed = self.problem.table, self.problem.random_state
            pipeline = configuration.build(table, seed)
            fitted.append(fit_all_rows(pipeline, *data))

        with quiet():
            thread = Thread(target=fit, daemon=True)
            thread.start()
            thread.join(LAST_GRACE)
        if fitted and isinstance(fitted[0], Pipeline):
            return {best: fitted[0]}
        return {}


def _fit_on_all_rows(task: Reference, configuration: Configuration, seed: int):
    X, y, _, table, weights = task.load()
    # Mapped rows are read only, and a part of them may be kept by the model.
    data = X.copy(), np.array(y), None if weights is None else np.array(weights)
    return fit_all_rows(configuration.build(table, seed), *data)


def _assemble(problem, result, kept: dict, bags: dict, selection: Selection) -> Fitted:
    """Ensemble of the members that were fitted, the best of them beside it."""
    weights, pool = selection.weights, result.pool
    known = kept or bags
    best = max(known, key=lambda i: (i < result.n_comparable, pool[i].mean(SCORE)))
    members = [i for i in (*kept, *bags) if weights[i] > 0]
    temperature = selection.temperature
    if weights[members].sum() < 0.5:
        # What is left of the ensemble is not what was selected.
        members, temperature = [best], 1.0
    estimators: list[Pipeline] = []
    shares: list[float] = []
    owners: list[int] = []
    for i in members:
        models = [kept[i]] if i in kept else bags[i]
        estimators += models
        shares += [(weights[i] or 1.0) / len(models)] * len(models)
        owners += [i] * len(models)
    names = [pool[i].name for i in owners]
    own = selection.temperatures
    temperatures = None if own is None else own[owners].tolist()
    ensemble = WeightedEnsemble(
        estimators, np.array(shares) / sum(shares), problem.target.form,
        temperature, names, doubt=selection.doubt, temperatures=temperatures,
    )  # fmt: skip
    single = kept[best] if best in kept else bags[best][0]
    n_models = {pool[i].name: 0 if i in kept else len(bags[i]) for i in members}
    return Fitted(single, pool[best].name, ensemble, n_models)


def _refit_dummy(problem: Problem, result: SearchResult, excluded) -> Fitted:
    """What is left if nothing could be evaluated and fitted: a constant."""
    reasons = {trial.evaluation.error or "not refitted" for trial in result.trials}
    reasons = reasons or set(excluded.values())
    warn_user(
        "No configuration could be evaluated and fitted on all rows, so the "
        f"predictions are constant. {len(result.trials)} were tried, {len(excluded)} "
        f"excluded; reasons: {sorted(map(str, reasons))[:5]}. Raise "
        "time_budget or n_candidates, name other candidates, or check the data."
    )
    (dummy,) = choose(["dummy"], problem.target.task)[:1]
    pipeline = dummy.build(problem.table, problem.random_state)
    fit_weighted(pipeline, problem.X, problem.y, problem.weights)
    ensemble = WeightedEnsemble(
        [pipeline], np.ones(1), problem.target.form, names=[dummy.name]
    )
    return Fitted(pipeline, dummy.name, ensemble, {dummy.name: 0})
