"""The public estimators on real tables."""

import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from conftest import make_target
from scipy import sparse
from sklearn.base import (
    ClassifierMixin,
    RegressorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import f1_score, get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_meta import (
    KnowledgeBase,
    MetaLearnerClassifier,
    MetaLearnerEstimator,
    MetaLearnerRegressor,
)

QUICK = {"n_candidates": 4, "cv": 3, "random_state": 0}
FAST = ["linear", "discriminant analysis", "decision tree", "naive Bayes"]


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True, as_frame=True)
    labels = np.array(["barolo", "grignolino", "barbera"])[y]
    return train_test_split(X, labels, random_state=0, stratify=labels)


@pytest.fixture(scope="module")
def fitted(wine):
    X, _, y, _ = wine
    return MetaLearnerClassifier(**QUICK).fit(X, y)


def test_better_than_a_constant_on_held_out_rows(fitted, wine):
    _, X, _, y = wine
    assert fitted.score(X, y) > 0.9 > DummyClassifier().fit(X, y).score(X, y)


def test_predicts_the_labels_that_were_given(fitted, wine):
    _, X, _, y = wine
    assert set(fitted.predict(X)) <= set(y)
    assert list(fitted.classes_) == ["barbera", "barolo", "grignolino"]
    probability = fitted.predict_proba(X)
    assert probability.shape == (len(X), 3)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_array_equal(
        fitted.classes_[probability.argmax(axis=1)], fitted.predict(X)
    )


def test_regression_on_held_out_rows():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    regressor = MetaLearnerRegressor(**QUICK).fit(X, y)
    assert regressor.score(X_test, y_test) > 0.25
    assert not hasattr(regressor, "predict_proba")
    assert regressor.task_ == "regression"


def test_the_task_is_decided_from_y():
    X, y = load_diabetes(return_X_y=True)
    assert MetaLearnerEstimator(candidates=FAST, **QUICK).fit(X, y).task_ == (
        "regression"
    )
    high = np.where(y > 150, "high", "low")
    estimator = MetaLearnerEstimator(candidates=FAST, **QUICK).fit(X, high)
    assert estimator.task_ == "classification"
    assert is_classifier(estimator)


def test_the_task_is_known_before_fit():
    assert is_classifier(MetaLearnerClassifier())
    assert is_regressor(MetaLearnerRegressor())
    assert is_classifier(MetaLearnerEstimator("classification"))
    assert not is_classifier(MetaLearnerEstimator())
    # Some packages go by the class.
    assert isinstance(MetaLearnerClassifier(), ClassifierMixin)
    assert isinstance(MetaLearnerRegressor(), RegressorMixin)


def test_best_estimator_is_a_pipeline_of_public_classes(fitted, wine):
    X, X_test, y, y_test = wine
    assert isinstance(fitted.best_estimator_, Pipeline)
    for _, step in fitted.best_estimator_.steps:
        assert not type(step).__module__.startswith("sk_meta")
    again = clone(fitted.best_estimator_).fit(X, y)
    np.testing.assert_array_equal(
        again.predict(X_test), fitted.best_estimator_.predict(X_test)
    )


def test_leaderboard_tells_what_was_tried_and_what_was_not(fitted):
    board = fitted.leaderboard_
    tried = board[board["status"] == "ok"]
    assert len(tried) == 4
    assert tried["mean_score"].is_monotonic_decreasing
    assert tried["mean_score"].iloc[0] == fitted.best_score_
    assert tried["weight"].sum() == pytest.approx(1)
    assert (tried["n_folds"] == 3).all()
    assert board.loc[board["status"] == "excluded", "reason"].notna().all()
    assert fitted.best_params_["configuration"] == tried["configuration"].iloc[0]


def test_cv_results_has_the_layout_of_grid_search(fitted):
    results = fitted.cv_results_
    splits = np.array([results[f"split{k}_test_score"] for k in range(3)])
    np.testing.assert_allclose(results["mean_test_score"], splits.mean(axis=0))
    assert results["rank_test_score"].min() == 1
    assert len(results["params"]) == 4


def test_rankings_before_and_after_differ(fitted):
    before = fitted.prior_ranking_.set_index("configuration")["predicted_score"]
    after = fitted.ranking_.set_index("configuration")["predicted_score"]
    assert (before - after).abs().max() > 0.01


