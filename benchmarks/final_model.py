"""What the final predictor should be: refits or fold models, which ensemble.

    python benchmarks/final_model.py --half development
    python benchmarks/final_model.py --half report
    python benchmarks/final_model.py --half development --kind multiclass

On each table a search of ``CANDIDATES`` configurations runs on two thirds of the
rows, with a knowledge base without the table's family. Every configuration that
ended is then fitted on all those rows (a refit) and on every training fold (fold
models, whose predictions are averaged), and predicts the other third. From these
predictions all the ways to make the final model are scored on the same rows. The
predictions of a table are kept in ``--out``, so that the script can be stopped and
goes on where it was.
"""

from __future__ import annotations

import argparse
import warnings
from itertools import islice
from pathlib import Path

import numpy as np
from corpus import TASKS, half_of, load
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from sk_meta import KnowledgeBase
from sk_meta import _steps as steps
from sk_meta._budget import Budget
from sk_meta._evaluation import (
    OK,
    SCORE,
    Evaluation,
    FoldResult,
    fit_all_rows,
    predict_with,
    take,
)
from sk_meta._problem import describe
from sk_meta._search import Search
from sk_meta._selection import (
    Goal,
    _Fold,
    _mean_weights,
    _weights,
    _weights_without_each,
    select,
)
from sk_meta._shared import SharedTask
from sk_meta._strategy import Strategy
from sk_meta._temperature import find_temperatures, heated
from sk_meta._workers import Here

OUT = Path(__file__).parent / "raw" / "final"
CANDIDATES, MAX_ROWS, MIN_ROWS = 14, 4000, 150
METRICS = {"binary": "roc_auc", "multiclass": "neg_log_loss",
           "regression": "neg_root_mean_squared_error"}  # fmt: skip


def kind_of(task, y) -> str:
    """Kind of table, which decides the metric as in the AutoML Benchmark."""
    if task.task == "regression":
        return "regression"
    return "binary" if y.nunique() == 2 else "multiclass"


def some_tables(half: str, number: int) -> list:
    """Real tables of different families, in the order of the corpus."""
    known: dict[str, object] = {}
    for task in TASKS:
        if half_of(task.family) == half and not task.synthetic:
            known.setdefault(task.family, task)
    large = (t for t in known.values() if len(load(t, MAX_ROWS)[1]) >= MIN_ROWS)
    return list(islice(large, number))


def collect(task, path: Path) -> None:
    """Search on a table and keep all predictions of what was evaluated."""
    X, y = load(task, MAX_ROWS)
    kind, y = kind_of(task, y), y.to_numpy()
    labels = None if task.task == "regression" else y
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=1 / 3, random_state=0, stratify=labels
    )
    problem = describe(
        X.reset_index(drop=True), y, task=task.task, scoring=METRICS[kind], cv=5, seed=0
    )
    knowledge = KnowledgeBase.load().without({task.family})
    prior = steps.believe(problem, knowledge, None, "hybrid")
    budget = Budget(count=CANDIDATES)
    problem = steps.plan(problem, prior, budget, 1)
    shared = SharedTask(*problem.data, processes=False)
    strategy = Strategy(problem, prior.belief, prior.configurations, budget)
    result = Search(strategy, Here(), shared).run()
    kept = {"kind": kind, "y": problem.y, "y_test": y_test,
            "names": [m.name for m in result.pool],
            "scores": np.array([m.scores(SCORE) for m in result.pool])}  # fmt: skip
    if problem.target.classes is not None:
        kept["classes"] = problem.target.classes
    for k, (_, rows) in enumerate(problem.splits):
        kept[f"rows{k}"] = rows
        kept[f"fold{k}"] = np.stack([m.folds[k].prediction for m in result.pool])
    parts = [train for train, _ in problem.splits] + [np.arange(len(y))]
    kept["test"] = np.array([
        [predictions(prior.configurations[m.name], problem, rows, X_test)
         for rows in parts]
        for m in result.pool
    ])  # fmt: skip
    np.savez_compressed(path, **kept)


def predictions(configuration, problem, rows, X_test) -> np.ndarray:
    """Fit on some rows, predict the rows that were kept aside."""
    pipeline = configuration.build(problem.table, 0)
    model = fit_all_rows(pipeline, take(problem.X, rows), problem.y[rows])
    return predict_with(model, X_test, problem.target.classes)


def error_of(kind: str, y, prediction, classes) -> float:
    """One minus ROC AUC, log loss or root mean squared error."""
    if kind == "regression":
        return float(np.sqrt(np.mean((y - prediction) ** 2)))
    if kind == "binary":
        return 1 - roc_auc_score(y == classes[1], prediction[:, 1])
    return log_loss_of(y, prediction, classes)


def log_loss_of(y, prediction, classes) -> float:
    sure = prediction[np.arange(len(y)), np.searchsorted(classes, y)]
    return float(-np.log(np.maximum(sure, 1e-15)).mean())


