"""Which rows are fitted on and scored on, in which order, and on how many."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
# Searches that may follow on up to ``REPEAT_ROWS``, on folds of their own.
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
        Folds, and their repeats, for each of the searches that may follow.
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
    return _with_repeats(folds, X, y, target, seed, groups)


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


def _with_repeats(folds: Folds, X, y, target: Target, seed: int, groups) -> Folds:
    """Divide the rows otherwise, for repeats and for further searches."""
    n_rows = len(y)
    if n_rows > REPEAT_ROWS:
        return folds
    n_repeats = FEW_REPEATS if n_rows < FEW_ROWS else 1
    splits, divisions = list(folds.splits), []
    for number in range(1, (N_RESTARTS + 1) * (n_repeats + 1)):
        others = make_splits(
            len(folds.judged), X, y, target, seed + number, groups=groups, warn=False
        )
        divisions.append(tuple(range(len(splits), len(splits) + len(others))))
        splits += others
    repeats, rest = divisions[:n_repeats], divisions[n_repeats:]
    starts = range(0, len(rest), n_repeats + 1)
    restarts = tuple(tuple(rest[i : i + n_repeats + 1]) for i in starts)
    return replace(folds, splits=splits, repeats=tuple(repeats), restarts=restarts)


def _divide(rows: np.ndarray, y, n_second: int, target: Target, seed: int) -> Split:
    """Divide rows in two at random, stratified where every class has members."""
    for labels in (None if target.classes is None else y, None):
        try:
            first, second = train_test_split(
                rows, test_size=n_second, stratify=labels, random_state=seed
            )
        except ValueError:  # a class has too few members
            continue
        return np.sort(first), np.sort(second)
    raise ValueError(f"{len(rows)} rows can't be divided")
