"""Results on disk: read again as they were, and only by the search they are of."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.metrics import fbeta_score, make_scorer

from sk_meta import MetaLearnerClassifier
from sk_meta._checkpoint import Checkpoint
from sk_meta._evaluation import DIED, FAILED, OK, TIMEOUT, FoldResult
from sk_meta._problem import describe

CANDIDATES = ["logistic-C1", "lda", "naive-bayes-smooth", "knn-5"]


@pytest.fixture(scope="module")
def wine():
    return load_wine(return_X_y=True)


def problem_of(X, y, **params):
    params = {"task": "auto", "scoring": None, "cv": 3, "seed": 0, **params}
    return describe(X, y, **params)


@pytest.fixture
def problem(wine):
    return problem_of(*wine)


def result(**params):
    prediction = np.random.default_rng(0).dirichlet(np.ones(3), 60)
    known = {"scores": {"score": 0.1 + 0.2, "stored": np.nan}, "prediction": prediction}
    seconds = {"fit_seconds": 1 / 3, "predict_seconds": 0.1}
    return FoldResult(OK, **{**known, **seconds, **params})


def learner(folder, **params):
    return MetaLearnerClassifier(
        candidates=CANDIDATES, checkpoint=folder, cv=3, random_state=0, **params
    )


def board(model):
    """The leaderboard without what a clock or the order of events tells."""
    return model.leaderboard_.drop(columns=["elapsed"])


def files(folder):
    return {p.name: p.stat().st_mtime_ns for p in Path(folder).glob("*.npz")}


def test_a_result_is_read_as_it_was_written(problem, tmp_path):
    written = result()
    Checkpoint(tmp_path, problem).put("logistic-C1", 2, written)
    read = Checkpoint(tmp_path, problem).get("logistic-C1", 2)
    np.testing.assert_array_equal(read.prediction, written.prediction)
    assert read.prediction.dtype == written.prediction.dtype
    assert read.scores["score"] == written.scores["score"]
    assert np.isnan(read.scores["stored"])
    for name in ("status", "fit_seconds", "predict_seconds", "error", "model"):
        assert getattr(read, name) == getattr(written, name)


def test_a_failure_is_kept_with_its_reason(problem, tmp_path):
    Checkpoint(tmp_path, problem).put("lda", 0, FoldResult(FAILED, error="E: “no”"))
    read = Checkpoint(tmp_path, problem).get("lda", 0)
    assert (read.status, read.error, read.prediction) == (FAILED, "E: “no”", None)
    assert np.isnan(read.fit_seconds)


@pytest.mark.parametrize(
    ("status", "error"), [(TIMEOUT, "it"), (DIED, "it"), (FAILED, "MemoryError: no")]
)
def test_what_was_not_its_own_end_is_tried_again(problem, tmp_path, status, error):
    kept = Checkpoint(tmp_path, problem)
    kept.put("lda", 0, FoldResult(status, error=error))
    assert kept.get("lda", 0) is None


def test_results_are_told_apart_by_name_and_split(problem, tmp_path):
    kept = Checkpoint(tmp_path, problem)
    kept.put("lda", 0, result())
    assert kept.get("lda", 1) is None and kept.get("lda-r06", 0) is None
    kept.put("a/b: c~1", 0, result())  # no name of a file
    assert kept.get("a/b: c~1", 0) is not None


def test_nothing_on_disk_is_a_pickle(problem, tmp_path):
    Checkpoint(tmp_path, problem).put("lda", 0, result())
    (path,) = tmp_path.glob("*.npz")
    with np.load(path, allow_pickle=False) as kept:
        assert all(kept[name].dtype.kind in "Uf" for name in kept)


def test_a_file_that_is_not_whole_is_not_seen(problem, tmp_path):
    kept = Checkpoint(tmp_path, problem)
    kept.put("lda", 0, result())
    (path,) = tmp_path.glob("*.npz")
    path.rename(path.with_suffix(".123.part"))
    assert Checkpoint(tmp_path, problem).get("lda", 0) is None


@pytest.mark.parametrize("n_bytes", [0, 100, 1000])
def test_a_damaged_file_is_written_anew(problem, tmp_path, n_bytes):
    kept = Checkpoint(tmp_path, problem)
    kept.put("lda", 0, result())
    (path,) = tmp_path.glob("*.npz")
    path.write_bytes(path.read_bytes()[:n_bytes])
    assert kept.get("lda", 0) is None
    kept.put("lda", 0, result())
    assert kept.get("lda", 0).status == OK


def test_a_search_that_was_killed_at_its_very_start_can_be_begun(problem, tmp_path):
    (tmp_path / "task.123.part").write_text("{")
    Checkpoint(tmp_path, problem).put("lda", 0, result())
    assert Checkpoint(tmp_path, problem).get("lda", 0) is not None


def test_a_result_that_was_read_is_not_written_again(problem, tmp_path):
    Checkpoint(tmp_path, problem).put("lda", 0, result())
    before = files(tmp_path)
    again = Checkpoint(tmp_path, problem)
    again.put("lda", 0, again.get("lda", 0))
    assert files(tmp_path) == before


def plus_one(estimator, X, y):
    return estimator.score(X, y) + 1


def plus_two(estimator, X, y):
    return estimator.score(X, y) + 2


def fbeta(beta):
    return make_scorer(fbeta_score, beta=beta, average="macro")


@pytest.mark.parametrize(
    ("begun", "now", "different"),
    [
        ({}, {"seed": 1}, "folds, seed"),
        ({}, {"cv": 4}, "folds"),
        ({"scoring": "accuracy"}, {"scoring": "f1_macro"}, "scoring"),
        ({"scoring": plus_one}, {"scoring": plus_two}, "scoring"),
        ({"scoring": fbeta(0.5)}, {"scoring": fbeta(2)}, "scoring"),
        (
            {"scoring": lambda e, X, y: e.score(X, y) / 2},
            {"scoring": lambda e, X, y: e.score(X, y) / 3},
            "scoring",
        ),
    ],
)
def test_another_search_is_refused(wine, tmp_path, begun, now, different):
    Checkpoint(tmp_path, problem_of(*wine, **begun))
    with pytest.raises(ValueError, match=f"different: {different}. Choose another"):
        Checkpoint(tmp_path, problem_of(*wine, **now))
    Checkpoint(tmp_path, problem_of(*wine, **begun))


def test_another_table_is_refused(wine, tmp_path):
    X, y = wine
    Checkpoint(tmp_path, problem_of(X, y))
    with pytest.raises(ValueError, match="different: table. Choose another folder"):
        Checkpoint(tmp_path, problem_of(X + 1, y))
    with pytest.raises(ValueError, match="different: target"):
        Checkpoint(tmp_path, problem_of(X, (y + 1) % 3))


def test_a_folder_with_other_files_is_refused(problem, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear reader")
    with pytest.raises(ValueError, match="other files.*Choose an empty or new folder"):
        Checkpoint(tmp_path, problem)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_in_place_of_the_folder_is_refused(problem, tmp_path):
    (tmp_path / "letter").write_text("Dear reader")
    with pytest.raises(ValueError, match="is a file. Choose an empty or new folder"):
        Checkpoint(tmp_path / "letter", problem)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_that_is_repeated_evaluates_nothing(wine, tmp_path, n_jobs):
    params = {"n_candidates": 4, "n_jobs": n_jobs}
    first = learner(tmp_path / "results", **params).fit(*wine)
    before = files(tmp_path / "results")
    assert len(before) == 4 * 3
    second = learner(tmp_path / "results", **params).fit(*wine)
    assert files(tmp_path / "results") == before
    # Even the seconds are those of the first time.
    pd.testing.assert_frame_equal(board(second), board(first))
    X, _ = wine
    np.testing.assert_array_equal(second.predict_proba(X), first.predict_proba(X))


def test_a_search_goes_on_from_where_a_shorter_one_ended(wine, tmp_path):
    learner(tmp_path / "results", n_candidates=2).fit(*wine)
    before = files(tmp_path / "results")
    longer = learner(tmp_path / "results", n_candidates=4).fit(*wine)
    after = files(tmp_path / "results")
    assert {name: after[name] for name in before} == before
    assert len(after) == 4 * 3
    assert set(longer.leaderboard_["status"]) == {"ok"}


def test_other_data_are_refused_by_fit(wine, tmp_path):
    X, y = wine
    learner(tmp_path / "results", n_candidates=1).fit(X, y)
    with pytest.raises(ValueError, match="belongs to another search.*table"):
        learner(tmp_path / "results", n_candidates=1).fit(X * 2, y)


@pytest.mark.parametrize("seed", [None, np.random.RandomState(0)])
def test_without_a_fixed_seed_nothing_is_begun(wine, tmp_path, seed):
    unseeded = learner(tmp_path / "results", n_candidates=1)
    with pytest.raises(ValueError, match="random_state=.* must be an int"):
        unseeded.set_params(random_state=seed).fit(*wine)
    assert not (tmp_path / "results").exists()


_SLOW = """
import time
from sklearn.datasets import load_wine
from sk_meta import _search
from test_checkpoint import learner

evaluate = _search.evaluate_unit

def slowly(*args):
    time.sleep(0.5)
    return evaluate(*args)

_search.evaluate_unit = slowly
learner({folder!r}, n_candidates=4).fit(*load_wine(return_X_y=True))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_search_that_was_killed_goes_on(wine, tmp_path):
    here, folder = Path(__file__).parent, tmp_path / "results"
    path = os.pathsep.join([str(here), str(here.parent)])
    script = _SLOW.format(folder=str(folder))
    with subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": path}
    ) as process:
        end = time.monotonic() + 60
        while len(files(folder)) < 3 and time.monotonic() < end:
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    before = files(folder)
    assert 3 <= len(before) < 4 * 3
    resumed = learner(folder, n_candidates=4).fit(*wine)
    after = files(folder)
    assert {name: after[name] for name in before} == before
    assert len(after) == 4 * 3
    afresh = learner(None, n_candidates=4).fit(*wine)
    columns = ["configuration", "mean_score", "sd_score", "status", "weight"]
    pd.testing.assert_frame_equal(
        resumed.leaderboard_[columns], afresh.leaderboard_[columns]
    )
