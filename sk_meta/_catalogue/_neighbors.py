"""Nearest neighbours."""

from __future__ import annotations

from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from . import _preprocessing as prep
from ._configuration import classifier, regressor

_FAMILY = "nearest neighbours"
# Fold training sets must hold at least n_neighbors rows; see min_rows.
_VARIANTS = (
    ("knn-1", prep.scaled, {"n_neighbors": 1}),
    ("knn-5", prep.scaled, {"n_neighbors": 5, "weights": "distance"}),
    ("knn-15", prep.scaled, {"n_neighbors": 15, "weights": "distance"}),
    ("knn-15-manhattan", prep.scaled,
     {"n_neighbors": 15, "weights": "distance", "p": 1}),
    ("knn-40", prep.scaled, {"n_neighbors": 40, "weights": "distance"}),
    ("knn-15-gaussian", prep.gaussian, {"n_neighbors": 15, "weights": "distance"}),
)


def _tags(preprocess, params) -> dict:
    return {
        "max_rows": 50_000,
        "min_rows": 2 * params["n_neighbors"],
        "sparse": preprocess is prep.scaled,
    }


CONFIGURATIONS = tuple(
    declare(name, _FAMILY, preprocess, estimator, tags=_tags(preprocess, params),
            **params)
    for declare, estimator in (
        (classifier, KNeighborsClassifier),
        (regressor, KNeighborsRegressor),
    )
    for name, preprocess, params in _VARIANTS
)
