"""What the predictions are made of."""

from __future__ import annotations

import numpy as np

from ._display import BLUE, ORANGE, Display, height_of, list_names


class EnsembleDisplay(Display):
    """Weights of the members of the ensemble.

    Parameters
    ----------
    names : array-like of str of shape (n_members,)
        Configurations, the one with the largest weight first.
    weights : array-like of shape (n_members,)
        Sum to 1.
    winner : str or None, default=None
        Best single configuration, to mark.

    Examples
    --------
    >>> from sk_meta.plots import EnsembleDisplay
    >>> EnsembleDisplay(["a", "b"], [0.75, 0.25]).describe()
    'The predictions are made of a (75 %), b (25 %).'
    """

    def __init__(self, names, weights, *, winner=None):
        self.names = list(names)
        self.weights = np.asarray(weights, dtype=float)
        self.winner = winner

    @classmethod
    def _data(cls, estimator):
        members = estimator.members_
        return {
            "names": members["configuration"],
            "weights": members["weight"],
            "winner": estimator.best_params_["configuration"],
        }

    def _height(self):
        return height_of(len(self.names))

    def _draw(self, ax, **kwargs):
        colors = [ORANGE if name == self.winner else BLUE for name in self.names]
        style = {"color": colors, "height": 0.62} | kwargs
        bars = ax.barh(range(len(self.names)), self.weights, **style)
        ax.bar_label(bars, [f"{100 * w:.0f} %" for w in self.weights], padding=4)
        list_names(ax, self.names, bold=self.winner)
        ax.spines["bottom"].set_visible(False)
        ax.set_xticks([])
        ax.set_xlabel("weight in the ensemble")
        ax.set_xlim(0, 1.15 * max(self.weights, default=1.0))

    def describe(self):
        """Name the members; see :meth:`Display.describe`."""
        pairs = zip(self.names, self.weights, strict=True)
        parts = ", ".join(f"{name} ({100 * weight:.0f} %)" for name, weight in pairs)
        return f"The predictions are made of {parts}."
