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
from ._configuration import Configuration, last_step
from ._custom import custom
from ._preprocessing import import_needed
from ._template import Template
from ._templates import TEMPLATES

__all__ = [
    "PORTFOLIO",
    "TASKS",
    "Configuration",
    "Template",
    "catalogue",
    "choose",
    "import_needed",
    "last_step",
    "own_names",
    "template_of",
    "written_by_hand",
]

PORTFOLIO = Path(__file__).parent / "portfolio.json"

TASKS = ("classification", "regression")
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
    if configuration.own is not None:
        return None
    same = [t for t in TEMPLATES if t.task == configuration.task]
    for template in same:
        if template.name == configuration.template:
            return template
    for template in same:
        if template.family == configuration.family:
            return template
    return None


def choose(candidates, task: str) -> list[Configuration]:
    """Configurations that the ``candidates`` parameter names, makes or lets pass.

    Parameters
    ----------
    candidates : str, list, callable or None
        Names of configurations or families, ``(name, estimator)`` pairs and
        :class:`Configuration` objects; or ``wanted(configuration)`` that tells of each
        of the catalogue whether it is wanted; None is the whole catalogue.
    task : {"classification", "regression"}

    Returns
    -------
    list of Configuration

    Raises
    ------
    ValueError
        If a name is unknown or taken, or nothing is left for this kind of task.
    """
    known = catalogue(task)
    if candidates is None:
        return list(known)
    if callable(candidates):
        wanted = [c for c in known if candidates(c)]
        if not wanted:
            raise ValueError(
                f"candidates={candidates!r} is true of no configuration for {task}."
            )
        return wanted
    entries = [candidates] if isinstance(candidates, str) else list(candidates)
    names = [entry for entry in entries if isinstance(entry, str)]
    own = [_own(entry, task) for entry in entries if not isinstance(entry, str)]
    _check_names(own)
    wanted = [c for c in known if c.name in names or c.family in names]
    everything = catalogue("classification") + catalogue("regression")
    unknown = set(names) - {n for c in everything for n in (c.name, c.family)}
    if unknown or not wanted + own:
        families = sorted({c.family for c in known})
        raise ValueError(
            f"candidates={sorted(unknown) or names!r} are not known for {task}. Use "
            "names from the 'configuration' column of recommend(X, y), or families: "
            f"{families}; or add your own as ('a name', estimator)."
        )
    return wanted + own


def own_names(candidates) -> list[str]:
    """Names of the user's own in the ``candidates`` parameter.

    Parameters
    ----------
    candidates : str, list, callable or None

    Returns
    -------
    list of str
    """
    if candidates is None or isinstance(candidates, str) or callable(candidates):
        return []
    own = [entry for entry in candidates if not isinstance(entry, str)]
    return [c.name if isinstance(c, Configuration) else c[0] for c in own]


def _own(entry, task: str) -> Configuration:
    if isinstance(entry, Configuration):
        if entry.task != task:
            raise ValueError(
                f"candidates: {entry.name!r} is made for {entry.task}, and the task is "
                f"{task}. Remove it, or set task."
            )
        return entry
    if not (isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str)):
        raise ValueError(
            f"candidates holds {entry!r}. Use names, ('a name', estimator) pairs, or "
            "Configuration objects."
        )
    return custom(*entry, task, written_by_hand(task))


def _check_names(own: list[Configuration]) -> None:
    """No configuration may be mistaken for another."""
    taken = {c.name for task in TASKS for c in catalogue(task)}
    for configuration in own:
        if configuration.name in taken:
            raise ValueError(
                f"candidates: the name {configuration.name!r} is taken. Choose another."
            )
        taken.add(configuration.name)
