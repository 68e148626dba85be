"""Meta-features: a table as one named vector.

Counts are exact, read from :class:`Table` and :class:`Target`. Everything else
is measured on a :class:`Sample` of bounded size, so that the cost does not grow
with the table. A function that returns one value per column is registered with
the summaries to keep, which become part of the name ("skewness.mean").

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
from scipy import stats
from sklearn.utils import check_random_state

from ._columns import (
    CATEGORIES,
    DATETIME,
    HIGH_CARDINALITY,
    QUANTITIES,
    SYMBOLIC,
    TEXT,
)
from ._log import logger
from ._sample import (
    CLASSIFICATION,
    REGRESSION,
    Sample,
    draw_sample,
    entropy,
    standardise,
)
from ._table import as_table, describe_table, describe_target

_BOTH = (CLASSIFICATION, REGRESSION)
_GROUPS = ("simple", "statistical", "information", "landmarker")

BRAZDIL = "Brazdil et al. 2003"
CASTIELLO = "Castiello et al. 2005"
FEURER = "Feurer et al. 2015"
KALOUSIS = "Kalousis & Theoharis 1999"
LANDMARKING = "Pfahringer et al. 2000"
LINDNER = "Lindner & Studer 1999"
RELATIVE = "Fürnkranz & Petrak 2001"
RIVOLLI = "Rivolli et al. 2022"
SALAMA = "Salama et al. 2013"
SOARES = "Soares et al. 2004"
SMITH = "Ali & Smith 2006"
STATLOG = "Michie et al. 1994"
OURS = "sk_meta"


@dataclass(frozen=True)
class MetaFeature:
    """One registered meta-feature; `cost` is "cheap" or "landmarker"."""

    name: str
    group: str
    source: str
    cost: str
    function: Callable[[Sample], float | np.ndarray]
    tasks: tuple[str, ...]
    summaries: tuple[str, ...]

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the values that it contributes."""
        return tuple(f"{self.name}.{s}" for s in self.summaries) or (self.name,)


REGISTRY: dict[str, MetaFeature] = {}


def meta_feature(
    group: str,
    source: str,
    summaries: str = "",
    *,
    name: str = "",
    tasks: tuple[str, ...] = _BOTH,
    cost: str = "cheap",
) -> Callable:
    """Register a function of the sample under its own name or the given one."""

    def register(function: Callable) -> Callable:
        key = name or function.__name__
        if key in REGISTRY:
            raise ValueError(f"meta-feature {key!r} is registered twice")
        REGISTRY[key] = MetaFeature(
            key, group, source, cost, function, tasks, tuple(summaries.split())
        )
        return function

    return register


def _register(group: str, *rows: tuple[str, str, str, Callable], **common) -> None:
    """Register rows of name, source, summaries and function."""
    for name, source, summaries, function in rows:
        meta_feature(group, source, summaries, name=name, **common)(function)


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
    if task not in _BOTH:
        raise ValueError(f"task must be one of {_BOTH}, got {task!r}")
    return tuple(name for record in _applicable(task) for name in record.outputs)


def _applicable(task: str) -> list[MetaFeature]:
    """Meta-features of a task, by group."""
    records = [record for record in REGISTRY.values() if task in record.tasks]
    return sorted(records, key=lambda record: _GROUPS.index(record.group))


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


def _skewness(values: np.ndarray) -> np.ndarray:
    """Third moment of each column over the cube of the unbiased deviation."""
    return stats.skew(values, axis=0) * (1 - 1 / len(values)) ** 1.5


def _kurtosis(values: np.ndarray) -> np.ndarray:
    """Excess kurtosis of each column, with the unbiased deviation."""
    return (stats.kurtosis(values, axis=0) + 3) * (1 - 1 / len(values)) ** 2 - 3


def _outliers(values: np.ndarray) -> np.ndarray:
    """Which values are over 1.5 interquartile ranges outside the quartiles."""
    low, high = np.quantile(values, (0.25, 0.75), axis=0)
    return np.abs(values - (low + high) / 2) > 2 * (high - low)


@meta_feature("statistical", SALAMA, "mean")
def sparsity(sample: Sample) -> np.ndarray:
    """Repetition of values in each numeric column: 0 none, 1 constant."""
    n = len(sample.numeric)
    distinct = np.array([len(np.unique(column)) for column in sample.numeric.T])
    return (n / distinct - 1) / (n - 1)


@meta_feature("statistical", STATLOG, "mean sd max")
def cor(sample: Sample) -> np.ndarray:
    """Absolute correlation of each pair of encoded columns."""
    below = np.tril_indices(len(sample.correlations), k=-1)
    return np.abs(sample.correlations[below])


@meta_feature("statistical", FEURER)
def pca_95(sample: Sample) -> float:
    """Share of principal components that hold 95 % of the variance."""
    held = np.cumsum(sample.components[0]) / np.sum(sample.components[0])
    return float(np.mean(np.concatenate([[0.0], held[:-1]]) < 0.95))


