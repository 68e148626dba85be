"""Table and target → how candidates are compared on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from ._evaluation import predict_with, score_prediction, take
from ._folds import Folds, Split, fewer_folds, plan_folds
from ._scoring import Metric, as_loss, resolve_scoring
from ._table import Table, Target, describe_table, describe_target


@dataclass(frozen=True)
class Problem:
    """A table, a target, and how candidates are compared on them.

    Parameters
    ----------
    X : DataFrame, ndarray or CSR
    y : ndarray of shape (n_samples,)
    table : Table
    target : Target
    folds : Folds
        Training and test rows, shared by all configurations.
    metric : Metric
    dummy_loss : float
        Loss, in the stored metric, of predicting without looking at X.
    random_state : int
    relative_seconds : tuple of ndarray, default=()
        Seconds of every configuration at every stage of the folds, relative to those
        on all rows.
    """

    X: Any
    y: np.ndarray
    table: Table
    target: Target
    folds: Folds
    metric: Metric
    dummy_loss: float
    random_state: int
    relative_seconds: tuple[np.ndarray, ...] = ()

    @property
    def splits(self) -> list[Split]:
        """The splits by which configurations are compared."""
        return self.folds.judged

    @property
    def refit_factor(self) -> float:
        """Rows of the whole table over those of a training fold."""
        return len(self.y) / self.folds.n_train(-1)

    def fit_into(self, seconds: float, left: float) -> Problem:
        """The problem with fewer folds, if as many would take too long.

        Parameters
        ----------
        seconds : float
            Expected for a fold of a typical configuration.
        left : float
            Seconds that all workers together have.

        Returns
        -------
        Problem
        """
        fewer = fewer_folds(
            self.folds, seconds, left, self.y, self.target, self.random_state
        )
        return replace(self, folds=fewer)

    def score(self, prediction: np.ndarray, rows: np.ndarray) -> float:
        """Score predictions of some rows with the user's metric.

        Parameters
        ----------
        prediction : ndarray of shape (n_rows, n_classes) or (n_rows,)
        rows : ndarray of shape (n_rows,)

        Returns
        -------
        float
        """
        return score_prediction(
            prediction,
            self.y[rows],
            self.metric.scorer,
            self.target.classes,
            take(self.X, rows),
        )


def describe(
    X, y: np.ndarray, *, task: str, scoring, cv, seed: int, column_kinds=None
) -> Problem:
    """Describe the table and its target, and fix splits and metric.

    Parameters
    ----------
    X : DataFrame, ndarray or CSR
    y : ndarray of shape (n_samples,)
    task : {"auto", "classification", "regression"}
    scoring : str, callable or None
    cv : int, splitter, iterable or None
    seed : int
    column_kinds : dict or None, default=None

    Returns
    -------
    Problem

    Raises
    ------
    ValueError
        If the scorer is unknown, or can't score this target, or a kind is declared
        that does not exist or for no column.
    """
    table, target = describe_table(X, column_kinds), describe_target(y, task)
    metric = resolve_scoring(scoring, target.task)
    folds = plan_folds(cv, X, y, target, seed)
    problem = Problem(
        X, y, table, target, folds, metric, _dummy_loss(y, target, metric), seed
    )
    _try_scorer(problem, scoring)
    return problem


def _dummy(y: np.ndarray, target: Target):
    """Constant prediction, fitted; it takes any table with one column."""
    model = DummyRegressor() if target.task == "regression" else DummyClassifier()
    return model.fit(np.zeros((len(y), 1)), y)


def _dummy_loss(y: np.ndarray, target: Target, metric: Metric) -> float:
    if target.n_classes == 1:
        return 0.0
    rows = np.zeros((len(y), 1))
    score = metric.stored_scorer(_dummy(y, target), rows, y)
    return float(as_loss(score, metric.stored))


def _try_scorer(problem: Problem, scoring) -> None:
    """Fail before the search if the scorer can't score even a constant."""
    if problem.target.n_classes == 1:
        return
    rows = problem.splits[0][1]
    blank = np.zeros((len(rows), 1))
    dummy = _dummy(problem.y, problem.target)
    prediction = predict_with(dummy, blank, problem.target.classes)
    try:
        problem.score(prediction, rows)
    except Exception as error:
        raise ValueError(
            f"scoring={scoring!r} can't score this target: {error} Choose a scorer for "
            f"{problem.target.task} with {problem.target.n_classes or 'no'} classes."
        ) from error
