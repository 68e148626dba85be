"""Estimators that are fitted in a fraction of a second."""

from sk_meta import MetaLearnerClassifier, MetaLearnerRegressor

QUICK = {
    "candidates": ["linear", "decision tree"],
    "n_candidates": 2,
    "cv": 2,
    "random_state": 0,
}


def quick_classifier(**changes):
    return MetaLearnerClassifier(**{**QUICK, **changes})


def quick_regressor(**changes):
    return MetaLearnerRegressor(**{**QUICK, **changes})
