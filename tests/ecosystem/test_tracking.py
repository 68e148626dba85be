"""Logged by MLflow, and loaded from it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from quick import TRUSTED, quick_classifier, quick_regressor
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

mlflow = pytest.importorskip("mlflow")
disable_autologging = mlflow.utils.autologging_utils.disable_autologging


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A database and a folder for artifacts; making the tables takes seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'runs.db'}")
    yield folder
    mlflow.set_tracking_uri(before)


@pytest.fixture
def tracking(store, request):
    """An experiment of its own."""
    name = request.node.name
    experiment = mlflow.create_experiment(name, (store / "artifacts").as_uri())
    mlflow.set_experiment(name)
    return experiment


@pytest.fixture
def autologging(tracking):
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    yield tracking
    mlflow.sklearn.autolog(disable=True)


# With requirements given, none are looked for by importing the model elsewhere.
REQUIREMENTS = {"pip_requirements": ["scikit-learn"]}

@pytest.mark.parametrize(
    "options",
    [
        {"serialization_format": "skops", "skops_trusted_types": TRUSTED},
        {"serialization_format": "cloudpickle"},
    ],
    ids=["skops", "cloudpickle"],
)
def test_logged_model_predicts_the_same(tracking, options):
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = quick_classifier().fit(X, y)
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(
            model, name="flowers", input_example=X[:2], **REQUIREMENTS, **options
        )
    loaded = mlflow.sklearn.load_model(info.model_uri)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    pd.testing.assert_frame_equal(loaded.leaderboard_, model.leaderboard_)
    anything = mlflow.pyfunc.load_model(info.model_uri)
    np.testing.assert_array_equal(anything.predict(X), model.predict(X))
    assert anything.metadata.signature.inputs.input_names() == list(X.columns)


def test_leaderboard_and_scores_are_logged_beside_it(tracking):
    model = quick_regressor().fit(*load_diabetes(return_X_y=True))
    with mlflow.start_run() as run:
        mlflow.log_params(model.get_params())
        mlflow.log_metric("ensemble_score", model.ensemble_score_)
        mlflow.log_table(model.members_, "members.json")
    data = mlflow.get_run(run.info.run_id).data
    assert data.params["n_candidates"] == "2"
    assert data.metrics["ensemble_score"] == pytest.approx(model.ensemble_score_)
    members = mlflow.load_table("members.json", run_ids=[run.info.run_id])
    assert list(members["configuration"]) == list(model.members_["configuration"])


def test_fits_inside_of_fit_are_no_runs(autologging, cancer):
    model = quick_classifier()
    model.recommend(*cancer)
    model.fit(*cancer)
    assert mlflow.search_runs([autologging]).empty
    # Whatever comes after is logged again.
    clone(model.best_estimator_).fit(*cancer)
    assert len(mlflow.search_runs([autologging])) == 1


def test_pipeline_with_it_is_one_automatic_run(autologging, cancer):
    model = make_pipeline(StandardScaler(), quick_classifier()).fit(*cancer)
    runs = mlflow.search_runs([autologging])
    assert len(runs) == 1
    score = runs["metrics.training_accuracy_score"][0]
    assert score == pytest.approx(model.score(*cancer))
    assert runs["params.metalearnerclassifier__n_candidates"][0] == "2"


def test_grid_search_is_one_automatic_run_with_a_child_per_value(autologging, cancer):
    grid = {"candidates": [["dummy"], ["linear"]]}
    search = GridSearchCV(quick_classifier(), grid, cv=2).fit(*cancer)
    runs = mlflow.search_runs([autologging])
    assert len(runs) == 3
    best = runs["metrics.best_cv_score"].dropna().item()
    assert best == pytest.approx(search.best_score_)


def test_fits_in_two_threads_are_no_runs_and_leave_it_switched_on(autologging, cancer):
    with ThreadPoolExecutor(2) as threads:
        model, _ = threads.map(lambda _: quick_classifier().fit(*cancer), range(2))
    assert mlflow.search_runs([autologging]).empty
    clone(model.best_estimator_).fit(*cancer)
    assert len(mlflow.search_runs([autologging])) == 1


def test_logging_that_is_switched_off_is_not_switched_on_by_fit(autologging, cancer):
    model = quick_classifier()
    with disable_autologging():
        model.fit(*cancer)
        clone(model.best_estimator_).fit(*cancer)
    assert mlflow.search_runs([autologging]).empty
