"""The knowledge base: what is shipped, what is refused, what is kept."""

import gzip
import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import fold, record
from pandas.testing import assert_frame_equal

import sk_meta
from sk_meta import KnowledgeBase
from sk_meta._catalogue import catalogue
from sk_meta._metamodel import META_FEATURES
from sk_meta._scoring import STORED_METRICS

# Raise it as the shipped base grows.
MIN_TASKS = 30
SHARES = ("accuracy", "balanced_accuracy", "f1_macro", "roc_auc_ovr")
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
    assert knowledge.select(kind)[list(META_FEATURES[kind])].notna().all(axis=None)


def test_card_says_where_the_shipped_results_come_from(knowledge):
    assert {"schema", "sha256", "sources", "versions", "protocol"} <= set(
        knowledge.card
    )
    counts = knowledge.tasks["kind"].value_counts().to_dict()
    assert knowledge.card["tasks"] == counts


def test_real_tasks_are_solved_better_than_by_the_dummy(knowledge):
    scores = knowledge.scores("classification", "neg_log_loss")
    assert (scores.max(axis=1) > scores["dummy"] + 1e-6).mean() > 0.8


def test_save_and_load_give_the_same_base(knowledge, tmp_path):
    knowledge.save(tmp_path)
    again = KnowledgeBase.load(tmp_path)
    assert_frame_equal(again.tasks, knowledge.tasks)
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
    assert KnowledgeBase.load(tmp_path).tasks.loc["first", "family"] == "one"


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


def test_unknown_schema_is_refused(small, tmp_path):
    small.save(tmp_path)
    card = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps({**card, "schema": 99}))
    with pytest.raises(ValueError, match="has schema 99, this version .* reads 1"):
        KnowledgeBase.load(tmp_path)


def test_folder_without_a_base_is_refused_with_advice(tmp_path):
    with pytest.raises(ValueError, match=r"card\.json.*missing.*KnowledgeBase\.save"):
        KnowledgeBase.load(tmp_path / "nowhere")


def test_record_without_a_field_is_refused_by_name():
    incomplete = record()
    del incomplete["family"]
    with pytest.raises(ValueError, match=r"record 'mine' lacks \['family'\]"):
        KnowledgeBase.from_records([incomplete], {})


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


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_merge_prefers_the_results_of_the_other(small):
    newer = record("first", family="newer")
    newer["results"]["dummy"]["folds"] = [
        {**fold(()), **dict.fromkeys(STORED_METRICS["classification"], 0.25)}
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
    for path in Path(sk_meta.__file__).parent.rglob("*.py"):
        assert not re.search(forbidden, path.read_text(encoding="utf8")), path.name


def test_data_folder_holds_text_only():
    folder = Path(sk_meta.__file__).parent / "data"
    kinds = {".csv", ".gz", ".json", ".md", ".py"}
    files = [path for path in folder.iterdir() if path.is_file()]
    assert files and {path.suffix for path in files} <= kinds
