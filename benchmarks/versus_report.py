"""The tables of ``versus.py``, made of the result files that are there.

Tools are compared on the tables that all of them have run or failed on. As in the
AutoML Benchmark of OpenML, a failure counts as the dummy's predictions. The
normalised score of a table is 0 for the dummy and 1 for the best of the compared
tools; it is clipped at -1, so that no single table decides. Intervals are 95 %
bootstrap intervals over tables.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

OURS = ("sk_meta", "sk_meta_boosting")
N_DRAWS, LOWEST = 2000, -1.0
PACKAGE_OF = {
    "sk_meta": "sk-meta",
    "sk_meta_boosting": "sk-meta",
    "flaml": "flaml",
    "autogluon": "autogluon.tabular",
    "autogluon_best": "autogluon.tabular",
    "mljar": "mljar-supervised",
    "tpot": "tpot",
    "lightautoml": "lightautoml",
    "skrub": "skrub",
    "hist_gradient_boosting": "scikit-learn",
    "random_search": "scikit-learn",
}


def report(out: Path, tools, seconds, tables) -> None:
    """Print what is known.

    Parameters
    ----------
    out : Path
        Folder with one folder a tool and its seconds.
    tools : list of str or None
        Tools to compare; None is all that have results.
    seconds : list of float
        Seconds to report; empty is all.
    tables : list of str or None
        Tables to report on; None is all.
    """
    found = [
        json.loads(path.read_text(encoding="utf8"))
        for path in sorted(out.glob("*@*/*.json"))
    ]
    runs = pd.DataFrame(
        [
            run
            for run in found
            if (tools is None or run["tool"] in tools)
            and (not seconds or run["seconds"] in seconds)
            and (tables is None or run["table"] in tables)
        ]
    )
    if runs.empty:
        print(f"No results in {out}.")
        return
    for limit, group in runs.groupby("seconds"):
        one_budget(limit, group, tools)
    if runs["seconds"].nunique() > 1:
        across_budgets(runs)


def one_budget(limit: float, runs: pd.DataFrame, tools) -> None:
    """Everything about one number of seconds."""
    present = set(runs["tool"])
    tools = [t for t in tools or dict.fromkeys((*OURS, *runs["tool"])) if t in present]
    cells = runs.set_index(["table", "tool"]).sort_index()
    shared = [
        table
        for table, group in runs.groupby("table", sort=False)
        if set(group["tool"]) == present
    ]
    print(f"\n### {limit:g} seconds\n")
    missing = len(set(runs["table"])) - len(shared)
    kinds = runs[runs["table"].isin(shared)].groupby("kind")["table"].nunique()
    about = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    print(f"{len(shared)} tables ({about}); {missing} not run by all of the tools.")
    if not shared:
        return
    losses, scores = losses_and_scores(cells, shared, tools)
    print_overview(limit, losses, scores, cells.loc[shared])
    for us in [tool for tool in OURS if tool in tools]:
        print_wins(us, losses, scores)
    print_tables(losses, cells, shared)
    print_failures(runs[runs["table"].isin(shared)])
    print_versions(runs)


def across_budgets(runs: pd.DataFrame) -> None:
    """Ours with the fewest seconds against the others with the most."""
    ours = runs["tool"].isin(OURS)
    least, most = runs["seconds"].min(), runs["seconds"].max()
    runs = runs[runs["seconds"] == np.where(ours, least, most)]
    cells = runs.set_index(["table", "tool"]).sort_index()
    found = runs.groupby("table", sort=False)["tool"].apply(set)
    shared = [table for table, tools in found.items() if tools == set(runs["tool"])]
    print(f"\n### Ours in {least:g} seconds, the others in {most:g}\n")
    print(f"{len(shared)} tables.")
    if not shared:
        return
    tools = list(dict.fromkeys((*OURS, *runs["tool"])))
    tools = [tool for tool in tools if tool in set(runs["tool"])]
    losses, scores = losses_and_scores(cells, shared, tools)
    ranks = losses.rank(axis=1)
    print_head(["tool", "mean rank", "normalised score"])
    for tool in ranks.mean().sort_values().index:
        print_row([tool, with_interval(ranks[tool]), with_interval(scores[tool])])
    for us in [tool for tool in OURS if tool in tools]:
        print_wins(us, losses.drop(columns=[o for o in OURS if o != us and o in tools]),
                   scores)  # fmt: skip


def losses_and_scores(cells, tables, tools) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Losses and normalised scores, a row a table and a column a tool."""
    losses = pd.DataFrame(
        {tool: [loss_of(cells.loc[(t, tool)]) for t in tables] for tool in tools},
        index=tables,
    )
    dummy = np.array([dummy_of(cells.loc[(t, tools[0])]) for t in tables])
    return losses, normalised(losses, dummy)


