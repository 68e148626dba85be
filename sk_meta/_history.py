"""The knowledge base as matrices, losses on a scale that tasks share.

Losses are compared as ``h = log(loss / dummy loss + 0.02)``; over the prior
tasks as ``z``, h less its median over its distance from the best to the median.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from sklearn.covariance import LedoitWolf

from ._knowledge import KnowledgeBase
from ._scoring import STORED_METRICS, as_loss

_OFFSET = 0.02  # keeps the logarithm finite on tasks that are solved
_FLOOR = 0.02  # smallest spread of h that a task can have
MIN_TASKS = 5  # fewer teach nothing
_WORST = 1.0  # z is cut here: how bad a bad configuration is doesn't matter


def to_h(loss, dummy):
    """Loss relative to the dummy's, on a logarithmic scale.

    Parameters
    ----------
    loss : float or ndarray
    dummy : float or ndarray
        Loss of the dummy on the same rows.

    Returns
    -------
    float or ndarray
    """
    return np.log(np.maximum(loss, 0) / np.maximum(dummy, 1e-12) + _OFFSET)


def h_per_loss(loss, dummy):
    """By how much :func:`to_h` grows with the loss, its derivative.

    Parameters
    ----------
    loss : float or ndarray
    dummy : float or ndarray

    Returns
    -------
    float or ndarray
    """
    return 1.0 / (np.maximum(loss, 0) + _OFFSET * np.maximum(dummy, 1e-12))


def from_h(h, dummy):
    """Inverse of :func:`to_h`."""
    return np.maximum(np.exp(h) - _OFFSET, 0) * dummy


@dataclass(frozen=True)
class History:
    """The knowledge base as matrices, for one metric and some configurations.

    Parameters
    ----------
    names : tuple of str
        Configurations, the columns.
    tasks : DataFrame
        Prior tasks, the rows, with families and meta-features.
    h : ndarray of shape (n_tasks, n_configurations)
        Relative log losses, complete: what was not run is filled in.
    log_seconds : ndarray of shape (n_tasks, n_configurations)
        Log of the seconds of one fold, NaN where it was not run.
    """

    names: tuple[str, ...]
    tasks: pd.DataFrame
    h: np.ndarray
    log_seconds: np.ndarray

    @classmethod
    def of(
        cls, knowledge: KnowledgeBase, kind: str, metric: str, names: tuple[str, ...]
    ) -> History:
        """Read the matrices out of a knowledge base.

        Parameters
        ----------
        knowledge : KnowledgeBase
        kind : {"classification", "regression"}
        metric : str
            A stored metric.
        names : tuple of str
            Configurations; those the knowledge base lacks get filled columns.

        Returns
        -------
        History
        """
        scores = knowledge.scores(kind, metric)
        dummy = np.full(len(scores), np.nan)
        if "dummy" in scores:
            dummy = as_loss(scores["dummy"].to_numpy(), metric)
        usable = np.isfinite(dummy) & (dummy > 0)
        if usable.sum() < MIN_TASKS:
            raise ValueError(
                f"knowledge has {usable.sum()} tasks for {kind} with {metric}; at "
                f"least {MIN_TASKS} are needed, with results of the configuration "
                "'dummy'. Merge your own tasks into KnowledgeBase.load()."
            )
        columns = list(names)
        loss = as_loss(scores.reindex(columns=columns).to_numpy(), metric)
        h = to_h(loss[usable], dummy[usable, None])
        failed = knowledge.failed(kind).reindex(columns=columns, fill_value=False)
        seconds = knowledge.seconds(kind).reindex(columns=columns).to_numpy()
        return cls(
            names,
            knowledge.select(kind)[usable],
            _complete(h, failed.to_numpy()[usable]),
            np.log(np.maximum(seconds[usable], 1e-4)),
        )

    def standardised(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Location, spread and standard scores of every task.

        The median and its distance to the best, as in the regret that is to be
        minimised: differences among the good half keep their weight, however
        bad the bad ones are.
        """
        location = np.median(self.h, axis=1)
        spread = np.maximum(location - self.h.min(axis=1), _FLOOR)
        z = (self.h - location[:, None]) / spread[:, None]
        return location, spread, np.minimum(z, _WORST)

    @cached_property
    def weights(self) -> np.ndarray:
        """Share of every task in a mean over the families."""
        weights = family_weights(self.tasks)
        return weights / weights.sum()

    @cached_property
    def normalised(self) -> np.ndarray:
        """Regret over each task's best, in units of its median's regret."""
        loss = np.exp(self.h)
        best = loss.min(axis=1, keepdims=True)
        middle = np.median(loss, axis=1, keepdims=True)
        return np.clip((loss - best) / np.maximum(middle - best, 0.01), 0, 1)


