"""The portfolio, and how it was chosen from the pool."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import fold

from sk_meta._catalogue import PORTFOLIO, catalogue, written_by_hand
from sk_meta._catalogue._templates import TEMPLATES
from sk_meta._scoring import STORED_METRICS
from sk_meta._table import describe_table

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
pool = pytest.importorskip("pool")
corpus = pytest.importorskip("corpus")
choose_portfolio = pytest.importorskip("choose_portfolio")

TASKS = ("classification", "regression")
every_task = pytest.mark.parametrize("task", TASKS)
ENTRIES = json.loads(PORTFOLIO.read_text(encoding="utf8"))
NONE_OPTIONAL = np.zeros(1000, dtype=bool)


@every_task
def test_every_entry_can_be_built(task):
    table = describe_table(np.random.RandomState(0).normal(size=(90, 3)))
    built = catalogue(task)
    assert [c.name for c in built] == [entry["name"] for entry in ENTRIES[task]]
    for configuration in built:
        if configuration.requires is None:
            assert hasattr(configuration.build(table, 0), "predict")


@every_task
def test_names_are_unique_and_the_dummies_are_there(task):
    names = [entry["name"] for entry in ENTRIES[task]]
    assert len(names) == len(set(names))
    assert set(choose_portfolio.ALWAYS[task]) <= set(names)
    assert "dummy" in choose_portfolio.ALWAYS[task]


@every_task
def test_entries_are_drawn_or_written_by_hand(task):
    drawn = {name: (template, params) for name, template, params in pool.drawn(task)}
    by_hand = {c.name for c in written_by_hand(task)}
    templates = {t.name for t in TEMPLATES if t.task == task}
    for entry in ENTRIES[task]:
        if "template" in entry:
            assert entry["template"] in templates
            assert set(entry) == {"name", "template", "params"}
            # What is not of the pool any more keeps its hyperparameters.
            if entry["name"] in drawn:
                assert drawn[entry["name"]] == (entry["template"], entry["params"])
        else:
            assert set(entry) == {"name"} and entry["name"] in by_hand


@every_task
def test_two_thirds_of_the_portfolio_need_no_boosting_library(task):
    # Those for categories and texts were added to what was chosen; elsewhere they rest.
    usual = [c for c in catalogue(task) if not (c.categories or c.texts)]
    optional = sum(c.requires is not None for c in usual)
    assert optional <= choose_portfolio.MAX_OPTIONAL
    assert len(usual) - optional >= 60


@every_task
def test_subset_is_of_the_development_half(task):
    for name in pool.SUBSET[task]:
        found = corpus.find(name)
        assert found.task == task
        assert corpus.half_of(found.family) == "development", name


@every_task
def test_no_family_is_twice_in_the_subset(task):
    families = [corpus.find(name).family for name in pool.SUBSET[task]]
    assert len(families) == len(set(families))


@pytest.fixture
def planted():
    """Three of ten configurations win four tasks each and lose all others."""
    rng = np.random.RandomState(0)
    regret = rng.uniform(0.5, 0.9, size=(12, 10))
    for j, winner in enumerate((7, 2, 5)):
        regret[:, winner] = 0.95
        regret[4 * j : 4 * j + 4, winner] = 0.0
    return regret


def greedy(regret, size, **options):
    optional = options.pop("optional", NONE_OPTIONAL[: regret.shape[1]])
    return choose_portfolio.greedy(regret, size, optional, **options)


def test_planted_winners_are_chosen_first(planted):
    order = greedy(planted, 10)
    assert set(order[:3]) == {7, 2, 5}
    assert sorted(order) == list(range(10))


def test_the_winner_of_most_tasks_is_first():
    regret = np.ones((10, 4))
    regret[:2, 0] = regret[2:5, 1] = regret[5:, 2] = 0
    assert greedy(regret, 4) == [2, 1, 0, 3]


def test_average_breaks_ties_of_what_adds_nothing():
    regret = np.zeros((6, 4))
    # Three perfect ones cover all ranks; of the rest the better average is next.
    regret = np.column_stack([regret[:, :3], np.full(6, 0.9), np.full(6, 0.2)])
    assert greedy(regret, 5)[3:] == [4, 3]


def test_second_best_results_count_too():
    # The first two are perfect everywhere, in turns; a third that is nearly as
    # good on all tasks backs them up.
    half = np.arange(8) < 4
    regret = np.full((8, 4), 1.0)
    regret[half, 0] = regret[~half, 1] = 0
    regret[:, 2], regret[:, 3] = 0.1, 0.99
    order = greedy(regret, 4)
    assert order[-1] == 3
    assert choose_portfolio.RANK_WEIGHTS[0] > choose_portfolio.RANK_WEIGHTS[1] > 0


def test_what_was_chosen_before_stays_first(planted):
    order = greedy(planted, 5, start=[9, 7])
    assert order[:2] == [9, 7]
    assert set(order[2:4]) == {2, 5}
    assert len(order) == len(set(order)) == 5


def test_no_more_optional_ones_than_allowed(monkeypatch):
    monkeypatch.setattr(choose_portfolio, "MAX_OPTIONAL", 3)
    rng = np.random.RandomState(0)
    optional = np.arange(12) < 8
    regret = np.where(optional, 0.1, 0.6) * rng.uniform(0.9, 1.1, size=(20, 12))
    order = greedy(regret, 12, optional=optional)
    assert optional[order].sum() == 3
    assert set(order[:3]) < set(range(8))
    assert set(order[3:]) == set(range(8, 12))
    monkeypatch.setattr(choose_portfolio, "MAX_OPTIONAL", 8)
    assert optional[greedy(regret, 12, optional=optional)].sum() == 8


def test_seconds_count_against_the_dear():
    # The second adds a little less than the first and is a hundred times faster.
    regret = np.array([[0.0, 0.1, 1.0]] * 5)
    seconds = np.array([10.0, 0.1, 5.0])
    assert greedy(regret, 3)[0] == 0
    assert greedy(regret, 3, seconds=seconds)[0] == 1


def test_every_family_is_given_its_best(monkeypatch):
    monkeypatch.setattr(choose_portfolio, "PER_FAMILY", 2)
    regret = np.tile([0.1, 0.2, 0.3, 0.9, 0.8, 0.7, 0.5], (4, 1))
    families = ["a", "a", "a", "b", "b", "b", "c"]
    added = choose_portfolio.best_of_families(regret, [0, 3], families)
    assert added == [1, 5, 6]
    assert choose_portfolio.best_of_families(regret, [0, 1, 2, 3, 4, 6], families) == []


def test_curve_of_the_family_left_out_never_rises(planted):
    families = [f"family {i // 2}" for i in range(12)]
    curve = choose_portfolio.out_of_family_curve(
        planted, families, NONE_OPTIONAL[:10], 10
    )
    assert curve.shape == (10,)
    assert (np.diff(curve) <= 1e-12).all()
    assert curve[-1] == pytest.approx(planted.min(axis=1).mean())


def test_family_left_out_has_no_part_in_the_choice():
    # Every family has a winner of its own, that is the worst elsewhere: it can
    # only come last on its family.
    regret = np.where(np.eye(6, dtype=bool), 0.0, 0.5)
    families = list("abcdef")
    curve = choose_portfolio.out_of_family_curve(regret, families, NONE_OPTIONAL[:6], 6)
    np.testing.assert_allclose(curve[:5], 0.5)
    assert curve[5] == 0


def write_results(folder, names, losses, status=None):
    """Raw results of the subset, the same on every task."""
    for task in pool.SUBSET["regression"]:
        results = {}
        for name, loss in zip(names, losses, strict=True):
            scores = fold(STORED_METRICS["regression"], seconds=10 * loss)
            scores |= dict.fromkeys(choose_portfolio.METRICS["regression"], -loss)
            state = (status or {}).get(name, "ok")
            results[name] = {"status": state, "error": None, "folds": [scores] * 2}
        (folder / f"{task}.json").write_text(json.dumps({"results": results}))


def test_regrets_are_read_relative_to_the_median(tmp_path):
    names = ["one", "two", "three", "four", "five", "broken"]
    write_results(tmp_path, names, [1.0, 2.0, 3.0, 4.0, 9.0, 0.0], {"broken": "failed"})
    regret, families, seconds = choose_portfolio.read("regression", names, tmp_path)
    n_rows = 2 * len(pool.SUBSET["regression"])
    np.testing.assert_allclose(regret, [[0, 0.5, 1, 1, 1, 1]] * n_rows)
    assert len(families) == n_rows
    np.testing.assert_allclose(seconds[:5], [10, 20, 30, 40, 90])


def test_task_with_gaps_is_left_out(tmp_path, capsys):
    names = ["one", "two", "three"]
    write_results(tmp_path, names, [1.0, 2.0, 3.0])
    first = pool.SUBSET["regression"][0]
    gap = json.loads((tmp_path / f"{first}.json").read_text())
    del gap["results"]["two"]
    (tmp_path / f"{first}.json").write_text(json.dumps(gap))
    _, families, _ = choose_portfolio.read("regression", names, tmp_path)
    assert corpus.find(first).family not in families
    assert f"{first}: left out" in capsys.readouterr().out


def test_portfolio_is_chosen_from_the_results(tmp_path, monkeypatch):
    # The slow part, and of no consequence here.
    curve = np.r_[np.linspace(1, 0.1, 10), np.full(50, 0.1)]
    monkeypatch.setattr(choose_portfolio, "out_of_family_curve", lambda *args: curve)
    monkeypatch.setattr(choose_portfolio, "QUICK_SECONDS", 100.0)
    candidates = pool.pool("regression")
    losses = np.random.RandomState(0).uniform(0.5, 1, size=len(candidates))
    best = next(c for c in candidates if c.name.endswith("-r03"))
    losses[candidates.index(best)] = 0.01
    write_results(tmp_path, [c.name for c in candidates], losses)
    entries = choose_portfolio.choose("regression", tmp_path)
    names = [entry["name"] for entry in entries]
    assert len(names) == len(set(names)) >= choose_portfolio.SIZE
    special = choose_portfolio.SPECIAL["regression"]
    assert set(special) <= set(names)
    assert len(names) <= choose_portfolio.SIZE + len(special)
    start = choose_portfolio.ALWAYS["regression"]
    assert tuple(names[: len(start)]) == start
    assert names[len(start)] == best.name
    templates = {t.name: t for t in TEMPLATES if t.task == "regression"}
    rebuilt = entries[len(start)]
    rebuilt = templates[rebuilt["template"]].configuration(
        rebuilt["name"], rebuilt["params"]
    )
    assert rebuilt.params == best.params and rebuilt.family == best.family
    requires = {c.name: c.requires for c in candidates}
    assert sum(requires[name] is not None for name in names) <= 32
    families = {c.name: c.family for c in candidates}
    chosen = [families[name] for name in names]
    assert set(chosen) == set(families.values())
