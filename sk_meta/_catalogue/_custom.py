"""Configurations of the user's own: any classifier, regressor or pipeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import joblib
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.pipeline import Pipeline

from .._table import Table
from . import _preprocessing as prep
from ._configuration import Configuration, Steps, calibrated

OWN = "own"  # family of what is like nothing in the catalogue


@dataclass(frozen=True)
class _OwnSteps:
    """Unfitted copies of the steps of a pipeline."""

    pipeline: Pipeline
    wrap: Any = None

    def __call__(self, table: Table) -> Steps:
        *features, (name, model) = clone(self.pipeline).steps
        if self.wrap is not None:
            model = self.wrap(table, model)
        return [*features, (name, model)]


def custom(
    name: str, estimator, task: str, catalogue: Iterable[Configuration]
) -> Configuration:
    """Make a configuration of an estimator.

    Parameters
    ----------
    name : str
    estimator : estimator
        A ``Pipeline`` is used as it is and gets the table as it is; anything else gets
        numbers: categories one-hot encoded, gaps imputed, all standardised. A
        classifier without ``predict_proba`` is calibrated.
    task : {"classification", "regression"}
    catalogue : iterable of Configuration
        Where its family is looked for: that of the same class of models.

    Returns
    -------
    Configuration

    Raises
    ------
    ValueError
        If it is no estimator, or of another kind of task.
    """
    right = is_classifier if task == "classification" else is_regressor
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise ValueError(
            f"candidates: {name!r} is not an estimator but {estimator!r}. Pass an "
            "instance, such as RandomForestClassifier()."
        )
    try:
        fits = right(estimator)
        clone(estimator)
    except Exception as error:
        raise ValueError(
            f"candidates: {name!r} is not a scikit-learn estimator: {error}"
        ) from error
    if not fits:
        wanted = "classifier" if task == "classification" else "regressor"
        raise ValueError(
            f"candidates: {name!r} ({type(estimator).__name__}) is not a {wanted}, and "
            f"the task is {task}. Remove it, or set task."
        )
    whole = isinstance(estimator, Pipeline)
    # One that does more than to call its steps, as imbalanced-learn's, stays one step.
    plain = type(estimator) is Pipeline and not (
        estimator.memory or getattr(estimator, "transform_input", None)
    )
    pipeline = estimator if plain else Pipeline([("model", estimator)])
    hard = task == "classification" and not hasattr(estimator, "predict_proba")
    model = (estimator if whole else pipeline).steps[-1][1]
    return Configuration(
        name,
        _family_of(type(model).__name__, catalogue),
        task,
        prep.as_is if whole else prep.scaled,
        _OwnSteps(pipeline, calibrated if hard else None),
        sparse=True,
        params={"estimator": _shown(model)},
        own=_fingerprint(estimator),
    )


def _family_of(model: str, catalogue: Iterable[Configuration]) -> str:
    made = [c for c in catalogue if _made(c) == model]
    # Several families may be made of it, as linear models on splines: the one that
    # sees the table as it does.
    made.sort(key=lambda c: (
        getattr(c.model, "features", None) is not None, c.preprocess != prep.scaled
    ))  # fmt: skip
    return made[0].family if made else OWN


def _made(configuration: Configuration) -> str:
    """Name of the class of models that a configuration makes."""
    maker: Any = getattr(configuration.model, "make", None)
    while isinstance(maker, partial):
        if "name" in maker.keywords:
            return maker.keywords["name"]
        maker = maker.func
    return getattr(maker, "__name__", "")


def _shown(model) -> str:
    """The model in a line."""
    return " ".join(repr(model).split())


def _fingerprint(estimator) -> str:
    """Tells it from another one of the same name."""
    try:
        return joblib.hash(estimator)
    except Exception:  # something in it can't be pickled
        return _shown(estimator)
