"""Replay the choice of configurations on tasks of families that are held out.

    python benchmarks/leave_one_family_out.py
    python benchmarks/leave_one_family_out.py --half development   # for tuning

Every task of the knowledge base is treated as new: all tasks of its family are
taken out, the meta-model, the portfolio and the average order are made of the
rest, and the recorded results are revealed in the order that each strategy
asks for. Printed is the mean normalised regret of the best configuration so
far, ``(e - min e) / (median e - min e)`` clipped to 0..3, where e is the loss,
and a bootstrap over families of the ratio to the greedy portfolio.

Families are split in two halves by the hash of their name: constants of the
meta-model were chosen on the "development" half, the "report" half was left
alone.
"""

from __future__ import annotations

import argparse
import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from sk_meta import KnowledgeBase
from sk_meta._catalogue import catalogue
from sk_meta._history import History
from sk_meta._metamodel import MetaModel
from sk_meta._scoring import as_loss
from sk_meta._search import COST_POWER_COUNTED, COST_POWER_TIMED, ROUND, pick

COUNTS = (1, 2, 3, 5, 8, 12, 20)
SECONDS = (0.3, 1, 3, 10, 30)
METRICS = {
    "classification": ("neg_log_loss", "roc_auc_ovr", "accuracy"),
    "regression": ("neg_root_mean_squared_error", "neg_mean_absolute_error"),
}
N_RANDOM = 50
COUNTED, TIMED = "ours (hybrid, count budget)", "ours (hybrid, time budget)"


@dataclass(frozen=True)
class HeldOut:
    """One task treated as new, and the history without its family."""

    name: str
    family: str
    meta_features: dict
    h: np.ndarray
    regret: np.ndarray
    seconds: np.ndarray
    available: np.ndarray
    history: History


def half_of(family: str) -> str:
    """Half of the families that this one belongs to."""
    return "development" if zlib.crc32(family.encode()) % 2 else "report"


def portfolio_order(history: History, available, seconds=None) -> list[int]:
    """Greedy portfolio: each next one lowers the mean regret most (per second)."""
    regret = history.normalised()
    best, order = np.ones(len(regret)), []
    rest = set(np.flatnonzero(available).tolist())
    while rest:
        candidates = sorted(rest)
        left = np.minimum(best[:, None], regret[:, candidates])
        value = best.mean() - left.mean(axis=0) - 1e-6 * regret[:, candidates].mean(0)
        if seconds is not None:
            value = np.where(value > 0, value / seconds[candidates], value)
        chosen = candidates[int(np.argmax(value))]
        best = np.minimum(best, regret[:, chosen])
        order.append(chosen)
        rest.remove(chosen)
    return order


def average_order(history: History, available) -> list[int]:
    """Best mean standard score first."""
    mean = history.standardised()[2].mean(axis=0)
    return sorted(np.flatnonzero(available).tolist(), key=lambda j: mean[j])


def ours(
    task: HeldOut, kind: str, meta_model: str, round_size: int, cost_power: float
) -> list[int]:
    """The order of :class:`~sk_meta._search.Search`, with recorded results."""
    belief = MetaModel(meta_model).fit(task.history, kind).belief(task.meta_features)
    rest = set(np.flatnonzero(task.available).tolist())
    order: list[int] = []
    while rest and len(order) < max(COUNTS) + 20:
        believed, batch = belief.copy(), []
        for _ in range(min(round_size, len(rest))):
            index = pick(believed, sorted(rest - set(batch)), cost_power)
            believed.observe(index, float(believed.mean()[index]))
            batch.append(index)
        for index in batch:
            if np.isfinite(task.h[index]):
                belief.observe(index, task.h[index])
            belief.observe_seconds(index, task.seconds[index])
        order += batch
        rest -= set(batch)
    return order


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


