"""Training and test rows: the user's own, or stratified and grouped ones."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)

from ._log import warn_user
from ._table import Target

N_SPLITS = 5


def own_splits(cv, X, y, target: Target, groups=None) -> list[tuple]:
    """Training and test rows of a splitter or an iterable of the user.

    Parameters
    ----------
    cv : splitter or iterable
    X, y : table and ndarray
    target : Target
    groups : ndarray of shape (n_samples,) or None, default=None

    Returns
    -------
    list of tuple of ndarray

    Raises
    ------
    ValueError
        If there is no split, or none that can be used.
    """
    splitter = check_cv(cv, y, classifier=target.task == "classification")
    splits = [tuple(map(_rows, split)) for split in splitter.split(X, y, groups)]
    if not splits:
        raise ValueError(
            f"cv={_short(cv)} yields no split. A generator is used up after one fit: "
            "pass a list of splits, or a splitter."
        )
    if not all(len(train) and len(test) for train, test in splits):
        raise ValueError(
            f"cv={_short(cv)} yields a split without training or test rows."
        )
    last = max(int(part.max()) for split in splits for part in split)
    if last >= len(y):
        raise ValueError(
            f"cv={_short(cv)} names row {last}, and there are {len(y)}. Positions are "
            "wanted, from 0, and not labels of an index."
        )
    return _of_several_classes(splits, y, target, cv)


def _of_several_classes(splits: list[tuple], y, target: Target, cv) -> list[tuple]:
    """The splits whose training rows have more than one class."""
    if target.n_classes < 2:
        return splits
    left = [split for split in splits if (y[split[0]] != y[split[0][0]]).any()]
    if not left:
        raise ValueError(
            f"cv={_short(cv)}: the training rows of every split are of one class. "
            "Where splits follow the order of the rows, these may be sorted by class."
        )
    if len(left) < len(splits):
        warn_user(
            f"{len(splits) - len(left)} of {len(splits)} splits of cv are left out: "
            "their training rows are of one class."
        )
    return left


def _short(value) -> str:
    """A value in a few words."""
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= 80 else f"{shown[:80]}…"


def _rows(rows) -> np.ndarray:
    """Row numbers, also of a mask."""
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def renumbered(splits: list[tuple], kept: np.ndarray) -> list[tuple]:
    """Splits of the rows that are kept.

    Parameters
    ----------
    splits : list of tuple of ndarray
        Of all rows.
    kept : ndarray of shape (n_samples,)
        Whether each row is kept.

    Returns
    -------
    list of tuple of ndarray

    Raises
    ------
    ValueError
        If nothing is left of the training or the test rows of a split.
    """
    place = np.cumsum(kept) - 1
    left = [tuple(place[part[kept[part]]] for part in split) for split in splits]
    if not all(len(part) for split in left for part in split):
        raise ValueError(
            "All training or all test rows of a split have a sample_weight of zero. "
            "Leave that split out of cv."
        )
    return left


def make_splits(
    cv, X, y, target: Target, random_state: int, *, groups=None, warn: bool = True
) -> list:
    """Training and test rows of every fold.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        None is five shuffled folds, an int that many; stratified for classes, and
        without a group on both sides if there are groups.
    X, y : table and ndarray
    target : Target
    random_state : int
        Shuffles the folds of an int or None.
    groups : ndarray of shape (n_samples,) or None, default=None
        Rows that belong together.
    warn : bool, default=True
        Whether to say that there are fewer folds than asked for.

    Returns
    -------
    list of tuple of ndarray

    Warns
    -----
    UserWarning
        If a class has fewer members than folds, so that there are fewer folds.
    """
    if cv is not None and not isinstance(cv, (int, np.integer)):
        return own_splits(cv, X, y, target, groups)
    if cv is not None and cv < 2:
        raise ValueError(f"cv={cv!r} is too few folds. Use 2 or more.")
    # R² is not defined on a single row, so every fold has two.
    wanted = min(N_SPLITS if cv is None else int(cv), max(2, len(y) // 2))
    if groups is not None:
        return _grouped(wanted, y, target, random_state, groups)
    if target.classes is None or target.n_classes == 1:
        return list(KFold(wanted, shuffle=True, random_state=random_state).split(y))
    n_splits = _affordable(wanted, target.classes, target.counts, warn)
    splitter = StratifiedKFold(n_splits, shuffle=True, random_state=random_state)
    with warnings.catch_warnings():
        # Our own warning says the same and what was done.
        warnings.filterwarnings("ignore", message="The least populated class")
        if target.counts.max() < n_splits:
            splitter = KFold(n_splits, shuffle=True, random_state=random_state)
        splits = list(splitter.split(np.zeros(len(y)), y))
    return _train_on_singletons(splits, y, target.classes[target.counts == 1], warn)


def _grouped(wanted: int, y, target: Target, seed: int, groups) -> list:
    """Folds without a group on both sides, stratified as far as that goes."""
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            "groups holds a single group, which can't be on both sides of a split. "
            "Leave groups out, or pass cv as a list of splits."
        )
    wanted = min(wanted, n_groups)
    splitter = GroupKFold(wanted, shuffle=True, random_state=seed)
    if target.n_classes > 1 and target.counts.max() >= wanted:
        splitter = StratifiedGroupKFold(wanted, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        splits = list(splitter.split(np.zeros(len(y)), y, groups))
    return [split for split in splits if len(split[0]) and len(split[1])]


def _affordable(
    wanted: int, classes: np.ndarray, counts: np.ndarray, warn: bool
) -> int:
    """Fewer folds if a class has fewer members, but at least two.

    A class with one member does not count: it is not scored.
    """
    several = np.flatnonzero(counts > 1)
    if not len(several):
        return wanted
    rare = several[counts[several].argmin()]
    members = int(counts[rare])
    if members < wanted and warn:
        warn_user(
            f"Class {str(classes[rare])!r} has {members} members: {members} folds are "
            f"used instead of {wanted}. Collect more of it, or merge rare classes."
        )
    return min(members, wanted)


def _train_on_singletons(
    splits: list, y: np.ndarray, singles: np.ndarray, warn: bool
) -> list:
    """A class with one member is always trained on, never scored on."""
    alone = np.isin(y, singles)
    if not alone.any() or alone.all():
        return splits
    if warn:
        warn_user(
            f"Classes with one member are trained on but never scored: "
            f"{[str(label) for label in singles[:5]]}. Collect more of them, or merge "
            "rare classes."
        )
    rows = np.flatnonzero(alone)
    return [
        (np.union1d(train, rows), test[~alone[test]])
        for train, test in splits
        if not alone[test].all()
    ]
