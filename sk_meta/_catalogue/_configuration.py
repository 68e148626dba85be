"""A configuration: what can be fitted, on what, and how it is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from .._kinds import SYMBOLIC, TEXT
from .._table import Table, Target

Steps = list[tuple[str, Any]]
_FORESTS = (ExtraTreesClassifier, RandomForestClassifier)


@dataclass(frozen=True)
class Configuration:
    """An estimator with its hyperparameters and its preprocessing.

    Parameters
    ----------
    name : str
        Unique within a task kind; the key into the knowledge base.
    family : str
        Group of related configurations, such as "random forest".
    task : {"classification", "regression"}
        Kind of task it solves.
    preprocess : callable
        ``preprocess(table, task)`` returns the list of named transformers.
    model : callable
        ``model(table)`` returns the named steps after the preprocessing; the
        last one is the predictor.
    max_rows : int or None, default=None
        Largest number of rows on which it is worth starting.
    min_rows : int, default=0
        Smallest number of rows on which its folds can be fitted.
    max_encoded : int or None, default=None
        Largest number of columns after one-hot encoding.
    max_classes : int or None, default=None
        Largest number of classes.
    min_class_size : int, default=1
        Members that every class must have.
    members_per_column : float, default=0.0
        Members that every class must have per column after encoding.
    sparse : bool, default=False
        Whether it takes sparse tables.
    categories : bool, default=False
        Whether it is for tables with categories or text only, because it is the same
        as another configuration on others.
    discrete : bool, default=False
        Whether it is for tables with numbers of few values only, because it is the same
        as another configuration on others.
    texts : bool, default=False
        Whether it is for tables with text only, because it is the same as another
        configuration on others.
    requires : str or None, default=None
        Optional package that must be importable.
    params : dict
        Hyperparameters that tell it from its family, for the leaderboard.
    template : str or None, default=None
        Template that it was made from.
    own : str or None, default=None
        What tells one of the user's own from others of the same name; None for those
        of the catalogue and its templates.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_meta import MetaLearnerClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> ranking = MetaLearnerClassifier().recommend(X, y)
    >>> "configuration" in ranking.columns
    True
    """

    name: str
    family: str
    task: str
    preprocess: Callable[[Table, str], Steps]
    model: Callable[[Table], Steps]
    max_rows: int | None = None
    min_rows: int = 0
    max_encoded: int | None = None
    max_classes: int | None = None
    min_class_size: int = 1
    members_per_column: float = 0.0
    sparse: bool = False
    categories: bool = False
    discrete: bool = False
    texts: bool = False
    requires: str | None = None
    params: dict = field(default_factory=dict, compare=False)
    template: str | None = field(default=None, compare=False)
    own: str | None = None

    @property
    def key(self) -> str:
        """Tells it from all others."""
        return self.name if self.own is None else f"{self.name} {self.own}"

    def n_encoders(self, table: Table) -> int:
        """Number of steps at the start of the pipeline that encode the table.

        Parameters
        ----------
        table : Table
            Description of the table it will be fitted on.

        Returns
        -------
        int
            0 if the model gets the table as it is.
        """
        return len(self.preprocess(table, self.task))

    def width(self, table: Table) -> int:
        """Number of columns after the one-hot encoding that is its own.

        Parameters
        ----------
        table : Table
            Description of the table it will be fitted on.

        Returns
        -------
        int
            With dates and text expanded; splines, interactions and the like, which
            are made of these columns, apart.
        """
        if self.texts:
            table = table.with_whole_texts()
        return table.n_encoded + (table.n_discrete if self.discrete else 0)

    def build(self, table: Table, random_state: int | None = None) -> Pipeline:
        """Make the unfitted pipeline for a table.

        Parameters
        ----------
        table : Table
            Description of the table it will be fitted on.
        random_state : int or None, default=None
            Given to every step that takes one and has none.

        Returns
        -------
        sklearn.pipeline.Pipeline
            Public classes only; it takes the table as it is.
        """
        steps = [*self.preprocess(table, self.task), *self.model(table)]
        pipeline = Pipeline(steps)
        seeds = {
            name: random_state
            for name, value in pipeline.get_params(deep=True).items()
            if name.split("__")[-1] == "random_state" and value is None
        }
        return pipeline.set_params(**seeds)

    def why_not(
        self, table: Table, target: Target, weighted: bool = False
    ) -> str | None:
        """Reason for which it can't be used on a table, or None.

        Parameters
        ----------
        table : Table
            Description of the table it would be fitted on.
        target : Target
            Description of the target.
        weighted : bool, default=False
            Whether there are sample weights.

        Returns
        -------
        str or None
            A sentence without its full stop; None if it can be used.
        """
        if self.requires is not None and find_spec(self.requires) is None:
            return f"needs the package {self.requires}, which is not installed"
        if table.container == "sparse" and not self.sparse:
            return "needs a dense table"
        if self.categories and not table.of_kind(*SYMBOLIC):
            return "no column has categories or text, which it is for"
        if self.discrete and not table.discrete:
            return "no number has few values, which it is for"
        if self.texts and not table.of_kind(TEXT):
            return "no column has text, which it is for"
        if self.max_rows is not None and table.n_rows > self.max_rows:
            return f"{table.n_rows} rows, made for at most {self.max_rows}"
        if table.n_rows < self.min_rows:
            return f"{table.n_rows} rows, needs at least {self.min_rows}"
        width = self.width(table)
        if self.max_encoded is not None and width > self.max_encoded:
            return (
                f"{width} columns after encoding, "
                f"made for at most {self.max_encoded}"
            )
        needed = self.members_per_column * width
        if target.n_classes and target.counts.min() < needed:
            return (
                f"a class has {target.counts.min()} members for {width} "
                f"columns after encoding, needs at least {needed:.0f}"
            )
        if weighted and not _takes_weights(last_step(self.build(table))[1]):
            return "takes no sample weights"
        if target.n_outputs > 1 and not _takes_outputs(self.build(table)):
            return f"takes one target, not {target.n_outputs}"
        return self._why_not_target(target)

    def _why_not_target(self, target: Target) -> str | None:
        if target.n_classes == 1 and self.family != "dummy":
            return "y has only one class"
        if self.max_classes is not None and target.n_classes > self.max_classes:
            return f"{target.n_classes} classes, made for at most {self.max_classes}"
        if target.n_classes and target.counts.min() < self.min_class_size:
            return (
                f"a class has {target.counts.min()} members, "
                f"needs at least {self.min_class_size}"
            )
        return None


def last_step(pipeline: Pipeline) -> tuple[str, Any]:
    """Name and predictor of the last step, also of a pipeline within.

    Parameters
    ----------
    pipeline : Pipeline

    Returns
    -------
    name : str
        As parameters of ``fit`` are addressed, "step__step".
    model : estimator
    """
    name, model = pipeline.steps[-1]
    if type(model) is not Pipeline:  # one with samplers has other rows
        return name, model
    inner, model = last_step(model)
    return f"{name}__{inner}", model


def _takes_weights(model) -> bool:
    """Whether a predictor, and what it wraps, takes sample weights."""
    inner = [
        *(part for _, part in getattr(model, "estimators", None) or ()),
        *(getattr(model, name, None) for name in ("estimator", "regressor")),
    ]
    inner = [part for part in inner if hasattr(part, "fit")]
    if inner:
        return all(map(_takes_weights, inner))
    return has_fit_parameter(model, "sample_weight")


def _takes_outputs(pipeline: Pipeline) -> bool:
    """Whether the predictor of a pipeline takes several targets at a time."""
    model = pipeline.steps[-1][1]
    if isinstance(model, (TransformedTargetRegressor, CalibratedClassifierCV)):
        return False  # their transformers and calibrators take one
    tags = get_tags(model)
    if is_classifier(model):
        return tags.classifier_tags.multi_label
    return tags.target_tags.multi_output


@dataclass(frozen=True)
class _Model:
    """The steps after the preprocessing: feature maps, then the predictor."""

    make: Callable[..., Any]
    params: dict
    features: Callable[[Table], Steps] | None = None
    wrap: Callable[[Table, Any], Any] | None = None

    def __call__(self, table: Table) -> Steps:
        # An estimator among the parameters must not be shared by two pipelines.
        params = {name: clone(value, safe=False) for name, value in self.params.items()}
        model = self.make(**params)
        wrap = self.wrap
        if isinstance(model, _FORESTS) and model.class_weight is not None:
            # scikit-learn 1.9 looks for the weight of "1" under 1, and fails.
            wrap = encoded_labels if table.labels_like_numbers else wrap
        if wrap is not None:
            model = wrap(table, model)
        features = [] if self.features is None else self.features(table)
        return [*features, ("model", model)]


def _declare(
    task, name, family, preprocess, make, *, features, wrap, tags, params
) -> Configuration:
    model = _Model(make, params, features, wrap)
    return Configuration(
        name, family, task, preprocess, model, params=params, **(tags or {})
    )


def classifier(
    name, family, preprocess, make, /, *, features=None, wrap=None, tags=None,
    **params,
) -> Configuration:
    """Declare a classification configuration.

    ``features(table)`` returns feature maps that stand before the predictor,
    ``wrap(table, model)`` puts the predictor into another one, ``tags`` are the
    applicability fields of :class:`Configuration`, ``params`` go to the
    estimator.
    """
    return _declare(
        "classification", name, family, preprocess, make,
        features=features, wrap=wrap, tags=tags, params=params,
    )


def regressor(
    name, family, preprocess, make, /, *, features=None, wrap=None, tags=None,
    **params,
) -> Configuration:
    """Declare a regression configuration; see :func:`classifier`."""
    return _declare(
        "regression", name, family, preprocess, make,
        features=features, wrap=wrap, tags=tags, params=params,
    )


def calibrated(table: Table, model):
    """Give probabilities to a classifier that has only decision values."""
    return CalibratedClassifierCV(model, cv=3, ensemble=False)


def encoded_labels(table: Table, model):
    """Let a classifier that needs the labels 0, 1, ... take any labels."""
    return VotingClassifier([("model", model)], voting="soft")


def scaled_target(table: Table, model):
    """Standardise the target of a regressor that depends on its scale."""
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def gaussian_target(table: Table, model):
    """Fit a regressor to the normal scores of the target."""
    quantiles = QuantileTransformer(
        n_quantiles=max(10, min(200, table.n_rows // 2)), output_distribution="normal"
    )
    return TransformedTargetRegressor(model, transformer=quantiles)
