"""Methods that say what is believed, what was done, and why; they change no result."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from . import _steps as steps
from ._code import code_of
from ._compat import unlogged
from ._explain import Explanation, explain
from ._html import Report, heading, report
from ._summary import summarise
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

    def explain(self, n: int = 5) -> Explanation:
        """Explain how the head of the leaderboard came about.

        Of each configuration: what was believed of it before the search and how every
        result moved that; the nearest prior tasks and what won there; and the
        meta-features that mattered most to the prediction: it is made again with each
        replaced by its median over the prior tasks. All numbers can be computed again
        from the knowledge base.

        Parameters
        ----------
        n : int, default=5
            Number of configurations, 10 at the most.

        Returns
        -------
        explanation : Explanation
            Tables as attributes, all in one with ``to_frame()``, in words with
            ``str()``.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If `n` is not from 1 to 10.
        """
        check_is_fitted(self)
        return explain(self, n)

    def summary(self) -> str:
        """Say in a paragraph what was tried, what won, and what the data are like.

        Returns
        -------
        summary : str
            Also why the search ended, by how much the best is better than the next and
            than a constant prediction, and what predicts.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self)
        return summarise(self)

    def report(self, path=None) -> Report:
        """Make a page of HTML about the search: one file that loads nothing.

        It shows the summary, what was found in the data, the winner and its pipeline,
        the leaderboard, what was expected and what was found, why, the figures of
        ``sk_meta.plots``, what was left out, settings and versions. Without
        matplotlib it has no figures and says so.

        Parameters
        ----------
        path : str, Path or None, default=None
            File to write, an existing one is replaced; None writes none.

        Returns
        -------
        report : Report
            With ``html`` and ``path``; a notebook shows it.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        FileNotFoundError
            If the folder of the file does not exist.
        IsADirectoryError
            If `path` is a folder.
        """
        return report(self, path)

    def to_code(self) -> str:
        """Source of a script that makes ``best_estimator_`` without sk_meta.

        Returns
        -------
        code : str
            Defines ``make_pipeline()`` and ``fit(X, y)``, which brings the target into
            the form that this ``fit`` has brought it in. On the same rows and without
            sample weights, it predicts what ``best_estimator_`` does. Weights go to
            the last step: ``pipeline.fit(X, y, model__sample_weight=w)``.

        Raises
        ------
        ValueError
            If a candidate of your own can't be imported by a script.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sk_meta import MetaLearnerClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> model = MetaLearnerClassifier(candidates="linear", n_candidates=1)
        >>> "def make_pipeline():" in model.fit(X, y).to_code()
        True
        """
        check_is_fitted(self)
        return code_of(self)

    def _repr_html_inner(self):
        shown = super()._repr_html_inner()
        return heading(self) + shown if self.__sklearn_is_fitted__() else shown

    def _repr_mimebundle_(self, **kwargs):
        output = super()._repr_mimebundle_(**kwargs)
        if "text/html" in output and self.__sklearn_is_fitted__():
            output["text/html"] = heading(self) + output["text/html"]
        return output
