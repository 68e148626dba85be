"""Multi-layer perceptrons."""

from __future__ import annotations

from functools import partial

from sklearn.neural_network import MLPClassifier, MLPRegressor

from . import _preprocessing as prep
from ._configuration import classifier, regressor, scaled_target

_FAMILY = "neural network"
_VARIANTS = (
    ("mlp-64", prep.scaled, {"hidden_layer_sizes": (64,), "alpha": 1e-3}),
    ("mlp-64-decay", prep.scaled, {"hidden_layer_sizes": (64,), "alpha": 1.0}),
    ("mlp-128x64", prep.scaled, {"hidden_layer_sizes": (128, 64), "alpha": 1e-2}),
    ("mlp-64-gaussian", prep.gaussian, {"hidden_layer_sizes": (64,), "alpha": 0.1}),
    ("mlp-32-tanh-splines", prep.splines,
     {"hidden_layer_sizes": (32,), "alpha": 0.3, "activation": "tanh"}),
)
_training = {"learning_rate_init": 3e-3, "max_iter": 150, "n_iter_no_change": 8}

CONFIGURATIONS = tuple(
    classifier(name, _FAMILY, preprocess, partial(MLPClassifier, **_training),
               tags={"max_rows": 100_000, "max_encoded": 2000}, **params)
    for name, preprocess, params in _VARIANTS
) + tuple(
    regressor(name, _FAMILY, preprocess, partial(MLPRegressor, **_training),
              wrap=scaled_target, tags={"max_rows": 100_000, "max_encoded": 2000},
              **params)
    for name, preprocess, params in _VARIANTS
)
