"""The configurations that can be fitted.

``portfolio.json`` names them: some are written by hand, one module per group of
families, the others are points of the templates' ranges.
``benchmarks/choose_portfolio.py`` chose them by what they did on prior tasks.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from . import _boosting, _forests, _kernel, _linear, _neighbors, _neural
from ._configuration import Configuration
from ._templates import TEMPLATES, Template

__all__ = [
    "PORTFOLIO",
    "Configuration",
    "Template",
    "catalogue",
    "choose",
    "template_of",
    "written_by_hand",
]

PORTFOLIO = Path(__file__).parent / "portfolio.json"

_GROUPS = (_linear, _kernel, _neighbors, _neural, _forests, _boosting)


def written_by_hand(task: str) -> tuple[Configuration, ...]:
    """Configurations that were not drawn from a template, chosen or not.

    Parameters
    ----------
    task : {"classification", "regression"}

    Returns
    -------
    tuple of Configuration
    """
    return tuple(
        configuration
        for group in _GROUPS
        for configuration in group.CONFIGURATIONS
        if configuration.task == task
    )


@lru_cache(maxsize=2)
def catalogue(task: str) -> tuple[Configuration, ...]:
    """All configurations for a task kind.

    Parameters
    ----------
    task : {"classification", "regression"}
        Kind of task.

    Returns
    -------
    tuple of Configuration
        Whether or not their optional packages are installed; see
        :meth:`Configuration.why_not`.
    """
    by_hand = {c.name: c for c in written_by_hand(task)}
    templates = {t.name: t for t in TEMPLATES if t.task == task}
    entries = json.loads(PORTFOLIO.read_text(encoding="utf8"))[task]
    return tuple(
        templates[entry["template"]].configuration(entry["name"], entry["params"])
        if "template" in entry
        else by_hand[entry["name"]]
        for entry in entries
    )


def template_of(configuration: Configuration) -> Template | None:
    """Template that a configuration was made from, or the one of its family.

    Parameters
    ----------
    configuration : Configuration

    Returns
    -------
    Template or None
        None if no template makes such models.
    """
    same = [t for t in TEMPLATES if t.task == configuration.task]
    for template in same:
        if template.name == configuration.template:
            return template
    for template in same:
        if template.family == configuration.family:
            return template
    return None


def choose(candidates, task: str) -> list[Configuration]:
    """Configurations that the ``candidates`` parameter names.

    Parameters
    ----------
    candidates : str, list of str or None
        Names of configurations or families; None is the whole catalogue.
    task : {"classification", "regression"}

    Returns
    -------
    list of Configuration

    Raises
    ------
    ValueError
        If a name is unknown, or none is of this kind of task.
    """
    known = catalogue(task)
    if candidates is None:
        return list(known)
    candidates = [candidates] if isinstance(candidates, str) else list(candidates)
    everything = catalogue("classification") + catalogue("regression")
    names = {c.name for c in everything} | {c.family for c in everything}
    unknown = [name for name in candidates if name not in names]
    wanted = [c for c in known if c.name in candidates or c.family in candidates]
    if unknown or not wanted:
        families = sorted({c.family for c in known})
        raise ValueError(
            f"candidates={unknown or candidates!r} are not known for {task}. Use "
            "names from the 'configuration' column of recommend(X, y), or families: "
            f"{families}."
        )
    return wanted
