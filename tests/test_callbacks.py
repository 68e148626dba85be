"""Callbacks: what they see, what they may ask for, and that they change nothing."""

import io
import os
import pickle
import shutil
import sys

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV

from sk_meta import MetaLearnerClassifier, _old_callbacks
from sk_meta.callbacks import Progress, describe

N_CANDIDATES, N_FOLDS = 4, 2
SETTINGS = {"n_candidates": N_CANDIDATES, "candidates": ["linear"], "cv": N_FOLDS,
            "random_state": 0}  # fmt: skip
# Columns of the leaderboard that tell no time.
FOUND = ["configuration", "mean_score", "expected_score", "status"]
X, Y = load_wine(return_X_y=True)


class Recorder:
    """Notes every hook, and asks to stop when it is told to."""

    def __init__(self, stop_at=None, raise_at=None):
        self.stop_at = stop_at
        self.raise_at = raise_at
        self.begun, self.ended, self.states, self.processes = [], [], [], set()

    def _note(self, names, context):
        names.append((context.parent and context.parent.task_name, context.task_name))
        self.processes.add(os.getpid())

    def setup(self, estimator, context):
        self.begun, self.ended, self.states = [], [], []
        self._note(self.begun, context)

    def teardown(self, estimator, context):
        self.ended.append((None, "teardown"))

    def on_fit_task_begin(self, estimator, context):
        self._note(self.begun, context)

    def on_fit_task_end(self, estimator, context):
        self._note(self.ended, context)
        if context.task_name == self.raise_at:
            raise RuntimeError("enough")
        if context.parent is not None and context.parent.task_name == "search":
            self.states.append(estimator.search_state_)
            return len(self.states) == self.stop_at
        return False


class Wanting:
    """Asks for an estimator that predicts, after every task."""

    def __init__(self):
        self.accuracies = {}

    def setup(self, estimator, context):
        self.accuracies = {}

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, fitted_estimator=None
    ):
        if fitted_estimator is not None:
            accuracy = (fitted_estimator.predict(X) == y).mean()
            self.accuracies[context.task_name] = accuracy


OLD = _old_callbacks.CallbackSupportMixin
MIXINS = () if issubclass(MetaLearnerClassifier, OLD) else (OLD,)


class Older(*MIXINS, MetaLearnerClassifier):
    """The classifier as it is with scikit-learn before 1.9."""


def found(model):
    return model.leaderboard_[FOUND].fillna("none").to_dict("list")


@pytest.fixture(scope="module", params=[1, 2], ids=["one job", "two jobs"])
def watched(request):
    """A fit that was watched, and what its callbacks have noted."""
    recorder, wanting = Recorder(), Wanting()
    model = MetaLearnerClassifier(n_jobs=request.param, **SETTINGS)
    model.set_callbacks(recorder, wanting).fit(X, Y)
    return model, recorder, wanting


@pytest.fixture(scope="module")
def unwatched():
    return MetaLearnerClassifier(**SETTINGS).fit(X, Y)


def test_fit_is_a_tree_of_tasks_each_of_which_begins_and_ends(watched):
    _, recorder, _ = watched
    assert recorder.begun[:3] == [(None, "fit"), (None, "fit"), ("fit", "search")]
    steps = [name for parent, name in recorder.ended if parent == "fit"]
    assert steps == ["search", "ensemble", "refit"]
    assert recorder.ended[-2:] == [(None, "fit"), (None, "teardown")]
    assert sorted(recorder.begun[1:], key=str) == sorted(recorder.ended[:-1], key=str)


def test_hooks_are_called_here_for_every_fold_in_the_same_order(watched, unwatched):
    model, recorder, _ = watched
    assert recorder.processes == {os.getpid()}
    folds = [name for parent, name in recorder.ended if parent == "search"]
    assert len(folds) == len(set(folds)) == N_CANDIDATES * N_FOLDS
    again = Recorder()
    clone(unwatched).set_callbacks(again).fit(X, Y)
    assert [name for parent, name in again.ended if parent == "search"] == folds


