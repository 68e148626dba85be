"""Templates: a family of configurations with the ranges of its hyperparameters.

A template and values for its hyperparameters make a configuration. The
portfolio (``portfolio.json``) lists the ones that were chosen among several
hundred drawn at random; ``benchmarks/choose_portfolio.py`` draws and chooses.

The ranges follow van Rijn and Hutter (2018, "Hyperparameter importance across
datasets") for support vectors, forests and AdaBoost; Probst, Boulesteix and
Bischl (2019, "Tunability") for nearest neighbours and regularised linear models;
auto-sklearn (Feurer et al. 2015) for discriminant analysis, naive Bayes and
Nyström features; Grinsztajn, Oyallon and Varoquaux (2022, "Why do tree-based
models still outperform deep learning") for histogram and classic boosting and
the perceptron; TabRepo (Salinas and Erickson 2024) for LightGBM, XGBoost and
CatBoost. Rounds of boosting are capped at 400 to keep every fit short.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.stats import loguniform, randint, rv_discrete, uniform
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import ParameterSampler
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from . import _preprocessing as prep
from ._boosting import catboost, lightgbm, xgboost
from ._configuration import (
    Configuration,
    calibrated,
    classifier,
    encoded_labels,
    gaussian_target,
    regressor,
    scaled_target,
)
from ._kernel import nystroem

# Preprocessing by name, with the tables that it is made for.
_PREPARED: dict[str, tuple[Callable, dict]] = {
    "scaled": (prep.scaled, {}),
    "gaussian": (prep.gaussian, {}),
    "splines": (prep.splines, {"max_encoded": 300}),
    "fine splines": (prep.splines_fine, {"max_encoded": 300}),
    "bins": (prep.binned, {"max_encoded": 300}),
    "interactions": (prep.interactions, {"max_encoded": 60}),
    "discrete": (prep.discrete, {"discrete": True}),
    "discrete splines": (
        prep.discrete_splines, {"discrete": True, "max_encoded": 300}
    ),
    "components": (prep.decorrelated, {}),
    "varying": (prep.varying, {}),
    "ordinal": (prep.ordinal, {}),
    "ordinal imputed": (prep.ordinal_imputed, {}),
    "one-hot": (prep.one_hot, {}),
}
# Linear models count as families of their own on these.
_BASES_OF = {
    "linear": {
        "splines": "linear on splines",
        "fine splines": "linear on splines",
        "bins": "linear on splines",
        "discrete splines": "linear on splines",
        "interactions": "linear on interactions",
    }
}
_TARGETS = {"as it is": None, "scaled": scaled_target, "gaussian": gaussian_target}
_DECLARE = {"classification": classifier, "regression": regressor}


@dataclass(frozen=True)
class Template:
    """What the configurations of a family share, and where they differ.

    Parameters
    ----------
    name : str
        First part of the names of its configurations.
    family : str
        As in :class:`Configuration`.
    task : {"classification", "regression"}
    make : callable
        ``make(**params)`` returns the estimator.
    preprocess : tuple of str
        Preprocessing that may stand before it.
    ranges : dict
        Hyperparameter to a list of values or a distribution of scipy.
    tags : dict
        Applicability fields of :class:`Configuration`.
    wrap : callable or None
        Puts the estimator into another one.
    features : callable or None
        ``features(table, **params)`` returns feature maps before the estimator.
    mapped : tuple of str
        Hyperparameters that go to ``features`` instead of the estimator.
    """

    name: str
    family: str
    task: str
    make: Callable
    preprocess: tuple[str, ...]
    ranges: dict
    tags: dict
    wrap: Callable | None = None
    features: Callable | None = None
    mapped: tuple[str, ...] = ()

    def sample(self, n: int, random_state: int) -> list[dict]:
        """Draw hyperparameters at random, rounded to two digits.

        Parameters
        ----------
        n : int
        random_state : int

        Returns
        -------
        list of dict
            Values that JSON can hold.
        """
        drawn = ParameterSampler(self._space(), n, random_state=random_state)
        return [
            {name: _rounded(value) for name, value in params.items()}
            for params in drawn
        ]

    def configuration(self, name: str, params: dict) -> Configuration:
        """Make the configuration that has these hyperparameters.

        Parameters
        ----------
        name : str
        params : dict
            As drawn by :meth:`sample`.

        Returns
        -------
        Configuration
        """
        given, params = params, dict(params)
        preprocess = params.pop("preprocess")
        prepare, tags = _PREPARED[preprocess]
        family = _BASES_OF.get(self.family, {}).get(preprocess, self.family)
        wrap, features = self.wrap, self.features
        if "target" in params:
            wrap = _TARGETS[params.pop("target")]
        if features is not None:
            own = {key: params.pop(key) for key in self.mapped}
            features = partial(features, **own)
        if "hidden_layer_sizes" in params:
            params["hidden_layer_sizes"] = tuple(params["hidden_layer_sizes"])
        if "n_neighbors" in params:
            tags = {**tags, "min_rows": 2 * params["n_neighbors"]}
        declare = _DECLARE[self.task]
        configuration = declare(
            name, family, prepare, self.make, features=features, wrap=wrap,
            tags={**self.tags, **tags}, **params,
        )
        # All that tells it from others, not only what its estimator takes.
        return replace(configuration, params=given, template=self.name)

    def move(
        self, params: dict, rng: np.random.Generator, step: float, keep: float
    ) -> dict:
        """Hyperparameters near some others; see :meth:`moves`."""
        places, changed = self.moves(params, 1, rng, step, keep)
        return self.at(params, places[0], changed[0])

    def moves(
        self, params: dict, n: int, rng: np.random.Generator, step: float, keep: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points of the unit cube near that of some hyperparameters.

        Parameters
        ----------
        params : dict
            What is missing or out of range is drawn anew.
        n : int
            Number of points.
        rng : numpy.random.Generator
        step : float
            Standard deviation of a move, as a share of the range.
        keep : float
            Chance that a hyperparameter is left as it is.

        Returns
        -------
        places : ndarray of shape (n, n_hyperparameters)
        changed : ndarray of bool of the same shape
        """
        at_first = np.array(self._places(params), dtype=float)
        new = np.isnan(at_first)
        shape = (n, len(at_first))
        changed = new | (rng.uniform(size=shape) > keep)
        near = np.nan_to_num(at_first) + step * rng.normal(size=shape)
        places = np.where(new, rng.uniform(size=shape), near.clip(0.001, 0.999))
        return np.where(changed, places, at_first), changed

    def at(self, params: dict, place: np.ndarray, changed: np.ndarray) -> dict:
        """Hyperparameters at a point of the unit cube, where they are changed.

        Parameters
        ----------
        params : dict
            What those that are not changed keep.
        place : ndarray of shape (n_hyperparameters,)
        changed : ndarray of bool of the same shape

        Returns
        -------
        dict
        """
        space = zip(self._space().items(), place, changed, strict=True)
        return {
            name: _rounded(_value_at(values, where)) if new else params[name]
            for (name, values), where, new in space
        }

    def position(self, params: dict) -> np.ndarray:
        """Hyperparameters as a point of the unit cube.

        Parameters
        ----------
        params : dict
            What is missing or out of range is put in the middle.

        Returns
        -------
        ndarray of shape (n_hyperparameters,)
        """
        return np.nan_to_num(np.array(self._places(params), dtype=float), nan=0.5)

    def _places(self, params: dict) -> list[float | None]:
        return [_place(values, params[name]) if name in params else None
                for name, values in self._space().items()]  # fmt: skip

    def _space(self) -> dict:
        return {"preprocess": list(self.preprocess), **self.ranges}


