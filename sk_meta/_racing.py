"""Whether the first folds of a configuration say that the others need not be run.

Paired with the best so far, fold by fold, most of the noise of the folds cancels:
what is left is the noise of a difference (Birattari et al. 2002, "A racing algorithm
for configuring metaheuristics"; Moore and Lee 1994). The losses are those of
:func:`~sk_meta._history.to_h`, so that a difference is a ratio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

# Chance of dropping one that would have been within the margin. What is worse than the
# best by more than MARGIN, in h, or than RANK others is of little use to an ensemble.
# See benchmarks/racing.py.
LEVEL, MARGIN, RANK = 0.2, 0.05, 3
_PRIOR_VARIANCE, _PRIOR_WEIGHT, _LEAST_SD = 0.07**2, 3.0, 0.003


@dataclass(frozen=True)
class Difference:
    """By how much a configuration is worse than the best, on the folds they share.

    Parameters
    ----------
    mean : float
        Mean difference of h; positive is worse.
    variance : float
        Of that mean, as an estimate of the one over all folds.
    freedom : float
        Degrees of freedom behind the variance.
    """

    mean: float
    variance: float
    freedom: float

    def is_hopeless(self, margin: float) -> bool:
        """Whether it is, at the level, worse than the margin."""
        reach = student.ppf(1 - LEVEL, self.freedom) * np.sqrt(self.variance)
        return bool(self.mean - reach > margin)


def margin(complete: list[float]) -> float:
    """By how much a configuration may be worse than the best and still be of use.

    Parameters
    ----------
    complete : list of float
        Mean h of the configurations that have run all folds.

    Returns
    -------
    float
    """
    if len(complete) < RANK:
        return MARGIN
    ranked = sorted(complete)
    return min(MARGIN, ranked[RANK - 1] - ranked[0])


def compare(
    h: np.ndarray, best: np.ndarray, n_folds: int, variance: float | None = None
) -> Difference:
    """Compare a configuration with the best on the folds that both have run.

    Parameters
    ----------
    h, best : ndarray of shape (n_run,)
        Relative log losses on the same folds.
    n_folds : int
        Number of folds that there will be at last.
    variance : float or None, default=None
        Of differences fold by fold, seen with other configurations.

    Returns
    -------
    Difference
    """
    gaps = h - best
    n_run = len(gaps)
    prior = _PRIOR_VARIANCE if variance is None else variance
    freedom = _PRIOR_WEIGHT + n_run - 1
    spread = (_PRIOR_WEIGHT * prior + ((gaps - gaps.mean()) ** 2).sum()) / freedom
    # What is not run yet is a part of a whole that is n_folds large.
    rest = 1 - n_run / n_folds
    return Difference(float(gaps.mean()), float(spread / n_run * rest), freedom)


def typical_variance(runs: list[np.ndarray], best: np.ndarray) -> float | None:
    """Variance of the differences from the best, over what has run all folds.

    Parameters
    ----------
    runs : list of ndarray of shape (n_folds,)
        Relative log losses of the others.
    best : ndarray of shape (n_folds,)

    Returns
    -------
    float or None
        None if there is nothing to tell from. Floored, for a small sample may by
        chance agree.
    """
    spreads = [np.var(h - best, ddof=1) for h in runs if len(h) > 1]
    return max(float(np.median(spreads)), _LEAST_SD**2) if spreads else None
