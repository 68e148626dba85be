"""Meta-features: a table as one named vector.

Counts are exact, read from :class:`Table` and :class:`Target`. Everything else
is measured on a :class:`Sample` of bounded size, so the cost does not grow with
the table. Each meta-feature is one registered function of the sample; a function
that returns one value per column names the summaries to keep ("mean", "sd"...).

Names and definitions are those of pymfe [1]_ where it has the meta-feature; on a
numeric table that is not subsampled the values agree with
``MFE().fit(X, y, rescale="standard")``.

References
----------
.. [1] Alcobaça, E. et al. (2020). "MFE: towards reproducible meta-feature
       extraction". JMLR 21(111).
.. [2] Rivolli, A. et al. (2022). "Meta-features for meta-learning".
       Knowledge-Based Systems 240.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse, stats
from scipy.spatial.distance import cdist
from scipy.special import entr

from . import _table
from ._table import Column, Table, Target, as_table, describe_table, describe_target

logger = logging.getLogger("sk_meta")

MAX_ROWS = 2000
MAX_COLUMNS = 100
LANDMARK_ROWS = 500
LANDMARK_COLUMNS = 50
N_FOLDS = 3
# One-hot indicators per categorical column, and members kept per rare class.
_MAX_LEVELS = 10
_MIN_MEMBERS = 10

CLASSIFICATION, REGRESSION = "classification", "regression"
_BOTH = (CLASSIFICATION, REGRESSION)

BRAZDIL = "Brazdil et al. 2003"
CASTIELLO = "Castiello et al. 2005"
FEURER = "Feurer et al. 2015"
FUERNKRANZ = "Fürnkranz & Petrak 2001"
KALOUSIS = "Kalousis & Theoharis 1999"
LINDNER = "Lindner & Studer 1999"
PFAHRINGER = "Pfahringer et al. 2000"
RIVOLLI = "Rivolli et al. 2022"
SALAMA = "Salama et al. 2013"
SMITH = "Ali & Smith 2006"
SOARES = "Soares et al. 2004"
STATLOG = "Michie et al. 1994"
OURS = "sk_meta"


@dataclass(frozen=True)
class MetaFeature:
    """One registered meta-feature: what it is, where it is from, how to get it."""

    name: str
    group: str
    source: str
    cost: str
    function: Callable[[Sample], float | np.ndarray]
    tasks: tuple[str, ...] = _BOTH
    summaries: tuple[str, ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the values it contributes."""
        return tuple(f"{self.name}.{s}" for s in self.summaries) or (self.name,)


REGISTRY: dict[str, MetaFeature] = {}


def meta_feature(
    group: str,
    source: str,
    cost: str = "cheap",
    tasks: tuple[str, ...] = _BOTH,
    summaries: tuple[str, ...] = (),
    name: str | None = None,
) -> Callable:
    """Register the decorated function under its own name or the given one."""

    def register(function: Callable) -> Callable:
        key = name or function.__name__
        if key in REGISTRY:
            raise ValueError(f"meta-feature {key!r} is registered twice")
        REGISTRY[key] = MetaFeature(
            key, group, source, cost, function, tasks, summaries
        )
        return function

    return register


@dataclass(frozen=True)
class MetaFeatures:
    """Meta-features of one table, always the same names for one kind of task.

    Parameters
    ----------
    task : {"classification", "regression"}
        Kind of task; it decides the names.
    names : tuple of str
        Names in order of computation.
    values : ndarray of shape (n_meta_features,)
        Values, NaN where one is not applicable or could not be computed.
    groups : tuple of str
        "simple", "statistical", "information" or "landmarker".
    sources : tuple of str
        Publication that introduced or defines each one.
    seconds : ndarray of shape (n_meta_features,)
        Wall-clock seconds; what several share is counted for the first of them.
    """

    task: str
    names: tuple[str, ...]
    values: np.ndarray
    groups: tuple[str, ...]
    sources: tuple[str, ...]
    seconds: np.ndarray

    def __getitem__(self, name: str) -> float:
        """Value of one meta-feature."""
        if name not in self.names:
            raise KeyError(
                f"no meta-feature {name!r} for {self.task}; see meta_feature_names"
            )
        return float(self.values[self.names.index(name)])

    def __len__(self) -> int:
        return len(self.names)

    def to_dict(self) -> dict[str, float]:
        """Name to value, in order."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    def to_frame(self) -> pd.DataFrame:
        """One row per meta-feature: name, group, value, source, seconds."""
        return pd.DataFrame(
            {
                "name": self.names,
                "group": self.groups,
                "value": self.values,
                "source": self.sources,
                "seconds": self.seconds,
            }
        )


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
    if task not in _BOTH:
        raise ValueError(f"task must be one of {_BOTH}, got {task!r}")
    return tuple(name for record in _records(task) for name in record.outputs)


def _records(task: str) -> list[MetaFeature]:
    """Meta-features that apply to a task."""
    return [record for record in REGISTRY.values() if task in record.tasks]


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
        Which rows and columns of a large table are sampled, and the folds of the
        landmarkers.
    table : Table, default=None
        Description of `X` if it is at hand, to save making it again.
    target : Target, default=None
        Description of `y` if it is at hand.

    Returns
    -------
    MetaFeatures
        Names, values, groups, sources and seconds.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_meta import compute_meta_features
    >>> meta_features = compute_meta_features(*load_iris(return_X_y=True))
    >>> meta_features["nr_inst"]
    150.0
    """
    from sklearn.utils import check_random_state

    X, y = as_table(X), np.asarray(y).ravel()
    if X.shape[0] != len(y) or len(y) == 0:
        raise ValueError(
            f"X and y must have the same number of rows, at least one; got "
            f"{X.shape[0]} and {len(y)}"
        )
    rng = check_random_state(random_state)
    # Degenerate columns are expected here; they end as NaN, not as warnings.
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        table = describe_table(X) if table is None else table
        target = describe_target(y, task) if target is None else target
        return _measure(draw_sample(X, y, table, target, rng))


