"""Meta-features: a table as one named vector.

Counts are exact, read from :class:`Table` and :class:`Target`. Everything else
is measured on a :class:`Sample` of bounded size, so that the cost does not grow
with the table.

Names and definitions are those of pymfe [1]_ where it has the meta-feature: on
a numeric table without constant columns that is not subsampled, values agree
with pymfe's after ``MFE.fit(X, y, rescale="standard")``. Columns that do not vary
are left out of every average here.

References
----------
.. [1] Alcobaça, E. et al. (2020). "MFE: towards reproducible meta-feature
       extraction". Journal of Machine Learning Research 21(111).
.. [2] Rivolli, A. et al. (2022). "Meta-features for meta-learning".
       Knowledge-Based Systems 240.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from . import _measures  # noqa: F401  registers the meta-features
from ._log import logger
from ._registry import BOTH, GROUPS, REGISTRY, MetaFeature
from ._sample import Sample, draw_sample
from ._table import as_table, describe_table, describe_target


@dataclass(frozen=True)
class MetaFeatures:
    """Meta-features of one table: the same names for every table of one task.

    Parameters
    ----------
    task : {"classification", "regression"}
        Kind of task.
    names : tuple of str
        Names, group by group.
    values : ndarray of shape (n_meta_features,)
        NaN where a meta-feature is not applicable or could not be computed.
    groups : tuple of str
        "simple", "statistical", "information" or "landmarker".
    sources : tuple of str
        The publication that defines each one.
    seconds : ndarray of shape (n_meta_features,)
        Wall-clock seconds; work that several share is counted for the first.
    """

    task: str
    names: tuple[str, ...]
    values: np.ndarray
    groups: tuple[str, ...]
    sources: tuple[str, ...]
    seconds: np.ndarray

    def __getitem__(self, name: str) -> float:
        """Value of one meta-feature."""
        return self.to_dict()[name]

    def to_dict(self) -> dict[str, float]:
        """Name to value, in order."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    def to_frame(self) -> pd.DataFrame:
        """One row per meta-feature: name, group, value, source, seconds."""
        fields = ("name", "group", "value", "source", "seconds")
        columns = (self.names, self.groups, self.values, self.sources, self.seconds)
        return pd.DataFrame(dict(zip(fields, columns, strict=True)))


def meta_feature_names(task: str) -> tuple[str, ...]:
    """Names that :func:`compute_meta_features` returns for one kind of task.

    Parameters
    ----------
    task : {"classification", "regression"}
        Kind of task.

    Returns
    -------
    tuple of str
        Names, in order.
    """
    if task not in BOTH:
        raise ValueError(f"task must be one of {BOTH}, got {task!r}")
    return tuple(name for record in _applicable(task) for name in record.outputs)


def _applicable(task: str) -> list[MetaFeature]:
    """Meta-features of a task, by group."""
    records = [record for record in REGISTRY.values() if task in record.tasks]
    return sorted(records, key=lambda record: GROUPS.index(record.group))


def compute_meta_features(
    X, y, task="auto", *, random_state=0, table=None, target=None
):
    """Measure a table and its target.

    Parameters
    ----------
    X : {DataFrame, ndarray, sparse matrix or array} of shape (n_samples, n_features)
        Features of any kind; missing values and infinities are allowed.
    y : array-like of shape (n_samples,)
        Target without missing values.
    task : {"auto", "classification", "regression"}, default="auto"
        Kind of task; "auto" decides from `y`.
    random_state : int, RandomState instance or None, default=0
        Draws the rows and columns of a large table, and the landmarkers' folds.
    table : Table, default=None
        Description of `X`, if at hand.
    target : Target, default=None
        Description of `y`, if at hand; it then decides the task.

    Returns
    -------
    MetaFeatures
        The values by name, with their groups, sources and seconds; ``to_frame()`` is
        a table of them, ``to_dict()`` the values alone.

    Raises
    ------
    ValueError
        If X has no cells, or not as many rows as y.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_meta import compute_meta_features
    >>> compute_meta_features(*load_iris(return_X_y=True))["nr_inst"]
    150.0
    """
    X, y = as_table(X), np.asarray(y).ravel()
    if X.shape[0] != len(y) or 0 in X.shape:
        raise ValueError(
            f"X needs at least one column and as many rows as y, at least one; "
            f"got X of shape {X.shape} and y of length {len(y)}"
        )
    rng = check_random_state(random_state)
    # Degenerate columns are expected: they end as NaN, not as warnings.
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        table = describe_table(X) if table is None else table
        target = describe_target(y, task) if target is None else target
        sample = draw_sample(X, y, table, target, rng)
        rows = [
            (name, record.group, record.source, value, seconds)
            for record in _applicable(target.task)
            for name, value, seconds in _evaluate(record, sample)
        ]
    names, groups, sources, values, seconds = zip(*rows, strict=True)
    return MetaFeatures(
        target.task, names, np.array(values), groups, sources, np.array(seconds)
    )


_SUMMARIES: dict[str, Callable[[np.ndarray], float]] = {
    "mean": np.mean,
    "sd": lambda values: np.std(values, ddof=1),
    "median": np.median,
    "min": np.min,
    "max": np.max,
}


def _evaluate(record: MetaFeature, sample: Sample) -> list[tuple[str, float, float]]:
    """Name, value and seconds of each output; NaN where numerics fail."""
    start = time.perf_counter()
    try:
        result = np.asarray(record.function(sample), dtype=float)
        result = result[np.isfinite(result)]
        values = [float(_SUMMARIES[s](result)) for s in record.summaries or ("mean",)]
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        logger.debug("meta-feature %s is not available: %s", record.name, error)
        values = [np.nan] * len(record.outputs)
    seconds = (time.perf_counter() - start) / len(values)
    return [(n, v, seconds) for n, v in zip(record.outputs, values, strict=True)]
