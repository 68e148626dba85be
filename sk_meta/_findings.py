"""What in a table may spoil a model: found before the search, told, never repaired.

A part of the rows is looked at, so that the cost hardly grows with the table.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import rankdata
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ._columns import as_floats
from ._kinds import (
    CATEGORIES,
    CONSTANT,
    DATETIME,
    IDENTIFIER,
    LEFT_OUT,
    MISSING,
    NUMERIC,
    SYMBOLIC,
)
from ._problem import Problem
from ._table import main_output
from ._texts import other_order, unread

MOSTLY_MISSING = 0.5  # share of the values
LEAK = 0.98  # of the way from guessing to a perfect prediction, on held-out rows
DRIFT = 0.2  # how far the chance of being larger in the test rows is from one half
# Rows, columns and cells looked at; cells among which equal rows are sought; the
# fewest rows that tell anything.
_ROWS, _COLUMNS, _CELLS, _ALL_CELLS, _FEWEST = 1_000, 2_000, 200_000, 5_000_000, 30
_SCREEN, _MOST_SUSPECTS = 0.8, 20  # a neighbour's value tells so much; trees fitted
_MOST_LEVELS, _DRIFT_SD, _FEWEST_IDENTIFIERS, _FEWEST_MEMBERS = 10, 5.0, 20, 5
_KINDS = {
    CONSTANT: ("constant", "the same value in every row", "left out"),
    MISSING: ("all missing", "no value in any row", "left out"),
    IDENTIFIER: (
        "identifier-like", "names the rows and says nothing of others",
        "left out; column_kinds declares it to be something else",
    ),
}  # fmt: skip


def find(problem: Problem) -> pd.DataFrame:
    """Look for what is wrong with the data.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    DataFrame
        problem ("constant", "all missing", "identifier-like", "mostly missing",
        "duplicated rows", "leak-suspect", "drift between splits", "rows in time
        order", "unread values" or "ambiguous dates"), columns (list of names or
        positions), detail, and action: what is done about it, or what to do. Of more
        than 2,000 columns, the first 2,000 are looked through for leaks and drift.
    """
    found = [*_of_kinds(problem), *_mostly_missing(problem), *_row_numbers(problem),
             *_duplicated(problem)]  # fmt: skip
    if problem.target.n_classes != 1:
        rows = _some_rows(problem)
        columns = _Columns(problem, rows)
        found += _leaks(problem, rows, columns)
        found += _drifts(problem, rows, columns)
    found += [*_time_order(problem), *_misread(problem)]
    return pd.DataFrame(found, columns=["problem", "columns", "detail", "action"])


def _of_kinds(problem: Problem):
    """Columns that are left out for what they are."""
    for kind, (name, detail, action) in _KINDS.items():
        if selectors := problem.table.select(kind):
            yield name, selectors, detail, action


def _mostly_missing(problem: Problem):
    shares = {c.selector: c.missing for c in problem.table.columns
              if MOSTLY_MISSING < c.missing < 1}  # fmt: skip
    if shares:
        most = max(shares.values())
        yield (
            "mostly missing", list(shares), f"up to {100 * most:.0f} % are missing",
            "kept: models see that a value is missing; drop it if that says nothing",
        )  # fmt: skip


def _row_numbers(problem: Problem):
    """Whole numbers that count the rows, whatever the column is called."""
    X, n_rows, found = problem.X, len(problem.y), []
    if sparse.issparse(X) or n_rows < _FEWEST_IDENTIFIERS:
        return
    for position, column in enumerate(problem.table.columns):
        if column.kind != NUMERIC or column.missing:
            continue
        # By place: a slice of a series with an index of floats goes by label.
        frame = isinstance(X, pd.DataFrame)
        values = X.iloc[:, position].array if frame else X[:, position]
        head = np.asarray(values[:_FEWEST_IDENTIFIERS], dtype=float)
        if not all(value.is_integer() for value in head.tolist()):
            continue
        values = np.asarray(values, dtype=float)
        if np.ptp(values) == n_rows - 1 and len(np.unique(values)) == n_rows:
            found.append(column.selector)
    if found:
        yield (
            "identifier-like", found, "counts the rows",
            'kept, as it has no such name; column_kinds={...: "identifier"} leaves it '
            "out",
        )  # fmt: skip


def _duplicated(problem: Problem):
    X, n_columns = problem.X, problem.X.shape[1]
    if sparse.issparse(X):
        return
    n_rows = min(len(problem.y), max(1_000, _ALL_CELLS // n_columns))
    try:
        part = X.iloc[:n_rows] if isinstance(X, pd.DataFrame) else X[:n_rows]
        keys = _keys(part, problem.table)
    except (TypeError, NotImplementedError):  # lists and the like can't be compared
        return
    copies = keys.duplicated().to_numpy()
    if not copies.any():
        return
    seen = "" if n_rows == len(problem.y) else f" of the first {n_rows:,}"
    detail = f"{copies.sum():,} rows{seen} equal an earlier one"
    if problem.target.n_classes:
        labels = pd.Series(problem.y[:n_rows]).groupby(keys.to_numpy()).nunique()
        if n_torn := (labels > 1).sum():
            detail += f"; {n_torn:,} sets of copies have different labels"
    yield (
        "duplicated rows", [], detail,
        "kept; copies on both sides of a split flatter the scores: drop them, or give "
        "each set of copies one value of groups",
    )  # fmt: skip


def _keys(part, table) -> pd.Series:
    """A number for each row that is the same for equal rows."""
    if isinstance(part, pd.DataFrame):
        if not (table.only_numeric and table.plain):
            return pd.util.hash_pandas_object(part, index=False)
        part = part.to_numpy()
    return pd.Series([hash(row.tobytes()) for row in part])


def _some_rows(problem: Problem) -> np.ndarray:
    """Rows to look at, in their order."""
    n_rows, n_columns = problem.X.shape
    size = min(_ROWS, _CELLS // min(n_columns, _COLUMNS))
    if n_rows <= size:
        return np.arange(n_rows)
    rng = np.random.RandomState(problem.random_state)
    return np.sort(rng.choice(n_rows, size, replace=False))


class _Columns:
    """Some rows of the columns that are used, as numbers.

    Parameters
    ----------
    problem : Problem
    rows : ndarray of shape (n_rows,)
    """

    def __init__(self, problem: Problem, rows: np.ndarray):
        X, columns = problem.X, problem.table.columns
        used = [i for i, c in enumerate(columns) if c.kind not in LEFT_OUT][:_COLUMNS]
        self.selectors = [columns[i].selector for i in used]
        self.symbolic = [columns[i].kind in SYMBOLIC for i in used]
        self.few_levels = [columns[i].kind in CATEGORIES for i in used]
        if isinstance(X, pd.DataFrame):
            block = X.iloc[rows]
            values = [_numbers(block.iloc[:, i], columns[i]) for i in used]
            self.values = np.column_stack(values)
        else:
            block = X[rows][:, used]
            block = block.toarray() if sparse.issparse(block) else block
            self.values = np.asarray(block, dtype=float)
        # A missing value is a value of its own, below all others.
        lowest = np.nanmin(np.where(np.isfinite(self.values), self.values, 0), axis=0)
        self.values = np.where(np.isnan(self.values), lowest - 1, self.values)
        self.values = np.clip(self.values, -1e30, 1e30)


def _numbers(series: pd.Series, column) -> np.ndarray:
    if column.kind not in SYMBOLIC:
        return as_floats(series, column)
    codes, _ = pd.factorize(series.astype(str), sort=True)
    return codes.astype(float)


def _leaks(problem: Problem, rows: np.ndarray, columns: _Columns):
    """Columns each of which predicts the target almost perfectly, alone."""
    target, described = main_output(problem.y[rows], problem.target)
    if len(rows) < _FEWEST or (target == target[0]).all():
        return
    quantity = described.task == "regression"
    if quantity:  # of ranks: a few huge values don't decide
        y = rankdata(target) / len(target)
    else:
        y = np.unique(target, return_inverse=True)[1]
    rng = np.random.RandomState(problem.random_state)
    mixed = rng.permutation(len(rows))  # equal values are in no order then
    values, y = columns.values[mixed], y[mixed]
    told = _told_by_neighbour(values, y, quantity)
    likely = np.argsort(-told, kind="stable")[:_MOST_SUSPECTS]
    for j in sorted(j for j in likely if told[j] >= _SCREEN):
        share = _told_by_tree(values[:, [j]], y, quantity, problem.random_state)
        if share >= LEAK:
            measure = "R² of the ranks" if quantity else "balanced accuracy over chance"
            yield (
                "leak-suspect", [columns.selectors[j]],
                f"predicts the target alone: {measure} {share:.3f} on held-out rows",
                "kept; if it is not known when a prediction is wanted, drop it",
            )  # fmt: skip


def _told_by_neighbour(values: np.ndarray, y: np.ndarray, quantity: bool) -> np.ndarray:
    """How well the next row in the order of a column tells the target of a row.

    About 1 for a function of the column and 0 for no relation, of whatever shape
    (Chatterjee 2021, "A new coefficient of correlation", JASA 116).
    """
    ordered = y[np.argsort(values, axis=0, kind="stable")]
    if quantity:
        gaps = (np.diff(ordered, axis=0) ** 2).mean(axis=0)
        return 1 - gaps / max(2 * y.var(), 1e-12)
    differ = (np.diff(ordered, axis=0) != 0).mean(axis=0)
    expected = 1 - ((np.bincount(y) / len(y)) ** 2).sum()
    return 1 - differ / max(expected, 1e-12)


def _told_by_tree(values: np.ndarray, y: np.ndarray, quantity: bool, seed) -> float:
    """What a tree fitted on one half of the rows tells of the other, both ways."""
    tree = DecisionTreeRegressor if quantity else DecisionTreeClassifier
    predicted = np.empty(len(y))
    # Every other row of each class, or of the sorted quantity.
    half = np.empty(len(y), dtype=bool)
    half[np.argsort(y, kind="stable")] = np.arange(len(y)) % 2 == 0
    for fitted in (half, ~half):
        model = tree(max_leaf_nodes=64, random_state=seed)
        model.fit(values[fitted], y[fitted])
        predicted[~fitted] = model.predict(values[~fitted])
    if quantity:
        return float(1 - ((y - predicted) ** 2).mean() / max(y.var(), 1e-12))
    counts = np.bincount(y)
    classes = np.flatnonzero(counts >= min(_FEWEST_MEMBERS, counts.max()))
    right = np.mean([(predicted[y == c] == c).mean() for c in classes])
    chance = 1 / len(classes)
    return float((right - chance) / max(1 - chance, 1e-12))


def _drifts(problem: Problem, rows: np.ndarray, columns: _Columns):
    """Columns that are otherwise in the test rows than in the training rows."""
    if problem.folds.automatic and problem.groups is None:
        return  # divided at random
    names, values = _comparable(problem, rows, columns)
    largest = np.zeros(values.shape[1])
    for train, test in problem.splits:
        here, there = np.isin(rows, train), np.isin(rows, test)
        if min(here.sum(), there.sum()) < _FEWEST:
            continue
        gaps = _chance_of_larger(values[here | there], there[here | there])
        largest = np.where(np.abs(gaps) > np.abs(largest), gaps, largest)
    drifting = [(n, g) for n, g in zip(names, largest, strict=True) if abs(g) >= DRIFT]
    for what, target in (("these columns differ", False), ("the target differs", True)):
        part = {name: gap for name, gap in drifting if (name is None) == target}
        if not part:
            continue
        share = 100 * (0.5 + max(map(abs, part.values())))
        yield (
            "drift between splits", [] if target else list(part),
            f"{what} between training and test rows: one is larger than the other in "
            f"up to {share:.0f} % of all pairs",
            "kept; compare the scores of the splits in cv_results_: if they follow "
            "each other in time, the last tells most of what is to come",
        )  # fmt: skip


def _comparable(problem: Problem, rows, columns: _Columns) -> tuple[list, np.ndarray]:
    """Numbers, indicators of frequent levels, and the target (named None)."""
    names: list = []
    parts: list[np.ndarray] = []
    described = zip(
        columns.selectors, columns.symbolic, columns.few_levels, columns.values.T,
        strict=True,
    )  # fmt: skip
    for name, symbolic, few, values in described:
        if not symbolic:
            names, parts = [*names, name], [*parts, values]
        elif few:
            levels, counts = np.unique(values, return_counts=True)
            frequent = levels[np.argsort(-counts, kind="stable")[:_MOST_LEVELS]]
            names += [name] * len(frequent)
            parts += [(values == level).astype(float) for level in frequent]
    if problem.y.ndim == 1 and problem.target.n_classes <= 2:
        names.append(None)
        parts.append(np.unique(problem.y[rows], return_inverse=True)[1].astype(float))
    return names, np.column_stack([np.empty((len(rows), 0)), *parts])


def _chance_of_larger(values: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Chance that a test row has a larger value than a training row, less one half.

    Zero where it may be by chance (Mann and Whitney 1947).
    """
    n_test, n_train = test.sum(), (~test).sum()
    ranks = rankdata(values, axis=0)[test].sum(axis=0)
    gaps = (ranks - n_test * (n_test + 1) / 2) / (n_test * n_train) - 0.5
    sd = np.sqrt((n_test + n_train + 1) / (12 * n_test * n_train))
    return np.where(np.abs(gaps) > _DRIFT_SD * sd, gaps, 0.0)


