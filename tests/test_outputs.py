"""Several quantities, or several labels that a row may have at a time."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_iris, load_linnerud
from sklearn.metrics import f1_score, get_scorer, r2_score, roc_auc_score
from sklearn.model_selection import cross_val_score
from sklearn.multioutput import MultiOutputClassifier

from sk_meta import MetaLearnerClassifier, MetaLearnerEstimator, MetaLearnerRegressor
from sk_meta._evaluation import SCORE, Evaluation, FoldResult, score_prediction
from sk_meta._greedy import greedy_weights
from sk_meta._selection import Goal, select
from sk_meta._table import MULTILABEL, describe_target, main_output

FEW = {"n_candidates": 4, "cv": 3, "random_state": 0}


@pytest.fixture(scope="module")
def flowers():
    """Sepals' sizes, from which those of the petals are to be told."""
    X, _ = load_iris(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))
    return X[rows, :2], X[rows, 2:] * [1, 100]


@pytest.fixture(scope="module")
def tumours():
    """Whether tumours are benign, and whether they are large: two labels."""
    X, benign = load_breast_cancer(return_X_y=True)
    large = X[:, 0] > np.median(X[:, 0])
    return np.delete(X, [0, 2, 3], axis=1), np.column_stack([benign, large]).astype(int)


def test_several_quantities_are_predicted_at_a_time(flowers):
    X, y = flowers
    model = MetaLearnerRegressor(**FEW).fit(X[:100], y[:100])
    predictions = model.predict(X[100:])
    assert predictions.shape == (50, 2)
    assert r2_score(y[100:], predictions) > 0.7
    assert model.score(X[100:], y[100:]) == pytest.approx(
        r2_score(y[100:], predictions)
    )
    assert 0.6 < model.best_score_ < 1
    reasons = model.leaderboard_["reason"].dropna()
    assert reasons.str.contains("takes one target, not 2").any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: np.where(y > 0, "yes", "no"), "some hold no numbers.*MultiOutputCl"),
        (lambda y: pd.DataFrame(y).assign(b="yes"), "some hold no numbers"),
        (lambda y: np.where(y > 0, 1.0, np.nan), r"in \d+ of 569 rows a target is"),
        (lambda y: pd.DataFrame(np.where(y > 0, 1, None)), "a target is missing"),
        (lambda y: pd.DataFrame(y, dtype="Int64").mask(y > 0), "a target is missing"),
        (lambda y: pd.DataFrame(y).astype(str).astype(object), "some hold no numbers"),
        (lambda y: pd.DataFrame(y).apply(pd.to_datetime), "some hold no numbers"),
        (lambda y: y * 1j, "Complex data not supported"),
    ],
)
def test_targets_that_can_not_be_taken_together(tumours, change, message):
    X, y = tumours
    with pytest.raises(ValueError, match=message):
        MetaLearnerEstimator(**FEW).fit(X, change(y))


def test_labels_may_be_booleans_of_any_type(tumours):
    X, y = (part[:150] for part in tumours)
    one = {**FEW, "n_candidates": 1, "candidates": ["decision tree"]}
    first = MetaLearnerClassifier(**one).fit(X, y).predict_proba(X)
    for same in (y.astype(bool), pd.DataFrame(y).astype("boolean"), y.astype(object)):
        model = MetaLearnerClassifier(**one).fit(X, same)
        np.testing.assert_array_equal(model.predict_proba(X), first)


def test_several_labels_are_predicted_at_a_time(tumours):
    X, y = tumours
    model = MetaLearnerClassifier(scoring="roc_auc", **FEW).fit(X[:400], y[:400])
    probabilities = model.predict_proba(X[400:])
    assert probabilities.shape == (169, 2)
    assert roc_auc_score(y[400:], probabilities) > 0.95
    labels = model.predict(X[400:])
    np.testing.assert_array_equal(labels, probabilities >= 0.5)
    assert f1_score(y[400:], labels, average="macro") > 0.9
    assert [list(known) for known in model.classes_] == [[0, 1], [0, 1]]
    assert model.score(X[400:], y[400:]) == pytest.approx(
        roc_auc_score(y[400:], probabilities)
    )


@pytest.mark.parametrize(
    "scoring", [None, "accuracy", "f1_macro", "f1_samples", "neg_hamming"]
)
def test_scorers_of_labels(tumours, scoring):
    X, y = tumours
    if scoring == "neg_hamming":
        def scoring(model, X, y):
            return -np.mean(model.predict(X) != y)
    model = MetaLearnerClassifier(scoring=scoring, **FEW | {"n_candidates": 2})
    model.fit(X, y)
    assert np.isfinite(model.best_score_)
    assert set(model.leaderboard_["status"]) == {"ok", "excluded"}


def test_a_scorer_that_does_not_know_labels_is_refused(tumours):
    with pytest.raises(ValueError, match="can't score this target"):
        MetaLearnerClassifier(scoring="balanced_accuracy", **FEW).fit(*tumours)


def test_the_task_is_told_by_the_values(flowers, tumours):
    quick = FEW | {"n_candidates": 1}
    assert MetaLearnerEstimator(**quick).fit(*flowers).task_ == "regression"
    assert MetaLearnerEstimator(**quick).fit(*tumours).task_ == "classification"
    X, y = tumours
    assert MetaLearnerEstimator(**quick).fit(X, y + 1).task_ == "regression"
    model = MetaLearnerEstimator("regression", **quick).fit(X, y)
    assert model.predict(X).dtype == float


