"""A small network in the manner of Keras, and its wrapper for scikit-learn."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data


class Network:
    """One hidden layer, trained on the log loss by gradient descent with momentum."""

    def __init__(self, n_inputs, n_hidden, n_classes, rng):
        sizes = [(n_inputs, n_hidden), (n_hidden, n_classes)]
        self.weights = [rng.normal(0, n**-0.5, (n, m)) for n, m in sizes]
        self.biases = [np.zeros(m) for _, m in sizes]

    def compile(self, learning_rate=0.05, momentum=0.9):
        self.learning_rate, self.momentum = learning_rate, momentum

    def fit(self, X, onehot, epochs, batch_size, rng):
        parts = self.weights + self.biases
        speed = [np.zeros_like(part) for part in parts]
        for _ in range(epochs):
            for rows in np.array_split(
                rng.permutation(len(X)), -(-len(X) // batch_size)
            ):
                for part, v, slope in zip(
                    parts, speed, self.gradients(X[rows], onehot[rows]), strict=True
                ):
                    v *= self.momentum
                    v -= self.learning_rate * slope
                    part += v

    def gradients(self, X, onehot):
        hidden = np.tanh(X @ self.weights[0] + self.biases[0])
        error = (self.output(hidden) - onehot) / len(X)
        back = error @ self.weights[1].T * (1 - hidden**2)
        return X.T @ back, hidden.T @ error, back.sum(axis=0), error.sum(axis=0)

    def output(self, hidden):
        scores = hidden @ self.weights[1] + self.biases[1]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.output(np.tanh(X @ self.weights[0] + self.biases[0]))


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """The network as an estimator of scikit-learn."""

    def __init__(self, hidden=16, epochs=40, batch_size=32, random_state=None):
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X, y):
        X, y = validate_data(self, X, y)
        rng = check_random_state(self.random_state)
        self.classes_, places = np.unique(y, return_inverse=True)
        self.network_ = self._build(X.shape[1], len(self.classes_), rng)
        onehot = np.eye(len(self.classes_))[places]
        self.network_.fit(X, onehot, self.epochs, self.batch_size, rng)
        return self

    def _build(self, n_inputs, n_classes, rng):
        network = Network(n_inputs, self.hidden, n_classes, rng)
        network.compile(learning_rate=0.05, momentum=0.9)
        return network

    def predict_proba(self, X):
        check_is_fitted(self)
        return self.network_.predict(validate_data(self, X, reset=False))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
