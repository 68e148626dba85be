"""The meta-features themselves: what is measured, and by whom it was proposed.

A function that returns one value per column is registered with the summaries to keep,
which become part of the name ("skewness.mean").
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from ._kinds import CATEGORIES, DATETIME, HIGH_CARDINALITY, QUANTITIES, SYMBOLIC, TEXT
from ._registry import (
    BRAZDIL,
    CASTIELLO,
    FEURER,
    KALOUSIS,
    LANDMARKING,
    LINDNER,
    OURS,
    RELATIVE,
    RIVOLLI,
    SALAMA,
    SMITH,
    SOARES,
    STATLOG,
    meta_feature,
    register_rows,
)
from ._sample import CLASSIFICATION, REGRESSION, Sample, entropy, standardise


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
register_rows(
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
register_rows(
    "simple",
    ("nr_class", STATLOG, "", lambda s: s.target.n_classes),
    ("freq_class", RIVOLLI, "max min", lambda s: s.target.counts / s.target.n_rows),
    ("minority_count", OURS, "", lambda s: s.target.counts.min()),
    ("class_balance", CASTIELLO, "", lambda s: (
        entropy(s.target.counts / s.target.n_rows) / np.log2(s.target.n_classes))),
    tasks=(CLASSIFICATION,),
)
register_rows(
    "simple",
    ("share_distinct_target", OURS, "", lambda s: len(np.unique(s.y)) / len(s.y)),
    ("dummy_error", OURS, "", lambda s: (
        np.mean(np.abs(s.y - np.median(s.y))) / s.y.std())),
    tasks=(REGRESSION,),
)
register_rows(
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
register_rows(
    "statistical",
    ("target_skewness", SOARES, "", lambda s: _skewness(s.y)),
    ("target_kurtosis", SOARES, "", lambda s: _kurtosis(s.y)),
    ("target_outliers", SOARES, "", lambda s: np.mean(_outliers(s.y))),
    tasks=(REGRESSION,),
)
register_rows(
    "information",
    ("class_ent", STATLOG, "", lambda s: entropy(s.target.counts / s.target.n_rows)),
    tasks=(CLASSIFICATION,),
)
register_rows(
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
register_rows(
    "landmarker",
    *(_gain(name) for name in ("stump", "random_node", "tree", "linear", "one_nn")),
    _gain("five_nn", RELATIVE),
    _difference("tree", "linear"),
    _difference("tree", "stump"),
    _difference("one_nn", "linear"),
    _difference("tree", "half_tree"),
    cost="landmarker",
)
register_rows(
    "landmarker", _gain("naive_bayes"), tasks=(CLASSIFICATION,), cost="landmarker"
)
