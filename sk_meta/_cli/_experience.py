"""``knowledge``: look into a knowledge base, and make one that knows more."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace, _SubParsersAction
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from .._base import BaseMetaLearner
from .._checks import STATUSES
from .._knowledge import KnowledgeBase
from .._scoring import STORED_METRICS
from ._models import read_searched
from ._options import (
    FILE,
    FOLDER,
    add_command,
    add_json,
    add_table,
    add_trust,
    positive,
)
from ._output import Mistake, check_writable, say, say_json, shown
from ._tables import FORMATS, check_columns, read_labelled, read_table
from ._use import text_columns

_SHIPPED = "shipped"
_CARD = "card.json"
_DUMMY = "dummy"
_KEPT = ("configuration", "fold", "status", "error", "fit_seconds", "predict_seconds",
         "peak_mb")  # fmt: skip
_ALL = """\
  sk-meta knowledge info
  sk-meta knowledge nearest train.csv --target price
  sk-meta knowledge add shop orders.csv -y returned --results folds.csv -o mine
  sk-meta knowledge merge shipped mine theirs -o ours
"""
_INFO = """\
  sk-meta knowledge info
  sk-meta knowledge info --knowledge mine --json
"""
_NEAREST = """\
  sk-meta knowledge nearest train.csv --target price
  sk-meta knowledge nearest train.csv -y churn -k 10 --metric roc_auc_ovr --json
"""
_ADD = """\
  sk-meta knowledge add shop orders.csv -y returned --model model.skops -o mine
  sk-meta knowledge add shop orders.csv -y returned --results folds.csv -o mine

The model is one that "sk-meta fit" has made of the same table; what it has found of
every configuration is added. A table of results has one row per configuration and fold:
configuration, fold, status (ok, failed, timeout, died or excluded), fit_seconds,
predict_seconds, and the scores that are known, such as accuracy or r2. The rows of the
configuration "dummy" are required.
"""
_MERGE = """\
  sk-meta knowledge merge shipped mine -o ours
  sk-meta fit train.csv -y label --knowledge ours -o model.skops

