"""What a meta-feature is, and the list of all that there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._sample import CLASSIFICATION, REGRESSION, Sample

BOTH = (CLASSIFICATION, REGRESSION)
GROUPS = ("simple", "statistical", "information", "landmarker")

BRAZDIL = "Brazdil et al. 2003"
CASTIELLO = "Castiello et al. 2005"
FEURER = "Feurer et al. 2015"
KALOUSIS = "Kalousis & Theoharis 1999"
LANDMARKING = "Pfahringer et al. 2000"
LINDNER = "Lindner & Studer 1999"
RELATIVE = "Fürnkranz & Petrak 2001"
RIVOLLI = "Rivolli et al. 2022"
SALAMA = "Salama et al. 2013"
SOARES = "Soares et al. 2004"
SMITH = "Ali & Smith 2006"
STATLOG = "Michie et al. 1994"
OURS = "sk_meta"


@dataclass(frozen=True)
class MetaFeature:
    """One registered meta-feature; `cost` is "cheap" or "landmarker"."""

    name: str
    group: str
    source: str
    cost: str
    function: Callable[[Sample], float | np.ndarray]
    tasks: tuple[str, ...]
    summaries: tuple[str, ...]

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the values that it contributes."""
        return tuple(f"{self.name}.{s}" for s in self.summaries) or (self.name,)


REGISTRY: dict[str, MetaFeature] = {}


def meta_feature(
    group: str,
    source: str,
    summaries: str = "",
    *,
    name: str = "",
    tasks: tuple[str, ...] = BOTH,
    cost: str = "cheap",
) -> Callable:
    """Register a function of the sample under its own name or the given one."""

    def register(function: Callable) -> Callable:
        key = name or function.__name__
        if key in REGISTRY:
            raise ValueError(f"meta-feature {key!r} is registered twice")
        REGISTRY[key] = MetaFeature(
            key, group, source, cost, function, tasks, tuple(summaries.split())
        )
        return function

    return register


def register_rows(group: str, *rows: tuple[str, str, str, Callable], **common) -> None:
    """Register rows of name, source, summaries and function."""
    for name, source, summaries, function in rows:
        meta_feature(group, source, summaries, name=name, **common)(function)
