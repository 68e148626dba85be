"""Sample weights, groups, splitters and several scorers, with and without routing."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_meta import MetaLearnerClassifier, MetaLearnerRegressor
from sk_meta._catalogue import catalogue
from sk_meta._evaluation import fit_weighted
from sk_meta._folds import HOLDOUT_ROWS, fewer_folds, plan_folds
from sk_meta._selection import _halves
from sk_meta._table import describe_table, describe_target

FEW = {"n_candidates": 2, "candidates": ["linear", "decision tree"], "cv": 3,
       "random_state": 0}  # fmt: skip


def two_views(n_rows=200, seed=0):
    """Rows of which the first half says the opposite of the second."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 3))
    y = (X[:, 0] > 0).astype(int)
    first = np.arange(n_rows) < n_rows // 2
    return X, np.where(first, 1 - y, y), first


# Sample weights


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_rows_of_weight_zero_are_as_good_as_gone(task):
    load = load_iris if task == "classification" else load_diabetes
    X, y = load(return_X_y=True)
    estimator = {
        "classification": MetaLearnerClassifier(**FEW),
        "regression": MetaLearnerRegressor(**FEW),
    }[task]
    weights = np.where(np.arange(len(y)) % 3 == 0, 0.0, 2.0)
    weights[1] = 1.0  # not all the same
    weighted = estimator.fit(X, y, sample_weight=weights)
    expected = weighted.predict(X)
    kept = weights > 0
    alone = estimator.fit(X[kept], y[kept], sample_weight=weights[kept])
    np.testing.assert_allclose(alone.predict(X), expected)


def test_splits_of_the_user_are_renumbered_without_the_rows_of_weight_zero():
    X, y = load_iris(return_X_y=True)
    weights = np.where(np.arange(150) % 2, 1.0, 0.0)
    fold = np.arange(150) // 2 % 3
    estimator = MetaLearnerClassifier(**FEW | {"cv": PredefinedSplit(fold)})
    estimator.fit(X, y, sample_weight=weights)
    score = estimator.best_score_
    odd = weights > 0
    estimator.set_params(cv=PredefinedSplit(fold[odd]))
    estimator.fit(X[odd], y[odd], sample_weight=weights[odd])
    assert estimator.best_score_ == score


def test_what_is_learned_and_scored_follows_the_weights():
    X, y, first = two_views()
    for heavy in (first, ~first):
        weights = np.where(heavy, 1.0, 0.01)
        model = MetaLearnerClassifier(**FEW).fit(X, y, sample_weight=weights)
        assert model.score(X[heavy], y[heavy]) > 0.9
        assert model.score(X, y, sample_weight=weights) > 0.9
        assert model.best_score_ > 0.9  # half of the rows count for nothing
        assert model.ensemble_score_ > 0.9
    assert MetaLearnerClassifier(**FEW).fit(X, y).best_score_ < 0.8


def test_the_ensemble_is_selected_by_weighted_losses():
    X, y, first = two_views()
    weights = np.where(first, 1.0, 0.01)
    params = FEW | {"n_candidates": 6, "scoring": "roc_auc"}
    model = MetaLearnerClassifier(**params).fit(X, y, sample_weight=weights)
    assert model.ensemble_score_ > 0.9


