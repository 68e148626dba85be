"""scikit-learn's own checks, with the tables in frames of pandas and polars."""

import numpy as np
import pandas as pd
import polars
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.metaestimators import available_if
from test_sklearn import EXPECTED

from sk_meta import MetaLearnerClassifier, MetaLearnerEstimator, MetaLearnerRegressor

# What is searched and combined is checked with arrays; here it is what is taken.
ONE = {"candidates": ["decision tree"], "n_candidates": 1, "cv": 2, "random_state": 0}


def if_inherited(name):
    return available_if(lambda self: hasattr(super(InFrames, self), name))


class InFrames:
    """Tables of numbers come in frames."""

    @classmethod
    def framed(cls, X):
        if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "fiub":
            return cls.frame(X, [f"x{i}" for i in range(X.shape[1])])
        return X

    def fit(self, X, y, *, sample_weight=None, groups=None):
        X = self.framed(X)
        return super().fit(X, y, sample_weight=sample_weight, groups=groups)

    def predict(self, X):
        return super().predict(self.framed(X))

    @if_inherited("predict_proba")
    def predict_proba(self, X):
        return super().predict_proba(self.framed(X))

    @if_inherited("decision_function")
    def decision_function(self, X):
        return super().decision_function(self.framed(X))

    def score(self, X, y, sample_weight=None):
        return super().score(self.framed(X), y, sample_weight)


class InPandas(InFrames):
    @staticmethod
    def frame(X, names):
        return pd.DataFrame(X, columns=names)


class InPolars(InFrames):
    @staticmethod
    def frame(X, names):
        return polars.DataFrame(X, names)


class PandasClassifier(InPandas, MetaLearnerClassifier):
    pass


class PandasRegressor(InPandas, MetaLearnerRegressor):
    pass


class PandasEstimator(InPandas, MetaLearnerEstimator):
    pass


class PolarsClassifier(InPolars, MetaLearnerClassifier):
    pass


class PolarsRegressor(InPolars, MetaLearnerRegressor):
    pass


class PolarsEstimator(InPolars, MetaLearnerEstimator):
    pass


@parametrize_with_checks(
    [
        PandasClassifier(**ONE),
        PandasRegressor(**ONE),
        PandasEstimator(**ONE),
        PolarsClassifier(**ONE),
        PolarsRegressor(**ONE),
        PolarsEstimator(**ONE),
    ],
    expected_failed_checks=lambda estimator: {
        **EXPECTED,
        "check_n_features_in_after_fitting": "it asks for words about the number of "
        "columns, and a frame is told the names of those that are missing",
    },
)
def test_estimator_check_in_frames(estimator, check):
    check(estimator)