def replay(task: HeldOut, kind: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """All strategies on one task: regret by count and by seconds."""
    indices = np.flatnonzero(task.available)
    rng = np.random.RandomState(zlib.crc32(task.name.encode()))
    randoms = [rng.permutation(indices) for _ in range(N_RANDOM)]
    typical = np.exp(np.nanmedian(task.history.log_seconds, axis=0))
    counted, timed = COST_POWER_COUNTED, COST_POWER_TIMED
    orders = {
        "static average order": [average_order(task.history, task.available)],
        "greedy portfolio": [portfolio_order(task.history, task.available)],
        "greedy portfolio per second": [
            portfolio_order(task.history, task.available, typical)
        ],
        "ours, no meta-features": [ours(task, kind, "none", ROUND, counted)],
        "ours, linear": [ours(task, kind, "linear", ROUND, counted)],
        "ours, neighbors": [ours(task, kind, "neighbors", ROUND, counted)],
        "ours, hybrid, one at a time": [ours(task, kind, "hybrid", 1, counted)],
        COUNTED: [ours(task, kind, "hybrid", ROUND, counted)],
        TIMED: [ours(task, kind, "hybrid", ROUND, timed)],
    }
    return {
        name: (
            np.mean([by_count(o, task.regret) for o in many], axis=0),
            np.mean([by_seconds(o, task.regret, task.seconds) for o in many], axis=0),
        )
        for name, many in {"random order": randoms, **orders}.items()
    }


def held_out_tasks(knowledge, kind: str, metric: str, half: str | None):
    """Every task as if it were new."""
    names = tuple(c.name for c in catalogue(kind))
    loss = as_loss(knowledge.scores(kind, metric)[list(names)], metric)
    loss = pd.DataFrame(loss, knowledge.select(kind).index, names)
    whole = History.of(knowledge, kind, metric, names)
    n_folds = knowledge.results[kind].groupby("task")["fold"].max() + 1
    for row, (name, task) in enumerate(whole.tasks.iterrows()):
        if half is not None and half_of(task["family"]) != half:
            continue
        values = loss.loc[name].to_numpy()
        seconds = np.exp(whole.log_seconds[row]) * n_folds[name]
        # What was excluded can't be asked for; what failed can, and is the worst.
        available = np.isfinite(seconds)
        best, middle = np.nanmin(values), np.nanmedian(values)
        regret = np.clip((values - best) / max(middle - best, 1e-9), 0, 3)
        rest = History.of(knowledge.without([task["family"]]), kind, metric, names)
        yield HeldOut(
            name,
            task["family"],
            task.to_dict(),
            np.where(np.isfinite(values), whole.h[row], np.nan),
            np.where(np.isfinite(regret), regret, 3.0),
            np.where(available, seconds, np.inf),
            available,
            rest,
        )


def bootstrap_ratio(ours, theirs, families, rng) -> tuple[float, float]:
    """95 % interval of the ratio of means, families drawn with replacement."""
    unique, index = np.unique(families, return_inverse=True)
    ratios = []
    for _ in range(1000):
        drawn = np.bincount(
            rng.randint(len(unique), size=len(unique)), minlength=len(unique)
        )[index]
        ratios.append((drawn @ ours) / max(drawn @ theirs, 1e-12))
    return float(np.quantile(ratios, 0.025)), float(np.quantile(ratios, 0.975))


def report(kind: str, metric: str, tasks: list[HeldOut], outcomes: list[dict]) -> None:
    """Print the tables of one metric."""
    families = np.array([task.family for task in tasks])
    print(f"\n### {kind}, {metric}: {len(tasks)} tasks, {len(set(families))} families")
    for part, heads, unit in ((0, COUNTS, ""), (1, SECONDS, " s")):
        print("\n| | " + " | ".join(f"{head}{unit}" for head in heads) + " |")
        print("|---" * (len(heads) + 1) + "|")
        for name in outcomes[0]:
            mean = np.mean([outcome[name][part] for outcome in outcomes], axis=0)
            print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in mean) + " |")
        us, base = (COUNTED, "greedy portfolio")
        if part == 1:
            us, base = (TIMED, "greedy portfolio per second")
        ratios, rng = [], np.random.RandomState(0)
        for k in range(len(heads)):
            mine = np.array([o[us][part][k] for o in outcomes])
            other = np.array([o[base][part][k] for o in outcomes])
            low, high = bootstrap_ratio(mine, other, families, rng)
            ratios.append(f"{mine.mean() / other.mean():.2f} ({low:.2f}–{high:.2f})")
        print(f"| {us} to {base} | " + " | ".join(ratios) + " |")


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
        for metric in metrics:
            if options.metrics and metric not in options.metrics:
                continue
            tasks = list(held_out_tasks(knowledge, kind, metric, options.half))
            outcomes = Parallel(options.jobs)(
                delayed(replay)(task, kind) for task in tasks
            )
            report(kind, metric, tasks, outcomes)


if __name__ == "__main__":
    main()
