"""The search: budgets, rounds, and candidates that misbehave."""

import os
import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits, load_wine

from sk_meta import MetaLearnerEstimator, _folds, _racing, _strategy
from sk_meta import _steps as steps
from sk_meta._belief import Belief
from sk_meta._budget import Budget
from sk_meta._catalogue import Configuration
from sk_meta._catalogue import _preprocessing as prep
from sk_meta._conditioning import UNRACED
from sk_meta._evaluation import SCORE, FoldResult, evaluate_fold
from sk_meta._kinds import TEXT
from sk_meta._problem import describe
from sk_meta._refit import Refits
from sk_meta._search import Search
from sk_meta._selection import Selection
from sk_meta._shared import SharedTask
from sk_meta._standings import CONTENDERS
from sk_meta._strategy import MIN_TRIALS, PER_FAMILY, Strategy, Unit
from sk_meta._workers import open_workers

WINE_ROWS = 178


class Misbehaving(ClassifierMixin, BaseEstimator):
    """A classifier that does what it is told when it is fitted or predicts."""

    def __init__(self, deed="raise"):
        self.deed = deed

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if self.deed == "raise":
            raise RuntimeError("first line\nthe flux capacitor is empty")
        if self.deed == "exit":
            os._exit(3)
        if self.deed.startswith("sleep"):
            time.sleep(float(self.deed.split()[1]))
        if len(y) >= WINE_ROWS:
            if self.deed == "exit on all rows":
                os._exit(3)
            if self.deed == "hang on all rows":
                time.sleep(600)
        self.share_ = np.bincount(np.unique(y, return_inverse=True)[1]) / len(y)
        return self

    def predict_proba(self, X):
        if self.deed == "nan":
            return np.full((len(X), len(self.classes_)), np.nan)
        return np.tile(self.share_, (len(X), 1))


def misbehaving(name, deed):
    def model(table):
        return [("model", Misbehaving(deed))]

    return Configuration(name, "linear", "classification", prep.as_is, model)


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True)
    return describe(
        X, y, task="classification", scoring="neg_log_loss", cv=3, seed=0
    )


def believe(problem, candidates=None):
    return steps.believe(problem, None, candidates, "hybrid")


@pytest.fixture
def looks(monkeypatch):
    """Digits, looked at with 250 rows first, and what is believed of five."""
    X, y = load_digits(return_X_y=True)
    monkeypatch.setattr(_folds, "LOOKS", (250,))
    problem = describe(X, y, task="auto", scoring="neg_log_loss", cv=None, seed=0)
    names = ["logistic-C1", "lda", "naive-bayes-smooth", "knn-5", "dummy"]
    return problem, believe(problem, names)


def search(problem, prior, *, deeds=None, n_jobs=1, ensemble_size=1, **budget):
    for name, deed in (deeds or {}).items():
        prior.configurations[name] = misbehaving(name, deed)
    opened = Budget(**budget)
    with workplace(problem, prior, opened, n_jobs, ensemble_size) as (found, _):
        return found.run()


@contextmanager
def workplace(problem, prior, budget, n_jobs=1, ensemble_size=1):
    """A search that is ready to run, and what a refit needs besides."""
    with ExitStack() as stack:
        workers = open_workers(n_jobs, timed=budget.limited)
        stack.enter_context(closing(workers))
        problem = steps.plan(problem, prior, budget, workers.size, ensemble_size)
        task = stack.enter_context(
            closing(SharedTask(*problem.data, processes=workers.processes))
        )
        told = Strategy(
            problem, prior.belief, prior.configurations, budget,
            n_workers=workers.size, hard=workers.hard, ensemble_size=ensemble_size,
            families=prior.families,
        )  # fmt: skip
        found = Search(told, workers, task)
        yield found, (budget, workers, task)


def strategy(
    problem, prior, *, n_workers=1, seconds_left=None, ensemble_size=1, **budget
):
    """What to run next, without anything to run it."""
    opened = Budget(**budget)
    problem = steps.plan(problem, prior, opened, n_workers, ensemble_size)
    found = Strategy(
        problem, prior.belief, prior.configurations, opened, n_workers=n_workers,
        families=prior.families, ensemble_size=ensemble_size,
    )  # fmt: skip
    if seconds_left is not None:
        found.seconds_left = seconds_left
    return found


def evaluated(problem, unit):
    """The result of a unit, from really running it."""
    pipeline = unit.run.configuration.build(problem.table, problem.random_state)
    return evaluate_fold(
        pipeline, problem.X, problem.y, problem.folds.splits[unit.split],
        {SCORE: problem.metric.scorer}, problem.target.classes,
    )  # fmt: skip


def status_of(result):
    return {t.evaluation.name: t.evaluation.status for t in result.trials}


FAST = ["logistic-C1", "lda", "naive-bayes-smooth", "knn-5", "tree-depth3"]


def test_counts_what_it_starts(wine):
    result = search(wine, believe(wine), count=5)
    assert len(result.trials) == 5
    assert result.stop_reason == "n_candidates reached"
    assert len(status_of(result)) == 5


def test_evaluates_every_configuration_at_most_once(wine):
    result = search(wine, believe(wine, FAST), count=50)
    assert sorted(status_of(result)) == sorted(FAST)
    assert result.stop_reason == "every configuration evaluated"


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_candidate_that_raises_costs_only_itself(wine, n_jobs):
    deeds = {"lda": "raise"}
    result = search(wine, believe(wine, FAST), deeds=deeds, n_jobs=n_jobs)
    failed = [t.evaluation for t in result.trials if t.evaluation.name == "lda"]
    assert failed[0].status == "failed"
    assert failed[0].error == "RuntimeError: the flux capacitor is empty"
    assert set(status_of(result).values()) <= {"failed", "ok", "dropped"}
    assert len(result.pool) >= 3


def test_predictions_that_are_not_finite_are_a_failure(wine):
    result = search(wine, believe(wine, FAST), deeds={"knn-5": "nan"})
    assert status_of(result)["knn-5"] == "failed"


def test_a_candidate_that_kills_its_worker_costs_only_itself(wine):
    result = search(wine, believe(wine, FAST), deeds={"lda": "exit"}, n_jobs=2)
    status = status_of(result)
    assert status.pop("lda") == "died"
    assert set(status.values()) <= {"ok", "dropped"}
    assert len(status) == len(FAST) - 1


