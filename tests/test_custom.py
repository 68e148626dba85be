"""Estimators of the user's own among the candidates."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from sk_meta import MetaLearnerClassifier, MetaLearnerRegressor
from sk_meta._catalogue import catalogue, choose, template_of
from sk_meta._pretrained import trained
from sk_meta._relatives import Relatives

FEW = {"cv": 3, "random_state": 0, "n_candidates": 3}


class Centroids(ClassifierMixin, BaseEstimator):
    """Nearest class mean, as somebody may have written it."""

    def __init__(self, power=2.0):
        self.power = power

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.array([X[y == c].mean(axis=0) for c in self.classes_])
        return self

    def predict_proba(self, X):
        gaps = np.abs(X[:, None] - self.means_) ** self.power
        nearness = np.exp(-gaps.mean(axis=2))
        return nearness / nearness.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_own_estimators_are_ranked_run_and_reported_like_the_rest():
    X, y = load_iris(return_X_y=True)
    own = [("centroids", Centroids()), ("my forest", RandomForestClassifier(20))]
    model = MetaLearnerClassifier(candidates=["logistic-C1", *own], **FEW)
    ranking = model.recommend(X, y).set_index("configuration")
    assert set(ranking.index) == {"logistic-C1", "centroids", "my forest"}
    assert np.isfinite(ranking["predicted_score"]).all()
    assert (ranking["predicted_low"] < ranking["predicted_high"]).all()
    board = model.fit(X, y).leaderboard_.set_index("configuration")
    assert (board["status"] == "ok").all()
    assert board.loc["my forest", "family"] == "random forest"
    assert board.loc["centroids", "family"] == "own"
    assert board.loc["centroids", "params"] == {"estimator": "Centroids()"}
    scaled = make_pipeline(StandardScaler(), Centroids())
    expected = cross_val_score(scaled, X, y, cv=5).mean()
    assert board.loc["centroids", "mean_score"] == pytest.approx(expected, abs=0.03)


def test_an_own_estimator_alone_is_the_best_estimator():
    X, y = load_breast_cancer(return_X_y=True)
    model = MetaLearnerClassifier(candidates=[("mine", Centroids(3.0))], **FEW)
    model.fit(X, y)
    assert model.best_params_["configuration"] == "mine"
    assert isinstance(model.best_estimator_[-1], Centroids)
    assert model.best_estimator_[-1].power == 3.0
    assert model.score(X, y) > 0.85


def test_a_pipeline_gets_the_table_as_it_is():
    frame = pd.DataFrame({"word": ["a", "b", "c"] * 30, "number": range(90)})
    y = np.array([0, 1, 1] * 30)
    encode = make_column_transformer((OneHotEncoder(), ["word"]))
    own = Pipeline([("encode", encode), ("decide", LogisticRegression())])
    model = MetaLearnerClassifier(candidates=[("mine", own)], **FEW).fit(frame, y)
    assert model.score(frame, y) == 1
    assert list(model.best_estimator_.named_steps) == ["encode", "decide"]


def test_what_else_a_pipeline_does_is_kept(tmp_path):
    steps = [("scale", StandardScaler()), ("model", LogisticRegression())]
    mine = Pipeline(steps, memory=str(tmp_path))
    model = MetaLearnerClassifier(candidates=[("mine", mine)], cv=2, n_candidates=1)
    model.fit(*load_iris(return_X_y=True))
    assert model.best_estimator_[-1].memory == str(tmp_path)
    assert list(tmp_path.rglob("*.pkl"))
    X, y = load_iris(return_X_y=True)
    weighted = clone(model).fit(X, y, sample_weight=np.where(y == 2, 1e-6, 1.0))
    assert not (weighted.predict(X) == 2).any()


def test_anything_else_gets_numbers(messy):
    y = np.arange(len(messy)) % 2
    own = [("mine", RandomForestClassifier(5)), ("yours", Centroids())]
    model = MetaLearnerClassifier(candidates=own, **FEW).fit(messy, y)
    assert (model.leaderboard_["status"] == "ok").all()


@pytest.mark.parametrize("estimator", [RidgeClassifier(), LinearSVC()])
def test_probabilities_are_made_where_there_are_none(estimator):
    X, y = load_breast_cancer(return_X_y=True)
    for own in (estimator, make_pipeline(StandardScaler(), estimator)):
        params = FEW | {"scoring": "neg_log_loss", "candidates": [("mine", own)]}
        model = MetaLearnerClassifier(**params).fit(X, y)
        assert model.best_score_ > -0.3


def test_a_seed_is_given_only_where_there_is_none():
    forest = RandomForestClassifier(5)
    seeded = RandomForestClassifier(5, random_state=7)
    pipes = choose(
        [("one", make_pipeline(forest)), ("two", make_pipeline(seeded))],
        "classification",
    )
    steps = [c.build(None, 3).steps[-1][1].random_state for c in pipes]
    assert steps == [3, 7]
    assert forest.random_state is None  # the user's own is left alone


def test_what_works_in_place_spoils_nothing_for_others():
    X, y = load_diabetes(return_X_y=True)
    own = ("mine", LinearRegression(copy_X=False))
    found = []
    for candidates in (["ridge"], [own, "ridge"]):
        model = MetaLearnerRegressor(candidates=candidates, **FEW).fit(X, y)
        board = model.leaderboard_.set_index("configuration")
        found.append(board.loc["ridge", "mean_score"])
    assert found[0] == found[1]


def test_what_fails_is_reported_and_costs_only_itself():
    class Broken(Centroids):
        def fit(self, X, y):
            raise RuntimeError("out of order")

    X, y = load_iris(return_X_y=True)
    model = MetaLearnerClassifier(
        candidates=[("broken", Broken()), "logistic-C1"], **FEW
    ).fit(X, y)
    board = model.leaderboard_.set_index("configuration")
    assert board.loc["broken", "reason"] == "RuntimeError: out of order"
    assert board.loc["logistic-C1", "status"] == "ok"


def test_the_estimator_clones_with_its_candidates():
    own = [("mine", Centroids(1.5)), "linear"]
    model = MetaLearnerClassifier(candidates=own)
    twin = clone(model)
    assert twin.candidates[1] == "linear"
    assert twin.candidates[0][1].power == 1.5
    assert twin.candidates[0][1] is not own[0][1]


def test_regressors_are_taken_for_quantities():
    X, y = load_diabetes(return_X_y=True)
    plain = LinearRegression()
    own = [("mine", plain), ("mine in a pipeline", make_pipeline(plain))]
    model = MetaLearnerRegressor(candidates=own, **FEW).fit(X, y)
    assert 0.4 < model.best_score_ < 0.6


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ([("mine", LinearRegression())], r"'mine' \(LinearRegression\) is not a class"),
        ([("mine", RandomForestClassifier)], "'mine' is not an estimator"),
        ([("mine", "linear")], "'mine' is not an estimator"),
        ([("logistic-C1", LogisticRegression())], "'logistic-C1' is taken"),
        ([("a", Centroids()), ("a", Centroids())], "'a' is taken"),
        ([Centroids()], r"candidates holds Centroids\(\)"),
        (["linaer", ("mine", Centroids())], r"\['linaer'\] are not known"),
        ([], "are not known"),
        (lambda configuration: False, "true of no configuration"),
        (choose(["ridge"], "regression"), "'ridge' is made for regression"),
    ],
)
def test_candidates_that_make_no_sense_are_refused(candidates, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        MetaLearnerClassifier(candidates=candidates, **FEW).fit(X, y)


def test_a_filter_is_asked_about_every_configuration():
    X, y = load_iris(return_X_y=True)

    def small_trees(configuration):
        return configuration.family == "decision tree"

    model = MetaLearnerClassifier(candidates=small_trees, **FEW).fit(X, y)
    assert set(model.leaderboard_["family"]) == {"decision tree"}
    known = {c.name for c in catalogue("classification")}
    assert set(model.leaderboard_["configuration"]) < known


def test_no_new_configurations_are_made_of_the_users_own():
    (own,) = choose([("mine", HistGradientBoostingClassifier())], "classification")
    assert own.family == "histogram gradient boosting"
    assert template_of(own) is None


def test_a_checkpoint_tells_own_candidates_of_one_name_apart(tmp_path):
    X, y = load_iris(return_X_y=True)
    found = []
    for power in (2.0, 0.1):
        model = MetaLearnerClassifier(
            candidates=[("mine", Centroids(power))], checkpoint=tmp_path, **FEW
        )
        found.append(model.fit(X, y).best_score_)
    assert found[0] != found[1]


# What is expected of them


@pytest.fixture(scope="module")
def known():
    """The belief about a table, and the catalogue it is about."""
    every = catalogue("classification")
    names = tuple(c.name for c in every)
    model = trained(None, "classification", "hybrid", names)
    features = {"nr_inst": 500.0, "nr_attr": 10.0, "nr_encoded": 10.0, "nr_class": 2.0}
    return model.belief(features, "neg_log_loss"), every


def extended(known, *own):
    belief, every = known
    relatives = Relatives(choose(list(own), "classification"), every)
    return relatives.belief(belief)


@pytest.mark.parametrize(
    ("estimator", "family"),
    [
        (LogisticRegression(), "linear"),
        (RandomForestClassifier(), "random forest"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "linear"),
        (Centroids(), "own"),
    ],
)
def test_the_family_is_that_of_the_same_models_on_the_same_table(estimator, family):
    (own,) = choose([("mine", estimator)], "classification")
    assert own.family == family


def test_one_of_a_family_is_expected_to_be_like_the_family(known):
    belief, every = known
    wider = extended(known, ("mine", RandomForestClassifier()))
    members = [i for i, c in enumerate(every) if c.family == "random forest"]
    assert wider.mean()[-1] == pytest.approx(belief.mean()[members].mean())
    assert wider.seconds()[-1] == pytest.approx(
        np.exp(belief.clock.mean[members].mean())
    )
    assert wider.sd()[-1] > belief.sd()[members].min()
    np.testing.assert_allclose(wider.mean()[:-1], belief.mean())


def test_one_without_relatives_is_less_certain_than_most(known):
    with_some = (RandomForestClassifier(), LogisticRegression(), KNeighborsClassifier())
    others = [(type(model).__name__, model) for model in with_some]
    own, *sd = extended(known, ("mine", Centroids()), *others).sd()[-4:]
    assert own > np.mean(sd)
    assert own > np.median(known[0].sd())


def test_its_relatives_tell_of_it_and_it_of_them(known):
    wider = extended(known, ("mine", RandomForestClassifier()))
    every = known[1]
    forest = next(i for i, c in enumerate(every) if c.family == "random forest")
    before = wider.mean()
    wider.observe(forest, before[forest] - 0.5)
    assert wider.mean()[-1] < before[-1]
    again = extended(known, ("mine", RandomForestClassifier()))
    again.observe(len(every), before[-1] - 0.5)
    assert again.mean()[forest] < before[forest]


def test_the_covariance_stays_one(known):
    wider = extended(known, ("a", Centroids()), ("b", RandomForestClassifier()))
    for component in (*wider.components, wider.clock):
        smallest = np.linalg.eigvalsh(component.covariance).min()
        assert smallest > -1e-8
    assert wider.history.h.shape[1] == len(wider.names) == len(known[1]) + 2
    assert np.isfinite(wider.utility(range(len(wider.names)))).all()