def test_callbacks_change_nothing(watched, unwatched):
    model, _, _ = watched
    assert found(model) == found(unwatched)
    # They were fitted in other processes, where a sum may differ in its last bit: it
    # depends on where the numbers lie in memory.
    np.testing.assert_allclose(
        model.predict_proba(X), unwatched.predict_proba(X), rtol=1e-12
    )


def test_state_tells_how_far_the_search_has_come(watched):
    model, recorder, _ = watched
    states = recorder.states
    assert [state.n_folds for state in states] == list(range(1, len(states) + 1))
    assert all(np.diff([state.elapsed for state in states]) >= 0)
    best = [state.best_score for state in states if state.best]
    assert best == sorted(best) and best[-1] == model.best_score_
    last = states[-1]
    assert last.best == model.best_params_["configuration"]
    assert (last.n_ended, last.n_configurations) == (N_CANDIDATES, N_CANDIDATES)
    assert (last.latest_status, last.running) == ("ok", ())
    assert 0 < last.latest_score <= 1
    assert not hasattr(model, "search_state_")


def test_estimator_as_if_fit_had_stopped_predicts(watched):
    model, _, wanting = watched
    assert len(wanting.accuracies) == N_CANDIDATES + 1
    assert min(wanting.accuracies.values()) > 0.9
    assert wanting.accuracies["fit"] == (model.predict(X) == Y).mean()


def test_stop_ends_the_search_and_keeps_what_was_found():
    boards = []
    for n_jobs in (1, 2):
        model = MetaLearnerClassifier(n_jobs=n_jobs, **SETTINGS)
        model.set_callbacks(Recorder(stop_at=3)).fit(X, Y)
        assert model.stop_reason_ == "stopped by a callback"
        assert model.score(X, Y) > 0.9
        boards.append(found(model))
    assert boards[0] == boards[1]
    assert boards[0]["status"].count("ok") == 1


def test_stop_before_anything_is_complete_waits_for_it():
    recorder = Recorder(stop_at=1)
    model = MetaLearnerClassifier(**SETTINGS).set_callbacks(recorder).fit(X, Y)
    assert model.stop_reason_ == "stopped by a callback"
    assert len(model.members_) == 1
    assert len(recorder.states) >= N_FOLDS


@pytest.mark.parametrize("most", [None, 500])
def test_stop_with_time_left(most):
    recorder = Recorder(stop_at=4)
    count = "auto" if most is None else most
    model = MetaLearnerClassifier(time_budget=300, n_candidates=count, n_jobs=2)
    model.set_callbacks(recorder).fit(X, Y)
    assert model.stop_reason_ == "stopped by a callback"
    assert model.score(X, Y) > 0.8
    assert recorder.states[0].n_configurations == most
    assert 0 < recorder.states[-1].seconds_left < 300


@pytest.mark.parametrize("base", [MetaLearnerClassifier, Older])
def test_error_of_a_callback_is_the_error_of_fit(base):
    recorder = Recorder(raise_at="search")
    model = base(**SETTINGS).set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(X, Y)
    assert recorder.ended[-1] == (None, "teardown")
    assert not hasattr(model, "search_state_")


@pytest.mark.parametrize("base", [MetaLearnerClassifier, Older])
def test_callbacks_are_set_cloned_pickled_and_removed(base):
    recorder = Recorder()
    model = base(**SETTINGS).set_callbacks(recorder)
    clone(model).set_params(n_candidates=1).fit(X, Y)
    assert recorder.ended[-1] == (None, "teardown")
    copied = pickle.loads(pickle.dumps(model))
    copied.set_params(n_candidates=1).fit(X, Y).set_callbacks()
    assert set(vars(clone(copied))) == set(vars(base()))
    with pytest.raises(TypeError, match="FitCallback protocol"):
        model.set_callbacks(Recorder)
    with pytest.raises(TypeError, match="FitCallback protocol"):
        model.set_callbacks(print)


def test_older_scikit_learn_calls_the_same_hooks(watched):
    model, recorder, wanting = watched
    mine, wants = Recorder(), Wanting()
    older = Older(n_jobs=model.n_jobs, **SETTINGS).set_callbacks(mine, wants).fit(X, Y)
    assert mine.ended == recorder.ended
    assert sorted(mine.begun, key=str) == sorted(recorder.begun, key=str)
    assert wants.accuracies == wanting.accuracies
    assert found(older) == found(model)


