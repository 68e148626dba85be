"""Written by skops and read again; what is not ours is refused."""

import operator
import os
import subprocess
import sys
from copy import copy
from functools import partial
from importlib.util import find_spec

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import make_messy, make_target
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, get_scorer_names, make_scorer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sk_meta import (
    MetaLearnerClassifier,
    MetaLearnerRegressor,
    load,
    save,
)
from sk_meta._catalogue import catalogue
from sk_meta._ensemble import WeightedEnsemble
from sk_meta._saving import replacing
from sk_meta._table import describe_table

skops = pytest.importorskip("skops.io")

# Numbers, strings, dates, text, gaps, and what is read out of text.
COLUMNS = ["number", "holes", "nullable", "letters", "flag", "key", "text", "date",
           "grade", "clock", "price"]  # fmt: skip
QUICK = {"candidates": ["linear", "decision tree"], "n_candidates": 2, "cv": 2,
         "random_state": 0}  # fmt: skip
ELSEWHERE = """
import sys
import joblib, numpy as np, pandas as pd
how, model, rows, out = sys.argv[1:]
X = pd.read_pickle(rows)
if how == "ours":
    import sk_meta
    parts = sk_meta.load(model)
    parts = getattr(parts, "estimators", [parts])
else:
    sys.modules["sk_meta"] = None  # can't be imported
    if how == "skops":
        import skops.io
        trusted = skops.io.get_untrusted_types(file=model)
        parts = [skops.io.load(model, trusted=trusted)]
    else:
        parts = [joblib.load(model)]
joblib.dump([part.predict(X) for part in parts], out)
"""


def elsewhere(how, path, X, tmp_path):
    """Predictions of the parts of a saved model in a process of its own."""
    X.to_pickle(tmp_path / "X.pkl")
    files = [str(path), str(tmp_path / "X.pkl"), str(tmp_path / "out.joblib")]
    subprocess.run([sys.executable, "-c", ELSEWHERE, how, *files], check=True)
    return joblib.load(files[-1])


@pytest.fixture(scope="module")
def mixed():
    X = make_messy(60)[COLUMNS]
    return X, {t: make_target(X, t) for t in ("classification", "regression")}


@pytest.fixture(scope="module")
def fitted(mixed):
    X, y = mixed
    return MetaLearnerClassifier(**QUICK).fit(X, y["classification"]), X


# skops takes a second for dates and texts, so every third family goes with them.
RICH = ["number", "letters", "date", "text"]
PLAIN = ["number", "holes", "nullable", "letters", "flag", "key", "grade", "price"]


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("rich", [True, False], ids=["rich", "plain"])
def test_every_family_predicts_the_same_elsewhere(task, rich, mixed, tmp_path):
    X, y = mixed[0][RICH if rich else PLAIN], mixed[1][task]
    table = describe_table(X)
    first = {c.family: c for c in reversed(catalogue(task))}
    first |= {c.name: c for c in catalogue(task) if c.texts or c.categories}
    parts = [
        configuration.build(table, 0).fit(X, y)
        for i, configuration in enumerate(first.values())
        if rich == (i % 3 == 0 or configuration.texts or configuration.categories)
        and (configuration.requires is None or find_spec(configuration.requires))
    ]
    assert len(parts) >= 4
    classes = np.unique(y) if task == "classification" else None
    weights = np.full(len(parts), 1 / len(parts))
    path = tmp_path / "all.skops"
    save(WeightedEnsemble(parts, weights, classes), path)
    for part, found in zip(parts, elsewhere("ours", path, X, tmp_path), strict=True):
        np.testing.assert_array_equal(found, part.predict(X), err_msg=str(part[-1]))


