"""The configurations that can be fitted, one module per group of families."""

from __future__ import annotations

from . import _boosting, _forests, _kernel, _linear, _neighbors, _neural
from ._configuration import Configuration

__all__ = ["Configuration", "catalogue"]

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