def variants(path: Path) -> tuple[str, dict[str, float]]:
    """Error of every way to make the final model, and of its probabilities."""
    with np.load(path, allow_pickle=True) as kept:
        kept = dict(kept)
    kind, y, classes = str(kept["kind"]), kept["y"], kept.get("classes")
    n_folds = kept["scores"].shape[1]
    rows = [kept[f"rows{k}"] for k in range(n_folds)]
    oof = np.zeros((len(kept["names"]), len(y), *kept["fold0"].shape[2:]))
    for k, part in enumerate(rows):
        oof[:, part] = kept[f"fold{k}"]
    test, y_test = kept["test"], kept["y_test"]
    refits, bags = test[:, -1], test[:, :-1].mean(axis=1)

    def blend(weights, parts):
        return np.tensordot(weights, parts, axes=1)

    def error(prediction):
        return error_of(kind, y_test, prediction, classes)

    metric = METRICS[kind] if kind != "binary" else "roc_auc_ovr"
    smooth, direct = (
        greedy(Goal(None, name, y, classes, 8), oof, rows) for name in ("", metric)
    )
    once = greedy(Goal(None, metric, y, classes, 8), oof, rows, once=True)
    best = np.eye(len(oof))[int(np.argmax(kept["scores"].mean(axis=1)))]
    found = {
        "best single, refit": error(blend(best, refits)),
        "best single, fold models": error(blend(best, bags)),
        "greedy by a smooth loss, refits": error(blend(smooth, refits)),
        "greedy by the metric, refits": error(blend(direct, refits)),
        "greedy on all folds at once, refits": error(blend(once, refits)),
        "greedy by the metric, fold models": error(blend(direct, bags)),
        "equal weights, refits": error(refits.mean(axis=0)),
        "second layer, refits": error(stacked(oof, refits, y, classes)),
    }
    if classes is not None:
        parts = [blend(direct, oof)[part] for part in rows]
        truths = [np.searchsorted(classes, y[part]) for part in rows]
        heat = find_temperatures(parts, truths).of_all
        plain = blend(direct, refits)
        found["log loss"] = log_loss_of(y_test, heated(plain, 1.0), classes)
        found["log loss, scaled"] = log_loss_of(y_test, heated(plain, heat), classes)
        own = with_own_temperatures(kept, rows, refits)
        found["log loss, scaled, members too"] = log_loss_of(y_test, own, classes)
    return kind, found


def with_own_temperatures(kept: dict, rows, refits) -> np.ndarray:
    """Probabilities where the log loss is the metric, without the last doubt."""
    y, classes = kept["y"], kept["classes"]
    parts = [[kept[f"fold{k}"][m] for k in range(len(rows))]
             for m in range(len(refits))]  # fmt: skip

    def score(prediction, some):
        return -log_loss_of(y[some], prediction, classes)

    evaluations = [
        Evaluation(str(m), tuple(
            FoldResult(OK, {SCORE: score(part, some)}, part, predict_seconds=0.0)
            for part, some in zip(folds, rows, strict=True)
        ))
        for m, folds in enumerate(parts)
    ]  # fmt: skip
    chosen = select(evaluations, rows, Goal(score, "neg_log_loss", y, classes, 8))
    if (temperatures := chosen.temperatures) is None:
        temperatures = np.ones(len(refits))
    hot = [heated(*both) for both in zip(refits, temperatures, strict=True)]
    return heated(np.tensordot(chosen.weights, hot, axes=1), chosen.temperature)


def greedy(goal: Goal, oof, rows, once: bool = False) -> np.ndarray:
    """Weights as the estimator selects them, or once, on all folds."""
    folds = [_Fold.of(list(oof[:, part]), part, goal) for part in rows]
    limits = {"max_members": goal.size, "costs": np.zeros(len(oof))}
    if once:
        return _weights(folds, goal, limits)
    chosen = _weights_without_each(folds, len(folds), goal, limits)
    return _mean_weights(chosen, folds, len(folds), goal, limits)


def stacked(oof, refits, y, classes) -> np.ndarray:
    """A linear model on the out-of-fold predictions, applied to the refits."""
    if classes is None:
        model = RidgeCV(np.logspace(-3, 3, 13)).fit(oof.T, y)
        return model.predict(refits.T)

    def features(parts):
        logits = np.log(np.clip(parts, 1e-6, 1))
        return np.concatenate(list(logits), axis=1)

    model = LogisticRegressionCV(Cs=[0.01, 0.1, 1.0], cv=3, max_iter=300)
    model.fit(features(oof), y)
    return model.predict_proba(features(refits))


def print_table(folder: Path, names: list[str]) -> None:
    """Geometric mean of the errors over those of the estimator's own way."""
    found = [variants(folder / f"{name}.npz") for name in names
             if (folder / f"{name}.npz").exists()]  # fmt: skip
    base = "greedy by the metric, refits"
    for kind in METRICS:
        mine = [errors for k, errors in found if k == kind]
        print(f"\n{kind}, {len(mine)} tables\n\n| final model | error | better in |")
        print("|---|---|---|")
        for name in mine[0] if mine else ():
            against = "log loss" if name.startswith("log loss") else base
            ratios = np.array([e[name] / e[against] for e in mine])
            print(f"| {name} | {np.exp(np.log(ratios).mean()):.4f} | "
                  f"{(ratios < 1).sum()} |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("development", "report"), required=True)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--kind", choices=METRICS, help="tables of a kind alone")
    parser.add_argument("--report", action="store_true", help="only print")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    tables = some_tables(options.half, 1000 if options.kind else options.tables)
    if options.kind:
        known = (t for t in tables if kind_of(t, load(t, MAX_ROWS)[1]) == options.kind)
        tables = list(islice(known, options.tables))
    paths = {task.name: options.out / f"{task.name}.npz" for task in tables}
    if not options.report:
        missing = [task for task in tables if not paths[task.name].exists()]
        Parallel(n_jobs=2)(delayed(collect)(t, paths[t.name]) for t in missing)
    print_table(options.out, list(paths))


if __name__ == "__main__":
    main()
