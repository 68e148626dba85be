"""Intervals that cover what they promise, learned by replaying the prior tasks.

Conditioning makes a belief narrower than the results turn out to be, above all on
the side of the bad ones. So the prior tasks are replayed from beliefs whose mean is
out of family, one result at a time by expected improvement alone, and the 10 % and
90 % quantiles of (result - mean) / standard deviation are kept, by the number of
results that were known (normalised residuals of conformal prediction, Lei et al. 2018,
"Distribution-free predictive inference for regression"). That this covers 80 % out of
family is checked in benchmarks/leave_one_family_out.py.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.stats import norm

from ._belief import COUNTS, TAILS, Belief
from ._history import weighted_quantiles


def reach_of(replayed: Iterable[tuple[Belief, np.ndarray, float]]) -> np.ndarray:
    """How far results lie from the means, by the number of known results.

    Parameters
    ----------
    replayed : iterable of tuple
        Belief about a prior task with a mean out of family, the task's relative
        log losses (NaN where not run), and its weight. The beliefs are conditioned.

    Returns
    -------
    ndarray of shape (n_counts, 2)
        Lower and upper ends of the interval for each of ``COUNTS``, in standard
        deviations from the mean.
    """
    gaps: list[list] = [[] for _ in COUNTS]
    shares: list[list] = [[] for _ in COUNTS]
    for belief, h, weight in replayed:
        left = np.isfinite(h)
        for count in range(COUNTS[-1] + 1):
            if left.sum() < 2:
                break
            mean = belief.mean()
            if count in COUNTS:
                rest = np.flatnonzero(left)
                at = COUNTS.index(count)
                gaps[at].append(((h - mean) / belief.sd())[rest])
                shares[at].append(np.full(len(rest), weight / len(rest)))
            value = belief.expected_improvement() if count else -mean
            index = int(np.argmax(np.where(left, value, -np.inf)))
            belief.observe(index, float(h[index]))
            left[index] = False
    reach = np.empty((0, 2))
    for gap, share in zip(gaps, shares, strict=True):
        if gap:
            values, weights = np.concatenate(gap), np.concatenate(share)
            low, high = weighted_quantiles(values, weights, TAILS)
            # The mean is within, also where there are too few tasks to tell.
            ends = min(low, 0.0), max(high, 0.0)
        else:  # so many are never known: as wide as with fewer
            ends = tuple(reach[-1] if len(reach) else norm.ppf(TAILS))
        reach = np.vstack([reach, ends])
    return reach
