"""A fitted estimator in one paragraph of plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from ._catalogue import own_names
from ._evaluation import DROPPED, OK, TIMEOUT
from ._record import REPEAT, RESTART
from ._report import metric_name

_LEVEL = 1e-9  # difference of scores that is none
_ABSENT = r"^needs the package (\S+), which is not installed"
_BOOSTING = {"catboost", "lightgbm", "xgboost"}
_TRIED = {DROPPED: "dropped early", TIMEOUT: "not finished"}


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
    parts = [_tried(fitted), _untried(fitted), _won(fitted), _stopped(fitted),
             _combined(fitted), _found(fitted.findings_)]  # fmt: skip
    return " ".join(filter(None, parts))


def _tried(fitted) -> str:
    board, results = fitted.leaderboard_, fitted.evaluations_
    counts = board["status"].value_counts()
    n_tried = len(board) - counts.get("excluded", 0)
    others = [f"{counts[s]} {words}" for s, words in _TRIED.items() if counts.get(s)]
    n_failed = n_tried - counts.get(OK, 0) - sum(counts.get(s, 0) for s in _TRIED)
    others += [f"{n_failed} failed"] if n_failed else []
    repeats = " and repetitions" if results["stage"].eq(REPEAT).any() else ""
    if results["stage"].eq(RESTART).any():
        repeats += ", and anew on other folds"
    return (
        f"{_counted(n_tried, 'configuration')} {'was' if n_tried == 1 else 'were'} "
        f"tried for this {fitted.task_} of {_counted(fitted.n_features_in_, 'column')}"
        f", on {_folds(fitted)}{repeats}: {_counted(len(results), 'fit')} in "
        f"{fitted.search_time_:.1f} s; {counts.get(OK, 0)} "
        f"finished{''.join(f', {words}' for words in others)}."
    )


def _untried(fitted) -> str:
    """What could not be tried, and what of the user's own was not."""
    board = fitted.leaderboard_
    reasons = board.loc[board["status"] == "excluded", "reason"]
    told = [f"{why_not_more(reasons)} (leaderboard_)."] if len(reasons) else []
    known = set(board["configuration"])
    own = [name for name in own_names(fitted.candidates) if name not in known]
    if own:
        told.append(
            f"Of your own, {', '.join(own)} {'was' if len(own) == 1 else 'were'} not "
            "tried before the search ended."
        )
    return " ".join(told)


def why_not_more(reasons: pd.Series) -> str:
    """How many configurations could not be used, and what would change that.

    Parameters
    ----------
    reasons : Series of str
        Why each was excluded.

    Returns
    -------
    str
        Words without a full stop.
    """
    packages = reasons.str.extract(_ABSENT, expand=False).dropna()
    parts = []
    if n_packages := len(packages):
        names = set(packages)
        hint = ": pip install 'sk-meta[boosting]'" if names <= _BOOSTING else ""
        parts.append(
            f"{n_packages} more need{'s' * (n_packages == 1)} what is not installed "
            f"({', '.join(sorted(names))}{hint})"
        )
    if n_others := len(reasons) - n_packages:
        parts.append(f"{n_others} more can't be used on this table")
    return "; ".join(parts)


def _counted(number: int, thing: str) -> str:
    return f"1 {thing}" if number == 1 else f"{number} {thing}s"


def _folds(fitted) -> str:
    n_splits = fitted.n_splits_
    return "one split" if n_splits == 1 else f"{n_splits} folds"


