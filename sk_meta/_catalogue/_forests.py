"""Decision trees, forests and boosting by reweighting."""

from __future__ import annotations

from functools import partial

from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from . import _preprocessing as prep
from ._configuration import classifier, regressor

_TREE, _FOREST, _EXTRA = "decision tree", "random forest", "extra trees"
_ADA = "AdaBoost"
_SPARSE = {"sparse": True}

# Name, family, preprocessing, key into the estimators below, hyperparameters.
_SHARED: tuple[tuple, ...] = (
    ("tree-depth3", _TREE, prep.ordinal, "tree", {"max_depth": 3}),
    ("tree-depth6", _TREE, prep.ordinal, "tree",
     {"max_depth": 6, "min_samples_leaf": 5}),
    ("tree-leaf20", _TREE, prep.ordinal, "tree", {"min_samples_leaf": 20}),
    ("forest", _FOREST, prep.ordinal, "forest", {}),
    ("forest-leaf3", _FOREST, prep.ordinal, "forest", {"min_samples_leaf": 3}),
    ("forest-half", _FOREST, prep.ordinal, "forest",
     {"max_features": 0.5, "min_samples_leaf": 2}),
    ("forest-leaf10", _FOREST, prep.one_hot, "forest",
     {"max_features": 0.5, "min_samples_leaf": 10}),
    ("extra-trees", _EXTRA, prep.ordinal_imputed, "extra", {}),
    ("extra-trees-leaf3", _EXTRA, prep.ordinal_imputed, "extra",
     {"min_samples_leaf": 3}),
    ("extra-trees-all", _EXTRA, prep.ordinal_imputed, "extra",
     {"max_features": 1.0, "min_samples_leaf": 2}),
    ("extra-trees-one-hot", _EXTRA, prep.scaled, "extra",
     {"max_features": 0.5, "min_samples_leaf": 2}),
)
_forest = {"n_estimators": 200}
_CLASSIFIER_OF = {
    "tree": DecisionTreeClassifier,
    "forest": partial(RandomForestClassifier, **_forest),
    "extra": partial(ExtraTreesClassifier, **_forest),
}
_REGRESSOR_OF = {
    "tree": DecisionTreeRegressor,
    "forest": partial(RandomForestRegressor, **_forest),
    "extra": partial(ExtraTreesRegressor, **_forest),
}

_CLASSIFIERS = (
    *(
        classifier(name, family, preprocess, _CLASSIFIER_OF[kind], tags=_SPARSE,
                   **params)
        for name, family, preprocess, kind, params in _SHARED
    ),
    classifier("forest-balanced", _FOREST, prep.ordinal, _CLASSIFIER_OF["forest"],
               class_weight="balanced_subsample", min_samples_leaf=3, tags=_SPARSE),
    classifier("adaboost-stumps", _ADA, prep.ordinal_imputed, AdaBoostClassifier,
               n_estimators=100, learning_rate=0.5),
    classifier("adaboost-depth3", _ADA, prep.ordinal_imputed, AdaBoostClassifier,
               estimator=DecisionTreeClassifier(max_depth=3), n_estimators=60,
               learning_rate=0.3),
)

_REGRESSORS = (
    *(
        regressor(name, family, preprocess, _REGRESSOR_OF[kind], tags=_SPARSE,
                  **params)
        for name, family, preprocess, kind, params in _SHARED
    ),
    regressor("forest-third", _FOREST, prep.ordinal, _REGRESSOR_OF["forest"],
              max_features=0.33, min_samples_leaf=1, tags=_SPARSE),
    regressor("adaboost-depth3", _ADA, prep.ordinal_imputed, AdaBoostRegressor,
              estimator=DecisionTreeRegressor(max_depth=3), n_estimators=60),
    regressor("adaboost-depth8", _ADA, prep.ordinal_imputed, AdaBoostRegressor,
              estimator=DecisionTreeRegressor(max_depth=8), n_estimators=60),
)

CONFIGURATIONS = _CLASSIFIERS + _REGRESSORS
