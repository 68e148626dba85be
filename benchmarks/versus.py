"""sk_meta against other AutoML tools: same splits, same seconds, same two cores.

    python benchmarks/versus.py --install         # the environments only
    python benchmarks/versus.py                   # everything that is missing
    python benchmarks/versus.py --tools sk_meta,flaml --seconds 10 --tables penguins
    python benchmarks/versus.py --development     # other tables, for mending things
    python benchmarks/versus.py --split 1         # other rows held out: what is chance?
    python benchmarks/versus.py --report          # the tables of what is there
    python benchmarks/versus.py --keep            # write it to versus_results.jsonl

Every tool has a virtual environment of its own, made with pip by package name, and
every run is a fresh process in it (``versus_runner.py``), killed with everything it
started after three times its seconds and two minutes, or when all of it holds 12 GB.
This script makes the splits, measures memory and scores all predictions, so that no
tool is judged by its own code. sk_meta is installed from the checkout
(``--reinstall`` after a change) and uses a knowledge base without the family of the
table; making that takes half a minute a family, once. One result file a run is kept
under ``benchmarks/raw/versus``, so that the script can be stopped and goes on where
it was; ``--again`` runs what is asked for once more. Results that were kept in
``versus_results.jsonl``, a line a run, count as done.

The tables are of the "report" half of the families (see
``leave_one_family_out.py``), on which nothing was tuned, and were chosen by a rule
(see ``chosen``), before any result was known. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import versus_report
from corpus import TASKS, CorpusTask, find, half_of, load
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import train_test_split
from versus_environments import (
    KNOWLEDGE,
    RAW,
    RUNNER,
    TOOLS,
    Watched,
    knowledge_without,
    missing,
    python_of,
)
from versus_runner import write_table
from versus_tools import LABEL

SEED, CORES, TEST_SHARE, MIN_ROWS = 0, 2, 1 / 3, 300
MOST_MB = 12_000  # more than any tool needs; a table made dense could need far more
METRICS = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}

# What chosen("report") and chosen("development") give: largest first, by kind.
TABLES = {
    "report": (
        "minneapolis_stops", "taxi_tip", "responded", "email_spam", "hmda_deny",
        "uk_smoking", "vehicle1", "wisconsin", "ad_data",
        "letter", "texture", "pandemic_impact", "eu_vote", "gsoep_school", "penguins",
        "birthdays", "cps1988_wage", "bird_speed", "star_math3", "crime_arrests",
        "freedom_media", "opt_birthweight", "windsor_price", "professor_salary",
    ),
    "development": (
        "trump_vote", "stackoverflow", "train_choice", "yeast3", "pima", "haberman",
        "pet_species", "hpc_jobs", "mlb_position", "pbc_status",
        "flight_delay", "loan_interest", "psid_wage", "nhefs_weight", "car_prices",
        "mlb_salary",
    ),
}  # fmt: skip
COUNTS = {
    "report": {"binary": 9, "multiclass": 6, "regression": 9},
    "development": {"binary": 6, "multiclass": 4, "regression": 6},
}


# Tables ---------------------------------------------------------------------------


def chosen(half: str) -> list[str]:
    """Names of the tables, by rule.

    Of the real tables of a half with 300 rows or more, as many of each kind as
    ``COUNTS`` says, evenly spaced in their order by rows, from the largest to the
    smallest. Where a family has been taken, the nearest table of another one.
    """
    kinds: dict[str, list] = {kind: [] for kind in METRICS}
    for task in TASKS:
        if not task.synthetic and half_of(task.family) == half:
            y = load(task)[1]
            if len(y) >= MIN_ROWS:
                kinds[kind_of(task, y)].append((len(y), task.name, task.family))
    families: set[str] = set()
    names = []
    for kind, count in COUNTS[half].items():
        tables = sorted(kinds[kind])
        for place in np.linspace(len(tables) - 1, 0, count).round():
            nearest = sorted(range(len(tables)), key=lambda i: (abs(i - place), i))
            i = next(i for i in nearest if tables[i][2] not in families)
            families.add(tables[i][2])
            names.append(tables[i][1])
    return names


def kind_of(task, y: pd.Series) -> str:
    """Binary, multiclass or regression."""
    if task.task == "regression":
        return "regression"
    return "binary" if y.nunique() == 2 else "multiclass"


@dataclass(frozen=True)
class Split:
    """One table, split once."""

    name: str
    family: str
    kind: str
    train: pd.DataFrame
    test: pd.DataFrame
    truth: pd.Series

    @classmethod
    def of(
        cls, task: CorpusTask, number: int = 0, max_rows: int | None = None
    ) -> Split:
        """Two thirds to learn from, for every number the same ones every time."""
        X, y = load(task, max_rows)
        kind = kind_of(task, y)
        train, test, y_train, truth = train_test_split(
            X,
            y,
            test_size=TEST_SHARE,
            random_state=number,
            stratify=None if kind == "regression" else y,
        )
        train = train.assign(**{LABEL: y_train})
        return cls(task.name, task.family, kind, train, test, truth)

    def dummy(self) -> np.ndarray:
        """Predictions of somebody who knows the target's distribution only."""
        y = self.train[LABEL]
        if self.kind == "regression":
            return np.full(len(self.truth), y.mean())
        shares = y.value_counts(normalize=True).sort_index().to_numpy()
        return np.tile(shares, (len(self.truth), 1))

    def score(self, predictions: np.ndarray) -> float:
        """ROC AUC, log loss or RMSE on the test rows."""
        classes = np.sort(self.train[LABEL].unique())
        regression = self.kind == "regression"
        shape = (len(self.truth),) + (() if regression else (len(classes),))
        if predictions.shape != shape or not np.isfinite(predictions).all():
            raise ValueError(f"predictions of shape {predictions.shape} or not finite")
        if regression:
            return float(root_mean_squared_error(self.truth, predictions))
        if self.kind == "binary":
            return float(roc_auc_score(self.truth == classes[1], predictions[:, 1]))
        predictions = np.clip(predictions, 1e-15, 1)
        predictions /= predictions.sum(axis=1, keepdims=True)
        return float(log_loss(self.truth, predictions, labels=classes))


