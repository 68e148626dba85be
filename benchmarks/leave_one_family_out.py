"""Replay the choice of configurations on tasks of families that are held out.

    python benchmarks/leave_one_family_out.py --half report
    python benchmarks/leave_one_family_out.py --half development   # for tuning

The families are dealt into folds. Every task is treated as new while its fold is
out: meta-models, portfolio and average order are made of the other folds, and the
recorded results are revealed in the order that each strategy asks for. Printed is
the mean normalised regret of the best configuration so far,
``(e - min e) / (median e - min e)`` clipped to 0..3, where e is the loss; ratios to
the greedy portfolio with a bootstrap over families and Wilcoxon's paired test over
tasks; the coverage of the predictive intervals; and the accuracy of the clock.

Families are split in two halves by the hash of their name: constants were chosen
on the "development" half, the "report" half was left alone. Tables at reduced
numbers of rows are experience, but are not judged.
"""

from __future__ import annotations

import argparse
import zlib
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from corpus import half_of
from joblib import Parallel, delayed
from scipy.stats import wilcoxon
from strategies import (
    average_order,
    low_rank_order,
    portfolio_order,
    warm_start_order,
)

from sk_meta import KnowledgeBase
from sk_meta._belief import Belief
from sk_meta._catalogue import catalogue
from sk_meta._history import Experience
from sk_meta._metamodel import META_FEATURES, MetaModel
from sk_meta._priors import MEMBERS
from sk_meta._scoring import as_loss
from sk_meta._strategy import COST_POWER_COUNTED, COST_POWER_TIMED

COUNTS = (1, 2, 3, 5, 8, 12, 20)
SECONDS = (1, 2, 4, 8, 16, 32, 64)
METRICS = {
    "classification": ("neg_log_loss", "roc_auc_ovr", "accuracy"),
    "regression": ("neg_root_mean_squared_error", "neg_mean_absolute_error"),
}
ROUND = 2  # configurations under way at a time, as with two workers
N_FOLDS = 10
N_RANDOM = 50
N_STEPS = 40  # evaluations that are replayed, and more until SECONDS are spent
DEFAULT = "hybrid"
COUNTED, TIMED = "ours (count budget)", "ours (time budget)"
BASELINE, BASELINE_TIMED = "greedy portfolio", "greedy portfolio per second"
LANDMARKERS = ("linear_score", "one_nn_score", "tree_score", "tree_minus_stump",
               "tree_minus_linear", "one_nn_minus_linear")  # fmt: skip


@dataclass(frozen=True)
class HeldOut:
    """One task treated as new, in one metric."""

    name: str
    family: str
    meta_features: dict
    h: np.ndarray
    regret: np.ndarray
    seconds: np.ndarray
    n_folds: int
    available: np.ndarray


def fold_of(family: str) -> int:
    """Fold in which a family is held out."""
    return zlib.crc32(f"fold/{family}".encode()) % N_FOLDS


def held_out_tasks(knowledge, kind: str, metric: str, names) -> list[HeldOut]:
    """Every task at its full number of rows, as if it were new."""
    scores = knowledge.scores(kind, metric).reindex(columns=list(names))
    loss = pd.DataFrame(as_loss(scores, metric), scores.index, names)
    experience = Experience.of(knowledge, kind, names)
    history = experience.histories[metric]
    n_folds = knowledge.results[kind].groupby("task")["fold"].max() + 1
    found = []
    for row, (name, task) in enumerate(history.tasks.iterrows()):
        if "@" in name or task["synthetic"]:
            continue
        values = loss.loc[name].to_numpy()
        seconds = np.exp(history.log_seconds[row]) * n_folds[name]
        # What was excluded can't be asked for; what failed can, and is the worst.
        available = np.isfinite(seconds)
        best, middle = np.nanmin(values), np.nanmedian(values)
        regret = np.clip((values - best) / max(middle - best, 1e-9), 0, 3)
        found.append(
            HeldOut(
                name,
                task["family"],
                task.to_dict(),
                np.where(np.isfinite(values), history.h[row], np.nan),
                np.where(np.isfinite(regret), regret, 3.0),
                np.where(available, seconds, np.inf),
                int(n_folds[name]),
                available,
            )
        )
    return found


def ours(
    task: HeldOut, belief: Belief, round_size: int, cost_power: float
) -> list[int]:
    """The order of :class:`~sk_meta._strategy.Strategy`, with recorded results.

    Without its stop, its deadline and the noise of the folds.
    """
    rest = set(np.flatnonzero(task.available).tolist())
    order: list[int] = []
    while rest:
        if len(order) >= N_STEPS and task.seconds[order].sum() > max(SECONDS):
            break
        believed, batch = belief.copy(), []
        # Under a time budget the estimator runs its first configuration alone.
        size = 1 if cost_power and not order else round_size
        for _ in range(min(size, len(rest))):
            index = believed.pick(sorted(rest - set(batch)), cost_power)
            believed.observe(index, float(believed.mean()[index]))
            batch.append(index)
        for index in batch:
            if np.isfinite(task.h[index]):
                belief.observe(index, task.h[index])
                belief.observe_seconds(index, task.seconds[index] / task.n_folds)
        order += batch
        rest -= set(batch)
    return order


