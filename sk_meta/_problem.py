"""Table and target → how candidates are compared on them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from ._evaluation import predict_with, score_prediction, take, take_or_none
from ._folds import Folds, Split, fewer_folds, plan_folds, with_restarts
from ._scoring import Metric, as_loss, resolve_scoring
from ._splits import own_splits, renumbered
from ._table import Table, Target, describe_table, describe_target, written_alike


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
    weights : ndarray of shape (n_samples,) or None, default=None
        Sample weights.
    groups : ndarray of shape (n_samples,) or None, default=None
        Rows that belong together, on one side of every split.
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
    weights: np.ndarray | None = None
    groups: np.ndarray | None = None
    relative_seconds: tuple[np.ndarray, ...] = ()

    @property
    def splits(self) -> list[Split]:
        """The splits by which configurations are compared."""
        return self.folds.judged

    @property
    def data(self) -> tuple:
        """What a worker needs: see :func:`._unit.evaluate_unit`."""
        return self.X, self.y, self.folds.splits, self.table, self.weights

    @property
    def weighted(self) -> bool:
        """Whether there are sample weights."""
        return self.weights is not None

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
            self.folds, seconds, left, self.y, self.target, self.random_state,
            self.groups,
        )  # fmt: skip
        return replace(self, folds=fewer)

    def with_restarts(self) -> Problem:
        """The problem with folds for further searches, unless they are dear."""
        folds = with_restarts(
            self.folds, self.y, self.target, self.random_state, self.groups
        )
        return replace(self, folds=folds)

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
            self.target.form,
            take(self.X, rows),
            take_or_none(self.weights, rows),
        )


def describe(
    X, y: np.ndarray, *, task: str, scoring, cv, seed: int, refit: str | None = None,
    column_kinds: dict | None = None, weights=None, groups=None,
) -> Problem:  # fmt: skip
    """Describe the table and its target, and fix splits and metric.

    Parameters
    ----------
    X : DataFrame, ndarray or CSR
    y : ndarray of shape (n_samples,)
    task : {"auto", "classification", "regression"}
    scoring : str, callable, None, or several
    cv : int, splitter, iterable or None
    seed : int
    refit : str or None, default=None
        Which of several scorers is searched for.
    column_kinds : dict or None, default=None
    weights, groups : ndarray of shape (n_samples,) or None, default=None

    Returns
    -------
    Problem

    Raises
    ------
    ValueError
        If the scorer is unknown, or can't score this target, or a kind is declared
        that does not exist or for no column.
    """
    if weights is not None and not weights.all():
        # Rows of weight zero count for nothing, not even for a fold.
        kept = weights > 0
        if not (cv is None or isinstance(cv, Integral)):
            splits = own_splits(cv, X, y, describe_target(y, task), groups)
            cv = renumbered(splits, kept)
        X, y, weights = take(X, kept), y[kept], weights[kept]
        groups = take_or_none(groups, kept)
    table, target = describe_table(X, column_kinds), describe_target(y, task)
    table = replace(
        table,
        one_target=target.n_outputs == 1,
        labels_like_numbers=_like_numbers(target.classes),
    )
    metric = resolve_scoring(
        scoring, target.task, refit, target.n_outputs > 1, target.n_classes
    )
    X = written_alike(X, table)
    folds = plan_folds(cv, X, y, target, seed, groups)
    loss = _dummy_loss(y, target, metric, weights)
    problem = Problem(
        X, y, table, target, folds, metric, loss, seed, weights, groups
    )
    _try_scorer(problem, scoring)
    return problem


def _like_numbers(labels) -> bool:
    """Whether there are strings among the labels that can be read as integers."""
    if labels is None or isinstance(labels, str):
        return False
    texts = [label for label in labels if isinstance(label, str)]
    return any(text.strip().lstrip("+-").isdecimal() for text in texts)


def _dummy(y: np.ndarray, target: Target, weights=None):
    """Constant prediction, fitted; it takes any table with one column."""
    model = DummyRegressor() if target.task == "regression" else DummyClassifier()
    return model.fit(np.zeros((len(y), 1)), y, sample_weight=weights)


def _dummy_loss(y: np.ndarray, target: Target, metric: Metric, weights) -> float:
    if target.n_classes == 1:
        return 0.0
    blank = np.zeros((len(y), 1))
    prediction = predict_with(_dummy(y, target, weights), blank, target.form)
    score = score_prediction(
        prediction, y, metric.stored_scorer, target.form, blank, weights
    )
    return float(as_loss(score, metric.stored))


def dummy_score(problem: Problem) -> float:
    """Mean score, in the user's metric, of predicting without looking at X.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    float
        Over the splits by which configurations are compared; NaN if it is undefined.
    """
    scores, form = [], problem.target.form
    for train, test in problem.splits:
        weights = take_or_none(problem.weights, train)
        model = _dummy(problem.y[train], problem.target, weights)
        try:
            prediction = predict_with(model, np.zeros((len(test), 1)), form)
            scores.append(problem.score(prediction, test))
        except Exception:  # the scorer is the user's
            return np.nan
    return float(np.mean(scores))


def _try_scorer(problem: Problem, scoring) -> None:
    """Fail before the search if the scorer can't score even a constant."""
    if problem.target.n_classes == 1:
        return
    rows = problem.splits[0][1]
    blank = np.zeros((len(rows), 1))
    dummy = _dummy(problem.y, problem.target)
    prediction = predict_with(dummy, blank, problem.target.form)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            score = problem.score(prediction, rows)
    except Exception as error:
        raise ValueError(
            f"scoring={scoring!r} can't score this target: {error} Choose a scorer for "
            f"{problem.target.task} with {problem.target.n_classes or 'no'} classes, "
            "and splits whose test rows it can score."
        ) from error
    if len(rows) == 1 and np.isnan(score):
        raise ValueError(
            f"scoring={scoring or problem.metric.name!r} is not defined for a single "
            "test row. Choose splits with more test rows, or another scorer."
        )