def _measure(sample: Sample) -> MetaFeatures:
    """Evaluate every meta-feature that applies to the sample's task."""
    records = _records(sample.target.task)
    rows = [
        (name, record.group, record.source, value, seconds)
        for record in records
        for name, value, seconds in _evaluate(record, sample)
    ]
    names, groups, sources, values, seconds = zip(*rows, strict=True)
    return MetaFeatures(
        sample.target.task, names, np.array(values), groups, sources, np.array(seconds)
    )


def _evaluate(record: MetaFeature, sample: Sample) -> list[tuple[str, float, float]]:
    """Name, value and seconds of each output; NaN where numerics fail."""
    start = time.perf_counter()
    try:
        result = record.function(sample)
        if record.summaries:
            values = [_SUMMARIES[s](_finite(result)) for s in record.summaries]
        else:
            values = [float(result)]
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        logger.debug("meta-feature %s is NaN: %s", record.name, error)
        values = [np.nan] * len(record.outputs)
    values = [value if np.isfinite(value) else np.nan for value in values]
    seconds = (time.perf_counter() - start) / len(values)
    return [(n, v, seconds) for n, v in zip(record.outputs, values, strict=True)]


def _finite(values: float | np.ndarray) -> np.ndarray:
    """Finite entries; a ValueError where there is none to summarise."""
    values = np.ravel(values)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        raise ValueError("no column that it applies to")
    return values


_SUMMARIES: dict[str, Callable[[np.ndarray], float]] = {
    "mean": lambda values: float(np.mean(values)),
    "sd": lambda values: float(np.std(values, ddof=1)) if len(values) > 1 else np.nan,
    "median": lambda values: float(np.median(values)),
    "max": lambda values: float(np.max(values)),
    "min": lambda values: float(np.min(values)),
}


# The sample ----------------------------------------------------------------


def draw_sample(
    X, y: np.ndarray, table: Table, target: Target, rng: np.random.RandomState
) -> Sample:
    """Sample at most MAX_ROWS rows (by class) and MAX_COLUMNS columns, densely."""
    rows = np.arange(len(y))
    if len(y) > MAX_ROWS:
        if target.task == CLASSIFICATION:
            strata = pd.factorize(y)[0]
        else:
            strata = np.zeros(len(y), dtype=int)
        rows = _stratified(strata, MAX_ROWS, rng)
    usable = [i for i, c in enumerate(table.columns) if c.kind != _table.CONSTANT]
    usable = usable or list(range(table.n_columns))
    positions = _pick(usable, MAX_COLUMNS, rng)
    if isinstance(X, pd.DataFrame):
        # Rows of selected columns only: taking rows first copies every column.
        block = X.iloc[:, positions].iloc[rows]
    else:
        block = X[rows][:, positions]
        block = block.toarray() if sparse.issparse(block) else block
    columns = tuple(table.columns[i] for i in positions)
    return Sample(table, target, block, columns, y[rows], rng.randint(2**31 - 1))


def _pick(items, size: int, rng: np.random.RandomState) -> np.ndarray:
    """At most `size` of the items, in their order."""
    items = np.asarray(items, dtype=int)
    if len(items) <= size:
        return items
    return np.sort(rng.choice(items, size, replace=False))


