"""The command line does what Python does, and tells mistakes in a line."""

import json
import os
import shlex
import signal
import subprocess
import sys
import tomllib
from copy import copy
from importlib import import_module
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import excerpt
from sklearn.datasets import load_diabetes, load_iris
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate

from sk_meta import KnowledgeBase, MetaLearnerEstimator, load
from sk_meta._cli import main
from sk_meta._cli._parser import parser

pytest.importorskip("skops")

ROOT = Path(__file__).parents[1]
COMMANDS = [["fit"], ["recommend"], ["predict"], ["explain"], ["report"], ["code"],
            ["knowledge"], ["knowledge", "info"], ["knowledge", "nearest"],
            ["knowledge", "add"], ["knowledge", "merge"], ["completion"]]  # fmt: skip
FORMATS = {
    ".csv": pd.read_csv,
    ".csv.gz": pd.read_csv,
    ".tsv": lambda path: pd.read_csv(path, sep="\t"),
    ".jsonl": lambda path: pd.read_json(path, lines=True),
    ".jsonl.gz": lambda path: pd.read_json(path, lines=True),
    ".parquet": pd.read_parquet,
    ".feather": pd.read_feather,
}


def flowers():
    """Irises whose species and codes are text."""
    data = load_iris(as_frame=True)
    table = data.data.round(1)
    # Numbers to look at, but for the zeros in front.
    table["code"] = (data.target + 7).map("{:03d}".format)
    table["species"] = data.target_names[data.target]
    return table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table, a model that was fitted on it, and a page about it."""
    folder = tmp_path_factory.mktemp("cli")
    flowers().to_csv(folder / "iris.csv", index=False)
    model, page = str(folder / "model.skops"), str(folder / "fit.html")
    options = [
        "--models",
        "linear",
        "--n-candidates",
        "2",
        "--kind",
        "code=categorical",
    ]
    code = main(["fit", str(folder / "iris.csv"), "-y", "species", "-o", model,
                 "--report", page, *options])  # fmt: skip
    assert code == 0
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return load(folder / "model.skops")


def answer(capsys, *arguments):
    """What a command writes as JSON."""
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_fit_writes_the_model_that_python_would_make(folder, model):
    table = flowers()
    y = table.pop("species")
    same = MetaLearnerEstimator(
        candidates=["linear"], n_candidates=2, random_state=0,
        column_kinds={"code": "categorical"},
    ).fit(table, y)  # fmt: skip
    # Of a file, the rows are in another order in memory, and sums are rounded so.
    np.testing.assert_allclose(model.predict_proba(table), same.predict_proba(table))
    assert model.get_params() == same.get_params()
    assert "logistic" in (folder / "fit.html").read_text(encoding="utf8")
    assert not list(folder.glob(".*"))  # nothing half-written


@pytest.mark.parametrize("form", [".csv", ".tsv"])
def test_a_class_may_be_called_none(tmp_path, capsys, form):
    X, y = load_iris(return_X_y=True, as_frame=True)
    y = pd.Series(np.array(["None", "NA", "some"])[y], name="kind")
    path, model = tmp_path / f"t{form}", tmp_path / "m.joblib"
    X.assign(kind=y).to_csv(path, index=False, sep="\t" if form == ".tsv" else ",")
    assert main(["fit", str(path), "-y", "kind", "--models", "linear",
                 "--n-candidates", "1", "-o", str(model)]) == 0  # fmt: skip
    assert joblib.load(model).classes_.tolist() == ["None", "some"]
    told = capsys.readouterr().err
    assert "50 rows without a value of 'kind' are left out (NA is read as" in told


def test_a_table_whose_first_column_has_no_name(tmp_path, capsys):
    rows = [f"r{i},{'None' if i % 2 else 'some'},{i % 2}" for i in range(40)]
    path = tmp_path / "r.csv"
    path.write_text("\n".join(["kind,x", *rows, "r40,,1"]))
    model = str(tmp_path / "m.joblib")
    assert main(["fit", str(path), "-y", "kind", "--models", "linear",
                 "--n-candidates", "1", "-o", model]) == 0  # fmt: skip
    told = capsys.readouterr().err
    assert "'None' in 20 rows of 'kind' is taken for a class" in told
    assert "1 rows without a value" in told


def test_fit_shows_what_was_tried_and_nothing_else(folder, tmp_path, capsys):
    # Two of CatBoost are for categories and two linear ones for discrete numbers, of
    # which the file has none.
    assert main(["fit", str(folder / "iris.csv"), "-y", "species", "--models",
                 "linear,catboost-native,catboost-native-depth4", "--n-candidates",
                 "2", "-o", str(tmp_path / "m.joblib")]) == 0  # fmt: skip
    out = capsys.readouterr().out
    model = joblib.load(tmp_path / "m.joblib")
    assert model.leaderboard_["status"].tolist() == ["ok"] * 2 + ["excluded"] * 4
    table = out.split("\n\n")[1]
    assert len(table.splitlines()) == 2 + 2  # the head has two lines
    assert "excluded" not in table


def test_fit_tells_what_it_did_and_takes_columns_apart(tmp_path, capsys):
    table = load_diabetes(as_frame=True).frame.head(120)
    table["visit"], table["weight"] = np.arange(120) % 12, 1.0 + np.arange(120) % 3
    table.loc[:4, "target"] = np.nan
    table.to_csv(tmp_path / "table.tsv", sep="\t", index=False)
    arguments = ["fit", str(tmp_path / "table.tsv"), "--target", "target", "--models",
                 "linear", "--candidates-count", "1", "--groups", "visit", "--weights",
                 "weight", "--kind", "sex=categorical", "--scoring",
                 "neg_mean_absolute_error", "-o", str(tmp_path / "m.joblib"),
                 "--json"]  # fmt: skip
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert "5 rows without a value of 'target' are left out" in err
    facts, model = json.loads(out), joblib.load(tmp_path / "m.joblib")
    assert facts["best_score"] == pytest.approx(model.best_score_)
    assert facts["best"] == model.best_params_
    assert len(facts["leaderboard"]) == 1
    assert "visit" not in model.feature_names_in_
    assert "weight" not in model.feature_names_in_
    assert model.columns_.set_index("column").loc["sex", "kind"] == "categorical"
    # A pickle is read with a warning.
    assert main(["predict", str(tmp_path / "m.joblib"), arguments[1]]) == 0
    out, err = capsys.readouterr()
    assert "trust" in err and len(out.splitlines()) == 121


@pytest.mark.parametrize("ending", FORMATS)
def test_predict_reads_and_writes_every_format(ending, folder, model, tmp_path):
    if ending in (".parquet", ".feather"):
        pytest.importorskip("pyarrow")
    # The last class alone: its codes look like numbers.
    table = flowers().drop(columns="species").tail(50).reset_index(drop=True)
    given = table.iloc[:, ::-1].assign(id=np.arange(50))
    new, out = str(tmp_path / f"new{ending}"), str(tmp_path / f"out{ending}")
    write(given, new)
    arguments = ["--proba", "--keep", "id", "-o", out]
    assert main(["predict", str(folder / "model.skops"), new, *arguments]) == 0
    found = FORMATS[ending](out)
    assert list(found.columns) == ["id", "prediction", "probability_setosa",
                                   "probability_versicolor",
                                   "probability_virginica"]  # fmt: skip
    assert list(found["id"]) == list(range(50))
    assert list(found["prediction"]) == list(model.predict(table))
    np.testing.assert_allclose(found.iloc[:, 2:], model.predict_proba(table), atol=1e-9)
    assert sorted(os.listdir(tmp_path)) == sorted([f"new{ending}", f"out{ending}"])


def write(table, path):
    """Write a table as other programs would."""
    if ".jsonl" in path:
        table.to_json(path, orient="records", lines=True)
    elif path.endswith(".parquet"):
        table.to_parquet(path)
    elif path.endswith(".feather"):
        table.to_feather(path)
    else:
        table.to_csv(path, index=False, sep="\t" if ".tsv" in path else ",")


def test_csv_that_is_written_otherwise_is_read(folder, tmp_path, model, capsys):
    table = flowers()
    table["species"] = table["species"].str.replace("o", "ö")
    path, new = tmp_path / "irises.csv", str(tmp_path / "new.csv")
    table.to_csv(path, index=False, sep=";", encoding="latin-1")
    written = ["--sep", ";", "--encoding", "latin-1"]
    near = answer(capsys, "knowledge", "nearest", path, "-y", "species", *written)
    assert near[0]["task"] == "iris"
    plain = answer(
        capsys, "knowledge", "nearest", folder / "iris.csv", "-y", "species"
    )
    assert near == plain
    assert main(["fit", str(path), "-y", "species", "--models", "linear",
                 "--n-candidates", "1", "-o", str(tmp_path / "m.joblib"),
                 *written]) == 0  # fmt: skip
    assert set(joblib.load(tmp_path / "m.joblib").classes_) == set(table["species"])
    arguments = [str(folder / "model.skops"), str(path), *written, "-o", new]
    assert main(["predict", *arguments]) == 0
    assert pd.read_csv(new)["prediction"].isin(flowers()["species"]).all()
    capsys.readouterr()


def test_recommend_takes_weights_and_groups_apart(folder, tmp_path, capsys):
    table = flowers().assign(weight=1.0 + np.arange(150) % 2, plot=np.arange(150) % 9)
    path = tmp_path / "t.csv"
    table.to_csv(path, index=False)
    found = answer(capsys, "recommend", path, "-y", "species", "-n", "1", "--weights",
                   "weight", "--groups", "plot")["ranking"]  # fmt: skip
    X, y = table.drop(columns=["species", "weight", "plot"]), table["species"]
    X["code"] = X["code"].astype(int)
    expected = MetaLearnerEstimator(random_state=0).recommend(
        X, y, sample_weight=table["weight"], groups=table["plot"]
    )
    assert found[0]["configuration"] == expected["configuration"].iloc[0]


def test_recommend_is_that_of_the_estimator(folder, capsys):
    table = flowers()
    y = table.pop("species")
    expected = MetaLearnerEstimator(
        random_state=0, column_kinds={"code": "categorical"}
    ).recommend(table, y)
    common = ["recommend", folder / "iris.csv", "-y", "species", "--kind",
              "code=categorical", "-n", "3"]  # fmt: skip
    told = answer(capsys, *common)
    assert told["metric"] == "accuracy" and "accuracy" in told["why_this_metric"]
    found = told["ranking"]
    assert [row["configuration"] for row in found] == list(
        expected["configuration"].head(3)
    )
    assert found[0]["predicted_score"] == pytest.approx(
        expected["predicted_score"].iloc[0]
    )
    assert main([*map(str, common)]) == 0
    assert expected["reason"].iloc[2] in capsys.readouterr().out


def test_explain_report_and_code_are_those_of_the_model(folder, model, capsys):
    path = str(folder / "model.skops")
    assert main(["explain", path, "-n", "1"]) == 0
    assert capsys.readouterr().out.strip() == str(model.explain(1)).strip()
    found = answer(capsys, "explain", path)
    assert [row["family"] for row in found["configurations"]] == ["linear", "linear"]
    assert [row["task"] for row in found["ranks"]] == [
        row["task"] for row in found["neighbors"]
    ]
    assert {row["name"] for row in found["effects"]} == {
        row["name"] for row in found["meta_features"]
    }
    assert main(["code", path, "-o", str(folder / "script.py")]) == 0
    assert (folder / "script.py").read_text(encoding="utf8") == model.to_code()
    out = str(folder / "report.html")
    assert answer(capsys, "report", path, "-o", out) == {"output": out}
    page = (folder / "report.html").read_text(encoding="utf8")
    assert page.lstrip().lower().startswith("<!doctype html")


@pytest.fixture(scope="module")
def experience(folder, knowledge):
    """A small knowledge base in a folder."""
    excerpt(knowledge, 12).save(folder / "small")
    return str(folder / "small")


def test_knowledge_is_looked_into(folder, experience, capsys):
    small = KnowledgeBase.load(experience)
    found = answer(capsys, "knowledge", "info", "--knowledge", experience)
    assert sum(row["tasks"] for row in found["kinds"]) == len(small.tasks)
    near = answer(capsys, "knowledge", "nearest", folder / "iris.csv", "-y", "species",
                  "-k", "2", "--knowledge", experience)  # fmt: skip
    table = flowers()
    y = table.pop("species")
    assert [row["task"] for row in near] == list(small.nearest(table, y, 2).index)
    assert main(["knowledge", "info"]) == 0
    assert "classification" in capsys.readouterr().out


def test_knowledge_grows(folder, experience, tmp_path, capsys):
    table = flowers()
    y = table.pop("species")
    models = {
        "dummy": DummyClassifier(),
        "logistic-C1": LogisticRegression(max_iter=1000),
    }
    rows = []
    for name, one in models.items():
        scores = cross_validate(one, table.drop(columns="code"), y)
        rows.append(pd.DataFrame({
            "configuration": name, "fold": range(5), "status": "ok",
            "fit_seconds": scores["fit_time"], "predict_seconds": scores["score_time"],
            "accuracy": scores["test_score"]}))  # fmt: skip
    pd.concat(rows).to_csv(tmp_path / "folds.csv", index=False)
    mine, ours = tmp_path / "mine", tmp_path / "ours"
    add = ["knowledge", "add", "flowers", folder / "iris.csv", "-y", "species",
           "--results", tmp_path / "folds.csv", "--knowledge", experience]  # fmt: skip
    n_before = len(KnowledgeBase.load(experience).tasks)
    assert answer(capsys, *add, "-o", mine)["tasks"] == n_before + 1
    for _ in range(2):  # the second time it replaces the first
        merged = answer(capsys, "knowledge", "merge", experience, mine, "-o", ours)
        assert merged["tasks"] == n_before + 1
    scores = KnowledgeBase.load(ours).scores("classification", "accuracy")
    assert scores.loc["flowers", "logistic-C1"] > 0.9
    assert main([*map(str, add[:-1]), str(mine), "-o", str(ours)]) == 1
    assert "is a task of the knowledge base already" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["folds.csv", "mine", "ours"]


def test_knowledge_grows_by_a_model(folder, model, experience, tmp_path, capsys):
    add = ["knowledge", "add", "flowers", folder / "iris.csv", "-y", "species",
           "--model", folder / "model.skops", "--knowledge", experience]  # fmt: skip
    found = answer(capsys, *add, "-o", tmp_path / "mine")
    before, after = (KnowledgeBase.load(f) for f in (experience, tmp_path / "mine"))
    assert found["tasks"] == len(after.tasks) == len(before.tasks) + 1
    assert after.tasks.loc["flowers", "n_columns"] == model.n_features_in_
    scores = after.scores("classification", "accuracy").loc["flowers"].dropna()
    tried = model.leaderboard_[model.leaderboard_["status"] == "ok"]
    tried = tried.set_index("configuration")["mean_score"]
    assert set(scores.index) == {"dummy", *tried.index}
    np.testing.assert_allclose(scores[tried.index], tried)
    assert scores["dummy"] == pytest.approx(1 / 3)
    seconds = after.seconds("classification").loc["flowers", tried.index[0]]
    assert seconds > 0


def test_a_model_with_scores_that_are_not_stored(folder, model, tmp_path, capsys):
    path = str(tmp_path / "m.joblib")
    other = copy(model).set_params(scoring="jaccard_macro")
    joblib.dump(other, path)
    arguments = ["knowledge", "add", "a", str(folder / "iris.csv"), "-y", "species",
                 "--model", path, "-o", str(tmp_path / "mine")]  # fmt: skip
    assert main(arguments) == 1
    assert "Fit with --scoring accuracy" in capsys.readouterr().err


FIT = ["fit", "{iris}", "-y", "species"]
MISTAKES = {
    "no such file": (["recommend", "{folder}/iri.csv", "-y", "a"], "/iris.csv'?"),
    "no such column": (
        ["recommend", "{iris}", "-y", "speces"],
        "no column 'speces'. Did you mean ['species']?",
    ),
    "kind of no column": (
        [*FIT, "--kind", "cod=text", "-o", "{out}/m.skops"],
        "--kind: no column 'cod'. Did you mean ['code']?",
    ),
    "an empty file": (["recommend", "{bad}/empty.csv", "-y", "a"], "is empty"),
    "a header alone": (["recommend", "{bad}/header.csv", "-y", "a"], "has no rows"),
    "the target alone": (["recommend", "{bad}/one.csv", "-y", "a"], "no column bes"),
    "no known target": (["recommend", "{bad}/gaps.csv", "-y", "a"], "no row has a"),
    "an unknown format": (["recommend", "{bad}/a.xyz", "-y", "a"], "Use .csv, .tsv"),
    "bytes in CSV": (
        ["recommend", "{bad}/bytes.csv", "-y", "a"],
        "is not in UTF-8. Name its --encoding",
    ),
    "no JSON": (["recommend", "{bad}/a.jsonl", "-y", "a"], "can't be read as jsonl"),
    "lines without names": (
        ["recommend", "{bad}/lists.jsonl", "-y", "a"],
        "can't be read as jsonl",
    ),
    "no gzip": (["recommend", "{bad}/a.csv.gz", "-y", "a"], "can't be read as csv"),
    "a model of the other kind of task": (
        ["recommend", "{iris}", "-y", "species", "--models", "linear,ridge"],
        "--models: ridge can't be used for classification",
    ),
    "one group": (
        ["recommend", "{bad}/lists2.jsonl", "-y", "b", "--groups", "same"],
        "--groups: column 'same' holds a single value",
    ),
    "groups that are lists": (
        ["recommend", "{bad}/lists2.jsonl", "-y", "b", "--groups", "a"],
        "groups holds values that can't be compared",
    ),
    "columns between semicolons": (
        ["recommend", "{bad}/semicolons.csv", "-y", "y"],
        "Is it separated by ';'? Then say --sep ';'",
    ),
    "a separator for Parquet": (
        ["recommend", "{bad}/semicolons.parquet", "-y", "y", "--sep", ";"],
        "--sep is for CSV",
    ),
    "too many to explain": (["explain", "{bad}/m.skops", "-n", "20"], "at most 10"),
    # The table does not exist either: the output is looked at first.
    "no folder for the model": (
        ["fit", "{bad}/no.csv", "-y", "a", "-o", "{bad}/no/m.skops"],
        "there is no folder",
    ),
    "a model in a folder's place": (
        ["fit", "{bad}/no.csv", "-y", "a", "-o", "{bad}/folder.skops"],
        "it is a folder",
    ),
    "weights that are words": (
        ["fit", "{bad}/words.csv", "-y", "a", "--weights", "b", "-o", "{out}/m.skops"],
        "column 'b' holds no numbers",
    ),
    "no ending of a model": (
        ["fit", "{bad}/no.csv", "-y", "a", "-o", "{bad}/m.txt"],
        "Use the ending .skops",
    ),
    "no folder for the page": (
        ["fit", "{bad}/no.csv", "-y", "a", "-o", "{bad}/m.skops",
         "--report", "{bad}/no/p"],
        "there is no folder",
    ),
    "a device": (["code", "{folder}/model.skops", "-o", "/dev/null"], "it is no file"),
    "no model": (["explain", "{bad}/no.skops"], "there is no file"),
    "text for a model": (["explain", "{bad}/m.skops"], "not a file that sk_meta.save"),
    "text for a pickle": (["explain", "{bad}/m.joblib"], "can't be loaded"),
    "another model": (["explain", "{bad}/dummy.joblib"], "does not know how it was"),
    "no probabilities": (
        ["predict", "{bad}/regressor.joblib", "{iris}", "--proba"],
        "knows no probabilities",
    ),
    "a column that is gone": (
        ["predict", "{folder}/model.skops", "{bad}/header2.csv"],
        "no column 'sepal length (cm)'. Did you mean ['sepal length']?",
    ),
    "an unknown format to write": (
        ["predict", "{folder}/model.skops", "{iris}", "-o", "{bad}/out.xlsx"],
        "is not known",
    ),
    "too many": (["explain", "{folder}/model.skops", "-n", "11"], "10"),
    "no knowledge": (["knowledge", "info", "--knowledge", "{bad}/no"], "no folder"),
    "other files": (
        ["knowledge", "merge", "shipped", "-o", "{bad}"],
        "holds something else",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def bad(folder):
    """Files that are not what their names say."""
    bad = folder / "bad"
    (bad / "folder.skops").mkdir(parents=True)
    texts = {"empty.csv": "", "header.csv": "a,b\n", "one.csv": "a\n1\n2\n",
             "gaps.csv": "a,b\n,1\n,2\n", "a.xyz": "a,b\n1,2\n", "a.jsonl": "no JSON",
             "lists.jsonl": "[1, 2]\n3\n", "words.csv": "a,b,c\n1,x,1\n2,y,2\n",
             "a.csv.gz": "a,b\n1,2\n", "m.skops": "no zip",
             "m.joblib": "no pickle",
             "semicolons.csv": "x;y\n1;2\n", "semicolons.parquet": "none",
             "lists2.jsonl": "".join(f'{{"a": [{i}], "b": {i % 2}, "same": 1}}\n'
                                     for i in range(20)),
             "header2.csv": "sepal length,b\n1,2\n"}  # fmt: skip
    for name, text in texts.items():
        (bad / name).write_text(text)
    (bad / "bytes.csv").write_bytes(b"a,b\n\xff\xfe\x00,1\n")
    X, y = [[0], [1]], [0, 1]
    joblib.dump(DummyClassifier().fit(X, y), bad / "dummy.joblib")
    joblib.dump(DummyRegressor().fit(X, y), bad / "regressor.joblib")
    return bad


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told_in_a_line(name, folder, bad, tmp_path, capsys):
    arguments, message = MISTAKES[name]
    places = {
        "folder": folder,
        "iris": folder / "iris.csv",
        "bad": bad,
        "out": tmp_path,
    }
    before = sorted(bad.iterdir())
    assert main([argument.format(**places) for argument in arguments]) == 1
    out, err = capsys.readouterr()
    told = [line for line in err.splitlines() if ": warning: " not in line]
    assert out == "" and len(told) == 1
    assert told[0].startswith(f"sk-meta {arguments[0]}: error: ")
    assert message in told[0]
    assert sorted(bad.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["fti"], "invalid choice: 'fti'"),
        (["fit", "a.csv", "-o", "m.skops"], "--target"),
        (
            ["fit", "a.csv", "-y", "a", "-o", "m.skops", "--time", "-1"],
            "positive number",
        ),
        (
            ["fit", "a.csv", "-y", "a", "-o", "m.skops", "--time", "nan"],
            "positive number",
        ),
        (["recommend", "a.csv", "-y", "a", "--scoring", "acuracy"], "mean accuracy"),
        (["recommend", "a.csv", "-y", "a", "--kind", "b=number"], "COLUMN=KIND"),
        (["recommend", "a.csv", "-y", "a", "-n", "0"], "at least 1"),
        (["recommend", "a.csv", "-y", "a", "--models", "liner"], "did you mean linear"),
        (["recommend", "a.csv", "-y", "a", "--models", "zzz"], "Families: "),
        (["recommend", "a.csv", "-y", "a", "--models", ","], "names no family"),
        (["recommend", "a.csv", "-y", "a", "--sep", ";;"], "single character"),
        (["recommend", "a.csv", "-y", "a", "--encoding", "utf-80"], "no known enc"),
        (["fit", "a.csv", "-y", "a", "-o", "m.skops", "--jobs", "0"], "number of jobs"),
        (["fit", "a.csv", "-y", "a", "-o", "m.joblib", "--jobs", "two"], "of jobs"),
        (["completion", "ksh"], "bash"),
    ],
)
def test_wrong_arguments_are_a_matter_of_usage(arguments, message, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err and err.startswith("usage: ")


@pytest.mark.parametrize("command", [[], *COMMANDS], ids=" ".join)
def test_examples_of_the_help_are_understood(command, capsys):
    assert main([*command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert understood(shown.split("examples:\n")[1]) >= 1


@pytest.mark.parametrize("page", ["README.md", "docs/howto/command_line.rst"])
def test_examples_of_the_documentation_are_understood(page):
    text = (ROOT / page).read_text(encoding="utf8").replace("$ sk-meta", "sk-meta")
    assert understood(text) >= 3


def understood(text):
    """Number of calls in a text, after the parser has taken each."""
    calls = [
        shlex.split(line, comments=True)
        for line in text.replace("\\\n", " ").splitlines()
        if line.strip().startswith("sk-meta ") and "COMMAND" not in line
    ]
    for _, *call in calls:
        ends = [call.index(sign) for sign in ("|", ">") if sign in call]
        parser().parse_args(call[: min(ends, default=None)])
    return len(calls)


def test_the_script_is_where_it_is_said_to_be():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    module, _, function = project["project"]["scripts"]["sk-meta"].partition(":")
    assert getattr(import_module(module), function) is main
    assert "sk_meta._cli" in project["tool"]["setuptools"]["packages"]


def test_no_reader_is_no_error(folder):
    command = [sys.executable, "-m", "sk_meta", "predict", "model.skops", "iris.csv"]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_interrupted(tmp_path):
    os.mkfifo(tmp_path / "slow.jsonl")
    # A job in the background of a shell is born deaf to the signal.
    script = (
        "import signal, sys; from sk_meta._cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(main())"
    )
    command = [sys.executable, "-c", script, "recommend", "slow.jsonl", "-y", "a"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        with open(tmp_path / "slow.jsonl", "w"):  # once it is being read
            process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
    assert (process.returncode, errors) == (130, "sk-meta: interrupted\n")


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh", "fish"])
def test_completion_knows_the_commands(shell, capsys):
    shtab = pytest.importorskip("shtab")
    if shell not in shtab.SUPPORTED_SHELLS:
        pytest.skip("this shtab does not know the shell")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(command in script for (command, *_) in COMMANDS)


def test_bash_completes(tmp_path, capsys):
    pytest.importorskip("shtab")
    assert main(["completion", "bash"]) == 0
    (tmp_path / "sk-meta.bash").write_text(capsys.readouterr().out)
    (tmp_path / "table.csv").touch()
    assert complete(tmp_path, "sk-meta", "pre") == ["predict"]
    assert complete(tmp_path, "sk-meta", "fit", "--sc") == ["--scoring"]
    assert "table.csv" in complete(tmp_path, "sk-meta", "fit", "tab")
    assert complete(tmp_path, "sk-meta", "knowledge", "me") == ["merge"]


def complete(folder, *words):
    """What bash offers for the last of some words."""
    line = " ".join(words)
    script = (
        "source sk-meta.bash\n"
        "f=$(complete -p sk-meta | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n"
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; COMP_LINE='{line}'\n"
        'COMP_POINT=${#COMP_LINE}; $f sk-meta "' + words[-1] + '" "' + words[-2] + '"\n'
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    result = subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=True
    )
    return result.stdout.split()


def test_an_interrupt_before_anything_is_found_keeps_the_old_model(
    tmp_path, monkeypatch, capsys
):
    def interrupted(search):
        raise KeyboardInterrupt

    monkeypatch.setattr("sk_meta._search.Search._loop", interrupted)
    table, old = tmp_path / "table.csv", tmp_path / "old.skops"
    load_iris(as_frame=True).frame.to_csv(table, index=False)
    old.write_bytes(b"a model")
    assert main(["fit", str(table), "--target", "target", "-o", str(old)]) == 130
    assert old.read_bytes() == b"a model"
    assert "interrupted" in capsys.readouterr().err
