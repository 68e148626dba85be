"""New configurations around the best ones, once the catalogue has no more to give.

The hyperparameters of a good configuration are moved within the ranges of its
template (:mod:`._catalogue._template`); of many such, a Gaussian process over what
was observed on this table picks the one with the largest expected improvement
(Bayesian optimisation; Snoek et al. 2012, local candidates as in SMAC, Hutter et al.
2011).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
from joblib import hash as hash_of
from scipy.special import ndtr
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from ._catalogue import Configuration, Template, template_of
from ._kinds import DATETIME, TEXT
from ._table import Table

N_BASES = 3  # best configurations around which new ones are looked for
N_MOVES = 60  # candidates around each
_STEP, _KEEP = 0.15, 0.6  # of a range; chance that a hyperparameter is left alone
_LENGTH, _NOISE = 0.5, 0.05  # of the Gaussian process over the unit cube
# By these, the time that boosting takes is multiplied: the rounds, and the depth of the
# trees, as which the logarithm of their leaves counts.
_ROUNDS = ("max_iter", "n_estimators", "iterations")
_DEPTHS = ("depth", "max_depth")
_LEAVES = ("max_leaf_nodes", "num_leaves", "max_leaves")
# Hyperparameters that are a share of the columns, and so many that each counts.
_SHARES, _MANY = frozenset({"max_features", "colsample_bytree"}), 1000


@dataclass(frozen=True)
class Observed:
    """A configuration that was evaluated on this table.

    Parameters
    ----------
    configuration : Configuration
    h : float
        Relative log loss.
    seconds : float
        Of one fold.
    """

    configuration: Configuration
    h: float
    seconds: float


@dataclass(frozen=True)
class Proposal:
    """A new configuration with what is expected of it.

    Parameters
    ----------
    configuration : Configuration
    h : float
    seconds : float
    gain : float
        Expected fall of h below the best.
    """

    configuration: Configuration
    h: float
    seconds: float
    gain: float


def propose(
    observed: list[Observed],
    tried: list[Configuration],
    table: Table,
    max_seconds: float,
    seed: int,
    fits: Callable[[Configuration], bool] = lambda configuration: True,
) -> Proposal | None:
    """The most promising new configuration.

    Parameters
    ----------
    observed : list of Observed
    tried : list of Configuration
        Those that were tried already.
    table : Table
        Where it has few columns, many shares of them are the same model.
    max_seconds : float
        A fold may not be expected to take longer.
    seed : int
    fits : callable, default: always true
        ``fits(configuration)`` tells whether it may be tried.

    Returns
    -------
    Proposal or None
        None if no template of the best ones has anything new.
    """
    rng = np.random.default_rng(seed)
    best = min(o.h for o in observed)
    known = {_what_matters(one, table) for one in tried}
    spread = max(float(np.std([o.h for o in observed])), 0.02)
    moves = [
        move
        for base, template in _bases(observed, table, max_seconds)
        for move in _around(base, template, observed, (best, spread), rng)
    ]
    for move in sorted(moves, key=lambda move: -move.gain):
        proposal = move.proposal()
        if proposal.seconds > max_seconds:
            continue
        new = _what_matters(proposal.configuration, table) not in known
        if new and fits(proposal.configuration):
            return proposal
    return None


def _what_matters(configuration: Configuration, table: Table) -> Hashable:
    """What tells it from others on this table."""
    template = template_of(configuration)
    defaults = {} if template is None else template.defaults
    params = {**defaults, **configuration.params}
    ordinal = str(params.get("preprocess")).startswith("ordinal")
    n_columns = table.n_columns if ordinal else table.n_encoded
    whole = "whole texts" in str(params.get("preprocess"))
    if table.of_kind(DATETIME) or (table.of_kind(TEXT) and not whole):
        n_columns = _MANY  # will be made of them

    def matters(name, value):
        if name not in _SHARES or not isinstance(value, float):
            return str(value)
        return max(1, int(value * n_columns))

    items = params.items()
    named = frozenset((name, matters(name, value)) for name, value in items)
    return configuration.template, named


@dataclass(frozen=True)
class _Move:
    """A point near a base, not made into a configuration yet."""

    base: Observed
    template: Template
    place: np.ndarray
    changed: np.ndarray
    h: float
    gain: float

    def proposal(self) -> Proposal:
        given = self.base.configuration.params
        params = self.template.at(given, self.place, self.changed)
        code = hash_of(sorted((k, str(v)) for k, v in params.items()))[:8]
        name = f"{self.template.name}~{code}"
        configuration = self.template.configuration(name, params)
        seconds = self.base.seconds * self._times_as_long(params)
        return Proposal(configuration, self.h, seconds, self.gain)

    def _times_as_long(self, params: dict) -> float:
        """How many times as many rounds of boosting, and as deep, as the base's."""
        base = {**self.template.defaults, **self.base.configuration.params}
        params = {**self.template.defaults, **params}
        times = 1.0
        for names, of in ((_ROUNDS, float), (_DEPTHS, float), (_LEAVES, np.log2)):
            for name in names:
                if base.get(name) and params.get(name):
                    times *= float(of(params[name]) / of(base[name]))
        return times


def _bases(
    observed: list[Observed], table: Table, max_seconds: float
) -> list[tuple[Observed, Template]]:
    """The best ones that have a template and are quick enough."""
    ranked = sorted(observed, key=lambda o: o.h)
    pairs = [(o, template_of(o.configuration)) for o in ranked
             if o.seconds <= max_seconds]  # fmt: skip
    known = [(o, t.for_rows(table.n_rows)) for o, t in pairs if t is not None]
    return known[:N_BASES]


def _around(base: Observed, template: Template, observed, scale, rng) -> list[_Move]:
    """Moves from a base, each with its expected improvement."""
    best, spread = scale
    same = [o for o in observed if _is_of(o.configuration, template)]
    places, changed = template.moves(
        base.configuration.params, N_MOVES, rng, _STEP, _KEEP
    )
    known = [template.position(o.configuration.params) for o in same]
    mean, sd = _surrogate(known, [o.h for o in same], places, spread)
    u = (best - mean) / sd
    gain = sd * (u * ndtr(u) + np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi))
    rows = zip(places, changed, mean.tolist(), gain.tolist(), strict=True)
    return [_Move(base, template, *row) for row in rows]


def _is_of(configuration: Configuration, template: Template) -> bool:
    own = template_of(configuration)
    return own is not None and own.name == template.name


def _surrogate(known, h, wanted, spread) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of h at the wanted positions of the unit cube."""
    middle = float(np.mean(h))
    kernel = Matern(_LENGTH, nu=1.5) + WhiteKernel(_NOISE)
    process = GaussianProcessRegressor(kernel, optimizer=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        process.fit(np.array(known), (np.array(h) - middle) / spread)
        mean, sd = process.predict(np.array(wanted), return_std=True)
    # The noise of an observation is no gain.
    sd = np.sqrt(np.maximum(sd**2 - _NOISE, 1e-8))
    return middle + spread * mean, spread * sd