def _stratified(
    strata: np.ndarray, size: int, rng: np.random.RandomState
) -> np.ndarray:
    """Positions of about `size` rows, by share of stratum, rare strata kept."""
    if len(strata) <= size:
        return np.arange(len(strata))
    counts = np.bincount(strata)
    floor = np.minimum(counts, min(_MIN_MEMBERS, size // (2 * len(counts))))
    quota = floor + (size - floor.sum()) * (counts - floor) // len(strata)
    order = rng.permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    starts = np.cumsum(counts) - counts
    rank = np.arange(len(strata)) - np.repeat(starts, counts)
    return np.sort(order[rank < np.repeat(quota, counts)])


@dataclass(frozen=True, eq=False)
class Sample:
    """A bounded part of a table, with the views that meta-features share.

    Parameters
    ----------
    table, target : Table, Target
        Descriptions of the whole table.
    block : DataFrame or ndarray of shape (n, p)
        Sampled rows and columns, dense.
    columns : tuple of Column
        Description of each column of `block`.
    y : ndarray of shape (n,)
        Target of the sampled rows.
    seed : int
        Seed of what is drawn later.
    """

    table: Table
    target: Target
    block: pd.DataFrame | np.ndarray
    columns: tuple[Column, ...]
    y: np.ndarray
    seed: int

    @cached_property
    def numbers(self) -> np.ndarray:
        """Numeric and date columns as floats, NaN where missing or infinite."""
        if isinstance(self.block, pd.DataFrame):
            kinds = (_table.NUMERIC, _table.DATETIME)
            series = [
                _as_floats(self.block.iloc[:, i], column.kind)
                for i, column in enumerate(self.columns)
                if column.kind in kinds
            ]
            values = np.column_stack(series) if series else np.empty((len(self.y), 0))
        else:
            values = self.block.astype(float)
        return np.where(np.isfinite(values), values, np.nan)

    @cached_property
    def numeric(self) -> np.ndarray:
        """Columns of `numbers` that vary, imputed by the median."""
        missing = np.isnan(self.numbers)
        values = self.numbers
        if missing.any():
            values = np.where(missing, np.nanmedian(values, axis=0), values)
        return values[:, values.max(axis=0) > values.min(axis=0)]

    @cached_property
    def symbols(self) -> list[np.ndarray]:
        """Level of each value of the other columns; level 0 is missing."""
        if not isinstance(self.block, pd.DataFrame):
            return []
        kinds = (_table.CATEGORICAL, _table.HIGH_CARDINALITY, _table.TEXT)
        return [
            _levels(self.block.iloc[:, i])
            for i, column in enumerate(self.columns)
            if column.kind in kinds
        ]

    @cached_property
    def encoded(self) -> np.ndarray:
        """Numeric and one-hot columns, standardised, at most MAX_COLUMNS."""
        parts = [self.numeric, *(_indicators(levels) for levels in self.symbols)]
        values = np.column_stack(parts)
        rng = np.random.RandomState(self.seed)
        return _standardise(
            values[:, _pick(np.arange(values.shape[1]), MAX_COLUMNS, rng)]
        )

    @cached_property
    def classes(self) -> np.ndarray:
        """Class of each row; for regression, the bin of its target."""
        if self.target.task == CLASSIFICATION:
            return np.searchsorted(self.target.classes, self.y)
        return _discretise(self.quantity[:, None])[0]

    @cached_property
    def quantity(self) -> np.ndarray:
        """Target as floats."""
        return self.y.astype(float)

    @cached_property
    def members(self) -> np.ndarray:
        """Indicators of the classes in the sample, divided to unit length."""
        present, codes = np.unique(self.classes, return_inverse=True)
        length = np.sqrt(np.bincount(codes))
        shape = (len(present), len(codes))
        return sparse.csr_array(
            (1 / length[codes], (codes, np.arange(len(codes)))), shape=shape
        )

    @cached_property
    def correlations(self) -> np.ndarray:
        """Correlation matrix of `encoded`."""
        if self.encoded.shape[1] == 0:
            raise ValueError("no column varies")
        return self.encoded.T @ self.encoded / len(self.y)

    @cached_property
    def principal(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues of the correlation matrix, descending, and eigenvectors."""
        eigenvalues, vectors = np.linalg.eigh(self.correlations)
        return np.maximum(eigenvalues[::-1], 0), vectors[:, ::-1]

    @cached_property
    def canonical(self) -> np.ndarray:
        """Canonical correlations of `encoded` with the target, descending."""
        eigenvalues, vectors = self.principal
        keep = eigenvalues > 1e-10 * eigenvalues[0]
        scores = self.encoded @ vectors[:, keep] / np.sqrt(eigenvalues[keep])
        scores /= np.sqrt(len(self.y))
        if self.target.task == REGRESSION:
            rho = np.linalg.norm(scores.T @ _unit(self.quantity))
            return np.minimum([rho], 1)
        rho = np.linalg.svd(self.members @ scores, compute_uv=False)
        return np.minimum(rho[: self.members.shape[0] - 1], 1)

    @cached_property
    def contingencies(self) -> list[np.ndarray]:
        """Joint relative frequencies of each discretised column and the target."""
        lumped = [_lump(levels, _table.LOW_CARDINALITY + 1) for levels in self.symbols]
        columns = _discretise(self.numeric) + lumped
        _, target = np.unique(self.classes, return_inverse=True)
        width = target.max() + 1
        return [
            np.bincount(levels * width + target, minlength=(levels.max() + 1) * width)
            .reshape(-1, width) / len(target)
            for levels in columns
        ]

    @cached_property
    def landmark(self) -> Landmark:
        """The part of the sample on which landmarkers are cross-validated."""
        return _draw_landmark(self)


def _as_floats(series: pd.Series, kind: str) -> np.ndarray:
    """A numeric or date column as floats; dates in seconds."""
    if kind == _table.NUMERIC:
        return series.to_numpy(dtype=float, na_value=np.nan)
    if isinstance(series.dtype, pd.PeriodDtype):
        series = series.dt.start_time
    if not pd.api.types.is_timedelta64_dtype(series):
        text = series if series.dtype.kind == "M" else series.astype(str)
        series = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)
        if series.isna().all():
            series = pd.to_datetime(text, format="mixed", errors="coerce", utc=True)
    nanoseconds = series.to_numpy().astype("int64").astype(float)
    return np.where(series.isna(), np.nan, nanoseconds / 1e9)


def _levels(series: pd.Series) -> np.ndarray:
    """Level numbers in order of the values' text, 0 where missing."""
    codes, _ = pd.factorize(series.astype(str).where(series.notna()), sort=True)
    return codes + 1


def _lump(levels: np.ndarray, size: int) -> np.ndarray:
    """The same levels, all but the `size` most frequent ones made one."""
    _, levels, counts = np.unique(levels, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), dtype=int)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.minimum(rank, size)[levels]


def _indicators(levels: np.ndarray) -> np.ndarray:
    """Indicators of the most frequent levels; none where all are the same."""
    ranks = _lump(levels, _MAX_LEVELS)
    n_levels = min(ranks.max() + 1, _MAX_LEVELS)
    first = 1 if ranks.max() < 2 else 0
    return (ranks[:, None] == np.arange(first, n_levels)).astype(float)


def _standardise(values: np.ndarray) -> np.ndarray:
    """Columns that vary, with mean 0 and standard deviation 1."""
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    return scaled[:, np.isfinite(scaled).all(axis=0)]


def _unit(values: np.ndarray) -> np.ndarray:
    """Centred values of unit length; a ValueError where they do not vary."""
    if values.min() == values.max():
        raise ValueError("the target is constant")
    centred = values - values.mean()
    return centred / np.linalg.norm(centred)


def _discretise(values: np.ndarray) -> list[np.ndarray]:
    """Each column in equal-frequency bins, as many as the cube root of the rows."""
    n_bins = max(1, int(len(values) ** (1 / 3)))
    edges = np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:], axis=0)
    return [
        np.searchsorted(np.unique(edges[:, i]), values[:, i])
        for i in range(values.shape[1])
    ]


