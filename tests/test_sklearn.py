"""scikit-learn's own checks, for the three estimators."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_meta import MetaLearnerClassifier, MetaLearnerEstimator, MetaLearnerRegressor

# Cheap configurations: the checks fit hundreds of times.
CHEAP = {"n_candidates": 2, "cv": 2, "ensemble_size": 2, "random_state": 0}
LINEAR = {"candidates": ["linear", "decision tree"], **CHEAP}


# Weights reach the predictors and the scores. Scalers, imputers and the rules of size
# (how many neighbours, bins or rows a configuration wants) count rows, as those of
# scikit-learn do, so a row of weight two is not the same as the row twice.
COUNTED = "preprocessing and meta-features count rows, whatever they weigh"
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": COUNTED,
    "check_sample_weight_equivalence_on_sparse_data": COUNTED,
}


@parametrize_with_checks(
    [
        MetaLearnerClassifier(**LINEAR),
        MetaLearnerRegressor(**LINEAR),
        MetaLearnerEstimator(**LINEAR),
        MetaLearnerEstimator("classification", **LINEAR),
        MetaLearnerEstimator("regression", **LINEAR),
    ],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_estimator_check(estimator, check):
    check(estimator)
