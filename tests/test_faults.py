"""Candidates that misbehave, and a machine that does: the search goes on."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from conftest import ended
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_wine

from sk_meta import MetaLearnerClassifier
from sk_meta._catalogue import Configuration
from sk_meta._catalogue import _preprocessing as prep

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

GOOD = ["logistic-C1", "lda", "naive-bayes-smooth"]
# Not one of those that a thread of this process runs until the workers are ready.
BAD = "forest-balanced"
WHERE = {
    "two workers": {"n_jobs": 2},
    "two workers, timed": {"n_jobs": 2, "time_budget": 20},
    "one worker, timed": {"n_jobs": 1, "time_budget": 20},
    "here": {"n_jobs": 1},
}
everywhere = pytest.mark.parametrize("where", WHERE)
in_workers = pytest.mark.parametrize("where", [w for w in WHERE if w != "here"])


class Misbehaving(ClassifierMixin, BaseEstimator):
    """A classifier that does what it is told, and predicts a constant."""

    def __init__(self, deed, note=None):
        self.deed = deed
        self.note = note

    def fit(self, X, y):
        if self.note is not None:
            with open(self.note, "a") as file:
                file.write(f"{os.getpid()}\n")
        self.classes_, counts = np.unique(y, return_counts=True)
        self.share_ = counts / len(y)
        DEEDS.get(self.deed, lambda: None)()
        return self

    def predict_proba(self, X):
        if self.deed == "nan":
            return np.full((len(X), len(self.classes_)), np.nan)
        return np.tile(self.share_, (len(X), 1))


def fail():
    raise RuntimeError("first line\nthe flux capacitor is empty")


def sleep():
    time.sleep(600)


def hold_the_lock():
    """One call of C, which no signal and no other thread interrupts."""
    exponent = 10**9
    return 3**exponent


def hoard():
    held = []
    while True:
        held.append(np.ones(2**22))


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def chatter():
    for _ in range(100):
        print("a line on the standard output")
    os.write(1, b"and one past Python\n")


def warn():
    for i in range(1000):
        warnings.warn(f"number {i}", RuntimeWarning, stacklevel=1)


def seed():
    np.random.seed(1)
    random.seed(1)


DEEDS = {
    "fail": fail,
    "leave": lambda: sys.exit(3),
    "sleep": sleep,
    "hold the lock": hold_the_lock,
    "hoard": hoard,
    "exit": lambda: os._exit(3),
    "kill": kill,
    "chatter": chatter,
    "warn": warn,
    "seed": seed,
    "fork": lambda: os.fork(),
}


def misbehaving(name, *args):
    def model(table):
        return [("model", Misbehaving(*args))]

    return Configuration(name, "linear", "classification", prep.as_is, model)


class Learner(MetaLearnerClassifier):
    """The classifier, with other things behind some names of the catalogue."""

    deeds: dict = {}

    def _believe(self, problem, memory):
        prior = super()._believe(problem, memory)
        for name, deed in self.deeds.items():
            prior.configurations[name] = misbehaving(name, *deed)
        return prior

    def _share(self, problem, workers):
        task = super()._share(problem, workers)
        self.shared_folder = task.folder
        return task


def learner(deed, *, note=None, names=GOOD, **params):
    params = {"cv": 3, "random_state": 0, "n_candidates": len(names) + 1, **params}
    found = Learner(candidates=[*names, BAD], **params)
    found.deeds = {BAD: (deed, note)}
    return found


@pytest.fixture(scope="module")
def wine():
    return load_wine(return_X_y=True)


def status_of(model):
    board = model.leaderboard_
    return dict(zip(board["configuration"], board["status"], strict=True))


def reason_of(model):
    board = model.leaderboard_.set_index("configuration")
    return board.loc[BAD, "reason"]


def is_usable(model, wine):
    X, y = wine
    assert model.predict_proba(X).shape == (len(y), 3)
    return model.score(X, y) > 0.9


def check(model, wine, *ends):
    """The bad one ended as expected, and the good ones are not the worse for it."""
    status = status_of(model)
    assert status.pop(BAD) in ends
    assert status == dict.fromkeys(GOOD, "ok")
    assert is_usable(model, wine)


def all_ended(note, seconds=20):
    """Whether the processes that left a note are gone, or soon will be."""
    pids = set(note.read_text().split()) - {str(os.getpid())}
    end = time.monotonic() + seconds
    while not all(map(ended, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return all(map(ended, pids))


def surroundings():
    signals = [signal.SIGINT, signal.SIGTERM]
    return dict(os.environ), [signal.getsignal(s) for s in signals], os.getcwd()


def run_script(script, **environ):
    """Run a script beside this module; its last line as JSON."""
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent)])
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path, **environ},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@everywhere
@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("fail", "RuntimeError: the flux capacitor is empty"),
        ("leave", "SystemExit: 3"),
        ("nan", "ValueError: predictions are not finite"),
    ],
)
def test_a_candidate_that_fails_costs_only_itself(wine, where, deed, reason):
    model = learner(deed, **WHERE[where]).fit(*wine)
    check(model, wine, "failed")
    assert reason_of(model) == reason


@everywhere
def test_a_candidate_that_predicts_a_constant_has_no_weight(wine, where):
    model = learner("constant", **WHERE[where]).fit(*wine)
    check(model, wine, "ok", "dropped")
    assert model.leaderboard_["configuration"].iloc[-1] == BAD
    assert model.leaderboard_["weight"].iloc[-1] == 0


@in_workers
@pytest.mark.parametrize("deed", ["exit", "kill"])
def test_a_candidate_that_ends_its_worker_costs_only_itself(wine, where, deed):
    model = learner(deed, **WHERE[where]).fit(*wine)
    check(model, wine, "died")
    assert reason_of(model) == "the worker process was killed"


@linux
@in_workers
def test_a_candidate_that_wants_all_memory_costs_only_itself(wine, where):
    model = learner("hoard", memory_limit=300, **WHERE[where]).fit(*wine)
    check(model, wine, "failed")
    assert "MemoryError" in reason_of(model)


@everywhere
@pytest.mark.parametrize("deed", ["chatter", "warn", "seed"])
def test_a_candidate_that_disturbs_others_is_not_noticed(
    wine, where, deed, capfd, recwarn
):
    np.random.seed(7)
    random.seed(7)
    before = np.random.get_state()[1].tolist(), random.getstate()
    model = learner(deed, **WHERE[where]).fit(*wine)
    check(model, wine, "ok", "dropped")
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before
    assert "number" not in " ".join(str(w.message) for w in recwarn)
    if where != "here":  # the standard output of this process is the user's
        assert capfd.readouterr().out == ""


@linux
@everywhere
def test_a_candidate_that_forks_leaves_no_copy(wine, where, tmp_path):
    note = tmp_path / "note"
    model = learner("fork", note=str(note), **WHERE[where]).fit(*wine)
    check(model, wine, "ok", "dropped")
    # A copy would have gone on to the next fold.
    n_folds = model.leaderboard_["n_folds"].iloc[-1]
    assert len(note.read_text().split()) == n_folds


@linux
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_candidate_that_never_returns_is_given_up(wine, n_jobs, tmp_path):
    note = tmp_path / "note"
    model = learner("sleep", note=str(note), time_budget=60, n_jobs=n_jobs).fit(*wine)
    check(model, wine, "timeout")
    assert reason_of(model).startswith("given up after")
    assert model.stop_reason_ == "n_candidates reached"
    told = model.evaluations_.query("configuration == @BAD")
    took = (told["ended"] - told["started"]).max()
    assert 15 <= took < 45  # of 60 seconds, of which a quarter is given to it
    # If another fold of it was to begin, it did not take as long once more.
    assert took <= told["ended"].max() - told["started"].min() < took + 5
    assert all_ended(note)


@linux
@pytest.mark.parametrize(
    ("deed", "n_jobs"), [("sleep", 2), ("hold the lock", 1), ("hold the lock", 2)]
)
def test_a_candidate_that_never_returns_is_ended(wine, deed, n_jobs, tmp_path):
    note, before = tmp_path / "note", surroundings()
    model = learner(deed, note=str(note), time_budget=10, n_jobs=n_jobs).fit(*wine)
    status = status_of(model)
    assert status.pop(BAD) == "timeout"
    # It may have taken all workers before every good one had its turn.
    assert set(status.values()) == {"ok"}
    assert is_usable(model, wine)
    assert reason_of(model).startswith(("stopped at the deadline", "given up after"))
    assert all_ended(note)
    assert surroundings() == before
    assert model.shared_folder is not None and not model.shared_folder.exists()


@linux
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("seconds", [1, 3, 8])
def test_the_budget_is_kept_whatever_candidates_do(wine, seconds, n_jobs, tmp_path):
    note, before = tmp_path / "note", surroundings()
    note.touch()
    model = learner(
        "sleep", note=str(note), time_budget=seconds, n_jobs=n_jobs
    )
    start = time.monotonic()
    model.fit(*wine)
    # Seconds more than what is promised, for machines with other things to do.
    assert time.monotonic() - start < 1.1 * seconds + 5 + 20
    # On a busy machine, a second may be too little for anything but a constant.
    assert is_usable(model, wine) or seconds == 1
    assert model.deadline_ == "hard"
    assert all_ended(note)
    assert surroundings() == before
    assert model.shared_folder is not None and not model.shared_folder.exists()


@linux
def test_nothing_but_bad_candidates_leaves_a_constant(wine):
    model = learner("exit", names=[], n_jobs=2)
    with pytest.warns(UserWarning, match="the worker process was killed"):
        model.fit(*wine)
    assert status_of(model) == {BAD: "died"}
    assert len(np.unique(model.predict(wine[0]))) == 1


@pytest.mark.parametrize("where", ["two workers", "one worker, timed"])
def test_without_a_folder_to_write_to_the_table_is_sent(
    wine, where, tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path / "file"))
    model = learner("fail", **WHERE[where]).fit(*wine)
    check(model, wine, "failed")
    assert model.shared_folder is None


_ON_A_FULL_DISK = """
import json, resource
from sklearn.datasets import load_wine
from test_faults import BAD, learner, status_of