@meta_feature("statistical", STATLOG, "mean max")
def can_cor(sample: Sample) -> np.ndarray:
    """Canonical correlations of the encoded columns with the target."""
    variances, axes = sample.components
    keep = variances > 1e-10 * variances.max(initial=0)
    scores = sample.encoded @ axes[:, keep] / np.sqrt(variances[keep] * len(sample.y))
    rho = np.linalg.svd(sample.memberships @ scores, compute_uv=False)
    # The constant is in the span of the classes, and uncorrelated.
    constant = sample.target.task == CLASSIFICATION
    return np.minimum(rho[: sample.memberships.shape[0] - constant], 1)


@meta_feature("statistical", SMITH, tasks=(CLASSIFICATION,))
def gravity(sample: Sample) -> float:
    """Distance between the means of the largest and the smallest class."""
    counts = np.asarray(sample.target.counts, dtype=float)
    largest = counts.argmax()
    counts[largest] = np.inf
    pair = (largest, counts.argmin())
    means = [sample.encoded[sample.y == c].mean(axis=0) for c in pair]
    return float(np.linalg.norm(means[0] - means[1]))


@meta_feature("information", KALOUSIS, "mean")
def class_conc(sample: Sample) -> np.ndarray:
    """Goodman and Kruskal's tau of each discretised column given the target."""
    guess = np.array([np.sum(p.sum(axis=1) ** 2) for p in sample.contingencies])
    known = np.array([np.sum(p**2 / p.sum(axis=0)) for p in sample.contingencies])
    return (known - guess) / (1 - guess)


def _learner(name: str, n_classes: int, seed: int):
    """An unfitted learner; a classifier weighs its classes equally."""
    # Imported here so that importing the package stays cheap.
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import Ridge
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    priors = np.full(n_classes, 1 / max(n_classes, 1))
    if name == "linear":
        return LinearDiscriminantAnalysis(priors=priors) if n_classes else Ridge()
    if name == "naive_bayes":
        return GaussianNB(priors=priors)
    if name in ("one_nn", "five_nn"):
        neighbours = KNeighborsClassifier if n_classes else KNeighborsRegressor
        return neighbours(1 if name == "one_nn" else 5)
    depth = 5 if "tree" in name else 1
    drawn = {"splitter": "random", "max_features": 1} if name == "random_node" else {}
    if n_classes:
        return DecisionTreeClassifier(
            max_depth=depth, class_weight="balanced", random_state=seed, **drawn
        )
    return DecisionTreeRegressor(max_depth=depth, random_state=seed, **drawn)


def _score(sample: Sample, name: str) -> float:
    """Cross-validated gain over the dummy, 1 being perfect.

    Balanced accuracy rescaled so that chance is 0, or R² but at least -1.
    """
    if name not in sample.scores:
        Z, y, folds = sample.landmark
        classification = sample.target.task == CLASSIFICATION
        guess = np.empty_like(y)
        for fold in range(folds.max() + 1):
            train = np.flatnonzero(folds != fold)[:: 2 if name == "half_tree" else 1]
            n_classes = len(np.unique(y[train])) if classification else 0
            learner = _learner(name, n_classes, sample.seed)
            try:
                learner.fit(Z[train], y[train])
            except IndexError as error:
                # What LinearDiscriminantAnalysis raises where no column varies.
                raise ValueError("degenerate training part") from error
            guess[folds == fold] = learner.predict(Z[folds == fold])
        if classification:
            recall = np.array([np.mean(guess[y == c] == c) for c in np.unique(y)])
            score = (recall.mean() - 1 / len(recall)) / (1 - 1 / len(recall))
        else:
            score = max(-1.0, 1 - np.mean((y - guess) ** 2) / np.var(y))
        sample.scores[name] = float(score)
    return sample.scores[name]


def _share_of(name: str, *kinds: str) -> tuple[str, str, str, Callable]:
    """Row of the table below for the share of columns of some kinds."""
    return (
        f"share_{name}",
        BRAZDIL,
        "",
        lambda s: len(s.table.select(*kinds)) / s.table.n_columns,
    )


def _gain(name: str, source: str = LANDMARKING) -> tuple[str, str, str, Callable]:
    """Row of the table below for the score of one learner."""
    return f"{name}_score", source, "", lambda s: _score(s, name)


def _difference(first: str, second: str) -> tuple[str, str, str, Callable]:
    """Row of the table below for the difference between two learners."""
    return (
        f"{first}_minus_{second}",
        RELATIVE,
        "",
        lambda s: _score(s, first) - _score(s, second),
    )


