"""What repeated folds bring: the same search, judged by none, some or all of them.

    python benchmarks/repeats.py --half development
    python benchmarks/repeats.py --half report

On each table ``CANDIDATES`` configurations are searched, with a knowledge base without
the table's family, and the folds of the best are repeated. The ensemble is then
selected once without the repetitions, and with as many of them as ``REPEATS`` names.
Members are fitted on all rows, and those of the ensemble by all repetitions are also
averaged over their fold models, alone and together with the refits. All of these
predict the same third of the rows, which was kept aside. The error is one minus ROC
AUC, log loss or RMSE. One result file a table and split is kept.
"""

from __future__ import annotations

import argparse
import json
import warnings
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from corpus import load
from final_model import METRICS, error_of, kind_of, predictions, some_tables
from sklearn.model_selection import train_test_split

from sk_meta import KnowledgeBase, _folds
from sk_meta import _steps as steps
from sk_meta._budget import Budget
from sk_meta._evaluation import predict_with
from sk_meta._problem import describe
from sk_meta._search import Search
from sk_meta._shared import SharedTask
from sk_meta._strategy import Strategy
from sk_meta._unit import kept_model
from sk_meta._workers import open_workers

OUT = Path(__file__).parent / "raw" / "repeats"
CANDIDATES, SECONDS, SIZE, MAX_ROWS = 40, 150, 8, 4000
REPEATS = (0, 1, 2, 4)


def run(task, seed: int, knowledge) -> dict:
    """Error of the final model by every number of repetitions."""
    X, y = load(task, MAX_ROWS)
    kind, y = kind_of(task, y), y.to_numpy()
    labels = None if task.task == "regression" else y
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=1 / 3, random_state=seed, stratify=labels
    )
    budget = Budget(SECONDS, CANDIDATES)
    X = X.reset_index(drop=True)
    problem = describe(
        X, y, task=task.task, scoring=METRICS[kind], cv=None, seed=seed
    )
    prior = steps.believe(problem, knowledge, None, "hybrid")
    problem = steps.plan(problem, prior, budget, 2)
    classes = problem.target.classes
    refits: dict[str, np.ndarray] = {}

    def refit(name: str) -> np.ndarray:
        if name not in refits:
            rows = np.arange(len(y))
            refits[name] = predictions(known[name], problem, rows, X_test)
        return refits[name]

    def bag(member) -> np.ndarray:
        models = [kept_model(fold) for fold in member.folds]
        parts = [predict_with(m, X_test, classes) for m in models if m is not None]
        return np.mean(parts, axis=0) if parts else refit(member.name)

    def blend(weights, parts) -> float:
        both = zip(weights, parts, strict=True)
        return error_of(kind, y_test, sum(w * p for w, p in both), classes)

    found: dict = {"kind": kind, "n_train": len(y), "errors": {}}
    with ExitStack() as stack:
        workers = stack.enter_context(closing(open_workers(2, timed=True)))
        shared = SharedTask(*problem.data, processes=workers.processes)
        stack.enter_context(closing(shared))
        strategy = Strategy(
            problem, prior.belief, prior.configurations, budget, n_workers=2,
            hard=workers.hard, ensemble_size=SIZE, families=prior.families,
        )  # fmt: skip
        search = Search(strategy, workers, shared)
        result = search.run()
        known = {t.configuration.name: t.configuration for t in result.trials}
        found |= {"seen": len(result.trials), "seconds": budget.elapsed()}
        for n_repeats in REPEATS:
            shown = limited(search, problem, n_repeats)
            if len(shown.rows) != (1 + n_repeats) * len(problem.splits):
                continue  # there was no time for them
            selection = steps.combine(problem, shown, SIZE)
            members = [(w, shown.pool[i]) for i, w in enumerate(selection.weights) if w]
            weights = [w for w, _ in members]
            whole = [refit(m.name) for _, m in members]
            found["errors"][f"refits, {n_repeats}"] = blend(weights, whole)
            bags = [bag(member) for _, member in members]
            both = [(a + b) / 2 for a, b in zip(whole, bags, strict=True)]
            found["errors"][f"fold models, {n_repeats}"] = blend(weights, bags)
            found["errors"][f"both, {n_repeats}"] = blend(weights, both)
    return found


def limited(search: Search, problem, n_repeats: int):
    """The result of a search, as if the folds had been repeated so often only."""
    folds = replace(problem.folds, repeats=problem.folds.repeats[:n_repeats])
    search.problem = replace(problem, folds=folds)
    search.strategy._folds = folds
    return search._result("")


def show(found: list[dict]) -> None:
    """Geometric mean of the errors over those without repetitions."""
    base = "refits, 0"
    complete = [f for f in found if f"refits, {REPEATS[-1]}" in f["errors"]]
    print(f"{len(complete)} of {len(found)} searches had the time for all repeats")
    print("| final model | error | median | better, worse in |\n|---|---|---|---|")
    for name in complete[0]["errors"] if complete else ():
        log = np.array([np.log(max(f["errors"][name], 1e-9))
                        - np.log(max(f["errors"][base], 1e-9))
                        for f in complete])  # fmt: skip
        wins, losses = (log < -1e-9).sum(), (log > 1e-9).sum()
        error = log.std(ddof=1) / np.sqrt(len(log))
        print(f"| {name} | {np.exp(log.mean()):.4f} ± {error:.4f} | "
              f"{np.exp(np.median(log)):.4f} | {wins}, {losses} |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("development", "report"), required=True)
    parser.add_argument("--tables", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    _folds.FEW_ROWS, _folds.FEW_REPEATS = MAX_ROWS + 1, REPEATS[-1]  # on all tables
    found = []
    for task in some_tables(options.half, options.tables):
        knowledge = None
        for seed in range(options.seeds):
            path = options.out / f"{task.name}@{seed}.json"
            if not path.exists():
                knowledge = knowledge or KnowledgeBase.load().without({task.family})
                path.write_text(json.dumps(run(task, seed, knowledge)))
            found.append(json.loads(path.read_text()))
            print(task.name, seed, json.dumps(found[-1]), flush=True)
    show(found)


if __name__ == "__main__":
    main()
