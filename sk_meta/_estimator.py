"""The public estimators: parameters, a short ``fit``, delegated predictions."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from numbers import Integral, Real
from os import PathLike

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from . import _line as line
from ._budget import Budget
from ._compat import ClassifierTags, Interval, RegressorTags, StrOptions, fit_context
from ._knowledge import KnowledgeBase
from ._prior import PRIORS
from ._report import cv_results, leaderboard_frame, ranking_frame
from ._search import Search
from ._validation import check_X, check_y

logger = logging.getLogger("sk_meta")

N_CANDIDATES = 20


def _classifies(self) -> bool:
    return getattr(self, "task_", self._task()) != "regression"


def _has_decision_function(self) -> bool:
    return hasattr(getattr(self, "ensemble_", None), "decision_function")


class _BaseMetaLearner(BaseEstimator):
    """Parameters and behaviour that the three public classes share."""

    _parameter_constraints: dict = {
        "n_candidates": [Interval(Integral, 1, None, closed="left"),
                         StrOptions({"auto"})],
        "time_budget": [Interval(Real, 0, None, closed="neither"), None],
        "scoring": [str, callable, None],
        "cv": ["cv_object"],
        "candidates": ["array-like", None],
        "meta_model": [StrOptions(set(PRIORS))],
        "knowledge": [str, PathLike, KnowledgeBase, None],
        "ensemble_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }  # fmt: skip

    def __init__(
        self,
        *,
        n_candidates="auto",
        time_budget=None,
        scoring=None,
        cv=None,
        candidates=None,
        meta_model="hybrid",
        knowledge=None,
        ensemble_size=8,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.n_candidates = n_candidates
        self.time_budget = time_budget
        self.scoring = scoring
        self.cv = cv
        self.candidates = candidates
        self.meta_model = meta_model
        self.knowledge = knowledge
        self.ensemble_size = ensemble_size
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _task(self) -> str:
        """The task as it is known before ``fit``."""
        return self.task

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Search for the best configurations and fit them on all rows.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Table. Columns of pandas or polars frames may hold numbers, strings,
            categories, booleans, dates and text, with missing values.
        y : array-like of shape (n_samples,)
            Labels or quantities, none missing.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, X or y is not usable; the message says what to do.
        """
        budget = self._budget()
        with _logging(self.verbose):
            problem = self._describe(X, y)
            prior = self._believe(problem)
            self._keep_prior(problem, prior)
            search = Search(
                problem, prior.belief, prior.configurations, budget, self.n_jobs,
                n_refits=self.ensemble_size,
            )  # fmt: skip
            result = search.run()
            selection = line.combine(problem, result, self.ensemble_size)
            self.search_time_ = budget.elapsed()
            fitted = line.refit(
                problem, prior, result, selection, budget, self.n_jobs
            )
            self.refit_time_ = budget.elapsed() - self.search_time_
        self._keep_result(problem, prior, result, selection, fitted)
        return self

    def recommend(self, X, y):
        """Rank the configurations for a table without fitting any.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Table.
        y : array-like of shape (n_samples,)
            Labels or quantities.

        Returns
        -------
        ranking : DataFrame
            The most promising configuration first: name, family, predicted
            score with an 80 % interval, predicted seconds of one fold, and, for
            those that are not applicable, the reason.

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
        """
        twin = type(self)(**self.get_params(deep=False))
        twin._validate_params()
        problem = twin._describe(X, y)
        prior = twin._believe(problem)
        return _ranking(problem, prior)

    def _budget(self) -> Budget:
        count = self.n_candidates
        if isinstance(count, str):
            count = None if self.time_budget is not None else N_CANDIDATES
        return Budget(self.time_budget, count)

    def _describe(self, X, y) -> line.Problem:
        X = check_X(self, X, reset=True)
        y = check_y(X, y, self._task())
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        return line.describe(
            X, y, task=self._task(), scoring=self.scoring, cv=self.cv, seed=seed
        )

    def _believe(self, problem) -> line.Prior:
        knowledge = self.knowledge
        if not isinstance(knowledge, KnowledgeBase):
            knowledge = KnowledgeBase.load(knowledge)
        return line.believe(problem, knowledge, self.candidates, self.meta_model)

    def _keep_prior(self, problem, prior) -> None:
        """Attributes that are known before anything is fitted."""
        self.task_ = problem.target.task
        if self.task_ == "classification":
            self.classes_ = problem.target.classes
        self.columns_ = problem.table.to_frame()
        self.meta_features_ = prior.meta_features.to_frame()
        self.scorer_ = problem.metric.scorer
        self.n_splits_ = len(problem.splits)
        self.prior_ranking_ = _ranking(problem, prior)

    def _keep_result(self, problem, prior, result, selection, fitted) -> None:
        """Attributes that tell what was tried and found."""
        self.stop_reason_ = result.stop_reason
        self.ranking_ = _ranking(problem, prior)
        self.leaderboard_ = leaderboard_frame(
            result, selection, prior.configurations, prior.excluded, problem.metric,
            problem.dummy_loss,
        )  # fmt: skip
        self.cv_results_ = cv_results(
            result, prior.configurations, problem.metric, self.n_splits_
        )
        self.best_estimator_ = fitted.best
        self.ensemble_ = fitted.ensemble
        self.ensemble_score_ = np.nan if selection is None else selection.score
        best = self.leaderboard_[self.leaderboard_["configuration"] == fitted.best_name]
        self.best_score_ = best["mean_score"].max() if len(best) else np.nan
        params = best["params"].iloc[0] if len(best) else None
        self.best_params_ = {
            "configuration": fitted.best_name,
            **(params if isinstance(params, dict) else {}),
        }

    def predict(self, X):
        """Predict with the ensemble.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Table with the columns of ``fit``.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels as they were given to ``fit``, or quantities.
        """
        return self._ensemble().predict(check_X(self, X, reset=False))

    @available_if(_classifies)
    def predict_proba(self, X):
        """Class probabilities of the ensemble.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Table with the columns of ``fit``.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            One column per entry of ``classes_``.
        """
        return self._ensemble().predict_proba(check_X(self, X, reset=False))

    @available_if(_has_decision_function)
    def decision_function(self, X):
        """Decision values, if the ensemble is one pipeline that has them.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Table with the columns of ``fit``.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Larger is more confident.
        """
        return self._ensemble().decision_function(check_X(self, X, reset=False))

    def score(self, X, y):
        """Score the ensemble with ``scoring``.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Table with the columns of ``fit``.
        y : array-like of shape (n_samples,)
            True labels or quantities.

        Returns
        -------
        score : float
            Greater is better; accuracy or R² if ``scoring`` is None.
        """
        check_is_fitted(self)
        return float(self.scorer_(self, X, y))

    def _ensemble(self):
        check_is_fitted(self)
        return self.ensemble_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "ensemble_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        task = self._task()
        if task == "auto":
            task = getattr(self, "task_", "auto")
        if task != "auto":
            tags.estimator_type = {
                "classification": "classifier",
                "regression": "regressor",
            }[task]
        if task != "regression":
            tags.classifier_tags = ClassifierTags()
        if task != "classification":
            tags.regressor_tags = RegressorTags()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


