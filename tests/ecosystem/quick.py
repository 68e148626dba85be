"""Estimators that are fitted in a fraction of a second."""

from sk_meta import MetaLearnerClassifier, MetaLearnerRegressor

QUICK = {
    "candidates": ["linear", "decision tree"],
    "n_candidates": 2,
    "cv": 2,
    "random_state": 0,
}
# What skops has to be told to trust in a classifier that was fitted on a frame.
TRUSTED = [
    "numpy.clip",
    "numpy.dtype",
    "numpy.nan_to_num",
    "sk_meta._ensemble.WeightedEnsemble",
    "sk_meta._estimator.MetaLearnerClassifier",
    "sklearn.metrics._classification.accuracy_score",
    "sklearn.metrics._scorer._Scorer",
]


def quick_classifier(**changes):
    return MetaLearnerClassifier(**{**QUICK, **changes})


def quick_regressor(**changes):
    return MetaLearnerRegressor(**{**QUICK, **changes})
