"""A template: a family of configurations with the ranges of its hyperparameters.

A template and values for its hyperparameters make a configuration, and a point near
another one in these ranges makes a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from scipy.stats import rv_discrete
from sklearn.model_selection import ParameterSampler

from . import _preprocessing as prep
from ._configuration import (
    Configuration,
    classifier,
    gaussian_target,
    regressor,
    scaled_target,
)

# Preprocessing by name, with the tables that it is made for.
_PREPARED: dict[str, tuple[Callable, dict]] = {
    "scaled": (prep.scaled, {}),
    "gaussian": (prep.gaussian, {}),
    "splines": (prep.splines, {"max_encoded": 300}),
    "fine splines": (prep.splines_fine, {"max_encoded": 300}),
    "bins": (prep.binned, {"max_encoded": 300}),
    "interactions": (prep.interactions, {"max_encoded": 60}),
    "discrete": (prep.discrete, {"discrete": True, "max_encoded": 500}),
    "discrete splines": (
        prep.discrete_splines, {"discrete": True, "max_encoded": 300}
    ),
    "components": (prep.decorrelated, {}),
    "varying": (prep.varying, {}),
    "ordinal": (prep.ordinal, {}),
    "ordinal imputed": (prep.ordinal_imputed, {}),
    "one-hot": (prep.one_hot, {}),
    "ordinal, whole texts": (prep.ordinal_whole_texts, {"texts": True}),
    "native": (prep.native, {"categories": True}),
    "native, whole texts": (prep.native_whole_texts, {"texts": True}),
}
# Linear models count as families of their own on these.
_BASES_OF = {
    "linear": {
        "splines": "linear on splines",
        "fine splines": "linear on splines",
        "bins": "linear on splines",
        "discrete splines": "linear on splines",
        "interactions": "linear on interactions",
    }
}
_TARGETS = {"as it is": None, "scaled": scaled_target, "gaussian": gaussian_target}
# Rows from which larger trees, and more of them, are worth their time.
LARGE_ROWS = 20_000
_DECLARE = {"classification": classifier, "regression": regressor}


@dataclass(frozen=True)
class Template:
    """What the configurations of a family share, and where they differ.

    Parameters
    ----------
    name : str
        First part of the names of its configurations.
    family : str
        As in :class:`Configuration`.
    task : {"classification", "regression"}
    make : callable
        ``make(**params)`` returns the estimator.
    preprocess : tuple of str
        Preprocessing that may stand before it.
    ranges : dict
        Hyperparameter to a list of values or a distribution of scipy.
    tags : dict
        Applicability fields of :class:`Configuration`.
    wrap : callable or None
        Puts the estimator into another one.
    features : callable or None
        ``features(table, **params)`` returns feature maps before the estimator.
    mapped : tuple of str
        Hyperparameters that go to ``features`` instead of the estimator.
    defaults : dict
        What its estimator takes for those hyperparameters that are not given.
    large : dict
        Ranges that take the place of others on large tables.
    kept : tuple of str
        Hyperparameters without a range that a move leaves as they are: rounds that end
        early are not what rounds that don't would be.
    """

    name: str
    family: str
    task: str
    make: Callable
    preprocess: tuple[str, ...]
    ranges: dict
    tags: dict
    wrap: Callable | None = None
    features: Callable | None = None
    mapped: tuple[str, ...] = ()
    defaults: dict = field(default_factory=dict)
    large: dict = field(default_factory=dict)
    kept: tuple[str, ...] = ()

    def for_rows(self, n_rows: int) -> Template:
        """The same with the ranges for so many rows.

        Parameters
        ----------
        n_rows : int

        Returns
        -------
        Template
        """
        if n_rows < LARGE_ROWS or not self.large:
            return self
        return replace(self, ranges={**self.ranges, **self.large})

    def sample(self, n: int, random_state: int) -> list[dict]:
        """Draw hyperparameters at random, rounded to two digits.

        Parameters
        ----------
        n : int
        random_state : int

        Returns
        -------
        list of dict
            Values that JSON can hold.
        """
        drawn = ParameterSampler(self._space(), n, random_state=random_state)
        return [
            {name: _rounded(value) for name, value in params.items()}
            for params in drawn
        ]

    def configuration(self, name: str, params: dict) -> Configuration:
        """Make the configuration that has these hyperparameters.

        Parameters
        ----------
        name : str
        params : dict
            As drawn by :meth:`sample`.

        Returns
        -------
        Configuration
        """
        given, params = params, dict(params)
        preprocess = params.pop("preprocess")
        prepare, tags = _PREPARED[preprocess]
        family = _BASES_OF.get(self.family, {}).get(preprocess, self.family)
        wrap, features = self.wrap, self.features
        if "target" in params:
            wrap = _TARGETS[params.pop("target")]
        if features is not None:
            own = {key: params.pop(key) for key in self.mapped}
            features = partial(features, **own)
        if "hidden_layer_sizes" in params:
            params["hidden_layer_sizes"] = tuple(params["hidden_layer_sizes"])
        if "n_neighbors" in params:
            tags = {**tags, "min_rows": 2 * params["n_neighbors"]}
        declare = _DECLARE[self.task]
        configuration = declare(
            name, family, prepare, self.make, features=features, wrap=wrap,
            tags={**self.tags, **tags}, **params,
        )
        # All that tells it from others, not only what its estimator takes.
        return replace(configuration, params=given, template=self.name)

    def move(
        self, params: dict, rng: np.random.Generator, step: float, keep: float
    ) -> dict:
        """Hyperparameters near some others; see :meth:`moves`."""
        places, changed = self.moves(params, 1, rng, step, keep)
        return self.at(params, places[0], changed[0])

    def moves(
        self, params: dict, n: int, rng: np.random.Generator, step: float, keep: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points of the unit cube near that of some hyperparameters.

        Parameters
        ----------
        params : dict
            What is missing, and has no default, is drawn anew.
        n : int
            Number of points.
        rng : numpy.random.Generator
        step : float
            Standard deviation of a move, as a share of the range.
        keep : float
            Chance that a hyperparameter is left as it is.

        Returns
        -------
        places : ndarray of shape (n, n_hyperparameters)
        changed : ndarray of bool of the same shape
        """
        at_first = np.array(self._places(params), dtype=float)
        new = np.isnan(at_first)
        shape = (n, len(at_first))
        changed = new | (rng.uniform(size=shape) > keep)
        near = np.nan_to_num(at_first) + step * rng.normal(size=shape)
        places = np.where(new, rng.uniform(size=shape), near.clip(0.001, 0.999))
        return np.where(changed, places, at_first), changed

    def at(self, params: dict, place: np.ndarray, changed: np.ndarray) -> dict:
        """Hyperparameters at a point of the unit cube, where they are changed.

        Parameters
        ----------
        params : dict
            What those that are not changed keep.
        place : ndarray of shape (n_hyperparameters,)
        changed : ndarray of bool of the same shape

        Returns
        -------
        dict
        """
        space = self._space()
        of_each = zip(space.items(), place, changed, strict=True)
        moved = {
            name: _rounded(_value_at(values, where)) if new else params[name]
            for (name, values), where, new in of_each
            if new or name in params
        }
        return {**moved, **{k: params[k] for k in self.kept if k in params}}

    def position(self, params: dict) -> np.ndarray:
        """Hyperparameters as a point of the unit cube.

        Parameters
        ----------
        params : dict
            What is missing, and has no default, is put in the middle.

        Returns
        -------
        ndarray of shape (n_hyperparameters,)
        """
        return np.nan_to_num(np.array(self._places(params), dtype=float), nan=0.5)

    def _places(self, params: dict) -> list[float | None]:
        known = {**self.defaults, **params}
        return [_place(values, known[name]) if name in known else None
                for name, values in self._space().items()]  # fmt: skip

    def _space(self) -> dict:
        return {"preprocess": list(self.preprocess), **self.ranges}