# Landmarkers ---------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Landmark:
    """A small sample with folds that all landmarkers share.

    Parameters
    ----------
    Z : ndarray of shape (n, p)
        Standardised encoded columns.
    y : ndarray of shape (n,)
        Class codes from 0, or quantities.
    folds : ndarray of shape (n,)
        Test fold of each row.
    n_classes : int
        Number of classes in the sample, 0 for regression.
    seed : int
        Seed of the learners.
    """

    Z: np.ndarray
    y: np.ndarray
    folds: np.ndarray
    n_classes: int
    seed: int

    @cached_property
    def neighbours(self) -> np.ndarray:
        """The five nearest rows of each row among the other folds."""
        distances = cdist(self.Z, self.Z)
        distances[self.folds[:, None] == self.folds[None, :]] = np.inf
        size = min(5, len(self.y) - int(np.bincount(self.folds).max()))
        return np.argsort(distances, axis=1, kind="stable")[:, :size]

    @cached_property
    def scores(self) -> dict[str, float]:
        """Scores already computed."""
        return {}

    def score(self, learner: str) -> float:
        """Cross-validated score: 0 is the dummy, 1 is perfect."""
        if learner not in self.scores:
            if self.Z.shape[1] == 0 or self.folds.max(initial=0) == 0:
                raise ValueError("nothing to learn from")
            predictions = _LEARNERS[learner](self)
            score = _accuracy_gain if self.n_classes else _r2
            self.scores[learner] = score(self.y, predictions)
        return self.scores[learner]


