"""Kernel methods: Nyström features, support vectors, Gaussian processes."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.gaussian_process import (
    GaussianProcessClassifier,
    GaussianProcessRegressor,
)
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.svm import SVC, SVR

from .._table import Table
from . import _preprocessing as prep
from ._configuration import Steps, calibrated, classifier, regressor, scaled_target

_ALPHAS = tuple(np.logspace(-5, 2, 15))
_SMALL = {"max_rows": 5000}
_TINY = {"max_rows": 1000}


def nystroem(
    table: Table, factor: float, n_components: int = 300, kernel: str = "rbf"
) -> Steps:
    """Nyström features; gamma is ``factor`` over the number of columns."""
    # Training folds hold fewer rows than the table, and Nystroem warns when it
    # has fewer rows than components.
    n_components = max(2, min(n_components, table.n_rows // 2))
    gamma = factor / table.n_encoded
    extra = {"degree": 2, "coef0": 1.0} if kernel == "poly" else {}
    features = Nystroem(kernel=kernel, gamma=gamma, n_components=n_components, **extra)
    return [("nystroem", features)]


def _features(factor, **params):
    return partial(nystroem, factor=factor, **params)


def _wide_rbf(table: Table, estimator, kernel_class=RBF, noise=True, **params):
    """Gaussian process whose length scale starts at the root of the columns."""
    scale = float(np.sqrt(table.n_encoded))
    kernel = ConstantKernel(1.0) * kernel_class(scale)
    if noise:
        kernel = kernel + WhiteKernel(0.1, (1e-4, 1e1))
    return estimator.set_params(kernel=kernel)


def _gp_target(table: Table, estimator):
    return scaled_target(table, _wide_rbf(table, estimator))


def _matern_target(table: Table, estimator):
    return scaled_target(table, _wide_rbf(table, estimator, Matern))


def _gp_classes(table: Table, estimator):
    return _wide_rbf(table, estimator, noise=False)


_logistic = partial(LogisticRegression, max_iter=300)
_ridge = partial(RidgeCV, alphas=_ALPHAS)
_APPROXIMATE, _SVM, _GP = "kernel approximation", "support vectors", "Gaussian process"

_CLASSIFIERS = (
    *(
        classifier(f"nystroem-gamma{factor:g}-C{C:g}", _APPROXIMATE, prep.scaled,
                   _logistic, C=C, features=_features(factor))
        for factor, C in ((0.3, 10.0), (1.0, 1.0), (1.0, 10.0), (3.0, 3.0))
    ),
    classifier("nystroem-gaussian-C3", _APPROXIMATE, prep.gaussian, _logistic, C=3.0,
               features=_features(0.3)),
    classifier("nystroem-poly-C1", _APPROXIMATE, prep.scaled, _logistic, C=1.0,
               features=_features(1.0, kernel="poly")),
    *(
        classifier(f"svc-C{C:g}", _SVM, prep.scaled, SVC, C=C, wrap=calibrated,
                   tags={**_SMALL, "min_class_size": 5, "sparse": True})
        for C in (0.3, 3.0, 30.0)
    ),
    classifier("svc-poly", _SVM, prep.scaled, SVC, kernel="poly", degree=2, coef0=1.0,
               C=0.3, wrap=calibrated, tags={**_SMALL, "min_class_size": 5}),
    classifier("gaussian-process", _GP, prep.scaled, GaussianProcessClassifier,
               max_iter_predict=50, wrap=_gp_classes,
               tags={"max_rows": 600, "max_classes": 4}),
)

_REGRESSORS = (
    *(
        regressor(f"nystroem-gamma{factor:g}", _APPROXIMATE, prep.scaled, _ridge,
                  features=_features(factor))
        for factor in (0.1, 0.3, 1.0, 3.0)
    ),
    regressor("nystroem-gaussian", _APPROXIMATE, prep.gaussian, _ridge,
              features=_features(0.3)),
    regressor("nystroem-poly", _APPROXIMATE, prep.scaled, _ridge,
              features=_features(1.0, kernel="poly")),
    *(
        regressor(f"svr-C{C:g}-epsilon{epsilon:g}", _SVM, prep.scaled, SVR, C=C,
                  epsilon=epsilon, wrap=scaled_target, tags=_SMALL)
        for C, epsilon in ((0.3, 0.1), (3.0, 0.1), (30.0, 0.01))
    ),
    regressor("svr-gaussian", _SVM, prep.gaussian, SVR, C=1.0, wrap=scaled_target,
              tags=_SMALL),
    regressor("gaussian-process-rbf", _GP, prep.scaled, GaussianProcessRegressor,
              wrap=_gp_target, tags=_TINY),
    regressor("gaussian-process-matern", _GP, prep.scaled, GaussianProcessRegressor,
              wrap=_matern_target, tags=_TINY),
)

CONFIGURATIONS = _CLASSIFIERS + _REGRESSORS
