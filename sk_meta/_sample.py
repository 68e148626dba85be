"""A bounded part of a table, with the views that meta-features share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import entr

from ._columns import LOW_CARDINALITY, Column, as_floats
from ._kinds import LEFT_OUT, SYMBOLIC
from ._table import Table, Target

MAX_ROWS, MAX_COLUMNS = 2000, 100
LANDMARK_ROWS, LANDMARK_COLUMNS = 500, 50
N_FOLDS = 3
# One-hot indicators per categorical column; rows kept of a rare class.
_MAX_LEVELS = 10
_MIN_MEMBERS = 10

CLASSIFICATION, REGRESSION = "classification", "regression"


def draw_sample(
    X, y: np.ndarray, table: Table, target: Target, rng: np.random.RandomState
) -> Sample:
    """At most MAX_ROWS rows, drawn by class, and MAX_COLUMNS columns, dense."""
    strata = np.zeros(len(y), dtype=int)
    if target.task == CLASSIFICATION and len(y) > MAX_ROWS:
        strata = pd.factorize(y)[0]
    rows = _draw_rows(strata, MAX_ROWS, rng)
    varying = [i for i, c in enumerate(table.columns) if c.kind not in LEFT_OUT]
    positions = _draw(np.array(varying), MAX_COLUMNS, rng)
    if isinstance(X, pd.DataFrame):
        block = X.iloc[:, positions].iloc[rows]
    else:
        block = X[rows][:, positions]
        block = block.toarray() if sparse.issparse(block) else block
    y = y[rows]
    if target.classes is not None:
        y = np.asarray(np.searchsorted(target.classes, y))
    else:
        y = y.astype(float)
    columns = tuple(table.columns[i] for i in positions)
    return Sample(table, target, block, columns, y, rng.randint(2**31 - 1))


def _draw(items: np.ndarray, size: int, rng: np.random.RandomState) -> np.ndarray:
    """At most `size` of the items, in their order."""
    if len(items) <= size:
        return items
    return np.sort(rng.choice(items, size, replace=False))


def _draw_rows(strata: np.ndarray, size: int, rng: np.random.RandomState) -> np.ndarray:
    """At most `size` positions, in proportion to the strata but for rare ones."""
    if len(strata) <= size:
        return np.arange(len(strata))
    _, strata, counts = np.unique(strata, return_inverse=True, return_counts=True)
    floor = np.minimum(counts, min(_MIN_MEMBERS, size // (2 * len(counts))))
    quota = floor + (size - floor.sum()) * (counts - floor) // len(strata)
    order = rng.permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    rank = np.arange(len(strata)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(order[rank < np.repeat(quota, counts)])


@dataclass(frozen=True, eq=False)
class Sample:
    """A bounded part of a table, with the views that meta-features share.

    `block` holds the sampled cells, `columns` their descriptions, `y` the class
    numbers or quantities of the sampled rows.
    """

    table: Table
    target: Target
    block: pd.DataFrame | np.ndarray
    columns: tuple[Column, ...]
    y: np.ndarray
    seed: int

    @cached_property
    def numbers(self) -> np.ndarray:
        """Quantities and dates as floats, NaN where missing or infinite."""
        values = self.block
        if isinstance(values, pd.DataFrame):
            series = [
                as_floats(values.iloc[:, i], column)
                for i, column in enumerate(self.columns)
                if column.kind not in SYMBOLIC
            ]
            values = np.column_stack([np.empty((len(self.y), 0)), *series])
        return np.where(np.isfinite(values), values, np.nan)

    @cached_property
    def numeric(self) -> np.ndarray:
        """The columns of `numbers` that vary, imputed by the median."""
        values, missing = self.numbers, np.isnan(self.numbers)
        if missing.any():
            values = np.where(missing, np.nanmedian(values, axis=0), values)
        return values[:, values.max(axis=0) > values.min(axis=0)]

    @cached_property
    def symbols(self) -> list[np.ndarray]:
        """Level numbers of each of the other columns."""
        if not isinstance(self.block, pd.DataFrame):
            return []
        return [
            _levels(self.block.iloc[:, i])
            for i, column in enumerate(self.columns)
            if column.kind in SYMBOLIC
        ]

    @cached_property
    def encoded(self) -> np.ndarray:
        """Numeric and one-hot columns, standardised, at most MAX_COLUMNS."""
        parts = [_indicators(levels) for levels in self.symbols]
        values = standardise(np.column_stack([self.numeric, *parts]))
        rng = np.random.RandomState(self.seed)
        return values[:, _draw(np.arange(values.shape[1]), MAX_COLUMNS, rng)]

    @cached_property
    def classes(self) -> np.ndarray:
        """Class of each row, numbered without gaps; bins of a quantity."""
        bins = self.target.task == REGRESSION
        classes = _discretise(self.y[:, None])[0] if bins else self.y
        return np.unique(classes, return_inverse=True)[1]

    @cached_property
    def memberships(self) -> sparse.csr_array | np.ndarray:
        """Orthonormal rows that span the target: classes, or the quantity."""
        n = len(self.y)
        if self.target.task == REGRESSION:
            return standardise(self.y[:, None]).T / np.sqrt(n)
        size = np.bincount(self.classes)[self.classes]
        return sparse.csr_array((1 / np.sqrt(size), (self.classes, np.arange(n))))

    @cached_property
    def correlations(self) -> np.ndarray:
        """Correlation matrix of the encoded columns."""
        return self.encoded.T @ self.encoded / len(self.y)

    @cached_property
    def components(self) -> tuple[np.ndarray, np.ndarray]:
        """Variances on the principal components, descending, and their axes."""
        variances, axes = np.linalg.eigh(self.correlations)
        return np.maximum(variances[::-1], 0), axes[:, ::-1]

    @cached_property
    def contingencies(self) -> list[np.ndarray]:
        """Joint distribution of each discretised column and the classes."""
        width = self.classes.max() + 1
        tables = []
        for levels in _discretise(self.numeric) + self.symbols:
            cells = levels * width + self.classes
            counts = np.bincount(cells, minlength=(levels.max() + 1) * width)
            table = counts.reshape(-1, width) / len(cells)
            tables.append(table[table.any(axis=1)])
        return tables

    @cached_property
    def information(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Entropy of each column, its information on the target, target's entropy."""
        target = entropy(np.bincount(self.classes) / len(self.classes))
        column = np.array([entropy(p.sum(axis=1)) for p in self.contingencies])
        joint = np.array([entropy(p) for p in self.contingencies])
        return column, column + target - joint, target

    @cached_property
    def landmark(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A small part of the encoded columns, its target, and its folds."""
        rng = np.random.RandomState(self.seed)
        rows = _draw_rows(self.classes, LANDMARK_ROWS, rng)
        columns = _draw(np.arange(self.encoded.shape[1]), LANDMARK_COLUMNS, rng)
        order = rng.permutation(len(rows))
        order = order[np.argsort(self.classes[rows][order], kind="stable")]
        folds = np.empty(len(rows), dtype=int)
        folds[order] = np.arange(len(rows)) % N_FOLDS
        return self.encoded[rows][:, columns], self.y[rows], folds

    @cached_property
    def scores(self) -> dict[str, float]:
        """Scores of the landmarkers that were asked for."""
        return {}


def _levels(series: pd.Series) -> np.ndarray:
    """Levels numbered by frequency, missing being one, rare ones lumped together."""
    codes, _ = pd.factorize(series.astype(str), sort=True, use_na_sentinel=False)
    by_frequency = np.argsort(-np.bincount(codes), kind="stable")
    return np.minimum(np.argsort(by_frequency)[codes], LOW_CARDINALITY)


def _indicators(levels: np.ndarray) -> np.ndarray:
    """Indicators of the most frequent levels; one suffices for two levels."""
    first = 1 if levels.max() == 1 else 0
    return (levels[:, None] == np.arange(first, _MAX_LEVELS)).astype(float)


def standardise(values: np.ndarray) -> np.ndarray:
    """Columns that vary, with mean 0 and standard deviation 1."""
    values = values[:, values.max(axis=0) > values.min(axis=0)]
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    return scaled[:, np.isfinite(scaled).all(axis=0)]


def _discretise(values: np.ndarray) -> list[np.ndarray]:
    """Equal-frequency bins of each column, the cube root of the rows in number."""
    n_bins = max(1, int(len(values) ** (1 / 3)))
    edges = np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:], axis=0)
    return [
        np.searchsorted(np.unique(e), v) for e, v in zip(edges.T, values.T, strict=True)
    ]


def entropy(p: np.ndarray) -> float:
    """Entropy of a distribution in bits."""
    return float(np.sum(entr(p)) / np.log(2))