def test_recommend_ranks_without_fitting(wine):
    X, _, y, _ = wine
    estimator = MetaLearnerClassifier(random_state=0)
    ranking = estimator.recommend(X, y)
    known = ranking[ranking["excluded"].isna()]
    assert len(known) >= 60
    assert (known["predicted_low"] <= known["predicted_score"]).all()
    assert (known["predicted_score"] <= known["predicted_high"]).all()
    assert (known["predicted_seconds"] > 0).all()
    with pytest.raises(NotFittedError):
        estimator.predict(X)


@pytest.mark.parametrize("kind", ["linear", "neighbors", "none"])
def test_every_meta_model_ranks(wine, kind):
    X, _, y, _ = wine
    ranking = MetaLearnerClassifier(meta_model=kind, random_state=0).recommend(X, y)
    dummy = ranking.index[ranking["configuration"] == "dummy"][0]
    assert dummy > ranking["excluded"].isna().sum() / 2


def test_the_ensemble_of_one_is_the_best_pipeline(wine):
    X, X_test, y, _ = wine
    estimator = MetaLearnerClassifier(ensemble_size=1, **QUICK).fit(X, y)
    np.testing.assert_array_equal(
        estimator.predict(X_test), estimator.best_estimator_.predict(X_test)
    )


def test_decision_function_exists_where_the_pipeline_has_it(wine):
    X, X_test, y, _ = wine
    one = {"n_candidates": 1, "ensemble_size": 1, "random_state": 0}
    linear = MetaLearnerClassifier(candidates=["logistic-C1"], **one)
    assert not hasattr(linear, "decision_function")
    assert linear.fit(X, y).decision_function(X_test).shape == (len(X_test), 3)
    tree = MetaLearnerClassifier(candidates=["tree-depth3"], **one).fit(X, y)
    assert not hasattr(tree, "decision_function")


def test_same_seed_same_result_for_any_number_of_jobs(wine):
    X, X_test, y, _ = wine
    probabilities = [
        MetaLearnerClassifier(n_jobs=n, **QUICK).fit(X, y).predict_proba(X_test)
        for n in (1, 2, 1)
    ]
    np.testing.assert_array_equal(probabilities[0], probabilities[1])
    np.testing.assert_array_equal(probabilities[0], probabilities[2])


def test_fitting_again_forgets_the_first_table(wine):
    X, _, y, _ = wine
    fresh = MetaLearnerClassifier(candidates=FAST, **QUICK)
    used = clone(fresh)
    used.fit(*load_breast_cancer(return_X_y=True))
    np.testing.assert_array_equal(
        used.fit(X, y).predict_proba(X), fresh.fit(X, y).predict_proba(X)
    )


def test_pickle_predicts_the_same_in_a_fresh_process(fitted, wine, tmp_path):
    _, X, _, _ = wine
    path = tmp_path / "fitted.pkl"
    path.write_bytes(pickle.dumps((fitted, X)))
    code = (
        "import pickle, sys, numpy as np\n"
        "e, X = pickle.load(open(sys.argv[1], 'rb'))\n"
        "np.save(sys.argv[2], e.predict_proba(X))"
    )
    out = tmp_path / "p.npy"
    subprocess.run([sys.executable, "-c", code, path, out], check=True)
    np.testing.assert_array_equal(np.load(out), fitted.predict_proba(X))


@pytest.mark.parametrize("scoring", [None, "roc_auc_ovr"])
def test_tables_come_back_from_a_pickle_as_they_were(messy, scoring):
    model = MetaLearnerClassifier(scoring=scoring, candidates=FAST, **QUICK)
    model.fit(messy, make_target(messy, "classification"))
    loaded = pickle.loads(pickle.dumps(model))
    assert vars(loaded).keys() == vars(model).keys()
    tables = {n: v for n, v in vars(model).items() if isinstance(v, pd.DataFrame)}
    assert {"leaderboard_", "ranking_", "members_", "columns_"} < set(tables)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(getattr(loaded, name), table)
        assert getattr(loaded, name).attrs == table.attrs


def test_the_training_table_is_not_kept():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20_000, 20)), rng.integers(0, 2, 20_000)
    estimator = MetaLearnerClassifier(
        n_candidates=2, cv=2, candidates=["linear"], random_state=0
    )
    assert len(pickle.dumps(estimator.fit(X, y))) < X.nbytes / 4


