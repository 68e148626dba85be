"""Gradient boosting: scikit-learn's, and LightGBM, XGBoost, CatBoost if present."""

from __future__ import annotations

from functools import partial
from importlib import import_module

from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from . import _preprocessing as prep
from ._configuration import classifier, encoded_labels, regressor

_HIST, _GRADIENT = "histogram gradient boosting", "gradient boosting"

# Early stopping is off below unless named: scikit-learn switches it on by
# itself above 10,000 rows, and a held-out tenth is dear on small tables.
_HISTOGRAM: tuple[tuple[str, dict], ...] = (
    ("hist-gb", {}),
    ("hist-gb-slow", {"learning_rate": 0.05, "max_iter": 200, "max_leaf_nodes": 15}),
    ("hist-gb-small-leaves",
     {"learning_rate": 0.05, "max_iter": 200, "min_samples_leaf": 5}),
    ("hist-gb-stumpy",
     {"learning_rate": 0.1, "max_iter": 200, "max_leaf_nodes": 4}),
    ("hist-gb-shrunk",
     {"learning_rate": 0.03, "max_iter": 300, "max_leaf_nodes": 8,
      "l2_regularization": 5.0, "max_features": 0.5}),
    ("hist-gb-fast", {"learning_rate": 0.2, "max_iter": 40, "max_leaf_nodes": 15}),
    ("hist-gb-long",
     {"learning_rate": 0.03, "max_iter": 1000, "max_leaf_nodes": 15,
      "max_features": 0.7, "early_stopping": True, "n_iter_no_change": 20}),
)
# For large tables: large trees of not too few rows each.
_WIDE_HISTOGRAM: tuple[tuple[str, dict], ...] = (
    ("hist-gb-wide",
     {"learning_rate": 0.1, "max_iter": 150, "max_leaf_nodes": 255,
      "min_samples_leaf": 40, "max_features": 0.5}),
    ("hist-gb-wide-fast",
     {"learning_rate": 0.2, "max_iter": 50, "max_leaf_nodes": 511,
      "min_samples_leaf": 50, "max_features": 0.5, "l2_regularization": 1.0}),
)
# It holds a tenth out, stratified.
_EARLY = {"min_rows": 100, "min_class_size": 8}
_CLASSIC = (
    ("gb-depth3", {"max_depth": 3, "n_estimators": 100, "subsample": 0.7}),
    ("gb-depth2-slow",
     {"max_depth": 2, "n_estimators": 250, "subsample": 0.7, "learning_rate": 0.05,
      "max_features": 0.5}),
)


def _optional(package: str, name: str, **params):
    """An estimator of a package that is imported only when it is built."""
    return getattr(import_module(package), name)(**params)


def lightgbm(kind: str):
    """Maker of LightGBM's classifier or regressor."""
    return partial(_optional, package="lightgbm", name=f"LGBM{kind}", n_jobs=1,
                   verbosity=-1)


def xgboost(kind: str):
    """Maker of XGBoost's classifier or regressor."""
    return partial(_optional, package="xgboost", name=f"XGB{kind}", n_jobs=1,
                   verbosity=0)


def catboost(kind: str):
    """Maker of CatBoost's classifier or regressor."""
    return partial(_optional, package="catboost", name=f"CatBoost{kind}",
                   thread_count=1, verbose=False, allow_writing_files=False)


def told_of_categories(table, model):
    """Let CatBoost split by statistics of categories instead of by their codes."""
    told = model.set_params(cat_features=tuple(prep.native_positions(table)))
    # A classifier with labels of any kind.
    return encoded_labels(table, told) if hasattr(told, "predict_proba") else told


def told_of_texts(table, model):
    """The same where a text is a category."""
    return told_of_categories(table.with_whole_texts(), model)


