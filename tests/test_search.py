"""The search: budgets, rounds, and candidates that misbehave."""

import os
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_wine

from sk_meta import _steps as steps
from sk_meta._budget import Budget
from sk_meta._catalogue import Configuration
from sk_meta._catalogue import _preprocessing as prep
from sk_meta._problem import describe
from sk_meta._search import MIN_TRIALS, Search, pick

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


class Here(Misbehaving):
    """Counts the fits in this process."""

    fitted: list = []

    def fit(self, X, y):
        Here.fitted.append(len(y))
        return super().fit(X, y)


here = Configuration(
    "here", "linear", "classification", prep.as_is, lambda _: [("model", Here("fit"))]
)


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


def search(problem, prior, *, deeds=None, n_jobs=1, **budget):
    configurations = dict(prior.configurations)
    for name, deed in (deeds or {}).items():
        configurations[name] = misbehaving(name, deed)
    return Search(
        problem, prior.belief, configurations, Budget(**budget), n_jobs
    ).run()


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
    assert len(result.complete()) == len(FAST) - 1


def test_predictions_that_are_not_finite_are_a_failure(wine):
    result = search(wine, believe(wine, FAST), deeds={"knn-5": "nan"})
    assert status_of(result)["knn-5"] == "failed"


def test_a_candidate_that_kills_its_worker_costs_only_itself(wine):
    result = search(wine, believe(wine, FAST), deeds={"lda": "exit"}, n_jobs=2)
    status = status_of(result)
    assert status.pop("lda") == "died"
    assert set(status.values()) == {"ok"}


def test_a_candidate_that_never_returns_is_stopped_at_the_deadline(wine):
    prior = believe(wine, ["logistic-C1", "lda"])
    prior.configurations["lda"] = misbehaving("lda", "sleep 600")
    budget = Budget(seconds=10)
    result = Search(wine, prior.belief, prior.configurations, budget, n_jobs=2).run()
    assert status_of(result) == {"lda": "timeout", "logistic-C1": "ok"}
    selection = steps.combine(wine, result, 1)
    fitted = steps.refit(wine, prior, result, selection, budget, 2)
    assert fitted.best_name == "logistic-C1"


def test_slow_folds_one_after_another_do_not_stretch_the_deadline():
    # Every fold alone ends in time; joblib's own timeout starts anew for each.
    X, y = load_wine(return_X_y=True)
    problem = describe(X, y, task="auto", scoring=None, cv=12, seed=0)
    prior = believe(problem, ["logistic-C1"])
    budget = Budget(seconds=8)
    slow = {"logistic-C1": misbehaving("logistic-C1", "sleep 3")}
    result = Search(problem, prior.belief, slow, budget, n_jobs=2).run()
    assert result.trials[0].evaluation.status == "timeout"
    # 12 folds of 3 s on two workers are 18 s.
    assert budget.elapsed() < 16


def test_under_a_time_budget_the_first_is_cheap_and_needs_no_worker(wine):
    prior = believe(wine)
    budget = Budget(seconds=30)
    first = Search(wine, prior.belief, prior.configurations, budget, n_jobs=2)
    batch, _ = first.ask()
    assert len(batch) == 1
    seconds = prior.belief.seconds()
    assert seconds[batch[0]] < np.median(seconds)
    Here.fitted = []
    first.configurations = {prior.belief.names[batch[0]]: here}
    first.tell(batch, first._evaluate(batch))
    assert len(Here.fitted) == 3
    assert len(first.ask()[0]) <= 2


def test_without_workers_the_deadline_is_looked_at_between_folds():
    X, y = load_wine(return_X_y=True)
    problem = describe(X, y, task="auto", scoring=None, cv=10, seed=0)
    prior = believe(problem, ["logistic-C1", "lda"])
    deeds = dict.fromkeys(prior.configurations, "sleep 1")
    result = search(problem, prior, deeds=deeds, seconds=2.5)
    folds = [f.status for t in result.trials for f in t.evaluation.folds]
    assert 1 <= folds.count("ok") <= 4
    assert "timeout" in folds


