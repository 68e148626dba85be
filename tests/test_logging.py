"""What users are told: the log, warnings, and settings that threads share."""

import logging
import os
import subprocess
import sys
import threading
import types
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score
from threadpoolctl import threadpool_info

from sk_meta import MetaLearnerClassifier
from sk_meta._compat import unlogged
from sk_meta._log import logged, logger
from sk_meta._together import quiet, together

N_CANDIDATES, N_FOLDS = 3, 2
SETTINGS = {"n_candidates": N_CANDIDATES, "candidates": ["linear"], "cv": N_FOLDS,
            "random_state": 0}  # fmt: skip
X, Y = load_wine(return_X_y=True)
ALONE, RARE = 7, 8


@pytest.fixture
def rare():
    """Classes with one and with three members."""
    y = Y.copy()
    y[0], y[1:4] = ALONE, RARE
    return y


def lines(caplog, level):
    return [r.getMessage() for r in caplog.records if r.levelno == level]


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_verbose_logs_configurations_and_then_folds(verbose, caplog):
    MetaLearnerClassifier(verbose=verbose, **SETTINGS).fit(X, Y)
    told = lines(caplog, logging.INFO), lines(caplog, logging.DEBUG)
    assert len(told[0]) == (N_CANDIDATES if verbose else 0)
    folds = [line for line in told[1] if ", split " in line]
    assert len(folds) == (N_CANDIDATES * N_FOLDS if verbose > 1 else 0)
    assert {record.name for record in caplog.records} <= {"sk_meta"}
    assert all(r.funcName == "_log_fold" for r in caplog.records if r.msg in folds)


def test_log_goes_to_the_standard_error_if_nowhere_else(monkeypatch, capfd):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own
    MetaLearnerClassifier(verbose=1, **SETTINGS).fit(X, Y)
    out, err = capfd.readouterr()
    assert out == "" and err.count(" s a fold\n") == N_CANDIDATES
    MetaLearnerClassifier(**SETTINGS).fit(X, Y)
    assert capfd.readouterr() == ("", "")


def test_log_that_the_application_has_asked_for_needs_no_verbose(caplog, capfd):
    with caplog.at_level(logging.INFO, logger="sk_meta"):
        MetaLearnerClassifier(**SETTINGS).fit(X, Y)
    assert len(lines(caplog, logging.INFO)) == N_CANDIDATES
    assert capfd.readouterr() == ("", "")


def test_level_of_one_thread_is_not_that_of_another(caplog):
    both = threading.Barrier(2)

    def fit(verbose):
        with logged(verbose):
            both.wait()
            logger.info("verbose %d", verbose)
            both.wait()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(fit, [0, 1]))
    assert lines(caplog, logging.INFO) == ["verbose 1"]
    assert logger.logger.level == logging.NOTSET
    assert not logger.isEnabledFor(logging.INFO)


def test_place_in_the_log_is_that_of_the_caller(caplog):
    with logged(1):
        logger.info("here")
    assert (caplog.records[0].filename, caplog.records[0].funcName) == (
        "test_logging.py", "test_place_in_the_log_is_that_of_the_caller",
    )  # fmt: skip


def causes(caught):
    """How often either warning of the rare classes came."""
    texts = [str(warning.message) for warning in caught]
    return Counter(
        "alone" if "one member" in text else "rare"
        for text in texts
        if "one member" in text or "folds are used instead" in text
    )


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_one_warning_for_every_cause_at_the_line_of_the_user(n_jobs, rare):
    settings = {**SETTINGS, "cv": None}
    model = MetaLearnerClassifier(n_jobs=n_jobs, **settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, rare)
    assert causes(caught) == {"alone": 1, "rare": 1}
    assert len(caught) == 2
    assert {warning.filename for warning in caught} == {__file__}


def test_one_warning_for_every_cause_and_fit_in_cross_validation(rare):
    folds = [(np.arange(len(X)), np.arange(9, 20))] * 2
    model = MetaLearnerClassifier(**{**SETTINGS, "cv": None})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cross_val_score(model, X, rare, cv=folds)
    assert causes(caught) == {"alone": 2, "rare": 2}
    assert len(caught) == 4