# The rest is one expression each: name, source, summaries, function.
_register(
    "simple",
    ("nr_inst", STATLOG, "", lambda s: s.table.n_rows),
    ("nr_attr", STATLOG, "", lambda s: s.table.n_columns),
    ("nr_encoded", OURS, "", lambda s: s.table.n_encoded),
    ("inst_to_attr", RIVOLLI, "", lambda s: s.table.n_rows / s.table.n_columns),
    ("attr_to_inst", RIVOLLI, "", lambda s: s.table.n_columns / s.table.n_rows),
    _share_of("numeric", *QUANTITIES),
    _share_of("categorical", *CATEGORIES),
    _share_of("high_cardinality", HIGH_CARDINALITY),
    _share_of("text", TEXT),
    _share_of("datetime", DATETIME),
    ("share_missing", BRAZDIL, "", lambda s: s.table.missing),
    ("share_columns_missing", FEURER, "", lambda s: np.mean(
        [column.missing > 0 for column in s.table.columns])),
    ("share_rows_missing", FEURER, "", lambda s: np.mean(
        np.asarray(pd.isna(s.block)).any(axis=1))),
    ("cardinality", FEURER, "mean max", lambda s: [
        column.n_unique for column in s.table.columns if column.kind in SYMBOLIC]),
    ("share_zeros", OURS, "", lambda s: (
        1 - s.table.density if s.table.container == "sparse"
        else np.mean(s.numbers == 0))),
    ("share_binary", OURS, "", lambda s: np.mean(
        [len(np.unique(v)) == 2 for v in [*s.numeric.T, *s.symbols]])),
)
_register(
    "simple",
    ("nr_class", STATLOG, "", lambda s: s.target.n_classes),
    ("freq_class", RIVOLLI, "max min", lambda s: s.target.counts / s.target.n_rows),
    ("minority_count", OURS, "", lambda s: s.target.counts.min()),
    ("class_balance", CASTIELLO, "", lambda s: (
        entropy(s.target.counts / s.target.n_rows) / np.log2(s.target.n_classes))),
    tasks=(CLASSIFICATION,),
)
_register(
    "simple",
    ("share_distinct_target", OURS, "", lambda s: len(np.unique(s.y)) / len(s.y)),
    ("dummy_error", OURS, "", lambda s: (
        np.mean(np.abs(s.y - np.median(s.y))) / s.y.std())),
    tasks=(REGRESSION,),
)
_register(
    "statistical",
    ("skewness", STATLOG, "mean sd", lambda s: _skewness(s.numeric)),
    ("abs_skewness", OURS, "mean max", lambda s: np.abs(_skewness(s.numeric))),
    ("kurtosis", STATLOG, "mean sd", lambda s: _kurtosis(s.numeric)),
    ("share_outliers", BRAZDIL, "", lambda s: np.mean(_outliers(s.numeric))),
    ("iq_range", RIVOLLI, "mean", lambda s: stats.iqr(
        standardise(s.numeric), axis=0)),
    ("scale_spread", OURS, "", lambda s: np.std(np.log10(s.numeric.std(axis=0)))),
    ("nr_cor_attr", SALAMA, "", lambda s: np.mean(cor(s) >= 0.5)),
    ("pca_first", STATLOG, "", lambda s: s.components[0][:1] / s.components[0].sum()),
    ("target_cor", SOARES, "mean median max", lambda s: (
        np.linalg.norm(s.memberships @ s.encoded, axis=0) / np.sqrt(len(s.y)))),
    ("w_lambda", LINDNER, "", lambda s: np.prod(1 - can_cor(s) ** 2)),
)
_register(
    "statistical",
    ("target_skewness", SOARES, "", lambda s: _skewness(s.y)),
    ("target_kurtosis", SOARES, "", lambda s: _kurtosis(s.y)),
    ("target_outliers", SOARES, "", lambda s: np.mean(_outliers(s.y))),
    tasks=(REGRESSION,),
)
_register(
    "information",
    ("class_ent", STATLOG, "", lambda s: entropy(s.target.counts / s.target.n_rows)),
    tasks=(CLASSIFICATION,),
)
_register(
    "information",
    ("attr_ent", STATLOG, "mean sd", lambda s: s.information[0]),
    ("joint_ent", STATLOG, "mean", lambda s: (
        s.information[0] + s.information[2] - s.information[1])),
    ("mut_inf", STATLOG, "mean sd max", lambda s: s.information[1]),
    ("eq_num_attr", STATLOG, "", lambda s: s.information[2] / s.information[1].mean()),
    ("ns_ratio", STATLOG, "", lambda s: (
        s.information[0].sum() / s.information[1].sum() - 1)),
    ("uncertainty_max", CASTIELLO, "", lambda s: (
        s.information[1].max() / s.information[2])),
)
_register(
    "landmarker",
    *(_gain(name) for name in ("stump", "random_node", "tree", "linear", "one_nn")),
    _gain("five_nn", RELATIVE),
    _difference("tree", "linear"),
    _difference("tree", "stump"),
    _difference("one_nn", "linear"),
    _difference("tree", "half_tree"),
    cost="landmarker",
)
_register(
    "landmarker", _gain("naive_bayes"), tasks=(CLASSIFICATION,), cost="landmarker"
)
