"""Tables that say what was believed, tried and found; nothing is computed anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ._belief import Belief
from ._catalogue import Configuration
from ._evaluation import OK, OTHER, SCORE
from ._history import from_h
from ._refit import Fitted
from ._scoring import Metric, as_score
from ._search import SearchResult
from ._selection import Selection


def metric_name(fitted) -> str:
    """Name of the metric that the estimator searches for.

    Parameters
    ----------
    fitted : estimator

    Returns
    -------
    str
    """
    scoring = fitted.scoring
    if isinstance(scoring, (list, tuple, dict)):
        scoring = fitted.refit
    if scoring is None:
        return "accuracy" if fitted.task_ == "classification" else "R²"
    if isinstance(scoring, str):
        return scoring
    return getattr(scoring, "__name__", "score")


def ranking_frame(
    belief: Belief,
    configurations: dict[str, Configuration],
    excluded: dict[str, str],
    metric: Metric,
    dummy_loss: float,
) -> pd.DataFrame:
    """What the belief says of every configuration, the most promising first.

    Parameters
    ----------
    belief : Belief
    configurations : dict of str to Configuration
        The applicable ones.
    excluded : dict of str to str
        Reason for every configuration that is not applicable.
    metric : Metric
    dummy_loss : float
        Loss of the dummy in the stored metric.

    Returns
    -------
    DataFrame
        configuration, family, predicted_score with the 80 % interval
        predicted_low and predicted_high (all in the stored metric, greater is
        better; ``attrs["stored_metric"]`` names it, ``attrs["metric"]`` says why that
        one, ``attrs["dummy_score"]`` is that of a constant prediction),
        predicted_seconds of one fold, and the reason of exclusion.
    """
    known = [i for i, name in enumerate(belief.names) if name in configurations]
    names = [belief.names[i] for i in known]
    mean = belief.mean()[known]
    low, high = (end[known] for end in belief.interval())

    def score(h):
        return as_score(from_h(h, dummy_loss), metric.stored)

    frame = pd.DataFrame(
        {
            "configuration": names,
            "family": [configurations[name].family for name in names],
            "predicted_score": score(mean),
            "predicted_low": score(high),
            "predicted_high": score(low),
            "predicted_seconds": belief.seconds()[known],
            "excluded": None,
        }
    )
    order = np.argsort(mean, kind="stable")
    left_out = pd.DataFrame(
        {"configuration": list(excluded), "excluded": list(excluded.values())}
    )
    parts = [frame.iloc[order], left_out] if excluded else [frame.iloc[order]]
    table = pd.concat(parts, ignore_index=True)
    table.index = pd.RangeIndex(1, len(table) + 1, name="rank")
    table.attrs["stored_metric"] = metric.stored
    table.attrs["metric"] = metric.mapping
    table.attrs["dummy_score"] = float(as_score(dummy_loss, metric.stored))
    return table


def leaderboard_frame(
    result: SearchResult,
    members: pd.DataFrame,
    prior: pd.DataFrame,
    n_splits: int,
    metric: Metric,
    dummy_loss: float,
) -> pd.DataFrame:
    """Every configuration that was tried, the best first, then what was not.

    Parameters
    ----------
    result : SearchResult
    members : DataFrame
        See :func:`members_frame`.
    prior : DataFrame
        What was believed before the search; see :func:`ranking_frame`.
    n_splits : int
        Number of folds, repetitions apart.
    metric : Metric
    dummy_loss : float

    Returns
    -------
    DataFrame
        One row per configuration: hyperparameters, scores in the user's metric; score
        (if the knowledge base has that metric), rank and seconds of one fold that were
        expected before the search, or for what the search has made itself, which has
        no rank, when it was made; real seconds, MiB that the fold which took most has
        added to its process, weight in the ensemble, seconds since the start, status,
        and reason of failure; of several scorers the means of the others follow, as
        mean_<name>. Those that the best could be chosen from come first, by their
        score on the repetitions too if there are any. What only a further search has
        finished is scored on the folds of that search.
    """
    weights = dict(members[["configuration", "weight"]].itertuples(index=False))
    pool = {evaluation.name: evaluation for evaluation in result.pool}
    rows = [
        _trial_row(trial, pool.get(trial.configuration.name), weights, metric,
                   dummy_loss)
        for trial in result.trials
    ]  # fmt: skip
    columns = [*_COLUMNS, *(f"mean_{name}" for name in metric.others)]
    tried = pd.DataFrame(rows, columns=columns)
    tried = tried.astype(dict.fromkeys(_NUMBERS, float))
    tried = _with_prior(tried, prior, metric.exact)
    means = {one.name: one.mean(SCORE) for one in result.pool[: result.n_comparable]}
    decisive = tried["configuration"].map(lambda name: name in means).astype(bool)
    by = tried["mean_score"]
    if len(result.rows) > n_splits:
        tried["repeated_score"] = tried["configuration"].map(means).astype(float)
        by = tried["repeated_score"].fillna(by)
    tried = tried.assign(in_pool=decisive, by=by)
    tried = tried.sort_values(["in_pool", "by"], ascending=False, kind="stable")
    tried = tried.drop(columns=["in_pool", "by"])
    excluded = prior[prior["excluded"].notna()]
    untried = pd.DataFrame(
        {
            "configuration": excluded["configuration"],
            "n_folds": 0,
            "status": "excluded",
            "reason": excluded["excluded"],
        }
    )
    table = pd.concat([tried, untried], ignore_index=True) if len(untried) else tried
    table.index = pd.RangeIndex(1, len(table) + 1, name="rank")
    return table


_COLUMNS = (
    "configuration", "family", "params", "mean_score", "sd_score", "n_folds",
    "repeated_score", "expected_score", "expected_rank", "fit_seconds",
    "predict_seconds", "expected_seconds", "memory", "weight", "elapsed", "status",
    "reason",
)  # fmt: skip


_NUMBERS = (
    "mean_score", "sd_score", "repeated_score", "expected_score", "expected_rank",
    "expected_seconds",
)  # fmt: skip


def _with_prior(tried: pd.DataFrame, prior: pd.DataFrame, exact: bool) -> pd.DataFrame:
    """Put in what was expected before the search, of all that had a prior."""
    before = prior.rename_axis("rank").reset_index().set_index("configuration")
    before = before.reindex(tried["configuration"]).reset_index(drop=True)
    seconds = before["predicted_seconds"].astype(float)
    score = before["predicted_score"].astype(float) if exact else np.nan
    return tried.assign(
        expected_score=tried["expected_score"].where(before["rank"].isna(), score),
        expected_rank=before["rank"].astype(float),
        expected_seconds=seconds.fillna(tried["expected_seconds"]),
    )


def members_frame(
    result: SearchResult, selection: Selection | None, fitted: Fitted
) -> pd.DataFrame:
    """Members of the final predictor, the one with the largest weight first.

    Parameters
    ----------
    result : SearchResult
    selection : Selection or None
    fitted : Fitted

    Returns
    -------
    DataFrame
        configuration, weight, fitted ("refit" or "folds"), and predict_time: seconds
        for 1,000 rows. Its attribute
        "lost" names what was wanted and could not be fitted to all rows.
    """
    weights: np.ndarray = np.ones(0) if selection is None else selection.weights
    pairs = zip(result.pool, weights, strict=bool(len(weights)))
    known = {evaluation.name: float(weight) for evaluation, weight in pairs}
    rows = [
        (name, known.get(name, 1.0), "folds" if n_models else "refit",
         fitted.predict_times.get(name, np.nan))
        for name, n_models in fitted.n_models.items()
    ]  # fmt: skip
    columns = ["configuration", "weight", "fitted", "predict_time"]
    table = pd.DataFrame(rows, columns=columns)
    if not table["weight"].any():  # what stands in for members that were lost
        table["weight"] = 1.0
    table["weight"] /= table["weight"].sum()
    table = table.sort_values("weight", ascending=False, kind="stable")
    table = table.reset_index(drop=True)
    table.attrs["lost"] = fitted.lost
    return table


def _trial_row(trial, judged, weights, metric: Metric, dummy_loss) -> dict:
    """What became of a trial; ``judged`` is what the final choice knows of it."""
    evaluation = trial.evaluation
    scored = evaluation
    if evaluation.status != OK and judged is not None:
        scored = judged  # a first look counts where the fit on more rows did not end
    scores = scored.scores(SCORE)
    ended = scored.status == OK
    expected = float(as_score(from_h(trial.expected_h, dummy_loss), metric.stored))
    return {
        "configuration": evaluation.name,
        "family": trial.configuration.family,
        "mean_score": scores.mean() if ended else np.nan,
        "sd_score": scores.std() if ended else np.nan,
        "expected_score": expected if metric.exact else np.nan,
        "repeated_score": np.nan,
        "weight": weights.get(evaluation.name, 0.0),
        "fit_seconds": evaluation.fit_seconds,
        "predict_seconds": evaluation.predict_seconds,
        "expected_seconds": trial.expected_seconds,
        "n_folds": int(np.isfinite(scores).sum()),
        "memory": evaluation.memory,
        "elapsed": trial.elapsed,
        "status": evaluation.status,
        "reason": evaluation.error,
        "params": trial.configuration.params,
        **{
            f"mean_{name}": scored.mean(OTHER + name) if ended else np.nan
            for name in metric.others
        },
    }


def cv_results(result: SearchResult, n_splits: int, metric: Metric) -> dict:
    """The trials in the layout of ``GridSearchCV.cv_results_``.

    Parameters
    ----------
    result : SearchResult
    n_splits : int
    metric : Metric

    Returns
    -------
    dict of str to ndarray
    """
    evaluations = [trial.evaluation for trial in result.trials]
    names = [evaluation.name for evaluation in evaluations]
    fit = [[fold.fit_seconds for fold in e.folds] for e in evaluations]
    predict = [[fold.predict_seconds for fold in e.folds] for e in evaluations]
    return {
        "mean_fit_time": np.array([np.mean(row) for row in fit]),
        "std_fit_time": np.array([np.std(row) for row in fit]),
        "mean_score_time": np.array([np.mean(row) for row in predict]),
        "std_score_time": np.array([np.std(row) for row in predict]),
        "param_configuration": np.ma.array(names, dtype=object),
        "params": [
            {"configuration": t.configuration.name, **t.configuration.params}
            for t in result.trials
        ],
        **_columns_of_scores(evaluations, n_splits, SCORE, metric.key),
        **{
            key: column
            for name in metric.others
            for key, column in _columns_of_scores(
                evaluations, n_splits, OTHER + name, name
            ).items()
        },
    }


def _columns_of_scores(evaluations, n_splits: int, name: str, shown: str) -> dict:
    """Scores of every split, their mean and standard deviation, and the rank."""
    scores = np.full((len(evaluations), n_splits), np.nan)
    for row, evaluation in zip(scores, evaluations, strict=True):
        # One that came no further than a first look has fewer folds.
        if len(evaluation.folds) == n_splits:
            row[:] = evaluation.scores(name)
    mean = scores.mean(axis=1)
    filled = np.where(np.isnan(mean), -np.inf, mean)
    return {
        **{f"split{k}_test_{shown}": scores[:, k] for k in range(n_splits)},
        f"mean_test_{shown}": mean,
        f"std_test_{shown}": scores.std(axis=1),
        f"rank_test_{shown}": rankdata(-filled, method="min").astype(np.int32),
    }


def without_frames(state: dict) -> dict:
    """Hold the tables of a fitted estimator as arrays.

    skops, in whose format MLflow saves models, can't write frames.

    Parameters
    ----------
    state : dict of str to object
        Attributes of the estimator.

    Returns
    -------
    dict of str to object
    """
    names = [name for name, value in state.items() if isinstance(value, pd.DataFrame)]
    rest = {name: value for name, value in state.items() if name not in names}
    return {**rest, "_frames": {name: _as_arrays(state[name]) for name in names}}


def with_frames(state: dict) -> dict:
    """Make the tables again that :func:`without_frames` took apart.

    Parameters
    ----------
    state : dict of str to object

    Returns
    -------
    dict of str to object
        Attributes of the estimator.
    """
    rest = {name: value for name, value in state.items() if name != "_frames"}
    frames = state.get("_frames", {})
    return {**rest, **{name: _as_frame(parts) for name, parts in frames.items()}}


def _as_arrays(frame: pd.DataFrame) -> dict:
    return {
        "values": {name: column.to_numpy() for name, column in frame.items()},
        "dtypes": {name: dtype.name for name, dtype in frame.dtypes.items()},
        "index": frame.index.to_numpy(),
        "index_name": frame.index.name,
        "attrs": frame.attrs,
    }


def _as_frame(parts: dict) -> pd.DataFrame:
    columns = {
        name: pd.Series(values, dtype=parts["dtypes"][name])
        for name, values in parts["values"].items()
    }
    frame = pd.DataFrame(columns)
    frame.index = pd.Index(parts["index"], name=parts["index_name"])
    frame.attrs = parts["attrs"]
    return frame
