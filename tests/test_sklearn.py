"""scikit-learn's own checks, for the three estimators."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_meta import MetaLearnerClassifier, MetaLearnerEstimator, MetaLearnerRegressor

# Cheap configurations: the checks fit hundreds of times.
CHEAP = {"n_candidates": 2, "cv": 2, "ensemble_size": 2, "random_state": 0}
LINEAR = {"candidates": ["linear", "decision tree"], **CHEAP}


@parametrize_with_checks(
    [
        MetaLearnerClassifier(**LINEAR),
        MetaLearnerRegressor(**LINEAR),
        MetaLearnerEstimator(**LINEAR),
        MetaLearnerEstimator("classification", **LINEAR),
        MetaLearnerEstimator("regression", **LINEAR),
    ]
)
def test_estimator_check(estimator, check):
    check(estimator)