def test_a_candidate_that_never_returns_is_stopped_at_the_deadline(wine):
    prior = believe(wine, ["logistic-C1", "lda"])
    result = search(wine, prior, deeds={"lda": "sleep 600"}, n_jobs=2, seconds=5)
    assert status_of(result) == {"lda": "timeout", "logistic-C1": "ok"}
    assert result.stop_reason == "time budget spent"
    assert [e.name for e in result.pool] == ["logistic-C1"]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_slow_folds_one_after_another_do_not_stretch_the_deadline(n_jobs):
    # Every fold alone ends in time.
    X, y = load_wine(return_X_y=True)
    problem = describe(X, y, task="auto", scoring=None, cv=24, seed=0)
    prior = believe(problem, ["logistic-C1"])
    prior.configurations["logistic-C1"] = misbehaving("logistic-C1", "sleep 3")
    budget = Budget(seconds=14)
    with workplace(problem, prior, budget, n_jobs) as (found, _):
        result = found.run()
    assert result.trials[0].evaluation.status == "timeout"
    # 24 folds of 3 s on two workers are 36 s.
    assert budget.elapsed() < 28


def test_while_workers_start_something_quick_is_run_here(wine):
    prior = believe(wine)
    with workplace(wine, prior, Budget(seconds=20), n_jobs=2) as (found, _):
        found.strategy.only_quick = True
        unit = found.strategy.ask()
        seconds = prior.belief.seconds()
        assert seconds[unit.run.index] < np.median(seconds)
        # Nothing that is expected to take long is begun meanwhile.
        prior.belief.clock.mean = prior.belief.clock.mean + 12
        unit.run.under_way.update(wine.folds.stages[0])
        assert found.strategy.ask() is None


def test_inside_another_parallel_loop_the_deadline_is_soft():
    X, y = load_wine(return_X_y=True)
    problem = describe(X, y, task="auto", scoring=None, cv=10, seed=0)
    prior = believe(problem, ["logistic-C1", "lda"])
    deeds = dict.fromkeys(prior.configurations, "sleep 1")
    with parallel_config(backend="threading"):
        result = search(problem, prior, deeds=deeds, seconds=2.5)
    folds = [f.status for t in result.trials for f in t.evaluation.folds]
    assert 1 <= folds.count("ok") <= 4


@pytest.mark.parametrize("deed", ["exit on all rows", "hang on all rows"])
def test_a_refit_that_goes_wrong_leaves_its_fold_models(wine, deed):
    prior = believe(wine, ["logistic-C1", "dummy"])
    prior.configurations["logistic-C1"] = misbehaving("logistic-C1", deed)
    budget = Budget(seconds=12)
    with workplace(wine, prior, budget, n_jobs=2) as (found, rest):
        result = found.run()
        weights = np.array([float(e.name == "logistic-C1") for e in result.pool])
        selection = Selection(weights, 0.0, True)
        fitted = Refits(wine, result, *rest).finish(selection)
    assert fitted.n_models == {"logistic-C1": len(wine.splits)}
    assert len(fitted.ensemble.estimators) == len(wine.splits)
    assert fitted.ensemble.predict_proba(wine.X).shape == (len(wine.y), 3)


def test_some_of_the_fold_models_are_better_than_none(wine):
    prior = believe(wine, ["logistic-C1", "dummy"])
    prior.configurations["logistic-C1"] = misbehaving("logistic-C1", "exit on all rows")
    with workplace(wine, prior, Budget(seconds=12), n_jobs=2) as (found, rest):
        result = found.run()
        pool = tuple(
            replace(one, folds=(replace(one.folds[0], model=None), *one.folds[1:]))
            for one in result.pool
        )
        weights = np.array([float(e.name == "logistic-C1") for e in pool])
        refits = Refits(wine, replace(result, pool=pool), *rest)
        fitted = refits.finish(Selection(weights, 0.0, True))
    assert fitted.n_models == {"logistic-C1": len(wine.splits) - 1}
    assert fitted.ensemble.predict_proba(wine.X).shape == (len(wine.y), 3)


def test_without_fold_models_a_refit_that_goes_wrong_leaves_the_next_best(wine):
    prior = believe(wine, ["logistic-C1", "dummy"])
    result = search(wine, prior, count=2)
    assert all(f.model is None for e in result.pool for f in e.folds)
    name = result.pool[int(np.argmax([e.mean(SCORE) for e in result.pool]))].name
    assert name == "logistic-C1"
    broken = misbehaving(name, "raise")
    trials = tuple(
        replace(t, configuration=broken) if t.configuration.name == name else t
        for t in result.trials
    )
    result = replace(result, trials=trials)
    selection = steps.combine(wine, result, 1)
    with (
        workplace(wine, prior, Budget()) as (_, rest),
        pytest.warns(UserWarning, match="Not refitted"),
    ):
        fitted = Refits(wine, result, *rest).finish(selection)
    assert fitted.best_name == "dummy"


def test_without_time_for_workers_a_quick_refit_is_made_here(wine):
    prior = believe(wine, ["logistic-C1", "dummy"])
    result = search(wine, prior)
    selection = steps.combine(wine, result, 1)
    ticks = iter([0.0])
    spent = Budget(seconds=1, clock=lambda: next(ticks, 1000.0))
    with workplace(wine, prior, Budget(seconds=9)) as (_, (_, workers, task)):
        fitted = Refits(wine, result, spent, workers, task).begin().finish(selection)
    assert fitted.best_name == "logistic-C1"
    assert fitted.ensemble.predict_proba(wine.X).shape == (len(wine.y), 3)


def test_a_quick_refit_is_made_here_though_there_are_fold_models_of_a_worse(wine):
    prior = believe(wine, ["logistic-C1", "dummy"])
    ticks = iter([0.0])
    spent = Budget(seconds=1, clock=lambda: next(ticks, 1000.0))
    with workplace(wine, prior, Budget(seconds=12), n_jobs=2) as (found, rest):
        result = found.run()
        pool = tuple(
            replace(one, folds=tuple(replace(fold, model=None) for fold in one.folds))
            if one.name == "logistic-C1" else one
            for one in result.pool
        )  # fmt: skip
        refits = Refits(wine, replace(result, pool=pool), spent, *rest[1:])
        assert [pool[i].name for i in refits.best_fold_models()] == ["dummy"]
        fitted = refits.finish(steps.combine(wine, result, 1))
    assert fitted.best_name == "logistic-C1"
    assert fitted.n_models == {"logistic-C1": 0}


