"""A fitted estimator in one paragraph of plain words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ._evaluation import DROPPED, OK, TIMEOUT

_TRIED = {DROPPED: "dropped early",
          TIMEOUT: "not finished",
          "excluded": "more not for this table"}  # fmt: skip


def summarise(fitted) -> str:
    """What was tried, what won, why it stopped, and what the data are like.

    Parameters
    ----------
    fitted : estimator
        Its attributes are read.

    Returns
    -------
    str
    """
    parts = [_tried(fitted), _won(fitted), _stopped(fitted), _combined(fitted)]
    return " ".join([*parts, _found(fitted.findings_)])


def _tried(fitted) -> str:
    board, results = fitted.leaderboard_, fitted.evaluations_
    counts = board["status"].value_counts()
    n_tried = len(board) - counts.get("excluded", 0)
    others = [f"{counts[s]} {words}" for s, words in _TRIED.items() if counts.get(s)]
    n_failed = counts.sum() - counts.get(OK, 0) - sum(counts.get(s, 0) for s in _TRIED)
    others += [f"{n_failed} failed"] if n_failed else []
    return (
        f"{_counted(n_tried, 'configuration')} tried for this {fitted.task_} of "
        f"{fitted.n_features_in_} columns, on {_folds(fitted)}: "
        f"{len(results)} fits in {fitted.search_time_:.1f} s; {counts.get(OK, 0)} "
        f"finished{''.join(f', {words}' for words in others)}."
    )


def _counted(number: int, thing: str) -> str:
    return f"1 {thing} was" if number == 1 else f"{number} {thing}s were"


def _folds(fitted) -> str:
    n_splits = fitted.n_splits_
    return "one split" if n_splits == 1 else f"{n_splits} folds"


def _won(fitted) -> str:
    done = fitted.leaderboard_.dropna(subset=["mean_score"])
    if done.empty:
        return "None could be evaluated, and the predictions are constant."
    first = done.iloc[0]
    text = (
        f"The best single one is {first['configuration']} ({first['family']}) with a "
        f"mean score of {first['mean_score']:.4g} ± {first['sd_score']:.2g} over the "
        "folds"
    )
    beaten = []
    if len(done) > 1:
        second, gap = done.iloc[1], first["mean_score"] - done["mean_score"].iloc[1]
        more = f"{gap:.2g} more than" if gap > 1e-9 else "as much as"
        beaten.append(f"{more} the next ({second['configuration']})")
    if np.isfinite(fitted.dummy_score_):
        gap = first["mean_score"] - fitted.dummy_score_
        beaten.append(f"{gap:.2g} more than a constant prediction")
    return f"{text}{', ' if beaten else ''}{' and '.join(beaten)}."


def _stopped(fitted) -> str:
    return f"The search ended: {fitted.stop_reason_}."


def _combined(fitted) -> str:
    members = fitted.members_
    if len(members) < 2:
        return "It predicts alone: no combination of several was found to be better."
    weights = members.set_index("configuration")["weight"]
    named = ", ".join(f"{name} ({weight:.2f})" for name, weight in weights.items())
    text = f"Predictions are a weighted mean of {len(members)}: {named}"
    if np.isfinite(fitted.ensemble_score_):
        text += (
            f"; its score on folds that its selection did not see is "
            f"{fitted.ensemble_score_:.4g}"
        )
    return f"{text}."


def _found(findings: pd.DataFrame) -> str:
    if findings.empty:
        return "Nothing was found to be wrong with the data."
    kinds = []
    for problem, part in findings.groupby("problem", sort=False):
        names = [str(name) for columns in part["columns"] for name in columns]
        shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        kinds.append(f"{problem} ({shown})" if shown else str(problem))
    return f"Found in the data: {'; '.join(kinds)}; findings_ says what to do."
