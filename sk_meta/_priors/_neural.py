"""A multi-layer perceptron over the prior tasks; its hidden layer embeds tasks."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPRegressor
from sklearn.utils.validation import has_fit_parameter

from ._base import Arrays, Prior


class NeuralPrior(Prior):
    """Multi-layer perceptron trained by mini-batch gradient descent.

    All configurations and metrics share the hidden layers, of which the last one
    is the embedding of the task. The learning rate is constant, with momentum
    and weight decay (scikit-learn's ``MLPRegressor`` with ``solver="sgd"``; before
    scikit-learn 1.7 it takes all tasks for equally important).

    Parameters
    ----------
    hidden : tuple of int, default=(32,)
        Width of the hidden layers; the last is the size of the embedding.
    decay : float, default=3.0
        Weight decay.
    learning_rate : float, default=0.01
    n_epochs : int, default=80
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (32,),
        decay: float = 3.0,
        learning_rate: float = 0.01,
        n_epochs: int = 80,
    ):
        self.hidden = hidden
        self.decay = decay
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs

    def fit(self, features, targets, weights=None) -> NeuralPrior:
        """Train the network; see :meth:`Prior.fit`."""
        self._mean = np.average(targets, axis=0, weights=weights)
        network = MLPRegressor(
            hidden_layer_sizes=self.hidden,
            activation="tanh",
            solver="sgd",
            learning_rate="constant",
            learning_rate_init=self.learning_rate,
            batch_size=min(16, len(features)),
            alpha=self.decay,
            # A number would draw the same batches in every epoch.
            random_state=np.random.RandomState(0),
        )
        # Weights of the rows came with scikit-learn 1.7.
        weighted = weights is not None and has_fit_parameter(network, "sample_weight")
        extra = {"sample_weight": weights} if weighted else {}
        loss_curve = []
        for _ in range(self.n_epochs):
            network.partial_fit(features, targets - self._mean, **extra)
            self._weights, self._biases = network.coefs_, network.intercepts_
            # The network's own curve has the weight decay in it.
            errors = ((self.predict(features) - targets) ** 2).mean(axis=1)
            loss_curve.append(np.average(errors, weights=weights))
        self._weights = [w.astype(np.float32) for w in self._weights]
        self._biases = [b.astype(np.float32) for b in self._biases]
        self.loss_curve_ = np.array(loss_curve)
        return self

    def embed(self, features, squash: bool = True) -> np.ndarray:
        """Activations of the last hidden layer.

        Parameters
        ----------
        features : ndarray of shape (n_tasks, n_features)
        squash : bool, default=True
            Whether to apply the hyperbolic tangent, which hides how far out a task
            lies.

        Returns
        -------
        ndarray of shape (n_tasks, n_hidden)
        """
        hidden = np.asarray(features)
        for weight, bias in zip(self._weights[:-2], self._biases[:-2], strict=True):
            hidden = np.tanh(hidden @ weight + bias)
        hidden = hidden @ self._weights[-2] + self._biases[-2]
        return np.tanh(hidden) if squash else hidden

    def predict(self, features) -> np.ndarray:
        """See :meth:`Prior.predict`."""
        output = self.embed(features) @ self._weights[-1] + self._biases[-1]
        return output + self._mean

    def arrays(self) -> Arrays:
        """Weights, biases and loss curve; see :meth:`Prior.arrays`."""
        layers = {
            f"{name}{k}": value
            for name, values in (("weight", self._weights), ("bias", self._biases))
            for k, value in enumerate(values)
        }
        return {**layers, "mean": self._mean, "loss_curve": self.loss_curve_}

    def restore(self, arrays: Arrays) -> NeuralPrior:
        """See :meth:`Prior.restore`."""
        depth = sum(name.startswith("weight") for name in arrays)
        self._weights = [arrays[f"weight{k}"] for k in range(depth)]
        self._biases = [arrays[f"bias{k}"] for k in range(depth)]
        self._mean, self.loss_curve_ = arrays["mean"], arrays["loss_curve"]
        return self
