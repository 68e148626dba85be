"""The unit of work: one configuration on one split, as a worker gets it."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import joblib
import numpy as np
from sklearn.pipeline import Pipeline

from ._catalogue import Configuration
from ._evaluation import SCORE, TIMED_ROWS, FoldResult, evaluate_fold, time_prediction
from ._memory import begin_peak, peak_since
from ._shared import Reference


@dataclass(frozen=True)
class Rules:
    """How every unit of a search is scored, and whether its model is kept.

    Parameters
    ----------
    scorers : dict of str to callable
        Each score must be finite.
    optional : dict of str to callable
        Scores that may be undefined.
    classes : ndarray, MULTILABEL or None
        All class labels; None for regression.
    keep : str or None, default=None
        Folder for the fitted pipelines; "" passes them as they are, None none.
    keep_bytes : float, default=inf
        A fitted pipeline that takes more in the folder is not kept.
    time_predict : bool, default=False
        Whether predicting 1,000 rows is timed where a fold has fewer.
    """

    scorers: dict[str, Callable]
    optional: dict[str, Callable]
    classes: np.ndarray | str | None
    keep: str | None = None
    keep_bytes: float = np.inf
    time_predict: bool = False

    def timed(self, n_rows: int) -> bool:
        """Whether predicting is timed after a fold with so many rows to predict."""
        return self.time_predict and n_rows < TIMED_ROWS


def evaluate_unit(
    task: Reference,
    rules: Rules,
    configuration: Configuration,
    seed: int,
    split: int,
    name: str,
    worth: float = -np.inf,
) -> FoldResult:
    """Evaluate a configuration on one of the splits of a task.

    It is built here, because packages that only some need are imported then.

    Parameters
    ----------
    task : Reference
        To the table, the target, the splits, the table's description, and the
        sample weights.
    rules : Rules
    configuration : Configuration
    seed : int
    split : int
        Position of the split.
    name : str
        Of the file with the fitted pipeline.
    worth : float, default=-inf
        Score from which on the fitted pipeline is kept.

    Returns
    -------
    FoldResult
    """
    X, y, splits, table, weights = task.load()
    pipeline = configuration.build(table, seed)
    n_steps = configuration.n_encoders(table)
    if configuration.own is not None:
        n_steps = 0  # it might change in place what others are given
    encoders = joblib.hash(pipeline.steps[:n_steps])
    test = splits[split][1]
    timed = rules.timed(len(test))
    held = begin_peak()
    result = evaluate_fold(
        pipeline, X, y, splits[split], rules.scorers, rules.classes,
        optional=rules.optional, keep=timed or rules.keep is not None,
        encoders=(n_steps, (task.key, encoders, split)), weights=weights,
    )  # fmt: skip
    result = replace(result, memory=peak_since(held))
    if timed and result.model is not None:
        if _is_quick(result, len(test)):
            seconds = time_prediction(result.model, X, test, rules.classes)
            spent = result.spent_seconds + np.nan_to_num(seconds)
            result = replace(result, predict_time=seconds, spent_seconds=spent)
        if rules.keep is None:
            return replace(result, model=None)
    if result.scores.get(SCORE, -np.inf) < worth:
        return replace(result, model=None)
    if rules.keep and result.model is not None:
        path = os.path.join(rules.keep, f"{name}-{split}")
        return replace(result, model=_stored(result.model, path, rules.keep_bytes))
    return result


def _is_quick(result: FoldResult, n_rows: int) -> bool:
    """Whether predicting 1,000 rows takes no longer than the fit, or a second."""
    at_most = result.predict_seconds * TIMED_ROWS / n_rows
    return at_most <= max(result.fit_seconds, 1.0)


class _Limited:
    """A file that refuses what is written beyond so many bytes."""

    def __init__(self, file, max_bytes: float):
        self._file, self._left = file, max_bytes

    def write(self, data) -> int:
        self._left -= memoryview(data).nbytes
        if self._left < 0:
            raise OSError("more than may be kept")
        return self._file.write(data)


def _stored(model: Pipeline, path: str, max_bytes: float) -> str | None:
    try:
        with open(path, "wb") as file:
            # In C; joblib's pickler is in Python, and slower with hundreds of trees.
            pickle.dump(model, _Limited(file, max_bytes), protocol=5)
    except Exception:  # it can't be pickled, or there is no room
        _remove(path)
        return None
    return path


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.remove(path)


def kept_model(result: FoldResult) -> Pipeline | None:
    """The fitted pipeline of a fold, if it was kept."""
    model: Any = result.model
    if not isinstance(model, str):
        return model
    with open(model, "rb") as file:
        return pickle.load(file)


def drop_model(result: FoldResult) -> FoldResult:
    """The result without its fitted pipeline, whose file is removed."""
    if isinstance(result.model, str):
        _remove(result.model)
    return replace(result, model=None)