def test_a_budget_in_which_nothing_fits_still_tries_one_cheap_configuration(wine):
    prior = believe(wine)
    prior.belief.clock.mean = prior.belief.clock.mean + 12  # hours are expected
    names, seconds = prior.belief.names, prior.belief.seconds()
    told = strategy(wine, prior, seconds=60)
    cheapest = min(prior.configurations, key=dict(zip(names, seconds, strict=True)).get)
    unit = told.ask()
    assert unit.run.name == cheapest
    told.tell(unit, evaluated(wine, unit))
    while (unit := told.ask()) is not None and unit.run.name == cheapest:
        told.tell(unit, evaluated(wine, unit))
    # Its seconds tell that this machine is not that slow.
    assert unit is not None


def test_stops_when_no_gain_is_expected(wine):
    result = search(wine, believe(wine, None))
    assert result.stop_reason == "no gain expected"
    assert MIN_TRIALS <= len(result.trials) < len(believe(wine).configurations)


def play(told, problem, n_units, lag=1):
    """Ask and tell, always so many units behind; the units that were asked for."""
    asked, untold = [], []
    while len(asked) < n_units:
        unit = told.ask()
        if unit is not None:
            asked.append(unit)
            untold.append(unit)
        if unit is None or len(untold) >= lag:
            if not untold:
                break
            first = untold.pop(0)
            told.tell(first, evaluated(problem, first))
    return asked


def test_a_hopeless_configuration_is_dropped_after_its_first_folds(wine):
    names = ["logistic-C1", "lda", "naive-bayes-smooth", "knn-5", "dummy"]
    told = strategy(wine, believe(wine, names), count=5)
    play(told, wine, 100)
    runs = {run.name: run for run in told.runs}
    dummy = runs["dummy"]
    assert dummy.number >= UNRACED, "it must not be among the first for this test"
    assert dummy.dropped and len(dummy.results) < len(wine.splits)
    assert "folds its loss was" in dummy.dropped
    assert len(runs["logistic-C1"].results) == len(wine.splits)


def test_once_three_are_better_one_that_is_near_is_dropped(wine):
    told = strategy(wine, believe(wine, ["linear"]), count=4)
    worse = [1.0, 1.005, 1.01, 1.04]  # than the first
    of_fold = np.linspace(0.4, 0.6, len(wine.splits))
    while unit := told.ask():
        loss = of_fold[unit.split] * worse[unit.run.number]
        told.tell(unit, FoldResult("ok", {SCORE: -loss}, None, 0.1, 0.01))
    assert all(run.has(told.problem.folds.stages[-1]) for run in told.runs[:3])
    assert len(told.runs[3].results) == 1
    assert f"of {len(wine.splits)} folds its loss was 3." in told.runs[3].dropped


def test_the_first_configurations_run_all_their_folds(wine):
    told = strategy(wine, believe(wine), count=UNRACED)
    play(told, wine, 100)
    assert all(len(run.results) == len(wine.splits) for run in told.runs)


def test_folds_of_a_raced_configuration_wait_for_each_other(wine):
    told = strategy(wine, believe(wine), count=8)
    play(told, wine, UNRACED * len(wine.splits))
    for unit in list(told.runs):
        for split in list(unit.under_way):
            one = Unit(unit, split)
            told.tell(one, evaluated(wine, one))
    units = [told.ask() for _ in range(3)]
    assert len({id(unit.run) for unit in units}) == 3


def test_what_is_asked_for_depends_on_what_was_told_alone(wine):
    orders = []
    for _ in range(2):
        told = strategy(wine, believe(wine), count=6)
        units = play(told, wine, 40, lag=4)
        orders.append([(u.run.name, u.split) for u in units])
    assert orders[0] == orders[1]


def test_beyond_the_catalogue_new_configurations_are_tried(wine):
    prior = believe(wine, ["support vectors", "logistic-r05"])
    told = strategy(wine, prior, seconds=1000, seconds_left=lambda: 500.0)
    play(told, wine, 40)
    new = [run for run in told.runs if "~" in run.name]
    assert new and all(run.index is None for run in new)
    assert len({run.name for run in told.runs}) == len(told.runs)
    # Of what was asked for by name there are no variants.
    assert {run.configuration.family for run in new} == {"support vectors"}


@pytest.mark.parametrize("worse", [1.0001, 1.5])
def test_a_proposal_that_is_dropped_counts_by_the_share_of_its_folds(
    wine, monkeypatch, worse
):
    monkeypatch.setattr(_strategy, "PATIENCE", 2)
    prior = believe(wine, ["support vectors"])
    told = strategy(wine, prior, seconds=1000, seconds_left=lambda: 500.0)
    while unit := told.ask():
        loss = worse if unit.run.index is None else 1 + 0.01 * unit.run.number
        score = -loss * (0.4 + 0.1 * unit.split)
        told.tell(unit, FoldResult("ok", {SCORE: score}, None, 0.1, 0.01))
    new = [run for run in told.runs if run.index is None]
    n_folds = [len(run.results) for run in new]
    assert sum(n_folds) == 2 * len(wine.splits)
    assert set(n_folds) == {1 if worse == 1.5 else len(wine.splits)}


def scripted(told, loss_of):
    """Ask until there is no more; a run has ``loss_of(run)``, more on later folds."""
    while unit := told.ask():
        score = -loss_of(unit.run) * (0.4 + 0.1 * unit.split)
        told.tell(
            unit, FoldResult("ok", {SCORE: score}, None, 0.1, 0.01, spent_seconds=1.0)
        )
    return told.runs


@pytest.fixture
def no_gain(monkeypatch):
    """A belief that expects no gain once something is observed."""
    monkeypatch.setattr(
        Belief, "expected_improvement", lambda self: np.zeros(len(self.names))
    )
    monkeypatch.setattr(_strategy, "PATIENCE", 6)