def _place(values, value) -> float | None:
    """Where a value lies in its range, from 0 to 1; None if it is not of it."""
    if isinstance(values, list):
        different = _distinct(values)
        if value not in different:
            return None
        return (different.index(value) + 0.5) / len(different)
    low, high = values.support()
    if not isinstance(value, (int, float)) or not low <= value <= high:
        return None
    # A whole number lies in the middle of its step.
    step = values.pmf(value) if _is_discrete(values) else 0.0
    return float(values.cdf(value) - step / 2)


def _value_at(values, place: float):
    if isinstance(values, list):
        different = _distinct(values)
        return different[min(int(place * len(different)), len(different) - 1)]
    value = values.ppf(place)
    return int(value) if _is_discrete(values) else value


def _is_discrete(values) -> bool:
    return isinstance(values.dist, rv_discrete)


def _distinct(values: list) -> list:
    """Values without repetition; a repeated one is only drawn more often."""
    return [value for i, value in enumerate(values) if value not in values[:i]]


def _rounded(value):
    if isinstance(value, (np.integer, np.floating)):
        value = value.item()
    return float(f"{value:.2g}") if isinstance(value, float) else value


def _nested(make, prefix, inner, **params):
    """Estimator whose member takes the hyperparameters that start with prefix."""
    own = {k.removeprefix(prefix): params.pop(k) for k in [*params]
           if k.startswith(prefix)}  # fmt: skip
    return make(estimator=inner(**own), **params)


