"""Extremely randomised trees over the prior tasks."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from ._base import Arrays, Prior

_LEAF = -1


class ForestPrior(Prior):
    """Extremely randomised trees (Geurts, Ernst and Wehenkel 2006).

    Every tree gives a new task the mean of the prior tasks in its leaf, so that
    only the splits and the leaf of every prior task are kept.

    Parameters
    ----------
    n_trees : int, default=100
    min_leaf : int, default=3
        Fewest prior tasks in a leaf.
    max_features : float, default=0.5
        Share of the meta-features that every split looks at.
    """

    def __init__(self, n_trees: int = 100, min_leaf: int = 3, max_features=0.5):
        self.n_trees = n_trees
        self.min_leaf = min_leaf
        self.max_features = max_features

    def fit(self, features, targets, weights=None) -> ForestPrior:
        """Grow the trees; see :meth:`Prior.fit`."""
        weights = np.ones(len(features)) if weights is None else weights
        forest = ExtraTreesRegressor(
            self.n_trees,
            min_samples_leaf=self.min_leaf,
            max_features=self.max_features,
            random_state=0,
        ).fit(features, targets, sample_weight=weights)
        trees = [estimator.tree_ for estimator in forest.estimators_]
        roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
        inner = np.concatenate([tree.children_left for tree in trees]) >= 0
        self._roots = roots.astype(np.int32)
        self._left = self._children([tree.children_left for tree in trees], inner)
        self._right = self._children([tree.children_right for tree in trees], inner)
        self._feature = np.where(
            inner, np.concatenate([tree.feature for tree in trees]), 0
        ).astype(np.int16)
        # Trees compare single-precision features with double thresholds: the
        # largest single below the threshold splits them alike.
        threshold = np.concatenate([tree.threshold for tree in trees])
        single = threshold.astype(np.float32)
        self._threshold = np.where(
            single > threshold, np.nextafter(single, np.float32(-np.inf)), single
        )
        self._leaves = (forest.apply(features).T + roots[:, None]).astype(np.int32)
        self._targets, self._weights = targets, weights
        return self

    def _children(self, children: list[np.ndarray], inner: np.ndarray) -> np.ndarray:
        """Node numbers over all trees; a leaf has none."""
        moved = [c + root for c, root in zip(children, self._roots, strict=True)]
        return np.where(inner, np.concatenate(moved), _LEAF).astype(np.int32)

    def apply(self, features) -> np.ndarray:
        """Leaf of every task in every tree.

        Parameters
        ----------
        features : ndarray of shape (n_tasks, n_features)

        Returns
        -------
        ndarray of shape (n_tasks, n_trees)
        """
        features = np.asarray(features, dtype=np.float32)
        rows = np.arange(len(features))[:, None]
        node = np.tile(self._roots, (len(features), 1))
        while (inner := self._left[node] != _LEAF).any():
            low = features[rows, self._feature[node]] <= self._threshold[node]
            child = np.where(low, self._left[node], self._right[node])
            node = np.where(inner, child, node)
        return node

    def votes(self, features) -> np.ndarray:
        """Weight of every prior task, of sum one.

        Parameters
        ----------
        features : ndarray of shape (n_tasks, n_features)

        Returns
        -------
        ndarray of shape (n_tasks, n_prior_tasks)
        """
        votes = np.zeros((len(features), len(self._weights)))
        for row, nodes in enumerate(self.apply(features)):
            together = (self._leaves == nodes[:, None]) * self._weights
            votes[row] = (together / together.sum(axis=1, keepdims=True)).mean(axis=0)
        return votes

    def predict(self, features) -> np.ndarray:
        """See :meth:`Prior.predict`."""
        return self.votes(features) @ self._targets

    def arrays(self) -> Arrays:
        """Splits, and the leaf of every prior task; see :meth:`Prior.arrays`."""
        return {
            "roots": self._roots,
            "left": self._left,
            "right": self._right,
            "feature": self._feature,
            "threshold": self._threshold,
            "leaves": self._leaves,
            "weights": self._weights,
        }

    def restore(self, arrays: Arrays) -> ForestPrior:
        """See :meth:`Prior.restore`."""
        for name in self._KEPT:
            setattr(self, f"_{name}", arrays[name])
        return self

    _KEPT = ("roots", "left", "right", "feature", "threshold", "leaves", "weights",
             "targets")  # fmt: skip
