"""The public estimators: their parameters and documentation."""

from __future__ import annotations

from sklearn.base import ClassifierMixin, RegressorMixin

from ._base import BaseMetaLearner
from ._compat import StrOptions

_DOC = """{title}

    Describes the table by meta-features, predicts from prior tasks how every
    configuration would score, evaluates the most promising ones by
    cross-validation while learning from each result, and combines them.

    Parameters
    ----------
{task}    n_candidates : int or "auto", default="auto"
        Largest number of configurations to evaluate. "auto" is 20, or no limit
        if there is a `time_budget`.
    time_budget : float or None, default=None
        Wall-clock seconds for the whole ``fit``, with the refit. Fits that run at
        the deadline are ended, also with ``n_jobs=1``, which then has a worker
        process; what hangs is ended before. Inside another parallel loop, and with a
        joblib backend other than loky, the deadline is soft: it is looked at between
        fits (see ``deadline_``).
    scoring : str, callable, list, tuple, dict or None, default=None
        Scorer as in scikit-learn; None is accuracy or R². Of several, all are
        reported, and the one that `refit` names is searched for.
    refit : str or None, default=None
        Name of the scorer to search for, if `scoring` has several; else it is ignored.
    cv : int, splitter, iterable or None, default=None
        Folds that all configurations share, shuffled with `random_state` and
        stratified for classes if an int is given. None is automatic: five folds,
        fewer or a single split on many rows or in little time, and repeated ones on
        few rows when nothing else is left to do (see ``folds_``). On fewer than 20,000
        training rows the search is then made again on other folds, if there is a
        `time_budget` alone, time left, and more than one member wanted, and the
        ensembles of all searches are averaged.
    candidates : str, list, callable or None, default=None
        What to choose from: names of configurations or families, and estimators of
        your own as ``("a name", estimator)``; or ``wanted(configuration)``, which tells
        of each :class:`Configuration` of the catalogue whether it is wanted (see its
        ``name``, ``family`` and ``params``); None is the whole catalogue. Your own
        ones are expected to do as well as their relatives: the family that has the
        same class of models, or all. A ``Pipeline`` gets the table as it is; anything
        else gets numbers, encoded, imputed and standardised.
    column_kinds : dict of str or int to str, or None, default=None
        What some columns are, by name or position, where it is not what is found:
        "numeric", "ordinal", "duration", "categorical", "text", "datetime", or
        "identifier", which is left out. ``columns_`` tells what is found. The levels
        of an ordered categorical dtype keep their order, others are sorted.
    meta_model : {{"hybrid", "neural", "forest", "linear", "neighbors", "none"}}, \
default="hybrid"
        How meta-features become a prior: "neural" (a multi-layer perceptron),
        "forest" (extremely randomised trees), "linear" (ridge regression),
        "neighbors" (vote of the nearest prior tasks), "hybrid" (a stack of these),
        or "none" (the same prior for every table).
    knowledge : str, path, KnowledgeBase or None, default=None
        Prior results; a folder written by :meth:`KnowledgeBase.save`, or None
        for the knowledge base that ships with the package. The meta-model of
        another one is trained when it is first needed, which takes seconds.
    ensemble_size : int, default=8
        Largest number of different configurations in the ensemble; 1 gives the
        best single pipeline.
    max_predict_time : float or None, default=None
        Seconds that predicting 1,000 rows may take, as measured on the rows that were
        held out, repeated where they are fewer.
    memory_limit : float or None, default=None
        MiB that a worker process may allocate for a candidate; None is a share of
        what is free. A configuration that is expected to need more is not started,
        and one that does need more fails. Linux only.
    checkpoint : str, path or None, default=None
        Folder for the results of every fold. A ``fit`` with the same data and
        parameters that was killed goes on from there; plain arrays, no pickle. It
        needs an int as `random_state`.
    n_jobs : int or None, default=None
        Number of folds evaluated at the same time, as in scikit-learn; without a
        `time_budget` at most four, so that the result is the same for any number.
    random_state : int, RandomState instance or None, default=None
        Seeds the folds and every configuration. With an int and no
        `time_budget`, the result is the same for any `n_jobs`.
    verbose : int, default=0
        1 logs every configuration, 2 also every fold, by the logger "sk_meta": to
        the handlers that the application has set up, else to the standard error. For
        a display of how far it has come see :class:`sk_meta.callbacks.Progress`.

    Attributes
    ----------
    best_estimator_ : Pipeline
        Best single configuration, fitted on all rows; public classes only.
    ensemble_ : WeightedEnsemble
        What ``predict`` uses.
    best_params_ : dict
        Name and hyperparameters of the best single configuration.
    best_score_ : float
        Its mean score over the folds, as it is in ``leaderboard_``. As the best of
        many it is a little optimistic.
    dummy_score_ : float
        Mean cross-validated score of a constant prediction; NaN if it has none.
    ensemble_score_ : float
        Mean score of the ensemble on folds that its selection did not see, before
        its probabilities are scaled by a temperature and mixed with a little doubt.
        It can be below ``best_score_``, which has seen the folds it is chosen by. If
        the search was made several times, the mean of what each ensemble has.
    leaderboard_ : DataFrame
        Every configuration tried, by rank: configuration, family, params, mean_score
        and sd_score over n_folds folds, repeated_score (mean over the folds and their
        repetitions, which are run with a `time_budget` on up to 5,000 rows, and only
        of the best and the best of other families, among which it decides),
        expected_score and expected_rank (before the search, as in ``prior_ranking_``;
        of what the search has made itself, the score expected then, and no rank),
        fit_seconds, predict_seconds and expected_seconds (of one fold), memory (MiB
        that a fold has taken at most), weight (in the ensemble), elapsed (seconds
        until it was known), status and reason (why it failed or was left out).
        A name that ends in ``-r`` and a number has hyperparameters that were drawn
        when the catalogue was made, one with ``~`` was made in the search; ``params``
        has them.
    evaluations_ : DataFrame
        One row per fold of a configuration, in the order in which the results were
        told: configuration, family, split, stage ("look", "folds", "repeat", or
        "restart" of a further search on other folds), worker, started and ended
        (seconds since ``fit`` began), score, status, error, fit_seconds,
        predict_seconds, memory (MiB), expected_score (when the configuration was
        started) and best_score (best complete mean by then).
    beliefs_ : DataFrame
        What was believed of the head of the leaderboard: step (number of results
        told, 0 is the prior), configuration, expected_score, and the 80 % interval low
        and high, in the metric of the rankings.
    ranking_, prior_ranking_ : DataFrame
        What is believed of every configuration after and before the search.
    cv_results_ : dict of str to ndarray
        The trials in the layout of ``GridSearchCV``.
    meta_features_ : DataFrame
        Name, group, value, source and seconds of every meta-feature.
    novelty_ : float
        How unlike the prior tasks the task is: the mean distance to the five nearest
        families of them, over what 99 % of them have to theirs. Above 1 it is out of
        range, and the ranking leans on what works on most tasks.
    embedding_ : ndarray of shape (n_dimensions,)
        Representation of the task: the last hidden layer of the network, or the
        scaled meta-features if ``meta_model`` has none.
    findings_ : DataFrame
        What in the data may spoil a model: problem ("constant", "all missing",
        "identifier-like", "mostly missing", "duplicated rows", "leak-suspect": a column
        that predicts the target almost perfectly, alone and on held-out rows, "drift
        between splits", "rows in time order", "unread values", "ambiguous dates"),
        columns, detail, and action: what is
        done about it, or what to do. Leak suspects are kept. Leaks and drift are
        looked for in the first 2,000 columns.
    columns_ : DataFrame
        What each column was taken for: column, kind, n_unique (of numbers only if they
        are 200 at most, not declared and not sparse), missing (share), and read_as (of
        text: format of dates, decimal mark and unit of numbers, with a star where they
        are written like (1,200) or 4M, "text" of durations; "time zone" of dates that
        have one; "number" of categories that are numbers).
    container_ : {{"frame", "array", "sparse"}}
        What the table was held in.
    scorer_ : callable
        Scorer in use.
    ranking_metric_ : str
        Metric of the knowledge base that stands for it in the rankings.
    metric_mapping_ : str
        Why that one, in a sentence; the rankings carry it as ``attrs["metric"]``.
    other_names_ : list or None
        Names of the columns where they are not unique strings, else None.
    n_splits_ : int
        Number of folds.
    folds_ : str
        Why these folds.
    members_ : DataFrame
        Members of the ensemble: weight, whether "refit" on all rows or the mean of
        their "folds", and seconds for predicting 1,000 rows.
    deadline_ : {{"hard", "soft", "none"}}
        Whether fits that ran at the deadline could be ended.
    stop_reason_ : str
        Why the search ended.
    search_state_ : SearchState
        How far the search has come; only while ``fit`` runs, for the callbacks that
        are set by ``set_callbacks`` (see :class:`sk_meta.callbacks.SearchState`).
    search_time_, refit_time_ : float
        Seconds until the search ended, and for the ensemble and the refits.
    evaluation_time_ : float
        Seconds that the workers have spent within candidates, all together.
    report_path_ : str
        File that :meth:`report` has written, if it has.
    task_ : {{"classification", "regression"}}
        Kind of task.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if all are strings.{classes}

    See Also
    --------
{see_also}

    References
    ----------
    Feurer, M. et al. (2022). "Auto-sklearn 2.0: hands-free AutoML via
    meta-learning". Journal of Machine Learning Research 23(261).

    Examples
    --------
    >>> from sklearn.datasets import {load}
    >>> from sk_meta import {name}
    >>> X, y = {load}(return_X_y=True)
    >>> model = {name}(n_candidates=2, candidates="linear", random_state=0)
    >>> model.fit(X, y).task_
    '{kind}'
    """