_LAYERS = [[32], [64], [128], [256], [64, 32], [128, 64], [64, 64, 64]]
_FOREST = {
    "max_features": uniform(0.1, 0.8),
    "min_samples_leaf": [1, 1, 2, 3, 5, 8, 12, 20],
    "n_estimators": [150],
}
_CLASS_FOREST = {
    "criterion": ["gini", "entropy"],
    "class_weight": [None, None, "balanced"],
}


def _forests(task: str) -> tuple[Template, ...]:
    classes = task == "classification"
    extra = _CLASS_FOREST if classes else {"target": ["as it is", "gaussian"]}
    forest, trees, tree, ada = (
        (RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier,
         AdaBoostClassifier)
        if classes
        else (RandomForestRegressor, ExtraTreesRegressor, DecisionTreeRegressor,
              AdaBoostRegressor)
    )  # fmt: skip
    return (
        Template("forest", "random forest", task, forest, ("ordinal", "one-hot"),
                 {**_FOREST, **extra}, {"sparse": True}),
        Template("extra-trees", "extra trees", task, trees,
                 ("ordinal imputed", "scaled"), {**_FOREST, **extra},
                 {"sparse": True}),
        Template("tree", "decision tree", task, tree, ("ordinal",),
                 {"max_depth": randint(2, 12), "min_samples_leaf": randint(1, 40)},
                 {"sparse": True}),
        Template("adaboost", "AdaBoost", task,
                 partial(_nested, ada, "tree_", tree), ("ordinal imputed",),
                 {"n_estimators": [50, 100, 150], "tree_max_depth": randint(1, 10),
                  "learning_rate": loguniform(0.03, 1.5)}, {}),
    )  # fmt: skip


def _boosting(task: str) -> tuple[Template, ...]:
    classes = task == "classification"
    kind = "Classifier" if classes else "Regressor"
    hist, classic = (
        (HistGradientBoostingClassifier, GradientBoostingClassifier)
        if classes
        else (HistGradientBoostingRegressor, GradientBoostingRegressor)
    )
    wrap = encoded_labels if classes else None
    rounds, rate = [50, 100, 200, 400], loguniform(0.01, 0.3)
    losses = {} if classes else {"loss": ["squared_error"] * 3 + ["absolute_error"]}
    robust = {} if classes else {"loss": ["squared_error"] * 3 + ["huber"]}
    few = {"max_classes": 10} if classes else {}
    return (
        Template("hist-gb", "histogram gradient boosting", task,
                 partial(hist, early_stopping=False), ("ordinal", "one-hot"),
                 {"learning_rate": rate, "max_iter": rounds,
                  "max_leaf_nodes": [3, 4, 6, 8, 12, 16, 24, 31, 48],
                  "min_samples_leaf": [2, 5, 10, 20, 40],
                  "l2_regularization": loguniform(1e-3, 30),
                  "max_features": [0.3, 0.5, 0.7, 1.0], **losses}, {}),
        Template("gb", "gradient boosting", task, classic, ("ordinal imputed",),
                 {"learning_rate": rate, "n_estimators": [50, 100, 200, 300],
                  "max_depth": randint(1, 7), "subsample": uniform(0.5, 0.5),
                  "min_samples_leaf": [1, 3, 10, 20],
                  "max_features": [0.2, 0.5, 1.0], **robust},
                 {"max_rows": 10_000, **few}),
        Template("lightgbm", "LightGBM", task, lightgbm(kind), ("ordinal",),
                 {"learning_rate": rate, "n_estimators": rounds,
                  "num_leaves": [4, 7, 15, 31, 63],
                  "min_child_samples": [2, 5, 10, 20, 40, 60],
                  "colsample_bytree": uniform(0.4, 0.6),
                  "extra_trees": [False, True],
                  "reg_lambda": loguniform(1e-2, 30)},
                 {"requires": "lightgbm"}, wrap),
        Template("xgboost", "XGBoost", task, xgboost(kind), ("ordinal",),
                 {"learning_rate": rate, "n_estimators": rounds,
                  "max_depth": randint(2, 10), "subsample": uniform(0.5, 0.5),
                  "colsample_bytree": uniform(0.5, 0.5),
                  "min_child_weight": loguniform(0.5, 10),
                  "reg_lambda": loguniform(0.1, 30)},
                 {"requires": "xgboost"}, wrap),
        Template("catboost", "CatBoost", task, catboost(kind), ("ordinal",),
                 {"learning_rate": loguniform(0.02, 0.2),
                  "iterations": [100, 200, 400], "depth": [3, 4, 5, 6],
                  "l2_leaf_reg": loguniform(1, 10)},
                 {"requires": "catboost"}, wrap),
    )  # fmt: skip