"shipped" is the knowledge base in the package. Where several know a task, the last
wins.
"""


def add(commands: _SubParsersAction) -> None:
    """Add the command and the four below it.

    Parameters
    ----------
    commands : action of subparsers
    """
    about = "look into the experience with prior tables, and add to it"
    top = add_command(commands, "knowledge", _info, about, _ALL)
    below = top.add_subparsers(dest="what", metavar="WHAT", required=True)

    about = "say how many tasks there are, and where they come from"
    command = add_command(below, "info", _info, about, _INFO)
    _add_knowledge(command)
    add_json(command)

    about = "find the prior tasks that look most like a table, and what won there"
    command = add_command(below, "nearest", _nearest, about, _NEAREST)
    add_table(command)
    _add_knowledge(command)
    command.add_argument(
        "-k", metavar="NUMBER", type=positive, default=5,
        help="number of tasks (default: 5)",
    )  # fmt: skip
    command.add_argument("--metric", help="stored metric (default: accuracy or r2)")
    add_json(command)

    about = "add a table and what models did on it"
    command = add_command(below, "add", _add, about, _ADD)
    command.add_argument("name", help="name of the new task")
    add_table(command)
    found = command.add_mutually_exclusive_group(required=True)
    found.add_argument("--model", metavar=FILE, help="model: .skops, .joblib or .pkl")
    found.add_argument("--results", metavar=FILE, help=f"results: {FORMATS}")
    add_trust(command)
    command.add_argument("--family", help="what tables of one origin share")
    command.add_argument(
        "--source", default="own", help="where the table comes from (default: own)"
    )
    _add_knowledge(command)
    _add_output(command)
    add_json(command)

    about = "put several knowledge bases together"
    command = add_command(below, "merge", _merge, about, _MERGE)
    command.add_argument("folders", metavar=FOLDER, nargs="+", help="what to merge")
    _add_output(command)
    add_json(command)


def _add_knowledge(command: ArgumentParser) -> None:
    command.add_argument(
        "--knowledge", metavar=FOLDER, default=_SHIPPED,
        help="knowledge base (default: shipped, the one in the package)",
    )  # fmt: skip


def _add_output(command: ArgumentParser) -> None:
    command.add_argument(
        "-o", "--output", metavar=FOLDER, required=True,
        help="folder to write: a new one, or a knowledge base to replace",
    )  # fmt: skip


def _info(options: Namespace) -> None:
    knowledge = _read(options.knowledge)
    tasks, card = knowledge.tasks, knowledge.card
    counts = tasks.groupby("kind").agg(
        tasks=("family", "size"), families=("family", "nunique"),
        rows_from=("n_rows", "min"), rows_to=("n_rows", "max"),
    )  # fmt: skip
    counts["configurations"] = [
        knowledge.results[kind]["configuration"].nunique() for kind in counts.index
    ]
    packages = knowledge.sources().value_counts(["package", "licence"])
    packages = packages.rename("tasks").reset_index()
    if options.json:
        facts = {"name": card.get("name"), "made": card.get("made")}
        say_json({**facts, "kinds": counts.reset_index(), "sources": packages})
        return
    say(f"{card.get('name', options.knowledge)}, made {card.get('made', 'some day')}")
    say(f"\n{shown(counts)}\n\n{shown(packages)}")


def _nearest(options: Namespace) -> None:
    X, y = _read_labelled(options)
    near = _read(options.knowledge).nearest(
        X, y, options.k, task=_task(options), metric=options.metric
    )
    say_json(near.reset_index()) if options.json else say(shown(near))


def _add(options: Namespace) -> None:
    _check_output(options.output)
    if options.model is None:
        X, y = _read_labelled(options)
        task = _task(options)
        results = read_table(options.results)
    else:
        model = read_searched(options.model, options.trust)
        results, task = _results_of(model), model.task_
        X, y = _read_labelled(options, text_columns(model))
        # What fit has not seen, such as a column of groups, does not describe the task.
        check_columns(X, model.feature_names_in_, options.data)
        X = X[list(model.feature_names_in_)]
    knowledge = _read(options.knowledge).add(
        options.name, X, y, results, family=options.family, source=options.source,
        target=options.target, task=task,
    )  # fmt: skip
    _write(knowledge, options)


def _merge(options: Namespace) -> None:
    _check_output(options.output)
    merged = _read(options.folders[0])
    for folder in options.folders[1:]:
        merged = merged.merge(_read(folder))
    _write(merged, options)


def _results_of(model: BaseMetaLearner) -> pd.DataFrame:
    """What a search has found on its folds, in the metric that it is stored by."""
    metric = model.ranking_metric_
    given = model.refit if isinstance(model.scoring, (list, tuple)) else model.scoring
    if (given or next(iter(STORED_METRICS[model.task_]))) != metric:
        raise Mistake(
            f"--model: scores of {given!r} are not stored. Fit with --scoring "
            f"{metric}, which is most like it, or name a table of --results."
        )
    found = model.evaluations_.rename(columns={"split": "fold", "memory": "peak_mb"})
    # First looks are at a part of the rows, and what was cut short is no result.
    found = found[(found["stage"] != "look") & found["status"].isin(STATUSES)]
    found = found[[*_KEPT]].assign(**{metric: found["score"]})
    # The constant prediction, to which all is relative, is known by its mean.
    constant = pd.DataFrame({"fold": found["fold"].unique()}).assign(
        configuration=_DUMMY, status="ok", fit_seconds=0.0, predict_seconds=0.0,
        **{metric: model.dummy_score_},
    )  # fmt: skip
    known = (found["configuration"] == _DUMMY).any()
    return found if known else pd.concat([constant, found], ignore_index=True)


def _read_labelled(options: Namespace, as_text: tuple = ()):
    written = options.sep, options.encoding
    return read_labelled(options.data, options.target, as_text, *written)


def _task(options: Namespace) -> str | None:
    return None if options.task == "auto" else options.task


def _read(folder: str) -> KnowledgeBase:
    if folder != _SHIPPED and not Path(folder).is_dir():
        raise Mistake(f"there is no folder {folder!r}.")
    return KnowledgeBase.load(None if folder == _SHIPPED else folder)


def _check_output(folder: str) -> None:
    """Raise where there is something else than a knowledge base."""
    path = Path(folder)
    if path.is_dir():
        if any(path.iterdir()) and not (path / _CARD).exists():
            raise Mistake(f"{folder!r} holds something else. Name a new folder.")
        check_writable(str(path / _CARD))
    elif path.exists():
        raise Mistake(f"{folder!r} is a file. Name a folder.")
    else:
        check_writable(folder)


def _write(knowledge: KnowledgeBase, options: Namespace) -> None:
    """Write beside the folder first; the card, which has the hash, comes last."""
    folder = Path(options.output)
    with TemporaryDirectory(dir=folder.parent, prefix=".sk-meta-") as beside:
        knowledge.save(beside)
        folder.mkdir(exist_ok=True)
        files = sorted(Path(beside).iterdir(), key=lambda file: file.name == _CARD)
        for file in files:
            os.replace(file, folder / file.name)
    facts = {"output": options.output, "tasks": len(knowledge.tasks)}
    if options.json:
        say_json(facts)
    else:
        say(f"Written: {options.output} ({facts['tasks']} tasks)")