def test_without_an_expected_gain_proposals_and_the_rest_take_turns(wine, no_gain):
    told = strategy(wine, believe(wine), seconds=1000, seconds_left=lambda: 500.0)
    runs = scripted(told, lambda run: 1 + 1e-5 * run.number)
    assert told.reason == "no gain expected"
    proposed = [run.index is None for run in runs]
    assert proposed == [False] * MIN_TRIALS + [True, False] * 6
    assert len(runs) < len(told.configurations)


def test_where_nothing_new_was_found_it_is_not_looked_again(wine, no_gain, monkeypatch):
    looked = []
    monkeypatch.setattr(
        _strategy, "propose", lambda observed, *_: looked.append(len(observed))
    )
    told = strategy(wine, believe(wine), seconds=1000, seconds_left=lambda: 500.0)
    runs = scripted(told, lambda run: 1 + 1e-5 * run.number)
    assert len(runs) == MIN_TRIALS + 6, "the rest of the catalogue goes on"
    assert looked and len(set(looked)) == len(looked)


def test_where_the_last_gain_came_from_is_tried_again_first(wine, no_gain):
    told = strategy(wine, believe(wine), seconds=1000, seconds_left=lambda: 500.0)
    lucky = MIN_TRIALS + 8  # a proposal
    runs = scripted(
        told, lambda run: 1 - 1e-5 if run.number == lucky else 1 + 1e-5 * run.number
    )
    proposed = [run.index is None for run in runs[MIN_TRIALS:]]
    # The others have been in vain for four by then.
    assert proposed[:9] == [True, False] * 4 + [True]
    assert proposed[9:13] == [True] * 4
    assert sum(proposed[9:]) == 6 and proposed.count(False) == 6


@pytest.mark.parametrize("count", [None, 20])
def test_the_best_that_were_dropped_of_a_family_run_all_folds(
    wine, no_gain, monkeypatch, count
):
    monkeypatch.setattr(_strategy, "PATIENCE", 200)
    told = strategy(
        wine, believe(wine), ensemble_size=8, seconds_left=lambda: 500.0,
        seconds=1000, count=count,
    )  # fmt: skip
    runs = scripted(
        told, lambda run: 1.0 if run.number < UNRACED else 1.2 + 1e-4 * run.number
    )
    n_folds, chosen = len(wine.splits), Counter()
    for run in runs:  # each is a little worse than the one before
        family = run.configuration.family
        if run.number >= UNRACED:
            assert run.picked_up == (chosen[family] < PER_FAMILY)
            assert run.dropped and run.over == (not run.picked_up)
        chosen[family] += not run.over
        assert (len(run.results) == n_folds) == (not run.over)
    seen = Counter(run.configuration.family for run in runs)
    picked_up = Counter(run.configuration.family for run in runs if run.picked_up)
    assert max(picked_up.values()) == PER_FAMILY < max(seen.values())


@pytest.mark.parametrize(
    ("worse", "size", "picked_up"), [(1.2, 2, True), (1.2, 1, False), (1.5, 2, False)]
)
def test_what_no_ensemble_needs_stays_dropped(wine, worse, size, picked_up):
    names = ["logistic-C1", "lda", "naive-bayes-smooth", "knn-5"]
    told = strategy(
        wine, believe(wine, names), ensemble_size=size, seconds=1000, count=4,
        seconds_left=lambda: 500.0,
    )  # fmt: skip
    runs = scripted(told, lambda run: 1.0 if run.number < UNRACED else worse)
    assert [run.picked_up for run in runs] == [False] * UNRACED + [picked_up]
    assert runs[-1].dropped and runs[-1].over != picked_up


def test_a_dropped_run_is_not_picked_up_while_a_fold_is_under_way(wine):
    names = ["logistic-C1", "lda", "naive-bayes-smooth", "knn-5"]
    told = strategy(wine, believe(wine, names), count=4)
    *_, run = scripted(told, lambda run: 1.0 if run.number < UNRACED else 1.2)
    told.ensemble_size, left = 2, run.missing(wine.folds.stages[-1])
    run.under_way.update(left)
    assert run.dropped and left and told._pick_up() is None
    run.under_way.clear()
    run.results.update(dict.fromkeys(left, run.results[0]))
    assert told._pick_up() is None, "there is nothing left of it to run"
    del run.results[left[-1]]
    assert told._pick_up().split == left[-1] and not run.over
    cut_short = run.evaluation(wine.folds).folds[-1]
    assert cut_short.status == "dropped" and "above the best" in cut_short.error


def test_if_configurations_are_counted_it_ends_when_no_gain_is_expected(wine, no_gain):
    told = strategy(wine, believe(wine), count=50, ensemble_size=8)
    runs = scripted(told, lambda run: 1.0 if run.number < UNRACED else 1.2)
    assert len(runs) == MIN_TRIALS and not any(run.picked_up for run in runs)


def test_on_few_rows_the_folds_of_the_best_are_repeated():
    X, y = load_wine(return_X_y=True)
    problem = describe(X, y, task="auto", scoring="neg_log_loss", cv=None, seed=0)
    prior = believe(problem, ["logistic-C1", "lda", "dummy", "tree-depth3"])
    told = strategy(problem, prior, seconds=1000, seconds_left=lambda: 500.0)
    play(told, problem, 70)
    n_repeats, members = told.members()
    assert n_repeats >= 1
    assert members[0].passed(problem.folds, 0, n_repeats).status == "ok"
    assert len(members[0].passed(problem.folds, 0, n_repeats).folds) >= 10


def test_the_best_and_the_best_of_other_families_are_repeated(wine):
    told = strategy(wine, believe(wine), count=20, ensemble_size=2)
    order = scripted(told, lambda run: 1 + 1e-5 * run.number)
    first, others = told._contenders()[:4], told._contenders()[4:]
    assert first == order[:4] and len(others) == CONTENDERS - 4
    families = [run.configuration.family for run in first + others]
    seen = dict.fromkeys(run.configuration.family for run in order)
    assert families[4:] == [one for one in seen if one not in families[:4]][:4]
    told.ensemble_size = 1
    assert told._contenders() == order[:CONTENDERS]
    narrow = strategy(wine, believe(wine, ["logistic-C1", "lda", "knn-5"]), count=3)
    assert len(scripted(narrow, lambda run: 1.0)) == len(narrow._contenders()) == 3