_EXTERNAL: tuple[tuple, ...] = (
    ("lightgbm", "LightGBM", "lightgbm", lightgbm, {}),
    ("lightgbm-slow", "LightGBM", "lightgbm", lightgbm,
     {"learning_rate": 0.03, "n_estimators": 400, "num_leaves": 15,
      "subsample": 0.8, "subsample_freq": 1, "colsample_bytree": 0.7}),
    ("lightgbm-extra", "LightGBM", "lightgbm", lightgbm,
     {"learning_rate": 0.05, "n_estimators": 300, "num_leaves": 31,
      "extra_trees": True, "min_child_samples": 5}),
    ("xgboost-depth4", "XGBoost", "xgboost", xgboost,
     {"learning_rate": 0.05, "n_estimators": 200, "max_depth": 4, "subsample": 0.8,
      "colsample_bytree": 0.7}),
    ("xgboost-depth8", "XGBoost", "xgboost", xgboost,
     {"learning_rate": 0.1, "n_estimators": 150, "max_depth": 8, "subsample": 0.8,
      "min_child_weight": 3}),
    ("catboost", "CatBoost", "catboost", catboost,
     {"iterations": 300, "learning_rate": 0.08}),
    ("catboost-depth4", "CatBoost", "catboost", catboost,
     {"iterations": 400, "learning_rate": 0.05, "depth": 4}),
    ("catboost-depth8", "CatBoost", "catboost", catboost,
     {"iterations": 300, "learning_rate": 0.15, "depth": 8}),
)
_WIDE_EXTERNAL: tuple[tuple, ...] = (
    ("lightgbm-wide", "LightGBM", "lightgbm", lightgbm,
     {"learning_rate": 0.1, "n_estimators": 150, "num_leaves": 255,
      "min_child_samples": 40, "colsample_bytree": 0.6}),
    ("lightgbm-wide-rough", "LightGBM", "lightgbm", lightgbm,
     {"learning_rate": 0.1, "n_estimators": 150, "num_leaves": 255,
      "min_child_samples": 100, "colsample_bytree": 0.6, "reg_lambda": 5.0,
      "subsample": 0.8, "subsample_freq": 1}),
    ("lightgbm-wide-fast", "LightGBM", "lightgbm", lightgbm,
     {"learning_rate": 0.2, "n_estimators": 50, "num_leaves": 511,
      "min_child_samples": 50, "colsample_bytree": 0.5, "reg_lambda": 1.0}),
    ("xgboost-wide", "XGBoost", "xgboost", xgboost,
     {"learning_rate": 0.1, "n_estimators": 150, "max_leaves": 255,
      "min_child_weight": 20, "subsample": 0.8, "colsample_bytree": 0.6,
      "max_depth": 0, "grow_policy": "lossguide"}),
)

_NATIVE: tuple[tuple[str, dict], ...] = (
    ("catboost-native", {"iterations": 300, "learning_rate": 0.08}),
    ("catboost-native-depth4",
     {"iterations": 400, "learning_rate": 0.05, "depth": 4}),
)
_FOR_CATEGORIES = {
    "requires": "catboost", "categories": True, "template": "catboost-native",
}  # fmt: skip
# Texts that come back, as names do, tell more as a whole than by their n-grams.
_TEXTS = "-whole-texts"
_HIST_TEXTS = {"learning_rate": 0.05, "max_iter": 200, "max_leaf_nodes": 15}
_LIGHT_TEXTS = {"learning_rate": 0.05, "n_estimators": 200, "num_leaves": 15,
                "colsample_bytree": 0.7}  # fmt: skip
_CAT_TEXTS = {"iterations": 300, "learning_rate": 0.08}


def _for_texts(template: str, requires: str | None = None) -> dict:
    return {"texts": True, "requires": requires, "template": template + _TEXTS}