# No file may be longer than that: writing fails, as on a full disk.
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
X, y = load_wine(return_X_y=True)
model = learner("fail", checkpoint={folder!r}, **{params!r}).fit(X, y)
print(json.dumps([status_of(model), model.score(X, y), str(model.shared_folder)]))
"""


@linux
@pytest.mark.parametrize("where", ["two workers", "one worker, timed"])
def test_on_a_full_disk_the_search_goes_on(where, tmp_path):
    folder = tmp_path / "results"
    script = _ON_A_FULL_DISK.format(folder=str(folder), params=WHERE[where])
    status, score, shared = run_script(script, JOBLIB_TEMP_FOLDER=str(tmp_path))
    assert status == {**dict.fromkeys(GOOD, "ok"), BAD: "failed"}
    assert score > 0.9
    assert shared == "None"
    assert list(tmp_path.glob("sk_meta_*")) == []
    assert list(folder.glob("*.part")) == []


_INTERRUPTED = """
import json, logging, os, signal, threading, time, warnings
from sklearn.datasets import load_wine
from test_faults import learner, status_of


class Interrupt(logging.Handler):
    begun = False

    def emit(self, record):
        if not Interrupt.begun and "s a fold" in record.getMessage():
            Interrupt.begun = True
            kill = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
            kill.start()


# Where the tests run in the background, the signal is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
logging.getLogger("sk_meta").addHandler(Interrupt())
X, y = load_wine(return_X_y=True)
start = time.monotonic()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model = learner("sleep", verbose=1, time_budget=60, n_jobs={n_jobs}).fit(X, y)
seconds = time.monotonic() - start
print(json.dumps([
    seconds, [str(w.message) for w in caught], model.stop_reason_, status_of(model),
    model.score(X, y), model.shared_folder.exists(),
]))
"""


@linux
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupt_ends_the_search_and_keeps_what_was_found(n_jobs):
    found = run_script(_INTERRUPTED.format(n_jobs=n_jobs))
    seconds, shown, why, status, score, folder_exists = found
    assert seconds < 45
    assert any("interrupted" in message for message in shown)
    assert why == "interrupted"
    assert "ok" in status.values()
    assert score > 0.9
    assert not folder_exists