def test_frames_and_lists_of_outputs(flowers):
    X, y = flowers
    quick = FEW | {"candidates": "ridge"}
    expected = MetaLearnerRegressor(**quick).fit(X, y).predict(X)
    for other in (pd.DataFrame(y, columns=["length", "width"]), y.tolist()):
        found = MetaLearnerRegressor(**quick).fit(X, other).predict(X)
        np.testing.assert_allclose(found, expected)
    one = MetaLearnerRegressor(**quick).fit(X, y[:, 0])
    assert one.predict(X).ndim == 1


def test_mixed_columns_with_several_outputs(messy):
    y = np.column_stack([messy["number"], -messy["number"]])
    model = MetaLearnerRegressor(**FEW).fit(messy, y)
    assert model.score(messy, y) > 0.5


def test_weights_and_cross_validation(flowers):
    X, y = flowers
    quick = FEW | {"candidates": ["ridge", "random forest"], "n_candidates": 2}
    model = MetaLearnerRegressor(**quick)
    assert cross_val_score(model, X, y, cv=3).mean() > 0.6
    model.fit(X, y, sample_weight=np.linspace(0, 1, len(y)))
    assert model.score(X, y) > 0.6


def test_few_rows_of_several_quantities():
    X, y = load_linnerud(return_X_y=True)
    model = MetaLearnerRegressor(**FEW).fit(X, y)
    assert model.predict(X).shape == (20, 3)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([[0, 1, 2], [2, 1, 0]] * 75), "MultiOutputClassifier"),
        (np.array([[1, 2], [2, 2]] * 75), "other values than 0 and 1"),
        (sparse.csr_array(np.eye(150)[:, :2]), "y is sparse"),
        (np.full((150, 2), np.nan), "NaN"),
    ],
)
def test_outputs_that_can_not_be_learned_are_refused(y, message):
    X, _ = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        MetaLearnerClassifier(**FEW).fit(X, y)


def test_several_targets_with_classes_go_one_by_one():
    X, y = load_iris(return_X_y=True)
    both = np.column_stack([y, (y + 1) % 3])
    quick = FEW | {"candidates": "linear", "n_candidates": 1}
    model = MultiOutputClassifier(MetaLearnerClassifier(**quick)).fit(X, both)
    assert model.score(X, both) > 0.9


# The parts


def test_the_main_output_is_the_one_that_tells_most():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=200)
    y = np.column_stack([shared, 1000 * shared, rng.normal(size=200)])
    main, target = main_output(y, describe_target(y))
    assert abs(np.corrcoef(main, shared)[0, 1]) > 0.95
    assert target.task == "regression" and target.n_outputs == 1
    labels = (rng.random((200, 3)) < [0.02, 0.4, 0.99]).astype(int)
    main, target = main_output(labels, describe_target(labels))
    np.testing.assert_array_equal(main, labels[:, 1])
    assert target.n_classes == 2


def test_known_labels_are_scored_as_a_model_would_be():
    rng = np.random.default_rng(0)
    y = (rng.random((100, 3)) < 0.4).astype(int)
    p = np.clip(0.3 * y + 0.7 * rng.random((100, 3)), 0, 1)
    found = score_prediction(p, y, get_scorer("roc_auc"), MULTILABEL)
    assert found == pytest.approx(roc_auc_score(y, p))
    found = score_prediction(p, y, get_scorer("f1_macro"), MULTILABEL)
    assert found == pytest.approx(f1_score(y, p >= 0.5, average="macro"))


@pytest.mark.parametrize("labels", [True, False])
def test_the_ensemble_weighs_what_is_good_at_different_outputs(labels):
    """Each member knows one output only; together they know both."""
    rng = np.random.default_rng(0)
    y = rng.random((200, 2))
    y = (y < 0.5).astype(int) if labels else y
    blind = np.full(200, 0.5)
    known = 0.1 + 0.8 * y
    members = [np.column_stack([known[:, 0], blind]),
               np.column_stack([blind, known[:, 1]])]  # fmt: skip
    rows = [np.arange(100), np.arange(100, 200)]

    def score(prediction, rows):
        return -np.mean((prediction - y[rows]) ** 2)

    evaluations = [
        Evaluation(str(i), tuple(
            FoldResult("ok", {SCORE: score(m[r], r)}, m[r], 0.1, 0.1) for r in rows))
        for i, m in enumerate(members)
    ]  # fmt: skip
    form = MULTILABEL if labels else None
    selection = select(evaluations, rows, Goal(score, "", y, form, 8))
    np.testing.assert_allclose(selection.weights, 0.5, atol=0.1)
    assert not selection.single


def test_greedy_weights_take_predictions_of_any_shape():
    y = np.random.default_rng(0).normal(size=(50, 2))
    stack = np.stack([y + 1, y - 1, y + 5])

    def losses(blends):
        return ((blends - y) ** 2).mean(axis=(1, 2))

    np.testing.assert_allclose(greedy_weights(losses, stack), [0.5, 0.5, 0])


def test_a_skewed_quantity_is_for_the_variants_of_its_normal_scores():
    """Incomes and prices: a few are a hundred times as large as most."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.exp(2 * X[:, 0] + rng.normal(scale=0.3, size=300))
    names = ["ridge", "ridge-gaussian-target"]
    model = MetaLearnerRegressor(
        candidates=names, n_candidates=2, cv=3, scoring="neg_mean_absolute_error",
        random_state=0,
    ).fit(X, y)  # fmt: skip
    scores = model.leaderboard_.set_index("configuration")["mean_score"]
    assert scores["ridge-gaussian-target"] > 0.7 * scores["ridge"]
    assert (model.predict(X) > 0).all()
