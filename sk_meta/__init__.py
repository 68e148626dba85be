"""Meta-learning for scikit-learn: an AutoML estimator that learns from experience."""

from __future__ import annotations

from ._catalogue import Configuration
from ._estimator import (
    MetaLearnerClassifier,
    MetaLearnerEstimator,
    MetaLearnerRegressor,
)
from ._explain import Explanation
from ._knowledge import KnowledgeBase
from ._metafeatures import compute_meta_features
from ._pretrained import load_meta_model, train_meta_models
from ._saving import load, save
from ._show_versions import show_versions

__all__ = [
    "Configuration",
    "Explanation",
    "KnowledgeBase",
    "MetaLearnerClassifier",
    "MetaLearnerEstimator",
    "MetaLearnerRegressor",
    "compute_meta_features",
    "load",
    "load_meta_model",
    "save",
    "show_versions",
    "train_meta_models",
]

__version__ = "0.1.0"
