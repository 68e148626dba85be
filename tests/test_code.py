"""The script that makes the winner again."""

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from conftest import make_messy, make_target
from sklearn.base import BaseEstimator
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sk_meta import MetaLearnerClassifier, MetaLearnerRegressor
from sk_meta._catalogue import catalogue
from sk_meta._code import script_of
from sk_meta._table import as_table, describe_table

# One column of every kind that is read in a way of its own.
COLUMNS = ["number", "holes", "nullable", "letters", "flag", "key", "text", "date",
           "date_text", "grade", "duration", "clock", "price"]  # fmt: skip
QUICK = {"n_candidates": 1, "cv": 2, "random_state": 0}
RUN = """
import runpy, sys
import numpy as np, pandas as pd
sys.modules["sk_meta"] = None  # can't be imported
script, rows, target, out = sys.argv[1:]
made = runpy.run_path(script)
X = pd.read_pickle(rows)
model = made["fit"](X, np.load(target, allow_pickle=True))
np.save(out, model.predict(X))
"""


def same(first, second):
    """Whether two parameters are the same, whatever is in them."""
    if hasattr(first, "get_params") and not isinstance(first, type):
        ours, theirs = first.get_params(deep=False), second.get_params(deep=False)
        outputs = [vars(one).get("_sklearn_output_config") for one in (first, second)]
        return (
            type(first) is type(second)
            and outputs[0] == outputs[1]
            and same(ours, theirs)
        )
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(
            same(first[key], second[key]) for key in first
        )
    if isinstance(first, (list, tuple)):
        return (
            type(first) is type(second)
            and len(first) == len(second)
            and all(map(same, first, second))
        )
    if isinstance(first, float) and np.isnan(first):
        return np.isnan(second)
    if type(first).__name__ in ("partial", "methodcaller"):
        return same(first.__reduce__()[1:], second.__reduce__()[1:])
    if hasattr(first, "get_n_splits"):  # a splitter of rows
        return type(first) is type(second) and vars(first) == vars(second)
    return first == second


def run(script):
    made = {}
    exec(script, made)
    return made


@pytest.fixture(scope="module")
def scripts():
    """Every configuration on a mixed table, and its script."""
    X = make_messy()[COLUMNS]
    table = describe_table(X)
    pipelines = [
        configuration.build(table, 7)
        for task in ("classification", "regression")
        for configuration in catalogue(task)
        if configuration.requires is None or find_spec(configuration.requires)
    ]
    return [(pipeline, script_of(pipeline)) for pipeline in pipelines]


def test_every_configuration_is_made_again(scripts):
    assert len(scripts) >= 150  # 224 with all optional packages
    for pipeline, script in scripts:
        assert same(pipeline, run(script)["pipeline"]), script


def test_every_step_of_numbers_and_of_sparse_tables_is_made_again():
    tables = [describe_table(np.eye(30) + np.arange(30))]
    frame = pd.DataFrame(np.eye(30), columns=list(map(str, range(30))))
    tables.append(describe_table(frame.mask(frame > 0)))
    for table in tables:
        for name in ("logistic-C1", "svc-C3", "gaussian-process", "hist-gb"):
            (found,) = [c for c in catalogue("classification") if c.name == name]
            pipeline = found.build(table, 7)
            assert same(pipeline, run(script_of(pipeline))["pipeline"])


def test_scripts_are_formatted_and_their_imports_sorted(scripts, tmp_path):
    pytest.importorskip("ruff")
    for number, (_, script) in enumerate(scripts):
        (tmp_path / f"s{number}.py").write_text(script, encoding="utf8")
    ruff = [sys.executable, "-m", "ruff"]
    rules = ["--select", "E,F,I,W,UP"]
    for command in (["check", *rules], ["format", "--check"]):
        done = subprocess.run(
            [*ruff, *command, "--isolated", "--no-cache", str(tmp_path)],
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:]


def test_only_what_is_not_the_default_is_written():
    script = script_of(Pipeline([("model", LogisticRegression(C=1.0, tol=1e-3))]))
    assert 'Pipeline([("model", LogisticRegression(tol=0.001))])' in script


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_it_predicts_what_the_winner_predicts(task, tmp_path):
    X, y = make_messy(), make_target(make_messy(), task)
    if task == "classification":
        X, y = X[COLUMNS], pd.Series(y, dtype="category")
        model = MetaLearnerClassifier(candidates=["forest"], **QUICK)
    else:
        X = X[COLUMNS]
        model = MetaLearnerRegressor(candidates=["ridge-splines"], **QUICK)
    model.fit(X, y)
    code = model.to_code()
    assert "import sk_meta" not in code and "from sk_meta" not in code
    names = [str(tmp_path / name) for name in ("a.py", "X.pkl", "y.npy", "out.npy")]
    (tmp_path / "a.py").write_text(code, encoding="utf8")
    X.to_pickle(names[1])
    np.save(names[2], np.asarray(y))
    subprocess.run([sys.executable, "-c", RUN, *names], check=True, cwd=tmp_path)
    found = np.load(names[3], allow_pickle=True)
    expected = model.best_estimator_.predict(X)
    if task == "classification":
        np.testing.assert_array_equal(found, expected)
    else:
        # Fitted in another process, whose BLAS may have other threads and kernels; the
        # decomposition of texts is in single precision.
        np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize(
    "y", [lambda y: y.astype(object), lambda y: pd.array(y == "setosa")]
)
def test_the_target_is_brought_into_its_form(iris, y):
    X, y = iris[0], y(iris[1])
    model = MetaLearnerClassifier(candidates=["logistic-C1"], **QUICK).fit(X, y)
    again = run(model.to_code())["fit"](X, y)
    found, expected = again.predict(X), model.best_estimator_.predict(X)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_an_output_of_frames_is_asked_for_again():
    pytest.importorskip("catboost")
    X = make_messy()[COLUMNS]
    y = make_target(X, "classification")
    (found,) = [c for c in catalogue("classification") if c.name == "catboost-native"]
    pipeline = found.build(describe_table(X), 7)
    script = script_of(pipeline)
    assert script.count("set_output") == 1
    again = run(script)["fit"](X, y)
    np.testing.assert_array_equal(
        again.predict_proba(X), pipeline.fit(X, y).predict_proba(X)
    )