def test_the_unit_of_the_weights_does_not_matter():
    X, y = load_diabetes(return_X_y=True)
    weights = np.random.default_rng(0).uniform(1, 3, len(y))
    found = [
        MetaLearnerRegressor(**FEW).fit(X, y, sample_weight=unit * weights).predict(X)
        for unit in (1, 1000)
    ]
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_configurations_without_weights_are_excluded_and_say_so():
    X, y = load_iris(return_X_y=True)
    params = FEW | {"candidates": ["linear", "discriminant analysis"]}
    model = MetaLearnerClassifier(**params)
    model.fit(X, y, sample_weight=np.linspace(1, 2, 150))
    board = model.leaderboard_.set_index("configuration")
    assert board.loc["lda", "reason"] == "takes no sample weights"
    assert set(board.loc[board["status"] == "ok", "family"]) == {"linear"}
    excluded = model.fit(X, y).leaderboard_["reason"].dropna()
    assert not excluded.str.contains("weights").any()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_who_says_to_take_weights_takes_them(task):
    X, y = (load_iris if task == "classification" else load_diabetes)(return_X_y=True)
    X, y = X[::2], y[::2]
    table, target = describe_table(X), describe_target(y, task)
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.1, 3, len(y))
    n_taking = 0
    for configuration in catalogue(task)[::7]:
        if configuration.why_not(table, target, weighted=True) is None:
            fit_weighted(configuration.build(table, 0), X, y, weights)
            n_taking += 1
    assert n_taking > 5


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(149), r"sample_weight.shape == \(149,\), expected \(150,\)"),
        (np.ones((150, 2)), "must be 1D array or scalar"),
        (np.r_[-1, np.ones(149)], "negative"),
        (np.r_[np.nan, np.ones(149)], "NaN"),
        (np.zeros(150), "zeros alone"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        MetaLearnerClassifier(**FEW).fit(X, y, sample_weight=weights)


# Groups and splitters


class Recording(KFold):
    """Folds that remember the groups they were given."""

    seen = None

    def split(self, X, y=None, groups=None):
        type(self).seen = groups
        return super().split(X, y)


def assert_grouped(splits, groups):
    for train, test in splits:
        assert len(train) and len(test)
        assert not set(groups[train]) & set(groups[test])


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("cv", [None, 3, 20])
def test_no_group_is_on_both_sides(task, cv):
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 12, 240)
    y = rng.integers(0, 2, 240) if task == "classification" else rng.normal(size=240)
    target = describe_target(y, task)
    folds = plan_folds(cv, np.zeros((240, 1)), y, target, 0, groups)
    assert_grouped(folds.splits, groups)
    assert len(folds.judged) == min(cv or 5, 12)
    if cv is None:
        fewer = fewer_folds(folds, 100.0, 1.0, y, target, 0, groups)
        assert len(fewer.judged) == 3
        assert_grouped(fewer.splits, groups)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_many_rows_are_split_once_by_groups(task):
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 1000, HOLDOUT_ROWS)
    y = rng.integers(0, 2, HOLDOUT_ROWS)
    y = y if task == "classification" else y + rng.normal(size=HOLDOUT_ROWS)
    folds = plan_folds(
        None, np.zeros((len(y), 1)), y, describe_target(y, task), 0, groups
    )
    assert len(folds.judged) == 1
    assert_grouped(folds.splits, groups)


def test_groups_of_copies_give_an_honest_score():
    """Copies of a row on both sides would make memorising look good."""
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(60, 3)), 4, axis=0)
    y, groups = np.repeat(rng.integers(0, 2, 60), 4), np.repeat(np.arange(60), 4)
    model = MetaLearnerClassifier(**FEW | {"candidates": "nearest neighbours"})
    assert model.fit(X, y).best_score_ > 0.9
    assert model.fit(X, y, groups=groups).best_score_ < 0.7


