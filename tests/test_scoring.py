"""Names and callables become metrics; scores become losses and back."""

import pickle
from functools import partial

import numpy as np
import pytest
import sklearn.metrics as m
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer, get_scorer_names, make_scorer
from sklearn.naive_bayes import GaussianNB

from sk_meta._evaluation import score_prediction
from sk_meta._scoring import (
    STORED_METRICS,
    as_loss,
    as_score,
    resolve_scoring,
    stored_scorer,
)

ALL_STORED = [(task, name) for task, names in STORED_METRICS.items() for name in names]
REGRESSION = {
    "d2_absolute_error_score", "explained_variance", "neg_max_error",
    "neg_mean_absolute_error", "neg_mean_absolute_percentage_error",
    "neg_mean_gamma_deviance", "neg_mean_poisson_deviance", "neg_mean_squared_error",
    "neg_mean_squared_log_error", "neg_median_absolute_error",
    "neg_root_mean_squared_error", "neg_root_mean_squared_log_error", "r2",
}  # fmt: skip
# Of clusters, and of several targets: no table here has those.
OTHERS = {
    "adjusted_mutual_info_score", "adjusted_rand_score", "completeness_score",
    "fowlkes_mallows_score", "homogeneity_score", "mutual_info_score",
    "normalized_mutual_info_score", "rand_score", "v_measure_score", "f1_samples",
    "jaccard_samples", "precision_samples", "recall_samples",
}  # fmt: skip
APPLICABLE = [
    ("regression" if name in REGRESSION else "classification", name)
    for name in sorted(set(get_scorer_names()) - OTHERS)
]


def shortfall(estimator, X, y):
    return -float(np.abs(estimator.predict(X) - y).max())


def own_function(y, prediction):
    return float(np.mean(prediction == y))


@pytest.mark.parametrize(
    ("task", "name"), [("classification", "accuracy"), ("regression", "r2")]
)
def test_without_scoring_it_is_what_score_returns(task, name):
    metric = resolve_scoring(None, task)
    assert (metric.name, metric.stored, metric.exact) == (name, name, True)


@pytest.mark.parametrize(("task", "name"), APPLICABLE)
def test_every_scorer_that_applies_was_compared_with_the_stored_metrics(task, name):
    metric = resolve_scoring(name, task)
    assert metric.name == name
    assert metric.stored in STORED_METRICS[task]
    told = "stored" if name in STORED_METRICS[task] else "most like it"
    assert told in metric.mapping


@pytest.mark.parametrize("task", STORED_METRICS)
@pytest.mark.parametrize("name", sorted(get_scorer_names()))
def test_scorer_that_does_not_apply_has_a_stored_metric_too(task, name):
    metric = resolve_scoring(name, task)
    assert metric.name == name
    assert metric.stored in STORED_METRICS[task]


@pytest.mark.parametrize(
    ("task", "name", "stored"),
    [
        ("classification", "roc_auc", "roc_auc_ovr"),
        ("classification", "average_precision", "average_precision"),
        ("classification", "neg_brier_score", "neg_log_loss"),
        ("classification", "recall", "balanced_accuracy"),
        ("classification", "f1_micro", "accuracy"),
        ("classification", "rand_score", "balanced_accuracy"),
        ("regression", "neg_mean_squared_error", "neg_root_mean_squared_error"),
        ("regression", "explained_variance", "r2"),
        ("regression", "d2_absolute_error_score", "neg_mean_absolute_error"),
    ],
)
def test_similar_metrics_stand_for_each_other(task, name, stored):
    assert resolve_scoring(name, task).stored == stored


@pytest.mark.parametrize(
    ("task", "name"), [known for known in ALL_STORED if known[1] != "average_precision"]
)
def test_scorer_object_of_a_stored_metric_is_that_metric(task, name):
    metric = resolve_scoring(stored_scorer(name), task)
    assert (metric.name, metric.stored, metric.exact) == (name, name, True)


@pytest.mark.parametrize("scoring", ["roc_auc", get_scorer("roc_auc")])
def test_of_two_classes_the_area_is_the_stored_one(scoring):
    two = resolve_scoring(scoring, "classification", n_classes=2)
    assert two.exact and two.mapping == "roc_auc is roc_auc_ovr of two classes"
    for other in ({"n_classes": 3}, {"n_classes": 2, "several": True}):
        assert not resolve_scoring(scoring, "classification", **other).exact
    of_several = {"it": scoring, "other": "f1"}
    assert resolve_scoring(of_several, "classification", "it", n_classes=2).exact


