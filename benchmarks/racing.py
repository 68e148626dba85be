"""What is gained, and lost, by dropping configurations after their first folds.

    python benchmarks/racing.py --replay                    # for tuning
    python benchmarks/racing.py --half report --seconds 20
    python benchmarks/racing.py --half report --candidates 24

``--replay`` chooses and races with the fold scores of the knowledge base, on the
development half of the families, with meta-models that know nothing of the family: the
share of the folds that is run, and by how much the best, and the mean of the best five,
are worse than where all folds are, with as many configurations seen. Without it, whole
fits run with and without racing, with the same seconds, on tables of one half, with
a knowledge base without the table's family: how many configurations were seen, and the
error on held-out rows. Which sees more goes on to configurations that take longer, or
has no gain to expect and repeats folds. So it is compared how long it took them to see
as many, which is what the slower one has seen; seen is what has ended its first fold.
With ``--candidates`` there is a count instead of the seconds. One result file a table
is kept.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from corpus import half_of, load
from final_model import METRICS, kind_of, some_tables
from joblib import Parallel, delayed
from leave_one_family_out import METRICS as STORED_METRICS
from leave_one_family_out import N_FOLDS, fold_of
from scipy.stats import gmean
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

from sk_meta import KnowledgeBase, MetaLearnerEstimator, _racing
from sk_meta._belief import Belief
from sk_meta._catalogue import catalogue
from sk_meta._conditioning import _UNPAIRED, UNRACED
from sk_meta._history import Experience, h_per_loss, to_h
from sk_meta._metamodel import MetaModel
from sk_meta._scoring import as_loss
from sk_meta._strategy import COST_POWER_COUNTED

OUT = Path(__file__).parent / "raw" / "racing"
N_SEEN, N_BEST = 30, 5
RANKS, LEVELS = (np.inf, 8, 5, 3, 2, 1), (0.1, 0.2, 0.3)


@dataclass(frozen=True)
class Stored:
    """A task as if it were new: what is believed of it, and the losses of its folds."""

    belief: Belief
    loss: np.ndarray
    dummy: float

    @property
    def n_folds(self) -> int:
        """Three, or five for few rows."""
        return self.loss.shape[1]


def stored_tasks(knowledge, kind: str, fold: int) -> list[Stored]:
    """Development tasks of one fold of the families, believed in without these."""
    metrics = STORED_METRICS[kind]
    known = set(knowledge.scores(kind, metrics[0]).columns)
    names = [c.name for c in catalogue(kind) if c.name in known]
    rest = {f for f in knowledge.tasks["family"] if fold_of(f) == fold}
    experience = Experience.of(knowledge.without(rest), kind, tuple(names))
    model = MetaModel("hybrid").fit(experience, kind)
    every = Experience.of(knowledge, kind, tuple(names))
    results = knowledge.results[kind].query("status == 'ok'")
    found = []
    for metric in metrics:
        tasks = every.histories[metric].tasks
        own = (tasks["family"].map(half_of) == "development") & ~tasks["synthetic"]
        own &= (tasks["family"].map(fold_of) == fold) & ~tasks.index.str.contains("@")
        for name, task in tasks[own].iterrows():
            folds = results[results["task"] == name].pivot_table(
                index="configuration", columns="fold", values=metric
            )
            loss = as_loss(folds.reindex([*names, "dummy"]).to_numpy(), metric)
            belief = model.belief(task.to_dict(), metric)
            found.append(Stored(belief, loss[:-1], float(loss[-1].mean())))
    return found


def replay(task: Stored, raced: bool = True) -> np.ndarray:
    """Share of the folds that is run; h of the best, and mean h of the best five."""
    belief, n_folds = task.belief.copy(), task.n_folds
    h, mean = to_h(task.loss, task.dummy), to_h(task.loss.mean(axis=1), task.dummy)
    rest = set(np.flatnonzero(np.isfinite(mean)).tolist())
    done: list[int] = []
    dropped: list[int] = []
    n_seen = min(N_SEEN, len(rest))
    n_run = 0
    for number in range(n_seen):
        c = belief.pick(sorted(rest), COST_POWER_COUNTED)
        rest.remove(c)
        gap, k = None, n_folds
        if raced and number >= UNRACED:
            gap, k = lost_race(h, c, done, mean)
        n_run += k
        if gap is not None:
            belief.observe(c, mean[done].min() + gap.mean, gap.variance)
            dropped.append(c)
            continue
        done.append(c)
        slope = h_per_loss(task.loss[c].mean(), task.dummy)
        noise = _UNPAIRED * slope**2 * task.loss[c].var() / n_folds
        belief.observe(c, mean[c], noise)
    # Where fewer than five are complete, the best of the others stand in for them.
    found = np.r_[np.sort(mean[done]), np.sort(mean[dropped])]
    return np.array([n_run / (n_seen * n_folds), found[0], found[:N_BEST].mean()])


def lost_race(h: np.ndarray, c: int, done: list[int], mean: np.ndarray):
    """By how much a configuration is worse if it is dropped, and the folds it ran."""
    best, n_folds = min(done, key=lambda x: mean[x]), h.shape[1]
    variance = _racing.typical_variance([h[x] for x in done if x != best], h[best])
    for k in range(1, n_folds):
        gap = _racing.compare(h[c][:k], h[best][:k], n_folds, variance)
        if gap.is_hopeless(_racing.margin(list(mean[done]))):
            return gap, k
    return None, n_folds


def replay_all(tasks: list[Stored], rank: float, level: float) -> np.ndarray:
    """What is replayed of every task; with no rank at all, all folds are run."""
    _racing.RANK, _racing.LEVEL = rank, level
    return np.array([replay(task, raced=rank > 0) for task in tasks])


def print_replay() -> None:
    """Print a line for every rank and level."""
    jobs, knowledge = Parallel(2), KnowledgeBase.load()
    tasks = sum(
        jobs(
            delayed(stored_tasks)(knowledge, kind, fold)
            for kind in STORED_METRICS for fold in range(N_FOLDS)
        ), [],
    )  # fmt: skip
    folds = np.array([task.n_folds for task in tasks])
    few, many = (folds == n for n in (3, 5))
    print(f"{few.sum()} tasks and metrics of three folds, {many.sum()} of five\n")
    names = ("folds run", "best worse by", "best five worse by")
    heads = [f"{name}, {of} folds" for of in ("three", "five") for name in names]
    print(f"| rank | level | {' | '.join(heads)} |\n{'|---' * (2 + len(heads))}|")
    settings = [(0, 0.0), *product(RANKS, LEVELS)]
    every, *rest = jobs(delayed(replay_all)(tasks, *setting) for setting in settings)
    every[:, 0] = 0
    for (rank, level), found in zip(settings[1:], rest, strict=True):
        means = [(found - every)[some].mean(axis=0) for some in (few, many)]
        shown = [f"{run:.2f} | {best:.4f} | {five:.4f}" for run, best, five in means]
        shown = ["any" if rank == np.inf else str(rank), str(level), *shown]
        print(f"| {' | '.join(shown)} |")


def run_table(task, budget: dict, raced: bool) -> dict:
    """One fit; with an infinite margin nothing is dropped."""
    X, y = load(task, 4000)
    kind = kind_of(task, y)
    labels = None if kind == "regression" else y
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=1 / 3, random_state=0, stratify=labels
    )
    knowledge = KnowledgeBase.load().without({task.family})
    model = MetaLearnerEstimator(
        task.task, **budget, n_jobs=2, random_state=0,
        scoring=METRICS[kind], knowledge=knowledge,
    )  # fmt: skip
    model.recommend(X, y)  # trains the meta-model, which is not what is timed
    kept = _racing.MARGIN, _racing.RANK
    if not raced:
        _racing.MARGIN = _racing.RANK = np.inf
    start = time.perf_counter()
    model.fit(X, y)
    taken = time.perf_counter() - start
    _racing.MARGIN, _racing.RANK = kept
    score = get_scorer(METRICS[kind])(model, X_test, y_test)
    folds = model.evaluations_
    seen = folds[folds["status"] == "ok"].groupby("configuration")["ended"].min()
    return {
        "seen": sorted(seen - folds["started"].min()), "seconds": taken,
        "error": 1 - score if kind == "binary" else -score,
    }  # fmt: skip


def compare_tables(tables, budget: dict, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    name = "-".join(f"{key}-{value:g}" for key, value in budget.items())
    for i, task in enumerate(tables):
        path = out / f"{task.name}@{name}.json"
        if not path.exists():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # The first fit of a process is slower: they take turns.
                order = (True, False) if i % 2 else (False, True)
                fits = {raced: run_table(task, budget, raced) for raced in order}
            path.write_text(json.dumps([fits[True], fits[False]]))
        raced, whole = json.loads(path.read_text())
        numbers = [len(one["seen"]) for one in (raced, whole)]
        both = min(numbers)
        took = [one["seen"][both - 1] for one in (raced, whole)]
        rows.append((took[1] / took[0], numbers[0] / numbers[1],
                     raced["error"] / whole["error"]))  # fmt: skip
        print(f"| {task.name} | {numbers[0]} | {numbers[1]} | {rows[-1][1]:.2f} | "
              f"{both} in {took[0]:.1f} s | {took[1]:.1f} s | {rows[-1][0]:.2f} | "
              f"{rows[-1][2]:.4f} |", flush=True)  # fmt: skip
    for name, mean in (("median", np.median), ("geometric mean", gmean)):
        rate, seen, error = (mean(column) for column in zip(*rows, strict=True))
        print(f"{name}: {rate:.2f} times as many a second, {seen:.2f} times as many in "
              f"all, error × {error:.4f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--half", choices=("development", "report"))
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--candidates", type=int)
    parser.add_argument("--tables", type=int, default=12)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if options.replay:
        print_replay()
    else:
        tables = some_tables(options.half, options.tables)
        budget = {"time_budget": options.seconds}
        if options.candidates is not None:
            budget = {"n_candidates": options.candidates}
        compare_tables(tables, budget, options.out)


if __name__ == "__main__":
    main()
