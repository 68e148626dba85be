"""One page of HTML about a fitted estimator, and what a notebook shows of it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from sklearn.utils.validation import check_is_fitted

from . import plots
from ._html_tables import changed, left_out, number, parts_of, table
from ._report import metric_name
from ._show_versions import NOT_INSTALLED, versions
from .plots._svg import as_svg

_TEMPLATES = Path(__file__).parent / "_templates"
_FIGURES: dict[str, tuple[Any, str]] = {
    "ensemble": (plots.EnsembleDisplay, "What predicts"),
    "scores": (plots.LeaderboardDisplay, "The best"),
    "expected": (plots.ExpectationDisplay, "Expected and found"),
    "beliefs": (plots.BeliefDisplay, "How the belief moved"),
    "map": (plots.TaskMapDisplay, "Where this task lies"),
    "training": (plots.TrainingLossDisplay, "How the meta-model was trained"),
    "anytime": (plots.AnytimeDisplay, "The best so far"),
    "timeline": (plots.TimelineDisplay, "What ran when"),
}
_MISSING = ("Figures need matplotlib, which is not installed: "
            "pip install 'sk-meta[plots]'.")  # fmt: skip


@dataclass(frozen=True, repr=False)
class Report:
    """A page of HTML; a notebook shows it in a frame.

    Parameters
    ----------
    html : str
        The page, which needs nothing beside itself.
    path : Path or None
        File that it was written to.
    """

    html: str
    path: Path | None = None

    def __str__(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<Report of {len(self.html):,} characters, path={str(self.path)!r}>"

    def _repr_html_(self) -> str:
        # A frame of its own: neither page can change the other's looks.
        return (
            '<iframe title="Report of the search" sandbox="allow-scripts" '
            f'style="width:100%;height:42rem;border:0" srcdoc="{escape(self.html)}">'
            "</iframe>"
        )


def report(fitted, path=None) -> Report:
    """Make the page, and write it if a path is given.

    Parameters
    ----------
    fitted : estimator
    path : str, Path or None
        File.

    Returns
    -------
    Report

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    FileNotFoundError
        If the folder of the file does not exist.
    IsADirectoryError
        If the path is a folder.
    """
    check_is_fitted(fitted)
    file = None if path is None else _checked(Path(path))
    html = _rendered(_page(fitted))
    if file is not None:
        file.write_text(html, encoding="utf8")
        fitted.report_path_ = str(file)
    return Report(html, file)


def heading(fitted) -> str:
    """What a notebook shows above the diagram of a fitted estimator.

    Parameters
    ----------
    fitted : estimator

    Returns
    -------
    str
        HTML.
    """
    parts = [f"<strong>{escape(_winner_name(fitted))}</strong>"]
    if np.isfinite(fitted.best_score_):
        score = f"{metric_name(fitted)} {number(fitted.best_score_)}"
        parts.append(f"wins with {escape(score)}")
    if np.isfinite(fitted.ensemble_score_) and len(fitted.members_) > 1:
        parts.append(
            f"– the ensemble of {len(fitted.members_)} has "
            f"{number(fitted.ensemble_score_)}"
        )
    if hasattr(fitted, "report_path_"):
        path = Path(fitted.report_path_)
        near = path.is_relative_to(Path.cwd())
        # A notebook is shown from its folder, and may not open files elsewhere.
        link = quote(path.relative_to(Path.cwd()).as_posix()) if near else path.as_uri()
        parts.append(f'– <a href="{escape(link)}">report: {escape(path.name)}</a>')
    return f'<p class="sk-meta-winner">{" ".join(parts)}</p>'


def _checked(path: Path) -> Path:
    """The path, if a file can be there."""
    path = path.absolute()
    if path.is_dir():
        raise IsADirectoryError(
            f"path={str(path)!r} is a folder. Give the name of a file in it, such as "
            f"{str(path / 'report.html')!r}."
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"path={str(path)!r}: the folder {str(path.parent)!r} does not exist. Make "
            "it first, or choose another one."
        )
    return path


def _rendered(page: dict) -> str:
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True
    )
    script = (_TEMPLATES / "report.js").read_text(encoding="utf8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    own = {
        "style": Markup((_TEMPLATES / "report.css").read_text(encoding="utf8")),
        "script": Markup(script),
        # No other script may run, whatever the data hold.
        "script_hash": f"sha256-{digest}",
        "figures": {
            name: {**figure, "svg": Markup(figure["svg"])}
            for name, figure in page["figures"].items()
        },
    }
    return environment.get_template("report.html").render(page={**page, **own})


def _page(fitted) -> dict:
    """What the template is filled with."""
    figures, notes = _figures(fitted)
    metric = metric_name(fitted)
    return {
        "title": _title(fitted, metric),
        "eyebrow": _eyebrow(fitted),
        "summary": fitted.summary(),
        "novel": _novel(fitted),
        "tiles": _tiles(fitted, metric),
        "findings": table(fitted.findings_, "findings", "What was found in the data"),
        "columns": table(
            fitted.columns_, "columns", "Columns of the table",
            labels={"n_unique": "different values", "missing": "share missing"},
        ),
        "winner": _winner(fitted),
        "leaderboard": _leaderboard(fitted, metric),
        "expectation": (
            "What is expected comes from the results on prior tasks. On the metric: "
            f"{fitted.metric_mapping_}."
        ),
        "why": _why(fitted),
        "search": _search(fitted),
        "left_out": left_out(fitted.leaderboard_),
        "settings": changed(fitted),
        "versions": [(k, v) for k, v in versions().items() if v != NOT_INSTALLED],
        "figures": figures,
        "without_figures": notes,
    }  # fmt: skip


def _figures(fitted) -> tuple[dict[str, dict], list[str]]:
    """Figures by name, and why others are not there."""
    figures, notes = {}, []
    for name, (display, title) in _FIGURES.items():
        try:
            drawn = display(**display._data(fitted))
            svg = as_svg(drawn, f"figure-{name}")
        except ImportError:
            return {}, [_MISSING]
        except ValueError as error:
            notes.append(f"“{title}” is not shown: {error}")
            continue
        text = drawn.describe()
        figures[name] = {"name": f"figure-{name}", "title": title, "text": text,
                         "svg": svg}  # fmt: skip
    return figures, notes


def _winner_name(fitted) -> str:
    return str(fitted.best_params_["configuration"])


def _title(fitted, metric: str) -> str:
    if not np.isfinite(fitted.best_score_):
        return "Nothing could be evaluated"
    return f"{_winner_name(fitted)} wins with {metric} {number(fitted.best_score_)}"


def _eyebrow(fitted) -> str:
    described = fitted.meta_features_.set_index("name")["value"]
    n_rows = described.get("nr_inst", np.nan)
    rows = f" · {n_rows:,.0f} rows" if np.isfinite(n_rows) else ""
    return f"sk_meta · {fitted.task_}{rows} · {fitted.n_features_in_} columns"


def _novel(fitted) -> str | None:
    if not fitted.novelty_ > 1:
        return None
    return (
        f"Its distance to the nearest one is {fitted.novelty_:.1f} times what is "
        "usual, so that the first ranking leans on what works on most tables."
    )


def _tiles(fitted, metric: str) -> list[tuple[str, str]]:
    status = fitted.leaderboard_["status"]
    tiles = [(f"{metric} of the best", number(fitted.best_score_))]
    if len(fitted.members_) > 1:
        tiles.append((f"{metric} of the ensemble", number(fitted.ensemble_score_)))
    seconds = fitted.search_time_ + fitted.refit_time_
    return [
        *tiles,
        (f"{metric} of a constant", number(fitted.dummy_score_)),
        ("configurations tried", f"{(status != 'excluded').sum()}"),
        ("fits", f"{len(fitted.evaluations_)}"),
        ("seconds in all", f"{seconds:.1f}"),
    ]


def _winner(fitted) -> dict:
    best = fitted.best_estimator_
    steps = getattr(best, "steps", [("model", best)])
    shown = [
        {
            "name": name,
            "kind": type(step).__name__ if not isinstance(step, str) else step,
            "parts": parts_of(step),
        }
        for name, step in steps
    ]
    members = fitted.members_["configuration"].tolist()
    used = "the ensemble of several" if len(members) > 1 else members[0]
    used = "it alone" if members == [_winner_name(fitted)] else used
    text = f"It is fitted on all rows and is best_estimator_; predict uses {used}."
    return {
        "name": _winner_name(fitted),
        "text": text,
        "steps": shown,
        **_code(fitted),
    }


def _code(fitted) -> dict[str, str]:
    """The winner as a script, if it can be one."""
    try:
        code, title = fitted.to_code(), "A script that makes it without sk_meta"
    except ValueError:
        code, title = repr(fitted.best_estimator_), "The whole pipeline in text"
    return {"code": code, "code_title": title}


def _leaderboard(fitted, metric: str) -> dict:
    board = fitted.leaderboard_
    done = board[board["mean_score"].notna()].reset_index()
    others = [
        name for name in done if name.startswith("mean_") and name != "mean_score"
    ]
    shown, caption = list(_SHOWN), "Every configuration that has a score, best first"
    if done["repeated_score"].notna().any():
        caption += "; the best few are compared on repeated folds too"
    else:
        shown.remove("repeated_score")
    return table(
        done[[*shown, *others]], "leaderboard-table", caption,
        labels={**_SHOWN, "mean_score": metric},
        marked=done["configuration"] == _winner_name(fitted),
    )  # fmt: skip


_SHOWN = {
    "rank": "rank", "configuration": "configuration", "family": "family",
    "mean_score": "score", "sd_score": "± sd", "repeated_score": "with repeats",
    "expected_score": "expected", "expected_rank": "its rank",
    "weight": "weight", "fit_seconds": "fit, s",
    "predict_seconds": "predict, s", "memory": "MiB",
}  # fmt: skip


def _why(fitted) -> dict | str:
    """Tables of the explanation, or why there are none."""
    try:
        told = fitted.explain()
    except ValueError as error:
        return f"There is no explanation: {error}"
    columns = ["configuration", "reason", "prior_rank", "prior_score", "prior_low",
               "prior_high", "score"]  # fmt: skip
    return {
        "configurations": table(
            told.configurations[columns], "why-configurations",
            f"What was believed before the search and after it, in {told.metric}, and "
            "why", labels={
                "prior_rank": "rank before", "prior_score": "expected before",
                "prior_low": "at least", "prior_high": "at most",
                "score": "expected after",
            },
        ),
        "neighbors": table(
            _second(told.neighbors, "best"), "why-neighbors",
            f"The most similar of {told.n_prior_tasks} prior tasks, and what was best "
            "there", labels={"n_rows": "rows", "n_columns": "columns"},
        ),
        "meta_features": table(
            told.meta_features.head(12), "why-meta-features",
            "What about this table mattered most to the prediction: change of the "
            "predicted scores compared with the median of the prior tasks",
        ),
    }  # fmt: skip


def _second(frame, name: str):
    """Put a column of words where a phone shows it without scrolling."""
    rest = frame.drop(columns=name)
    rest.insert(1, name, frame[name])
    return rest


def _search(fitted) -> list[tuple[str, str]]:
    return [
        ("ended because", fitted.stop_reason_),
        ("folds", f"{fitted.n_splits_}: {fitted.folds_}"),
        ("deadline", fitted.deadline_),
        ("seconds until the search ended", f"{fitted.search_time_:.1f}"),
        ("seconds for ensemble and refits", f"{fitted.refit_time_:.1f}"),
        ("seconds within candidates", f"{fitted.evaluation_time_:.1f}"),
    ]
