"""The search: budgets, rounds, and candidates that misbehave."""

import os
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_wine

from sk_meta import KnowledgeBase
from sk_meta import _line as line
from sk_meta._budget import Budget
from sk_meta._catalogue import Configuration
from sk_meta._catalogue import _preprocessing as prep
from sk_meta._search import MIN_TRIALS, Search, pick


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
        if self.deed == "sleep":
            time.sleep(600)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), np.nan)


def misbehaving(name, deed):
    def model(table):
        return [("model", Misbehaving(deed))]

    return Configuration(name, "linear", "classification", prep.as_is, model)


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True)
    return line.describe(
        X, y, task="classification", scoring="neg_log_loss", cv=3, seed=0
    )


def believe(problem, candidates=None):
    return line.believe(problem, KnowledgeBase.load(), candidates, "hybrid")


def search(problem, prior, *, deeds=None, n_jobs=1, **budget):
    configurations = dict(prior.configurations)
    for name, deed in (deeds or {}).items():
        configurations[name] = misbehaving(name, deed)
    return Search(
        problem, prior.belief, configurations, Budget(**budget), n_jobs
    ).run()


def status_of(result):
    return {t.evaluation.name: t.evaluation.status for t in result.trials}


FAST = ["logistic-C1", "lda", "naive-bayes", "knn-5", "tree-depth3"]


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
    result = search(wine, prior, deeds={"lda": "sleep"}, n_jobs=2, seconds=6)
    status = status_of(result)
    assert status["lda"] == "timeout"
    assert status["logistic-C1"] == "ok"


def test_a_spent_budget_still_tries_one_cheap_configuration(wine):
    result = search(wine, believe(wine), seconds=1e-3)
    assert result.stop_reason == "time budget spent"
    ticks = iter(range(10_000))
    late = Budget(seconds=5, clock=lambda: next(ticks) * 0.5)
    prior = believe(wine)
    prior.belief.clock.mean += 10  # everything is expected to take minutes
    result = Search(wine, prior.belief, prior.configurations, late).run()
    assert len(result.trials) == 1
    assert result.stop_reason == "nothing left that fits the time budget"


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
        scores = [t.evaluation.scores("neg_log_loss") for t in (first, second)]
        np.testing.assert_array_equal(*scores)


def test_a_good_result_moves_the_search_to_its_relatives(wine):
    belief = believe(wine).belief
    index = belief.names.index("svc-C3")
    others = [i for i in range(len(belief.names)) if i != index]
    before = belief.mean()
    belief.observe(index, float(before[index] - 1.0))
    gain = before - belief.mean()
    relatives = [belief.names.index(n) for n in ("svc-C30", "nystroem-gamma1-C10")]
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
    assert waiting._reserve() > 100


def _slowed(evaluation, seconds):
    folds = tuple(replace(f, fit_seconds=float(seconds)) for f in evaluation.folds)
    return replace(evaluation, folds=folds)


def test_configurations_are_built_with_the_seed(wine):
    prior = believe(wine, ["forest"])
    build = partial(prior.configurations["forest"].build, wine.table)
    assert build(5).get_params()["model__random_state"] == 5