def uncorrelated(belief: Belief) -> Belief:
    """Ablation: a result speaks of others through spread and portfolio term only."""
    for component in belief.components:
        component.covariance = np.diag(np.diag(component.covariance))
    return belief


class _Ablated(Belief):
    def copy(self):
        twin = super().copy()
        twin.__class__ = type(self)
        return twin


class _NoPortfolio(_Ablated):
    def portfolio_gain(self):
        return np.zeros(len(self.names))


class _NoClock(_Ablated):
    def seconds(self):
        return np.ones(len(self.names))


def without_portfolio(belief: Belief) -> Belief:
    """Ablation: expected improvement alone."""
    belief.__class__ = _NoPortfolio
    return belief


def without_clock(belief: Belief) -> Belief:
    """Ablation: all configurations are taken to be equally fast."""
    belief.__class__ = _NoClock
    return belief


def strategies(task: HeldOut, models: dict, metric: str) -> dict[str, list[list[int]]]:
    """Orders of every strategy; several for the random one."""
    model = models[DEFAULT]
    history = model.experience.histories[metric]
    indices = np.flatnonzero(task.available)
    rng = np.random.RandomState(zlib.crc32(task.name.encode()))
    typical = np.exp(np.nanmedian(history.log_seconds, axis=0))
    features = list(META_FEATURES[model.task])
    known = history.tasks[features].to_numpy(dtype=float)
    own = np.array([task.meta_features[name] for name in features], dtype=float)

    def count(kind=DEFAULT, change=lambda belief: belief, size=ROUND):
        belief = change(models[kind].belief(task.meta_features, metric))
        return [ours(task, belief, size, COST_POWER_COUNTED)]

    def timed(kind=DEFAULT, change=lambda belief: belief):
        belief = change(models[kind].belief(task.meta_features, metric))
        return [ours(task, belief, ROUND, COST_POWER_TIMED)]

    found = {
        "random order": [rng.permutation(indices) for _ in range(N_RANDOM)],
        "static average order": [average_order(history, task.available)],
        "auto-sklearn 1 warm start": [
            warm_start_order(history, known, own, task.available)
        ],
        "OBOE, low rank": [low_rank_order(history, task.h, task.available)],
        BASELINE: [portfolio_order(history, task.available)],
        BASELINE_TIMED: [portfolio_order(history, task.available, typical)],
    }
    for kind in MEMBERS:
        if kind not in (DEFAULT, "none"):
            found[f"ours, {kind}"] = count(kind)
    found |= {
        COUNTED: count(),
        "- one at a time": count(size=1),
        "- no meta-features (none)": count("none"),
        "- no landmarkers": count("no landmarkers"),
        "- no covariance": count(change=uncorrelated),
        "- no portfolio term": count(change=without_portfolio),
        TIMED: timed(),
        "- no meta-features, timed": timed("none"),
        "- no landmarkers, timed": timed("no landmarkers"),
        "- no covariance, timed": timed(change=uncorrelated),
        "- no portfolio term, timed": timed(change=without_portfolio),
        "- no clock, timed": timed(change=without_clock),
    }
    return found


def by_count(order, regret) -> np.ndarray:
    """Best regret after each of the counts."""
    best = np.minimum.accumulate(regret[order])
    return np.array([best[min(k, len(best)) - 1] for k in COUNTS])


def by_seconds(order, regret, seconds) -> np.ndarray:
    """Best regret within each of the seconds; 3, the worst, before the first."""
    best = np.minimum.accumulate(regret[order])
    spent = np.cumsum(seconds[order])
    done = [np.searchsorted(spent, limit, side="right") for limit in SECONDS]
    return np.array([best[n - 1] if n else 3.0 for n in done])


def judged(task: HeldOut, belief: Belief) -> dict[str, float]:
    """Coverage of 80 % intervals before any result, and after five of them.

    And the share of predicted seconds within a factor of two after three.
    """
    seen = ours(task, belief.copy(), 1, COST_POWER_COUNTED)[:5]
    found = {"before": _coverage(task, belief, [])}
    for count, index in enumerate(seen, start=1):
        if np.isfinite(task.h[index]):
            belief.observe(index, task.h[index])
        belief.observe_seconds(index, task.seconds[index] / task.n_folds)
        if count == 3:
            rest = np.setdiff1d(np.flatnonzero(task.available), seen[:3])
            real = task.seconds[rest] / task.n_folds
            gap = np.abs(np.log(belief.seconds()[rest] / real))
            found["seconds"] = float((gap < np.log(2)).mean())
    return found | {"after five": _coverage(task, belief, seen)}


def _coverage(task: HeldOut, belief: Belief, seen) -> float:
    known = np.setdiff1d(np.flatnonzero(np.isfinite(task.h)), seen)
    low, high = belief.interval()
    return float(((low <= task.h) & (task.h <= high))[known].mean())