def _wide_boosting(task: str) -> tuple[Template, ...]:
    """Boosting with large trees, for large tables."""
    classes = task == "classification"
    kind = "Classifier" if classes else "Regressor"
    hist = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    wrap = encoded_labels if classes else None
    rounds, rate = [50, 100, 150, 250, 400], loguniform(0.03, 0.3)
    leaves = [63, 127, 255, 511]
    return (
        Template("hist-gb-wide", "histogram gradient boosting", task,
                 partial(hist, early_stopping=False), ("ordinal",),
                 {"learning_rate": rate, "max_iter": rounds,
                  "max_leaf_nodes": leaves, "min_samples_leaf": [20, 40, 80, 160],
                  "l2_regularization": loguniform(1e-3, 30),
                  "max_features": [0.3, 0.5, 0.7, 1.0]}, {}),
        Template("lightgbm-wide", "LightGBM", task, lightgbm(kind), ("ordinal",),
                 {"learning_rate": rate, "n_estimators": rounds,
                  "num_leaves": leaves, "min_child_samples": [20, 40, 80, 160],
                  "colsample_bytree": uniform(0.3, 0.7),
                  "reg_lambda": loguniform(1e-2, 30)},
                 {"requires": "lightgbm"}, wrap),
        Template("xgboost-wide", "XGBoost", task,
                 partial(xgboost(kind), max_depth=0, grow_policy="lossguide"),
                 ("ordinal",),
                 {"learning_rate": rate, "n_estimators": rounds,
                  "max_leaves": leaves, "subsample": uniform(0.5, 0.5),
                  "colsample_bytree": uniform(0.3, 0.7),
                  "min_child_weight": loguniform(2, 100),
                  "reg_lambda": loguniform(0.1, 30)},
                 {"requires": "xgboost"}, wrap),
    )  # fmt: skip


def _shared(task: str) -> tuple[Template, ...]:
    classes = task == "classification"
    near, mlp = (
        (KNeighborsClassifier, MLPClassifier)
        if classes
        else (KNeighborsRegressor, MLPRegressor)
    )
    training = {"max_iter": 150, "n_iter_no_change": 8}
    return (
        Template("knn", "nearest neighbours", task, near,
                 ("scaled", "gaussian", "components"),
                 {"n_neighbors": [1, 2, 3, 5, 8, 12, 18, 25, 35, 50],
                  "p": [1, 2], "weights": ["distance", "uniform"]},
                 {"max_rows": 50_000}),
        Template("mlp", "neural network", task, partial(mlp, **training),
                 ("scaled", "gaussian", "splines"),
                 {"hidden_layer_sizes": _LAYERS, "alpha": loguniform(1e-4, 10),
                  "learning_rate_init": loguniform(1e-3, 1e-2),
                  "activation": ["relu", "relu", "tanh"]},
                 {"max_rows": 100_000, "max_encoded": 2000},
                 None if classes else scaled_target),
        *_forests(task),
        *_boosting(task), *_wide_boosting(task),
    )  # fmt: skip