def test_as_a_step_of_a_pipeline(wine):
    X, X_test, y, y_test = wine
    model = make_pipeline(
        StandardScaler(), MetaLearnerClassifier(candidates=FAST, **QUICK)
    )
    assert model.fit(X, y).score(X_test, y_test) > 0.9


def test_grid_search_over_its_parameters(wine):
    X, _, y, _ = wine
    grid = GridSearchCV(
        MetaLearnerClassifier(candidates=FAST, **QUICK),
        {"ensemble_size": [1, 3], "meta_model": ["hybrid", "none"]},
        cv=2,
        error_score="raise",
    ).fit(X, y)
    assert set(grid.best_params_) == {"ensemble_size", "meta_model"}


def test_cross_val_score_in_parallel(wine):
    X, _, y, _ = wine
    estimator = MetaLearnerClassifier(candidates=FAST, n_jobs=2, **QUICK)
    scores = cross_val_score(estimator, X, y, cv=3, n_jobs=2, error_score="raise")
    assert scores.min() > 0.85


@pytest.mark.parametrize("scoring", ["roc_auc_ovr", "f1_weighted", "neg_log_loss"])
def test_scoring_of_scikit_learn(wine, scoring):
    X, X_test, y, y_test = wine
    estimator = MetaLearnerClassifier(scoring=scoring, candidates=FAST, **QUICK)
    estimator.fit(X, y)
    expected = get_scorer(scoring)(estimator, X_test, y_test)
    assert estimator.score(X_test, y_test) == pytest.approx(expected)
    assert estimator.ranking_metric_ == (
        "accuracy" if scoring == "f1_weighted" else scoring
    )


@pytest.mark.parametrize("scoring", ["roc_auc", "f1", f1_score])
def test_scorer_that_cannot_score_the_target_is_refused(wine, scoring):
    X, _, y, _ = wine
    with pytest.raises(ValueError, match="scor"):
        MetaLearnerClassifier(scoring=scoring, **QUICK).fit(X, y)


@pytest.mark.parametrize("scoring", [None, "neg_log_loss", "roc_auc_ovr"])
def test_a_class_with_one_member_is_trained_on_and_not_scored(wine, scoring):
    X, _, y, _ = wine
    y = y.copy()
    y[0] = "nebbiolo"
    estimator = MetaLearnerClassifier(
        scoring=scoring, candidates=FAST, n_candidates=3, random_state=0
    )
    with pytest.warns(UserWarning, match="nebbiolo"):
        estimator.fit(X, y)
    assert estimator.n_splits_ == 5
    assert "nebbiolo" in estimator.classes_
    assert (estimator.leaderboard_["status"] == "ok").sum() == 3


def test_a_failed_fit_leaves_nothing_of_an_earlier_one(wine):
    X, _, y, _ = wine
    estimator = MetaLearnerClassifier(candidates=FAST, **QUICK).fit(X, y)
    with pytest.raises(ValueError, match="inconsistent"):
        estimator.fit(X, y[:-1])
    with pytest.raises(NotFittedError):
        estimator.predict(X)


@pytest.mark.parametrize("n_rows", [4, 6, 9])
def test_regression_on_a_handful_of_rows(n_rows):
    X, y = load_diabetes(return_X_y=True)
    estimator = MetaLearnerRegressor(candidates="linear", n_candidates=3)
    estimator.fit(X[:n_rows], y[:n_rows])
    assert np.isfinite(estimator.predict(X)).all()


@pytest.mark.parametrize("absent", [None, np.nan, pd.NA])
def test_missing_categories_are_all_the_same(absent):
    rng = np.random.default_rng(0)
    colour = rng.choice(np.array(["red", "blue", None], dtype=object), 120)
    X = pd.DataFrame({"colour": colour, "size": rng.normal(size=120)})
    y = np.where(pd.isna(colour), "unknown", colour).astype(str)
    estimator = MetaLearnerClassifier(
        candidates=["logistic-C1"], random_state=0
    ).fit(X, y)
    new = pd.DataFrame({"colour": [absent, "red"], "size": [0.0, 0.0]}, dtype=object)
    new["size"] = 0.0
    assert list(estimator.predict(new)) == ["unknown", "red"]


