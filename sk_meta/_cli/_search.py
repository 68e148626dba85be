"""``fit`` and ``recommend``: from a table to a model, or to what is promising."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction
from typing import Any

import numpy as np
import pandas as pd

from .._catalogue import catalogue
from .._estimator import MetaLearnerEstimator
from .._kinds import CATEGORICAL, TEXT
from .._summary import why_not_more
from .._table import describe_target
from ._models import check_model_file, write_model
from ._options import (
    FILE,
    FOLDER,
    add_choice,
    add_command,
    add_json,
    add_rows,
    add_table,
    jobs,
    positive,
    seconds,
)
from ._output import (
    STANDARD,
    Mistake,
    check_writable,
    in_options,
    say,
    say_json,
    shown,
    write_text,
)
from ._tables import check_columns, read_labelled, take_column

_HEAD = 5
_BOARD = ["configuration", "family", "mean_score", "sd_score", "repeated_score",
          "expected_score", "fit_seconds", "weight", "status"]  # fmt: skip
_RANKING = ["configuration", "family", "predicted_score", "predicted_low",
            "predicted_high", "predicted_seconds", "probability_best"]  # fmt: skip
_FIT = """\
  sk-meta fit train.csv --target price --time 60 -o model.skops
  sk-meta fit train.parquet -y churn --n-candidates 20 --scoring roc_auc \\
      --models "linear,gradient boosting" --report page.html -o model.skops
  sk-meta fit train.csv -y label --kind zip=categorical --kind id=identifier \\
      --time 600 --jobs 2 --checkpoint folder --progress -o model.skops

Rows without a target are left out. Ctrl-C ends the search, and the best so far is
written. A model in a .joblib or .pkl file is a pickle: load only files that you trust.
"""
_RECOMMEND = """\
  sk-meta recommend train.csv --target price
  sk-meta recommend train.csv -y churn --scoring roc_auc --json
