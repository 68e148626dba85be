"""Greedy selection of weights, its honest score, and the weighted ensemble."""

import os
import time
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import (
    accuracy_score,
    get_scorer,
    log_loss,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sk_meta import MetaLearnerClassifier
from sk_meta._catalogue._custom import custom
from sk_meta._ensemble import WeightedEnsemble
from sk_meta._evaluation import SCORE, Evaluation, FoldResult
from sk_meta._greedy import greedy_weights, heaviest, ranking_losses
from sk_meta._refit import Refits
from sk_meta._selection import Goal, select
from sk_meta._shared import Reference
from sk_meta._table import describe_table
from sk_meta._temperature import heated
from sk_meta._unit import Rules, evaluate_unit, kept_model


def squares(errors):
    return (errors**2).mean(axis=1)


def negative_mse(prediction, y):
    return -float(((prediction - y) ** 2).mean())


def evaluations_of(models, X, y, splits, classes, score):
    """Out-of-fold results of models on given splits."""

    def fold(model, train, test):
        model = clone(model).fit(X[train], y[train])
        if classes is None:
            prediction = model.predict(X[test])
        else:
            prediction = model.predict_proba(X[test])
        return FoldResult(
            "ok", {SCORE: score(prediction, y[test])}, prediction, predict_seconds=0.0
        )

    return [
        Evaluation(str(k), tuple(fold(model, *split) for split in splits))
        for k, model in enumerate(models)
    ]


def evaluations_from(predictions, y_folds, score=negative_mse):
    """Evaluations with given predictions: members × folds × rows."""
    return [
        Evaluation(
            str(k),
            tuple(
                FoldResult(
                    "ok", {SCORE: score(np.array(p), y)}, np.array(p, float),
                    predict_seconds=0.001 * (k + 1),
                )
                for p, y in zip(folds, y_folds, strict=True)
            ),
        )
        for k, folds in enumerate(predictions)
    ]


def test_weights_of_an_example_computed_by_hand():
    # Errors +1 and -2: two parts of the first and one of the second cancel out.
    stack = np.array([[1.0, 1.0], [-2.0, -2.0]])
    np.testing.assert_allclose(greedy_weights(squares, stack), [2 / 3, 1 / 3])


def test_opposite_members_share_equally():
    stack = np.array([[1.0, -1.0], [-1.0, 1.0], [3.0, 3.0]])
    np.testing.assert_allclose(greedy_weights(squares, stack), [0.5, 0.5, 0])


def test_a_dominating_member_stands_alone():
    stack = np.array([[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]])
    np.testing.assert_array_equal(greedy_weights(squares, stack), [0, 1, 0])


def test_fewer_steps_give_coarser_weights():
    stack = np.array([[1.0, 1.0], [-2.0, -2.0]])
    np.testing.assert_allclose(greedy_weights(squares, stack, n_steps=2), [0.5, 0.5])
    np.testing.assert_allclose(greedy_weights(squares, stack, n_steps=1), [1, 0])


@pytest.mark.parametrize("seed", range(20))
def test_never_worse_than_the_best_single_member(seed):
    stack = np.random.RandomState(seed).normal(size=(8, 30))
    weights = greedy_weights(squares, stack)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert ((weights @ stack) ** 2).mean() <= squares(stack).min() + 1e-12


@pytest.mark.parametrize("max_members", [1, 2, 3])
def test_no_more_members_than_allowed(max_members):
    stack = np.random.RandomState(0).normal(size=(10, 40))
    assert np.count_nonzero(greedy_weights(squares, stack)) > 3
    weights = greedy_weights(squares, stack, max_members=max_members)
    assert np.count_nonzero(weights) == max_members
    assert weights.sum() == pytest.approx(1)


def select_on(evaluations, y_folds, score, classes, size, metric="", **options):
    """`select` for folds whose rows lie one after another."""
    y = np.concatenate(y_folds)
    ends = np.cumsum([len(fold) for fold in y_folds])
    rows = np.split(np.arange(len(y)), ends[:-1])

    def score_rows(prediction, rows):
        return score(prediction, y[rows])

    goal = Goal(score_rows, metric, y, classes, size, **options)
    return select(evaluations, rows, goal)


@pytest.fixture(scope="module")
def regression(diabetes):
    X, y = diabetes
    splits = list(KFold(4, shuffle=True, random_state=0).split(X))
    models = [
        Ridge(0.1),
        KNeighborsRegressor(20),
        DecisionTreeRegressor(max_depth=3, random_state=0),
        LinearRegression(),
    ]
    evaluations = evaluations_of(models, X, y, splits, None, negative_mse)
    return evaluations, [y[test] for _, test in splits]


@pytest.fixture(scope="module")
def classification(iris):
    X, y = iris
    classes = np.unique(y)

    def score(prediction, y):
        return accuracy_score(y, classes[prediction.argmax(axis=1)])

    splits = list(StratifiedKFold(4, shuffle=True, random_state=0).split(X, y))
    models = [
        GaussianNB(),
        KNeighborsClassifier(9),
        DecisionTreeClassifier(max_depth=2, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ]
    evaluations = evaluations_of(models, X, y, splits, classes, score)
    return evaluations, [y[test] for _, test in splits], score, classes


@pytest.fixture(scope="module", params=[1, 4])
def digits(request):
    """A forest that is timid, and a linear model with the lower log loss."""
    X, y = load_digits(return_X_y=True)
    splits = list(StratifiedKFold(4, shuffle=True, random_state=0).split(X, y))
    splits = splits[: request.param]
    models = [
        make_pipeline(StandardScaler(), LogisticRegression(C=0.02)),
        ExtraTreesClassifier(50, min_samples_leaf=3, random_state=0),
    ]
    classes = np.unique(y)

    def score(prediction, y):
        return -log_loss(y, prediction, labels=classes)

    evaluations = evaluations_of(models, X, y, splits, classes, score)
    return evaluations, [y[test] for _, test in splits], score, classes


def test_a_timid_member_is_not_passed_over(digits):
    evaluations, y_folds, score, classes = digits
    assert evaluations[0].mean(SCORE) > evaluations[1].mean(SCORE)
    plain = select_on(evaluations, y_folds, score, classes, 2)
    own = select_on(evaluations, y_folds, score, classes, 2, metric="neg_log_loss")
    assert plain.temperatures is None
    assert own.temperatures[1] < 0.7 and own.weights[1] > plain.weights[1]
    assert own.score > max(plain.score, *(e.mean(SCORE) for e in evaluations))


def test_size_one_has_no_temperature(digits):
    evaluations, y_folds, score, classes = digits
    best = select_on(evaluations, y_folds, score, classes, 1, metric="neg_log_loss")
    assert best.temperatures is None and best.temperature == 1
    assert best.score == evaluations[0].mean(SCORE)


def test_members_are_blended_at_their_own_temperatures():
    X, y = load_digits(return_X_y=True)
    model = MetaLearnerClassifier(
        candidates=["extra trees", "discriminant analysis"], n_candidates=4, cv=3,
        scoring="neg_log_loss", random_state=0,
    ).fit(X[:600], y[:600])  # fmt: skip
    ensemble = model.ensemble_
    assert len(ensemble.temperatures) == len(ensemble.estimators)
    assert min(ensemble.temperatures) < 1
    blend = sum(
        weight * heated(member.predict_proba(X[600:]), temperature)
        for weight, member, temperature in zip(
            ensemble.weights, ensemble.estimators, ensemble.temperatures, strict=True
        )
    )
    blend = heated(blend, ensemble.temperature)
    expected = (1 - ensemble.doubt.sum()) * blend + ensemble.doubt
    np.testing.assert_allclose(model.predict_proba(X[600:]), expected)
    assert model.score(X[600:], y[600:]) > -0.5


def test_ensemble_of_regressors_beats_its_members(regression):
    evaluations, y_folds = regression
    selection = select_on(evaluations, y_folds, negative_mse, None, size=4)
    assert selection.weights.sum() == pytest.approx(1)
    assert np.count_nonzero(selection.weights) > 1 and not selection.single
    assert selection.score > max(e.mean(SCORE) for e in evaluations)


def test_ensemble_of_classifiers_is_no_worse_than_its_members(classification):
    evaluations, y_folds, score, classes = classification
    selection = select_on(evaluations, y_folds, score, classes, size=4)
    assert selection.weights.shape == (4,)
    assert selection.weights.sum() == pytest.approx(1)
    assert selection.score >= 0.9


@pytest.mark.parametrize("size", [2, 3])
def test_size_limits_the_number_of_members(size):
    rng = np.random.RandomState(0)
    y_folds = [rng.normal(size=30) for _ in range(3)]
    noisy = [[y + rng.normal(size=30) for y in y_folds] for _ in range(8)]
    evaluations = evaluations_from(noisy, y_folds)
    selection = select_on(evaluations, y_folds, negative_mse, None, size=8)
    assert np.count_nonzero(selection.weights) > 3
    selection = select_on(evaluations, y_folds, negative_mse, None, size=size)
    assert np.count_nonzero(selection.weights) == size


def twelve_equally_good():
    """True values of four folds, predictions of twelve members, and these evaluated."""
    rng = np.random.RandomState(0)
    y_folds = [rng.normal(size=25) for _ in range(4)]
    noisy = [[y + rng.normal(size=25) for y in y_folds] for _ in range(12)]
    return y_folds, noisy, evaluations_from(noisy, y_folds)


def test_weights_are_the_mean_of_those_selected_without_each_fold():
    y_folds, noisy, evaluations = twelve_equally_good()
    selection = select_on(evaluations, y_folds, negative_mse, None, size=12)
    errors = np.array([np.concatenate(parts) for parts in noisy])
    errors -= np.concatenate(y_folds)
    chosen = [greedy_weights(squares, np.delete(errors, part, axis=1))
              for part in np.split(np.arange(100), 4)]  # fmt: skip
    np.testing.assert_allclose(selection.weights, np.mean(chosen, axis=0))
    # All twelve are equally good: no choice of some rows knows which to prefer.
    once = greedy_weights(squares, errors)
    assert (selection.weights**2).sum() < (once**2).sum()


@pytest.mark.parametrize("weighted", [False, True])
def test_folds_may_have_the_same_rows(weighted):
    """As those of cv=[(one, test), (another, test)], maybe one and the same array."""
    rng = np.random.RandomState(0)
    y, rows = rng.normal(size=40), [np.arange(40)] * 2
    noisy = [[y + sd * rng.normal(size=40) for _ in rows] for sd in (1, 0.1, 0.12)]
    evaluations = evaluations_from(noisy, [y] * 2)

    def score(prediction, rows):
        return negative_mse(prediction, y[rows])

    weights = np.ones(40) if weighted else None
    goal = Goal(score, "", y, None, 3, weights=weights)
    selection = select(evaluations, rows, goal)
    assert selection.weights[0] < 0.1 < selection.weights[1:].min()


def test_every_repetition_has_its_say():
    """Weights without a fold are those of the others of its repetition."""
    rng = np.random.RandomState(0)
    y = rng.normal(size=60)
    rows = [
        test for seed in range(2)
        for _, test in KFold(3, shuffle=True, random_state=seed).split(y)
    ]  # fmt: skip
    noisy = [[y[part] + rng.normal(size=20) for part in rows] for _ in range(6)]
    evaluations = evaluations_from(noisy, [y[part] for part in rows])

    def score(prediction, part):
        return negative_mse(prediction, y[part])

    selection = select(evaluations, rows, Goal(score, "", y, None, 6), n_folds=3)
    errors = [np.array([one[k] - y[rows[k]] for one in noisy]) for k in range(6)]
    others = [(1, 2), (0, 2), (0, 1), (4, 5), (3, 5), (3, 4)]
    chosen = [greedy_weights(squares, np.hstack([errors[k] for k in some]))
              for some in others]  # fmt: skip
    np.testing.assert_allclose(selection.weights, np.mean(chosen, axis=0))
    judged = [negative_mse(np.tensordot(w, [one[k] for one in noisy], 1), y[rows[k]])
              for k, w in enumerate(chosen[:3])]  # fmt: skip
    assert selection.score == pytest.approx(np.mean(judged))


def test_the_heaviest_are_selected_from_anew():
    y_folds, _, evaluations = twelve_equally_good()
    selection = select_on(evaluations, y_folds, negative_mse, None, size=3)
    kept = np.flatnonzero(selection.weights)
    assert len(kept) == 3
    few = [evaluations[i] for i in kept]
    again = select_on(few, y_folds, negative_mse, None, size=3)
    np.testing.assert_allclose(selection.weights[kept], again.weights)


def test_the_heaviest_are_kept_within_the_limits():
    weights, costs = np.array([0.1, 0.4, 0.0, 0.3, 0.2]), np.array([1, 3, 1, 9, 2])
    assert heaviest(weights, 5, costs).tolist() == [0, 1, 3, 4]
    assert heaviest(weights, 2, costs).tolist() == [1, 3]
    # The second does not fit, and those that do take its place.
    assert heaviest(weights, 3, costs, max_cost=6).tolist() == [0, 1, 4]
    unknown = np.array([1, 3, 1, np.nan, 2])
    assert heaviest(weights, 2, unknown).tolist() == [1, 3]


def test_size_one_is_the_best_single_member(regression):
    evaluations, y_folds = regression
    selection = select_on(evaluations, y_folds, negative_mse, None, size=1)
    means = [e.mean(SCORE) for e in evaluations]
    assert selection.single
    assert selection.score == pytest.approx(max(means))
    assert list(np.flatnonzero(selection.weights)) == [int(np.argmax(means))]


def test_a_single_evaluation_stands_alone(regression):
    evaluations, y_folds = regression
    selection = select_on(evaluations[:1], y_folds, negative_mse, None, size=9)
    assert selection.single and list(selection.weights) == [1]


def test_score_is_not_computed_on_rows_that_the_selection_saw():
    # Each of the first two is perfect on one fold and bad on the other; chosen on
    # the fold where it is perfect, it is scored on the one where it is bad.
    y_folds = [np.zeros(4), np.zeros(4)]
    predictions = [
        [[0] * 4, [10] * 4],
        [[10] * 4, [0] * 4],
        [[8] * 4, [8] * 4],
    ]
    evaluations = evaluations_from(predictions, y_folds)
    selection = select_on(evaluations, y_folds, negative_mse, None, size=3)
    assert selection.score == pytest.approx(-100)


def test_score_of_many_lucky_members_is_not_optimistic():
    rng = np.random.RandomState(0)
    y_folds = [rng.normal(size=15) for _ in range(3)]
    noise = [[rng.normal(size=15) for _ in y_folds] for _ in range(25)]
    evaluations = evaluations_from(noise, y_folds)
    selection = select_on(evaluations, y_folds, negative_mse, None, size=25)
    blend = [
        negative_mse(
            sum(
                w * e.folds[k].prediction
                for w, e in zip(selection.weights, evaluations, strict=True)
            ),
            y,
        )
        for k, y in enumerate(y_folds)
    ]
    assert selection.score < np.mean(blend) - 0.05


def test_users_metric_decides_between_ensemble_and_single_member():
    # The blend of 0.6 and 0.4 has the lower squared error, but the metric only
    # asks how often the value is met exactly.
    def hits(prediction, y):
        return float((prediction == y).mean())

    y_folds = [np.zeros(10)] * 2
    exact = [[0.0] * 8 + [3.0] * 2] * 2
    other = [[0.5] * 8 + [-3.0] * 2] * 2
    evaluations = evaluations_from([exact, other], y_folds, hits)
    selection = select_on(evaluations, y_folds, hits, None, size=2)
    assert selection.single
    assert list(selection.weights) == [1, 0]
    assert selection.score == pytest.approx(0.8)


def test_an_ensemble_is_not_slower_than_allowed():
    rng = np.random.RandomState(0)
    y_folds = [rng.normal(size=1000) for _ in range(3)]
    noisy = [[y + rng.normal(size=1000) for y in y_folds] for _ in range(6)]
    evaluations = evaluations_from(noisy, y_folds)  # the k-th takes k ms per 1,000
    for limit in (0.0075, 0.0035):
        selection = select_on(
            evaluations, y_folds, negative_mse, None, 6, max_predict_time=limit
        )
        members = np.flatnonzero(selection.weights)
        assert 0.001 * (members + 1).sum() <= limit
        assert len(members) == 2 + (limit > 0.004)


def test_a_limit_that_none_meets_leaves_the_fastest():
    y_folds = [np.zeros(1000)] * 2
    evaluations = evaluations_from([[[3.0] * 1000] * 2, [[1.0] * 1000] * 2], y_folds)
    with pytest.warns(UserWarning, match="max_predict_time"):
        selection = select_on(
            evaluations, y_folds, negative_mse, None, 2, max_predict_time=1e-5
        )
    assert list(selection.weights) == [1, 0]


def test_a_limit_is_held_against_a_call_with_1000_rows(iris):
    # Of the few rows of a fold every call costs much more than its rows do.
    X, y = iris
    settings = {"n_candidates": 4, "cv": 5, "candidates": "linear", "random_state": 0}
    limit = 0.3
    model = MetaLearnerClassifier(max_predict_time=limit, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = model.fit(X, y).members_["predict_time"].sum()
    folds = model.leaderboard_["predict_seconds"].min()
    assert 0 < told <= limit
    assert told < len(model.members_) * 1000 * folds / (len(y) / 5)
    free = MetaLearnerClassifier(**settings).fit(X, y).members_["predict_time"]
    assert 0 < free.sum() < limit


def unit_of(model, n_rows, worth=-np.inf, **rules):
    """A fold of a table with so many rows to predict, as a worker runs it."""
    X = np.random.default_rng(0).normal(size=(n_rows + 40, 2))
    y = np.arange(len(X)) % 2
    split = (np.arange(40), np.arange(40, len(X)))
    table = describe_table(X)
    task = Reference("key", (X, y, [split], table, None))
    own = custom("mine", model, "classification", ())
    asked = Rules({SCORE: get_scorer("accuracy")}, {}, np.array([0, 1]), **rules)
    return evaluate_unit(task, asked, own, 0, 0, "model", worth)


def test_a_fold_model_is_kept_where_it_may_be_needed_and_is_not_too_large(tmp_path):
    keep = str(tmp_path)
    kept = unit_of(GaussianNB(), 20, keep=keep)
    assert kept_model(kept).predict_proba(np.zeros((3, 2))).shape == (3, 2)
    size = os.path.getsize(kept.model)
    os.remove(kept.model)
    score = kept.scores[SCORE]
    assert unit_of(GaussianNB(), 20, worth=score + 0.01, keep=keep).model is None
    assert unit_of(GaussianNB(), 20, keep=keep, keep_bytes=size - 1).model is None
    assert not any(tmp_path.iterdir())
    fits = unit_of(GaussianNB(), 20, worth=score, keep=keep, keep_bytes=size)
    assert os.path.getsize(fits.model) == size


class Slow(GaussianNB):
    """Takes longer to predict than to fit, whatever the rows."""

    def predict_proba(self, X):
        time.sleep(0.1)
        return super().predict_proba(X)


def test_a_fold_of_few_rows_is_timed_with_1000_if_asked_to():
    few = unit_of(GaussianNB(), 20, time_predict=True)
    assert 0 < few.predict_time < few.predict_seconds * 50
    assert few.model is None and few.spent_seconds > few.predict_time
    assert np.isnan(unit_of(GaussianNB(), 20).predict_time)
    assert np.isnan(unit_of(GaussianNB(), 1000, time_predict=True).predict_time)
    # This might take 5 s.
    assert np.isnan(unit_of(Slow(), 20, time_predict=True).predict_time)


def test_where_all_folds_choose_one_it_is_the_best_by_the_metric():
    # The metric counts large errors; what is minimised is their squares.
    def few_large_errors(prediction, y):
        return -float((np.abs(prediction - y) > 1).mean())

    rng = np.random.RandomState(0)
    y_folds = [rng.normal(size=50) for _ in range(3)]
    rarely_wrong = [y + 9 * (np.arange(50) % 10 == 0) for y in y_folds]
    often_wrong = [y + 1.5 * (np.arange(50) % 4 == 0) for y in y_folds]
    evaluations = evaluations_from(
        [rarely_wrong, often_wrong], y_folds, few_large_errors
    )
    selection = select_on(evaluations, y_folds, few_large_errors, None, size=2)
    assert selection.single
    np.testing.assert_array_equal(selection.weights, [1, 0])


def test_what_is_named_the_best_alone_is_what_predicts():
    X, y = load_wine(return_X_y=True)
    model = MetaLearnerClassifier(
        candidates=["linear", "discriminant analysis"], n_candidates=8, cv=3,
        random_state=0,
    ).fit(X, y)  # fmt: skip
    members = model.members_["configuration"].tolist()
    assert members == [model.best_params_["configuration"]]
    assert model.best_score_ == model.leaderboard_["mean_score"].max()
    np.testing.assert_array_equal(
        model.ensemble_.estimators[0].predict(X),
        model.best_estimator_.predict(X),
    )


def test_the_best_predicts_as_fast_as_it_must():
    y_folds = [np.zeros(1000)] * 2
    slow_and_good = evaluations_from([[[3.0] * 1000] * 2, [[1.0] * 1000] * 2], y_folds)
    result = SimpleNamespace(
        pool=tuple(slow_and_good), rows=y_folds, n_train=(10, 10), trials=(),
        n_comparable=2,
    )
    problem = SimpleNamespace(y=np.zeros(20))
    for limit, best in ((np.inf, 1), (0.0015, 0), (1e-9, 0)):
        assert Refits(problem, result, None, None, None, limit).best == best


def test_what_predicting_costs_is_measured_or_in_proportion():
    fold = FoldResult("ok", predict_seconds=0.01, predict_time=0.02)
    rows = [np.arange(10)] * 2
    assert Evaluation("a", (fold, fold)).predict_time(rows) == 0.02
    unknown = replace(fold, predict_time=np.nan)
    assert Evaluation("a", (fold, unknown)).predict_time(rows) == pytest.approx(1.0)


def test_ranking_loss_is_one_minus_roc_auc(cancer):
    X, y = cancer
    columns = np.round(X[:, :6].T, 1)  # with ties
    expected = [1 - roc_auc_score(y, column) for column in columns]
    np.testing.assert_allclose(ranking_losses(columns, y), expected)


def test_ranks_are_selected_for_by_ranks(cancer):
    X, y = cancer
    goal = Goal(negative_mse, "roc_auc_ovr", y, np.array([0, 1]), 2)
    assert goal.losses is ranking_losses
    three = Goal(negative_mse, "roc_auc_ovr", y, np.array([0, 1, 2]), 2)
    assert three.losses is not ranking_losses


def test_a_constant_has_no_weight_where_only_the_order_counts(cancer):
    X, y = cancer
    X = X[:, [9]]  # hard to tell apart by
    splits = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
    models = [LogisticRegression(), GaussianNB(), DummyClassifier()]

    def area(prediction, y):
        return roc_auc_score(y, prediction[:, 1])

    evaluations = evaluations_of(models, X, y, splits, np.unique(y), area)
    folds = [y[test] for _, test in splits]
    found = select_on(evaluations, folds, area, np.unique(y), 3, "roc_auc_ovr")
    assert not found.single and found.weights[2] == 0
    # If there is nothing else, it is what is left.
    only = [replace(evaluations[2], name=name) for name in ("a", "b")]
    assert select_on(only, folds, area, np.unique(y), 2, "roc_auc_ovr").score == 0.5


def test_absolute_errors_can_be_selected_on():
    # All errors are positive, so the mean absolute error is linear in the weights:
    # the first member alone is best. The squared error prefers a mixture.
    def score(prediction, y):
        return -float(np.abs(prediction - y).mean())

    y_folds = [np.zeros(3)] * 2
    predictions = [[[0, 0, 3.0]] * 2, [[1.2, 1.2, 1.2]] * 2]
    evaluations = evaluations_from(predictions, y_folds, score)
    absolute = select_on(
        evaluations, y_folds, score, None, 2, metric="neg_mean_absolute_error"
    )
    assert list(absolute.weights) == [1, 0]
    evaluations = evaluations_from(predictions, y_folds)
    squared = select_on(evaluations, y_folds, negative_mse, None, size=2)
    assert np.count_nonzero(squared.weights) == 2


def test_ensemble_of_classifiers_averages_probabilities(iris):
    X, y = iris
    members = [GaussianNB().fit(X, y), DecisionTreeClassifier(max_depth=1).fit(X, y)]
    ensemble = WeightedEnsemble(members, np.array([0.25, 0.75]), np.unique(y))
    expected = 0.25 * members[0].predict_proba(X) + 0.75 * members[1].predict_proba(X)
    np.testing.assert_allclose(ensemble.predict_proba(X), expected)
    assert list(ensemble.predict(X)) == list(np.unique(y)[expected.argmax(axis=1)])


def test_ensemble_of_regressors_averages_values(diabetes):
    X, y = diabetes
    members = [Ridge().fit(X, y), KNeighborsRegressor().fit(X, y)]
    ensemble = WeightedEnsemble(members, np.array([0.5, 0.5]))
    expected = (members[0].predict(X) + members[1].predict(X)) / 2
    np.testing.assert_allclose(ensemble.predict(X), expected)
    assert r2_score(y, ensemble.predict(X)) > 0.4
    assert not hasattr(ensemble, "predict_proba")


def test_member_that_lacks_a_class_takes_part(iris):
    X, y = iris
    classes = np.unique(y)
    rows = y != classes[1]
    members = [GaussianNB().fit(X, y), GaussianNB().fit(X[rows], y[rows])]
    ensemble = WeightedEnsemble(members, np.array([0.5, 0.5]), classes)
    probability = ensemble.predict_proba(X)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_allclose(
        probability[:, 1], members[0].predict_proba(X)[:, 1] / 2
    )


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array])
def test_ensemble_of_regressors_takes_sparse_tables(diabetes, make):
    X, y = make(diabetes[0]), diabetes[1]
    model = Ridge().fit(X, y)
    ensemble = WeightedEnsemble([model], np.ones(1))
    np.testing.assert_allclose(ensemble.predict(X), model.predict(X))


def test_decision_function_only_of_a_single_member_that_has_one(cancer):
    X, y = cancer
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    one = WeightedEnsemble([linear], np.ones(1), np.unique(y))
    np.testing.assert_array_equal(one.decision_function(X), linear.decision_function(X))
    two = WeightedEnsemble([linear, forest], np.array([0.5, 0.5]), np.unique(y))
    assert not hasattr(two, "decision_function")
    assert not hasattr(
        WeightedEnsemble([forest], np.ones(1), np.unique(y)), "decision_function"
    )


def test_one_fold_is_not_scored_on_the_rows_that_it_was_selected_on():
    rng = np.random.RandomState(0)
    y_folds = [rng.normal(size=60)]
    noise = [[rng.normal(size=60)] for _ in range(25)]
    selection = select_on(
        evaluations_from(noise, y_folds), y_folds, negative_mse, None, size=25
    )
    # Nothing predicts pure noise better than the mean of all, up to chance.
    assert selection.score < -0.8 * y_folds[0].var()


def test_weights_do_not_depend_on_the_unit_of_the_target():
    rng = np.random.RandomState(0)
    y_folds = [rng.normal(size=40) for _ in range(3)]
    noisy = [[y + rng.normal(size=40) for y in y_folds] for _ in range(5)]
    weights = []
    for unit in (1e-7, 1.0, 1e9):
        scaled = [y * unit for y in y_folds]
        members = [[p * unit for p in folds] for folds in noisy]
        evaluations = evaluations_from(members, scaled)
        selection = select_on(evaluations, scaled, negative_mse, None, size=5)
        weights.append(selection.weights)
    np.testing.assert_allclose(weights[0], weights[1])
    np.testing.assert_allclose(weights[2], weights[1])


def test_no_class_is_less_probable_than_the_rows_can_tell():
    y = np.repeat([0, 1, 2], [20, 20, 59])
    classes = np.arange(3)
    assert Goal(None, "", y, None, 8).doubt is None  # a quantity
    assert Goal(None, "", y, classes, 1).doubt is None  # the plain best pipeline
    doubt = Goal(None, "", y, classes, 8).doubt
    assert doubt.sum() == pytest.approx(1 / 100)
    X = np.zeros((5, 2))
    sure = DummyClassifier(strategy="constant", constant=1).fit(X, [0, 1, 2, 1, 1])
    bold = WeightedEnsemble([sure], np.ones(1), classes)
    modest = WeightedEnsemble([sure], np.ones(1), classes, doubt=doubt)
    np.testing.assert_array_equal(bold.predict_proba(X)[0], [0, 1, 0])
    expected = 0.99 * np.array([0, 1, 0]) + doubt
    np.testing.assert_allclose(modest.predict_proba(X)[0], expected)
    np.testing.assert_array_equal(modest.predict(X), bold.predict(X))