@pytest.mark.parametrize("few", [False, True])
def test_looks_at_few_rows_come_first_on_many(few, looks):
    problem, prior = looks
    assert problem.folds.n_train(0) == 250
    told = strategy(problem, prior, count=2 if few else 5)
    units = play(told, problem, 60)
    assert units[0].split == problem.folds.stages[0][0]
    n_repeats, members = told.members()
    assert n_repeats == 0 and members
    assert all(run.latest(problem.folds) == 1 for run in members)
    looked = [run for run in told.runs if run.stage == 1]
    assert len(looked) == len(told.runs)
    if not few:
        # What looks hopeless is not run on more rows.
        dummy = next(run for run in told.runs if run.name == "dummy")
        assert not dummy.has(problem.folds.stages[-1])


@pytest.mark.parametrize(("n_words", "n_folds"), [(2, 5), (60, 1)])
def test_where_texts_take_long_there_is_one_split(n_words, n_folds):
    words = np.random.RandomState(0).randint(10**5, 10**6, (6000, n_words)).astype(str)
    X = pd.DataFrame({"text": ["x" + " y".join(row) for row in words], "x": 1.0})
    problem = describe(
        X, np.arange(6000) / 7, task="regression", scoring="r2", cv=None, seed=0
    )
    assert problem.table.of_kind(TEXT)
    prior = believe(problem, ["ridge", "tree-depth3"])
    planned = steps.plan(problem, prior, Budget(seconds=30), 2)
    assert len(planned.folds.judged) == n_folds
    assert len(steps.plan(problem, prior, Budget(count=9), 2).folds.judged) == 5


def test_a_look_counts_with_all_that_it_leads_to(looks):
    problem, prior = looks
    told = strategy(problem, prior, seconds=1000)
    index = prior.belief.names.index("lda")
    look = told.problem.relative_seconds[0][index]
    assert 0 < look < 1
    assert told._part_left(index) == pytest.approx(look + len(problem.splits))
    unit = told.ask()
    told.tell(unit, evaluated(problem, unit))
    assert told._part_left(unit.run.index) == len(problem.splits)


def test_what_can_be_looked_at_but_not_judged_is_not_begun(looks):
    problem, prior = looks
    told = strategy(problem, prior, seconds=1000)
    seconds = prior.belief.seconds()
    index = prior.belief.names.index("lda")
    told.seconds_left = lambda: 2.5 * seconds[index]
    assert told.problem.relative_seconds[0][index] < 0.5
    assert index not in told._allowed()
    told.seconds_left = lambda: 2.5 * len(problem.splits) * seconds[index]
    assert index in told._allowed()


def test_the_clock_is_told_of_looks_and_of_folds(looks):
    problem, prior = looks
    told = strategy(problem, prior, seconds=1000)
    index = prior.belief.names.index("lda")
    unit = Unit(told._start(prior.configurations["lda"], index, 0.0, 1.0), 5)
    part = told.problem.relative_seconds[0][index]
    result = replace(evaluated(problem, unit), fit_seconds=1.0, predict_seconds=0.5)
    told.tell(unit, result)
    # What is predicted is not less for being fitted on less.
    expected = told.belief.seconds()[index]
    assert expected == pytest.approx(1.0 / part + 0.5, rel=0.5)
    told.tell(Unit(unit.run, 0), replace(result, fit_seconds=30.0))
    known = told.belief.seconds()[index]
    assert known == pytest.approx(30.5, rel=0.4)
    told.tell(Unit(unit.run, 1), replace(result, fit_seconds=90.0))
    assert told.belief.seconds()[index] == known


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
@pytest.mark.parametrize("n_jobs", [2, 4])
def test_the_same_for_any_number_of_jobs(wine, n_jobs, backend):
    one = search(wine, believe(wine), n_jobs=1, count=9)
    with parallel_config(backend=backend):
        many = search(wine, believe(wine), n_jobs=n_jobs, count=9)
    names = [[t.evaluation.name for t in result.trials] for result in (one, many)]
    assert names[0] == names[1]
    for first, second in zip(one.trials, many.trials, strict=True):
        assert first.evaluation.status == second.evaluation.status
        scores = [t.evaluation.scores("score") for t in (first, second)]
        np.testing.assert_array_equal(*scores)


def test_a_good_result_moves_the_search_to_its_relatives(wine):
    belief = believe(wine).belief
    index = belief.names.index("svc-C3")
    others = [i for i in range(len(belief.names)) if i != index]
    before = belief.mean()
    belief.observe(index, float(before[index] - 1.0))
    gain = before - belief.mean()
    relatives = [belief.names.index(n) for n in ("svc-r19", "nystroem-gamma0.3-C10")]
    assert gain[relatives].min() > np.median(gain[others])


def test_the_power_of_the_seconds_favours_cheap_configurations(wine):
    timed = strategy(wine, believe(wine), seconds=1000)
    counted = strategy(wine, believe(wine), count=10)
    seconds = timed.belief.seconds()
    cheap, dear = (seconds[told.ask().run.index] for told in (timed, counted))
    assert cheap < dear


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupt_keeps_what_was_found(wine, monkeypatch, n_jobs):
    prior = believe(wine, FAST)
    with workplace(wine, prior, Budget(count=5), n_jobs) as (found, _):
        ask, asked = found.strategy.ask, []

        def ask_then_interrupt():
            asked.append(1)
            if len(asked) > 10:
                raise KeyboardInterrupt
            return ask()

        monkeypatch.setattr(found.strategy, "ask", ask_then_interrupt)
        with pytest.warns(UserWarning, match="interrupted"):
            result = found.run()
    assert result.stop_reason == "interrupted"
    assert result.pool


def test_time_is_kept_back_for_the_refit(wine):
    prior = believe(wine, FAST)
    with workplace(wine, prior, Budget(seconds=1000), ensemble_size=3) as (found, _):
        assert found.strategy._to_keep_back() == found.strategy.grace
        told = found.strategy
        play(told, wine, len(wine.splits))
        (run,) = told.complete()
        for split, result in run.results.items():
            run.results[split] = replace(result, fit_seconds=50.0)
        # One configuration of 50 s a fold, on half as many rows again.
        assert found.strategy._to_keep_back() > 75 + found.strategy.grace

        def kept_back(**changes):
            for split, result in run.results.items():
                run.results[split] = replace(result, **changes)
            return told._to_keep_back() - told.grace

        # A third of the budget at most, for it is lost without; none if that is not
        # enough. With its fold models at hand a fifth, or none.
        assert kept_back(fit_seconds=200.0) == pytest.approx(1000 / 3)
        assert kept_back(fit_seconds=500.0) == 0
        assert kept_back(fit_seconds=120.0, model="kept") == pytest.approx(200)
        assert kept_back(fit_seconds=200.0) == 0