def test_object_arrays_are_read_as_at_fit():
    X = np.array([["1", 2.0], ["x", 3.0]] * 20, dtype=object)
    estimator = MetaLearnerClassifier(candidates=["tree-depth3"], random_state=0)
    estimator.fit(X, ["no", "yes"] * 20)
    assert list(estimator.predict([["x", 3.0]])) == ["yes"]
    assert list(estimator.predict(np.array([["1", 2.0]]))) == ["no"]


@pytest.mark.parametrize("dtype", ["boolean", "Int64"])
def test_nullable_labels_come_back_as_given(wine, dtype):
    X, _, y, _ = wine
    estimator = MetaLearnerClassifier(candidates=["lda"], random_state=0)
    estimator.fit(X, pd.Series(y == "barolo").astype(dtype))
    assert estimator.predict(X).dtype == (bool if dtype == "boolean" else np.int64)


def test_scoring_as_a_callable(wine):
    X, _, y, _ = wine

    def share_of_barolo(estimator, X, y):
        return -abs(np.mean(estimator.predict(X) == "barolo") - 1 / 3)

    estimator = MetaLearnerClassifier(scoring=share_of_barolo, candidates=FAST, **QUICK)
    assert -1 <= estimator.fit(X, y).best_score_ <= 0


def test_a_splitter_is_used_as_it_is(wine):
    X, _, y, _ = wine
    folds = [
        (train, test)
        for train, test in GroupKFold(4).split(X, y, np.arange(len(y)) // 5)
    ]
    quick = {**QUICK, "cv": folds}
    estimator = MetaLearnerClassifier(candidates=FAST, **quick).fit(X, y)
    assert estimator.n_splits_ == 4


def test_messy_of_every_kind(messy):
    y = np.where(messy.index % 3 == 0, "yes", "no")
    for target in (y, np.arange(len(y)) * 0.37):
        estimator = MetaLearnerEstimator(n_candidates=3, cv=3, random_state=0)
        estimator.fit(messy, target)
        assert len(estimator.predict(messy.iloc[:7])) == 7
        assert "constant" in set(estimator.columns_["kind"])


def test_polars_frame(wine):
    polars = pytest.importorskip("polars")
    X, X_test, y, _ = wine
    estimator = MetaLearnerClassifier(candidates=FAST, **QUICK).fit(
        polars.DataFrame(X.to_dict("list")), y
    )
    same = MetaLearnerClassifier(candidates=FAST, **QUICK).fit(X, y)
    np.testing.assert_array_equal(
        estimator.predict(polars.DataFrame(X_test.to_dict("list"))),
        same.predict(X_test),
    )


def test_sparse_table_leaves_out_what_needs_a_dense_one():
    X, y = load_breast_cancer(return_X_y=True)
    X = sparse.csr_matrix(np.where(X > np.median(X, axis=0), X, 0))
    estimator = MetaLearnerClassifier(n_candidates=3, cv=2, random_state=0).fit(X, y)
    assert estimator.score(X, y) > 0.9
    reasons = estimator.leaderboard_["reason"]
    assert (reasons == "needs a dense table").any()


def test_large_sparse_table_is_never_made_dense(monkeypatch):
    X = sparse.random(3_000, 20_000, density=1e-3, format="csr", random_state=0)
    y = np.asarray(X[:, :2_000].sum(axis=1)).ravel()
    y = (y > np.median(y)).astype(int)
    sizes = []

    def spied(toarray):
        def wrapped(self, *args, **kwargs):
            sizes.append(np.prod(self.shape))
            return toarray(self, *args, **kwargs)

        return wrapped

    for kind in (sparse.csr_matrix, sparse.csr_array):
        monkeypatch.setattr(kind, "toarray", spied(kind.toarray))
    estimator = MetaLearnerClassifier(
        n_candidates=1, cv=2, candidates="linear", random_state=0
    )
    estimator.fit(X, y)
    assert estimator.score(X, y) > 0.6
    assert 0 < max(sizes) <= 2_000 * 100  # the sample for the meta-features
    with pytest.raises(ValueError, match="too many to be made dense"):
        MetaLearnerClassifier(column_kinds={0: "numeric"}).fit(X, y)


def test_five_hundred_classes():
    y = np.repeat([f"class {i}" for i in range(500)], 4)
    grid = np.column_stack(np.divmod(np.repeat(np.arange(500), 4), 25))
    X = grid + np.random.RandomState(0).normal(scale=0.1, size=grid.shape)
    estimator = MetaLearnerClassifier(
        n_candidates=2, candidates=["naive Bayes", "nearest neighbours"], random_state=0
    )
    with pytest.warns(UserWarning, match="4 members"):
        estimator.fit(X, y)
    assert estimator.predict_proba(X[:5]).shape == (5, 500)
    assert estimator.score(X, y) > 0.8


def test_arrays_for_an_estimator_fitted_on_a_frame(fitted, wine):
    _, X, _, _ = wine
    with pytest.warns(UserWarning, match="feature names"):
        np.testing.assert_array_equal(fitted.predict(X.to_numpy()), fitted.predict(X))


def test_columns_in_another_order_are_an_error(fitted, wine):
    _, X, _, _ = wine
    with pytest.raises(ValueError, match="same order"):
        fitted.predict(X[X.columns[::-1]])


def test_one_class_gives_a_constant_and_says_so():
    X, _ = load_iris(return_X_y=True)
    estimator = MetaLearnerClassifier(random_state=0).fit(X, ["same"] * len(X))
    assert set(estimator.predict(X)) == {"same"}
    assert (estimator.leaderboard_["reason"] == "y has only one class").any()


def test_a_constant_quantity_is_predicted():
    X, _ = load_diabetes(return_X_y=True)
    model = MetaLearnerRegressor(n_candidates=3, cv=2, random_state=0)
    np.testing.assert_allclose(model.fit(X, np.full(len(X), 2.5)).predict(X), 2.5)


def test_a_table_of_one_row_many_times():
    X, y = load_iris(return_X_y=True)
    same, labels = np.repeat(X[:1], 60, axis=0), np.repeat(y[[0, 60]], [40, 20])
    model = MetaLearnerClassifier(n_candidates=3, cv=2, random_state=0)
    model.fit(same, labels)
    assert set(model.predict(X)) == {y[0]}  # the more frequent one
    twice, quantity = np.vstack([X, X]), np.tile(X[:, 0], 2)
    settings = {"candidates": ["linear", "decision tree"], "n_candidates": 2, "cv": 2}
    model = MetaLearnerRegressor(**settings, random_state=0)
    assert model.fit(twice[:, 1:], quantity).score(X[:, 1:], X[:, 0]) > 0.5
    assert "duplicated rows" in set(model.findings_["problem"])


def test_a_class_of_two_in_a_hundred_is_ranked():
    X, y = load_breast_cancer(return_X_y=True)
    rare = np.r_[np.flatnonzero(y == 1), np.flatnonzero(y == 0)[:14]]
    others = np.flatnonzero(y == 0)[14:]
    model = MetaLearnerClassifier(candidates=FAST, n_candidates=3, random_state=0)
    model.fit(X[rare], y[rare])
    share = model.predict_proba(X[others])[:, 0]  # none of them was seen
    assert np.median(share) > 5 * (y[rare] == 0).mean()


def test_nothing_that_fits_the_budget_still_predicts(wine):
    X, X_test, y, _ = wine
    with pytest.warns(UserWarning, match="No configuration could be evaluated"):
        estimator = MetaLearnerClassifier(time_budget=1e-6, random_state=0).fit(X, y)
    assert set(estimator.predict(X_test)) <= set(y)
    assert estimator.best_params_["configuration"] == "dummy"


def test_a_time_budget_is_not_limited_by_a_count(wine):
    X, _, y, _ = wine
    estimator = MetaLearnerClassifier(time_budget=60, candidates=FAST, random_state=0)
    assert len(estimator.fit(X, y).cv_results_["params"]) > 4
    assert estimator.stop_reason_ in (
        "no gain expected",
        "every configuration evaluated",
    )


def test_own_tasks_in_the_knowledge_base_are_used(wine, tmp_path):
    X, _, y, _ = wine
    shipped = KnowledgeBase.load()
    few = shipped.without(shipped.tasks["family"].unique()[:20])
    few.save(tmp_path / "own")
    quick = {"meta_model": "linear", "random_state": 0}
    by_path = MetaLearnerClassifier(knowledge=tmp_path / "own", **quick)
    by_object = MetaLearnerClassifier(knowledge=few, **quick)
    default = MetaLearnerClassifier(**quick)
    columns = ["configuration", "predicted_score"]
    first, second, third = (
        e.recommend(X, y)[columns] for e in (by_path, by_object, default)
    )
    pd.testing.assert_frame_equal(first, second, rtol=1e-3)
    assert not first.equals(third)


def test_nothing_is_written_to_disk(tmp_path, monkeypatch, wine):
    monkeypatch.chdir(tmp_path)
    X, _, y, _ = wine
    names = ["catboost", "lightgbm", "logistic-C1"]
    MetaLearnerClassifier(n_candidates=3, cv=2, candidates=names).fit(X, y)
    assert list(tmp_path.iterdir()) == []


def test_warnings_of_candidates_are_kept_quiet(recwarn):
    X, y = load_diabetes(return_X_y=True)
    MetaLearnerRegressor(
        candidates=["neural network"], n_candidates=2, cv=2, random_state=0
    ).fit(X, y)
    assert [w.message for w in recwarn if "Convergence" in str(w.category)] == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"candidates": ["no such model"]}, r"candidates=\['no such model'\] are not"),
        ({"scoring": "no_such_metric"}, "scoring='no_such_metric' is not"),
        ({"n_candidates": 0}, "'n_candidates' parameter"),
        ({"time_budget": -1}, "'time_budget' parameter"),
        ({"ensemble_size": 0}, "'ensemble_size' parameter"),
        ({"meta_model": "psychic"}, "'meta_model' parameter"),
        ({"knowledge": "no/such/folder"}, "holds no knowledge base"),
        ({"cv": 1}, "cv"),
    ],
)
def test_bad_parameters_are_named(wine, parameters, message):
    X, _, y, _ = wine
    with pytest.raises(ValueError, match=message):
        MetaLearnerClassifier(**{**QUICK, **parameters}).fit(X, y)


