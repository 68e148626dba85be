"""Names and callables become metrics; scores become losses and back."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (
    fbeta_score,
    get_scorer,
    get_scorer_names,
    make_scorer,
)

from sk_meta._scoring import STORED_METRICS, as_loss, as_score, resolve_scoring

ALL_STORED = [(task, name) for task, names in STORED_METRICS.items() for name in names]


@pytest.mark.parametrize(
    ("task", "name"), [("classification", "accuracy"), ("regression", "r2")]
)
def test_without_scoring_it_is_what_score_returns(task, name):
    metric = resolve_scoring(None, task)
    assert (metric.name, metric.stored) == (name, name)


@pytest.mark.parametrize(("task", "name"), ALL_STORED)
def test_stored_metric_stands_for_itself(task, name):
    metric = resolve_scoring(name, task)
    assert metric.stored == name
    assert metric.stored_scorer is not None


@pytest.mark.parametrize("task", STORED_METRICS)
@pytest.mark.parametrize("name", sorted(get_scorer_names()))
def test_every_scorer_of_scikit_learn_has_a_stored_metric(task, name):
    metric = resolve_scoring(name, task)
    assert metric.name == name
    assert metric.stored in STORED_METRICS[task]


@pytest.mark.parametrize(
    ("task", "name", "stored"),
    [
        ("classification", "roc_auc", "roc_auc_ovr"),
        ("classification", "average_precision", "roc_auc_ovr"),
        ("classification", "neg_brier_score", "neg_log_loss"),
        ("classification", "f1", "f1_macro"),
        ("regression", "neg_mean_squared_error", "neg_root_mean_squared_error"),
        ("regression", "explained_variance", "r2"),
    ],
)
def test_similar_metrics_stand_for_each_other(task, name, stored):
    assert resolve_scoring(name, task).stored == stored


@pytest.mark.parametrize(("task", "name"), ALL_STORED)
def test_scorer_object_of_a_stored_metric_stands_for_it(task, name):
    assert resolve_scoring(get_scorer(name), task).stored == name


def test_unknown_name_is_refused_with_advice():
    with pytest.raises(ValueError, match="scoring='acuracy' .*get_scorer_names"):
        resolve_scoring("acuracy", "classification")


def test_own_function_is_used_as_it_is(diabetes):
    def shortfall(estimator, X, y):
        return -float(np.abs(estimator.predict(X) - y).max())

    metric = resolve_scoring(shortfall, "regression")
    model = Ridge().fit(*diabetes)
    assert metric.name == "shortfall"
    assert metric.stored in STORED_METRICS["regression"]
    assert metric.scorer(model, *diabetes) == shortfall(model, *diabetes)


def test_made_scorer_keeps_its_parameters(cancer):
    scorer = make_scorer(fbeta_score, beta=2)
    metric = resolve_scoring(scorer, "classification")
    model = LogisticRegression(C=1e-6).fit(*cancer)
    assert metric.name == "fbeta_score"
    assert metric.scorer(model, *cancer) == scorer(model, *cancer)


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
