"""What all displays share: where they draw, their colours, and labels that fit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from textwrap import wrap

import numpy as np
from sklearn.utils.validation import check_is_fitted

# Told apart by everybody, also without colours by their lightness: Okabe, M. and Ito,
# K. (2008). "Color universal design". Two more are greys.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, VERMILION, GREY = "#56B4E9", "#D55E00", "#8A9199"
COLORS = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION)

WIDTH, HEIGHT = 4.2, 3.0  # inches: read on a phone, and two side by side elsewhere
_ROW = 0.23  # inches that a line of text takes
_LONGEST = 26  # characters of a name that are shown


class Display(ABC):
    """A figure that knows its data.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What it was drawn on.
    figure_ : matplotlib Figure
        Figure of the axes.
    """

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw it for a fitted estimator.

        Parameters
        ----------
        estimator : MetaLearnerEstimator, MetaLearnerClassifier or MetaLearnerRegressor
            Fitted estimator.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            For matplotlib, as in :meth:`plot`.

        Returns
        -------
        display : Display
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ImportError
            If matplotlib is not installed.
        ValueError
            If the estimator has nothing of the kind to show; the message says why.
        """
        check_is_fitted(estimator)
        return cls(**cls._data(estimator)).plot(ax=ax, **kwargs)

    @classmethod
    @abstractmethod
    def _data(cls, estimator) -> dict:
        """Arguments of the constructor, from a fitted estimator."""

    def plot(self, ax=None, **kwargs):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            For the matplotlib method that draws the data.

        Returns
        -------
        display : Display
            Itself, with ``ax_`` and ``figure_``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = new_axes(self._height()) if ax is None else ax
        self.figure_ = self.ax_.figure
        self.ax_.spines[["top", "right"]].set_visible(False)
        self._draw(self.ax_, **kwargs)
        return self

    def _height(self) -> float:
        """Inches of a figure of its own."""
        return HEIGHT

    @abstractmethod
    def _draw(self, ax, **kwargs) -> None:
        """Draw the data on axes that are clean."""

    @abstractmethod
    def describe(self) -> str:
        """Say in one sentence what the figure shows, for those who don't see it.

        Returns
        -------
        str
        """


def new_axes(height: float = HEIGHT):
    """Axes of a new figure of the usual width."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            "Figures need matplotlib: pip install 'sk-meta[plots]'."
        ) from error
    figure, ax = pyplot.subplots(figsize=(WIDTH, height), layout="constrained")
    roomy(figure)
    return ax


def roomy(figure) -> None:
    """Leave a rim around everything, so that no label touches the edge."""
    figure.get_layout_engine().set(w_pad=0.09, h_pad=0.09)


def height_of(n_rows: int) -> float:
    """Inches of a figure with so many lines of text below each other."""
    return max(1.6, 0.75 + _ROW * n_rows)


def paper_color() -> str:
    """Colour behind the data, as the style in use has it."""
    from matplotlib import rcParams

    return rcParams["axes.facecolor"]


def halo(width: float = 2.5) -> list:
    """Rim in the colour of the paper, which keeps text on lines readable."""
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=width, foreground=paper_color())]


def faint_grid(ax, axis: str = "both") -> None:
    """Lines to read values from, behind everything."""
    ax.grid(True, axis=axis, alpha=0.6, linewidth=0.6)
    ax.set_axisbelow(True)


def shortened(names: Sequence[str]) -> list[str]:
    """Names that fit beside the axes."""
    texts = [str(name) for name in names]
    return [t if len(t) <= _LONGEST else t[: _LONGEST - 1] + "…" for t in texts]


def plain(*texts) -> None:
    """A dollar sign in a name is a dollar sign, not mathematics."""
    for text in texts:
        text.set_parse_math(False)


def list_names(ax, names: Sequence[str], bold: str | None = None) -> None:
    """Names below each other instead of an axis, from the top."""
    ax.set_yticks(range(len(names)), shortened(names))
    for label, name in zip(ax.get_yticklabels(), names, strict=True):
        label.set_fontweight("bold" if name == bold else "normal")
    plain(*ax.get_yticklabels())
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(len(names) - 0.4, -0.6)


def label_scores(ax, text: str) -> None:
    """Say what rises, in lines that are not longer than the axis."""
    ax.set_ylabel("\n".join(wrap(text, 28)), parse_math=False)


def list_scores(ax, text: str) -> None:
    """Scores from left to right, with few numbers, as the names leave little room."""
    ax.set_xlabel("\n".join(wrap(text, 44)), loc="right", parse_math=False)
    ax.locator_params(axis="x", nbins=3)
    faint_grid(ax, "x")


def legend_above(ax, handles=None) -> None:
    """Say what the marks are, above the axes; there is room above the names too."""
    for n_columns in (3, 2, 1):
        legend = ax.legend(
            handles=handles, loc="lower right", bbox_to_anchor=(1, 1.01),
            ncols=n_columns, frameon=False, fontsize="small", handlelength=1,
            columnspacing=1, borderaxespad=0,
        )  # fmt: skip
        plain(*legend.get_texts())
        if legend.get_window_extent().width < 0.94 * ax.figure.bbox.width:
            break


def spread_out(positions, gap: float, low: float, high: float) -> np.ndarray:
    """Move labels apart until neighbours are ``gap`` from each other.

    Parameters
    ----------
    positions : array-like of shape (n_labels,)
        At least one.
    gap : float
    low, high : float
        Ends of the axis, which labels do not leave while there is room.

    Returns
    -------
    ndarray of shape (n_labels,)
        In the same order.
    """
    positions = np.asarray(positions, dtype=float)
    order = np.argsort(positions, kind="stable")
    steps = gap * np.arange(len(order))
    # Without the gaps no label may lie below the one before it.
    wanted = positions[order] - steps
    placed = np.maximum.accumulate(wanted)
    placed += np.mean(wanted - placed)
    placed = np.clip(placed, low, max(low, high - steps[-1]))
    result = np.empty_like(positions)
    result[order] = placed + steps
    return result
