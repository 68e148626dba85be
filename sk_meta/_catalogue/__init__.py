"""The configurations that can be fitted, one module per group of families."""

from __future__ import annotations

from . import _boosting, _forests, _kernel, _linear, _neighbors, _neural
from ._configuration import Configuration

__all__ = ["Configuration", "catalogue", "choose"]

_GROUPS = (_linear, _kernel, _neighbors, _neural, _forests, _boosting)


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
    return tuple(
        configuration
        for group in _GROUPS
        for configuration in group.CONFIGURATIONS
        if configuration.task == task
    )


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
