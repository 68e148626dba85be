"""The estimator that applies the weights of an ensemble to its fitted members."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed

from ._compat import VisualBlock
from ._evaluation import as_fitted, predict_with
from ._temperature import heated
from ._together import ignored, together

_MANY_ROWS = 1_000  # fewer are predicted in less time than threads take to start


@together
def _known_categories():
    """A category that was not there in fit is an ordinary thing."""
    return ignored("Found unknown categories")


def _has_one(name: str):
    """Whether there is a single member, and it has the method."""

    def check(self):
        if len(self.estimators) == 1:
            getattr(self.estimators[0], name)
            return True
        return False

    return check


def _classifies(self) -> bool:
    return self.classes is not None


class WeightedEnsemble(BaseEstimator):
    """Weighted average of fitted pipelines.

    Parameters
    ----------
    estimators : list of Pipeline
        Fitted members.
    weights : ndarray of shape (n_members,)
        Sum to 1.
    classes : ndarray of shape (n_classes,), MULTILABEL or None
        Class labels; None for regression.
    temperature : float, default=1.0
        By which the logarithms of the probabilities are divided.
    names : list of str or None, default=None
        Names of the members, for their display.
    n_jobs : int or None, default=None
        Threads for the members, if there are several and many rows.
    doubt : ndarray of shape (n_classes,) or None, default=None
        Small probabilities that are mixed in.
    temperatures : list of float or None, default=None
        By which those of every member are divided before they are blended.
    """

    def __init__(
        self, estimators, weights, classes=None, temperature=1.0, names=None,
        n_jobs=None, doubt=None, temperatures=None,
    ):  # fmt: skip
        self.estimators = estimators
        self.weights = weights
        self.classes = classes
        self.temperature = temperature
        self.names = names
        self.n_jobs = n_jobs
        self.doubt = doubt
        self.temperatures = temperatures

    def __sklearn_is_fitted__(self):
        return True

    def _sk_visual_block_(self):
        names = self.names or [type(e).__name__ for e in self.estimators]
        pairs = zip(self.weights, names, strict=True)
        names = [f"{weight:.2f} × {name}" for weight, name in pairs]
        return VisualBlock("parallel", self.estimators, names=names)

    def _blend(self, X) -> np.ndarray:
        few = len(self.estimators) == 1 or X.shape[0] < _MANY_ROWS
        threads = Parallel(n_jobs=1 if few else self.n_jobs, prefer="threads")
        with _known_categories():
            parts = threads(
                delayed(predict_with)(e, X, self.classes) for e in self.estimators
            )
        if self.temperatures is not None:
            parts = map(heated, parts, self.temperatures)
        blend = np.tensordot(self.weights, np.stack(list(parts)), axes=1)
        if isinstance(self.classes, np.ndarray):
            blend = heated(blend, self.temperature)
        if self.doubt is not None:
            blend = (1 - self.doubt.sum()) * blend + self.doubt
        return blend

    def predict(self, X) -> np.ndarray:
        """Most probable class, probable labels, or weighted mean of the values.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        blend = self._blend(X)
        if self.classes is None:
            return blend
        if isinstance(self.classes, str):
            return (blend >= 0.5).astype(int)
        return self.classes[blend.argmax(axis=1)]

    @available_if(_classifies)
    def predict_proba(self, X) -> np.ndarray:
        """Weighted mean of the class probabilities.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return self._blend(X)

    @available_if(_has_one("decision_function"))
    def decision_function(self, X) -> np.ndarray:
        """Decision values of the only member.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        with _known_categories(), as_fitted():
            return self.estimators[0].decision_function(X)
