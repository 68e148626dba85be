"""What is gained, and lost, by dropping configurations after their first folds.

    python benchmarks/racing.py --replay                    # for tuning
    python benchmarks/racing.py --half report --seconds 20
    python benchmarks/racing.py --half report --candidates 24

``--replay`` plays the rule on the fold scores of the knowledge base, on the
development half of the families: the share of the folds that is run, and by how much
the best, and the mean of the best five, are worse than those of all. Without it, whole
fits run with and without racing, with the same seconds, on tables of one half, with
a knowledge base without the table's family: how many configurations were seen per
second, and the error on held-out rows. In the same seconds the two choose others, for
what is saved is spent on what is near the best and takes all its folds; with
``--candidates`` both see as many, and it is the seconds that differ. One result file a
table is kept.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
from corpus import half_of, load
from final_model import METRICS, kind_of, some_tables
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

from sk_meta import KnowledgeBase, MetaLearnerEstimator, _racing
from sk_meta._history import to_h
from sk_meta._scoring import as_loss
from sk_meta._strategy import UNRACED

OUT = Path(__file__).parent / "raw" / "racing"
REPLAYED = (("classification", "neg_log_loss"), ("classification", "roc_auc_ovr"),
            ("regression", "neg_root_mean_squared_error"))  # fmt: skip
N_SEEN, N_FOLDS, N_BEST = 30, 5, 5
# What the predictions know of the order of the configurations: the noise of their
# ranking, relative to the spread of the losses.
ORDER_NOISE = 0.3
RANKS, LEVELS = (np.inf, 8, 5, 3), (0.1, 0.2, 0.3)
REPEATS = 3


def stored_folds(knowledge) -> list[np.ndarray]:
    """h of configurations × folds, of every development task and metric."""
    found = []
    for kind, metric in REPLAYED:
        results = knowledge.results[kind]
        results = results[results["status"] == "ok"]
        for task, rows in results.groupby("task"):
            family = knowledge.tasks["family"][task]
            if "@" in task or half_of(family) != "development":
                continue
            scores = rows.pivot_table(
                index="configuration", columns="fold", values=metric
            ).dropna()
            if scores.shape[1] < N_FOLDS or len(scores) < N_SEEN:
                continue
            loss = as_loss(scores.to_numpy(), metric)
            dummy = loss[scores.index.get_loc("dummy")].mean()
            found.append(to_h(loss, dummy))
    return found


def replay(h: np.ndarray, rng) -> tuple[float, float, float]:
    """Share of the folds that is run; how much worse the best and the best five are."""
    mean = h.mean(axis=1)
    noise = rng.normal(0, ORDER_NOISE * mean.std(), len(mean))
    seen = np.argsort(mean + noise)[:N_SEEN]
    done, n_run, best = [], 0, None
    for number, c in enumerate(seen):
        others = [h[x] for x in done if x != best]
        n_folds = h.shape[1]
        for k in range(1, n_folds + 1):
            n_run += 1
            if number < UNRACED or k == n_folds:
                continue
            variance = _racing.typical_variance(others, h[best])
            gap = _racing.compare(h[c][:k], h[best][:k], n_folds, variance)
            if gap.is_hopeless(_racing.margin(mean[done])):
                break
        else:
            done.append(c)
            best = done[int(np.argmin(mean[done]))]
    found, all_of_them = np.sort(mean[done]), np.sort(mean[seen])
    lost = found[:N_BEST].mean() - all_of_them[:N_BEST].mean()
    return n_run / (len(seen) * h.shape[1]), found[0] - all_of_them[0], lost


def print_replay() -> None:
    tasks = stored_folds(KnowledgeBase.load())
    print(f"{len(tasks)} tasks and metrics\n\n| rank | level | folds run | "
          "best worse by, h | best five worse by |\n|---|---|---|---|---|")  # fmt: skip
    for rank, level in product(RANKS, LEVELS):
        _racing.RANK, _racing.LEVEL = rank, level
        found = [replay(h, np.random.RandomState(seed))
                 for seed in range(REPEATS) for h in tasks]  # fmt: skip
        run, best, five = np.mean(found, axis=0)
        print(f"| {rank} | {level} | {run:.2f} | {best:.4f} | {five:.4f} |")


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
    board = model.leaderboard_[model.leaderboard_["status"] != "excluded"]
    score = get_scorer(METRICS[kind])(model, X_test, y_test)
    ended = board["status"].isin(["ok", "dropped"])
    return {
        "seen": int(ended.sum()), "search": model.search_time_, "seconds": taken,
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
        seen = raced["seen"] / raced["search"] / (whole["seen"] / whole["search"])
        rows.append((seen, raced["error"] / whole["error"]))
        print(f"| {task.name} | {raced['seen']} in {raced['search']:.1f} s | "
              f"{whole['seen']} in {whole['search']:.1f} s | {seen:.2f} | "
              f"{rows[-1][1]:.4f} |", flush=True)  # fmt: skip
    seen, error = np.median(rows, axis=0)
    print(f"median: {seen:.2f} times as many a second, error × {error:.4f}")


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
