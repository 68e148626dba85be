"""Does the corpus hold what it claims? Leaks, duplicates across packages, counts.

Run ``python benchmarks/check_corpus.py``. It prints every finding and the counts
against their goals, and exits with an error on a leak that is not justified below,
on a duplicate that does not share a family, or on a goal that is missed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from corpus import TASKS, CorpusTask, _read_table, load
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sk_meta import _table

LEAK_ROWS = 2000
# A tree that leaves less than this share of the dummy's error has seen the answer.
SOLVED = 0.05
# Columns with fewer long values coincide by chance, and so do those that take more
# than this share of the values in their range, as counters and percentages do.
MIN_TELLING = 30
MAX_DENSITY = 0.1
# Share of the smaller table's columns, and of a column's values, found again.
SHARED_COLUMNS = 0.5
SHARED_VALUES = 0.8
# Enough to tell a very wide table.
MAX_COLUMNS = 150

# Tasks that a small tree solves although nothing leaks, and why.
JUSTIFIED = {
    "kershaw_pitch": "a pitch is named by its speed and movement, all measured",
    "mushroom": "made from a field guide, in which odour is decisive (x5)",
}

GOALS = {
    "tasks": 225,
    "families": 120,
    "classification": 130,
    "with a class under 10 %": 20,
    "regression": 85,
    "10,000 rows or more": 28,
    "more than 100 encoded columns": 17,
    "strings or categories": 65,
    "missing values": 45,
    "dates or free text": 12,
}


@dataclass(frozen=True)
class Fingerprint:
    """What tells a table from others, whatever its labels and dtypes.

    ``profiles`` says of every column with few values how often each occurs, and
    ``values`` holds the sorted keys of the long values of every other column.
    """

    profiles: frozenset[tuple[int, ...]]
    values: tuple[np.ndarray, ...]


def find_leak(X: pd.DataFrame, y: pd.Series, task: str) -> tuple[float, float, str]:
    """Measure how nearly one shallow tree, or one column, gives the target away.

    Parameters
    ----------
    X : pandas.DataFrame
        Features.
    y : pandas.Series
        Target.
    task : {"classification", "regression"}
        Kind of task.

    Returns
    -------
    tree, column : float
        Share of the dummy's error that is left by a tree of all columns, and by
        one of the best single column.
    best : str
        Name of that column.
    """
    numeric = X.select_dtypes("number").columns
    codes = X.astype(dict.fromkeys(numeric, float))
    strings = X.columns.difference(numeric)
    if len(strings):
        codes[strings] = OrdinalEncoder().fit_transform(X[strings].astype(str))
    # Every class needs a leaf, and so do all strings, whose codes have no order.
    depth = max(3, int(np.ceil(np.log2(y.nunique()))) if task[0] == "c" else 0)
    trees = {name: _tree(task, depth if name in numeric else None) for name in X}
    # Only the column that fits best is cross-validated: fitting is cheap.
    best = max(X, key=lambda n: trees[n].fit(codes[[n]], y).score(codes[[n]], y))
    tree = _error(_tree(task, depth), codes, y)
    return tree, _error(trees[best], codes[[best]], y), best


def _tree(task: str, depth: int | None):
    classes = task == "classification"
    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    return kind(max_depth=depth, min_samples_leaf=5, random_state=0)


def _error(tree, X: pd.DataFrame, y: pd.Series) -> float:
    """Cross-validated error relative to the majority class or the mean."""
    if isinstance(tree, DecisionTreeRegressor):
        folds = KFold(3, shuffle=True, random_state=0)
        return 1 - cross_val_score(tree, X, y, cv=folds, scoring="r2").mean()
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    score, floor = (
        cross_val_score(model, X, y, cv=folds).mean()
        for model in (tree, DummyClassifier())
    )
    return (1 - score) / (1 - floor)


def fingerprint(table: pd.DataFrame) -> Fingerprint:
    """Summarise the columns of a table so that a copy of it is recognised.

    Parameters
    ----------
    table : pandas.DataFrame
        Table as its package has it.

    Returns
    -------
    Fingerprint
    """
    counts = [table[name].value_counts() for name in table.columns[:MAX_COLUMNS]]
    values = (_telling(column.index) for column in counts)
    return Fingerprint(
        # Counts survive a change of labels, as from "yes" to 1.
        frozenset(
            tuple(column)
            for column in counts
            if len(column) >= 3 and column.iloc[0] > 2 * MIN_TELLING
        ),
        tuple(keys for keys in values if len(keys) >= MIN_TELLING),
    )


def _telling(values: pd.Index) -> np.ndarray:
    """Keys of the values that cannot coincide: of many digits, or long names."""
    if not pd.api.types.is_numeric_dtype(values) or values.dtype == bool:
        text = values.astype(str).str.strip().str.lower()
        text = text[text.str.len() >= 8].to_numpy(dtype=object)
        return np.unique(pd.util.hash_array(text).astype(np.int64))
    numbers = values.to_numpy(dtype=float)
    numbers = numbers[np.isfinite(numbers) & (numbers != 0)]
    if len(numbers) < MIN_TELLING or _is_dense(numbers):
        return np.zeros(0, dtype=np.int64)
    exponents = np.floor(np.log10(np.abs(numbers)))
    digits = np.round(numbers / 10.0**exponents * 1e5)
    # Six digits are compared; a number that has but three is too round to tell.
    long = digits % 1000 != 0
    return np.unique((digits[long] * 1000 + exponents[long]).astype(np.int64))


def _is_dense(numbers: np.ndarray) -> bool:
    for decimals in range(5):
        if np.allclose(numbers, np.round(numbers, decimals), rtol=0, atol=1e-6):
            return len(numbers) > MAX_DENSITY * np.ptp(numbers) * 10**decimals
    return False


def is_duplicate(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two tables share most of the smaller one's columns.

    Parameters
    ----------
    one, other : Fingerprint
        Two tables. One may hold a part of the other's rows, as long as it has
        columns of many values; columns that were transformed are not recognised.

    Returns
    -------
    bool
    """
    enough = max(2, SHARED_COLUMNS * min(len(one.profiles), len(other.profiles)))
    if len(one.profiles & other.profiles) >= enough:
        return True
    few, many = sorted((one.values, other.values), key=len)
    # Two columns may coincide, as the logarithms of whole numbers do.
    enough = max(2, min(3, len(few)), SHARED_COLUMNS * len(few))
    # Nearly all pairs differ, and a sample of either table shows it.
    if len(few) < enough or not (_overlap(few, many) or _overlap(many, few)):
        return False
    # A column that holds the values of many others is a large one, not a copy.
    twins = [{i for i, b in enumerate(many) if _is_copy(a, b)} for a in few]
    return min(sum(map(bool, twins)), len(set().union(*twins))) >= enough


