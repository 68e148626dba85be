"""Figures of a fitted estimator, made like scikit-learn's displays.

Every display takes its data, or ``from_estimator(estimator)`` takes them from a fitted
estimator and draws them at once. They need matplotlib, which is imported when
something is drawn.
"""

from __future__ import annotations

from ._ensemble import EnsembleDisplay
from ._learned import TaskMapDisplay, TrainingLossDisplay
from ._scores import ExpectationDisplay, LeaderboardDisplay
from ._search import AnytimeDisplay, BeliefDisplay, TimelineDisplay

__all__ = [
    "AnytimeDisplay",
    "BeliefDisplay",
    "EnsembleDisplay",
    "ExpectationDisplay",
    "LeaderboardDisplay",
    "TaskMapDisplay",
    "TimelineDisplay",
    "TrainingLossDisplay",
]