def shrunk_covariance(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Covariance of the columns with weighted rows (Ledoit and Wolf 2004).

    Parameters
    ----------
    values : ndarray of shape (n_tasks, n_configurations)
    weights : ndarray of shape (n_tasks,)

    Returns
    -------
    ndarray of shape (n_configurations, n_configurations)
    """
    centred = values - np.average(values, axis=0, weights=weights)
    rows = centred * np.sqrt(weights / weights.mean())[:, None]
    return LedoitWolf(assume_centered=True).fit(rows).covariance_


def weighted_quantiles(values: np.ndarray, weights: np.ndarray, levels) -> np.ndarray:
    """Quantiles of weighted values.

    Parameters
    ----------
    values : ndarray of shape (n,)
    weights : ndarray of shape (n,)
    levels : array-like of shape (n_levels,)
        Between 0 and 1.

    Returns
    -------
    ndarray of shape (n_levels,)
    """
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.interp(levels, reached / weights.sum(), values[order])


def family_weights(tasks: pd.DataFrame) -> np.ndarray:
    """Weight of every task, so that each family counts once.

    Parameters
    ----------
    tasks : DataFrame
        With the column "family".

    Returns
    -------
    ndarray of shape (n_tasks,)
    """
    family = tasks["family"]
    return 1.0 / family.groupby(family).transform("size").to_numpy(dtype=float)


@dataclass(frozen=True)
class Experience:
    """Everything that is known of one kind of task, in all metrics.

    Parameters
    ----------
    names : tuple of str
        Configurations.
    tasks : DataFrame
        Prior tasks, with families and meta-features.
    histories : dict of str to History
        By stored metric; a task in which a metric says nothing (the dummy has no
        loss, or it was not recorded) is not in its history.
    log_seconds : ndarray of shape (n_tasks, n_configurations)
        Log of the seconds of one fold, NaN where it was not run.
    """

    names: tuple[str, ...]
    tasks: pd.DataFrame
    histories: dict[str, History]
    log_seconds: np.ndarray

    @classmethod
    def of(cls, knowledge: KnowledgeBase, kind: str, names) -> Experience:
        """Read it out of a knowledge base.

        Parameters
        ----------
        knowledge : KnowledgeBase
        kind : {"classification", "regression"}
        names : iterable of str
            Configurations.

        Returns
        -------
        Experience

        Raises
        ------
        ValueError
            If there are too few tasks in every metric.
        """
        histories, errors, names = {}, [], tuple(names)
        for metric in STORED_METRICS[kind]:
            try:
                histories[metric] = History.of(knowledge, kind, metric, names)
            except ValueError as too_few:
                errors.append(too_few)
        if not histories:
            raise errors[0]
        known = {task for history in histories.values() for task in history.tasks.index}
        tasks = knowledge.select(kind)
        tasks = tasks[tasks.index.isin(known)]
        seconds = np.full((len(tasks), len(names)), np.nan)
        for history in histories.values():
            seconds[tasks.index.get_indexer(history.tasks.index)] = history.log_seconds
        return cls(names, tasks, histories, seconds)

    def rows(self, metric: str) -> np.ndarray:
        """Positions among ``tasks`` of the rows of one history."""
        return self.tasks.index.get_indexer(self.histories[metric].tasks.index)

    def targets(self) -> np.ndarray:
        """Standardised losses in all metrics, one metric after the other.

        Returns
        -------
        ndarray of shape (n_tasks, n_metrics * n_configurations)
            Where a metric says nothing of a task, the mean of the others.
        """
        shape = (len(self.histories), len(self.tasks), len(self.names))
        z = np.full(shape, np.nan)
        for layer, (metric, history) in zip(z, self.histories.items(), strict=True):
            layer[self.rows(metric)] = history.standardised()[2]
        z = np.where(np.isnan(z), np.nanmean(z, axis=0), z)
        return z.transpose(1, 0, 2).reshape(len(self.tasks), -1)

    def part(self, targets: np.ndarray, metric: str) -> np.ndarray:
        """Columns of one metric out of :meth:`targets` or predictions of them."""
        start = list(self.histories).index(metric) * len(self.names)
        return targets[:, start : start + len(self.names)]

    def weights(self) -> np.ndarray:
        """Weight of every task: each family counts once."""
        return family_weights(self.tasks)


def _complete(h: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Fill in failures as bad, then the rest by conditioning on the row.

    A configuration that was excluded is given the value that its relatives on
    the same task suggest: one step of expectation maximisation.
    """
    h = np.where(np.isfinite(h), h, np.nan)
    h[:, np.isnan(h).all(axis=0)] = np.nanmean(h, axis=1, keepdims=True)
    worst = np.nanmax(h, axis=1) + 0.5 * np.nanstd(h, axis=1)
    h = np.where(failed, worst[:, None], h)
    missing = np.isnan(h)
    if not missing.any():
        return h
    location = np.nanmean(h, axis=1, keepdims=True)
    spread = np.maximum(np.nanstd(h, axis=1, keepdims=True), _FLOOR)
    z = (h - location) / spread
    z = np.where(missing, np.nanmean(z, axis=0), z)
    covariance = LedoitWolf().fit(z).covariance_
    mean = z.mean(axis=0)
    for row, gaps in zip(z, missing, strict=True):
        if gaps.any() and not gaps.all():
            seen = ~gaps
            gain = np.linalg.solve(
                covariance[np.ix_(seen, seen)] + 0.05 * np.eye(seen.sum()),
                covariance[np.ix_(seen, gaps)],
            )
            row[gaps] = mean[gaps] + (row[seen] - mean[seen]) @ gain
    return np.where(missing, z * spread + location, h)
