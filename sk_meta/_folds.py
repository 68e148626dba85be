"""Which rows are fitted on and scored on, in which order, and on how many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from ._splits import N_SPLITS, make_splits
from ._table import Target

Split = tuple[np.ndarray, np.ndarray]

# Rows from which one split tells enough, and how many rows it is scored on at most.
HOLDOUT_ROWS, MAX_TEST_ROWS = 100_000, 20_000
# Training rows of the first looks, each taken where there are four times as many.
LOOKS = (5_000, 50_000)
# Below so many rows the folds are repeated once candidates run out, and so often;
# above, twice, to sharpen close calls.
FEW_ROWS, FEW_REPEATS, REPEAT_ROWS = 300, 4, 5_000
# Searches that may follow, on folds of their own.
N_RESTARTS = 3
# Where the time is short: folds, or rows from which a single split will do, and
# configurations that there should be time for.
_FEWER, _SINGLE_ROWS, _WANTED = 3, 5_000, 20


@dataclass(frozen=True)
class Folds:
    """The splits that all configurations share, in the order they are run.

    Parameters
    ----------
    splits : list of tuple of ndarray
        Training and test rows of everything that may be run.
    stages : tuple of tuple of int
        Positions of the splits that a configuration passes: first looks at a part
        of the rows, one split each, and at last the folds by which it is judged.
    repeats : tuple of tuple of int
        The folds once more, divided otherwise.
    restarts : tuple of tuple of tuple of int
        Folds, and their repeats if there are any, for each of the searches that may
        follow.
    why : str
        Why these, in a sentence without its full stop.
    automatic : bool
        Whether they were chosen here and not by the user.
    """

    splits: list[Split]
    stages: tuple[tuple[int, ...], ...]
    repeats: tuple[tuple[int, ...], ...] = ()
    restarts: tuple[tuple[tuple[int, ...], ...], ...] = ()
    why: str = "as given"
    automatic: bool = False

    @property
    def judged(self) -> list[Split]:
        """The splits by which configurations are compared."""
        return [self.splits[i] for i in self.stages[-1]]

    @property
    def of_one_search(self) -> list[Split]:
        """The splits without those of further searches."""
        later = sum(len(part) for search in self.restarts for part in search)
        return self.splits[: len(self.splits) - later]

    def n_train(self, stage: int) -> int:
        """Training rows of a stage."""
        return len(self.splits[self.stages[stage][0]][0])

    def again(self, number: int) -> Folds:
        """Those of a search that follows, from 1; 0 is the first search itself."""
        if not number:
            return self
        judged, *repeats = self.restarts[number - 1]
        rest = self.restarts[number:]
        return replace(self, stages=(judged,), repeats=tuple(repeats), restarts=rest)


def plan_folds(
    cv, X, y: np.ndarray, target: Target, seed: int, groups=None
) -> Folds:
    """Choose the folds from ``cv`` and the number of rows.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        None is automatic.
    X, y : table and ndarray
    target : Target
    seed : int
    groups : ndarray of shape (n_samples,) or None, default=None
        Rows that belong together, on one side of every split.

    Returns
    -------
    Folds
    """
    n_rows = len(y)
    if cv is None and n_rows >= HOLDOUT_ROWS:
        return holdout(y, target, seed, groups)
    splits = make_splits(cv, X, y, target, seed, groups=groups)
    n_folds = len(splits)
    folds = Folds(splits, (tuple(range(n_folds)),))
    if cv is not None:
        return folds
    why = f"{n_folds} folds for {n_rows:,} rows"
    folds = replace(folds, why=why, automatic=True)
    folds = _with_looks(folds, y, target, seed)
    return _with_repeats(folds, y, target, seed, groups)


def holdout(y: np.ndarray, target: Target, seed: int, groups=None) -> Folds:
    """One split, a fifth of the rows scored on; looks at fewer rows before it."""
    n_rows = len(y)
    n_test = min(n_rows // 5, MAX_TEST_ROWS)
    if groups is None:
        split = _divide(np.arange(n_rows), y, n_test, target, seed)
    else:
        splitter = GroupShuffleSplit(1, test_size=n_test / n_rows, random_state=seed)
        (split,) = splitter.split(np.zeros(n_rows), groups=groups)
    why = f"one split for {n_rows:,} rows"
    folds = Folds([split], ((0,),), why=why, automatic=True)
    return _with_looks(folds, y, target, seed)


def fewer_folds(
    folds: Folds,
    seconds: float,
    left: float,
    y: np.ndarray,
    target: Target,
    seed: int,
    groups=None,
) -> Folds:
    """Three folds, or a single split, where five would take too long.

    Parameters
    ----------
    folds : Folds
        Those that the number of rows alone suggests.
    seconds : float
        Expected for a fold of a typical configuration.
    left : float
        Seconds of all workers together that the search has.
    y, target, seed, groups
        As in :func:`plan_folds`.

    Returns
    -------
    Folds
    """
    n_folds = len(folds.stages[-1])
    enough = seconds * n_folds * _WANTED <= left
    if not folds.automatic or n_folds < N_SPLITS or enough:
        return folds
    why = f"for the time: {seconds:.2g} s a fold are expected"
    if seconds * _FEWER * _WANTED > left and len(y) >= _SINGLE_ROWS:
        return replace(holdout(y, target, seed, groups), why=f"one split {why}")
    splits = make_splits(_FEWER, None, y, target, seed, groups=groups)
    stages = (tuple(range(len(splits))),)
    fewer = Folds(splits, stages, why=f"{len(splits)} folds {why}", automatic=True)
    return _with_looks(fewer, y, target, seed)


def _with_looks(folds: Folds, y, target: Target, seed: int) -> Folds:
    """Put first looks at fewer training rows before the folds."""
    train, test = folds.splits[0]
    splits, stages = list(folds.splits), []
    for n_rows in LOOKS:
        if len(train) >= 4 * n_rows:
            part = _divide(train, y[train], n_rows, target, seed)[1]
            stages.append((len(splits),))
            # With one split all looks are scored on its rows, and can be compared
            # with it; with several a part of the rows is enough.
            scored = test
            if len(folds.judged) > 1 and len(test) > n_rows:
                scored = _divide(test, y[test], n_rows, target, seed)[1]
            splits.append((part, scored))
    return replace(folds, splits=splits, stages=(*stages, *folds.stages))


def with_restarts(
    folds: Folds, y: np.ndarray, target: Target, seed: int, groups=None
) -> Folds:
    """Put folds for further searches behind those of the first.

    Parameters
    ----------
    folds : Folds
    y, target, seed, groups
        As in :func:`plan_folds`.

    Returns
    -------
    Folds
        The same if the folds were given, if there are looks at fewer rows before them
        or there is a single split, and with many rows in groups.
    """
    dear = len(folds.stages) > 1 or len(folds.judged) == 1
    # To deal thousands of groups out evenly takes seconds.
    dear |= groups is not None and len(y) > REPEAT_ROWS
    if dear or not folds.automatic:
        return folds
    size = len(folds.repeats)
    numbers = range(size + 1, (N_RESTARTS + 1) * (size + 1))
    splits, parts = _divided_again(folds, y, target, seed, groups, numbers)
    restarts = tuple(parts[i : i + size + 1] for i in range(0, len(parts), size + 1))
    return replace(folds, splits=splits, restarts=restarts)


def _with_repeats(folds: Folds, y, target: Target, seed: int, groups) -> Folds:
    """Put the folds once more, divided otherwise, behind them."""
    if len(y) > REPEAT_ROWS:
        return folds
    size = FEW_REPEATS if len(y) < FEW_ROWS else 1
    splits, repeats = _divided_again(folds, y, target, seed, groups, range(1, size + 1))
    return replace(folds, splits=splits, repeats=repeats)


def _divided_again(
    folds: Folds, y, target: Target, seed: int, groups, numbers: range
) -> tuple[list[Split], tuple[tuple[int, ...], ...]]:
    """All splits, with others behind them, and where those are, for every number."""
    splits, parts = list(folds.splits), []
    for number in numbers:
        others = make_splits(
            len(folds.judged), None, y, target, seed + number, groups=groups, warn=False
        )
        parts.append(tuple(range(len(splits), len(splits) + len(others))))
        splits += others
    return splits, tuple(parts)


def _divide(rows: np.ndarray, y, n_second: int, target: Target, seed: int) -> Split:
    """Divide rows in two at random, stratified where every class has members."""
    divide = partial(train_test_split, rows, test_size=n_second, random_state=seed)
    try:
        first, second = divide(stratify=None if target.classes is None else y)
    except ValueError:  # a class has too few members
        first, second = divide()
    return np.sort(first), np.sort(second)