@pytest.mark.parametrize("held", [np.asarray, sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("name", ["knn-5", "knn-r14", "svc-C3", "svr-r29", "ridge"])
def test_arrays_and_sparse_tables(name, held, tmp_path):
    """What some models keep of the rows depends on how they are held."""
    rows = np.random.default_rng(0).random((60, 2)).round(1)
    X, y = held(rows), (rows[:, 0] > 0.5).astype(int)
    configurations = catalogue("classification") + catalogue("regression")
    found = [c for c in configurations if c.name == name]
    if held is not np.asarray:
        found = [c for c in found if c.sparse]
    for configuration in found:
        pipeline = configuration.build(describe_table(X), 0).fit(X, y)
        save(pipeline, tmp_path / "a.skops")
        np.testing.assert_array_equal(
            load(tmp_path / "a.skops").predict(X), pipeline.predict(X)
        )


def test_estimator_is_the_same_elsewhere(fitted, tmp_path):
    model, X = fitted
    save(model, tmp_path / "model.skops")
    (found,) = elsewhere("ours", tmp_path / "model.skops", X, tmp_path)
    np.testing.assert_array_equal(found, model.predict(X))
    loaded = load(str(tmp_path / "model.skops"))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    for name, value in vars(model).items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(getattr(loaded, name), value, obj=name)
    assert loaded.get_params() == model.get_params()
    assert loaded.to_code() == model.to_code()
    assert str(loaded.explain()) == str(model.explain())


@pytest.mark.parametrize("how", ["skops", "joblib"])
def test_the_winner_needs_no_sk_meta(how, fitted, tmp_path):
    model, X = fitted
    best, path = model.best_estimator_, tmp_path / "best"
    save(best, path) if how == "skops" else joblib.dump(best, path)
    (found,) = elsewhere(how, path, X, tmp_path)
    np.testing.assert_array_equal(found, best.predict(X))


def test_weights_groups_and_several_scorers(iris, tmp_path):
    X, y = iris
    model = MetaLearnerClassifier(
        **QUICK, scoring=["roc_auc_ovr", "neg_log_loss"], refit="neg_log_loss"
    ).fit(X, y, sample_weight=np.arange(150) + 1.0, groups=np.arange(150) % 9)
    save(model, tmp_path / "a.skops")
    loaded = load(tmp_path / "a.skops")
    assert loaded.score(X, y) == model.score(X, y)


def test_inside_a_pipeline(diabetes, tmp_path):
    X, y = diabetes
    model = make_pipeline(StandardScaler(), MetaLearnerRegressor(**QUICK)).fit(X, y)
    save(model, tmp_path / "a.skops")
    np.testing.assert_array_equal(load(tmp_path / "a.skops").predict(X),
                                  model.predict(X))  # fmt: skip


def test_scorers_of_scikit_learn_are_known(tmp_path):
    names = get_scorer_names()
    scorers = {"all": [make_scorer(accuracy_score), *map(_scorer, names)]}
    save(scorers, tmp_path / "a.skops")
    assert len(load(tmp_path / "a.skops")["all"]) == len(names) + 1


def _scorer(name):
    from sklearn.metrics import get_scorer

    return get_scorer(name)


class Mine(ClassifierMixin, BaseEstimator):
    """A model that nobody else knows."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_a_type_of_your_own_is_trusted_only_if_you_say_so(iris, tmp_path):
    model = MetaLearnerClassifier(
        candidates=[("mine", Mine())], n_candidates=1, cv=2, random_state=0
    ).fit(*iris)
    path, name = tmp_path / "a.skops", f"{Mine.__module__}.Mine"
    with pytest.warns(UserWarning, match=name):
        save(model, path)
    with pytest.raises(ValueError, match=f"not trusted: .'{name}'"):
        load(path)
    loaded = load(path, trusted=[name])
    np.testing.assert_array_equal(loaded.predict(iris[0]), model.predict(iris[0]))


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (os.system, "posix.system"),
        (eval, "builtins.eval"),
        (partial(exec, "1"), "builtins.exec"),
        (np.load, "numpy.load"),
        (pd.read_pickle, "pandas.*read_pickle"),
        (operator.attrgetter("to_pickle"), "operator.attrgetter"),
    ],
    ids=["system", "eval", "exec", "numpy.load", "read_pickle", "attrgetter"],
)
def test_functions_that_could_do_harm_are_refused(function, named, tmp_path):
    path = tmp_path / "bad.skops"
    skops.dump(Pipeline([("f", FunctionTransformer(function))]), path)
    with pytest.raises(ValueError, match=named):
        load(path)


@pytest.mark.parametrize(
    "call",
    [
        operator.methodcaller("to_csv", "taken.csv"),
        operator.methodcaller("apply", "to_csv", 0, False, None, ("taken.csv",)),
        operator.methodcaller("eval", "1"),
        operator.methodcaller("map", operator.methodcaller("format")),
    ],
    ids=str,
)
@pytest.mark.parametrize("hide", [lambda call: call, lambda call: np.array([call, 1])])
def test_methods_that_are_not_ours_are_refused(call, hide, tmp_path):
    path = tmp_path / "bad.skops"
    skops.dump(
        Pipeline([("f", FunctionTransformer(kw_args={"value": hide(call)}))]), path
    )
    with pytest.raises(ValueError, match="calls that none of our pipelines makes"):
        load(path)


def test_what_is_no_such_file_is_refused(tmp_path):
    path = tmp_path / "a.joblib"
    joblib.dump(RandomForestClassifier(), path)
    with pytest.raises(ValueError, match="not a file that sk_meta.save wrote"):
        load(path)
    path.write_bytes(b"PK\x05\x06" + b"\0" * 18)  # an empty archive
    with pytest.raises(ValueError, match="not a file that sk_meta.save wrote"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.skops")


def test_what_can_not_be_written_says_so(fitted, knowledge, tmp_path):
    model = copy(fitted[0]).set_params(knowledge=knowledge)
    with pytest.raises(ValueError, match="knowledge as a folder"):
        save(model, tmp_path / "a.skops")
    assert not list(tmp_path.iterdir())


def test_skops_is_asked_for_where_it_is_needed(fitted, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(ImportError, match=r"pip install 'sk-meta\[save\]'"):
        save(fitted[0], tmp_path / "a.skops")
    with pytest.raises(ImportError, match="joblib.load"):
        load(tmp_path / "a.skops")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as part:
        part.write_text("half")
        1 / 0  # noqa: B018
    assert path.read_text() == "old"
    with replacing(path) as part:
        part.write_text("new")
    assert path.read_text() == "new"
    with pytest.raises(OSError), replacing(tmp_path / "absent" / "a") as part:
        part.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["a"]