Planned = tuple[float, str, str]  # seconds, table, tool


@dataclass(frozen=True)
class Benchmark:
    """Which tables and tools are compared, and where the results go.

    Attributes
    ----------
    tables : mapping of str to sequence of str
        Names of the tables of each half.
    split_of : callable
        A split of a table, by the table's name and the number of the split.
    tools : mapping of str to sequence of float
        Tools, and for how many seconds they are asked by default.
    out : Path
        Holds `report` and `development`, and `report-1` and so on for other splits.
    kept : Path
        File that the results of the first split of the report half are kept in.
    """

    tables: Mapping[str, Sequence[str]]
    split_of: Callable[[str, int], Split]
    tools: Mapping[str, Sequence[float]]
    out: Path
    kept: Path


VERSUS = Benchmark(
    TABLES,
    lambda name, number: Split.of(find(name), number),
    {name: tool.seconds for name, tool in TOOLS.items()},
    RAW / "versus",
    Path(__file__).with_name("versus_results.jsonl"),
)


# Runs -----------------------------------------------------------------------------


def one_run(tool: str, seconds: float, split: Split) -> dict:
    """One tool on one table, scored."""
    environment = TOOLS[tool].environment
    job = {"tool": tool, "kind": split.kind, "seconds": seconds, "cores": CORES,
           "seed": SEED}  # fmt: skip
    if tool.startswith("sk_meta"):
        job["knowledge"] = str(knowledge_without(split.family, environment))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_table(folder / "train.json", split.train)
        write_table(folder / "test.json", split.test)
        (folder / "job.json").write_text(json.dumps(job), encoding="utf8")
        command = [python_of(environment), "-P", RUNNER, "run", folder]
        code, wall, peak = Watched(command, folder).wait(3 * seconds + 120, MOST_MB)
        found = judged(folder, code, split)
    return {
        "tool": tool, "seconds": seconds, "table": split.name, "family": split.family,
        "kind": split.kind, "metric": METRICS[split.kind], "n_train": len(split.train),
        "n_test": len(split.test), "n_columns": split.test.shape[1],
        "dummy": split.score(split.dummy()), "wall_seconds": wall, "peak_mb": peak,
        "ended": time.strftime("%Y-%m-%d %H:%M:%S"), "cores": CORES, "seed": SEED,
        **found,
    }  # fmt: skip


def judged(folder: Path, code: int | None, split: Split) -> dict:
    """Score and what the run told, or why there is none."""
    told = {}
    if (folder / "outcome.json").exists():
        told = json.loads((folder / "outcome.json").read_text(encoding="utf8"))
    if "error" not in told:
        try:
            if code is None:
                raise TimeoutError("killed: too long, or too much memory")
            if not told:
                raise ChildProcessError(f"ended with code {code}")
            score = split.score(np.load(folder / "predictions.npy"))
            return {"status": "ok", "score": score, **told}
        except (OSError, ValueError) as error:
            told["error"] = f"{type(error).__name__}: {error}"
    log = (folder / "log.txt").read_text(encoding="utf8", errors="replace")
    return {"status": "failed", "score": None, **told, "log": log[-3000:]}


def path_of(run: dict, out: Path) -> Path:
    """Result file of a run."""
    return out / f"{run['tool']}@{run['seconds']:g}" / f"{run['table']}.json"


def write(run: dict, out: Path) -> None:
    """Write the result of a run, whole or not at all."""
    path = path_of(run, out)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(run, indent=1), encoding="utf8")
    part.replace(path)


