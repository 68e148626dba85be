"""The only module that knows scikit-learn's versions, and private names of others."""

from __future__ import annotations

import sys
from contextlib import nullcontext

from sklearn import __version__
from sklearn.base import _fit_context as fit_context
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import TargetEncoder
from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.fixes import parse_version

from ._together import together

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # before 1.9
    from ._old_callbacks import CallbackSupportMixin  # type: ignore[assignment]
try:
    from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock
except ImportError:  # before 1.7
    from sklearn.utils._estimator_html_repr import _VisualBlock as VisualBlock

__all__ = ["CallbackSupportMixin", "ClassifierTags", "Interval", "RegressorTags",
           "StrOptions", "VisualBlock", "callbacks_of", "fit_context",
           "target_encoder", "unlogged"]  # fmt: skip

_VERSION = parse_version(__version__)


def target_encoder(task: str) -> TargetEncoder:
    """Target encoder with a seeded inner split, as each version wants it said."""
    kind = "continuous" if task == "regression" else "auto"
    if _VERSION < parse_version("1.9"):
        return TargetEncoder(target_type=kind, random_state=0)
    splitter = KFold if task == "regression" else StratifiedKFold
    return TargetEncoder(
        target_type=kind, cv=splitter(5, shuffle=True, random_state=0)
    )


def callbacks_of(estimator) -> list:
    """What was set by ``set_callbacks``, or comes from an estimator around it."""
    return getattr(estimator, "_skl_callbacks", [])


@together
def unlogged():
    """Context in which MLflow's autologging makes no run of every inner fit."""
    mlflow = sys.modules.get("mlflow.utils.autologging_utils")
    # MLflow's can't be nested: leaving the inner one would switch the logging on.
    if mlflow is None or getattr(mlflow, "_AUTOLOGGING_GLOBALLY_DISABLED", True):
        return nullcontext()
    return mlflow.disable_autologging()
