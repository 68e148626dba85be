"""What was told during a search, in its order, and how each result moved the belief.

The search notes a few numbers per result; the beliefs between two results are made
again afterwards, from the prior and what it was conditioned on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ._belief import Belief, Gaussian, Observation
from ._evaluation import SCORE, FoldResult
from ._folds import Folds
from ._history import from_h
from ._runs import Run
from ._scoring import Metric, as_score

HEAD = 10  # configurations at the head of the leaderboard whose beliefs are kept
LOOK, FOLDS, REPEAT, RESTART = "look", "folds", "repeat", "restart"
FROM_CHECKPOINT = -1  # in the place of the number of a worker


@dataclass(frozen=True)
class Told:
    """One result, as the search was told of it.

    Parameters
    ----------
    run : Run
    split : int
        Position among all splits.
    worker : int
        Where it ran, from 0; -1 for a result of a checkpoint.
    started, ended : float
        Seconds since ``fit`` began.
    result : FoldResult
        Less its prediction and model.
    best_score : float
        Best mean score of a complete configuration by then; NaN if there is none.
    observations : tuple of Observation
        What the belief was conditioned on then.
    """

    run: Run
    split: int
    worker: int
    started: float
    ended: float
    result: FoldResult
    best_score: float
    observations: tuple[Observation, ...]


def evaluations_frame(
    told: tuple[Told, ...], folds: Folds, metric: Metric, dummy_loss: float
) -> pd.DataFrame:
    """One row per result, in the order in which they were told.

    Parameters
    ----------
    told : tuple of Told
    folds : Folds
    metric : Metric
    dummy_loss : float

    Returns
    -------
    DataFrame
        configuration, family, split, stage ("look", "folds", "repeat", or
        "restart" of the folds of a further search), worker, started,
        ended, score, status, error, fit_seconds, predict_seconds, memory,
        expected_score (of the configuration when it was started, if the knowledge
        base has the user's metric) and best_score.
    """
    stage_of = _stages(folds)
    rows = []
    for one in told:
        run, result = one.run, one.result
        expected = score_of(run.expected_h, dummy_loss, metric)
        rows.append((
            run.name, run.configuration.family, one.split, stage_of[one.split],
            one.worker, one.started, one.ended, result.scores.get(SCORE, np.nan),
            result.status, result.error, result.fit_seconds, result.predict_seconds,
            result.memory, expected if metric.exact else np.nan, one.best_score,
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COLUMNS))


_COLUMNS = (
    "configuration", "family", "split", "stage", "worker", "started", "ended", "score",
    "status", "error", "fit_seconds", "predict_seconds", "memory", "expected_score",
    "best_score",
)  # fmt: skip


def _stages(folds: Folds) -> dict[int, str]:
    """What each split is for."""
    *looks, last = folds.stages
    later = [splits for search in folds.restarts for splits in search]
    parts = [(LOOK, looks), (FOLDS, [last]), (REPEAT, folds.repeats), (RESTART, later)]
    return {i: name for name, groups in parts for splits in groups for i in splits}


def score_of(h, dummy_loss: float, metric: Metric):
    """Score in the stored metric, greater is better, of a relative log loss."""
    score = as_score(from_h(h, dummy_loss), metric.stored)
    return float(score) if np.ndim(score) == 0 else score


def beliefs_frame(
    prior: Belief,
    told: tuple[Told, ...],
    names: list[str],
    metric: Metric,
    dummy_loss: float,
) -> pd.DataFrame:
    """What was believed of some configurations, from the prior to the last result.

    Parameters
    ----------
    prior : Belief
        Before the search.
    told : tuple of Told
    names : list of str
        Configurations; those that the belief does not know are left out.
    metric : Metric
    dummy_loss : float

    Returns
    -------
    DataFrame
        step (number of results told; only those that moved the belief), configuration,
        expected_score, and the 80 % interval low and high; in the metric of the
        ranking, which ``attrs["metric"]`` names.
    """
    place = {name: i for i, name in enumerate(prior.names)}
    wanted = [place[name] for name in dict.fromkeys(names) if name in place]
    seen = [o.index for one in told for o in one.observations]
    indices = list(dict.fromkeys([*wanted, *seen]))
    belief, rows = _part(prior, indices), []
    position = {index: i for i, index in enumerate(indices)}
    steps = [(0, ()), *((n + 1, one.observations) for n, one in enumerate(told))]
    for step, observations in steps:
        if step and not observations:
            continue
        for o in observations:
            belief.observe(position[o.index], o.h, o.noise, o.provisional)
        mean, (low, high) = belief.mean(), belief.interval()
        for i in range(len(wanted)):
            ends = score_of(np.array([mean[i], high[i], low[i]]), dummy_loss, metric)
            rows.append((step, belief.names[i], *ends))
    columns = ["step", "configuration", "expected_score", "low", "high"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.attrs["metric"] = metric.mapping
    return frame


def _part(belief: Belief, indices: list[int]) -> Belief:
    """The belief about some configurations: a marginal, conditioned just like it."""
    square = np.ix_(indices, indices)
    components = [Gaussian(c.mean[indices], c.covariance[square])
                  for c in belief.components]  # fmt: skip
    return Belief(
        tuple(belief.names[i] for i in indices), components, belief.nugget,
        clock=None, history=None, reach=belief.reach,
    )  # fmt: skip