def keep(out: Path, kept: Path) -> None:
    """Gather the result files in one."""
    paths = out.glob("*@*/*.json")
    runs = [json.loads(path.read_text(encoding="utf8")) for path in paths]
    runs.sort(key=lambda run: (run["seconds"], run["table"], run["tool"]))
    lines = [json.dumps({**run, "log": None}) for run in runs]
    kept.write_text("\n".join(lines) + "\n", encoding="utf8")


def restore(out: Path, kept: Path) -> None:
    """Write the result files that were kept and are not there."""
    if kept.exists():
        for line in kept.read_text(encoding="utf8").splitlines():
            run = json.loads(line)
            if not path_of(run, out).exists():
                write(run, out)


def run_all(
    plan: list[Planned], split_of: Callable[[str], Split], out: Path, again: bool
) -> None:
    """What is missing of the plan, all tools on a table one after the other."""
    split = None
    for seconds, table, tool in plan:
        planned = {"tool": tool, "seconds": seconds, "table": table}
        if path_of(planned, out).exists() and not again:
            continue
        if split is None or split.name != table:
            split = split_of(table)
        result = one_run(tool, seconds, split)
        write(result, out)
        print(line_of(result), flush=True)


def line_of(result: dict) -> str:
    """One run in a line."""
    score = result.get("error") or f"{result['metric']} {result['score']:.5g}"
    return (
        f"{result['tool']}@{result['seconds']:g} {result['table']}: {score} (dummy "
        f"{result['dummy']:.5g}), fit {result.get('fit_seconds', np.nan):.1f} s, all "
        f"{result['wall_seconds']:.1f} s, {result['peak_mb']:.0f} MB"
    )


# Command line ---------------------------------------------------------------------


def arguments(description: str, benchmark: Benchmark) -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])

    def several(text):
        return text.split(",")

    tools = ", ".join(benchmark.tools)
    parser.add_argument("--tools", type=several, help=f"of {tools}")
    parser.add_argument("--seconds", type=several, help="instead of the tools' own")
    parser.add_argument("--tables", type=several)
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--split", type=int, default=0, help="which rows are held out")
    parser.add_argument("--install", action="store_true", help="run nothing")
    parser.add_argument(
        "--reinstall",
        action="store_true",
        help="sk_meta from the checkout, and what had failed",
    )
    parser.add_argument("--again", action="store_true", help="also what is there")
    parser.add_argument("--report", action="store_true", help="run nothing, print")
    parser.add_argument("--keep", action="store_true", help="run nothing, keep all")
    parser.add_argument("--out", type=Path, default=benchmark.out)
    return parser


def compare(benchmark: Benchmark, options: argparse.Namespace) -> None:
    """Do what was asked for: run what is missing, keep it, or report it."""
    half = "development" if options.development else "report"
    out = options.out / (f"{half}-{options.split}" if options.split else half)
    tables = options.tables or benchmark.tables[half]
    tools = options.tools or list(benchmark.tools)
    seconds = [float(text) for text in options.seconds or ()]
    first = half == "report" and not options.split
    if first:
        restore(out, benchmark.kept)
    if options.keep:
        if not first:
            raise SystemExit("Only the first split of the report half is kept.")
        keep(out, benchmark.kept)
        return
    if options.report:
        versus_report.report(out, options.tools, seconds, options.tables)
        return
    known = {*benchmark.tools, *benchmark.tables[half]}
    if unknown := {*tools, *tables} - known:
        raise SystemExit(f"Unknown: {', '.join(sorted(unknown))}.")
    KNOWLEDGE.mkdir(parents=True, exist_ok=True)
    tools = installed(tools, options.reinstall)
    if not options.install:
        plan = planned(benchmark, tables, tools, seconds)

        def split_of(table: str) -> Split:
            return benchmark.split_of(table, options.split)

        run_all(plan, split_of, out, options.again)


def installed(tools: Sequence[str], reinstall: bool) -> list[str]:
    """The tools whose environments are there, or could be made."""
    why = {
        environment: missing(environment, reinstall)
        for environment in dict.fromkeys(TOOLS[tool].environment for tool in tools)
    }
    for environment, reason in why.items():
        if reason is not None:
            print(f"{environment} does not install and is left out: {reason}")
    return [tool for tool in tools if why[TOOLS[tool].environment] is None]


def planned(
    benchmark: Benchmark,
    tables: Sequence[str],
    tools: Sequence[str],
    seconds: Sequence[float],
) -> list[Planned]:
    """All runs in order: by seconds, then by table."""
    asked = {tool: seconds or benchmark.tools[tool] for tool in tools}
    return [
        (limit, table, tool)
        for limit in sorted({limit for own in asked.values() for limit in own})
        for table in tables
        for tool in tools
        if limit in asked[tool]
    ]


def main() -> None:
    """Command line."""
    parser = arguments(__doc__, VERSUS)
    parser.add_argument("--choose", action="store_true", help="print the tables' rule")
    options = parser.parse_args()
    if options.choose:
        print(*chosen("development" if options.development else "report"), sep="\n")
        return
    compare(VERSUS, options)


if __name__ == "__main__":
    main()