def _with_whole_texts(declare, kind: str, hist, wrap=None) -> tuple:
    """Boosting to which a text is one value of many."""
    return (
        declare("hist-gb" + _TEXTS, _HIST, prep.ordinal_whole_texts,
                partial(hist, early_stopping=False), tags=_for_texts("hist-gb"),
                **_HIST_TEXTS),
        declare("lightgbm" + _TEXTS, "LightGBM", prep.ordinal_whole_texts,
                lightgbm(kind), wrap=wrap, tags=_for_texts("lightgbm", "lightgbm"),
                **_LIGHT_TEXTS),
        declare("catboost-native" + _TEXTS, "CatBoost", prep.native_whole_texts,
                catboost(kind), wrap=told_of_texts,
                tags=_for_texts("catboost-native", "catboost"), **_CAT_TEXTS),
    )  # fmt: skip


_CLASSIFIERS = (
    *(
        classifier(name, _HIST, prep.ordinal,
                   partial(HistGradientBoostingClassifier,
                           **{"early_stopping": False, **params}),
                   tags=_EARLY if "early_stopping" in params else None, **params)
        for name, params in _HISTOGRAM
    ),
    *(
        classifier(name, _HIST, prep.ordinal,
                   partial(HistGradientBoostingClassifier, early_stopping=False),
                   tags={"template": "hist-gb-wide"}, **params)
        for name, params in _WIDE_HISTOGRAM
    ),
    *(
        classifier(name, _GRADIENT, prep.ordinal_imputed, GradientBoostingClassifier,
                   tags={"max_rows": 10_000, "max_classes": 10}, **params)
        for name, params in _CLASSIC
    ),
    *(
        classifier(name, family, prep.ordinal, library("Classifier"),
                   wrap=encoded_labels, tags={"requires": package}, **params)
        for name, family, package, library, params in _EXTERNAL
    ),
    *(
        classifier(name, "CatBoost", prep.native, catboost("Classifier"),
                   wrap=told_of_categories,
                   tags=_FOR_CATEGORIES, **params)
        for name, params in _NATIVE
    ),
    *_with_whole_texts(
        classifier, "Classifier", HistGradientBoostingClassifier, encoded_labels
    ),
    *(
        classifier(name, family, prep.ordinal, library("Classifier"),
                   wrap=encoded_labels,
                   tags={"requires": package, "template": f"{package}-wide"}, **params)
        for name, family, package, library, params in _WIDE_EXTERNAL
    ),
)

_REGRESSORS = (
    *(
        regressor(name, _HIST, prep.ordinal,
                  partial(HistGradientBoostingRegressor,
                          **{"early_stopping": False, **params}),
                  tags={"min_rows": 100} if "early_stopping" in params else None,
                  **params)
        for name, params in _HISTOGRAM
    ),
    *(
        regressor(name, _HIST, prep.ordinal,
                  partial(HistGradientBoostingRegressor, early_stopping=False),
                  tags={"template": "hist-gb-wide"}, **params)
        for name, params in _WIDE_HISTOGRAM
    ),
    regressor("hist-gb-absolute", _HIST, prep.ordinal,
              partial(HistGradientBoostingRegressor, early_stopping=False),
              loss="absolute_error", learning_rate=0.05, max_iter=200,
              max_leaf_nodes=15),
    *(
        regressor(name, _GRADIENT, prep.ordinal_imputed, GradientBoostingRegressor,
                  tags={"max_rows": 10_000}, **params)
        for name, params in _CLASSIC
    ),
    *(
        regressor(name, family, prep.ordinal, library("Regressor"),
                  tags={"requires": package}, **params)
        for name, family, package, library, params in _EXTERNAL
    ),
    *(
        regressor(name, "CatBoost", prep.native, catboost("Regressor"),
                  wrap=told_of_categories, tags=_FOR_CATEGORIES, **params)
        for name, params in _NATIVE
    ),
    *_with_whole_texts(regressor, "Regressor", HistGradientBoostingRegressor),
    *(
        regressor(name, family, prep.ordinal, library("Regressor"),
                  tags={"requires": package, "template": f"{package}-wide"}, **params)
        for name, family, package, library, params in _WIDE_EXTERNAL
    ),
)

CONFIGURATIONS = _CLASSIFIERS + _REGRESSORS