def loss_of(run: pd.Series) -> float:
    """Less is better: 1 - ROC AUC, log loss or RMSE; the dummy's if it failed."""
    score = run["dummy"] if run["status"] != "ok" else run["score"]
    return 1 - score if run["metric"] == "roc_auc" else score


def dummy_of(run: pd.Series) -> float:
    """Loss of the dummy."""
    return 1 - run["dummy"] if run["metric"] == "roc_auc" else run["dummy"]


def normalised(losses: pd.DataFrame, dummy: np.ndarray) -> pd.DataFrame:
    """0 for the dummy, 1 for the best of the tools on each table."""
    best = losses.to_numpy().min(axis=1)
    width = np.where(dummy > best, dummy - best, 1.0)
    scores = (dummy[:, None] - losses.to_numpy()) / width[:, None]
    return pd.DataFrame(np.maximum(scores, LOWEST), losses.index, losses.columns)


def bootstrap(values: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean, tables drawn with replacement."""
    rng = np.random.RandomState(0)
    drawn = rng.randint(len(values), size=(N_DRAWS, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def with_interval(values, sign: str = "") -> str:
    """Mean and its interval."""
    values = np.asarray(values, dtype=float)
    low, high = bootstrap(values)
    return f"{values.mean():{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def print_row(cells) -> None:
    """One line of a table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def print_head(cells) -> None:
    """First two lines of a table."""
    print()
    print_row(cells)
    print("|---" * len(cells) + "|")


def print_overview(limit: float, losses, scores, cells) -> None:
    """Ranks, normalised scores, seconds, memory; one tool a line."""
    ranks = losses.rank(axis=1)
    print_head(
        ["tool", "mean rank", "normalised score", "failed", "fit, median s",
         "fit, longest s", "over, median", "over, most", "peak memory, median MB",
         "most MB", "predict, s per 1,000 rows"]
    )  # fmt: skip
    for tool in ranks.mean().sort_values().index:
        runs = cells.xs(tool, level="tool")
        done = runs[runs["status"] == "ok"]
        row = [tool, with_interval(ranks[tool]), with_interval(scores[tool])]
        row.append(f"{len(runs) - len(done)} of {len(runs)}")
        if len(done):
            fit = done["fit_seconds"].astype(float)
            over = np.maximum(fit - limit, 0)
            memory = done["peak_mb"]
            speed = done["predict_seconds"] / done["n_test"] * 1000
            row += [f"{fit.median():.1f}", f"{fit.max():.1f}"]
            row += [f"{over.median():.1f}", f"{over.max():.1f}"]
            row += [f"{memory.median():.0f}", f"{memory.max():.0f}"]
            row.append(f"{speed.median():.3f}")
        print_row(row + ["–"] * (11 - len(row)))


def print_wins(us: str, losses, scores) -> None:
    """How often ours is better, and by how much."""
    print_head([f"{us} against", "better, equal, worse", "win rate", "score minus its"])
    for tool in losses.columns.drop(us):
        gap = losses[tool] - losses[us]
        equal = np.isclose(losses[tool], losses[us], rtol=1e-9, atol=0)
        wins = np.where(equal, 0.5, (gap > 0).astype(float))
        counts = [(wins == value).sum() for value in (1, 0.5, 0)]
        print_row(
            [
                tool,
                ", ".join(map(str, counts)),
                with_interval(wins),
                with_interval(scores[us] - scores[tool], "+"),
            ]
        )


def print_tables(losses, cells, shared) -> None:
    """Every table's losses, so that one can see where ours loses."""
    print_head(["table", "metric", "rows", "columns", "dummy", *losses.columns])
    names = {"roc_auc": "1 - ROC AUC", "log_loss": "log loss", "rmse": "RMSE"}
    for table in shared:
        run = cells.loc[(table, losses.columns[0])]
        row = losses.loc[table]
        values = [
            "failed"
            if cells.loc[(table, tool), "status"] != "ok"
            else f"**{loss:.4g}**"
            if loss == row.min()
            else f"{loss:.4g}"
            for tool, loss in row.items()
        ]
        about = [table, names[run["metric"]], run["n_train"], run["n_columns"]]
        print_row([*about, f"{dummy_of(run):.4g}", *values])


def print_failures(runs: pd.DataFrame) -> None:
    """Why something failed."""
    failed = runs[runs["status"] != "ok"]
    if len(failed):
        print_head(["failed", "table", "why"])
    for run in failed.itertuples():
        why = " ".join(run.error.split())[:150].replace("|", "/")
        print_row([run.tool, run.table, why])


def print_versions(runs: pd.DataFrame) -> None:
    """What ran, and a warning where one tool's results are of several versions."""
    print()
    for tool, group in runs[runs["status"] == "ok"].groupby("tool", sort=False):
        package = PACKAGE_OF[tool]
        seen = sorted({entry.get(package, "?") for entry in group["versions"]})
        mixed = " (results of several versions!)" if len(seen) > 1 else ""
        print(f"- {tool}: {package} {', '.join(seen)}{mixed}")