def _place(values, value) -> float | None:
    """Where a value lies in its range, from 0 to 1.

    At its end if it is beyond; None if it can't be compared with what is there.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(values, list):
        different = _distinct(values)
        if value in different:
            return (different.index(value) + 0.5) / len(different)
        if not number or not all(isinstance(v, (int, float)) for v in different):
            return None
        middles = (np.arange(len(different)) + 0.5) / len(different)
        return float(np.interp(value, different, middles))
    if not number:
        return None
    value = np.clip(value, *values.support())
    # A whole number lies in the middle of its step.
    step = values.pmf(value) if _is_discrete(values) else 0.0
    return float(values.cdf(value) - step / 2)


def _value_at(values, place: float):
    if isinstance(values, list):
        different = _distinct(values)
        return different[min(int(place * len(different)), len(different) - 1)]
    value = values.ppf(place)
    return int(value) if _is_discrete(values) else value


def _is_discrete(values) -> bool:
    return isinstance(values.dist, rv_discrete)


def _distinct(values: list) -> list:
    """Values without repetition; a repeated one is only drawn more often."""
    return [value for i, value in enumerate(values) if value not in values[:i]]


def _rounded(value):
    if isinstance(value, (np.integer, np.floating)):
        value = value.item()
    return float(f"{value:.2g}") if isinstance(value, float) else value