def _draw_landmark(sample: Sample) -> Landmark:
    """Sub-sample rows by class and columns, and deal the rows into folds."""
    rng = np.random.RandomState(sample.seed)
    classification = sample.target.task == CLASSIFICATION
    strata = sample.classes
    rows = _stratified(strata, LANDMARK_ROWS, rng)
    columns = _pick(np.arange(sample.encoded.shape[1]), LANDMARK_COLUMNS, rng)
    order = rng.permutation(len(rows))
    order = order[np.argsort(strata[rows][order], kind="stable")]
    folds = np.empty(len(rows), dtype=int)
    folds[order] = np.arange(len(rows)) % N_FOLDS
    Z, y, n_classes = sample.encoded[rows][:, columns], sample.y[rows], 0
    if classification:
        present, y = np.unique(strata[rows], return_inverse=True)
        n_classes = len(present)
    return Landmark(Z, y if classification else y.astype(float), folds, n_classes,
                    sample.seed)


def _accuracy_gain(y: np.ndarray, predictions: np.ndarray) -> float:
    """Balanced accuracy, rescaled so that chance is 0."""
    counts = np.bincount(y)
    recall = np.bincount(y[y == predictions], minlength=len(counts)) / counts
    chance = 1 / len(counts)
    return float((recall.mean() - chance) / (1 - chance))


def _r2(y: np.ndarray, predictions: np.ndarray) -> float:
    """Coefficient of determination, not below -1."""
    error = np.mean((y - predictions) ** 2) / np.var(y)
    return float(max(-1, 1 - error))


def _per_fold(landmark: Landmark, fit_predict: Callable) -> np.ndarray:
    """Out-of-fold predictions of fit_predict(Z_train, y_train, Z_test)."""
    predictions = np.empty_like(landmark.y)
    for fold in np.unique(landmark.folds):
        test = landmark.folds == fold
        predictions[test] = fit_predict(
            landmark.Z[~test], landmark.y[~test], landmark.Z[test]
        )
    return predictions


def _tree(landmark: Landmark, depth: int, splitter: str = "best", step: int = 1):
    """Predictions of a decision tree grown on every step-th training row."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    common = {
        "max_depth": depth, "splitter": splitter, "random_state": landmark.seed
    }
    if landmark.n_classes:
        model = DecisionTreeClassifier(class_weight="balanced", **common)
    else:
        model = DecisionTreeRegressor(**common)
    return _per_fold(
        landmark, lambda Z, y, test: model.fit(Z[::step], y[::step]).predict(test)
    )


def _random_node(landmark: Landmark) -> np.ndarray:
    """Predictions of a stump on one column drawn at random."""
    column = np.random.RandomState(landmark.seed).randint(landmark.Z.shape[1])
    return _tree(replace(landmark, Z=landmark.Z[:, [column]]), 1)


def _naive_bayes(landmark: Landmark) -> np.ndarray:
    """Predictions of Gaussian naive Bayes with equal priors."""
    from sklearn.naive_bayes import GaussianNB

    def fit_predict(Z, y, test):
        n_classes = len(np.unique(y))
        model = GaussianNB(priors=np.full(n_classes, 1 / n_classes))
        return model.fit(Z, y).predict(test)

    return _per_fold(landmark, fit_predict)


def _linear(landmark: Landmark) -> np.ndarray:
    """Predictions of shrunk linear discriminants, or of ridge regression."""
    return _per_fold(landmark, _discriminant if landmark.n_classes else _ridge)


def _discriminant(Z: np.ndarray, y: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Linear discriminants with equal priors and covariance shrunk by 0.1."""
    present, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    means = np.zeros((len(present), Z.shape[1]))
    np.add.at(means, codes, Z)
    means /= counts[:, None]
    within = Z - means[codes]
    covariance = 0.9 * within.T @ within / len(y)
    covariance += 0.1 * np.eye(Z.shape[1])
    weights = np.linalg.solve(covariance, means.T)
    scores = test @ weights - 0.5 * np.sum(means.T * weights, axis=0)
    return present[scores.argmax(axis=1)]