def test_stored_average_precision_is_not_that_of_scikit_learn():
    for scoring in ("average_precision", get_scorer("average_precision")):
        assert not resolve_scoring(scoring, "classification").exact


def test_unknown_name_is_refused_with_advice():
    with pytest.raises(ValueError, match="scoring='acuracy' .*get_scorer_names"):
        resolve_scoring("acuracy", "classification")


def test_function_of_labels_is_refused():
    with pytest.raises(ValueError, match="metric function"):
        resolve_scoring(m.f1_score, "classification")


@pytest.mark.parametrize(
    ("response_method", "stored"),
    [
        ("predict", "balanced_accuracy"),
        ("predict_proba", "neg_log_loss"),
        ("decision_function", "roc_auc_ovr"),
        (("decision_function", "predict_proba"), "roc_auc_ovr"),
        (["predict_proba", "decision_function"], "roc_auc_ovr"),
    ],
)
def test_own_scorer_is_ranked_by_the_nearest_of_its_kind(response_method, stored):
    scorer = make_scorer(own_function, response_method=response_method)
    metric = resolve_scoring(scorer, "classification")
    assert (metric.name, metric.stored, metric.exact) == ("own_function", stored, False)
    metric = resolve_scoring(scorer, "regression")
    assert metric.stored == "neg_mean_absolute_error"


@pytest.mark.parametrize(
    ("task", "stored"),
    [("classification", "roc_auc_ovr"), ("regression", "neg_mean_absolute_error")],
)
def test_callable_that_does_not_tell_its_kind(task, stored):
    assert resolve_scoring(shortfall, task).stored == stored
    metric = resolve_scoring(partial(shortfall), task)
    assert (metric.name, metric.stored) == ("partial", stored)


@pytest.mark.parametrize(
    ("function", "parameters", "like"),
    [
        (m.f1_score, {}, "f1"),
        (m.f1_score, {"pos_label": "yes"}, "f1"),
        (m.f1_score, {"average": "macro", "zero_division": 0}, "f1_macro"),
        (m.fbeta_score, {"beta": 2}, "f1"),
        (m.fbeta_score, {"beta": 2, "average": "weighted"}, "f1_weighted"),
        (m.recall_score, {"pos_label": "yes"}, "recall"),
        (m.jaccard_score, {"average": "micro"}, "jaccard_micro"),
        (m.balanced_accuracy_score, {"adjusted": True}, "balanced_accuracy"),
        (m.zero_one_loss, {"greater_is_better": False}, "accuracy"),
        (m.cohen_kappa_score, {"weights": "linear"}, "matthews_corrcoef"),
        (m.roc_auc_score, {"response_method": "predict_proba"}, "roc_auc"),
        (
            m.roc_auc_score,
            {"response_method": "predict_proba", "multi_class": "ovo", "labels": [0]},
            "roc_auc_ovo",
        ),
        (m.top_k_accuracy_score, {"k": 3}, "top_k_accuracy"),
    ],
)
def test_function_of_scikit_learn_follows_the_scorer_named_after_it(
    function, parameters, like
):
    metric = resolve_scoring(make_scorer(function, **parameters), "classification")
    assert metric.name == function.__name__
    assert metric.stored == resolve_scoring(like, "classification").stored
    assert f"is made like {like};" in metric.mapping
    assert not metric.exact


def test_area_at_few_false_positives_is_ranked_by_the_average_precision():
    scorer = make_scorer(m.roc_auc_score, response_method="predict_proba", max_fpr=0.1)
    metric = resolve_scoring(scorer, "classification")
    assert (metric.stored, metric.exact) == ("average_precision", False)


@pytest.mark.parametrize("function", [m.mean_pinball_loss, m.d2_pinball_score])
@pytest.mark.parametrize(
    ("parameters", "stored"),
    [
        ({"alpha": 0.05}, "neg_mean_pinball_loss_0.1"),
        ({"alpha": 0.3}, "neg_mean_pinball_loss_0.1"),
        ({"alpha": 0.4}, "neg_mean_absolute_error"),
        ({"alpha": 0.5}, "neg_mean_absolute_error"),
        ({}, "neg_mean_absolute_error"),
        ({"alpha": 0.6}, "neg_mean_absolute_error"),
        ({"alpha": 0.95}, "neg_mean_pinball_loss_0.9"),
    ],
)
def test_pinball_loss_by_its_level(function, parameters, stored):
    metric = resolve_scoring(make_scorer(function, **parameters), "regression")
    assert (metric.stored, metric.exact) == (stored, False)


