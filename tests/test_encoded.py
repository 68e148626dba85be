"""Encoded folds that pipelines with the same encoders share."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import make_messy, make_target
from joblib import hash as hash_of
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sk_meta import _evaluation
from sk_meta._catalogue import catalogue
from sk_meta._encoded import EncodedFold, EncodedFolds
from sk_meta._evaluation import OK, evaluate_fold, forget_encoded
from sk_meta._table import describe_table, describe_target

SCORERS = {"score": get_scorer("neg_log_loss")}
QUICK = {"linear", "nearest neighbours", "discriminant analysis", "naive Bayes",
         "decision tree", "support vectors", "linear on splines"}  # fmt: skip


class SlowScaler(StandardScaler):
    """Takes long enough to be worth keeping, and counts how often it is fitted."""

    n_fits = 0

    def fit(self, X, y=None):
        SlowScaler.n_fits += 1
        time.sleep(0.01)
        return super().fit(X, y)


@pytest.fixture(autouse=True)
def nothing_kept():
    SlowScaler.n_fits = 0
    forget_encoded()
    yield
    forget_encoded()


def logistic(C=1.0):
    return Pipeline([("scale", SlowScaler()), ("model", LogisticRegression(C=C))])


def bayes():
    return Pipeline([("scale", SlowScaler()), ("model", GaussianNB())])


def evaluate(pipeline, data, key=None, fold=0, **params):
    X, y = data
    rows = np.arange(len(y))
    split = rows[rows % 3 != fold], rows[rows % 3 == fold]
    encoders = None if key is None else (1, (key, fold))
    return evaluate_fold(
        pipeline, X, y, split, SCORERS, np.unique(y), encoders=encoders, **params
    )


def same(first, second):
    assert first.status == second.status == OK, (first.error, second.error)
    assert first.scores == second.scores
    np.testing.assert_array_equal(first.prediction, second.prediction)
    return True


def test_pipelines_with_the_same_encoders_encode_once(iris):
    found = [evaluate(p, iris, "it") for p in (logistic(), bayes(), logistic(0.1))]
    assert SlowScaler.n_fits == 1
    alone = [evaluate(p, iris) for p in (logistic(), bayes(), logistic(0.1))]
    assert SlowScaler.n_fits == 4
    assert all(map(same, found, alone))


def test_other_folds_and_other_tasks_are_encoded_for_themselves(iris, cancer):
    for data, key in ((iris, "iris"), (cancer, "cancer")):
        for fold in (0, 1):
            kept = evaluate(logistic(), data, key, fold)
            assert same(kept, evaluate(logistic(), data, None, fold))
    assert SlowScaler.n_fits == 2 * 2 * 2


def test_the_seconds_of_encoding_count_for_everyone(iris):
    first, second = (evaluate(logistic(), iris, "it") for _ in range(2))
    assert SlowScaler.n_fits == 1
    assert min(first.fit_seconds, second.fit_seconds) >= 0.01


def test_a_kept_model_is_whole(iris):
    X, _ = iris
    evaluate(logistic(), iris, "it")
    result = evaluate(bayes(), iris, "it", keep=True)
    assert [name for name, _ in result.model.steps] == ["scale", "model"]
    np.testing.assert_array_equal(
        result.model.predict_proba(X[::3]), result.prediction
    )


def test_encoders_that_fail_leave_nothing_behind(iris):
    X, y = iris
    broken = evaluate(logistic(), (X.astype(str) + "x", y), "it")
    assert broken.status == "failed"
    assert same(evaluate(logistic(), iris, "it"), evaluate(logistic(), iris))


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_configurations_of_the_catalogue_share_what_they_do_not_change(task):
    X = make_messy(150)
    y = make_target(X, task)
    table, target = describe_table(X), describe_target(y, task)
    scorer = get_scorer("neg_log_loss" if task == "classification" else "r2")
    split = np.arange(0, 100), np.arange(100, 150)
    groups: dict = {}
    for configuration in catalogue(task):
        if configuration.family in QUICK and not configuration.why_not(table, target):
            n_steps = configuration.n_encoders(table)
            key = hash_of(configuration.build(table, 0).steps[:n_steps])
            groups.setdefault((n_steps, key), []).append(configuration)
    shared = {key: found[:4] for key, found in groups.items() if len(found) > 1}
    assert len(shared) > 1

    def results(encoders, configurations):
        return [
            evaluate_fold(
                c.build(table, 0), X, y, split, {"score": scorer}, target.classes,
                encoders=encoders,
            )
            for c in configurations
        ]  # fmt: skip

    for (n_steps, key), configurations in shared.items():
        kept = results((n_steps, (key,)), configurations)
        before = hash_of(_evaluation._encoded.get((key,)).train)
        # Once more, in the other order: none has changed what is kept.
        again = results((n_steps, (key,)), configurations[::-1])[::-1]
        assert hash_of(_evaluation._encoded.get((key,)).train) == before
        alone = results(None, configurations)
        assert all(map(same, kept, alone)) and all(map(same, again, alone))


def encoded(n_bytes, seconds=1.0):
    rows = np.zeros(n_bytes // 2, dtype=np.uint8)
    return EncodedFold([], rows, rows.copy(), seconds, 0.0)


def test_what_does_not_fit_any_more_makes_room():
    folds = EncodedFolds(max_bytes=1000)
    for name in "abc":
        folds.put((name,), encoded(400))
    assert [folds.get((name,)) is not None for name in "abc"] == [False, True, True]


def test_what_was_used_last_goes_last():
    folds = EncodedFolds(max_bytes=1000)
    folds.put(("a",), encoded(400))
    folds.put(("b",), encoded(400))
    folds.get(("a",))
    folds.put(("c",), encoded(400))
    assert folds.get(("a",)) is not None and folds.get(("b",)) is None


def test_what_is_large_or_quick_is_not_kept():
    folds = EncodedFolds(max_bytes=1000)
    folds.put(("large",), encoded(600))
    folds.put(("quick",), encoded(100, seconds=0.001))
    folds.put(("good",), encoded(100))
    assert folds.get(("large",)) is None and folds.get(("quick",)) is None
    assert folds.get(("good",)) is not None
    folds.clear()
    assert folds.get(("good",)) is None


def test_the_size_of_every_kind_of_table():
    dense = np.ones((10, 4))
    frame = pd.DataFrame(dense)
    thin = sparse.csr_array(np.eye(100))
    fold = replace(encoded(0), train=dense, test=dense)
    assert fold.n_bytes == 2 * 320
    assert replace(fold, train=frame).n_bytes >= 2 * 320
    assert 100 * 8 < replace(fold, train=thin).n_bytes - 320 < 100 * 100