_NYSTROEM = {
    "factor": loguniform(0.02, 10),
    "kernel": ["rbf", "rbf", "laplacian", "poly"],
    "n_components": [200, 300, 500],
}
_MAPPED = ("factor", "kernel", "n_components")
_BASES = ("scaled", "gaussian", "splines", "fine splines", "bins", "interactions")
_DISCRETE = ("discrete", "discrete splines")
_SVM = {"max_rows": 5000, "sparse": True}
_logistic = partial(LogisticRegression, max_iter=300)
_elastic_classes = partial(SGDClassifier, loss="log_loss", penalty="elasticnet")

_CLASSIFIERS = (
    Template("logistic", "linear", "classification", _logistic, _BASES,
             {"C": loguniform(1e-3, 100), "class_weight": [None, None, "balanced"]},
             {}),
    Template("logistic-discrete", "linear", "classification", _logistic, _DISCRETE,
             {"C": loguniform(1e-3, 10)}, {}),
    Template("elastic-net", "linear", "classification", _elastic_classes,
             ("scaled", "gaussian", "splines"),
             {"alpha": loguniform(1e-4, 0.1), "l1_ratio": uniform(0, 1)}, {}),
    Template("lda", "discriminant analysis", "classification",
             partial(LinearDiscriminantAnalysis, solver="lsqr"),
             ("varying", "interactions"), {"shrinkage": uniform(0, 1)},
             {"min_class_size": 3, "max_encoded": 60}),
    Template("qda", "discriminant analysis", "classification",
             QuadraticDiscriminantAnalysis, ("components",),
             {"reg_param": loguniform(1e-3, 1)}, {"members_per_column": 2.0}),
    Template("naive-bayes", "naive Bayes", "classification", GaussianNB,
             ("scaled", "gaussian", "components"),
             {"var_smoothing": loguniform(1e-6, 1)}, {}),
    Template("nystroem", "kernel approximation", "classification", _logistic,
             ("scaled", "gaussian"), {**_NYSTROEM, "C": loguniform(0.1, 300)}, {},
             features=nystroem, mapped=_MAPPED),
    Template("svc", "support vectors", "classification", SVC,
             ("scaled", "gaussian"),
             {"C": loguniform(0.03, 300), "kernel": ["rbf", "rbf", "poly", "sigmoid"],
              "degree": [2, 3], "coef0": [1.0]},
             {**_SVM, "min_class_size": 5, "sparse": False}, calibrated),
)  # fmt: skip

_REGRESSORS = (
    Template("ridge", "linear", "regression", Ridge, _BASES,
             {"alpha": loguniform(1e-3, 1e4), "target": ["as it is", "gaussian"]}, {}),
    Template("ridge-discrete", "linear", "regression", Ridge, _DISCRETE,
             {"alpha": loguniform(1e-2, 1e4), "target": ["as it is", "gaussian"]}, {}),
    Template("elastic-net", "linear", "regression",
             partial(ElasticNet, max_iter=2000),
             ("scaled", "gaussian", "splines", "interactions"),
             {"alpha": loguniform(1e-4, 1), "l1_ratio": uniform(0.01, 0.99),
              "target": ["scaled", "gaussian"]}, {}),
    Template("nystroem", "kernel approximation", "regression", Ridge,
             ("scaled", "gaussian"),
             {**_NYSTROEM, "alpha": loguniform(1e-4, 10),
              "target": ["as it is", "gaussian"]}, {},
             features=nystroem, mapped=_MAPPED),
    Template("svr", "support vectors", "regression", SVR, ("scaled", "gaussian"),
             {"C": loguniform(0.03, 100), "epsilon": loguniform(1e-2, 0.5),
              "kernel": ["rbf", "rbf", "poly"], "degree": [2, 3], "coef0": [1.0],
              "target": ["scaled", "gaussian"]},
             {**_SVM, "sparse": False}),
)  # fmt: skip

TEMPLATES: tuple[Template, ...] = (
    *_CLASSIFIERS,
    *_shared("classification"),
    *_REGRESSORS,
    *_shared("regression"),
)
