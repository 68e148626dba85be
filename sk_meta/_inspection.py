"""Methods that say what is believed, what was done, and why; they change nothing."""

from __future__ import annotations

import numpy as np

from . import _steps as steps
from ._compat import unlogged
from ._validation import check_groups, check_weights


class InspectionMixin:
    """What can be asked of an estimator, before and after ``fit``."""

    def recommend(self, X, y, *, sample_weight=None, groups=None):
        """Rank the configurations for a table without fitting any.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Table.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels or quantities.
        sample_weight, groups : array-like of shape (n_samples,) or None, default=None
            As in ``fit``.

        Returns
        -------
        ranking : DataFrame
            The most promising configuration first: configuration, family,
            predicted_score with the 80 % interval predicted_low and predicted_high,
            predicted_seconds of one fold, probability_best (of having the best score
            of all, by draws from the joint distribution; standard error below 0.01),
            the reason in words (what it did on the prior tasks nearest to this one,
            and on all), and, for those that are not applicable, why they are
            excluded. ``attrs["metric"]`` says which metric the scores are in.

        Raises
        ------
        ValueError
            As ``fit`` does.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from sk_meta import MetaLearnerClassifier
        >>> X, y = load_wine(return_X_y=True)
        >>> ranking = MetaLearnerClassifier(random_state=0).recommend(X, y)
        >>> list(ranking.columns[:3])
        ['configuration', 'family', 'predicted_score']
        >>> float(ranking["probability_best"].sum().round(6))
        1.0
        """
        twin = type(self)(**self.get_params(deep=False))
        twin._validate_params()
        with unlogged():
            X, y = twin._check(X, y)
            weights, groups = check_weights(sample_weight, y), check_groups(groups, y)
            problem = twin._describe(X, y, weights, groups)
            prior = twin._believe(problem, np.inf)
        return steps.recommend(problem, prior)
