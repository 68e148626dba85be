"""Why these configurations: the prior, each result, prior tasks, and meta-features.

Everything is read from the attributes of a fitted estimator and from the knowledge
base that it was told to use, so that it can be computed again from the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd

from ._belief import Belief
from ._catalogue import catalogue, choose
from ._history import from_h
from ._knowledge import SHIPPED, KnowledgeBase, read
from ._metamodel import META_FEATURES, MetaModel
from ._pretrained import trained
from ._recommendation import N_NEAREST, reasons
from ._record import HEAD
from ._relatives import Relatives
from ._report import metric_name
from ._scoring import as_loss, as_score

_WINNERS = 3  # best configurations of a prior task that are named
_PREDICTED = {"score": "predicted_score", "low": "predicted_low",
              "high": "predicted_high"}  # fmt: skip
_SHOWN = 3  # results and meta-features of a configuration in words


@dataclass(frozen=True)
class Explanation:
    """What led to the head of the leaderboard.

    Scores are in the metric of the rankings (``ranking_metric_``), but for
    ``mean_score``, which is in the user's.

    Parameters
    ----------
    configurations : DataFrame
        One row per configuration of the head of the leaderboard, by its rank:
        configuration, family, mean_score; prior_rank, prior_score, prior_low and
        prior_high (80 % interval) before the search; score, low and high after it;
        weight in the ensemble; and reason, what it did on the prior tasks. NaN for
        one that the search has made, about which there is no prior.
    steps : DataFrame
        The beliefs between: step (number of results told, 0 is the prior),
        configuration, expected_score, low, high, change (of expected_score since the
        step before), and told, the configuration whose result it was.
    neighbors : DataFrame
        The nearest prior tasks, one of each family: task, family, distance (root mean
        square difference of the meta-features' normal scores), weight (its share of
        the vote of the nearest), n_rows, n_columns, and best, the best configurations
        there.
    ranks : DataFrame of shape (n_neighbors, n_configurations)
        Rank of the configurations on these tasks; NaN where one was not run.
    meta_features : DataFrame
        Those that the meta-model looks at, the most important first: name, value,
        median over the prior tasks, effect (mean change of the predicted scores that
        the value makes, compared with the median in its place), and importance (mean
        absolute change).
    effects : DataFrame of shape (n_meta_features, n_configurations)
        That change for every configuration.
    metric : str
        Metric of the predicted scores.
    n_prior_tasks : int
        Number of prior tasks of this kind; one that is known with several numbers of
        rows (``name@rows``) counts as several.
    scoring : str
        Metric of ``mean_score``.
    """

    configurations: pd.DataFrame
    steps: pd.DataFrame
    neighbors: pd.DataFrame
    ranks: pd.DataFrame
    meta_features: pd.DataFrame
    effects: pd.DataFrame
    metric: str
    n_prior_tasks: int
    scoring: str

    def to_frame(self) -> pd.DataFrame:
        """All of it as one table.

        Returns
        -------
        DataFrame
            One row per fact: configuration, kind ("prior", "result", "prior task" or
            "meta-feature"), item (where the fact comes from), and value (predicted
            score, its change by a result, rank on a prior task, and the change of the
            predicted score by a meta-feature).
        """
        head = self.configurations
        told = self.steps[self.steps["step"] > 0]
        parts = [
            _facts("prior", head["configuration"], self.metric, head["prior_score"]),
            _facts("result", told["configuration"], told["told"], told["change"]),
            *(_facts("prior task", name, self.ranks.index, self.ranks[name])
              for name in self.ranks),
            *(_facts("meta-feature", name, self.effects.index, self.effects[name])
              for name in self.effects),
        ]  # fmt: skip
        return pd.concat(parts, ignore_index=True)

    def __str__(self) -> str:
        near = [
            f"{task} ({distance:.2f}; best there: {best})"
            for task, distance, best in self.neighbors[
                ["task", "distance", "best"]
            ].itertuples(index=False)
        ]
        lines = [
            f"What led to {_these(len(self.configurations))}, from "
            f"{self.n_prior_tasks} prior tasks; predicted scores are {self.metric}.",
            f"Nearest prior tasks, by distance: {'; '.join(near)}.",
        ]
        mattered = self.meta_features.dropna(subset="importance").head(_SHOWN)
        if len(mattered):
            told = [
                f"{row.name} = {row.value:.3g} (moves scores by "
                f"{row.importance:.2g})"
                for row in mattered.itertuples(False)
            ]
            lines.append(f"Meta-features that matter most: {', '.join(told)}.")
        for rank, row in self.configurations.iterrows():
            lines += ["", *self._told_of(rank, row)]
        return "\n".join(lines)

    def _told_of(self, rank, row: pd.Series):
        """Lines about one configuration."""
        name, score = row["configuration"], row["mean_score"]
        found = "no score" if np.isnan(score) else f"{self.scoring} {score:.4g}"
        yield f"{rank}. {name} ({row['family']}): {found}"
        if np.isnan(row["prior_score"]):
            yield f"   {row['reason']}."
            return
        yield (
            f"   Before: {row['prior_score']:.4g} expected ({row['prior_low']:.4g} to "
            f"{row['prior_high']:.4g}), rank {row['prior_rank']:.0f}."
        )
        yield f"   Why: {row['reason']}."
        part = self.steps[self.steps["configuration"] == name].dropna(subset=["change"])
        moved = _largest(part.groupby("told", sort=False)["change"].sum())
        if moved:
            yield f"   Results that moved it most: {moved}."
        yield f"   After: {row['score']:.4g} ({row['low']:.4g} to {row['high']:.4g})."
        if name in self.effects and (moved := _largest(self.effects[name])):
            yield f"   Meta-features that moved its prior most: {moved}."


def _these(n: int) -> str:
    few = {0: "no configuration being tried", 1: "this configuration"}
    return few.get(n, f"these {n} configurations")


def _facts(kind: str, configuration, item, value) -> pd.DataFrame:
    columns = {"configuration": configuration, "kind": kind, "item": item}
    return pd.DataFrame({**columns, "value": np.asarray(value, dtype=float)})


def _largest(changes: pd.Series) -> str:
    """The largest changes in words."""
    shown = changes[changes.abs() > 0]
    shown = shown.loc[shown.abs().sort_values(ascending=False, kind="stable").index]
    return ", ".join(f"{name} {change:+.2g}"
                     for name, change in shown.head(_SHOWN).items())  # fmt: skip


def explain(fitted, n: int = 5) -> Explanation:
    """Explain the head of the leaderboard of a fitted estimator.

    Parameters
    ----------
    fitted : estimator
        Its attributes are read.
    n : int, default=5
        Number of configurations, 10 at the most.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError
        If `n` is not from 1 to 10.
    """
    if not isinstance(n, Integral) or not 1 <= n <= HEAD:
        raise ValueError(f"n={n!r} must be an integer from 1 to {HEAD}.")
    board = fitted.leaderboard_
    head = board[board["status"] != "excluded"].head(n)
    names = head["configuration"].tolist()
    source = _Source(fitted)
    steps = _steps(fitted, names)
    neighbors, ranks = _neighbors(source, names)
    meta_features, effects = _meta_features(source, names)
    return Explanation(
        _configurations(fitted, head, source), steps, neighbors, ranks, meta_features,
        effects, fitted.ranking_metric_, len(source.model.experience.tasks),
        metric_name(fitted),
    )  # fmt: skip


class _Source:
    """The knowledge base and the meta-model that an estimator was told to use."""

    def __init__(self, fitted):
        self.task, self.metric = fitted.task_, fitted.ranking_metric_
        own = fitted.knowledge
        self.knowledge = own if isinstance(own, KnowledgeBase) else read(own or SHIPPED)
        known = catalogue(self.task)
        names = tuple(configuration.name for configuration in known)
        self.model: MetaModel = trained(own, self.task, fitted.meta_model, names)
        chosen = choose(fitted.candidates, self.task)
        others = [c for c in chosen if c.name not in names]
        self.own = {configuration.name for configuration in others}
        self.relatives = Relatives(others, known)
        table = fitted.meta_features_
        self.described = dict(zip(table["name"], table["value"], strict=True))
        dummy_score = fitted.prior_ranking_.attrs["dummy_score"]
        self.dummy_loss = float(as_loss(dummy_score, self.metric))

    def belief(self, described: dict[str, float]) -> Belief:
        """What is believed of a table with these meta-features."""
        return self.relatives.belief(self.model.belief(described, self.metric))

    def scores(self, described: dict[str, float]) -> pd.Series:
        """Predicted score of every configuration."""
        belief = self.belief(described)
        loss = from_h(belief.mean(), self.dummy_loss)
        return pd.Series(as_score(loss, self.metric), index=list(belief.names))


def _configurations(fitted, head: pd.DataFrame, source: _Source) -> pd.DataFrame:
    before = fitted.prior_ranking_.reset_index().set_index("configuration")
    after = fitted.ranking_.set_index("configuration")
    names = head["configuration"]
    belief = source.belief(source.described)
    why = reasons(belief, source.model.neighbors(source.described), source.own)
    made = "made by the search from what was good in its family; it has no prior"
    return pd.DataFrame({
        "configuration": names,
        "family": head["family"],
        "mean_score": head["mean_score"],
        "prior_rank": before["rank"].reindex(names).to_numpy(),
        **{f"prior_{name}": before[column].reindex(names).to_numpy()
           for name, column in _PREDICTED.items()},
        **{name: after[column].reindex(names).to_numpy()
           for name, column in _PREDICTED.items()},
        "weight": head["weight"],
        "reason": [why.get(name, made) for name in names],
    })  # fmt: skip


def _steps(fitted, names: list[str]) -> pd.DataFrame:
    table = fitted.beliefs_
    table = table[table["configuration"].isin(names)].reset_index(drop=True)
    by_name = table.groupby("configuration", sort=False)["expected_score"]
    told = fitted.evaluations_["configuration"]
    which = [None if step == 0 else told.iloc[step - 1] for step in table["step"]]
    return table.assign(change=by_name.diff(), told=which)


def _neighbors(source: _Source, names: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The nearest prior tasks, and what the configurations did there."""
    near = source.model.neighbors(source.described).head(N_NEAREST)
    scores = source.knowledge.scores(source.task, source.metric).reindex(near.index)
    ranks = scores.rank(axis=1, ascending=False, method="min")
    best = [
        ", ".join(row.dropna().sort_values(kind="stable").index[:_WINNERS])
        for _, row in ranks.iterrows()
    ]
    sizes = source.knowledge.tasks.loc[near.index, ["n_rows", "n_columns"]]
    table = near.join(sizes).assign(best=best).rename_axis("task").reset_index()
    known = [name for name in names if name in ranks]
    return table, ranks[known].rename_axis("task")


def _meta_features(
    source: _Source, names: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the prediction owes to each: it is made again with the median instead."""
    tasks = source.model.experience.tasks
    compared = source.model.features or META_FEATURES[source.task]
    looked_at = [name for name in compared if name in source.described]
    medians = {name: float(tasks[name].median()) for name in looked_at}
    predicted = source.scores(source.described)
    known = [name for name in names if name in predicted]
    without = [source.scores({**source.described, name: medians[name]})
               for name in looked_at]  # fmt: skip
    effects = pd.DataFrame(
        [predicted[known] - scores[known] for scores in without],
        index=pd.Index(looked_at, name="name"),
        columns=known,
    )
    table = pd.DataFrame({
        "name": looked_at,
        "value": [source.described[name] for name in looked_at],
        "median": list(medians.values()),
        "effect": effects.mean(axis=1).to_numpy(),
        "importance": effects.abs().mean(axis=1).to_numpy(),
    })  # fmt: skip
    order = table["importance"].to_numpy().argsort(kind="stable")[::-1]
    return table.iloc[order].reset_index(drop=True), effects.iloc[order]
