"""Is it better to search again on other folds than to go on with one search?

    python benchmarks/restarts.py --half development --tables 16
    python benchmarks/restarts.py --half report --report   # only print what is there

Real tables of 150 to 2,500 rows, a third of them held out, with a knowledge base
without the table's family. Each is searched for the same time twice: once as the
estimator does, and once with a single search, which goes on until the time is spent or
nothing is left to gain. The error is one minus ROC AUC, log loss or RMSE. "Again" is
the error of the first over that of the second; "alone" that of the first over the
geometric mean of what the ensemble of each of its searches has. One result file per
table.
"""

from __future__ import annotations

import argparse
import json
import warnings
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import numpy as np
from corpus import load
from final_model import METRICS, error_of, kind_of, some_tables
from sklearn.model_selection import train_test_split

from sk_meta import KnowledgeBase, MetaLearnerEstimator, _folds
from sk_meta._ensemble import WeightedEnsemble
from sk_meta._evaluation import fit_all_rows
from sk_meta._restarts import Searches

OUT = Path(__file__).parent / "raw" / "restarts"
MIN_ROWS, MAX_ROWS = 150, 2_500


def run(task, seconds: float) -> dict:
    """Errors on the rows kept aside: with all searches, of each alone, and of one."""
    X, y = load(task)
    kind = kind_of(task, y)
    labels = None if kind == "regression" else y
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=1 / 3, random_state=0, stratify=labels
    )
    knowledge = KnowledgeBase.load().without({task.family})
    classes = None if kind == "regression" else np.unique(y)

    def error(model) -> float:
        predict = model.predict if classes is None else model.predict_proba
        return error_of(kind, y_test.to_numpy(), predict(X_test), classes)

    def fitted(seed: int):
        model = MetaLearnerEstimator(
            task.task, time_budget=seconds, n_jobs=2, random_state=seed,
            scoring=METRICS[kind], knowledge=knowledge,
        )  # fmt: skip
        model.recommend(X, y)  # trains the meta-model, which is not what is timed
        return model.fit(X, y)

    known: list[Searches] = []
    choose = Searches.choose

    def watched(searches: Searches):
        known.append(searches)
        return choose(searches)

    with patch.object(Searches, "choose", watched):
        again = fitted(0)
    with patch.object(_folds, "N_RESTARTS", 0):
        once = fitted(0)
    told = again.evaluations_
    return {
        "kind": kind, "rows": len(X) + len(X_test),
        "again": error(again), "once": error(once),
        "alone": [error(one) for one in alone(known[0])],
        "members": [len(again.members_), len(once.members_)],
        "ended": [float(m.evaluations_["ended"].max()) for m in (again, once)],
        "restarted": float((told["stage"] == "restart").mean()),
    }  # fmt: skip


def alone(searches: Searches):
    """The ensemble that each of the searches has chosen, fitted on all rows."""
    for (search, result), chosen in zip(
        searches._found, searches._selections, strict=True
    ):
        if chosen is None:  # it was stopped, or had no time
            continue
        problem = search.problem
        by_name = {one.configuration.name: one.configuration for one in result.trials}
        members = np.flatnonzero(chosen.weights)
        models = [
            fit_all_rows(
                by_name[result.pool[i].name].build(problem.table, problem.random_state),
                problem.X, problem.y,
            )
            for i in members
        ]  # fmt: skip
        own = chosen.temperatures
        yield WeightedEnsemble(
            models, chosen.weights[members], problem.target.form, chosen.temperature,
            doubt=chosen.doubt, temperatures=None if own is None else own[members],
        )  # fmt: skip


def print_table(found: dict[str, dict]) -> None:
    """One row per table, and over all of them."""
    print("| table | rows | searches | seconds | again | alone |")
    print("|---|---|---|---|---|---|")
    for name, one in found.items():
        ended = ", ".join(f"{seconds:.0f}" for seconds in one["ended"])
        print(f"| {name} | {one['rows']} | {len(one['alone'])} | {ended} | "
              f"{again(one):.3f} | {of_each(one):.3f} |")  # fmt: skip
    several = [one for one in found.values() if len(one["alone"]) > 1]
    print(f"\nwith several searches: {len(several)} of {len(found)} tables")
    for label, ratio in (("again", again), ("alone", of_each)):
        logs = np.log([ratio(one) for one in several])
        print(f"{label}: geometric mean {np.exp(logs.mean()):.4f}, median "
              f"{np.exp(np.median(logs)):.4f}, lower on {(logs < 0).sum()}, higher on "
              f"{(logs > 0).sum()}")  # fmt: skip


def again(one: dict) -> float:
    """Error of all searches over that of a single longer one."""
    return one["again"] / one["once"]


def of_each(one: dict) -> float:
    """Error of all searches over that of each alone."""
    return float(one["again"] / np.exp(np.log(one["alone"]).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("development", "report"), required=True)
    parser.add_argument("--tables", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--report", action="store_true", help="only print")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    order = np.random.default_rng(0)
    tables = some_tables(options.half, 1000)
    tables = [tables[i] for i in order.permutation(len(tables))]
    small = (t for t in tables if MIN_ROWS <= len(load(t)[1]) <= MAX_ROWS)
    found = {}
    for task in islice(small, options.tables):
        path = options.out / f"{task.name}@{options.seconds:g}.json"
        if not path.exists() and not options.report:
            path.write_text(json.dumps(run(task, options.seconds)))
            print(task.name, flush=True)
        if path.exists():
            found[task.name] = json.loads(path.read_text())
    print_table(found)


if __name__ == "__main__":
    main()