def test_limit_that_no_member_meets_is_one_warning(recwarn):
    MetaLearnerClassifier(max_predict_time=1e-9, **SETTINGS).fit(X, Y)
    assert ["max_predict_time" in str(w.message) for w in recwarn] == [True]


def overlapping(context):
    """Enter in one thread, then in another; leave in the first, then in the other."""
    first, second = ExitStack(), ExitStack()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(first.enter_context, context()).result()
        other.submit(second.enter_context, context()).result()
        one.submit(first.close).result()
        yield
        other.submit(second.close).result()


def test_shared_setting_ends_with_the_last_thread():
    setting = []

    @together
    @contextmanager
    def changed():
        setting.append("on")
        yield
        setting.remove("on")

    for _ in overlapping(changed):
        assert setting == ["on"]
    assert setting == []
    # What has gone wrong in a fit is not the setting's.
    with pytest.raises(RuntimeError), changed(), changed():
        raise RuntimeError
    assert setting == []


def leave_warnings_and_threads_as_they_were():
    filters, threads = list(warnings.filters), threadpool_info()
    assert {library["num_threads"] for library in threads} == {2}
    for _ in overlapping(quiet):
        assert warnings.filters != filters
    assert warnings.filters == filters
    assert threadpool_info() == threads


@pytest.mark.skipif(os.cpu_count() == 1, reason="libraries have one thread")
def test_fits_in_two_threads_leave_warnings_and_threads_as_they_were():
    # Libraries read the number when they are loaded, and here it may be 1.
    script = "import test_logging as t; t.leave_warnings_and_threads_as_they_were()"
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environ = {**os.environ, "PYTHONPATH": paths}
    environ |= {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", script], env=environ,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_thread_may_fit_when_the_main_one_has_ended():
    script = (
        "import threading, time\n"
        "from sk_meta._together import quiet\n"
        "def fit():\n"
        "    with quiet():\n"
        "        time.sleep(1)\n"
        "    with quiet():\n"
        "        print('done')\n"
        "threading.Thread(target=fit).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], text=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                          capture_output=True)  # fmt: skip
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_warnings_caught_by_another_thread_meanwhile_are_not_lost():
    filters = list(warnings.filters)
    caught = warnings.catch_warnings()
    with quiet():
        caught.__enter__()
    caught.__exit__(None, None, None)
    assert warnings.filters == filters
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        filters = list(warnings.filters)
        with quiet():
            pass
        assert warnings.filters == filters


@pytest.fixture
def autologging(monkeypatch):
    """A module that switches as MLflow's does: it can't be nested, and an error in it
    leaves it off."""
    module = types.ModuleType("mlflow.utils.autologging_utils")
    module._AUTOLOGGING_GLOBALLY_DISABLED = False

    @contextmanager
    def disable_autologging():
        module._AUTOLOGGING_GLOBALLY_DISABLED = True
        yield
        module._AUTOLOGGING_GLOBALLY_DISABLED = False

    module.disable_autologging = disable_autologging
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def test_autologging_is_off_until_the_last_fit_ends(autologging):
    for _ in overlapping(unlogged):
        assert autologging._AUTOLOGGING_GLOBALLY_DISABLED
    assert not autologging._AUTOLOGGING_GLOBALLY_DISABLED
    with pytest.raises(ValueError, match="candidates"):
        MetaLearnerClassifier(candidates=["no such"]).fit(X, Y)
    assert not autologging._AUTOLOGGING_GLOBALLY_DISABLED
    with autologging.disable_autologging():
        for _ in overlapping(unlogged):
            pass
        assert autologging._AUTOLOGGING_GLOBALLY_DISABLED


def test_two_fits_at_the_same_time_leave_all_as_it_was(autologging):
    models = [MetaLearnerClassifier(**SETTINGS) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        fitted = list(threads.map(lambda model: model.fit(X, Y), models))
    patterns = [rule[1].pattern for rule in warnings.filters if rule[1] is not None]
    assert "(?s).*" not in patterns
    assert not autologging._AUTOLOGGING_GLOBALLY_DISABLED
    np.testing.assert_array_equal(*(model.predict_proba(X) for model in fitted))