def test_a_frame_made_of_objects(iris):
    X = iris[0].astype(object)
    X[:, 0] = np.where(iris[0][:, 0] > 5, "long", "short")
    model = MetaLearnerClassifier(candidates=["tree-depth3"], **QUICK).fit(X, iris[1])
    again = run(model.to_code())["fit"](X, iris[1])
    np.testing.assert_array_equal(again.predict(pd.DataFrame(X).infer_objects()),
                                  model.predict(X))  # fmt: skip


@pytest.mark.parametrize("package", ["polars", "pyarrow", "twice"])
def test_a_frame_that_pipelines_do_not_take_as_it_is(iris, package):
    X = pd.DataFrame(iris[0], columns=list("abcd")).assign(b="word")
    if package == "twice":
        X.columns = ["a", "b", "a", "d"]
    elif package == "polars":
        pytest.importorskip("pyarrow")  # by which polars makes frames of pandas
        X = pytest.importorskip("polars").from_pandas(X)
    else:
        pa = pytest.importorskip("pyarrow")
        days = pd.date_range("2020-01-01", periods=len(X)).date
        X = pa.Table.from_pandas(X.assign(day=days))
        assert X.schema.field("day").type == pa.date32()
    model = MetaLearnerClassifier(candidates=["tree-depth3"], **QUICK).fit(X, iris[1])
    again = run(model.to_code())["fit"](X, iris[1])
    np.testing.assert_array_equal(again.predict(as_table(X)), model.predict(X))


def test_estimators_of_your_own(iris):
    stack = StackingClassifier(
        [("tree", DecisionTreeClassifier(max_depth=2)), ("line", LogisticRegression())],
        final_estimator=LogisticRegression(C=0.5),
    )
    mine = make_pipeline(FunctionTransformer(np.log1p), stack)
    model = MetaLearnerClassifier(candidates=[("it's \"mine\"\\", mine)], **QUICK)
    model.fit(*iris)
    again = run(model.to_code())["pipeline"]
    assert same(model.best_estimator_, again)


class Shy(BaseEstimator):
    pass


def test_what_a_script_can_not_import_is_refused():
    def inner(X):
        return X

    for function in (inner, lambda X: X):
        steps = [("f", FunctionTransformer(function)), ("model", Ridge())]
        with pytest.raises(ValueError, match="can't be imported by a script"):
            script_of(Pipeline(steps))
    Shy.__module__ = "__main__"
    with pytest.raises(ValueError, match="Define it in a module"):
        script_of(Pipeline([("model", Shy())]))


@pytest.mark.parametrize(
    "value",
    [
        'a "quote" and \'another\'', r"\d\\", "new\nline", "ä\\b", "", "back\\",
        np.nan, -np.inf, np.float64(1e-30), np.int64(3), np.bool_(True), 1e300, (1,),
        (), [], {}, {1: [2.5, None]}, {"b", "a"}, (0.1, 1.0, 10.0, 100.0), float,
        np.timedelta64(90, "s"), slice(1, None), np.clip, np.exp, True, None, 1 + 2j,
    ],
    ids=lambda value: getattr(value, "__name__", None) or type(value).__name__,
)  # fmt: skip
def test_values(value):
    pipeline = Pipeline([("f", FunctionTransformer(kw_args={"value": value}))])
    found = run(script_of(pipeline))["pipeline"]["f"].kw_args["value"]
    assert same(found, value) or found == value


@pytest.mark.parametrize("value", [lambda x: x, iter([1])], ids=["lambda", "iterator"])
def test_what_no_script_can_make_is_refused(value):
    pipeline = Pipeline([("f", FunctionTransformer(kw_args={"value": value}))])
    with pytest.raises(ValueError, match="can't be"):
        script_of(pipeline)


def test_arrays():
    value = np.array([[1.5, np.nan], [2.0, 3.0]])
    tree = DecisionTreeRegressor(monotonic_cst=np.array([1, 0]))
    steps = [("f", FunctionTransformer(kw_args={"value": value})), ("model", tree)]
    found = run(script_of(Pipeline(steps)))["pipeline"]
    np.testing.assert_array_equal(found["f"].kw_args["value"], value)
    np.testing.assert_array_equal(found["model"].monotonic_cst, [1, 0])
