"""What the meta-model has learned: where tasks lie, and how its training went."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from .._pretrained import load_meta_model
from .._recommendation import N_NEAREST
from ._display import (
    BLUE,
    GREY,
    ORANGE,
    Display,
    faint_grid,
    halo,
    paper_color,
    shortened,
)


class TaskMapDisplay(Display):
    """Map of the prior tasks, with the new one on it and the nearest named.

    Parameters
    ----------
    embedding : array-like of shape (n_tasks, n_dimensions)
        Representation of the prior tasks.
    new : array-like of shape (n_dimensions,)
        Representation of the new one.
    names : array-like of str of shape (n_tasks,)
        Names of the prior tasks.
    near : array-like of str or None, default=None
        Prior tasks to name; None names the five nearest in all dimensions.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What it was drawn on.
    share_ : float
        Share of the variance of the tasks that the two dimensions show.

    Notes
    -----
    The two dimensions are the first principal components, so that tasks that are near
    on the map need not be near in all dimensions.
    """

    def __init__(self, embedding, new, names, *, near=None):
        self.embedding = np.asarray(embedding, dtype=float)
        self.new = np.asarray(new, dtype=float)
        self.names = list(names)
        self.near = self._nearest() if near is None else list(near)

    @classmethod
    def _data(cls, estimator):
        model = _meta_model(estimator)
        table = estimator.meta_features_
        described = dict(zip(table["name"], table["value"], strict=True))
        return {
            "embedding": model.embedding_,
            "new": estimator.embedding_,
            "names": model.experience.tasks.index,
            "near": model.neighbors(described).head(N_NEAREST).index,
        }

    def _nearest(self, n: int = N_NEAREST) -> list[str]:
        """Nearest tasks; one of those that are there with several numbers of rows."""
        distance = np.linalg.norm(self.embedding - self.new, axis=1)
        first: dict[str, str] = {}
        for i in np.argsort(distance, kind="stable"):
            first.setdefault(_short(self.names[i]), self.names[i])
        return list(first.values())[:n]

    def _draw(self, ax, **kwargs):
        projection = PCA(2).fit(self.embedding)
        self.share_ = float(projection.explained_variance_ratio_.sum())
        flat = projection.transform(self.embedding)
        here = projection.transform(self.new[None])[0]
        near = [self.names.index(name) for name in self.near]
        style = {"color": GREY, "s": 14, "alpha": 0.55, "lw": 0} | kwargs
        ax.scatter(*flat.T, **style)
        ax.scatter(*flat[near].T, color=BLUE, s=26, zorder=3)
        ax.scatter(
            *here, color=ORANGE, marker="*", s=190, ec=paper_color(), lw=0.8, zorder=5
        )
        self._name(ax, flat, here, near)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
        share = f"{100 * self.share_:.0f} % of their variance"
        ax.set_xlabel(f"{len(self.names)} prior tasks, {share}")
        ax.margins(0.12)

    def _name(self, ax, flat, here, near) -> None:
        """Names beside the map, in the order of the tasks, with lines to them."""
        texts = [("this task", here, True)]
        texts += [(_short(self.names[i]), flat[i], False) for i in near]
        texts.sort(key=lambda text: -text[1][1])
        for k, (name, point, mine) in enumerate(texts):
            ax.annotate(
                *shortened([name]), point, xycoords="data",
                xytext=(1.04, 0.95 - k * 0.9 / max(1, len(texts) - 1)),
                textcoords="axes fraction", va="center", fontsize="small",
                fontweight="bold" if mine else "normal", parse_math=False,
                path_effects=halo(), zorder=4,
                arrowprops={"arrowstyle": "-", "lw": 0.7, "shrinkB": 4, "shrinkA": 1,
                            "relpos": (0, 0.5),
                            "color": ORANGE if mine else BLUE, "alpha": 0.7},
            )  # fmt: skip

    def describe(self):
        """Name the nearest tasks; see :meth:`Display.describe`."""
        near = ", ".join(map(_short, self.near))
        return f"Of {len(self.names)} prior tasks, this one is most like {near}."


class TrainingLossDisplay(Display):
    """Training loss of the meta-model's network after every epoch.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Mean squared error of the standardised losses of the configurations.

    Examples
    --------
    >>> from sk_meta import load_meta_model
    >>> from sk_meta.plots import TrainingLossDisplay
    >>> curve = load_meta_model("regression").loss_curve_
    >>> TrainingLossDisplay(curve).describe()[:44]
    'The training loss of the network falls from '
    """

    def __init__(self, loss_curve):
        self.loss_curve = np.asarray(loss_curve, dtype=float)

    @classmethod
    def _data(cls, estimator):
        curve = _meta_model(estimator).loss_curve_
        if curve is None:
            raise ValueError(
                f"meta_model={estimator.meta_model!r} has no network that is trained "
                "in epochs; 'neural' and 'hybrid' have one."
            )
        return {"loss_curve": curve}

    def _draw(self, ax, **kwargs):
        epochs = np.arange(1, len(self.loss_curve) + 1)
        ax.plot(epochs, self.loss_curve, **{"color": BLUE, "lw": 2} | kwargs)
        for k, offset, side in ((0, (7, -4), "left"), (-1, (0, -15), "right")):
            ax.plot(epochs[k], self.loss_curve[k], "o", color=BLUE, ms=5)
            ax.annotate(
                f"{self.loss_curve[k]:.3f}", (epochs[k], self.loss_curve[k]),
                xytext=offset, textcoords="offset points", ha=side, fontsize="small",
                path_effects=halo(),
            )  # fmt: skip
        ax.margins(y=0.15)
        ax.set_xlabel("epoch")
        ax.set_ylabel("training loss")
        faint_grid(ax)

    def describe(self):
        """Say from where to where it falls; see :meth:`Display.describe`."""
        return (
            f"The training loss of the network falls from {self.loss_curve[0]:.3f} to "
            f"{self.loss_curve[-1]:.3f} in {len(self.loss_curve)} epochs."
        )


def _meta_model(estimator):
    return load_meta_model(
        estimator.task_,
        knowledge=estimator.knowledge,
        meta_model=estimator.meta_model,
    )


def _short(name) -> str:
    """Name of a task without its number of rows."""
    return str(name).partition("@")[0]