@pytest.mark.parametrize("deed", ["exit on all rows", "hang on all rows"])
def test_a_refit_that_goes_wrong_leaves_the_next_best(wine, deed):
    prior = believe(wine, ["logistic-C1", "dummy"])
    prior.configurations["logistic-C1"] = good = prior.configurations["logistic-C1"]
    # With too little left for workers on a busy machine it would be refitted here.
    budget = Budget(seconds=20)
    result = Search(wine, prior.belief, prior.configurations, budget, n_jobs=2).run()
    assert good.name in [e.name for e in result.complete()]
    selection = steps.combine(wine, result, 1)
    prior.configurations[good.name] = misbehaving(good.name, deed)
    with pytest.warns(UserWarning, match="Not refitted"):
        fitted = steps.refit(wine, prior, result, selection, budget, 2)
    assert fitted.best_name == "dummy"


def test_without_time_for_workers_a_quick_refit_is_made_here(wine):
    prior = believe(wine, ["logistic-C1", "dummy"])
    result = search(wine, prior)
    selection = steps.combine(wine, result, 1)
    ticks = iter([0.0])
    spent = Budget(seconds=1, clock=lambda: next(ticks, 1000.0))
    fitted = steps.refit(wine, prior, result, selection, spent, 2)
    assert fitted.best_name == "logistic-C1"
    assert fitted.ensemble.predict_proba(wine.X).shape == (len(wine.y), 3)


def test_a_budget_in_which_nothing_fits_still_tries_one_cheap_configuration(wine):
    prior = believe(wine)
    prior.belief.clock.mean += 12  # everything is expected to take hours
    names, seconds = prior.belief.names, prior.belief.seconds()
    result = search(wine, prior, seconds=60)
    cheapest = min(prior.configurations, key=dict(zip(names, seconds, strict=True)).get)
    assert result.trials[0].evaluation.name == cheapest
    # Its seconds tell that this machine is not that slow.
    assert len(result.trials) > 1


def test_stops_when_no_gain_is_expected(wine):
    result = search(wine, believe(wine, None))
    assert result.stop_reason == "no gain expected"
    assert MIN_TRIALS <= len(result.trials) < len(believe(wine).configurations)


@pytest.mark.parametrize("n_jobs", [2, 4])
def test_the_same_for_any_number_of_jobs(wine, n_jobs):
    one, many = (
        search(wine, believe(wine, FAST), n_jobs=n, count=5) for n in (1, n_jobs)
    )
    names = [[t.evaluation.name for t in result.trials] for result in (one, many)]
    assert names[0] == names[1]
    for first, second in zip(one.trials, many.trials, strict=True):
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
    belief = believe(wine).belief
    everything = list(range(len(belief.names)))
    cheap, dear = (pick(belief, everything, power) for power in (5.0, 0.0))
    assert belief.seconds()[cheap] < belief.seconds()[dear]


def test_an_interrupt_keeps_what_was_found(wine, monkeypatch):
    prior = believe(wine, FAST)
    interrupted = Search(wine, prior.belief, prior.configurations, Budget(count=5))
    rounds = iter([True, False])
    ask = interrupted.ask

    def ask_then_interrupt():
        if not next(rounds):
            raise KeyboardInterrupt
        return ask()

    monkeypatch.setattr(interrupted, "ask", ask_then_interrupt)
    with pytest.warns(UserWarning, match="interrupted"):
        result = interrupted.run()
    assert result.stop_reason == "interrupted"
    assert result.complete()


def test_time_is_kept_back_for_the_refit(wine):
    prior = believe(wine, FAST)
    budget = Budget(seconds=1000)
    waiting = Search(wine, prior.belief, prior.configurations, budget, n_refits=3)
    assert waiting._reserve() == 0
    batch, _ = waiting.ask()
    waiting.tell(batch, waiting._evaluate(batch))
    waiting.trials[:] = [
        replace(trial, evaluation=_slowed(trial.evaluation, 50))
        for trial in waiting.trials
    ]
    # One configuration of 50 s a fold, on half as many rows again.
    assert waiting._reserve() > 75


def _slowed(evaluation, seconds):
    folds = tuple(replace(f, fit_seconds=float(seconds)) for f in evaluation.folds)
    return replace(evaluation, folds=folds)


def test_configurations_are_built_with_the_seed(wine):
    prior = believe(wine, ["forest"])
    build = partial(prior.configurations["forest"].build, wine.table)
    assert build(5).get_params()["model__random_state"] == 5