def test_no_time_is_kept_back_for_what_there_is_no_time_for(wine):
    """However good it is, and what is worse is needed in its place."""
    now = [0.0]
    prior = believe(wine, FAST)
    budget = Budget(seconds=1000, clock=lambda: now[0])
    wine = steps.plan(wine, prior, Budget(count=25), 1)
    told = Strategy(
        wine, prior.belief, prior.configurations, budget, ensemble_size=3
    )
    play(told, wine, 4 * len(wine.splits))
    first, *others = told.ranked()
    assert others

    def take(run, **changes):
        for split, result in run.results.items():
            run.results[split] = replace(result, **changes)

    def refit(seconds):
        return seconds / wine.refit_factor

    scores = first.results[0].scores
    for run in (first, *others):
        take(run, scores=scores)  # so that all are likely members
    take(first, fit_seconds=refit(300.0), predict_seconds=0.0)
    for run in others:
        take(run, fit_seconds=refit(40.0), predict_seconds=0.0, model="kept")
    # Fold models can take the place of the others, for which a fifth is kept at most.
    assert told._to_keep_back() == pytest.approx(1000 / 3 + told.grace)
    now[0] = 720.0
    assert told._to_keep_back() < 200
    assert told._to_keep_back() > 1.2 * 40
    # What is kept back for fold models' sake does not grow by what has none.
    take(first, fit_seconds=refit(10.0))
    take(others[0], fit_seconds=refit(190.0))
    now[0] = 0.0
    assert told._to_keep_back() <= 200 + told.grace


def test_members_are_judged_by_the_best_of_the_usable(wine):
    prior = believe(wine, FAST)
    told = strategy(wine, prior, count=25, ensemble_size=3)
    play(told, wine, 4 * len(wine.splits))
    first, *others = told.ranked()
    assert others
    for run, loss in [(first, 1e-3), *((run, 0.5) for run in others)]:
        for split, result in run.results.items():
            scores = dict.fromkeys(result.scores, -loss)
            run.results[split] = replace(result, scores=scores)
    assert told.likely_members(lambda run: True) == [first]
    assert set(told.likely_members(lambda run: run is not first)) == set(others)


def test_what_there_is_no_time_to_fit_is_no_member(wine):
    prior = believe(wine, FAST)
    result = search(wine, prior)
    scores = [one.mean(SCORE) for one in result.pool]
    best = result.pool[int(np.argmax(scores))].name
    slow = tuple(
        replace(one, folds=tuple(replace(f, fit_seconds=60.0) for f in one.folds))
        if one.name == best else one
        for one in result.pool
    )  # fmt: skip
    moment = Budget(seconds=60, clock=lambda: 0.0)
    with workplace(wine, prior, Budget(seconds=60)) as (_, (_, workers, task)):
        refits = Refits(wine, replace(result, pool=slow), moment, workers, task)
        usable = refits.within_reach()
        assert usable == {one.name for one in slow} - {best}
        # Of all it is the heaviest; without it there is an ensemble of the others.
        of_all = steps.combine(wine, refits.result, 5)
        assert of_all.weights.argmax() == int(np.argmax(scores))
        selection = steps.combine(wine, refits.result, 5, usable=usable)
        others = [one for one in slow if one.name != best]
        alone = steps.combine(wine, replace(result, pool=tuple(others)), 5)
        places = [i for i, one in enumerate(slow) if one.name != best]
        assert (selection.weights[places] == alone.weights).all()
        assert selection.score == alone.score
        with pytest.warns(UserWarning, match="Not refitted"):
            fitted = refits.begin().finish(selection)
    assert fitted.lost == [best]
    members = {slow[i].name for i in np.flatnonzero(selection.weights)}
    assert set(fitted.n_models) == members


def test_only_as_many_are_within_reach_as_can_be_fitted_together(wine):
    prior = believe(wine, FAST)
    result = search(wine, prior)
    pool = tuple(
        replace(one, folds=tuple(replace(f, fit_seconds=14.0, predict_seconds=0.0)
                                 for f in one.folds))
        for one in result.pool
    )  # fmt: skip
    factor = len(wine.y) / result.n_train[0]
    ranked = np.argsort([-one.mean(SCORE) for one in pool], kind="stable")
    moment = Budget(seconds=1.5 * 14 * factor, clock=lambda: 0.0)
    with workplace(wine, prior, Budget(seconds=60)) as (_, (_, workers, task)):
        refits = Refits(wine, replace(result, pool=pool), moment, workers, task)
        n_fitted = workers.size
        assert len(pool) > n_fitted
        expected = {pool[i].name for i in ranked[:n_fitted]}
        assert refits.within_reach() == expected
        # One that runs already needs only what is left of its time.
        last = int(ranked[n_fitted])
        refits._begun[last] = -14 * factor
        assert refits.within_reach() == {*expected, pool[last].name}
        refits._begun[last] = 0.0
        assert len(refits.within_reach()) == n_fitted
        # Nor does it count twice where it is wanted, too.
        refits.budget = Budget(seconds=2.5 * 14 * factor, clock=lambda: 0.0)
        assert refits.affordable([last, last, ranked[0]]) == [ranked[0]]
        # Fold models need none.
        folds = tuple(replace(f, model="kept") for f in pool[ranked[0]].folds)
        changed = list(pool)
        changed[ranked[0]] = replace(pool[ranked[0]], folds=folds)
        refits = Refits(
            wine, replace(result, pool=tuple(changed)), moment, workers, task
        )
        others = {pool[i].name for i in ranked[: n_fitted + 1]}
        assert refits.within_reach() == others


def test_the_ensemble_is_of_what_is_within_reach(monkeypatch):
    X, y = load_wine(return_X_y=True)

    def fitted():
        model = MetaLearnerEstimator(candidates=FAST, n_candidates=8, random_state=0)
        return model.fit(X, y)

    heaviest = fitted().members_["configuration"].iloc[0]
    within_reach = Refits.within_reach
    monkeypatch.setattr(
        Refits, "within_reach", lambda self: within_reach(self) - {heaviest}
    )
    others = fitted().members_["configuration"].tolist()
    assert others and heaviest not in others


