"""Choose the catalogue: a greedy cover of the pool's results.

    python benchmarks/build_knowledge.py --pool
    python benchmarks/choose_portfolio.py

Reads what every configuration of the pool did on the subset of tasks and writes
``sk_meta/_catalogue/portfolio.json``. Each next configuration is the one that
lowers the mean regret of the best ones most (as in Feurer et al. 2022, but the
second and third best of every task count too, for a half and a quarter, so that a
task is not covered by one lucky result). Printed is the regret of the families
left out of the choice: how many configurations are needed until a further one
gains less than 0.002. The catalogue goes on to ``SIZE``, because a meta-model can
choose among more than a fixed order can; from there on gains count per root of the
seconds, and every family of estimators is given its best few first, since the
subset of tasks is too small to say that a family is never needed. Last come those
that are made for tables of which the subset has few: large ones, and ones with
categories or with numbers of few values.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from build_knowledge import OUT
from corpus import find
from pool import SUBSET, drawn, pool

from sk_meta._catalogue import PORTFOLIO
from sk_meta._scoring import as_loss

SIZE = 105
MAX_OPTIONAL = 32  # need a boosting library; the rest works without
PER_FAMILY = 3
QUICK_SECONDS, N_QUICK = 0.05, 5
COST_POWER = 0.5  # after the cover
ENOUGH = 0.002
METRICS = {
    "classification": ("neg_log_loss", "roc_auc_ovr", "accuracy"),
    "regression": ("neg_root_mean_squared_error", "neg_mean_absolute_error"),
}
RANK_WEIGHTS = np.array([1.0, 0.5, 0.25])
# The knowledge base needs the dummies; the rest are the plain forms of well-known
# models, which people look for and which results are easiest to compare with.
ALWAYS = {
    "classification": (
        "dummy", "logistic-C1", "knn-5", "tree-depth3", "forest", "hist-gb", "svc-C3",
    ),
    "regression": (
        "dummy", "dummy-median", "ridge", "knn-5", "tree-depth3", "forest", "hist-gb",
    ),
}  # fmt: skip

_BOOSTING = (
    "hist-gb-wide", "hist-gb-wide-fast", "lightgbm-wide", "lightgbm-wide-rough",
    "lightgbm-wide-fast", "xgboost-wide", "catboost-depth8", "catboost-native",
    "catboost-native-depth4",
)  # fmt: skip
_TEXTS = ("hist-gb-whole-texts", "lightgbm-whole-texts", "catboost-native-whole-texts")
SPECIAL = {
    "classification": (
        *_BOOSTING, "logistic-discrete-C0.03", "logistic-discrete-C0.3",
        "logistic-discrete-splines-C0.1", *_TEXTS,
    ),
    "regression": (
        *_BOOSTING, "ridge-discrete", "ridge-discrete-gaussian-target",
        "ridge-discrete-splines", *_TEXTS,
    ),
}  # fmt: skip


def read(kind: str, names: list[str], out: Path) -> tuple[np.ndarray, list, np.ndarray]:
    """Regrets of the pool (rows are task and metric), families, median seconds."""
    regrets, families, seconds = [], [], []
    for task in SUBSET[kind]:
        path = out / f"{task}.json"
        results = json.loads(path.read_text())["results"] if path.exists() else {}
        if absent := set(names) - set(results):
            print(f"{task}: left out, {len(absent)} configurations were not run")
            continue
        for metric in METRICS[kind]:
            loss = np.array([_loss(results[name], metric) for name in names])
            best, middle = np.nanmin(loss), np.nanmedian(loss)
            regret = (loss - best) / max(middle - best, 1e-9)
            regrets.append(np.nan_to_num(regret, nan=1.0).clip(0, 1))
            families.append(find(task).family)
        seconds.append([_seconds(results[name]) for name in names])
    typical = np.nan_to_num(np.nanmedian(seconds, axis=0), nan=np.inf)
    return np.array(regrets), families, typical


def _loss(result: dict, metric: str) -> float:
    if result["status"] != "ok":
        return np.nan
    return float(np.mean([as_loss(fold[metric], metric) for fold in result["folds"]]))


def _seconds(result: dict) -> float:
    if result["status"] != "ok":
        return np.nan
    return float(np.mean([fold["fit_seconds"] for fold in result["folds"]]))


def greedy(
    regret: np.ndarray, size: int, optional: np.ndarray, start=(), seconds=None
) -> list[int]:
    """Positions in the order of what they add to the cover (per root second)."""
    depth = len(RANK_WEIGHTS)
    dear = np.ones(regret.shape[1]) if seconds is None else seconds**COST_POWER
    best = np.ones((len(regret), depth))
    order: list[int] = []
    for chosen in start:
        best = _insert(best, regret[:, chosen])
        order.append(chosen)
    while len(order) < size:
        full = optional[order].sum() >= MAX_OPTIONAL
        rest = [
            j for j in range(regret.shape[1])
            if j not in order and not (full and optional[j])
        ]  # fmt: skip
        if not rest:
            break
        left = [(_insert(best, regret[:, j]) @ RANK_WEIGHTS).mean() for j in rest]
        gains = (best @ RANK_WEIGHTS).mean() - np.array(left)
        # Ties, once all tasks are covered: the better average.
        gains += 1e-4 * (1 - regret[:, rest].mean(axis=0))
        chosen = rest[int(np.argmax(gains / dear[rest]))]
        best = _insert(best, regret[:, chosen])
        order.append(chosen)
    return order


def best_of_families(regret, order: list[int], families: list[str]) -> list[int]:
    """What every family lacks of its best few by mean regret."""
    mean, added = regret.mean(axis=0), []
    for family in dict.fromkeys(families):
        members = [j for j in np.argsort(mean) if families[j] == family]
        have = [j for j in order if families[j] == family]
        rest = [j for j in members if j not in have]
        added += rest[: max(0, PER_FAMILY - len(have))]
    return added


def _insert(best: np.ndarray, column: np.ndarray) -> np.ndarray:
    """The best regrets of every row with one more configuration."""
    return np.sort(np.column_stack([best, column]), axis=1)[:, : best.shape[1]]


def out_of_family_curve(regret, families, optional, size: int) -> np.ndarray:
    """Mean regret on the family left out, by the number of configurations."""
    curves = []
    for family in sorted(set(families)):
        test = np.array([f == family for f in families])
        order = greedy(regret[~test], size, optional)
        best = np.minimum.accumulate(regret[test][:, order], axis=1)
        curves.append(best.mean(axis=0))
    return np.mean(curves, axis=0)


def choose(kind: str, out: Path) -> list[dict]:
    """Entries of the portfolio of one kind of task, in the order of the choice."""
    configurations = pool(kind)
    names = [c.name for c in configurations]
    optional = np.array([c.requires is not None for c in configurations])
    regret, families, seconds = read(kind, names, out)
    curve = out_of_family_curve(regret, families, optional, 60)
    gains = -np.diff(curve)
    # The curve is a mean over few tasks: the gain is that of five more, shared.
    smooth = np.convolve(gains, np.ones(5) / 5, mode="valid")
    enough = int(np.argmax(smooth < ENOUGH)) + 1 if (smooth < ENOUGH).any() else 60
    print(f"\n{kind}: {len(names)} in the pool, {len(set(families))} families")
    print("regret out of family after 1, 2, 5, 10, 20, 40, 60:",
          curve[[0, 1, 4, 9, 19, 39, 59]].round(3).tolist())  # fmt: skip
    print(f"a further one gains less than {ENOUGH} from {enough} on")
    start = [names.index(name) for name in ALWAYS[kind]]
    order = greedy(regret, enough + len(start), optional, start)
    order += best_of_families(regret, order, [c.family for c in configurations])
    order = greedy(regret, SIZE, optional, order, seconds)
    special = [names.index(name) for name in SPECIAL[kind]]
    order += [j for j in special if j not in order]
    quick = [j for j in order if seconds[j] < QUICK_SECONDS]
    if len(quick) < N_QUICK:
        raise ValueError(f"only {len(quick)} chosen fit in {QUICK_SECONDS} s")
    families = pd.Series([configurations[j].family for j in order])
    cost = seconds[order].sum()
    print(f"one fold of all of them takes {cost:.0f} s on the median task")
    print(f"{len(order)} chosen, {int(optional[order].sum())} need a boosting library, "
          f"{len(quick)} fit in under 50 ms")  # fmt: skip
    print(families.value_counts().to_string())
    templates = {name: (template, params) for name, template, params in drawn(kind)}
    return [_entry(names[j], templates) for j in order]


def _entry(name: str, templates: dict) -> dict:
    if name not in templates:
        return {"name": name}
    template, params = templates[name]
    return {"name": name, "template": template, "params": params}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, default=OUT)
    parser.add_argument("--out", type=Path, default=PORTFOLIO)
    options = parser.parse_args()
    chosen = {kind: choose(kind, options.raw) for kind in SUBSET}
    lines = [
        f'"{kind}": [\n' + ",\n".join(json.dumps(e) for e in entries) + "\n]"
        for kind, entries in chosen.items()
    ]
    options.out.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
