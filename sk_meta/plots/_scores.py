"""What the configurations scored, and what was expected of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._report import metric_name
from ._display import (
    BLUE,
    GREY,
    ORANGE,
    Display,
    height_of,
    legend_above,
    list_names,
    list_scores,
    paper_color,
)


class LeaderboardDisplay(Display):
    """Scores of the best configurations, mean ± standard deviation over the folds.

    Parameters
    ----------
    leaderboard : DataFrame
        With configuration, mean_score and sd_score, the best first; rows without a
        score are left out.
    winner : str or None, default=None
        Configuration to mark.
    metric : str, default="score"
        Name of the score.
    n_best : int, default=15
        Largest number of configurations to show.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_meta.plots import LeaderboardDisplay
    >>> table = pd.DataFrame(
    ...     {"configuration": ["a"], "mean_score": [0.9], "sd_score": [0.1]}
    ... )
    >>> LeaderboardDisplay(table, winner="a").describe()
    'The best is a; its score is 0.9 ± 0.1.'
    """

    def __init__(self, leaderboard, *, winner=None, metric="score", n_best=15):
        self.leaderboard = leaderboard
        self.winner = winner
        self.metric = metric
        self.n_best = n_best

    @classmethod
    def _data(cls, estimator):
        return {
            "leaderboard": _some(estimator),
            "winner": estimator.best_params_["configuration"],
            "metric": metric_name(estimator),
        }

    def _shown(self) -> pd.DataFrame:
        return _scored(self.leaderboard).head(self.n_best)

    def _height(self):
        return height_of(len(self._shown()))

    def _draw(self, ax, **kwargs):
        shown = self._shown()
        places = np.arange(len(shown))
        won = (shown["configuration"] == self.winner).to_numpy()
        for mask, color in ((~won, BLUE), (won, ORANGE)):
            style = {"color": color, "fmt": "o", "ms": 5, "lw": 1.4} | kwargs
            ax.errorbar(
                shown["mean_score"][mask], places[mask],
                xerr=shown["sd_score"][mask], **style,
            )  # fmt: skip
        list_names(ax, shown["configuration"], bold=self.winner)
        several = (shown["sd_score"] > 0).any()
        spread = ", mean ± sd over the folds" if several else ""
        list_scores(ax, f"{self.metric}{spread}")

    def describe(self):
        """Name the best and its score; see :meth:`Display.describe`."""
        scored = _scored(self.leaderboard)
        if not len(scored):
            return "No configuration has a score."
        winner = scored[scored["configuration"] == self.winner]
        best = (winner if len(winner) else scored).iloc[0]
        spread = f" ± {best['sd_score']:.2g}" if best["sd_score"] > 0 else ""
        of = f" of {len(scored)} configurations" if len(scored) > 1 else ""
        return (
            f"The best{of} is {best['configuration']}; its "
            f"{self.metric} is {best['mean_score']:.4g}{spread}."
        )


class ExpectationDisplay(Display):
    """What the prior tasks made expect of each configuration, and what it scored.

    Parameters
    ----------
    expected : DataFrame
        With configuration, expected, low, high (an 80 % interval, NaN where there is
        none) and found.
    metric : str, default="score"
        Name of the score.
    n_best : int, default=15
        Largest number of configurations to show: the first ones of the table.

    Notes
    -----
    Where the knowledge base has not the metric that was searched for, there are no
    expected scores, and ranks are compared.
    """

    def __init__(self, expected, *, metric="score", n_best=15):
        self.expected = expected
        self.metric = metric
        self.n_best = n_best

    @classmethod
    def _data(cls, estimator):
        tried = _some(estimator)
        if tried["expected_score"].isna().all():
            return {"expected": _ranks(tried), "metric": "rank"}
        prior = estimator.prior_ranking_.set_index("configuration")
        names = {
            "predicted_score": "expected",
            "predicted_low": "low",
            "predicted_high": "high",
        }
        prior = prior[list(names)].rename(columns=names)
        table = tried[["configuration", "mean_score"]].join(prior, on="configuration")
        table = table.rename(columns={"mean_score": "found"})
        # What the search itself has proposed is not in the ranking before it.
        table = table[table["expected"].notna()].reset_index(drop=True)
        return {"expected": table, "metric": metric_name(estimator)}

    def _height(self):
        return height_of(min(len(self.expected), self.n_best) + 1)

    def _draw(self, ax, **kwargs):
        table = self.expected.head(self.n_best)
        places = np.arange(len(table))
        ax.hlines(places, table["low"], table["high"], color=GREY, lw=5, alpha=0.35,
                  label="80 % interval")  # fmt: skip
        ax.hlines(places, table["expected"], table["found"], color=BLUE, lw=1)
        both = {"ls": "none", "color": BLUE, "ms": 6} | kwargs
        paper = {"mfc": paper_color(), "label": "expected"}
        ax.plot(table["expected"], places, "o", **both | paper)
        ax.plot(table["found"], places, "o", **both, label="found")
        list_names(ax, table["configuration"])
        list_scores(ax, self.metric)
        if self.metric == "rank":
            ax.invert_xaxis()
        legend_above(ax)

    def describe(self):
        """Say how many scores were as expected; see :meth:`Display.describe`."""
        table = self.expected
        known = table["low"].notna()
        if not known.any():
            if len(table) < 2:
                return "Expected and real rank, which of so few say nothing."
            agree = table["expected"].corr(table["found"], method="spearman")
            return (
                f"Expected and real rank of {len(table)} configurations; the rank "
                f"correlation is {agree:.2f}."
            )
        inside = table["found"].between(table["low"], table["high"])[known].sum()
        return (
            f"Expected and real {self.metric}; {inside} of {known.sum()} lie within "
            "the 80 % interval that was expected."
        )


def _some(estimator) -> pd.DataFrame:
    """Rows of the leaderboard that have a score."""
    scored = _scored(estimator.leaderboard_)
    if not len(scored):
        raise ValueError("No configuration has a score.")
    return scored


def _scored(leaderboard: pd.DataFrame) -> pd.DataFrame:
    return leaderboard[leaderboard["mean_score"].notna()]


def _ranks(tried: pd.DataFrame) -> pd.DataFrame:
    """Ranks instead of scores, which have no interval."""
    tried = tried[tried["expected_rank"].notna()]
    return pd.DataFrame(
        {
            "configuration": tried["configuration"],
            "expected": tried["expected_rank"].rank(),
            "low": np.nan,
            "high": np.nan,
            "found": tried["mean_score"].rank(ascending=False),
        }
    ).reset_index(drop=True)