_TASK = """    task : {"auto", "classification", "regression"}, default="auto"
        Kind of task; "auto" decides in ``fit``: numbers with a fractional part
        and integers with more than 20 distinct values are quantities.
"""
_CLASSES = """
    classes_ : ndarray of shape (n_classes,)
        Class labels{}; a list of arrays if there
        are several labels."""
_ALL = {
    "MetaLearnerEstimator": "Decides the task from y.",
    "MetaLearnerClassifier": "The same for classification only.",
    "MetaLearnerRegressor": "The same for regression only.",
}


def _documented(title: str, kind: str, load: str, task: str = "", classes: str = ""):
    """Fill in the docstring that the three classes share."""

    def fill(cls):
        others = [f"    {n} : {d}" for n, d in _ALL.items() if n != cls.__name__]
        cls.__doc__ = _DOC.format(
            title=title,
            name=cls.__name__,
            kind=kind,
            load=load,
            task=task,
            classes=classes,
            see_also="\n".join(others),
        )
        return cls

    return fill


@_documented(
    "AutoML for classification and regression that learns from prior tasks.",
    "regression",
    "load_diabetes",
    _TASK,
    _CLASSES.format(", if it is a classification"),
)
class MetaLearnerEstimator(BaseMetaLearner):
    _parameter_constraints: dict = {
        "task": [StrOptions({"auto", "classification", "regression"})],
        **BaseMetaLearner._parameter_constraints,
    }

    def __init__(
        self,
        task="auto",
        *,
        n_candidates="auto",
        time_budget=None,
        scoring=None,
        refit=None,
        cv=None,
        candidates=None,
        column_kinds=None,
        meta_model="hybrid",
        knowledge=None,
        ensemble_size=8,
        max_predict_time=None,
        memory_limit=None,
        checkpoint=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.task = task
        super().__init__(
            n_candidates=n_candidates,
            time_budget=time_budget,
            scoring=scoring,
            refit=refit,
            cv=cv,
            candidates=candidates,
            column_kinds=column_kinds,
            meta_model=meta_model,
            knowledge=knowledge,
            ensemble_size=ensemble_size,
            max_predict_time=max_predict_time,
            memory_limit=memory_limit,
            checkpoint=checkpoint,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )


@_documented(
    "AutoML classifier that learns from prior tasks.",
    "classification",
    "load_iris",
    classes=_CLASSES.format(""),
)
class MetaLearnerClassifier(ClassifierMixin, BaseMetaLearner):
    score = BaseMetaLearner.score  # the mixin's knows no ``scoring``

    def _task(self) -> str:
        return "classification"


@_documented(
    "AutoML regressor that learns from prior tasks.", "regression", "load_diabetes"
)
class MetaLearnerRegressor(RegressorMixin, BaseMetaLearner):
    score = BaseMetaLearner.score  # the mixin's knows no ``scoring``

    def _task(self) -> str:
        return "regression"