def test_if_there_is_time_for_none_all_may_be_members(wine):
    result = search(wine, believe(wine, FAST))
    both = [steps.combine(wine, result, 5, usable=usable) for usable in (None, set())]
    assert (both[0].weights == both[1].weights).all()


def test_fold_models_are_within_reach(wine):
    prior = believe(wine, FAST)
    ticks = iter([0.0])
    spent = Budget(seconds=1, clock=lambda: next(ticks, 1000.0))
    with workplace(wine, prior, Budget(seconds=12)) as (found, (_, workers, task)):
        result = found.run()
        slow = tuple(
            replace(one, folds=tuple(
                replace(f, fit_seconds=60.0, model=f.model if i else None)
                for f in one.folds
            ))
            for i, one in enumerate(result.pool)
        )  # fmt: skip
        refits = Refits(wine, replace(result, pool=slow), spent, workers, task)
        assert refits.within_reach() == {one.name for one in slow[1:]}


def test_a_further_search_keeps_back_what_an_earlier_one_did(wine):
    prior = believe(wine, FAST)

    wine = steps.plan(wine, prior, Budget(count=25), 1)

    def begun():
        return Strategy(wine, prior.belief.copy(), prior.configurations,
                        Budget(seconds=1000), ensemble_size=3)  # fmt: skip

    earlier, later = begun(), begun()
    play(earlier, wine, len(wine.splits))
    (run,) = earlier.complete()
    unit = Unit(run, max(run.results))
    earlier.tell(unit, replace(run.results[unit.split], fit_seconds=300.0))
    kept = earlier._to_keep_back()
    assert kept > 50
    assert later.seconds_left() > 990
    later.keep_back_as(earlier)
    assert later.seconds_left() <= 1000 - kept
    play(later, wine, len(wine.splits))  # what is quick needs no more
    assert later._to_keep_back() == kept
    assert later.seconds_left() <= 1000 - kept


def test_a_fold_model_is_not_kept_if_its_score_is_below_the_best_eight(
    wine, monkeypatch
):
    # More than eight are to be complete.
    monkeypatch.setattr(_racing, "RANK", np.inf)
    monkeypatch.setattr(_racing, "MARGIN", np.inf)
    prior = believe(wine, ["linear", "discriminant analysis"])
    with workplace(wine, prior, Budget(seconds=60, count=25)) as (found, _):
        assert found._worth_keeping(0) == -np.inf, "nothing is known yet"
        result = found.run()
        runs = [run for run in found.strategy.runs if 0 in run.results]
        scores = sorted(run.results[0].scores[SCORE] for run in runs)
        assert len(scores) > 8 and found._worth_keeping(0) == scores[-8]
        kept = [e for e in result.pool if all(fold.model for fold in e.folds)]
        assert 0 < len(kept) <= 8 < len(result.pool)
    with workplace(wine, prior, Budget(count=12)) as (found, _):
        assert found.run().pool and found._worth_keeping(0) == -np.inf


def test_only_where_fits_can_be_ended_do_they_get_a_grace(wine):
    prior = believe(wine, FAST)
    for hard, seconds, grace in ((True, 20, 1), (True, 1000, 3), (False, 20, 0)):
        budget = Budget(seconds=seconds, clock=lambda: 0.0)
        told = Strategy(wine, prior.belief, prior.configurations, budget, hard=hard)
        assert told.grace == pytest.approx(grace)
        assert told.seconds_left() == pytest.approx(seconds - grace)


@pytest.mark.parametrize(
    ("deed", "status"), [("sleep 0.05", "ok"), ("sleep 600", "timeout")]
)
def test_a_fit_that_runs_at_the_deadline_may_end_a_little_later(wine, deed, status):
    prior = believe(wine, ["logistic-C1"])
    prior.configurations["logistic-C1"] = misbehaving("logistic-C1", deed)
    with workplace(wine, prior, Budget(seconds=60), n_jobs=1) as (found, _):
        since: list[float] = []

        def seconds_left():  # the deadline is there as soon as something runs
            if not found.workers.busy():
                return 20.0
            since.append(time.monotonic())
            return since[0] - since[-1]

        found.strategy.seconds_left = seconds_left
        (trial,) = found.run().trials
    assert trial.evaluation.folds[0].status == status


def test_the_best_is_refitted_while_the_ensemble_is_selected(wine):
    prior = believe(wine, FAST)
    result = search(wine, prior)
    with workplace(wine, prior, Budget(seconds=60), n_jobs=2) as (_, rest):
        refits = Refits(wine, result, *rest).begin()
        assert refits.workers.busy() == 1
        selection = steps.combine(wine, result, 5)
        fitted = refits.finish(selection)
    best = max(result.pool, key=lambda e: e.mean(SCORE))
    assert fitted.best_name == best.name
    assert set(fitted.n_models.values()) == {0}


def test_what_would_take_long_is_not_predicted_only_to_time_it(wine):
    prior = believe(wine, ["logistic-C1", "dummy"])
    result = search(wine, prior)
    slow = tuple(
        replace(one, folds=tuple(replace(f, predict_seconds=0.2) for f in one.folds))
        for one in result.pool
    )
    moment = Budget(seconds=1, clock=lambda: 0.0)
    with workplace(wine, prior, Budget(seconds=9)) as (_, (_, workers, task)):
        refits = Refits(wine, replace(result, pool=slow), moment, workers, task)
        fitted = refits.finish(steps.combine(wine, result, 1))
    ((_, seconds),) = fitted.predict_times.items()
    # Not as measured, which is a few milliseconds, but in proportion to a fold's rows.
    assert seconds == pytest.approx(1000 * 3 * 0.2 / WINE_ROWS)


