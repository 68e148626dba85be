"""What the public estimators share: a short ``fit`` and delegated predictions."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike

import numpy as np
import pandas as pd
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from . import _steps as steps
from ._budget import Budget
from ._catalogue import import_needed
from ._checkpoint import Checkpoint, check_seed
from ._compat import (
    CallbackSupportMixin,
    ClassifierTags,
    Interval,
    RegressorTags,
    StrOptions,
    VisualBlock,
    fit_context,
    unlogged,
)
from ._findings import find
from ._inspection import InspectionMixin
from ._knowledge import KnowledgeBase
from ._log import logged
from ._memory import memory_per_worker
from ._priors import MEMBERS
from ._problem import Problem, describe, dummy_score
from ._record import HEAD, beliefs_frame, evaluations_frame
from ._refit import Refits
from ._report import (
    cv_results,
    leaderboard_frame,
    members_frame,
    with_frames,
    without_frames,
)
from ._restarts import Searches
from ._search import Search, SearchResult
from ._selection import Selection
from ._shared import SharedTask
from ._strategy import Strategy
from ._table import MULTILABEL
from ._tasks import watched
from ._validation import as_frame, check_groups, check_weights, check_X, check_y
from ._workers import open_workers

N_CANDIDATES = 20


def _classifies(self) -> bool:
    return getattr(self, "task_", self._task()) != "regression"


def _has_decision_function(self) -> bool:
    return hasattr(getattr(self, "ensemble_", None), "decision_function")


class BaseMetaLearner(InspectionMixin, CallbackSupportMixin, BaseEstimator):
    """Parameters and behaviour that the three public classes share."""

    _parameter_constraints: dict = {
        "n_candidates": [Interval(Integral, 1, None, closed="left"),
                         StrOptions({"auto"})],
        "time_budget": [Interval(Real, 0, None, closed="right"), None],
        "scoring": [str, callable, list, tuple, dict, None],
        "refit": [str, None],
        "cv": ["cv_object"],
        "candidates": [str, list, tuple, callable, None],
        "column_kinds": [dict, None],
        "meta_model": [StrOptions(set(MEMBERS))],
        "knowledge": [str, PathLike, KnowledgeBase, None],
        "ensemble_size": [Interval(Integral, 1, None, closed="left")],
        "max_predict_time": [Interval(Real, 0, None, closed="neither"), None],
        "memory_limit": [Interval(Real, 0, None, closed="neither"), None],
        "checkpoint": [str, PathLike, None],
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
        self.n_candidates = n_candidates
        self.time_budget = time_budget
        self.scoring = scoring
        self.refit = refit
        self.cv = cv
        self.candidates = candidates
        self.column_kinds = column_kinds
        self.meta_model = meta_model
        self.knowledge = knowledge
        self.ensemble_size = ensemble_size
        self.max_predict_time = max_predict_time
        self.memory_limit = memory_limit
        self.checkpoint = checkpoint
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _task(self) -> str:
        """The task as it is known before ``fit``."""
        return self.task

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sample_weight=None, groups=None):
        """Search for the best configurations and fit them on all rows.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Table. Columns of pandas or polars frames may hold numbers, strings,
            categories, booleans, dates and text, with missing values.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels or quantities, none missing. Several columns of zeros and ones are
            labels that a row may have at a time, others several quantities; they are
            for the configurations that take them.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weight of each row in fits, in scorers that take weights, and in the
            ensemble; rows of weight zero are left out. Configurations that take no
            weights are not used. Equal weights are none.
        groups : array-like of shape (n_samples,) or None, default=None
            Rows of one group are never on both sides of a split; a splitter given as
            ``cv`` gets them.

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
        self._forget()
        check_seed(self.checkpoint, self.random_state)
        X_given, y_given = X, y
        X, y = self._check(X, y)
        weights, groups = check_weights(sample_weight, y), check_groups(groups, y)
        slowest = np.inf if self.max_predict_time is None else self.max_predict_time
        with logged(self.verbose), unlogged(), ExitStack() as stack:
            tasks = stack.enter_context(watched(self, X_given, y_given, sample_weight))
            # They start while the table is described.
            memory = memory_per_worker(self.memory_limit, effective_n_jobs(self.n_jobs))
            workers = open_workers(self.n_jobs, timed=budget.limited, memory=memory)
            stack.enter_context(closing(workers))
            problem = self._describe(X, y, weights, groups)
            prior = self._believe(problem, memory)
            problem = steps.plan(
                problem, prior, budget, workers.size, self.ensemble_size
            )
            self._keep_prior(problem, prior)
            import_needed(problem.table, steps.packages(prior))
            task = stack.enter_context(closing(self._share(problem, workers)))
            checkpoint = self._open_checkpoint(problem)

            def begin(some: Problem, hung: set[str]) -> Search:
                anew = prior.without(hung)  # each conditions a belief of its own
                return self._search(
                    some, anew, budget, workers, task, memory, checkpoint, tasks
                )

            def choose(
                some: Problem, result: SearchResult, usable: set[str] | None
            ) -> Selection | None:
                return steps.combine(
                    some, result, self.ensemble_size, slowest, usable
                )

            searches = Searches(begin, choose, self.ensemble_size, slowest)
            result = searches.run(problem)
            self.search_time_ = budget.elapsed()
            # The best is refitted while the ensemble is selected.
            refits = Refits(problem, result, budget, workers, task, slowest).begin()
            with tasks.task("ensemble"):
                selection = searches.choose(refits.within_reach())
            with tasks.task("refit"):
                fitted = refits.finish(selection, prior.excluded)
            self.refit_time_ = budget.elapsed() - self.search_time_
            self.deadline_ = _deadline(budget, workers)
            self.evaluation_time_ = searches.busy_seconds
            after = replace(prior, belief=searches.belief)
            self._keep_result(problem, after, result, selection, fitted)
            self._keep_record(problem, prior.belief, result)
        return self

    def _forget(self) -> None:
        """Drop what an earlier fit learned, so that a failed one leaves none."""
        for name in [n for n in vars(self) if n.endswith("_") and n[0] != "_"]:
            delattr(self, name)

    def _budget(self) -> Budget:
        count = self.n_candidates
        if isinstance(count, str):
            count = None if self.time_budget is not None else N_CANDIDATES
        return Budget(self.time_budget, count)

    def _check(self, X, y):
        """Validated table and target."""
        self._package_of_X = type(X).__module__.partition(".")[0]  # for to_code
        X = check_X(self, X, reset=True)
        if self.column_kinds and not isinstance(X, pd.DataFrame):
            # An array has one kind of columns only.
            X = as_frame(X)
        with np.errstate(all="ignore"):  # squares of huge values, and casts
            return X, check_y(X, y, self._task())

    def _describe(self, X, y, weights=None, groups=None) -> Problem:
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        with np.errstate(all="ignore"):
            return describe(
                X,
                y,
                task=self._task(),
                scoring=self.scoring,
                refit=self.refit,
                cv=self.cv,
                seed=seed,
                column_kinds=self.column_kinds,
                weights=weights,
                groups=groups,
            )

    def _believe(self, problem, memory: float) -> steps.Prior:
        return steps.believe(
            problem, self.knowledge, self.candidates, self.meta_model, memory
        )

    def _share(self, problem, workers) -> SharedTask:
        return SharedTask(*problem.data, processes=workers.processes)

    def _open_checkpoint(self, problem) -> Checkpoint | None:
        return None if self.checkpoint is None else Checkpoint(self.checkpoint, problem)

    def _search(
        self, problem, prior, budget, workers, task, memory, checkpoint, tasks
    ) -> Search:
        strategy = Strategy(
            problem,
            prior.belief,
            prior.configurations,
            budget,
            n_workers=workers.size,
            hard=workers.hard,
            ensemble_size=self.ensemble_size,
            families=prior.families,
            memory=memory,
        )
        time_predict = self.max_predict_time is not None
        return Search(strategy, workers, task, checkpoint, tasks, time_predict)

    def _keep_prior(self, problem, prior) -> None:
        """Attributes that are known before anything is fitted."""
        self.task_ = problem.target.task
        if problem.target.form is MULTILABEL:
            self.classes_ = [np.array([0, 1])] * problem.target.n_outputs
        elif problem.target.classes is not None:
            self.classes_ = problem.target.classes
        self.columns_ = problem.table.to_frame()
        self.meta_features_ = prior.meta_features.to_frame()
        self.scorer_ = problem.metric.scorer
        self.ranking_metric_ = problem.metric.stored
        self.metric_mapping_ = problem.metric.mapping
        self.novelty_ = prior.belief.novelty
        self.embedding_ = prior.embedding
        self.container_ = problem.table.container
        self.n_splits_ = len(problem.splits)
        self.folds_ = problem.folds.why
        self.prior_ranking_ = steps.rank(problem, prior)
        with np.errstate(all="ignore"):
            self.findings_ = find(problem)
            self.dummy_score_ = dummy_score(problem)

    def _keep_result(self, problem, prior, result, selection, fitted) -> None:
        """Attributes that tell what was tried and found."""
        self.stop_reason_ = result.stop_reason
        self.ranking_ = steps.rank(problem, prior)
        self.members_ = members_frame(result, selection, fitted)
        self.leaderboard_ = leaderboard_frame(
            result, self.members_, self.prior_ranking_, self.n_splits_,
            problem.metric, problem.dummy_loss,
        )  # fmt: skip
        self.cv_results_ = cv_results(result, self.n_splits_, problem.metric)
        self.best_estimator_ = fitted.best
        self.ensemble_ = fitted.ensemble.set_params(n_jobs=self.n_jobs)
        self.ensemble_score_ = np.nan if selection is None else selection.score
        best = self.leaderboard_[self.leaderboard_["configuration"] == fitted.best_name]
        self.best_score_ = best["mean_score"].max() if len(best) else np.nan
        params = best["params"].iloc[0] if len(best) else None
        self.best_params_ = {
            "configuration": fitted.best_name,
            **(params if isinstance(params, dict) else {}),
        }

    def _keep_record(self, problem, before, result) -> None:
        """Attributes that tell how the search went, result by result."""
        scale = (problem.metric, problem.dummy_loss)
        self.evaluations_ = evaluations_frame(result.told, problem.folds, *scale)
        names = self.leaderboard_["configuration"].head(HEAD).tolist()
        self.beliefs_ = beliefs_frame(before, result.told, names, *scale)

    def predict(self, X):
        """Predict with the ensemble.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Table with the columns of ``fit``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
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
            One column per entry of ``classes_``; of several labels the probability of
            each, of shape (n_samples, n_labels).
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

    def score(self, X, y, sample_weight=None):
        """Score the ensemble with ``scoring``.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
            Table with the columns of ``fit``.
        y : array-like of shape (n_samples,)
            True labels or quantities.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weight of each row, for a scorer that takes weights.

        Returns
        -------
        score : float
            Greater is better; accuracy or R² if ``scoring`` is None.
        """
        check_is_fitted(self)
        if sample_weight is None:
            return float(self.scorer_(self, X, y))
        return float(self.scorer_(self, X, y, sample_weight=sample_weight))

    def _ensemble(self):
        check_is_fitted(self)
        self.ensemble_.n_jobs = self.n_jobs  # it may have been changed since fit
        return self.ensemble_

    def _sk_visual_block_(self):
        if self.__sklearn_is_fitted__():
            return self.ensemble_._sk_visual_block_()
        return VisualBlock(
            "single", self, names=type(self).__name__, name_details=str(self)
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "ensemble_")

    def __getstate__(self):
        return without_frames(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(with_frames(state))

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
            tags.classifier_tags = ClassifierTags(multi_label=True)
        if task != "classification":
            tags.regressor_tags = RegressorTags()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _deadline(budget: Budget, workers) -> str:
    """Whether there was a deadline, and whether running fits could be ended."""
    if not budget.limited:
        return "none"
    return "hard" if workers.hard else "soft"