def _ridge(Z: np.ndarray, y: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Ridge regression with unit penalty and a free intercept."""
    centre = Z.mean(axis=0)
    gram = (Z - centre).T @ (Z - centre) + np.eye(Z.shape[1])
    weights = np.linalg.solve(gram, (Z - centre).T @ (y - y.mean()))
    return y.mean() + (test - centre) @ weights


def _neighbours(landmark: Landmark, k: int) -> np.ndarray:
    """Vote or mean of the k nearest neighbours in the other folds."""
    near = landmark.y[landmark.neighbours[:, :k]]
    if not landmark.n_classes:
        return near.mean(axis=1)
    votes = np.zeros((len(near), landmark.n_classes))
    np.add.at(votes, (np.arange(len(near))[:, None], near), 1)
    return votes.argmax(axis=1)


_LEARNERS: dict[str, Callable[[Landmark], np.ndarray]] = {
    "stump": lambda landmark: _tree(landmark, 1),
    "random_node": _random_node,
    "random_tree": lambda landmark: _tree(landmark, 5, "random"),
    "tree": lambda landmark: _tree(landmark, 5),
    "half_tree": lambda landmark: _tree(landmark, 5, step=2),
    "naive_bayes": _naive_bayes,
    "linear": _linear,
    "one_nn": lambda landmark: _neighbours(landmark, 1),
    "five_nn": lambda landmark: _neighbours(landmark, 5),
}


# Simple --------------------------------------------------------------------


@meta_feature("simple", STATLOG)
def nr_inst(sample: Sample) -> float:
    """Number of rows."""
    return sample.table.n_rows


@meta_feature("simple", STATLOG)
def nr_attr(sample: Sample) -> float:
    """Number of columns."""
    return sample.table.n_columns


@meta_feature("simple", OURS)
def nr_encoded(sample: Sample) -> float:
    """Number of columns after one-hot encoding."""
    return sample.table.n_encoded


@meta_feature("simple", RIVOLLI)
def inst_to_attr(sample: Sample) -> float:
    """Rows per column."""
    return sample.table.n_rows / sample.table.n_columns


@meta_feature("simple", RIVOLLI)
def attr_to_inst(sample: Sample) -> float:
    """Columns per row."""
    return sample.table.n_columns / sample.table.n_rows


def _register_share_of_kind(kind: str, source: str) -> None:
    """Register the share of columns that are of one kind."""

    @meta_feature("simple", source, name=f"share_{kind.replace('-', '_')}")
    def share(sample: Sample) -> float:
        return len(sample.table.select(kind)) / sample.table.n_columns


_register_share_of_kind(_table.NUMERIC, BRAZDIL)
_register_share_of_kind(_table.CATEGORICAL, BRAZDIL)
for _kind in (_table.HIGH_CARDINALITY, _table.TEXT, _table.DATETIME, _table.CONSTANT):
    _register_share_of_kind(_kind, OURS)


@meta_feature("simple", OURS)
def share_binary(sample: Sample) -> float:
    """Share of sampled columns with exactly two values."""
    values = [*sample.numeric.T, *sample.symbols]
    return np.mean([len(np.unique(column)) == 2 for column in values])


@meta_feature("simple", FEURER, summaries=("mean", "max"))
def cardinality(sample: Sample) -> np.ndarray:
    """Number of values of each column that is not a number."""
    kinds = (_table.CATEGORICAL, _table.HIGH_CARDINALITY, _table.TEXT)
    return np.array([c.n_unique for c in sample.table.columns if c.kind in kinds])


@meta_feature("simple", BRAZDIL)
def share_missing(sample: Sample) -> float:
    """Share of cells that are missing."""
    return sample.table.missing


@meta_feature("simple", FEURER)
def share_columns_missing(sample: Sample) -> float:
    """Share of columns with a missing value."""
    return np.mean([column.missing > 0 for column in sample.table.columns])


@meta_feature("simple", FEURER)
def share_rows_missing(sample: Sample) -> float:
    """Share of sampled rows with a missing value."""
    return np.mean(pd.DataFrame(sample.block).isna().any(axis=1))


@meta_feature("simple", OURS)
def share_zeros(sample: Sample) -> float:
    """Share of zeros among the numeric cells."""
    if sample.table.container == "sparse":
        return 1 - sample.table.density
    return np.mean(sample.numbers == 0) if sample.numbers.size else np.nan


@meta_feature("simple", STATLOG, tasks=(CLASSIFICATION,))
def nr_class(sample: Sample) -> float:
    """Number of classes."""
    return sample.target.n_classes


@meta_feature("simple", RIVOLLI, tasks=(CLASSIFICATION,), summaries=("max", "min"))
def freq_class(sample: Sample) -> np.ndarray:
    """Share of each class: the majority's is the accuracy of the dummy."""
    return sample.target.counts / sample.target.n_rows


@meta_feature("simple", OURS, tasks=(CLASSIFICATION,))
def minority_count(sample: Sample) -> float:
    """Number of members of the smallest class."""
    return sample.target.counts.min()


@meta_feature("simple", CASTIELLO, tasks=(CLASSIFICATION,))
def class_balance(sample: Sample) -> float:
    """Class entropy divided by its maximum."""
    return class_ent(sample) / np.log2(sample.target.n_classes)


@meta_feature("simple", OURS, tasks=(REGRESSION,))
def share_distinct_target(sample: Sample) -> float:
    """Distinct values of the target per sampled row."""
    return len(np.unique(sample.quantity)) / len(sample.quantity)


@meta_feature("simple", OURS, tasks=(REGRESSION,))
def dummy_error(sample: Sample) -> float:
    """Mean absolute deviation from the median in standard deviations."""
    y = sample.quantity
    return np.mean(np.abs(y - np.median(y))) / y.std()


# Statistical ---------------------------------------------------------------


def _skewness(values: np.ndarray) -> np.ndarray:
    """Skewness of each column, the third moment over the unbiased cubed sd."""
    n = len(values)
    return stats.skew(values, axis=0) * ((n - 1) / n) ** 1.5


def _kurtosis(values: np.ndarray) -> np.ndarray:
    """Excess kurtosis of each column, with the unbiased sd."""
    n = len(values)
    return stats.kurtosis(values, axis=0, fisher=False) * ((n - 1) / n) ** 2 - 3


def _outliers(values: np.ndarray) -> np.ndarray:
    """Which values lie over 1.5 interquartile ranges outside the quartiles."""
    low, high = np.quantile(values, (0.25, 0.75), axis=0)
    margin = 1.5 * (high - low)
    return (values < low - margin) | (values > high + margin)


@meta_feature("statistical", STATLOG, summaries=("mean", "sd"))
def skewness(sample: Sample) -> np.ndarray:
    """Skewness of each numeric column."""
    return _skewness(sample.numeric)


@meta_feature("statistical", OURS, summaries=("mean", "max"))
def abs_skewness(sample: Sample) -> np.ndarray:
    """Absolute skewness of each numeric column."""
    return np.abs(_skewness(sample.numeric))


@meta_feature("statistical", STATLOG, summaries=("mean", "sd"))
def kurtosis(sample: Sample) -> np.ndarray:
    """Excess kurtosis of each numeric column."""
    return _kurtosis(sample.numeric)


@meta_feature("statistical", OURS)
def share_outliers(sample: Sample) -> float:
    """Share of numeric cells that are outliers by the quartile rule."""
    return np.mean(_outliers(sample.numeric)) if sample.numeric.size else np.nan


@meta_feature("statistical", SALAMA, summaries=("mean",))
def sparsity(sample: Sample) -> np.ndarray:
    """Repetition of values in each numeric column: 0 none, 1 constant."""
    n = len(sample.numeric)
    distinct = np.array([len(np.unique(column)) for column in sample.numeric.T])
    return (n / distinct - 1) / (n - 1)


@meta_feature("statistical", RIVOLLI, summaries=("mean",))
def iq_range(sample: Sample) -> np.ndarray:
    """Interquartile range of each standardised numeric column."""
    return stats.iqr(_standardise(sample.numeric), axis=0)


@meta_feature("statistical", OURS)
def scale_spread(sample: Sample) -> float:
    """Standard deviation of the decimal logarithm of the columns' scales."""
    return np.std(np.log10(sample.numeric.std(axis=0)))


@meta_feature("statistical", STATLOG, summaries=("mean", "sd", "max"))
def cor(sample: Sample) -> np.ndarray:
    """Absolute correlation of each pair of encoded columns."""
    below = np.tril_indices(len(sample.correlations), k=-1)
    return np.abs(sample.correlations[below])


@meta_feature("statistical", SALAMA)
def nr_cor_attr(sample: Sample) -> float:
    """Share of pairs of encoded columns with absolute correlation of 0.5 or more."""
    return np.mean(_finite(cor(sample)) >= 0.5)


@meta_feature("statistical", FEURER)
def pca_95(sample: Sample) -> float:
    """Share of principal components that hold 95 % of the variance."""
    eigenvalues, _ = sample.principal
    share = np.cumsum(eigenvalues) / eigenvalues.sum()
    return (np.sum(share < 0.95) + 1) / len(eigenvalues)


@meta_feature("statistical", STATLOG)
def pca_first(sample: Sample) -> float:
    """Share of the variance on the first principal component."""
    eigenvalues, _ = sample.principal
    return eigenvalues[0] / eigenvalues.sum()


@meta_feature("statistical", FEURER)
def pca_skewness(sample: Sample) -> float:
    """Absolute skewness along the first principal component."""
    _, vectors = sample.principal
    return np.abs(_skewness(sample.encoded @ vectors[:, 0]))


@meta_feature("statistical", SOARES, summaries=("mean", "median", "max"))
def target_cor(sample: Sample) -> np.ndarray:
    """Absolute correlation, or correlation ratio, of each column with the target."""
    unit = sample.encoded / np.sqrt(len(sample.encoded))
    if sample.target.task == REGRESSION:
        return np.abs(unit.T @ _unit(sample.quantity))
    return np.linalg.norm(sample.members @ unit, axis=0)


@meta_feature("statistical", STATLOG, summaries=("mean", "max"))
def can_cor(sample: Sample) -> np.ndarray:
    """Canonical correlations of the encoded columns with the target."""
    return sample.canonical


@meta_feature("statistical", LINDNER, tasks=(CLASSIFICATION,))
def w_lambda(sample: Sample) -> float:
    """Wilks' lambda: variance within classes that no discriminant explains."""
    return np.prod(1 - _finite(sample.canonical) ** 2)


@meta_feature("statistical", SMITH, tasks=(CLASSIFICATION,))
def gravity(sample: Sample) -> float:
    """Distance between the means of the largest and the smallest class."""
    counts = sample.target.counts.astype(float)
    largest = counts.argmax()
    counts[largest] = np.inf
    smallest = counts.argmin()
    means = [
        sample.encoded[sample.classes == c].mean(axis=0) for c in (largest, smallest)
    ]
    return np.linalg.norm(means[0] - means[1]) if largest != smallest else np.nan


@meta_feature("statistical", SOARES, tasks=(REGRESSION,))
def target_skewness(sample: Sample) -> float:
    """Skewness of the target."""
    return _skewness(sample.quantity)


@meta_feature("statistical", SOARES, tasks=(REGRESSION,))
def target_kurtosis(sample: Sample) -> float:
    """Excess kurtosis of the target."""
    return _kurtosis(sample.quantity)


@meta_feature("statistical", SOARES, tasks=(REGRESSION,))
def target_outliers(sample: Sample) -> float:
    """Share of target values that are outliers by the quartile rule."""
    return np.mean(_outliers(sample.quantity))


# Information-theoretic, in bits; a quantity is discretised like the columns ---


def _entropy(p: np.ndarray) -> float:
    """Entropy of a distribution in bits."""
    return float(entr(p).sum() / np.log(2))


@meta_feature("information", STATLOG, tasks=(CLASSIFICATION,))
def class_ent(sample: Sample) -> float:
    """Entropy of the classes."""
    return _entropy(sample.target.counts / sample.target.n_rows)


@meta_feature("information", STATLOG, summaries=("mean", "sd"))
def attr_ent(sample: Sample) -> np.ndarray:
    """Entropy of each discretised column."""
    return np.array([_entropy(p.sum(axis=1)) for p in sample.contingencies])


@meta_feature("information", STATLOG, summaries=("mean",))
def joint_ent(sample: Sample) -> np.ndarray:
    """Joint entropy of each discretised column and the target."""
    return np.array([_entropy(p) for p in sample.contingencies])


@meta_feature("information", STATLOG, summaries=("mean", "sd", "max"))
def mut_inf(sample: Sample) -> np.ndarray:
    """Mutual information of each discretised column and the target."""
    target = np.array([_entropy(p.sum(axis=0)) for p in sample.contingencies])
    return attr_ent(sample) + target - joint_ent(sample)


@meta_feature("information", STATLOG)
def eq_num_attr(sample: Sample) -> float:
    """Columns of average information that would determine the target."""
    target = _entropy(sample.contingencies[0].sum(axis=0))
    return target / mut_inf(sample).mean()


@meta_feature("information", STATLOG)
def ns_ratio(sample: Sample) -> float:
    """Information in the columns that is not about the target, over what is."""
    information = mut_inf(sample).sum()
    return (attr_ent(sample).sum() - information) / information


@meta_feature("information", CASTIELLO)
def uncertainty_max(sample: Sample) -> float:
    """Largest share of the target's entropy that one column removes."""
    target = _entropy(sample.contingencies[0].sum(axis=0))
    return mut_inf(sample).max() / target


@meta_feature("information", KALOUSIS, summaries=("mean", "sd"))
def class_conc(sample: Sample) -> np.ndarray:
    """Goodman and Kruskal's tau of each discretised column given the target."""

    def tau(p: np.ndarray) -> float:
        guess = np.sum(p.sum(axis=1) ** 2)
        return (np.sum(p**2 / p.sum(axis=0)) - guess) / (1 - guess)

    return np.array([tau(p) for p in sample.contingencies])


# Landmarkers ---------------------------------------------------------------


def _register_score(learner: str, source: str, tasks: tuple[str, ...] = _BOTH) -> None:
    """Register the score of one landmarker."""

    @meta_feature("landmarker", source, "landmarker", tasks, name=f"{learner}_score")
    def score(sample: Sample) -> float:
        return sample.landmark.score(learner)


def _register_difference(name: str, first: str, second: str, source: str) -> None:
    """Register the difference between two landmarkers."""

    @meta_feature("landmarker", source, "landmarker", name=name)
    def difference(sample: Sample) -> float:
        return sample.landmark.score(first) - sample.landmark.score(second)


for _learner in ("stump", "random_node", "random_tree", "tree", "linear", "one_nn"):
    _register_score(_learner, PFAHRINGER)
_register_score("five_nn", FUERNKRANZ)
_register_score("naive_bayes", PFAHRINGER, (CLASSIFICATION,))
_register_difference("tree_minus_linear", "tree", "linear", FUERNKRANZ)
_register_difference("one_nn_minus_linear", "one_nn", "linear", FUERNKRANZ)
_register_difference("stump_minus_tree", "stump", "tree", FUERNKRANZ)
_register_difference("learning_gain", "tree", "half_tree", FUERNKRANZ)
