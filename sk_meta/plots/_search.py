"""What happened during the search: the best so far, the beliefs, the workers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._evaluation import OK, TIMEOUT
from .._report import metric_name
from ._display import (
    BLUE,
    COLORS,
    GREY,
    ORANGE,
    VERMILION,
    Display,
    faint_grid,
    halo,
    height_of,
    label_scores,
    legend_above,
    list_names,
    paper_color,
    shortened,
    spread_out,
)


class AnytimeDisplay(Display):
    """Best score so far over the seconds since ``fit`` began.

    Parameters
    ----------
    seconds : array-like of shape (n_steps,)
        When a result was told, ascending.
    best_score : array-like of shape (n_steps,)
        Best mean score of a complete configuration by then; NaN before the first.
    configurations : array-like of str of shape (n_steps,)
        Whose result it was.
    metric : str, default="score"
        Name of the score.
    """

    def __init__(self, seconds, best_score, configurations, *, metric="score"):
        self.seconds = np.asarray(seconds, dtype=float)
        self.best_score = np.asarray(best_score, dtype=float)
        self.configurations = list(configurations)
        self.metric = metric

    @classmethod
    def _data(cls, estimator):
        told = _told(estimator)
        if told["best_score"].isna().all():
            raise ValueError("No configuration was complete before the search ended.")
        return {
            "seconds": told["ended"],
            "best_score": told["best_score"],
            "configurations": told["configuration"],
            "metric": metric_name(estimator),
        }

    def _gains(self) -> np.ndarray:
        """Steps at which the best became better, in the four digits that are shown."""
        shown = np.array([float(f"{score:.4g}") for score in self.best_score])
        before = np.concatenate([[np.nan], shown[:-1]])
        better = np.isnan(before) | (shown > before)
        return np.flatnonzero(better & np.isfinite(shown))

    def _draw(self, ax, **kwargs):
        style = {"color": BLUE, "lw": 2, "where": "post"} | kwargs
        ax.step(self.seconds, self.best_score, **style)
        gains = self._gains()
        ax.plot(self.seconds[gains], self.best_score[gains], "o", color=BLUE, ms=5)
        if len(gains):
            self._name(ax, gains[[0, -1]] if len(gains) > 1 else gains)
        ax.set_xlim(left=0)
        ax.margins(x=0.03, y=0.18)
        ax.set_xlabel("seconds since fit began")
        label_scores(ax, f"{self.metric}, best so far")
        faint_grid(ax)

    def _name(self, ax, steps) -> None:
        """The first and the last are named, on the side where there is room."""
        half = np.nanmax(self.seconds) / 2
        for step in steps:
            x, y = self.seconds[step], self.best_score[step]
            name = shortened([self.configurations[step]])[0]
            ax.annotate(
                f"{name}  {y:.4g}", (x, y), xytext=(0, 7 if step == steps[-1] else -14),
                textcoords="offset points", ha="right" if x > half else "left",
                fontsize="small", parse_math=False, path_effects=halo(),
            )  # fmt: skip

    def describe(self):
        """Say how the best rose and when; see :meth:`Display.describe`."""
        gains = self._gains()
        if not len(gains):
            return "No configuration was complete before the search ended."
        first, last = gains[0], gains[-1]
        if first == last:
            return (
                f"The best {self.metric} is {self.best_score[last]:.4g} from "
                f"{self.seconds[last]:.1f} seconds on."
            )
        return (
            f"The best {self.metric} is {self.best_score[first]:.4g} after "
            f"{self.seconds[first]:.1f} seconds and {self.best_score[last]:.4g} from "
            f"{self.seconds[last]:.1f} seconds on."
        )


class BeliefDisplay(Display):
    """What is believed of configurations as results come in, with 80 % bands.

    Parameters
    ----------
    beliefs : DataFrame
        With step (number of results told), configuration, expected_score, low and high.
    metric : str, default="score"
        Name of the score.
    n_shown : int, default=4
        Number of configurations, at most 6: the first ones of the table.
    """

    def __init__(self, beliefs, *, metric="score", n_shown=4):
        self.beliefs = beliefs
        self.metric = metric
        self.n_shown = n_shown

    @classmethod
    def _data(cls, estimator):
        if not len(estimator.beliefs_):
            raise ValueError(
                "The estimator had no belief about what it tried: the configurations "
                "are not in the knowledge base."
            )
        beliefs, tried = estimator.beliefs_, _complete(estimator.leaderboard_)
        if not beliefs["step"].any():
            raise ValueError("No result came that could move a belief.")
        known = beliefs[beliefs["configuration"].isin(tried)]
        known = known if len(known) else beliefs
        return {"beliefs": known, "metric": estimator.ranking_metric_}

    def _names(self) -> list[str]:
        n_shown = min(self.n_shown, len(COLORS))
        return list(self.beliefs["configuration"].unique()[:n_shown])

    def _draw(self, ax, **kwargs):
        ends = []
        for name, color in zip(self._names(), _colors(), strict=False):
            one = self.beliefs[self.beliefs["configuration"] == name]
            style = {"color": color, "lw": 1.8} | kwargs
            ax.plot(one["step"], one["expected_score"], **style)
            ax.fill_between(
                one["step"], one["low"], one["high"], color=color, alpha=0.12, lw=0
            )
            ends.append((name, one["expected_score"].iloc[-1], color))
        last = self.beliefs["step"].max()
        ax.set_xlim(0, max(1, last))
        ax.set_xlabel("results told")
        label_scores(ax, f"{self.metric}, expected")
        faint_grid(ax)
        self._label(ax, ends, last)

    def _label(self, ax, ends, last) -> None:
        """Names at the ends of their lines, moved apart."""
        low, high = ax.get_ylim()
        places = spread_out([end for _, end, _ in ends], (high - low) / 12, low, high)
        for (name, end, color), place in zip(ends, places, strict=True):
            ax.annotate(
                *shortened([name]), (last, end), xytext=(1.07, place),
                textcoords=ax.get_yaxis_transform(), va="center", fontsize="small",
                parse_math=False, annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": color, "lw": 1.4,
                            "shrinkA": 1, "relpos": (0, 0.5), "shrinkB": 0},
            )  # fmt: skip

    def describe(self):
        """Say how the first belief moved; see :meth:`Display.describe`."""
        name = self._names()[0]
        one = self.beliefs[self.beliefs["configuration"] == name]
        first, last = one.iloc[0], one.iloc[-1]
        return (
            f"At first the {self.metric} of {name} was expected to be "
            f"{first['expected_score']:.4g} ({first['low']:.4g} to "
            f"{first['high']:.4g}), and after {last['step']} results "
            f"{last['expected_score']:.4g} ({last['low']:.4g} to {last['high']:.4g})."
        )


class TimelineDisplay(Display):
    """What each worker ran when, coloured by family.

    Parameters
    ----------
    evaluations : DataFrame
        With family, worker, started, ended and status.
    n_families : int, default=5
        Families that have a colour of their own, at most 5: those that took the most
        time.
    """

    def __init__(self, evaluations, *, n_families=5):
        self.evaluations = evaluations
        self.n_families = n_families

    @classmethod
    def _data(cls, estimator):
        told = _told(estimator)
        return {"evaluations": told[told["worker"] >= 0]}

    def _workers(self) -> list[int]:
        return sorted(self.evaluations["worker"].unique())

    def _height(self):
        return height_of(2 * len(self._workers()) + 3)

    def _draw(self, ax, **kwargs):
        told, workers = self.evaluations, self._workers()
        rows = told["worker"].map({worker: k for k, worker in enumerate(workers)})
        large = self._large_families()
        groups = told["family"].where(told["family"].isin(large), "other families")
        seconds, marks = told["ended"] - told["started"], []
        colors = [*COLORS[: len(large)], GREY]
        for family, color in zip([*large, "other families"], colors, strict=True):
            one = groups == family
            style = {"color": color, "ec": paper_color(), "lw": 0.6, "height": 0.7}
            if one.any():
                marks.append(
                    ax.barh(
                        rows[one], seconds[one], left=told["started"][one],
                        label=family, **style | kwargs,
                    )
                )  # fmt: skip
        for which, mark, color, label in (
            (self._failed(), "X", VERMILION, "failed"),
            (told["status"] == TIMEOUT, "s", GREY, "stopped"),
        ):
            if which.any():
                marks += ax.plot(
                    told["ended"][which], rows[which], mark, color=color, ms=7,
                    mec=paper_color(), label=label,
                )  # fmt: skip
        list_names(ax, [f"worker {k}" for k in workers])
        ax.set_xlim(left=0)
        ax.set_xlabel("seconds since fit began")
        faint_grid(ax, "x")
        legend_above(ax, marks)

    def _failed(self) -> pd.Series:
        return ~self.evaluations["status"].isin([OK, TIMEOUT])

    def _large_families(self) -> list[str]:
        """Families that took the most seconds."""
        told = self.evaluations
        seconds = (told["ended"] - told["started"]).groupby(told["family"]).sum()
        order = seconds.sort_values(ascending=False, kind="stable")
        return list(order.index[: min(self.n_families, len(COLORS) - 1)])

    def describe(self):
        """Say how much ran on how many workers; see :meth:`Display.describe`."""
        told = self.evaluations
        busy = (told["ended"] - told["started"]).sum()
        n_workers = len(self._workers())
        n_stopped = (told["status"] == TIMEOUT).sum()
        stopped = f", {n_stopped} were stopped" if n_stopped else ""
        return (
            f"{len(told)} fits on {n_workers} worker{'s' * (n_workers != 1)} took "
            f"{busy:.1f} seconds within {told['ended'].max():.1f} seconds; "
            f"{self._failed().sum()} of them failed{stopped}."
        )


def _told(estimator) -> pd.DataFrame:
    """Results of a search that had some."""
    told = estimator.evaluations_
    if not (told["worker"] >= 0).any():
        raise ValueError("Nothing ran: no result was told, or all were known before.")
    return told


def _complete(leaderboard: pd.DataFrame) -> pd.Series:
    return leaderboard.loc[leaderboard["mean_score"].notna(), "configuration"]


def _colors() -> tuple[str, ...]:
    """The first of the leaderboard is orange, as in the other figures."""
    return (ORANGE, BLUE, *COLORS[2:])
