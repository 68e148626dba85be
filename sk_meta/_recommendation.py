"""How likely each configuration is to be the best, and why it is recommended."""

from __future__ import annotations

from collections.abc import Container

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ._belief import Belief

N_NEAREST = 5
# What counts as doing well on a prior task, near or anywhere; as cheap; the draws.
_BEST, _GOOD, _CHEAP, _N_DRAWS = 0.1, 0.25, 0.25, 4096
_SHOWN = 3  # names of tasks in a reason


def probability_best(belief: Belief, indices: list[int]) -> np.ndarray:
    """Probability of each configuration to have the lowest loss of all.

    The share of draws from the joint distribution in which it has: what is believed of
    one is not independent of what is believed of the others.

    Parameters
    ----------
    belief : Belief
    indices : list of int
        Positions of those that are compared.

    Returns
    -------
    ndarray of shape (n_indices,)
        They sum to one. The same in every call; from 4,096 draws, so that the
        standard error is below 0.01.
    """
    rng, n = np.random.default_rng(0), len(indices)
    wins = np.zeros(n)
    if not n:
        return wins
    own = belief.nugget * np.eye(n)
    for weight, part in zip(belief.weights, belief.components, strict=True):
        covariance = part.covariance[np.ix_(indices, indices)] + own
        draws = rng.multivariate_normal(
            part.mean[indices], covariance, int(np.ceil(weight * _N_DRAWS)),
            method="eigh", check_valid="ignore",
        )  # fmt: skip
        wins += weight * np.bincount(draws.argmin(axis=1), minlength=n) / len(draws)
    return wins


def reasons(
    belief: Belief, neighbors: pd.DataFrame, own: Container[str] = ()
) -> dict[str, str]:
    """Why a configuration is, or is not, recommended: what it did on the prior tasks.

    Parameters
    ----------
    belief : Belief
        Its history has the losses on the prior tasks.
    neighbors : DataFrame
        Indexed by task, the nearest first; see :meth:`MetaModel.neighbors`.
    own : container of str, default=()
        Configurations that no prior task knows; told is what their relatives did.

    Returns
    -------
    dict of str to str
    """
    history = belief.history
    # Share of the configurations that were better on a prior task.
    place = (rankdata(history.h, axis=1, method="min") - 1) / history.h.shape[1]
    usually = history.weights @ (place < _GOOD)
    near = [task for task in neighbors.index if task in history.tasks.index]
    near = near[:N_NEAREST]
    best = place[history.tasks.index.get_indexer(near)] < _BEST
    found = {}
    for name, column, share in zip(history.names, best.T, usually, strict=True):
        where = [task for task, is_best in zip(near, column, strict=True) if is_best]
        parts = [f"in the best quarter on {100 * share:.0f} % of all prior tasks"]
        if belief.novelty > 1:
            parts.append("this one is unlike all of them")
        elif where:
            shown = ", ".join(where[:_SHOWN]) + (", …" if len(where) > _SHOWN else "")
            parts.insert(
                0, f"in the best tenth on {len(where)} of the {len(near)} prior tasks "
                f"nearest to this one ({shown})",
            )  # fmt: skip
        start = "your own, expected to do as its relatives do: " if name in own else ""
        found[name] = start + "; ".join(parts)
    return found


def recommendation(
    ranking: pd.DataFrame, belief: Belief, neighbors: pd.DataFrame, own: set[str]
) -> pd.DataFrame:
    """A ranking with the probability of being the best, and the reason in words.

    Parameters
    ----------
    ranking : DataFrame
        See :func:`._report.ranking_frame`.
    belief : Belief
    neighbors : DataFrame
        See :meth:`MetaModel.neighbors`.
    own : set of str
        Configurations that no prior task knows.

    Returns
    -------
    DataFrame
        The ranking with the columns probability_best and reason, before excluded.
    """
    usable = ranking["excluded"].isna().to_numpy()
    known = ranking[usable]
    place = {name: i for i, name in enumerate(belief.names)}
    indices = [place[name] for name in known["configuration"]]
    why, first = reasons(belief, neighbors, own), ~known["family"].duplicated()
    cheap = known["predicted_seconds"].rank(pct=True) <= _CHEAP
    words = []
    for name, family, leads, quick in zip(
        known["configuration"], known["family"], first, cheap, strict=True
    ):
        text = why[name]
        text += f"; the most promising of its family ({family})" if leads else ""
        words.append(text + ("; cheap" if quick else ""))
    table = ranking.copy()
    chances = np.full(len(table), np.nan)
    chances[usable] = probability_best(belief, indices)
    position = table.columns.get_loc("excluded")
    table.insert(position, "probability_best", chances)
    rest = [None] * (len(table) - len(words))
    table.insert(position + 1, "reason", pd.Series([*words, *rest], table.index))
    return table