def test_names_as_groups_reach_the_splitter():
    X, y = load_iris(return_X_y=True)
    groups = np.array(["a", "b", "c", "d"])[np.arange(150) % 4]
    model = MetaLearnerClassifier(**FEW | {"cv": Recording(3, shuffle=True)})
    model.fit(X, y, groups=groups)
    assert (pd.factorize(groups)[0] == Recording.seen).all()
    for cv in (GroupKFold(4), LeaveOneGroupOut()):
        model.set_params(cv=cv).fit(X, y, groups=groups)
        assert model.n_splits_ == 4
    with pytest.raises(ValueError, match="groups"):
        model.fit(X, y)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.zeros(150), "a single group"),
        (np.arange(149), "inconsistent numbers of samples"),
        (np.r_[np.nan, np.arange(149)], "1 missing value"),
    ],
)
def test_groups_that_make_no_sense_are_refused(groups, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        MetaLearnerClassifier(**FEW).fit(X, y, groups=groups)


@pytest.mark.parametrize(
    "cv",
    [
        TimeSeriesSplit(4),
        PredefinedSplit(np.r_[np.full(300, -1), np.arange(142) % 2]),
        ShuffleSplit(3, test_size=0.2, random_state=0),
        [(np.arange(300), np.arange(300, 442))],
        [(np.arange(442) < 300, np.arange(442) >= 300)],
    ],
    ids=["time series", "predefined", "shuffled", "one split", "masks"],
)
def test_test_rows_need_not_cover_the_table(cv):
    X, y = load_diabetes(return_X_y=True)
    model = MetaLearnerRegressor(**FEW | {"cv": cv, "n_candidates": 4}).fit(X, y)
    assert 0.2 < model.best_score_ < 0.7
    assert model.score(X, y) > 0.4
    board = model.leaderboard_
    assert (board.loc[board["status"] == "ok", "n_folds"] == model.n_splits_).all()


def test_a_split_whose_test_rows_weigh_nothing_is_refused():
    X, y = load_iris(return_X_y=True)
    fold = np.arange(150) % 3
    model = MetaLearnerClassifier(**FEW | {"cv": PredefinedSplit(fold)})
    with pytest.raises(ValueError, match="have a sample_weight of zero"):
        model.fit(X, y, sample_weight=(fold > 0).astype(float))


def test_recommending_takes_groups_and_weights():
    X, y = load_iris(return_X_y=True)
    model = MetaLearnerClassifier(**FEW | {"cv": GroupKFold(3), "candidates": None})
    ranking = model.recommend(X, y, groups=np.arange(150) // 5)
    assert len(ranking) > 20
    weighted = model.recommend(
        X, y, groups=np.arange(150) // 5, sample_weight=np.linspace(1, 2, 150)
    )
    reasons = weighted.set_index("configuration")["excluded"]
    assert reasons["lda"] == "takes no sample weights"


def test_with_one_split_the_ensemble_is_chosen_and_judged_by_different_groups():
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    rows = np.arange(1, 8)
    first, second = _halves(rows, groups)
    assert set(groups[rows[first]]) == {0, 2} and set(groups[rows[second]]) == {1, 3}
    first, second = _halves(rows, None)
    assert list(rows[first]) == [1, 3, 5, 7] and list(rows[second]) == [2, 4, 6]


def test_equal_weights_are_no_weights():
    X, y = load_iris(return_X_y=True)
    params = FEW | {"candidates": ["linear", "discriminant analysis"]}
    model = MetaLearnerClassifier(**params).fit(X, y, sample_weight=np.full(150, 3.0))
    assert not model.leaderboard_["reason"].dropna().str.contains("weights").any()


def test_a_split_without_rows_is_refused():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="without training or test rows"):
        MetaLearnerClassifier(**FEW | {"cv": [([], [1, 2])]}).fit(X, y)


# Metadata routing


def test_splits_whose_training_rows_are_of_one_class_are_left_out(iris):
    X, y = iris
    order = np.argsort(y == "virginica", kind="stable")  # the others first
    X, y = X[order], (y == "virginica")[order].astype(int)
    X, y = X[40:], y[40:]  # 60 of one class, 50 of the other
    few = {**FEW, "cv": TimeSeriesSplit(4)}
    model = MetaLearnerClassifier(**few)
    with pytest.warns(UserWarning, match="2 of 4 splits of cv are left out"):
        model.fit(X, y)
    assert model.n_splits_ == 2 and model.best_score_ > model.dummy_score_ + 0.5
    with pytest.raises(ValueError, match="every split are of one class"):
        model.fit(X[:61], y[:61])


def test_splits_that_can_not_be_are_told(iris, diabetes):
    X, y = iris
    rows = np.arange(100)
    with pytest.raises(ValueError, match="names row 199, and there are 150"):
        MetaLearnerClassifier(**{**FEW, "cv": [(rows, rows + 100)]}).fit(X, y)
    X, y = diabetes
    with pytest.raises(ValueError, match="not defined for a single test row"):
        MetaLearnerRegressor(**{**FEW, "cv": LeaveOneOut()}).fit(X[:30], y[:30])


def test_weights_and_groups_are_routed_through_cross_validation():
    X, y, first = two_views()
    params = {"sample_weight": np.where(first, 1.0, 0.01),
              "groups": np.arange(200) // 4}  # fmt: skip
    with config_context(enable_metadata_routing=True):
        model = MetaLearnerClassifier(**FEW)
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            cross_validate(model, X, y, cv=KFold(2), params=params)
        model.set_fit_request(sample_weight=True, groups=True)
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        found = cross_validate(
            model, X, y, cv=KFold(2, shuffle=True, random_state=0), params=params,
            scoring=scorer,
        )  # fmt: skip
    assert found["test_score"].mean() > 0.9


def test_a_scorer_that_refuses_weights_does_not_get_them():
    X, y, first = two_views()
    weights = np.where(first, 1.0, 0.01)
    with config_context(enable_metadata_routing=True):
        refusing = make_scorer(accuracy_score).set_score_request(sample_weight=False)
        model = MetaLearnerClassifier(**FEW | {"scoring": refusing})
        assert model.fit(X, y, sample_weight=weights).best_score_ < 0.8


def test_routing_in_a_pipeline():
    X, y, first = two_views()
    weights = np.where(first, 1.0, 0.01)
    with config_context(enable_metadata_routing=True):
        model = MetaLearnerClassifier(**FEW).set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, model).fit(X, y, sample_weight=weights)
    assert pipeline.score(X[first], y[first]) > 0.9
    plain = make_pipeline(StandardScaler(), MetaLearnerClassifier(**FEW))
    plain.fit(X, y, metalearnerclassifier__sample_weight=weights)
    np.testing.assert_array_equal(plain.predict(X), pipeline.predict(X))


# Several scorers


@pytest.mark.parametrize(
    "scoring",
    [
        ["accuracy", "roc_auc"],
        ("accuracy", "roc_auc"),
        {"accuracy": make_scorer(accuracy_score), "roc_auc": "roc_auc"},
    ],
    ids=["list", "tuple", "dict"],
)
def test_all_of_several_scorers_are_reported_and_one_is_searched_for(scoring):
    X, y = load_breast_cancer(return_X_y=True)
    two = FEW | {"candidates": ["logistic-C1", "logistic-C0.1"]}
    model = MetaLearnerClassifier(**two | {"scoring": scoring, "refit": "roc_auc"})
    model.fit(X, y)
    alone = MetaLearnerClassifier(**two | {"scoring": "roc_auc"}).fit(X, y)
    assert model.best_score_ == alone.best_score_
    assert model.scorer_._score_func is alone.scorer_._score_func
    tried = model.leaderboard_[model.leaderboard_["status"] == "ok"]
    other = MetaLearnerClassifier(**two | {"scoring": "accuracy"}).fit(X, y)
    expected = other.leaderboard_.set_index("configuration")["mean_score"]
    expected = expected[tried["configuration"]].to_numpy()
    np.testing.assert_allclose(tried["mean_accuracy"], expected)
    results = model.cv_results_
    for name in ("accuracy", "roc_auc"):
        folds = [results[f"split{k}_test_{name}"] for k in range(3)]
        np.testing.assert_allclose(np.mean(folds, axis=0), results[f"mean_test_{name}"])
    assert "mean_test_score" not in results
    assert "mean_test_score" in alone.cv_results_


def test_a_scorer_that_is_only_reported_may_be_undefined():
    def broken(estimator, X, y):
        raise ValueError("not defined here")

    X, y = load_breast_cancer(return_X_y=True)
    scoring = {"broken": broken, "hits": "accuracy"}
    model = MetaLearnerClassifier(**FEW | {"scoring": scoring, "refit": "hits"})
    board = model.fit(X, y).leaderboard_
    assert board["mean_score"].max() > 0.9
    assert board["mean_broken"].isna().all()


@pytest.mark.parametrize(
    ("scoring", "refit", "message"),
    [
        (["accuracy", "roc_auc"], None, r"one of \['accuracy', 'roc_auc'\]"),
        (["accuracy", "roc_auc"], "f1", "refit must be set to a scorer key"),
        (["accuracy", "accuracy"], "accuracy", "different names"),
        ([], "accuracy", "scoring is empty"),
        ({"a": "acuracy"}, "a", "not a known scorer"),
        ({"score": "accuracy", "a": "roc_auc"}, "a", "Choose another name"),
    ],
)
def test_several_scorers_that_make_no_sense_are_refused(scoring, refit, message):
    X, y = load_breast_cancer(return_X_y=True)
    model = MetaLearnerClassifier(**FEW | {"scoring": scoring, "refit": refit})
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


def test_weighted_and_unweighted_logistic_regression_agree_with_scikit_learn():
    X, y = load_breast_cancer(return_X_y=True)
    weights = np.random.default_rng(0).uniform(0.2, 2, len(y))
    weights /= weights.mean()
    params = FEW | {"candidates": "logistic-C1", "ensemble_size": 1, "n_candidates": 1}
    model = MetaLearnerClassifier(**params).fit(X, y, sample_weight=weights)
    twin = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    twin.fit(X, y, logisticregression__sample_weight=weights)
    np.testing.assert_allclose(
        model.predict_proba(X), twin.predict_proba(X), atol=1e-6
    )


def test_what_fit_asks_for_can_be_looked_up():
    with config_context(enable_metadata_routing=True):
        model = MetaLearnerClassifier().set_fit_request(sample_weight=True)
        asked = model.get_metadata_routing().fit.requests
    assert asked == {"groups": None, "sample_weight": True}
