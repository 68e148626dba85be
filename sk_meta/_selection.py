"""Out-of-fold predictions → the members of the ensemble and their weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ._evaluation import SCORE, Evaluation, take_or_none
from ._greedy import greedy_weights, heaviest, mean_losses, minus_log, ranking_losses
from ._log import warn_user
from ._temperature import Temperatures, at_least_tiny, find_temperatures
from ._together import quiet

MAX_POOL = 40
_MAX_HEATED = 100  # of which the pool is chosen anew at temperatures of their own
# Rows that members are chosen by at most; ranking them takes longer.
_MAX_ROWS, _MAX_RANKED = 20_000, 4_000


@dataclass(frozen=True)
class Selection:
    """Weights of the members, and how well they did on unseen folds.

    Parameters
    ----------
    weights : ndarray of shape (n_members,)
        Sum to 1.
    score : float
        Mean score over the folds of the first repetition, each scored with weights
        that were selected on the others.
    single : bool
        Whether the best single member was kept instead of an ensemble.
    temperature : float, default=1.0
        By which the logarithms of the probabilities are divided.
    temperatures : ndarray of shape (n_members,) or None, default=None
        The same for every member, before they are blended; None is 1.
    doubt : ndarray of shape (n_classes,) or None, default=None
        Probabilities that are mixed in: the shares of the classes, and together one in
        the number of rows plus one. So many rows can't tell that a class is less
        probable than that (Laplace's rule of succession), and a single sure error
        would outweigh all else in the log loss.
    """

    weights: np.ndarray
    score: float
    single: bool
    temperature: float = 1.0
    temperatures: np.ndarray | None = None
    doubt: np.ndarray | None = None

    def placed(self, places: list[int], size: int) -> Selection:
        """The same for a larger pool, in which the members have these places.

        Parameters
        ----------
        places : list of int
        size : int
            Of the larger pool.

        Returns
        -------
        Selection
        """
        weights, own = np.zeros(size), self.temperatures
        weights[places] = self.weights
        if own is None:
            return replace(self, weights=weights)
        temperatures = np.ones(size)
        temperatures[places] = own
        return replace(self, weights=weights, temperatures=temperatures)


@dataclass(frozen=True)
class Goal:
    """What an ensemble is selected for.

    Parameters
    ----------
    score : callable
        ``score(prediction, rows)`` in the user's metric, greater is better.
    metric : str
        Stored metric that is nearest to the user's. The selection minimises one minus
        ROC AUC of two classes for ``roc_auc_ovr``, absolute errors for absolute ones,
        and else log loss or squared errors, which are smooth.
    y : ndarray of shape (n_samples,)
        True labels or values.
    classes : ndarray, MULTILABEL or None
        None for regression.
    size : int
        Largest number of different members; 1 gives the best single one.
    max_predict_time : float, default=inf
        Seconds per 1,000 rows that the members may take together.
    weights : ndarray of shape (n_samples,) or None, default=None
        Sample weights.
    groups : ndarray of shape (n_samples,) or None, default=None
        Rows that belong together.
    """

    score: Callable[[np.ndarray, np.ndarray], float]
    metric: str
    y: np.ndarray
    classes: np.ndarray | str | None
    size: int
    max_predict_time: float = np.inf
    weights: np.ndarray | None = None
    groups: np.ndarray | None = None

    @property
    def doubt(self) -> np.ndarray | None:
        """See :class:`Selection`; the plain best pipeline is left as it is."""
        if not isinstance(self.classes, np.ndarray) or self.size == 1:
            return None
        places = np.searchsorted(self.classes, self.y)
        counts = np.bincount(places, weights=self.weights)
        return counts / counts.sum() / (len(self.y) + 1)

    @property
    def losses(self) -> Callable:
        """``losses(blends, labels, weights)`` of what :class:`_Fold` keeps."""
        if self.classes is None:
            of_each = np.abs if "absolute" in self.metric else np.square
            return partial(mean_losses, of_each)
        if self.metric == "roc_auc_ovr" and len(self.classes) == 2:
            return ranking_losses
        return partial(mean_losses, minus_log)


def select(
    evaluations, rows: list[np.ndarray], goal: Goal, n_folds: int | None = None
) -> Selection:
    """Choose the members of the ensemble on out-of-fold predictions.

    Whether the ensemble or the best single member is kept is decided by the user's
    metric on folds that the selection did not see.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        Complete ones.
    rows : list of ndarray
        Rows of every test fold.
    goal : Goal
    n_folds : int or None, default=None
        Folds of the first repetition, by which the decision is made; None is all.

    Returns
    -------
    Selection
    """
    costs = np.array([e.predict_time(rows) for e in evaluations])
    if (costs > goal.max_predict_time).all():
        _warn_too_slow(goal.max_predict_time, costs.min())
    with quiet():
        selection = _selected(evaluations, rows, goal, n_folds, costs)
    return replace(selection, doubt=goal.doubt)


def _selected(evaluations, rows, goal: Goal, n_folds: int | None, costs) -> Selection:
    means = np.array([evaluation.mean(SCORE) for evaluation in evaluations])
    if (costs > goal.max_predict_time).all():
        quickest = int(costs.argmin())
        return Selection(np.eye(len(means))[quickest], float(means[quickest]), True)
    means = np.where(costs > goal.max_predict_time, -np.inf, means)
    best = int(np.argmax(means))
    plain = Selection(np.eye(len(evaluations))[best], float(means[best]), True)
    if goal.size == 1 or len(evaluations) == 1:
        return plain
    members = _Members(evaluations, means, costs)
    if len(rows) == 1:
        # Something must be left that the selection does not see.
        halves = _halves(rows[0], goal.groups)
        members = replace(members, halves=halves)
        rows, n_folds = [rows[0][half] for half in halves], None
        if not all(map(partial(_can_be_scored, goal), members.parts(best), rows)):
            return plain
    found = _blended(members, rows, goal, n_folds)
    if goal.metric == "neg_log_loss" and isinstance(goal.classes, np.ndarray):
        # Forests are timid where there are many classes, and would be passed over.
        own = {
            i: _temperatures(goal, members.parts(i)[:n_folds], rows[:n_folds])
            for i in members.best(_MAX_HEATED)
        }
        if any(one.gain > 0 for one in own.values()):
            other = _blended(members.heated(own), rows, goal, n_folds)
            if other.floored > found.floored:
                return other.selection
    return found.selection


@dataclass(frozen=True)
class _Members:
    """What the ensemble is selected from: mean scores, costs, and predictions."""

    evaluations: Sequence[Evaluation]
    means: np.ndarray
    costs: np.ndarray
    halves: list[np.ndarray] | None = None  # of the only fold
    own: dict[int, Temperatures] | None = None

    def best(self, number: int) -> np.ndarray:
        """So many members with a score, the best first."""
        best = np.argsort(-self.means, kind="stable")[:number]
        return best[np.isfinite(self.means[best])]

    def parts(self, i: int) -> list[np.ndarray]:
        """Predictions of a member, by fold."""
        parts: list[Any] = [fold.prediction for fold in self.evaluations[i].folds]
        if self.halves is not None:
            parts = [parts[0][half] for half in self.halves]
        if self.own is not None and i in self.own:
            parts = [self.own[i].heat(part, k) for k, part in enumerate(parts)]
        return parts

    def heated(self, own: dict[int, Temperatures]) -> _Members:
        """At temperatures of their own, by which their log losses fall."""
        means = self.means.copy()
        for i, one in own.items():
            means[i] += one.gain
        return replace(self, means=means, own=own)

    @property
    def temperatures(self) -> np.ndarray | None:
        """For predictions of other rows."""
        if self.own is None:
            return None
        temperatures = np.ones(len(self.means))
        for i, one in self.own.items():
            temperatures[i] = one.of_all
        return temperatures


@dataclass(frozen=True)
class _Blended:
    """A selection, and its score if nothing may be less probable than a millionth.

    Else what has been at a temperature, and can't be, would have an advantage.
    """

    selection: Selection
    floored: float = np.nan


def _blended(members: _Members, rows, goal: Goal, n_folds: int | None) -> _Blended:
    pool, size = _worth_blending(members, goal), len(members.means)
    parts = [members.parts(i) for i in pool]
    folds = [
        _Fold.of([part[k] for part in parts], some, goal) for k, some in enumerate(rows)
    ]
    limits = {"max_members": goal.size, "costs": members.costs[pool],
              "max_cost": goal.max_predict_time}  # fmt: skip
    judges = folds[:n_folds]

    def scores(predictions) -> np.ndarray:
        both = zip(predictions, judges, strict=True)
        return np.array([goal.score(one, fold.rows) for one, fold in both])

    def floored(predictions) -> float:
        if goal.metric != "neg_log_loss":
            return np.nan
        return float(scores(map(at_least_tiny, predictions)).mean())

    chosen = _weights_without_each(folds, len(judges), goal, limits)
    blends = [f.blend(w) for f, w in zip(judges, chosen, strict=False)]
    alone = _best_alone(judges, goal)
    blended, score = scores(blends).mean(), float(scores(alone).mean())
    own = members.temperatures
    single = Selection(np.eye(size)[pool[0]], score, True, temperatures=own)
    if not blended >= score:
        return _Blended(single, floored(alone))
    weights = np.zeros(size)
    weights[pool] = _mean_weights(chosen, folds, len(judges), goal, limits)
    if np.count_nonzero(weights) == 1:
        # By the user's metric, whichever is best in what was minimised.
        return _Blended(single, floored(alone))
    temperature = 1.0
    if isinstance(goal.classes, np.ndarray):
        found = _temperatures(goal, blends, rows[:n_folds])
        temperature = found.of_all
        blends = [found.heat(blend, k) for k, blend in enumerate(blends)]
    selection = Selection(weights, float(blended), False, temperature, own)
    return _Blended(selection, floored(blends))


def _worth_blending(members: _Members, goal: Goal) -> np.ndarray:
    """The best ones, the best first.

    A constant changes no order, so that chance decides its weight where only the order
    counts; but it would draw all probabilities to the shares of the classes.
    """
    pool = members.best(MAX_POOL)
    if goal.losses is not ranking_losses:
        return pool
    varying = [any(np.ptp(p[:, 1]) > 0 for p in members.parts(i)) for i in pool]
    return pool[varying] if any(varying) else pool


def _temperatures(goal: Goal, parts, rows: list[np.ndarray]) -> Temperatures:
    assert isinstance(goal.classes, np.ndarray)  # there is none for anything else
    truths = [np.searchsorted(goal.classes, goal.y[part]) for part in rows]
    weights = [take_or_none(goal.weights, part) for part in rows]
    return find_temperatures(parts, truths, weights)


def _halves(rows: np.ndarray, groups: np.ndarray | None) -> list[np.ndarray]:
    """Whether a row is a second one or of a second group, and whether not."""
    order = np.arange(len(rows)) if groups is None else groups[rows]
    return [order % 2 == 0, order % 2 == 1]


def _can_be_scored(goal: Goal, prediction: np.ndarray, rows: np.ndarray) -> bool:
    """Whether the metric is defined on these rows, which may be few."""
    try:
        return bool(np.isfinite(goal.score(prediction, rows)))
    except Exception:  # whatever a metric makes of no rows, or of a single class
        return False


def _best_alone(folds: list[_Fold], goal: Goal) -> list[np.ndarray]:
    """Of every fold, what the member predicts that is the best without it.

    With it, the best single member would be favoured.
    """
    scores = np.array([[goal.score(p, f.rows) for p in f.predictions] for f in folds])
    best = [
        np.delete(scores, k, axis=0).sum(axis=0).argmax() for k in range(len(folds))
    ]
    return [fold.predictions[i] for fold, i in zip(folds, best, strict=True)]


def _warn_too_slow(limit: float, fastest: float) -> None:
    warn_user(
        f"max_predict_time={limit:.3g} s per 1,000 rows is less than what any of the "
        f"configurations takes that may be members; the fastest is used, with "
        f"{fastest:.3g} s. Raise it, or name faster candidates."
    )


@dataclass(frozen=True)
class _Fold:
    """Predictions of the pool on some rows, and what the loss needs of them."""

    predictions: np.ndarray
    kept: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    weights: np.ndarray | None = None

    @classmethod
    def of(cls, predictions: list[np.ndarray], rows, goal: Goal) -> _Fold:
        """Keep the probability of the true or second class, or the scaled error."""
        stacked, y = np.stack(predictions), goal.y[rows]
        weights = take_or_none(goal.weights, rows)
        if goal.classes is None:
            scale = np.std(goal.y, axis=0)
            errors = (stacked - y) / np.where(scale > 0, scale, 1.0)
            return cls(stacked, errors, y, rows, weights)
        if isinstance(goal.classes, str):
            kept = np.where(y == 1, stacked, 1 - stacked)
            return cls(stacked, kept, y, rows, weights)
        truth = np.searchsorted(goal.classes, y)
        if goal.losses is ranking_losses:
            return cls(stacked, stacked[:, :, 1], truth, rows, weights)
        kept = stacked[:, np.arange(len(rows)), truth]
        return cls(stacked, kept, truth, rows, weights)

    def only(self, members: np.ndarray) -> _Fold:
        """The same rows, of fewer members."""
        return replace(
            self, predictions=self.predictions[members], kept=self.kept[members]
        )

    def blend(self, weights: np.ndarray) -> np.ndarray:
        return np.tensordot(weights, self.predictions, axes=1)


def _weights_without_each(
    folds: list[_Fold], n_folds: int, goal: Goal, limits: dict
) -> np.ndarray:
    """Weights for each fold, selected on the others of its repetition."""
    chosen = []
    for k in range(len(folds)):
        first = k - k % n_folds
        others = folds[first:k] + folds[k + 1 : first + n_folds]
        # The last repetition may be short, and this its only fold.
        chosen.append(_weights(others or folds[:k], goal, limits))
    return np.array(chosen)


def _mean_weights(
    chosen: np.ndarray, folds: list[_Fold], n_folds: int, goal: Goal, limits: dict
) -> np.ndarray:
    """Mean of the weights that were selected without each fold.

    A member that only the noise of some rows favours is in few of the selections. If
    there are more members than the limits allow, the heaviest are selected from anew.
    """
    mean = chosen.mean(axis=0)
    kept = heaviest(mean, **limits)
    if len(kept) == np.count_nonzero(mean):
        return mean
    few = [fold.only(kept) for fold in folds]
    limits = {**limits, "costs": limits["costs"][kept]}
    weights = np.zeros(len(mean))
    weights[kept] = _weights_without_each(few, n_folds, goal, limits).mean(axis=0)
    return weights


def _weights(folds: list[_Fold], goal: Goal, limits: dict) -> np.ndarray:
    """Greedy weights on some folds; many rows are more than enough to choose by."""
    kept = np.concatenate([fold.kept for fold in folds], axis=1)
    labels = np.concatenate([fold.labels for fold in folds])
    weights = None
    if goal.weights is not None:
        weights = goal.weights[np.concatenate([fold.rows for fold in folds])]
    losses = goal.losses
    most = _MAX_RANKED if losses is ranking_losses else _MAX_ROWS
    if len(labels) > most:
        rows = np.random.default_rng(0).choice(len(labels), most, replace=False)
        kept, labels, weights = kept[:, rows], labels[rows], take_or_none(weights, rows)
    return greedy_weights(
        lambda blends: losses(blends, labels, weights), kept, **limits
    )
