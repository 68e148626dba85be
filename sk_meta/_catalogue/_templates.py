"""The templates: families of models, and where their hyperparameters lie.

The portfolio (``portfolio.json``) lists the ones that were chosen among several
hundred drawn at random (``benchmarks/pool.py`` and ``choose_portfolio.py``).

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

from dataclasses import replace
from functools import partial

from scipy.stats import loguniform, randint, uniform
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
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ._boosting import catboost, lightgbm, told_of_categories, told_of_texts, xgboost
from ._configuration import calibrated, encoded_labels, scaled_target
from ._kernel import nystroem
from ._template import Template


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


# What the packages take if nothing is given (their documentation).
_HIST_DEFAULTS = {"learning_rate": 0.1, "max_iter": 100, "max_leaf_nodes": 31,
                  "min_samples_leaf": 20, "l2_regularization": 0.0,
                  "max_features": 1.0, "loss": "squared_error"}  # fmt: skip
_LIGHTGBM_DEFAULTS = {"learning_rate": 0.1, "n_estimators": 100, "num_leaves": 31,
                      "min_child_samples": 20, "colsample_bytree": 1.0,
                      "extra_trees": False, "reg_lambda": 0.0}  # fmt: skip
_XGBOOST_DEFAULTS = {"learning_rate": 0.3, "n_estimators": 100, "max_depth": 6,
                     "subsample": 1.0, "colsample_bytree": 1.0,
                     "min_child_weight": 1.0, "reg_lambda": 1.0}  # fmt: skip
_CATBOOST_DEFAULTS = {"depth": 6, "l2_leaf_reg": 3.0}
# What the catalogue gives besides.
_HIST_KEPT = ("early_stopping", "n_iter_no_change")
_LIGHTGBM_KEPT = ("subsample", "subsample_freq")
_XGBOOST_KEPT = ("grow_policy", "max_leaves")
_LEAVES = [16, 31, 63, 127, 255, 511]


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
    many = [100, 200, 400, 800, 1600]
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
                  "max_features": [0.3, 0.5, 0.7, 1.0], **losses}, {},
                 defaults=_HIST_DEFAULTS, kept=_HIST_KEPT,
                 large={"max_iter": many, "max_leaf_nodes": [8, *_LEAVES],
                        "min_samples_leaf": [5, 10, 20, 40, 80, 160]}),
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
                 {"requires": "lightgbm"}, wrap, defaults=_LIGHTGBM_DEFAULTS,
                 kept=_LIGHTGBM_KEPT,
                 large={"n_estimators": many, "num_leaves": [8, *_LEAVES],
                        "min_child_samples": [5, 10, 20, 40, 80, 160]}),
        Template("xgboost", "XGBoost", task, xgboost(kind), ("ordinal",),
                 {"learning_rate": rate, "n_estimators": rounds,
                  "max_depth": randint(2, 10), "subsample": uniform(0.5, 0.5),
                  "colsample_bytree": uniform(0.5, 0.5),
                  "min_child_weight": loguniform(0.5, 10),
                  "reg_lambda": loguniform(0.1, 30)},
                 {"requires": "xgboost"}, wrap, defaults=_XGBOOST_DEFAULTS,
                 kept=_XGBOOST_KEPT,
                 large={"n_estimators": many, "max_depth": randint(3, 15),
                        "min_child_weight": loguniform(0.5, 100)}),
        Template("catboost", "CatBoost", task, catboost(kind), ("ordinal",),
                 {"learning_rate": loguniform(0.02, 0.2),
                  "iterations": [100, 200, 400], "depth": [3, 4, 5, 6],
                  "l2_leaf_reg": loguniform(1, 10)},
                 {"requires": "catboost"}, wrap, defaults=_CATBOOST_DEFAULTS,
                 large={"learning_rate": loguniform(0.02, 0.4), "iterations": many[1:],
                        "depth": [4, 5, 6, 7, 8, 9, 10]}),
    )  # fmt: skip


def _told_boosting(task: str) -> tuple[Template, ...]:
    """Boosting that is told of categories, or takes texts for such."""
    known = {template.name: template for template in _boosting(task)}
    codes, native = ("ordinal, whole texts",), ("native, whole texts",)
    return (
        replace(known["hist-gb"], name="hist-gb-whole-texts", preprocess=codes),
        replace(known["lightgbm"], name="lightgbm-whole-texts", preprocess=codes),
        replace(known["catboost"], name="catboost-native", preprocess=("native",),
                wrap=told_of_categories),
        replace(known["catboost"], name="catboost-native-whole-texts",
                preprocess=native, wrap=told_of_texts),
    )  # fmt: skip


def _wide_boosting(task: str) -> tuple[Template, ...]:
    """Boosting with large trees, for large tables."""
    classes = task == "classification"
    kind = "Classifier" if classes else "Regressor"
    hist = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    wrap = encoded_labels if classes else None
    rounds, rate = [50, 100, 150, 250, 400], loguniform(0.03, 0.3)
    leaves, many = _LEAVES[2:], [100, 200, 400, 800, 1600]
    return (
        Template("hist-gb-wide", "histogram gradient boosting", task,
                 partial(hist, early_stopping=False), ("ordinal",),
                 {"learning_rate": rate, "max_iter": rounds,
                  "max_leaf_nodes": leaves, "min_samples_leaf": [20, 40, 80, 160],
                  "l2_regularization": loguniform(1e-3, 30),
                  "max_features": [0.3, 0.5, 0.7, 1.0]}, {},
                 defaults=_HIST_DEFAULTS, kept=_HIST_KEPT, large={"max_iter": many}),
        Template("lightgbm-wide", "LightGBM", task, lightgbm(kind), ("ordinal",),
                 {"learning_rate": rate, "n_estimators": rounds,
                  "num_leaves": leaves, "min_child_samples": [20, 40, 80, 160],
                  "colsample_bytree": uniform(0.3, 0.7),
                  "reg_lambda": loguniform(1e-2, 30)},
                 {"requires": "lightgbm"}, wrap, defaults=_LIGHTGBM_DEFAULTS,
                 kept=_LIGHTGBM_KEPT, large={"n_estimators": many}),
        Template("xgboost-wide", "XGBoost", task,
                 partial(xgboost(kind), max_depth=0, grow_policy="lossguide"),
                 ("ordinal",),
                 {"learning_rate": rate, "n_estimators": rounds,
                  "max_leaves": leaves, "subsample": uniform(0.5, 0.5),
                  "colsample_bytree": uniform(0.3, 0.7),
                  "min_child_weight": loguniform(2, 100),
                  "reg_lambda": loguniform(0.1, 30)},
                 {"requires": "xgboost"}, wrap, defaults=_XGBOOST_DEFAULTS,
                 large={"n_estimators": many}),
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
        *_boosting(task), *_told_boosting(task), *_wide_boosting(task),
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
