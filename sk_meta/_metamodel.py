"""Learn from the prior tasks what to believe of a new one.

The standardised losses of the prior tasks get a mean (from the meta-features, for
all metrics at once), a covariance per metric (of the out-of-family residuals), and
a law for their location and spread; the seconds get a clock, and the intervals their
width.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pandas as pd

from ._belief import Belief, Gaussian
from ._calibration import reach_of
from ._clock import Clock
from ._history import Experience, shrunk_covariance
from ._normal_scores import META_FEATURES, NormalScores
from ._novelty import Novelty
from ._priors import (
    MEMBERS,
    PRIORS,
    Arrays,
    MeanPrior,
    NeighborsPrior,
    NeuralPrior,
    StackPrior,
    out_of_family,
)
from ._scale import Scale

_NUGGET = 1e-3
_STEPS = 50  # of a standardised loss, as predictions of prior tasks are kept

# Sizes go beyond what is known by factors, not by differences.
_FACTORS = ("nr_inst", "nr_encoded", "inst_to_attr", "nr_class")


class MetaModel:
    """Learns from experience what to believe of a new task.

    Parameters
    ----------
    kind : {"hybrid", "neural", "forest", "linear", "neighbors", "none"}, \
default="hybrid"
        How meta-features become a prior mean; "hybrid" stacks all of them.
    features : tuple of str or None, default=None
        Meta-features to look at; None is ``META_FEATURES``.
    """

    def __init__(self, kind: str = "hybrid", features: tuple[str, ...] | None = None):
        self.kind = kind
        self.features = features

    def fit(self, experience: Experience, task: str) -> MetaModel:
        """Train the priors and the clock.

        Parameters
        ----------
        experience : Experience
        task : {"classification", "regression"}

        Returns
        -------
        MetaModel
        """
        self._take(experience, task)
        known = (self._features, self._targets)
        families, weights = self._families, self._weights
        self._members = {
            name: PRIORS[name]().fit(*known, weights) for name in MEMBERS[self.kind]
        }
        self._guesses = {
            name: out_of_family(PRIORS[name], *known, families, weights)
            for name in MEMBERS[self.kind]
        }
        self._clock = Clock().fit(experience.tasks, experience.log_seconds, weights)
        self._stack()
        return self

    def _take(self, experience: Experience, task: str) -> None:
        """Prior tasks as matrices."""
        self.experience, self.task = experience, task
        raw = self._raw(experience.tasks)
        self._scaler = NormalScores().fit(raw)
        self._features = self._scaler.transform(raw)
        self._targets = experience.targets()
        self._families = experience.tasks["family"].to_numpy()
        self._weights = experience.weights()

    def _raw(self, tasks: pd.DataFrame) -> np.ndarray:
        """Meta-features as they are extrapolated, NaN where one is missing."""
        names = self.features or META_FEATURES[self.task]
        table = tasks.reindex(columns=list(names)).astype(float)
        factors = [name for name in _FACTORS if name in table]
        table[factors] = np.log(table[factors].clip(lower=1e-9))
        return table.to_numpy()

    def _stack(self, known: Arrays | None = None) -> None:
        """Prior mean and its out-of-family predictions; one member is a stack too."""
        members, guesses = self._members.values(), self._guesses.values()
        self._mean = StackPrior(list(members), np.array(list(guesses)))
        if known is None or self.kind != "hybrid":
            self._mean.fit(self._features, self._targets, self._weights)
        else:
            self._mean.restore(known)
        self._guess = self._mean.guess()
        self._by_metric: dict[str, tuple] = {}
        self._reach: dict[str, np.ndarray] = {}

    def _law(self, metric: str) -> tuple[Scale, np.ndarray, np.ndarray]:
        """Scale, and covariance with and without meta-features; kept."""
        if metric not in self._by_metric:
            experience = self.experience
            rows, history = experience.rows(metric), experience.histories[metric]
            location, spread, z = history.standardised()
            scale = Scale(
                self._features[rows], location, spread, self._families[rows],
                self._weights[rows],
            )  # fmt: skip
            weights = self._weights[rows]
            guess = experience.part(self._guess, metric)[rows]
            self._by_metric[metric] = (
                scale,
                shrunk_covariance(z - guess, weights),
                shrunk_covariance(z, weights),
            )
        return self._by_metric[metric]

    def _calibrated(self, metric: str) -> np.ndarray:
        """Ends of the interval, from the replay of the prior tasks; kept."""
        if metric not in self._reach:
            self._reach[metric] = reach_of(self._replay(metric))
        return self._reach[metric]

    def _replay(self, metric: str) -> Iterator[tuple[Belief, np.ndarray, float]]:
        """Belief about every prior task, its results, and its weight.

        The mean is out of family; the laws that the task is one of many in,
        covariance and scale, are not.
        """
        scale, covariance, _ = self._law(metric)
        rows, history = self.experience.rows(metric), self.experience.histories[metric]
        guess = self.experience.part(self._guess, metric)[rows]
        for row, mean, h in zip(rows, guess, history.h, strict=True):
            scales = scale.components(self._features[[row]])
            mixture = _mixture(scales, mean, covariance)
            # No seconds are asked for.
            belief = Belief(history.names, *mixture, clock=None, history=history)
            run = np.isfinite(self.experience.log_seconds[row])
            yield belief, np.where(run, h, np.nan), self._weights[row]

    def belief(self, meta_features: dict[str, float], metric: str) -> Belief:
        """What to believe of a new task.

        Parameters
        ----------
        meta_features : dict of str to float
            One that is missing or NaN is taken to be the median.
        metric : str
            A stored metric.

        Returns
        -------
        Belief

        Raises
        ------
        ValueError
            If no prior task has the metric.
        """
        if metric not in self.experience.histories:
            raise ValueError(
                f"too few prior tasks in the knowledge base have {metric!r}. Merge it "
                "into KnowledgeBase.load() or choose another scoring."
            )
        scale, own, whole = self._law(metric)
        raw = self._raw(pd.DataFrame([meta_features]))
        features = self._scaler.transform(raw)
        novelty = self._novelty.of(self._place(self._scaler.extrapolate(raw))[0])
        # Beyond the known range the meta-features say less, and at last nothing.
        trust = min(1.0, novelty**-2) if novelty > 0 else 1.0
        part = self.experience.part
        mean = trust * part(self._mean.predict(features), metric)[0]
        mean += (1 - trust) * part(self._overall, metric)[0]
        covariance = trust * own + (1 - trust) * whole
        scales = scale.components(features, trust)
        return Belief(
            self.experience.names, *_mixture(scales, mean, covariance),
            self._clock.prior(meta_features), self.experience.histories[metric],
            novelty, self._calibrated(metric),
        )  # fmt: skip

    @cached_property
    def _overall(self) -> np.ndarray:
        mean = MeanPrior().fit(self._features, self._targets, self._weights)
        return mean.predict(self._features[:1])

    @cached_property
    def _novelty(self) -> Novelty:
        return Novelty(self._place(self._features), self._families)

    def _place(self, features: np.ndarray) -> np.ndarray:
        """Where a task lies for the sake of its distance to others."""
        network = self._network
        return features if network is None else network.embed(features, squash=False)

    def _represent(self, features: np.ndarray) -> np.ndarray:
        """The network's embedding, or the meta-features if there is no network."""
        network = self._network
        return features if network is None else network.embed(features)

    @property
    def _network(self) -> NeuralPrior | None:
        network = self._members.get("neural")
        return network if isinstance(network, NeuralPrior) else None

    def neighbors(self, meta_features: dict[str, float]) -> pd.DataFrame:
        """Prior tasks by their distance from a new one, one of each family.

        Parameters
        ----------
        meta_features : dict of str to float

        Returns
        -------
        DataFrame
            Indexed by task, the nearest first: family, distance (root mean square
            difference of the meta-features' normal scores), and weight, its share of
            what all prior tasks and their mean say in the vote of the nearest.
        """
        here = self._scaler.transform(self._raw(pd.DataFrame([meta_features])))
        voters = NeighborsPrior().fit(self._features, self._targets, self._weights)
        votes = voters.votes(here)[0]
        table = self.experience.tasks[["family"]].assign(
            distance=np.sqrt(((self._features - here) ** 2).mean(axis=1)),
            weight=votes / (votes.sum() + voters.shrinkage),
        )
        table = table.sort_values("distance", kind="stable")
        return table[~table["family"].duplicated()]

    def seconds_on(self, meta_features: dict[str, float], n_rows: int) -> np.ndarray:
        """Seconds of a fold on fewer rows, relative to those of the whole table.

        Parameters
        ----------
        meta_features : dict of str to float
            Of the whole table.
        n_rows : int

        Returns
        -------
        ndarray of shape (n_configurations,)
            Between the share of the rows, squared, and 1.
        """
        fewer = self._clock.prior({**meta_features, "nr_inst": float(n_rows)}).mean
        part = np.exp(fewer - self._clock.prior(meta_features).mean)
        share = n_rows / meta_features["nr_inst"]
        return np.clip(part, share**2, 1.0)

    @property
    def embedding_(self) -> np.ndarray:
        """Representation of the prior tasks, of shape (n_tasks, n_dimensions)."""
        return self._represent(self._features).copy()

    def embed(self, meta_features: dict[str, float]) -> np.ndarray:
        """Representation of a new task.

        Parameters
        ----------
        meta_features : dict of str to float

        Returns
        -------
        ndarray of shape (n_dimensions,)
        """
        raw = self._raw(pd.DataFrame([meta_features]))
        return self._represent(self._scaler.transform(raw))[0]

    @property
    def loss_curve_(self) -> np.ndarray | None:
        """Training loss of the network after every epoch, None without one."""
        return None if self._network is None else self._network.loss_curve_.copy()

    @property
    def weights_(self) -> dict[str, float]:
        """Weight of every prior in the mean."""
        return dict(zip(self._members, self._mean.weights_.tolist(), strict=True))

    def arrays(self) -> Arrays:
        """What was trained, without the experience it was trained on.

        Returns
        -------
        dict of str to ndarray
        """
        found = {f"clock/{k}": v for k, v in self._clock.arrays().items()}
        found |= {f"stack/{k}": v for k, v in self._mean.arrays().items()}
        metrics = self.experience.histories
        found |= {f"reach/{metric}": self._calibrated(metric) for metric in metrics}
        for name, member in self._members.items():
            found |= {f"{name}/{k}": v for k, v in member.arrays().items()}
            found[f"{name}/guess"] = _to_bytes(self._guesses[name])
        return found

    def restore(self, experience: Experience, task: str, arrays: Arrays) -> MetaModel:
        """Take what :meth:`arrays` of a "hybrid" returned, instead of ``fit``.

        Parameters
        ----------
        experience : Experience
            The one it was trained on.
        task : {"classification", "regression"}
        arrays : dict of str to ndarray

        Returns
        -------
        MetaModel
        """
        self._take(experience, task)
        shared = {"features": self._features, "targets": self._targets}
        self._members, self._guesses = {}, {}
        for name in MEMBERS[self.kind]:
            own = _below(arrays, name)
            self._guesses[name] = own.pop("guess") / _STEPS
            self._members[name] = PRIORS[name]().restore({**shared, **own})
        self._clock = Clock().restore(_below(arrays, "clock"))
        self._stack(_below(arrays, "stack"))
        if self.kind == "hybrid":  # others are calibrated when they are asked
            self._reach = _below(arrays, "reach")
        return self


def _mixture(scales, mean, covariance) -> tuple[list[Gaussian], float]:
    """Beliefs about h, one per spread of the task, and the nugget."""
    components = [
        Gaussian(location + spread * mean, variance + spread**2 * covariance)
        for location, variance, spread in scales
    ]
    logs = [np.log(spread) for _, _, spread in scales]
    typical = float(np.exp(2 * np.mean(logs)))
    return components, _NUGGET * typical * np.trace(covariance) / len(mean)


def _to_bytes(guess: np.ndarray) -> np.ndarray:
    """Standardised losses lie between -1 and 1, and guesses hardly beyond."""
    return np.clip(np.round(guess * _STEPS), -127, 127).astype(np.int8)


def _below(arrays: Arrays, head: str) -> Arrays:
    """Entries whose key starts with ``head/``, without it."""
    head += "/"
    return {k.removeprefix(head): v for k, v in arrays.items() if k.startswith(head)}
