"""Recommendations and explanations, computed again from the shipped knowledge base."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, rankdata
from sklearn.linear_model import LogisticRegression

from sk_meta import (
    Explanation,
    KnowledgeBase,
    MetaLearnerClassifier,
    compute_meta_features,
    load_meta_model,
)
from sk_meta._history import from_h, h_per_loss, to_h
from sk_meta._normal_scores import META_FEATURES
from sk_meta._recommendation import probability_best

KIND, METRIC, OFFSET, N = "classification", "accuracy", 0.02, 3
UNPAIRED = 0.25  # share of the variance between folds that configurations do not share
FACTORS = ("nr_inst", "nr_encoded", "inst_to_attr", "nr_class")


@pytest.fixture(scope="module")
def fitted(cancer):
    return MetaLearnerClassifier(
        n_candidates=4, candidates=["linear", "decision tree"], cv=2, random_state=0
    ).fit(*cancer)


@pytest.fixture(scope="module")
def explanation(fitted):
    return fitted.explain(N)


@pytest.fixture(scope="module")
def ranking(cancer):
    return MetaLearnerClassifier(random_state=0).recommend(*cancer)


@pytest.fixture(scope="module")
def belief(cancer):
    described = compute_meta_features(*cancer).to_dict()
    return load_meta_model(KIND).belief(described, METRIC)


def test_the_nearest_tasks_are_those_of_the_knowledge_base(explanation, cancer):
    near = KnowledgeBase.load().nearest(*cancer)
    assert explanation.neighbors["task"].tolist() == near.index.tolist()
    assert np.allclose(explanation.neighbors["distance"], near["distance"])


def distances(knowledge, described):
    """Root mean square differences of the normal scores of the ranks."""
    tasks = knowledge.select(KIND)
    squares = []
    for name in META_FEATURES[KIND]:
        column, here = tasks[name].to_numpy(float), described[name]
        if name in FACTORS:
            column, here = np.log(column), np.log(here)
        known, place = np.unique(column[np.isfinite(column)], return_inverse=True)
        ranks = rankdata(known[place])
        scores = np.array([ranks[place == i].mean() for i in range(len(known))])
        scores = np.clip(norm.ppf((scores - 0.5) / len(place)), -2.5, 2.5)
        # A missing one is taken to be the median.
        place = np.nan_to_num(np.interp(column, known, scores))
        squares.append((place - np.nan_to_num(np.interp(here, known, scores))) ** 2)
    return pd.Series(np.sqrt(np.mean(squares, axis=0)), tasks.index)


def as_described(fitted):
    return fitted.meta_features_.set_index("name")["value"].to_dict()


def mean_scores(knowledge):
    """Mean accuracy of every configuration on every prior task."""
    results = knowledge.results[KIND]
    by_pair = results.groupby(["task", "configuration"])
    scores = by_pair[METRIC].agg(lambda column: column.mean(skipna=False))
    return scores.unstack()


# What is recommended.


def test_recommendation_has_the_columns_that_are_documented(ranking):
    assert list(ranking.columns) == [
        "configuration", "family", "predicted_score", "predicted_low",
        "predicted_high", "predicted_seconds", "probability_best", "reason", "excluded",
    ]  # fmt: skip
    assert ranking.index.name == "rank"
    usable = ranking[ranking["excluded"].isna()]
    assert usable["probability_best"].sum() == pytest.approx(1)
    assert (usable["predicted_low"] < usable["predicted_high"]).all()
    assert usable["reason"].str.len().gt(0).all()


def test_recommendation_is_the_same_every_time(ranking, cancer):
    again = MetaLearnerClassifier(random_state=0).recommend(*cancer)
    pd.testing.assert_frame_equal(again, ranking)


def test_what_is_excluded_has_no_chance(cancer):
    X, y = cancer
    weights = np.linspace(1, 2, len(y))
    table = MetaLearnerClassifier(random_state=0).recommend(X, y, sample_weight=weights)
    excluded = table[table["excluded"].notna()]
    assert len(excluded)
    assert excluded["probability_best"].isna().all()
    assert excluded["reason"].isna().all()


def test_the_chance_between_two_is_that_of_their_difference(belief):
    """Of two the probability is known: that of a normal difference below zero."""
    for pair in ([0, 40], [3, 90], [10, 11]):
        first, second = pair
        known = 0.0
        for weight, part in zip(belief.weights, belief.components, strict=True):
            square = part.covariance[np.ix_(pair, pair)]
            variance = square[0, 0] + square[1, 1] - 2 * square[0, 1]
            sd = np.sqrt(variance + 2 * belief.nugget)
            known += weight * norm.cdf((part.mean[second] - part.mean[first]) / sd)
        chance = probability_best(belief, pair)
        assert chance[0] == pytest.approx(known, abs=0.03)
        assert chance.sum() == pytest.approx(1)


def test_a_result_that_is_far_ahead_makes_its_configuration_the_likeliest_best(belief):
    twin = belief.copy()
    twin.observe(7, float(belief.mean().min() - 2.0))
    every = list(range(len(belief.names)))
    before, after = (probability_best(one, every) for one in (belief, twin))
    assert after.argmax() == 7 != before.argmax()
    assert after[7] > 5 * before[7]


def test_the_reason_names_prior_tasks_that_are_near_and_where_it_is_good(
    ranking, knowledge, fitted
):
    described = as_described(fitted)
    table = distances(knowledge, described).to_frame("distance")
    table["family"] = knowledge.tasks["family"]
    near = table.sort_values("distance").drop_duplicates("family").index[:5]
    loss = 1 - mean_scores(knowledge)
    n_named = 0
    for row in ranking.head(20).itertuples():
        match = re.match(r"in the best tenth on (\d) .* this one \((.*?)\)", row.reason)
        if not match:
            continue
        named = [task for task in match[2].split(", ") if task != "…"]
        assert set(named) <= set(near)
        assert min(int(match[1]), 3) == len(named)
        for task in named:
            # Losses in the meta-model are rounded to some tenths of a percent.
            mine = 0.996 * loss.loc[task, row.configuration]
            assert (loss.loc[task] < mine).sum() < 0.1 * loss.shape[1]
        n_named += len(named)
    assert n_named > 5


def test_the_reason_counts_the_prior_tasks_where_it_was_good(ranking, knowledge):
    scores = mean_scores(knowledge)
    families = knowledge.tasks["family"][scores.index]
    weights = 1 / families.map(families.value_counts())  # every family counts once
    place = (1 - scores).fillna(np.inf).rank(axis=1, method="min") - 1
    good = place < 0.25 * scores.shape[1]
    share = 100 * good.mul(weights / weights.sum(), axis=0).sum()
    usable = ranking[ranking["excluded"].isna()].set_index("configuration")
    told = usable["reason"].str.extract(r"best quarter on (\d+) %")[0].astype(float)
    assert told.notna().all()
    # What failed somewhere has an estimate there; losses are rounded a little.
    whole = told.index.intersection(scores.columns[scores.notna().all()])
    assert len(whole) > 30
    np.testing.assert_allclose(told[whole], share[whole], atol=2.5)


def test_an_own_configuration_is_said_to_be_one(iris):
    model = MetaLearnerClassifier(
        candidates=["linear", ("mine", LogisticRegression())], random_state=0
    )
    table = model.recommend(*iris).set_index("configuration")
    assert table.loc["mine", "reason"].startswith("your own")
    assert not table["reason"].drop("mine").str.startswith("your own").any()
    explained = model.set_params(n_candidates=3, cv=2).fit(*iris).explain(3)
    for name, reason in explained.configurations[["configuration", "reason"]].values:
        assert reason.startswith("your own") == (name == "mine")


# What is explained.


def test_an_explanation_has_the_head_of_the_leaderboard(explanation, fitted):
    assert isinstance(explanation, Explanation)
    head = fitted.leaderboard_.head(N)
    table = explanation.configurations
    assert table["configuration"].tolist() == head["configuration"].tolist()
    assert np.allclose(table["mean_score"], head["mean_score"], equal_nan=True)
    with pytest.raises(AttributeError):
        explanation.metric = "other"


@pytest.mark.parametrize("n", [0, 11, 1.5, "all"])
def test_a_number_that_can_not_be_explained_is_refused(fitted, n):
    with pytest.raises(ValueError, match="from 1 to 10"):
        fitted.explain(n)


def test_the_steps_add_up_from_prior_to_posterior(explanation, fitted):
    table = explanation.configurations.set_index("configuration")
    changes = explanation.steps.groupby("configuration")["change"].sum()
    total = table["prior_score"] + changes[table.index]
    assert np.allclose(total, table["score"])
    told = explanation.steps[explanation.steps["step"] > 0]
    names = fitted.evaluations_["configuration"].iloc[told["step"] - 1]
    assert told["told"].tolist() == names.tolist()


def test_every_step_follows_from_the_scores_of_the_folds(explanation, fitted, belief):
    """Prior, conditioned anew on each result, as docs/algorithm.rst says."""
    assert (fitted.leaderboard_["status"] != "dropped").all()
    dummy = 1 - fitted.prior_ranking_.attrs["dummy_score"]
    mine, losses = belief.copy(), {}
    place = {name: i for i, name in enumerate(mine.names)}
    for step, row in enumerate(fitted.evaluations_.itertuples(), start=1):
        known = losses.setdefault(row.configuration, [])
        known.append(1 - row.score)
        if len(known) < fitted.n_splits_:
            continue
        loss = np.mean(known)
        slope = h_per_loss(loss, dummy)
        noise = UNPAIRED * slope**2 * np.var(known) / len(known)
        mine.observe(place[row.configuration], float(to_h(loss, dummy)), noise)
        told = explanation.steps[explanation.steps["step"] == step]
        where = [place[name] for name in told["configuration"]]
        mean, (low, high) = mine.mean()[where], mine.interval()
        for column, h in (("expected_score", mean), ("low", high[where]),
                          ("high", low[where])):  # fmt: skip
            score = np.maximum(1 - from_h(h, dummy), 0)
            np.testing.assert_allclose(told[column], score, atol=1e-9)
        assert len(told)


def test_neighbors_are_the_nearest_of_the_knowledge_base(
    explanation, knowledge, fitted
):
    described = as_described(fitted)
    known = distances(knowledge, described)
    table = explanation.neighbors
    assert np.allclose(table["distance"], known[table["task"]])
    assert (np.diff(table["distance"]) >= 0).all()
    families = knowledge.tasks["family"]
    nearest = known.groupby(families[known.index]).min().nsmallest(len(table))
    assert table["family"].tolist() == nearest.index.tolist()
    tasks = knowledge.tasks.loc[table["task"]]
    for name in ("n_rows", "n_columns"):
        assert table[name].tolist() == tasks[name].tolist()
    # Votes fall with the squared distance over that of the fifteenth nearest task.
    width = np.sort(known.to_numpy() ** 2)[14]
    share = 1 / families[known.index].map(families[known.index].value_counts())
    votes = share * np.exp(-(known**2) / width)
    votes = votes / (votes.sum() + 5)
    assert np.allclose(table["weight"], votes[table["task"]])


def test_ranks_and_winners_are_those_of_the_knowledge_base(explanation, knowledge):
    scores = mean_scores(knowledge)
    for task, best in explanation.neighbors[["task", "best"]].to_numpy():
        row = scores.loc[task].dropna()
        winners = best.split(", ")
        assert len(winners) == 3
        assert row[winners].tolist() == row.nlargest(3).tolist()
    for name, column in explanation.ranks.items():
        for task, rank in column.dropna().items():
            row = scores.loc[task].dropna()
            assert rank == 1 + (row > row[name]).sum()


def test_meta_features_matter_by_what_the_prediction_is_without_them(
    explanation, knowledge, fitted, cancer
):
    described = as_described(fitted)
    model, tasks = load_meta_model(KIND), knowledge.select(KIND)
    dummy_loss = 1 - max(np.mean(cancer[1]), 1 - np.mean(cancer[1]))

    def predicted(values):
        belief = model.belief(values, METRIC)
        loss = np.maximum(np.exp(belief.mean()) - OFFSET, 0) * dummy_loss
        return pd.Series(1 - loss, list(belief.names))

    names = explanation.configurations["configuration"]
    before = predicted(described)[names]
    assert np.allclose(before, explanation.configurations["prior_score"])
    assert set(explanation.meta_features["name"]) == set(META_FEATURES[KIND])
    for row in explanation.meta_features.itertuples():
        assert row.median == pytest.approx(tasks[row.name].median())
        change = before - predicted({**described, row.name: row.median})[names]
        assert np.allclose(explanation.effects.loc[row.name, names], change)
        assert row.effect == pytest.approx(change.mean())
        assert row.importance == pytest.approx(change.abs().mean())
    assert explanation.meta_features["importance"].is_monotonic_decreasing
    assert explanation.meta_features["importance"].iloc[0] > 0


def test_everything_is_in_one_table_and_in_words(explanation):
    table = explanation.to_frame()
    assert list(table.columns) == ["configuration", "kind", "item", "value"]
    assert set(table["kind"]) == {"prior", "result", "prior task", "meta-feature"}
    names = explanation.configurations["configuration"]
    assert set(table["configuration"]) == set(names)
    text = str(explanation)
    for name in (*names, *explanation.neighbors["task"]):
        assert name in text
    assert explanation.meta_features["name"].iloc[0] in text


def test_an_explanation_is_the_same_after_pickling(fitted, explanation):
    assert str(pickle.loads(pickle.dumps(fitted)).explain(N)) == str(explanation)


def test_an_own_configuration_is_explained_by_its_relatives(iris):
    model = MetaLearnerClassifier(
        candidates=[("mine", LogisticRegression())], cv=2, random_state=0
    )
    found = model.fit(*iris).explain()
    assert np.isfinite(found.configurations["prior_score"]).all()
    assert "mine" in found.effects
    assert "mine" not in found.ranks
    assert "mine" in str(found)