def test_older_scikit_learn_names_what_a_hook_may_ask_for():
    class Curious(Recorder):
        def on_fit_task_end(self, estimator, context, *, weather):
            pass

    with pytest.raises(TypeError, match="weather"):
        Older(**SETTINGS).set_callbacks(Curious()).fit(X, Y)


def test_scoring_monitor_follows_the_best_so_far():
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = MetaLearnerClassifier(n_jobs=2, **SETTINGS).set_callbacks(monitor)
    model.fit(X, Y, sample_weight=1 + (np.arange(len(Y)) % 2))
    log = monitor.get_logs().data_as_pandas
    assert len(log) == N_CANDIDATES + 1
    assert log["accuracy"].between(0.9, 1).all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_bar_of_scikit_learn_shows_fit_and_search(capsys, n_jobs):
    callback = pytest.importorskip("sklearn.callback")
    pytest.importorskip("rich")
    settings = {**SETTINGS, "n_jobs": n_jobs}
    model = MetaLearnerClassifier(**settings).set_callbacks(callback.ProgressBar())
    model.fit(X, Y)
    shown = capsys.readouterr().out
    assert "MetaLearnerClassifier - search" in shown
    assert shown.count("100%") == 2


def test_progress_bar_of_a_grid_search_goes_through(capsys):
    callback = pytest.importorskip("sklearn.callback")
    pytest.importorskip("rich")
    grid = GridSearchCV(
        MetaLearnerClassifier(**SETTINGS), {"n_candidates": [1]}, cv=2
    ).set_callbacks(callback.ProgressBar())
    grid.fit(X, Y)
    assert "MetaLearnerClassifier - search" in capsys.readouterr().out


@pytest.mark.parametrize("base", [MetaLearnerClassifier, Older])
def test_progress_of_fits_at_the_same_time(base):
    pytest.importorskip("rich")
    file = io.StringIO()
    model = base(**SETTINGS).set_callbacks(Progress(file))
    grid = GridSearchCV(model, {"n_candidates": [1, 2, 3]}, cv=2, error_score="raise")
    with parallel_config("threading", n_jobs=2):
        grid.fit(X, Y)
    for n_candidates in (1, 2, 3):
        assert f"{n_candidates} of {n_candidates} configurations" in file.getvalue()


@pytest.mark.parametrize("base", [MetaLearnerClassifier, Older])
def test_progress_shows_best_and_done(base):
    pytest.importorskip("rich")
    file = io.StringIO()
    model = base(**SETTINGS).set_callbacks(Progress(file)).fit(X, Y)
    shown = file.getvalue()
    assert f"4 of 4 configurations, {N_CANDIDATES * N_FOLDS} folds" in shown
    assert f"best {model.best_score_:.4g}" in shown
    assert shown.startswith("done") and shown.endswith("\n")


def test_progress_on_a_terminal_is_drawn_while_fit_runs(monkeypatch, capsys):
    pytest.importorskip("rich")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    model = MetaLearnerClassifier(**SETTINGS)
    progress = pickle.loads(pickle.dumps(Progress()))
    model.set_callbacks(progress).fit(X, Y)
    out, shown = capsys.readouterr()
    assert out == "" and "looking at the table" in shown and "done" in shown


def test_progress_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    with pytest.raises(ImportError, match=r"sk-meta\[progress\]"):
        Progress()


def test_what_runs_is_named(watched):
    _, recorder, _ = watched
    counts, told = describe(recorder.states[0])
    assert counts.startswith(f"0 of {N_CANDIDATES} configurations, 1 folds")
    for name in recorder.states[0].running:
        assert name in told


def test_checkpoint_that_is_lost_is_one_warning(tmp_path, recwarn):
    class Clumsy(Recorder):
        def on_fit_task_begin(self, estimator, context):
            shutil.rmtree(tmp_path, ignore_errors=True)

    model = MetaLearnerClassifier(checkpoint=tmp_path / "kept", **SETTINGS)
    model.set_callbacks(Clumsy()).fit(X, Y)
    messages = [str(warning.message) for warning in recwarn]
    assert sum("checkpoint" in message for message in messages) == 1
    assert model.score(X, Y) > 0.9