"""


def add(commands: _SubParsersAction) -> None:
    """Add both commands.

    Parameters
    ----------
    commands : action of subparsers
    """
    _add_fit(commands)
    about = "rank the models for a table without fitting any"
    command = add_command(commands, "recommend", _recommend, about, _RECOMMEND)
    add_table(command)
    add_choice(command)
    add_rows(command)
    command.add_argument(
        "-n", "--top", metavar="NUMBER", type=positive, default=10,
        help="how many to show (default: 10)",
    )  # fmt: skip
    add_json(command)


def _add_fit(commands: _SubParsersAction) -> None:
    about = "search for the best model of a table, and write it to a file"
    command = add_command(commands, "fit", _fit, about, _FIT)
    add_table(command)
    add = command.add_argument
    add("-o", "--output", metavar=FILE, required=True,
        help="model to write: .skops, or .joblib or .pkl")  # fmt: skip
    add("--time", metavar="SECONDS", type=seconds, default=None,
        help="time for everything (default: no limit)")  # fmt: skip
    add("--n-candidates", "--candidates-count", metavar="NUMBER", type=positive,
        default=None, help="largest number of configurations to try (default: 20, or "
        "no limit with --time)")  # fmt: skip
    add_choice(command)
    add_rows(command)
    add("--jobs", metavar="NUMBER", type=jobs, default=None,
        help="folds at the same time, -1 on all processors (default: 1)")  # fmt: skip
    add("--checkpoint", metavar=FOLDER,
        help="folder from which a fit that was killed goes on")  # fmt: skip
    add("--report", metavar=FILE, help="page of HTML about the search to write")
    add("--verbose", action="count", default=0,
        help="log every configuration, twice: every fold")  # fmt: skip
    add("--progress", action="store_true", help="show how far it has come")
    add_json(command)


def _fit(options: Namespace) -> None:
    check_model_file(options.output)
    if options.report == STANDARD:
        raise Mistake("--report: name a file.")
    check_writable(options.report)
    model = _estimator(
        options,
        n_candidates=options.n_candidates or "auto",
        time_budget=options.time,
        checkpoint=options.checkpoint,
        n_jobs=options.jobs,
        verbose=options.verbose,
    )
    if options.progress:
        from ..callbacks import Progress

        model.set_callbacks(Progress())
    X, y, extra = _read(options)
    model.fit(X, y, sample_weight=extra["weights"], groups=extra["groups"])
    if model.stop_reason_ == "interrupted" and np.isnan(model.best_score_):
        raise KeyboardInterrupt  # a constant is not worth replacing a model by
    model.set_callbacks()  # the display is not part of the model
    write_model(model, options.output)
    if options.report:
        write_text(model.report().html, options.report)
    if options.json:
        say_json(_facts(model, options))
        return
    tried = model.leaderboard_.query("status != 'excluded'")
    say(f"{model.summary()}\n\n{shown(tried.head(_HEAD), _BOARD)}")
    say("")
    for _, found in model.findings_.iterrows():
        where = (
            f" ({', '.join(map(str, found['columns']))})" if found["columns"] else ""
        )
        action = in_options(found["action"])
        say(f"Found: {found['problem']}{where}: {found['detail']}; {action}.")
    for path in filter(None, (options.output, options.report)):
        say(f"Written: {path}")


def _recommend(options: Namespace) -> None:
    X, y, extra = _read(options)
    ranking = _estimator(options).recommend(
        X, y, sample_weight=extra["weights"], groups=extra["groups"]
    )
    metric, excluded = ranking.attrs["metric"], ranking["excluded"].dropna()
    top = ranking[ranking["excluded"].isna()].head(options.top)
    if options.json:
        facts = {"metric": ranking.attrs["stored_metric"], "why_this_metric": metric}
        say_json({**facts, "ranking": top.drop(columns="excluded")})
        return
    say(f"{shown(top, _RANKING)}\n\nScores: {metric}.\nWhy:")
    for rank, name, reason in top[["configuration", "reason"]].itertuples():
        say(f"{rank:>3}. {name}: {reason}")
    if len(excluded):
        say(f"\n{why_not_more(excluded)}.")


def _estimator(options: Namespace, **more) -> MetaLearnerEstimator:
    return MetaLearnerEstimator(
        options.task,
        scoring=options.scoring,
        candidates=options.models,
        column_kinds=dict(options.kind) or None,
        knowledge=options.knowledge,
        random_state=options.seed,
        **more,
    )


def _read(options: Namespace):
    """Features, target, and the columns that other options have named."""
    kinds = dict(options.kind)
    # Codes with zeros in front, and categories that numbers stand for.
    as_text = tuple(name for name in kinds if kinds[name] in (CATEGORICAL, TEXT))
    written = options.sep, options.encoding
    table, y = read_labelled(options.data, options.target, as_text, *written)
    _check_models(options, y)
    extra: dict[str, Any] = {}
    for option in ("groups", "weights"):
        name = getattr(options, option)
        extra[option] = (
            None if name is None else take_column(table, name, f"--{option}")
        )
    check_columns(table, kinds, "--kind")
    weights = extra.get("weights")
    if weights is not None and not pd.api.types.is_numeric_dtype(weights):
        raise Mistake(f"--weights: column {options.weights!r} holds no numbers.")
    groups = extra["groups"]
    if groups is not None and groups.astype(str).nunique() < 2:
        raise Mistake(f"--groups: column {options.groups!r} holds a single value.")
    if not table.shape[1]:
        raise Mistake(f"{options.data!r} has no column besides the target.")
    return table, y, extra


def _check_models(options: Namespace, y: pd.Series) -> None:
    """Raise if --models names something that is for the other kind of task."""
    if not options.models:
        return
    task = describe_target(y.to_numpy(), options.task).task
    known = {name for c in catalogue(task) for name in (c.name, c.family)}
    if wrong := [name for name in options.models if name not in known]:
        raise Mistake(
            f"--models: {', '.join(wrong)} can't be used for {task}, which is what the "
            f"target {options.target!r} asks for (or else --task)."
        )


def _facts(model: MetaLearnerEstimator, options: Namespace) -> dict:
    return {
        "task": model.task_,
        "metric": options.scoring
        or ("r2" if model.task_ == "regression" else "accuracy"),
        "best": model.best_params_,
        "best_score": model.best_score_,
        "ensemble_score": model.ensemble_score_,
        "dummy_score": model.dummy_score_,
        "seconds": model.search_time_ + model.refit_time_,
        "stop_reason": model.stop_reason_,
        "summary": model.summary(),
        "leaderboard": model.leaderboard_.query("status != 'excluded'"),
        "members": model.members_,
        "findings": model.findings_,
        "output": options.output,
        "report": options.report,
    }