class MetaLearnerEstimator(_BaseMetaLearner):
    """AutoML for classification and regression that learns from prior tasks.

    Describes the table by meta-features, predicts from prior tasks how every
    configuration would score, evaluates the most promising ones by
    cross-validation while learning from each result, and combines them.

    Parameters
    ----------
    task : {"auto", "classification", "regression"}, default="auto"
        Kind of task; "auto" decides in ``fit``: numbers with a fractional part
        and integers with more than 20 distinct values are quantities.
    n_candidates : int or "auto", default="auto"
        Largest number of configurations to evaluate. "auto" is 20, or no limit
        if there is a `time_budget`.
    time_budget : float or None, default=None
        Wall-clock seconds for the whole ``fit``. With ``n_jobs=1``, or inside
        another parallel loop, it is checked between fits only; otherwise running
        fits are stopped at the deadline.
    scoring : str, callable or None, default=None
        Scorer as in scikit-learn; None is accuracy or R².
    cv : int, splitter, iterable or None, default=None
        Folds that all configurations share. None is five, an int that many,
        shuffled with `random_state` and stratified for classes.
    candidates : list of str or None, default=None
        Names of configurations or families to choose from; None is all of them.
    meta_model : {"hybrid", "linear", "neighbors", "none"}, default="hybrid"
        How meta-features become a prior: "linear" (ridge regression),
        "neighbors" (vote of the nearest prior tasks), "hybrid" (both), or "none"
        (the same prior for every table).
    knowledge : str, path, KnowledgeBase or None, default=None
        Prior results; a folder written by :meth:`KnowledgeBase.save`, or None
        for the knowledge base that ships with the package.
    ensemble_size : int, default=8
        Largest number of different configurations in the ensemble; 1 gives the
        best single pipeline.
    n_jobs : int or None, default=None
        Number of folds evaluated at the same time, as in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Seeds the folds and every configuration. With an int and no
        `time_budget`, the result is the same for any `n_jobs`.
    verbose : int, default=0
        1 logs every evaluation.

    Attributes
    ----------
    best_estimator_ : Pipeline
        Best single configuration, fitted on all rows; public classes only.
    ensemble_ : WeightedEnsemble
        What ``predict`` uses.
    best_params_ : dict
        Name and hyperparameters of the best single configuration.
    best_score_ : float
        Its mean cross-validated score.
    ensemble_score_ : float
        Mean score of the ensemble on folds that its selection did not see.
    leaderboard_ : DataFrame
        Every configuration tried, with expected and real score, and why others
        were left out.
    ranking_, prior_ranking_ : DataFrame
        What is believed of every configuration after and before the search.
    cv_results_ : dict of str to ndarray
        The trials in the layout of ``GridSearchCV``.
    meta_features_ : DataFrame
        Name, group, value, source and seconds of every meta-feature.
    columns_ : DataFrame
        What each column was taken for.
    classes_ : ndarray of shape (n_classes,)
        Class labels, if it is a classification.
    scorer_ : callable
        Scorer in use.
    n_splits_ : int
        Number of folds.
    stop_reason_ : str
        Why the search ended.
    search_time_, refit_time_ : float
        Seconds until the ensemble was selected, and for the refit.
    task_ : {"classification", "regression"}
        Kind of task.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    See Also
    --------
    MetaLearnerClassifier : The same for classification only.
    MetaLearnerRegressor : The same for regression only.

    References
    ----------
    Feurer, M. et al. (2022). "Auto-sklearn 2.0: hands-free AutoML via
    meta-learning". Journal of Machine Learning Research 23(261).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sk_meta import MetaLearnerEstimator
    >>> X, y = load_diabetes(return_X_y=True)
    >>> estimator = MetaLearnerEstimator(
    ...     n_candidates=2, candidates=["linear"], random_state=0
    ... ).fit(X, y)
    >>> estimator.task_
    'regression'
    """

    _parameter_constraints: dict = {
        "task": [StrOptions({"auto", "classification", "regression"})],
        **_BaseMetaLearner._parameter_constraints,
    }

    def __init__(
        self,
        task="auto",
        *,
        n_candidates="auto",
        time_budget=None,
        scoring=None,
        cv=None,
        candidates=None,
        meta_model="hybrid",
        knowledge=None,
        ensemble_size=8,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.task = task
        super().__init__(
            n_candidates=n_candidates,
            time_budget=time_budget,
            scoring=scoring,
            cv=cv,
            candidates=candidates,
            meta_model=meta_model,
            knowledge=knowledge,
            ensemble_size=ensemble_size,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )


class MetaLearnerClassifier(_BaseMetaLearner):
    """AutoML classifier that learns from prior tasks.

    Describes the table by meta-features, predicts from prior tasks how every
    configuration would score, evaluates the most promising ones by
    cross-validation while learning from each result, and combines them.

    Parameters
    ----------
    n_candidates : int or "auto", default="auto"
        Largest number of configurations to evaluate. "auto" is 20, or no limit
        if there is a `time_budget`.
    time_budget : float or None, default=None
        Wall-clock seconds for the whole ``fit``. With ``n_jobs=1``, or inside
        another parallel loop, it is checked between fits only; otherwise running
        fits are stopped at the deadline.
    scoring : str, callable or None, default=None
        Scorer as in scikit-learn; None is accuracy or R².
    cv : int, splitter, iterable or None, default=None
        Folds that all configurations share. None is five, an int that many,
        shuffled with `random_state` and stratified for classes.
    candidates : list of str or None, default=None
        Names of configurations or families to choose from; None is all of them.
    meta_model : {"hybrid", "linear", "neighbors", "none"}, default="hybrid"
        How meta-features become a prior: "linear" (ridge regression),
        "neighbors" (vote of the nearest prior tasks), "hybrid" (both), or "none"
        (the same prior for every table).
    knowledge : str, path, KnowledgeBase or None, default=None
        Prior results; a folder written by :meth:`KnowledgeBase.save`, or None
        for the knowledge base that ships with the package.
    ensemble_size : int, default=8
        Largest number of different configurations in the ensemble; 1 gives the
        best single pipeline.
    n_jobs : int or None, default=None
        Number of folds evaluated at the same time, as in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Seeds the folds and every configuration. With an int and no
        `time_budget`, the result is the same for any `n_jobs`.
    verbose : int, default=0
        1 logs every evaluation.

    Attributes
    ----------
    best_estimator_ : Pipeline
        Best single configuration, fitted on all rows; public classes only.
    ensemble_ : WeightedEnsemble
        What ``predict`` uses.
    best_params_ : dict
        Name and hyperparameters of the best single configuration.
    best_score_ : float
        Its mean cross-validated score.
    ensemble_score_ : float
        Mean score of the ensemble on folds that its selection did not see.
    leaderboard_ : DataFrame
        Every configuration tried, with expected and real score, and why others
        were left out.
    ranking_, prior_ranking_ : DataFrame
        What is believed of every configuration after and before the search.
    cv_results_ : dict of str to ndarray
        The trials in the layout of ``GridSearchCV``.
    meta_features_ : DataFrame
        Name, group, value, source and seconds of every meta-feature.
    columns_ : DataFrame
        What each column was taken for.
    classes_ : ndarray of shape (n_classes,)
        Class labels, if it is a classification.
    scorer_ : callable
        Scorer in use.
    n_splits_ : int
        Number of folds.
    stop_reason_ : str
        Why the search ended.
    search_time_, refit_time_ : float
        Seconds until the ensemble was selected, and for the refit.
    task_ : {"classification", "regression"}
        Kind of task.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    See Also
    --------
    MetaLearnerRegressor : The same for regression.
    MetaLearnerEstimator : Decides the task from y.

    References
    ----------
    Feurer, M. et al. (2022). "Auto-sklearn 2.0: hands-free AutoML via
    meta-learning". Journal of Machine Learning Research 23(261).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_meta import MetaLearnerClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = MetaLearnerClassifier(
    ...     n_candidates=2, candidates=["linear"], random_state=0
    ... ).fit(X, y)
    >>> classifier.score(X, y) > 0.9
    True
    """

    def _task(self) -> str:
        return "classification"


class MetaLearnerRegressor(_BaseMetaLearner):
    """AutoML regressor that learns from prior tasks.

    Describes the table by meta-features, predicts from prior tasks how every
    configuration would score, evaluates the most promising ones by
    cross-validation while learning from each result, and combines them.

    Parameters
    ----------
    n_candidates : int or "auto", default="auto"
        Largest number of configurations to evaluate. "auto" is 20, or no limit
        if there is a `time_budget`.
    time_budget : float or None, default=None
        Wall-clock seconds for the whole ``fit``. With ``n_jobs=1``, or inside
        another parallel loop, it is checked between fits only; otherwise running
        fits are stopped at the deadline.
    scoring : str, callable or None, default=None
        Scorer as in scikit-learn; None is accuracy or R².
    cv : int, splitter, iterable or None, default=None
        Folds that all configurations share. None is five, an int that many,
        shuffled with `random_state` and stratified for classes.
    candidates : list of str or None, default=None
        Names of configurations or families to choose from; None is all of them.
    meta_model : {"hybrid", "linear", "neighbors", "none"}, default="hybrid"
        How meta-features become a prior: "linear" (ridge regression),
        "neighbors" (vote of the nearest prior tasks), "hybrid" (both), or "none"
        (the same prior for every table).
    knowledge : str, path, KnowledgeBase or None, default=None
        Prior results; a folder written by :meth:`KnowledgeBase.save`, or None
        for the knowledge base that ships with the package.
    ensemble_size : int, default=8
        Largest number of different configurations in the ensemble; 1 gives the
        best single pipeline.
    n_jobs : int or None, default=None
        Number of folds evaluated at the same time, as in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Seeds the folds and every configuration. With an int and no
        `time_budget`, the result is the same for any `n_jobs`.
    verbose : int, default=0
        1 logs every evaluation.

    Attributes
    ----------
    best_estimator_ : Pipeline
        Best single configuration, fitted on all rows; public classes only.
    ensemble_ : WeightedEnsemble
        What ``predict`` uses.
    best_params_ : dict
        Name and hyperparameters of the best single configuration.
    best_score_ : float
        Its mean cross-validated score.
    ensemble_score_ : float
        Mean score of the ensemble on folds that its selection did not see.
    leaderboard_ : DataFrame
        Every configuration tried, with expected and real score, and why others
        were left out.
    ranking_, prior_ranking_ : DataFrame
        What is believed of every configuration after and before the search.
    cv_results_ : dict of str to ndarray
        The trials in the layout of ``GridSearchCV``.
    meta_features_ : DataFrame
        Name, group, value, source and seconds of every meta-feature.
    columns_ : DataFrame
        What each column was taken for.
    scorer_ : callable
        Scorer in use.
    n_splits_ : int
        Number of folds.
    stop_reason_ : str
        Why the search ended.
    search_time_, refit_time_ : float
        Seconds until the ensemble was selected, and for the refit.
    task_ : {"classification", "regression"}
        Kind of task.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    See Also
    --------
    MetaLearnerClassifier : The same for classification.
    MetaLearnerEstimator : Decides the task from y.

    References
    ----------
    Feurer, M. et al. (2022). "Auto-sklearn 2.0: hands-free AutoML via
    meta-learning". Journal of Machine Learning Research 23(261).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sk_meta import MetaLearnerRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> regressor = MetaLearnerRegressor(
    ...     n_candidates=2, candidates=["linear"], random_state=0
    ... ).fit(X, y)
    >>> regressor.score(X, y) > 0.4
    True
    """

    def _task(self) -> str:
        return "regression"


def _ranking(problem, prior):
    return ranking_frame(
        prior.belief,
        prior.configurations,
        prior.excluded,
        problem.metric,
        problem.dummy_loss,
    )


@contextmanager
def _logging(verbose: int):
    """Show the log on the standard error while fitting, if asked to."""
    if not verbose:
        yield
        return
    handler, level = logging.StreamHandler(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
