"""A fitted estimator in one paragraph of plain words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ._catalogue import own_names
from ._evaluation import DROPPED, OK, TIMEOUT
from ._record import REPEAT

_LEVEL = 1e-9  # difference of scores that is none
_ABSENT = r"^needs the package (\w+), which is not installed"
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
    return (
        f"{_counted(n_tried, 'configuration')} {'was' if n_tried == 1 else 'were'} "
        f"tried for this {fitted.task_} of {_counted(fitted.n_features_in_, 'column')}"
        f", on {_folds(fitted)}: {_counted(len(results), 'fit')} in "
        f"{fitted.search_time_:.1f} s; {counts.get(OK, 0)} "
        f"finished{''.join(f', {words}' for words in others)}."
    )


def _untried(fitted) -> str:
    """What could not be tried, and what of the user's own was not."""
    board = fitted.leaderboard_
    reasons = board.loc[board["status"] == "excluded", "reason"]
    told = [f"{why_not_more(reasons)}."] if len(reasons) else []
    own = [name for name in own_names(fitted.candidates)
           if name not in set(board["configuration"])]  # fmt: skip
    if own:
        told.append(
            f"Of your own, {', '.join(own)} {'was' if len(own) == 1 else 'were'} not "
            "tried: others were expected to do better in what was to be spent."
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
    if len(packages):
        names = ", ".join(sorted(packages.unique()))
        parts.append(f"{len(packages)} more need what is not installed ({names}: "
                     "pip install 'sk-meta[boosting]')")  # fmt: skip
    if n_others := len(reasons) - len(packages):
        parts.append(f"{n_others} more {'is' if n_others == 1 else 'are'} not for "
                     "this table")  # fmt: skip
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
    best = board[won].iloc[0]
    score = best["mean_score"]
    text = f"The best single one is {name} ({best['family']}) with "
    if fitted.n_splits_ == 1:
        text += f"a score of {score:.4g}"
    else:
        text += f"a mean score of {score:.4g} ± {best['sd_score']:.2g} over the folds"
    if np.isfinite(best["repeated_score"]):
        text += (
            f" ({best['repeated_score']:.4g} with their repetitions, by which the best "
            "few are compared)"
        )
    compared = [*_beside(fitted, score, board[~won])]
    text += f"{', ' if compared else ''}{' and '.join(compared)}."
    if board["mean_score"].max() - fitted.dummy_score_ <= _LEVEL:
        text += " So nothing was found in the columns that tells the target."
    return text


def _beside(fitted, score: float, others: pd.DataFrame) -> Iterator[str]:
    """What the best of the others, and a constant prediction, have scored."""
    if len(others):
        name, theirs = others[["configuration", "mean_score"]].iloc[0]
        than = f"the next ({name})"
        if theirs > score + _LEVEL:
            than = f"{name}, which {_why_behind(fitted, name)},"
        yield _difference(score - theirs, than)
    if np.isfinite(fitted.dummy_score_):
        yield _difference(score - fitted.dummy_score_, "a constant prediction")


def _why_behind(fitted, name: str) -> str:
    """Why one with a higher score on the folds of the leaderboard is not the best."""
    if name in _lost(fitted):
        return "could not be fitted to all rows"
    told = fitted.evaluations_
    if (told["stage"].eq(REPEAT) & told["configuration"].eq(name)).any():
        return "fell behind on repeated folds"
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
        why = ": no combination was better" if several and not _lost(fitted) else ""
        return f"Predictions are those of {only} alone{why}."
    weights = members.set_index("configuration")["weight"]
    named = ", ".join(f"{name} ({weight:.2f})" for name, weight in weights.items())
    text = f"Predictions are a weighted mean of {len(members)}: {named}"
    if np.isfinite(fitted.ensemble_score_):
        text += (
            f"; its score on folds that its selection did not see is "
            f"{fitted.ensemble_score_:.4g}"
        )
        if fitted.ensemble_score_ < fitted.best_score_:
            text += (
                ", which is not to be compared with that of the best one: it was "
                "chosen by the folds that it is scored on"
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
