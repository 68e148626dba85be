"""Meta-features on one scale: normal scores of their ranks among prior tasks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm, rankdata

# What tasks are compared by: of all meta-features, those that earn something
# (benchmarks/meta_feature_importance.py).
META_FEATURES: dict[str, tuple[str, ...]] = {
    "classification": (
        "nr_inst", "nr_encoded", "inst_to_attr", "nr_class", "freq_class.min",
        "one_nn_score", "tree_score", "tree_minus_stump", "tree_minus_linear",
        "one_nn_minus_linear", "share_categorical", "class_ent", "mut_inf.max",
        "target_cor.mean", "abs_skewness.mean",
    ),
    "regression": (
        "nr_inst", "nr_encoded", "inst_to_attr",
        "linear_score", "one_nn_score", "tree_score", "tree_minus_stump",
        "tree_minus_linear", "one_nn_minus_linear", "share_categorical",
        "mut_inf.max", "target_cor.max", "target_skewness",
    ),
}
# Values further out than this say no more than "unusually large".
_CLIP = 2.5


@dataclass
class NormalScores:
    """Map every meta-feature to normal scores of its rank among the prior tasks.

    Unlike scaling, it is not moved by the few huge tables, and a value outside
    the known range is clipped to its edge. Missing meta-features are set to the
    median, 0.
    """

    _sorted: list = field(default_factory=list, init=False)
    _scores: list = field(default_factory=list, init=False)

    def fit(self, values: np.ndarray) -> NormalScores:
        """Learn the ranks.

        Parameters
        ----------
        values : ndarray of shape (n_tasks, n_meta_features)

        Returns
        -------
        NormalScores
        """
        self._sorted, self._scores = [], []
        for column in values.T:
            known = np.unique(column[np.isfinite(column)])
            everywhere = column[np.isfinite(column)]
            if len(known) < 2:
                known, scores = np.array([0.0]), np.array([0.0])
            else:
                ranks = rankdata(everywhere, method="average")
                middle = np.array([ranks[everywhere == v][0] for v in known])
                scores = norm.ppf((middle - 0.5) / len(everywhere))
            self._sorted.append(known)
            self._scores.append(np.clip(scores, -_CLIP, _CLIP))
        return self

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Normal scores.

        Parameters
        ----------
        values : ndarray of shape (n_tasks, n_meta_features)

        Returns
        -------
        ndarray of shape (n_tasks, n_meta_features)
        """
        columns = [
            np.interp(column, known, scores)
            for column, known, scores in zip(
                values.T, self._sorted, self._scores, strict=True
            )
        ]
        return np.nan_to_num(np.column_stack(columns))

    def extrapolate(self, values: np.ndarray) -> np.ndarray:
        """Normal scores that go on beyond the known range.

        Outside of it, one more score for every spread between the median and the
        edge, divided by the score of the edge.

        Parameters
        ----------
        values : ndarray of shape (n_tasks, n_meta_features)

        Returns
        -------
        ndarray of shape (n_tasks, n_meta_features)
        """
        scores = self.transform(values)
        for j, known in enumerate(self._sorted):
            middle, value = np.median(known), np.nan_to_num(values[:, j], nan=known[0])
            for edge in (known[0], known[-1]):
                reach = abs(edge - middle)
                beyond = np.abs(value - middle) / reach - 1.0 if reach > 0 else 0.0
                outside = (value - edge) * (edge - middle) > 0
                scores[:, j] = np.where(
                    outside, scores[:, j] * (1.0 + beyond), scores[:, j]
                )
        return scores
