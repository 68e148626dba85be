"""One number that makes probabilities neither too bold nor too timid.

Temperature scaling (Guo et al. 2017, "On calibration of modern neural networks"): the
logarithms of the probabilities are divided by a temperature, which changes neither
their order nor the most probable class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Temperatures that are tried, and rows that are enough to choose by.
_LEVELS = np.exp(np.linspace(-1.2, 1.2, 13))
_MAX_ROWS = 2_000
_TINY = 1e-6


@dataclass(frozen=True)
class Temperatures:
    """What lowers the log loss of some probabilities, and by how much.

    Parameters
    ----------
    of_folds : ndarray of shape (n_folds,)
        Temperature for every fold, found on the others.
    of_all : float
        Temperature for probabilities that none of the folds holds.
    gain : float, default=0.0
        By how much the mean log loss of the folds falls.
    """

    of_folds: np.ndarray
    of_all: float = 1.0
    gain: float = 0.0

    def heat(self, probabilities: np.ndarray, fold: int) -> np.ndarray:
        """Probabilities of a fold, or of a later one that was not used."""
        known = fold < len(self.of_folds)
        return heated(probabilities, self.of_folds[fold] if known else self.of_all)


def heated(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities at a temperature; above 1 they are nearer to each other.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
    temperature : float

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    if temperature == 1:
        return probabilities
    powers = np.maximum(probabilities, _TINY) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def at_least_tiny(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities as those at another temperature are: none is zero."""
    raised = np.maximum(probabilities, _TINY)
    return raised / raised.sum(axis=1, keepdims=True)


def find_temperatures(
    parts: list[np.ndarray],
    truths: list[np.ndarray],
    weights: list[np.ndarray | None] | None = None,
) -> Temperatures:
    """Temperatures that lower the log loss, if they do so on folds not used for them.

    Parameters
    ----------
    parts : list of ndarray of shape (n_rows, n_classes)
        Out-of-fold probabilities of the folds.
    truths : list of ndarray of shape (n_rows,)
        Positions of the true classes.
    weights : list of ndarray of shape (n_rows,), or of None, or None, default=None
        Sample weights.

    Returns
    -------
    Temperatures
        All are 1 unless the mean gain over the folds is more than its standard error.
    """
    nothing = Temperatures(np.ones(len(parts)))
    if len(parts) < 2:
        return nothing
    given = [None] * len(parts) if weights is None else weights
    step = max(1, sum(map(len, truths)) // _MAX_ROWS)
    sums, sizes = [], []
    for part, truth, size in zip(parts, truths, given, strict=True):
        size = np.ones(len(truth)) if size is None else size
        sums.append(_losses(part[::step], truth[::step]) @ size[::step])
        sizes.append(size[::step].sum())
    # One row a temperature, one column a fold.
    table, rows = np.transpose(sums), np.array(sizes)
    others = (table.sum(axis=1, keepdims=True) - table).argmin(axis=0)
    losses = table / rows
    plain = losses[len(_LEVELS) // 2]
    gains = plain - losses[others, np.arange(len(rows))]
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    if not gains.mean() > error:
        return nothing
    of_all = float(_LEVELS[table.sum(axis=1).argmin()])
    return Temperatures(_LEVELS[others], of_all, float(gains.mean()))


def _losses(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Log loss of every row, at every temperature that is tried."""
    logs = np.log(np.maximum(probabilities, _TINY))
    logs -= logs.max(axis=1, keepdims=True)
    true = logs[np.arange(len(truth)), truth]
    return np.stack([
        np.log(np.exp(logs / level).sum(axis=1)) - true / level for level in _LEVELS
    ])