@pytest.mark.parametrize(
    ("scoring", "task", "mapping"),
    [
        (None, "classification", "accuracy, as it is stored in the knowledge base"),
        (
            "neg_brier_score",
            "classification",
            "neg_brier_score is ranked by neg_log_loss, the stored metric that orders "
            "configurations most like it",
        ),
        (
            "average_precision",
            "classification",
            "average_precision is stored for the rarer of two classes, and ranked by "
            "that",
        ),
        (
            "rand_score",
            "classification",
            "rand_score is a scorer of labels; it is ranked by balanced_accuracy",
        ),
        (
            make_scorer(own_function),
            "classification",
            "own_function is a custom scorer of labels; it is ranked by "
            "balanced_accuracy",
        ),
        (
            shortfall,
            "classification",
            "shortfall is a custom scorer of an unknown kind; it is ranked by "
            "roc_auc_ovr",
        ),
        (
            shortfall,
            "regression",
            "shortfall is a custom scorer of values; it is ranked by "
            "neg_mean_absolute_error",
        ),
        (
            make_scorer(m.mean_pinball_loss, alpha=0.05, greater_is_better=False),
            "regression",
            "mean_pinball_loss is a pinball loss of level 0.05; it is ranked by "
            "neg_mean_pinball_loss_0.1",
        ),
    ],
)
def test_report_says_why_a_stored_metric_was_taken(scoring, task, mapping):
    assert resolve_scoring(scoring, task).mapping == mapping


def test_own_function_is_used_as_it_is(diabetes):
    metric = resolve_scoring(shortfall, "regression")
    model = Ridge().fit(*diabetes)
    assert metric.name == "shortfall"
    assert metric.scorer(model, *diabetes) == shortfall(model, *diabetes)


def test_made_scorer_keeps_its_parameters(cancer):
    scorer = make_scorer(m.fbeta_score, beta=2)
    metric = resolve_scoring(scorer, "classification")
    model = LogisticRegression(C=1e-6).fit(*cancer)
    beta_1 = get_scorer("f1")(model, *cancer)
    assert metric.scorer(model, *cancer) == scorer(model, *cancer) != beta_1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", lambda y, label, p: m.accuracy_score(y, label)),
        ("balanced_accuracy", lambda y, label, p: m.balanced_accuracy_score(y, label)),
        ("f1_macro", lambda y, label, p: m.f1_score(y, label, average="macro")),
        ("neg_log_loss", lambda y, label, p: -m.log_loss(y, p)),
        ("roc_auc_ovr", lambda y, label, p: m.roc_auc_score(y, p[:, 1])),
        # 0 is malignant, the rarer of the two.
        (
            "average_precision",
            lambda y, _, p: m.average_precision_score(1 - y, p[:, 0]),
        ),
    ],
)
def test_stored_scorer_of_classes_is_that_of_scikit_learn(cancer, name, expected):
    X, y = cancer
    model = GaussianNB().fit(X[::2], y[::2])
    X, y = X[1::2], y[1::2]
    score = expected(y, model.predict(X), model.predict_proba(X))
    # The scorer has only one column of two, which costs some digits of the loss.
    assert stored_scorer(name)(model, X, y) == pytest.approx(score, rel=1e-5)
    assert 0 < as_loss(score, name) < 1.5


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("r2", m.r2_score),
        ("neg_root_mean_squared_error", lambda y, p: -(((y - p) ** 2).mean() ** 0.5)),
        ("neg_mean_absolute_error", lambda y, p: -m.mean_absolute_error(y, p)),
        ("neg_median_absolute_error", lambda y, p: -m.median_absolute_error(y, p)),
        (
            "neg_mean_pinball_loss_0.1",
            lambda y, p: -m.mean_pinball_loss(y, p, alpha=0.1),
        ),
        (
            "neg_mean_pinball_loss_0.9",
            lambda y, p: -m.mean_pinball_loss(y, p, alpha=0.9),
        ),
    ],
)
def test_stored_scorer_of_values_is_that_of_scikit_learn(diabetes, name, expected):
    X, y = diabetes
    model = Ridge().fit(X[::2], y[::2])
    X, y = X[1::2], y[1::2]
    assert stored_scorer(name)(model, X, y) == pytest.approx(
        expected(y, model.predict(X))
    )


