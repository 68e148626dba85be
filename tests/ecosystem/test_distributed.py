"""On dask: its joblib backend, its searches and its arrays."""

import joblib
import numpy as np
import pytest
from quick import quick_classifier, quick_regressor
from sklearn.model_selection import GridSearchCV, cross_val_score

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module", params=["threads", "processes"])
def client(request):
    """Two workers: threads of this process, or processes."""
    processes = request.param == "processes"
    with (
        distributed.LocalCluster(
            n_workers=2 if processes else 1,
            threads_per_worker=1 if processes else 2,
            processes=processes,
            dashboard_address=None,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_the_search_inside_of_fit_runs_on_dask(client, cancer):
    X, y = cancer
    expected = quick_classifier(n_candidates=3).fit(X, y)
    with joblib.parallel_backend("dask"):
        model = quick_classifier(n_candidates=3, n_jobs=2).fit(X, y)
    assert (model.leaderboard_["status"] == "ok").sum() == 3
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X))


def test_time_budget_is_a_soft_one_on_dask(client, cancer):
    X, y = cancer
    endless = {"n_candidates": "auto", "candidates": None}
    with joblib.parallel_backend("dask"):
        model = quick_classifier(time_budget=3, n_jobs=2, **endless).fit(X, y)
    assert model.deadline_ == "soft"
    assert model.stop_reason_ == "time budget spent"
    assert model.score(X, y) > 0.9


def test_cross_validation_runs_on_dask(client, diabetes):
    expected = cross_val_score(quick_regressor(), *diabetes, cv=2)
    with joblib.parallel_backend("dask"):
        scores = cross_val_score(
            quick_regressor(), *diabetes, cv=2, n_jobs=2, error_score="raise"
        )
    np.testing.assert_allclose(scores, expected)


def test_grid_search_runs_on_dask(client, cancer):
    grid = {"candidates": [["dummy"], ["linear"]]}
    search = GridSearchCV(quick_classifier(), grid, cv=2, n_jobs=2, error_score="raise")
    with joblib.parallel_backend("dask"):
        search.fit(*cancer)
    assert search.best_params_ == {"candidates": ["linear"]}
    assert search.best_score_ > 0.9


def test_dask_ml_predicts_arrays_in_blocks(iris):
    wrappers = pytest.importorskip("dask_ml.wrappers")
    da = pytest.importorskip("dask.array")
    X, y = iris
    model = wrappers.ParallelPostFit(quick_classifier()).fit(X, y)
    blocks = da.from_array(X, chunks=(50, 4))
    lazy = model.predict_proba(blocks)
    assert lazy.numblocks == (3, 1)
    found = lazy.compute(scheduler="threads")
    np.testing.assert_array_equal(found, model.estimator.predict_proba(X))
    labels = model.predict(blocks).compute(scheduler="threads")
    assert np.mean(labels == y) > 0.9


def test_dask_ml_grid_search(cancer):
    dask_ml = pytest.importorskip("dask_ml.model_selection")
    grid = {"candidates": [["dummy"], ["linear"]]}
    search = dask_ml.GridSearchCV(
        quick_classifier(), grid, cv=2, scheduler="threads", n_jobs=2
    ).fit(*cancer)
    assert search.best_params_ == {"candidates": ["linear"]}
    assert search.best_score_ > 0.9