def test_bad_tables_and_targets_are_named():
    X, y = load_iris(return_X_y=True)
    y_missing = y.astype(float)
    y_missing[:7] = np.nan
    cases = [
        (X[:0], y[:0], "0 sample"),
        (X[:1], y[:1], "1 sample"),
        (X, y[:-1], "inconsistent numbers of samples"),
        (X, y_missing, "contains NaN: 7 of 150"),
        (X, None, "y"),
        (pd.DataFrame(index=range(150)), y, "empty"),
    ]
    for table, target, message in cases:
        with pytest.raises(ValueError, match=message):
            MetaLearnerClassifier(**QUICK).fit(table, target)


def test_html_shows_the_chosen_pipelines(cancer):
    model = MetaLearnerClassifier(
        n_candidates=4, cv=3, candidates=["logistic-C1", "tree-depth3", "knn-5"],
        random_state=0,
    )  # fmt: skip
    assert "MetaLearnerClassifier" in model._repr_html_()
    shown = model.fit(*cancer)._repr_html_()
    ensemble = model.ensemble_
    for name, weight in zip(ensemble.names, ensemble.weights, strict=True):
        assert f"{weight:.2f} × {name}" in shown
    for step in model.best_estimator_:
        assert type(step).__name__ in shown
    assert "StandardScaler" in make_pipeline(model)._repr_html_()


def test_predictions_of_several_threads_are_those_of_one(messy):
    y = make_target(messy, "classification")
    model = MetaLearnerClassifier(
        n_candidates=3, cv=2, candidates=["logistic-C1", "tree-depth3"], random_state=0
    ).fit(messy, y)
    unknown = messy.head(50).assign(letters="never seen")
    expected = model.predict_proba(unknown)
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool, warnings.catch_warnings():
        warnings.simplefilter("error")
        found = list(pool.map(model.predict_proba, [unknown] * 40))
    assert warnings.filters == before
    assert all((one == expected).all() for one in found)


def test_threads_at_predict_change_nothing(diabetes):
    X, y = diabetes
    many = np.repeat(X, 5, axis=0)
    model = MetaLearnerRegressor(
        n_candidates=4, cv=3, candidates=["ridge", "knn-5", "tree-depth3"],
        random_state=0,
    ).fit(X, y)  # fmt: skip
    assert len(model.ensemble_.estimators) > 1
    alone = model.predict(many)
    np.testing.assert_array_equal(model.set_params(n_jobs=2).predict(many), alone)
    assert model.ensemble_.n_jobs == 2, "it may be changed after fit"