def _overlap(tables: tuple[np.ndarray, ...], others: tuple[np.ndarray, ...]) -> bool:
    sample = np.concatenate([keys[:: len(keys) // MIN_TELLING] for keys in tables])
    return _share(sample, np.sort(np.concatenate(others))) > SHARED_COLUMNS / 4


def _is_copy(a: np.ndarray, b: np.ndarray) -> bool:
    a, b = sorted((a, b), key=len)
    return _share(a, b) >= SHARED_VALUES


def _share(keys: np.ndarray, others: np.ndarray) -> float:
    """Share of the keys found in the others, which are sorted."""
    places = np.searchsorted(others, keys).clip(max=len(others) - 1)
    return float(np.mean(others[places] == keys))


def unjustified_leaks(tasks: tuple[CorpusTask, ...]) -> list[str]:
    """Print the tasks that a small tree solves; return those without a reason."""
    solved = []
    for task in tasks:
        tree, column, best = find_leak(*load(task, max_rows=LEAK_ROWS), task.task)
        if min(tree, column) < SOLVED:
            solved.append(task.name)
            print(
                f"{task.name}: error left {tree:.3f} by a tree, {column:.3f} by "
                f"{best}: {JUSTIFIED.get(task.name, 'NOT JUSTIFIED')}"
            )
    return [name for name in solved if name not in JUSTIFIED]


def strange_duplicates(tasks: tuple[CorpusTask, ...]) -> list[tuple[str, str]]:
    """Print and return the pairs that hold one table but differ in family."""
    tables = {(task.package, task.item): task for task in tasks}
    prints = [(task, fingerprint(_read_table(*key))) for key, task in tables.items()]
    found = [
        (one.name, other.name)
        for (one, a), (other, b) in combinations(prints, 2)
        if one.family != other.family and is_duplicate(a, b)
    ]
    for pair in found:
        print("The same table in two families:", *pair)
    return found


def _counts(task: CorpusTask) -> dict[str, bool]:
    """Which of the goals a task counts for, on all rows."""
    X, y = load(task)
    table = _table.describe_table(_table.as_table(X))
    strings = (_table.CATEGORICAL, _table.HIGH_CARDINALITY, _table.TEXT)
    classes = task.task == "classification"
    return {
        "tasks": True,
        "classification": classes,
        "with a class under 10 %": classes and y.value_counts().min() < 0.1 * len(y),
        "regression": not classes,
        "10,000 rows or more": table.n_rows >= 10_000,
        "more than 100 encoded columns": table.n_encoded > 100,
        "strings or categories": bool(table.select(*strings)),
        "missing values": table.missing > 0,
        "dates or free text": bool(table.select(_table.DATETIME, _table.TEXT)),
    }


def missed_goals(tasks: tuple[CorpusTask, ...]) -> list[str]:
    """Print how many real tasks there are of each sort; return the goals missed."""
    real = [task for task in tasks if not task.synthetic]
    have = pd.DataFrame([_counts(task) for task in real]).sum()
    have["families"] = len({task.family for task in real})
    print(f"\n{'real tasks':<32}{'have':>6}{'goal':>6}")
    for name, goal in GOALS.items():
        print(f"{name:<32}{have[name]:>6}{goal:>6}")
    return [name for name, goal in GOALS.items() if have[name] < goal]


def main() -> int:
    """Run all checks; return 1 if one of them finds something."""
    checks = (unjustified_leaks, strange_duplicates, missed_goals)
    findings = [check(TASKS) for check in checks]
    return int(any(findings))


if __name__ == "__main__":
    sys.exit(main())