def test_configurations_are_built_with_the_seed(wine):
    prior = believe(wine, ["forest"])
    build = partial(prior.configurations["forest"].build, wine.table)
    assert build(5).get_params()["model__random_state"] == 5


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("seconds", [0.01, 1.5])
def test_a_soft_deadline_ends_the_search_too(n_jobs, seconds):
    X, y = load_wine(return_X_y=True)
    problem = describe(X, y, task="auto", scoring=None, cv=10, seed=0)
    deeds = {"logistic-C1": "sleep 2", "lda": "sleep 2"}
    prior = believe(problem, list(deeds))
    with parallel_config(backend="threading"):
        result = search(problem, prior, deeds=deeds, n_jobs=n_jobs, seconds=seconds)
    assert result.stop_reason == "time budget spent"


def test_with_few_candidates_looks_are_followed_by_all_folds(monkeypatch):
    X, y = load_digits(return_X_y=True)
    monkeypatch.setattr(_folds, "LOOKS", (250,))
    problem = describe(X, y, task="auto", scoring="neg_log_loss", cv=None, seed=0)
    result = search(problem, believe(problem, ["lda"]), count=20)
    assert [len(e.folds) for e in result.pool] == [len(problem.splits)]


def patience(told, unit, seconds, *others):
    """That with a fold which has run for so long, as have some others of its run."""
    units = [unit, *(Unit(unit.run, split) for split in others)]
    return told.patience(unit, dict.fromkeys(units, seconds))


def test_a_fold_that_leaves_no_time_for_the_others_is_given_up(wine):
    told = strategy(wine, believe(wine, ["logistic-C1", "lda"]), seconds=1000)
    unit = told.ask()
    split, *others = (i for i in range(len(wine.splits)) if i != unit.split)
    assert len(others) == 1
    assert patience(told, unit, 10) == 240  # until it is a quarter of the budget
    left = told.seconds_left()
    assert patience(told, unit, 300) == pytest.approx((left - 600) / 3, abs=1)
    assert patience(told, unit, 600) < 0
    # Beside it run others, that will not take longer.
    assert patience(told, unit, 600, split) == pytest.approx((left - 600) / 2, abs=1)
    assert patience(told, unit, 900, split, *others) == np.inf
    unit.run.expected_seconds = 150.0
    assert patience(told, unit, 400) == 50  # three times what is expected
    unit.run.results[split] = FoldResult("timeout")
    assert patience(told, unit, 1) == 0


@pytest.mark.parametrize(
    ("budget", "names", "seconds"),
    [
        ({"seconds": 2}, ["logistic-C1", "lda"], 4),  # for what it imports
        ({"seconds": 1000}, ["lda"], np.inf),  # there is nothing else to do
        ({"count": 3}, ["logistic-C1", "lda"], np.inf),
    ],
)
def test_a_fold_has_the_time_that_nothing_else_needs(wine, budget, names, seconds):
    told = strategy(wine, believe(wine, names), **budget)
    unit = told.ask()
    longest = 1 if seconds == 4 else 900
    assert patience(told, unit, longest) == seconds


def test_what_was_cut_off_after_its_look_is_judged_by_the_look(monkeypatch):
    X, y = load_digits(return_X_y=True)
    monkeypatch.setattr(_folds, "LOOKS", (250,))
    monkeypatch.setattr(_folds, "HOLDOUT_ROWS", 1000)
    problem = describe(X, y, task="auto", scoring="neg_log_loss", cv=None, seed=0)
    told = strategy(problem, believe(problem, ["lda", "naive-bayes-smooth"]), count=9)
    units = play(told, problem, 3)
    one = units[-1]
    if one.run.stage == 1:
        told.tell(one, FoldResult("timeout", error="stopped at the deadline"))
    _, members = told.members()
    found = [run.passed(problem.folds, run.latest(problem.folds), 0) for run in members]
    assert found and all(e.status == "ok" for e in found)


def test_what_is_cut_off_after_its_look_leaves_the_model_of_the_look(monkeypatch):
    X, y = load_digits(return_X_y=True)
    monkeypatch.setattr(_folds, "LOOKS", (WINE_ROWS - 1,))
    monkeypatch.setattr(_folds, "HOLDOUT_ROWS", 1000)
    problem = describe(X, y, task="auto", scoring="neg_log_loss", cv=None, seed=0)
    prior = believe(problem, ["logistic-C1"])
    prior.configurations["logistic-C1"] = misbehaving("logistic-C1", "hang on all rows")
    with workplace(problem, prior, Budget(seconds=8), n_jobs=2) as (found, rest):
        result = found.run()
        selection = steps.combine(problem, result, 1)
        fitted = Refits(problem, result, *rest).finish(selection)
    assert [trial.evaluation.status for trial in result.trials] == ["timeout"]
    assert fitted.n_models == {"logistic-C1": 1}


def test_the_next_best_fold_model_is_better_than_a_constant(wine):
    prior = believe(wine, ["logistic-C1", "naive-bayes-smooth"])
    for name in prior.configurations:
        broken = misbehaving(name, "hang on all rows")
        prior.configurations[name] = broken
    with workplace(wine, prior, Budget(seconds=12), n_jobs=2) as (found, rest):
        result = found.run()
        first, *others = result.pool
        bare = tuple(replace(fold, model=None) for fold in first.folds)
        result = replace(result, pool=(replace(first, folds=bare), *others))
        weights = np.array([1.0] + [0.0] * len(others))
        with pytest.warns(UserWarning, match="Not refitted"):
            fitted = Refits(wine, result, *rest).finish(Selection(weights, 0.0, True))
    assert fitted.n_models == {others[0].name: len(wine.splits)}


def test_a_fold_without_a_score_in_the_stored_metric_ends_no_search(wine):
    # A custom scorer, and a fold of a single class, on which ROC AUC is undefined.
    X, y = wine.X, wine.y
    alone = np.flatnonzero(y == 0)[:10]
    folds = [(np.setdiff1d(np.arange(len(y)), alone), alone), *wine.splits]

    def hits(estimator, X, y):
        return float((estimator.predict_proba(X).argmax(axis=1) == y).mean())

    problem = describe(X, y, task="classification", scoring=hits, cv=folds, seed=0)
    result = search(problem, believe(problem, "decision tree"), seconds=4)
    assert result.pool


def test_one_row_to_score_on_is_enough_to_end():
    X, y = load_wine(return_X_y=True)
    cv = [(np.arange(1, len(y)), np.array([0]))]
    problem = describe(X, y, task="classification", scoring="accuracy", cv=cv, seed=0)
    result = search(problem, believe(problem, FAST), count=5)
    assert steps.combine(problem, result, 4).single
