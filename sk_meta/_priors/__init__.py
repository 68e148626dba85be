"""Meta-features of a task → prior mean over the configurations.

Two kinds of meta-learning with one interface, :class:`Prior`. Model-based:
"linear", "forest" and "neural", which learns a representation of the tasks.
Data-based: "neighbors", the vote of the nearest prior tasks. "hybrid" stacks
them, "none" ignores the meta-features.
"""

from __future__ import annotations

from ._base import Arrays, Prior
from ._families import out_of_family
from ._forest import ForestPrior
from ._neural import NeuralPrior
from ._simple import LinearPrior, MeanPrior, NeighborsPrior
from ._stack import StackPrior

__all__ = [
    "MEMBERS", "PRIORS", "Arrays", "ForestPrior", "LinearPrior", "MeanPrior",
    "NeighborsPrior", "NeuralPrior", "Prior", "StackPrior", "out_of_family",
]  # fmt: skip

PRIORS: dict[str, type[Prior]] = {
    "none": MeanPrior,
    "linear": LinearPrior,
    "neighbors": NeighborsPrior,
    "forest": ForestPrior,
    "neural": NeuralPrior,
}
MEMBERS = {**{kind: (kind,) for kind in PRIORS}, "hybrid": tuple(PRIORS)}
