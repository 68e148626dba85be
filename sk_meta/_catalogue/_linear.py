"""Linear models of numbers as they are, one-hot, splines, bins, products; dummies."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNetCV,
    HuberRegressor,
    LassoCV,
    LogisticRegression,
    RidgeCV,
    SGDClassifier,
)
from sklearn.naive_bayes import BernoulliNB, GaussianNB

from . import _preprocessing as prep
from ._configuration import classifier, gaussian_target, regressor

_ALPHAS = tuple(np.logspace(-3, 4, 15))


_SPARSE = {"sparse": True}
_NARROW = {"max_encoded": 60}
_SPLINED = {"max_encoded": 300}
_DISCRETE = {"discrete": True, "max_encoded": 500, "template": "logistic-discrete"}
_logistic = partial(LogisticRegression, max_iter=300)
_sgd = partial(SGDClassifier, loss="log_loss", penalty="elasticnet", l1_ratio=0.5)

_CLASSIFIERS = (
    classifier("dummy", "dummy", prep.as_is, DummyClassifier, strategy="prior",
                tags=_SPARSE),
    *(
        classifier(f"logistic-C{C:g}", "linear", prep.scaled, _logistic, C=C,
                    tags=_SPARSE)
        for C in (0.01, 0.1, 1.0, 10.0)
    ),
    classifier("logistic-balanced", "linear", prep.scaled, _logistic, C=1.0,
                class_weight="balanced", tags=_SPARSE),
    *(
        classifier(f"elastic-net-alpha{alpha:g}", "linear", prep.scaled, _sgd,
                    alpha=alpha, tags=_SPARSE)
        for alpha in (1e-3, 1e-2)
    ),
    *(
        classifier(f"logistic-gaussian-C{C:g}", "linear", prep.gaussian, _logistic,
                    C=C)
        for C in (0.1, 1.0)
    ),
    *(
        classifier(f"logistic-splines-C{C:g}", "linear on splines", prep.splines,
                    _logistic, C=C, tags=_SPLINED)
        for C in (0.03, 0.3, 3.0)
    ),
    classifier("logistic-bins-C0.1", "linear on splines", prep.binned, _logistic,
                C=0.1, tags=_SPLINED),
    *(
        classifier(f"logistic-discrete-C{C:g}", "linear", prep.discrete, _logistic,
                    C=C, tags=_DISCRETE)
        for C in (0.03, 0.3)
    ),
    classifier("logistic-discrete-splines-C0.1", "linear on splines",
                prep.discrete_splines, _logistic, C=0.1,
                tags={**_DISCRETE, **_SPLINED}),
    *(
        classifier(f"logistic-interactions-C{C:g}", "linear on interactions",
                    prep.interactions, _logistic, C=C, tags=_NARROW)
        for C in (0.003, 0.03, 0.3)
    ),
    classifier("lda", "discriminant analysis", prep.varying,
                LinearDiscriminantAnalysis, tags={"min_class_size": 3}),
    classifier("lda-shrunk", "discriminant analysis", prep.varying,
                LinearDiscriminantAnalysis, solver="lsqr", shrinkage="auto",
                tags={"min_class_size": 3, "max_encoded": 1000}),
    classifier("lda-interactions", "discriminant analysis", prep.interactions,
                LinearDiscriminantAnalysis, solver="lsqr", shrinkage="auto",
                tags={"min_class_size": 3, "max_encoded": 30}),
    *(
        classifier(f"qda-reg{reg:g}", "discriminant analysis", prep.decorrelated,
                    QuadraticDiscriminantAnalysis, reg_param=reg,
                    tags={"members_per_column": 2.0})
        for reg in (0.01, 0.1, 0.5)
    ),
    classifier("naive-bayes", "naive Bayes", prep.scaled, GaussianNB),
    classifier("naive-bayes-smooth", "naive Bayes", prep.scaled, GaussianNB,
                var_smoothing=0.1),
    classifier("naive-bayes-gaussian", "naive Bayes", prep.gaussian, GaussianNB,
                var_smoothing=1e-3),
    classifier("naive-bayes-bins", "naive Bayes", prep.binned, BernoulliNB,
                alpha=1.0),
)

_ridge = partial(RidgeCV, alphas=_ALPHAS)
_RIDGE_DISCRETE = {**_DISCRETE, "template": "ridge-discrete"}
_elastic = partial(ElasticNetCV, cv=3, max_iter=2000)
_lasso = partial(LassoCV, cv=3, max_iter=2000)

_REGRESSORS = (
    regressor("dummy", "dummy", prep.as_is, DummyRegressor, strategy="mean",
               tags=_SPARSE),
    regressor("dummy-median", "dummy", prep.as_is, DummyRegressor, strategy="median",
               tags=_SPARSE),
    regressor("ridge", "linear", prep.scaled, _ridge, tags=_SPARSE),
    regressor("bayesian-ridge", "linear", prep.scaled, BayesianRidge,
               tags={"max_encoded": 500}),
    regressor("lasso", "linear", prep.scaled, _lasso, tags=_SPARSE),
    regressor("elastic-net", "linear", prep.scaled, _elastic, l1_ratio=0.5,
               tags=_SPARSE),
    regressor("huber", "linear", prep.scaled, HuberRegressor, max_iter=300),
    regressor("pls-2", "linear", prep.varying, PLSRegression, n_components=2),
    regressor("ridge-gaussian", "linear", prep.gaussian, _ridge),
    regressor("ridge-gaussian-target", "linear", prep.scaled, _ridge,
              wrap=gaussian_target),
    regressor("ridge-splines", "linear on splines", prep.splines, _ridge,
               tags=_SPLINED),
    regressor("ridge-fine-splines", "linear on splines", prep.splines_fine, _ridge,
               tags=_SPLINED),
    regressor("elastic-net-splines", "linear on splines", prep.splines, _elastic,
               l1_ratio=0.5, tags=_SPLINED),
    regressor("ridge-splines-gaussian-target", "linear on splines", prep.splines,
              _ridge, wrap=gaussian_target, tags=_SPLINED),
    regressor("ridge-bins", "linear on splines", prep.binned, _ridge, tags=_SPLINED),
    regressor("ridge-discrete", "linear", prep.discrete, _ridge, tags=_RIDGE_DISCRETE),
    regressor("ridge-discrete-gaussian-target", "linear", prep.discrete, _ridge,
              wrap=gaussian_target, tags=_RIDGE_DISCRETE),
    regressor("ridge-discrete-splines", "linear on splines", prep.discrete_splines,
              _ridge, tags={**_RIDGE_DISCRETE, **_SPLINED}),
    regressor("ridge-interactions", "linear on interactions", prep.interactions,
               _ridge, tags=_NARROW),
    regressor("lasso-interactions", "linear on interactions", prep.interactions,
               _lasso, tags=_NARROW),
    regressor("ridge-interactions-gaussian-target", "linear on interactions",
              prep.interactions, _ridge, wrap=gaussian_target, tags=_NARROW),
)

CONFIGURATIONS = _CLASSIFIERS + _REGRESSORS