def run_fold(knowledge, kind: str, metrics, names, fold: int, half) -> list[tuple]:
    """All strategies on all tasks of one fold: metric, task, regrets, checks."""
    families = set(knowledge.tasks["family"])
    rest = knowledge.without({f for f in families if fold_of(f) == fold})
    experience = Experience.of(rest, kind, names)
    models = trained_models(experience, kind)
    found = []
    for metric in metrics:
        for task in held_out_tasks(knowledge, kind, metric, names):
            if fold_of(task.family) != fold or half not in (None, half_of(task.family)):
                continue
            outcome = {
                name: (
                    np.mean([by_count(o, task.regret) for o in orders], axis=0),
                    np.mean(
                        [by_seconds(o, task.regret, task.seconds) for o in orders],
                        axis=0,
                    ),
                )
                for name, orders in strategies(task, models, metric).items()
            }
            belief = models[DEFAULT].belief(task.meta_features, metric)
            found.append((metric, task.family, outcome, judged(task, belief)))
    return found


def trained_models(experience: Experience, kind: str) -> dict[str, MetaModel]:
    """A meta-model of every kind; the stack's members are trained once."""
    whole = MetaModel(DEFAULT).fit(experience, kind)
    arrays = whole.arrays()
    models = {k: MetaModel(k).restore(experience, kind, arrays) for k in MEMBERS}
    rest = tuple(name for name in META_FEATURES[kind] if name not in LANDMARKERS)
    models["no landmarkers"] = MetaModel(DEFAULT, rest).fit(experience, kind)
    return models


def bootstrap_ratio(ours, theirs, families) -> tuple[float, float]:
    """95 % interval of the ratio of means, families drawn with replacement."""
    rng = np.random.RandomState(0)
    unique, index = np.unique(families, return_inverse=True)
    ratios = []
    for _ in range(1000):
        drawn = np.bincount(
            rng.randint(len(unique), size=len(unique)), minlength=len(unique)
        )[index]
        ratios.append((drawn @ ours) / max(drawn @ theirs, 1e-12))
    return float(np.quantile(ratios, 0.025)), float(np.quantile(ratios, 0.975))


def ratio_row(outcomes, families, part: int, us: str, base: str) -> list[str]:
    """Ratio of mean regrets with its interval and the p-value of Wilcoxon's test."""
    cells = []
    for k in range(len(COUNTS if part == 0 else SECONDS)):
        mine = np.array([outcome[us][part][k] for outcome in outcomes])
        other = np.array([outcome[base][part][k] for outcome in outcomes])
        low, high = bootstrap_ratio(mine, other, families)
        gap = mine - other
        p = wilcoxon(gap).pvalue if np.any(gap != 0) else 1.0
        cells.append(
            f"{mine.mean() / max(other.mean(), 1e-12):.2f} ({low:.2f}–{high:.2f}; "
            f"p {p:.2g})"
        )
    return cells


def report(kind: str, metric: str, results: list[tuple]) -> None:
    """Print the tables of one metric."""
    families = np.array([family for _, family, _, _ in results])
    outcomes = [outcome for _, _, outcome, _ in results]
    print(f"\n### {kind}, {metric}")
    print(f"\n{len(results)} tasks of {len(set(families))} families.")
    for part, heads, unit in ((0, COUNTS, ""), (1, SECONDS, " s")):
        print("\n| | " + " | ".join(f"{head}{unit}" for head in heads) + " |")
        print("|---" * (len(heads) + 1) + "|")
        for name in outcomes[0]:
            if part == 0 and name.endswith(", timed"):
                continue
            mean = np.mean([outcome[name][part] for outcome in outcomes], axis=0)
            print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in mean) + " |")
        us, base = [(COUNTED, BASELINE), (TIMED, BASELINE_TIMED)][part]
        cells = ratio_row(outcomes, families, part, us, base)
        print(f"| {us} to {base} | " + " | ".join(cells) + " |")
    checks = pd.DataFrame([check for _, _, _, check in results]).mean()
    print(
        f"\n80 % intervals cover {checks['before']:.0%} before any result and "
        f"{checks['after five']:.0%} after five; {checks['seconds']:.0%} of the "
        "predicted seconds are within a factor of two after three."
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--knowledge", help="folder; the shipped one by default")
    parser.add_argument("--half", choices=("development", "report"))
    parser.add_argument("--metrics", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    knowledge = KnowledgeBase.load(options.knowledge)
    for kind, metrics in METRICS.items():
        metrics = [m for m in metrics if m in (options.metrics or metrics)]
        if not metrics:
            continue
        known = set(knowledge.scores(kind, metrics[0]).columns)
        names = tuple(c.name for c in catalogue(kind) if c.name in known)
        run = partial(run_fold, knowledge, kind, metrics, names, half=options.half)
        folds = Parallel(options.jobs)(delayed(run)(fold=k) for k in range(N_FOLDS))
        results = [result for fold in folds for result in fold]
        for metric in metrics:
            report(kind, metric, [r for r in results if r[0] == metric])


if __name__ == "__main__":
    main()