def _time_order(problem: Problem):
    """Rows sorted by a date, while the splits mix earlier and later rows."""
    if not isinstance(problem.X, pd.DataFrame) or len(problem.y) < _FEWEST:
        return
    if all(train.max() < test.min() for train, test in problem.splits):
        return
    found = []
    spread = np.unique(np.linspace(0, len(problem.y) - 1, _ROWS).astype(int))
    for position, column in enumerate(problem.table.columns):
        if column.kind != DATETIME:
            continue
        dates = as_floats(problem.X.iloc[spread, position], column)
        dates = dates[np.isfinite(dates)]
        steps = np.diff(dates)
        if len(dates) >= _FEWEST and (steps != 0).any() and (
            (steps >= 0).all() or (steps <= 0).all()
        ):  # fmt: skip
            found.append(column.selector)
    if found:
        yield (
            "rows in time order", found,
            "the rows are sorted by date, and the splits mix earlier and later ones",
            "kept; if later rows are to be predicted, the scores flatter: sort from "
            "earlier to later and pass cv=TimeSeriesSplit(5)",
        )  # fmt: skip


def _misread(problem: Problem):
    """Texts that were not read as the rest of their column, or may be so by chance."""
    if not isinstance(problem.X, pd.DataFrame):
        return
    rows = np.unique(np.linspace(0, len(problem.y) - 1, _ROWS).astype(int))
    for position, column in enumerate(problem.table.columns):
        if not column.is_text:
            continue
        series = problem.X.iloc[rows, position]
        lost = unread(series, column.kind, column.detail)
        if len(lost):
            yield (
                "unread values", [column.selector],
                f"{len(lost)} of {len(rows):,} values can't be read as {column.kind}, "
                f"such as {lost.iloc[0]!r}",
                "taken as missing; convert them, or declare the column to be "
                "categories or text with column_kinds",
            )  # fmt: skip
        if column.kind != DATETIME:
            continue
        if other := other_order(series, column.detail):
            yield (
                "ambiguous dates", [column.selector],
                f"read as {column.detail}, and could be as {other}",
                "kept; if that is wrong, convert the column with pd.to_datetime(column,"
                f" format={other!r}), here and before predict",
            )  # fmt: skip