def _won(fitted) -> str:
    board = fitted.leaderboard_.dropna(subset=["mean_score"])
    if board.empty:
        return "None could be evaluated, and the predictions are constant."
    name = fitted.best_params_["configuration"]
    won = board["configuration"] == name
    if not won.any():
        return "None could be fitted to all rows, and the predictions are constant."
    best, metric = board[won].iloc[0], metric_name(fitted)
    text = f"The best single one is {name} ({best['family']}) with "
    if best["status"] != OK:
        text += f"{metric} {best['mean_score']:.4g} at a first look"
    elif fitted.n_splits_ == 1:
        text += f"{metric} {best['mean_score']:.4g}"
    else:
        text += (
            f"a mean {metric} of {best['mean_score']:.4g} ± {best['sd_score']:.2g} "
            "over the folds"
        )
    if np.isfinite(best["repeated_score"]):
        text += (
            f" ({best['repeated_score']:.4g} with their repetitions, by which the best "
            "few are compared)"
        )
    compared = [*_beside(fitted, best, board[~won])]
    text += f"{', ' if compared else ''}{' and '.join(compared)}."
    if board["mean_score"].max() - fitted.dummy_score_ <= _LEVEL:
        text += " So nothing was found in the columns that tells the target."
    return text


def _beside(fitted, best: pd.Series, others: pd.DataFrame) -> Iterator[str]:
    """What the best of the others, and a constant prediction, have scored."""
    if len(others):
        first = others.iloc[0]
        gap = best["repeated_score"] - first["repeated_score"]
        if np.isnan(gap):
            gap = best["mean_score"] - first["mean_score"]
        than = f"the next ({first['configuration']})"
        if gap < -_LEVEL:
            than = f"{first['configuration']}, which {_why_behind(fitted, first)},"
        yield _difference(gap, than)
    if np.isfinite(fitted.dummy_score_):
        gap = best["mean_score"] - fitted.dummy_score_
        yield _difference(gap, "a constant prediction")


def _why_behind(fitted, other: pd.Series) -> str:
    """Why one with a higher score is not the best."""
    if other["configuration"] in _lost(fitted):
        return "could not be fitted to all rows"
    if fitted.max_predict_time is not None:
        return "predicts too slowly or is ahead on fewer folds or rows"
    return "is ahead on fewer folds or rows"


def _lost(fitted) -> list[str]:
    """What was wanted and could not be fitted to all rows."""
    return fitted.members_.attrs.get("lost", [])


def _difference(gap: float, than: str) -> str:
    if abs(gap) <= _LEVEL:
        return f"as much as {than}"
    return f"{abs(gap):.2g} {'more' if gap > 0 else 'less'} than {than}"


def _stopped(fitted) -> str:
    return f"The search ended: {fitted.stop_reason_}."


def _combined(fitted) -> str:
    members = fitted.members_
    if len(members) == 1:
        only = members["configuration"].iloc[0]
        if fitted.ensemble_size == 1:
            return f"Predictions are those of {only}, since ensemble_size=1."
        several = (fitted.leaderboard_["status"] == OK).sum() > 1
        best = only == fitted.best_params_["configuration"] and not _lost(fitted)
        why = ": no combination was better" if several and best else ""
        return f"Predictions are those of {only} alone{why}."
    weights = members.set_index("configuration")["weight"]
    named = ", ".join(f"{name} ({weight:.2f})" for name, weight in weights.items())
    text = f"Predictions are a weighted mean of {len(members)}: {named}"
    if np.isfinite(fitted.ensemble_score_):
        text += (
            f"; on folds that its selection did not see its {metric_name(fitted)} is "
            f"{fitted.ensemble_score_:.4g}"
        )
        if fitted.ensemble_score_ < fitted.best_score_:
            text += (
                " (that of the best single one is flattered, as the same folds chose "
                "it among all)"
            )
    return f"{text}."


def _found(findings: pd.DataFrame) -> str:
    if findings.empty:
        return "Nothing was found to be wrong with the data."
    told = []
    for _, found in findings.iterrows():
        names = [str(name) for name in found["columns"]]
        shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        where = f" ({shown})" if shown else ""
        done = re.split("[;:,]", found["action"])[0]
        told.append(f"{found['problem']}{where}: {found['detail']}; {done}.")
    return f"Found in the data: {' '.join(told)} What to do is in findings_."
