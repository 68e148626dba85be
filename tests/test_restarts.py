"""Searches on other folds while there is time, and the mean of what they choose."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold, train_test_split
from test_faults import BAD, learner

from sk_meta import MetaLearnerClassifier
from sk_meta._catalogue import choose
from sk_meta._evaluation import OK, SCORE, Evaluation, FoldResult
from sk_meta._folds import N_RESTARTS
from sk_meta._record import FROM_CHECKPOINT
from sk_meta._restarts import Searches, joined, mean_selection
from sk_meta._search import SearchResult, Trial
from sk_meta._selection import Selection

# So few, and of names and not families, that a search ends by itself, and soon.
FEW = ["logistic-C1", "lda", "knn-5", "tree-depth3", "naive-bayes-smooth", "dummy"]
SETTINGS = {"candidates": FEW, "scoring": "neg_log_loss", "random_state": 0}
X, Y = load_wine(return_X_y=True)
TRAIN, TEST, Y_TRAIN, Y_TEST = train_test_split(X, Y, random_state=0, stratify=Y)


@pytest.fixture(scope="module")
def searched():
    return MetaLearnerClassifier(time_budget=120, n_jobs=2, **SETTINGS).fit(
        TRAIN, Y_TRAIN
    )


def restarts(model):
    told = model.evaluations_
    return told[told["stage"] == "restart"]


def test_every_search_has_folds_of_its_own(searched):
    told, restarted = searched.evaluations_, restarts(searched)
    first = set(told["split"]) - set(restarted["split"])
    assert not first & set(restarted["split"])
    # Every configuration is tried anew on the folds of every search.
    name = searched.best_params_["configuration"]
    best = restarted[restarted["configuration"] == name]
    assert best["split"].nunique() == len(best) >= N_RESTARTS * searched.n_splits_
    assert restarted["status"].eq("ok").any()
    assert restarted["started"].min() >= told.loc[first_rows(told), "ended"].max()


def first_rows(told):
    return told["stage"].isin(["folds", "repeat"])


def test_the_ensemble_is_one_of_all_searches(searched):
    members, board = searched.members_, searched.leaderboard_
    assert members["weight"].sum() == pytest.approx(1)
    assert len(members) <= searched.ensemble_size
    weights = board.set_index("configuration")["weight"]
    for name, weight in zip(members["configuration"], members["weight"], strict=True):
        assert weights[name] == pytest.approx(weight)
    assert board["configuration"].is_unique and set(board["configuration"]) <= set(FEW)
    assert searched.stop_reason_ == "every configuration evaluated"
    np.testing.assert_allclose(searched.predict_proba(TEST).sum(axis=1), 1)
    assert searched.score(TEST, Y_TEST) > -0.2
    assert searched.ensemble_score_ > -0.2
    told = searched.evaluations_
    assert told["best_score"].diff().min() >= 0
    # The best single one is chosen by the folds of the first search alone.
    assert told["best_score"].iloc[-1] >= searched.best_score_
    assert board["configuration"].iloc[0] == searched.best_params_["configuration"]
    assert searched.evaluation_time_ > searched.evaluations_["fit_seconds"].sum() / 2


def test_the_belief_is_that_of_the_first_search(searched):
    known = searched.beliefs_["step"].max()
    assert known <= first_rows(searched.evaluations_).sum()


@pytest.mark.parametrize(
    "settings",
    [
        {"time_budget": 120, "ensemble_size": 1},
        {"time_budget": 120, "n_candidates": 50},
        {"time_budget": 120, "cv": StratifiedKFold(3)},
        {"n_candidates": 50},
    ],
    ids=["single", "count too", "own folds", "count"],
)
def test_there_is_one_search_if(settings):
    model = MetaLearnerClassifier(**{**SETTINGS, **settings}).fit(TRAIN, Y_TRAIN)
    assert restarts(model).empty and not model.evaluations_.empty


class StopsInTheSecondSearch:
    """Asks for the end when the first fold of a further search has ended."""

    def setup(self, estimator, context):
        self.searches = 0

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.searches += context.task_name == "search"

    def on_fit_task_end(self, estimator, context):
        return self.searches == 2


def test_a_callback_can_end_a_further_search_at_once():
    model = MetaLearnerClassifier(time_budget=120, n_jobs=2, **SETTINGS)
    model.set_callbacks(StopsInTheSecondSearch()).fit(TRAIN, Y_TRAIN)
    assert model.stop_reason_ == "stopped by a callback"
    assert 1 <= len(restarts(model)) <= 5
    # What was stopped so early has no part in the ensemble.
    first = set(model.evaluations_.query("stage == 'folds'")["configuration"])
    assert set(model.members_["configuration"]) <= first
    assert model.score(TEST, Y_TEST) > -0.3


def test_what_hung_is_not_tried_again():
    model = learner("sleep", n_jobs=2, time_budget=40, n_candidates="auto", cv=None)
    model.set_params(scoring="neg_log_loss").fit(TRAIN, Y_TRAIN)
    assert not restarts(model).empty
    hung = model.evaluations_[model.evaluations_["configuration"] == BAD]
    assert set(hung["stage"]) == {"folds"} and set(hung["status"]) == {"timeout"}


def test_a_checkpoint_is_of_all_searches(tmp_path):
    begun = MetaLearnerClassifier(
        time_budget=120, n_jobs=2, checkpoint=tmp_path, **SETTINGS
    ).fit(TRAIN, Y_TRAIN)
    assert not restarts(begun).empty
    files = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    again = begun.__sklearn_clone__().fit(TRAIN, Y_TRAIN)
    assert not restarts(again).empty
    # With a count there are no further searches, and the folder is of use to it, too.
    counted = MetaLearnerClassifier(n_candidates=6, checkpoint=tmp_path, **SETTINGS)
    counted.fit(TRAIN, Y_TRAIN)
    now = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert {file: now[file] for file in files} == files
    for told in (restarts(again), counted.evaluations_):
        assert told["worker"].eq(FROM_CHECKPOINT).any()


# What is joined, and how.

ROWS = [np.arange(4), np.arange(4, 8)]


def evaluation(name, score, predict_seconds=0.001, n_folds=2):
    fold = FoldResult(
        OK, {SCORE: score}, np.zeros(4), fit_seconds=1.0,
        predict_seconds=predict_seconds,
    )  # fmt: skip
    return Evaluation(name, (fold,) * n_folds)


def found(tried, pool, catalogue):
    trials = tuple(
        Trial(one, catalogue[one.name], 0.0, 1.0, float(i))
        for i, one in enumerate(tried)
    )
    return SearchResult(trials, tuple(pool), ROWS, (4,) * len(pool), "ended", len(pool))


@pytest.fixture(scope="module")
def two():
    """B was dropped in the first search and is a member in the second, as is C."""
    names = ["logistic-C1", "lda", "knn-5"]
    known = {one.name: one for one in choose(names, "classification")}
    a, b, c = (evaluation(name, score) for name, score in
               zip(names, (0.9, 0.8, 0.7), strict=True))  # fmt: skip
    dropped = Evaluation(b.name, (FoldResult("dropped", error="hopeless"),))
    first = found([a, dropped], [a], known)
    second = found([c, b, evaluation(a.name, 0.5, n_folds=3)], [c, b], known)
    return first, second


def test_one_search_is_left_as_it_is(two):
    selection = Selection(np.ones(1), 0.9, True)
    assert joined([two[0]]) is two[0]
    assert mean_selection([two[0]], [selection], 8) is selection
    assert mean_selection([two[0]], [None], 8) is None


@pytest.mark.parametrize("temperatures", [None, np.array([2.0, 3.0])])
def test_what_only_one_search_has_chosen_is_in_the_order_of_all(two, temperatures):
    only = Selection(np.array([0.25, 0.75]), 0.7, False, 4.0, temperatures)
    found = mean_selection(list(two), [None, only], 8)
    np.testing.assert_array_equal(found.weights, [0, 0.25, 0.75])
    assert (found.score, found.single, found.temperature) == (0.7, False, 4.0)
    if temperatures is None:
        assert found.temperatures is None
    else:
        np.testing.assert_array_equal(found.temperatures, [1, 2, 3])
    first = mean_selection(list(two), [Selection(np.ones(1), 0.9, True), None], 8)
    np.testing.assert_array_equal(first.weights, [1, 0, 0])
    assert mean_selection(list(two), [None, None], 8) is None


def test_what_a_further_search_has_found_may_have_no_part(monkeypatch):
    choose_one = Searches._choose_one

    def choose_from_the_first(self, usable=None):
        if len(self._found) == 1:
            choose_one(self, usable)
        else:  # as where it was stopped
            self._selections.append(None)

    monkeypatch.setattr(Searches, "_choose_one", choose_from_the_first)
    names = [*FEW, "logistic-r21", "lda-shrunk", "svc-C3", "forest", "extra-trees"]
    model = MetaLearnerClassifier(time_budget=120, n_jobs=2, **SETTINGS)
    model.set_params(candidates=names).fit(TRAIN, Y_TRAIN)
    told, restarted = model.evaluations_, restarts(model)
    full = restarted.groupby("configuration").size() >= 5
    first = set(told.loc[first_rows(told), "configuration"])
    assert full.any() and first
    assert model.members_["weight"].sum() == pytest.approx(1)
    assert set(model.members_["configuration"]) <= first
    assert model.score(TEST, Y_TEST) > -0.3


def test_a_configuration_is_told_of_by_the_search_that_may_use_it(two):
    both = joined(list(two))
    assert [one.name for one in both.pool] == ["logistic-C1", "knn-5", "lda"]
    told = {trial.configuration.name: trial.evaluation for trial in both.trials}
    assert len(both.trials) == 3
    assert told["lda"].status == OK
    assert told["logistic-C1"].mean(SCORE) == 0.9
    assert both.n_train == (4, 4, 4) and both.rows is two[0].rows
    assert both.n_comparable == 1  # the others were scored on other folds


def test_weights_and_scores_are_means(two):
    first = Selection(np.ones(1), 0.9, True, doubt=np.full(2, 0.01))
    second = Selection(np.array([0.25, 0.75]), 0.7, False, temperature=4.0)
    mean = mean_selection(list(two), [first, second], 8)
    np.testing.assert_allclose(mean.weights, [0.5, 0.125, 0.375])
    assert mean.score == pytest.approx(0.8)
    assert mean.temperature == pytest.approx(2)
    assert not mean.single and mean.temperatures is None
    np.testing.assert_array_equal(mean.doubt, first.doubt)
    two_members = mean_selection(list(two), [first, second], 2)
    np.testing.assert_allclose(two_members.weights, [0.5 / 0.875, 0, 0.375 / 0.875])


def test_a_member_has_the_mean_temperature_of_the_searches_that_chose_it(two):
    first = Selection(np.ones(1), 0.9, True)
    second = Selection(np.array([0.5, 0.5]), 0.7, False, 1.0, np.array([4.0, 1.0]))
    mean = mean_selection(list(two), [first, second], 8)
    np.testing.assert_allclose(mean.temperatures, [1, 4, 1])
    warm = replace(first, temperature=3.0)
    mean = mean_selection(list(two), [warm, second], 8)
    np.testing.assert_allclose(mean.temperatures, [3, 4, 1])
    assert mean.temperature == 1


def test_members_are_within_the_time_for_predicting(two):
    first = Selection(np.ones(1), 0.9, True)
    second = Selection(np.array([0.5, 0.5]), 0.7, False)
    one = two[0].pool[0].predict_time(ROWS)
    mean = mean_selection(list(two), [first, second], 8, 2.5 * one)
    assert np.count_nonzero(mean.weights) == 2
    assert mean.weights.sum() == pytest.approx(1)
    assert mean_selection(list(two), [first, second], 8, one / 2).single