@pytest.mark.parametrize(("task", "name"), ALL_STORED)
def test_metric_goes_to_a_worker_and_scores_the_same_there(
    cancer, diabetes, task, name
):
    X, y = cancer if task == "classification" else diabetes
    model = (GaussianNB() if task == "classification" else Ridge()).fit(X, y)
    scorer = stored_scorer(name)
    metric = resolve_scoring(
        "average_precision" if name == "average_precision" else scorer, task
    )
    there = pickle.loads(pickle.dumps(metric))
    assert there.stored_scorer(model, X, y) == scorer(model, X, y)
    assert there.scorer(model, X, y) == metric.scorer(model, X, y)
    assert pickle.loads(pickle.dumps(scorer))(model, X, y) == scorer(model, X, y)


@pytest.mark.parametrize("names", [["a", "b"], ["b", "a"]])
def test_average_precision_seeks_the_rarer_of_two_strings(cancer, names):
    X, y = cancer
    labels = np.array(names)[y]  # 0 is the rarer
    model = GaussianNB().fit(X, labels)
    rarer = model.predict_proba(X)[:, list(model.classes_).index(names[0])]
    expected = m.average_precision_score(labels == names[0], rarer)
    assert stored_scorer("average_precision")(model, X, labels) == expected < 1


def test_average_precision_of_many_classes_is_the_mean_over_them(iris):
    X, y = iris
    model = GaussianNB().fit(X[:, :2], y)
    p = model.predict_proba(X[:, :2])
    parts = [
        m.average_precision_score(y == name, p[:, k])
        for k, name in enumerate(model.classes_)
    ]
    score = stored_scorer("average_precision")(model, X[:, :2], y)
    assert score == pytest.approx(np.mean(parts))
    assert max(parts) - min(parts) > 0.1


def test_average_precision_leaves_out_classes_that_no_row_has(iris):
    X, y = iris
    model = GaussianNB().fit(X[:, :2], y)
    rows = slice(50, 140)  # 50 versicolor and 40 virginica
    X, y = X[rows, :2], y[rows]
    p = model.predict_proba(X)
    scorer = stored_scorer("average_precision")
    expected = m.average_precision_score(y == "virginica", p[:, 2])
    assert scorer(model, X, y) == expected < 1
    # Known predictions come as probabilities among the classes that are there.
    among = p[:, 2] / (p[:, 1] + p[:, 2])
    expected = m.average_precision_score(y == "virginica", among)
    known = score_prediction(p, y, scorer, model.classes_)
    assert known == pytest.approx(expected)


def test_average_precision_of_one_class_is_not_defined(iris):
    X, y = iris
    model = GaussianNB().fit(X, y)
    assert np.isnan(stored_scorer("average_precision")(model, X[:9], y[:9]))


def test_average_precision_of_a_constant_is_the_share_of_the_rarer(cancer):
    X, y = cancer
    score = stored_scorer("average_precision")(DummyClassifier().fit(X, y), X, y)
    assert score == pytest.approx((y == 0).mean())


@pytest.mark.parametrize(("task", "name"), ALL_STORED)
def test_loss_and_score_are_inverse(task, name):
    scores = {"neg": [-3.0, -0.5, 0.0], "r2": [-2.0, 0.0, 0.75, 1.0]}
    score = np.array(scores.get(name[:3], scores.get(name, [0.0, 0.4, 1.0])))
    loss = as_loss(score, name)
    assert (loss >= 0).all()
    assert (np.diff(loss) < 0).all()
    np.testing.assert_allclose(as_score(loss, name), score)


@pytest.mark.parametrize(
    ("name", "score", "loss"),
    [
        ("accuracy", 0.9, 0.1),
        ("roc_auc_ovr", 1.0, 0.0),
        ("neg_log_loss", -0.3, 0.3),
        ("r2", 0.75, 0.5),
        ("neg_root_mean_squared_error", -12.0, 12.0),
    ],
)
def test_loss_of_one_score(name, score, loss):
    assert as_loss(score, name) == pytest.approx(loss)


def test_root_of_r2_loss_is_proportional_to_the_rmse(diabetes):
    X, y = diabetes
    models = [Ridge(alpha).fit(X, y) for alpha in (0.01, 1, 100)]
    r2 = np.array([get_scorer("r2")(m, X, y) for m in models])
    name = "neg_root_mean_squared_error"
    rmse = np.array([get_scorer(name)(m, X, y) for m in models])
    ratio = as_loss(r2, "r2") / as_loss(rmse, name)
    np.testing.assert_allclose(ratio, ratio[0])
