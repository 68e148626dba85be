"""
Models of your own among the candidates
=======================================

Whatever has ``fit`` and ``predict`` can compete: it is cross-validated on the same
folds as everything else, and becomes a member of the ensemble if that helps. Here are
two of our own, a density estimator and a neural network with layers, ``compile`` and
``epochs`` in the manner of Keras.

This example needs ``pip install matplotlib``.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_meta import MetaLearnerClassifier
from sk_meta.plots import EnsembleDisplay

# %%
# The first follows the recipe of scikit-learn: parameters are stored as they are given,
# what is learned ends with an underscore. It spreads a density around the training rows
# of every class, and Bayes' rule does the rest.


class DensityClassifier(ClassifierMixin, BaseEstimator):
    def __init__(self, bandwidth=1.0):
        self.bandwidth = bandwidth

    def fit(self, X, y):
        X, y = validate_data(self, X, y)
        self.classes_, counts = np.unique(y, return_counts=True)
        self.log_shares_ = np.log(counts / len(y))
        self.densities_ = [
            KernelDensity(bandwidth=self.bandwidth).fit(X[y == label])
            for label in self.classes_
        ]
        return self

    def predict_proba(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        log = np.column_stack([density.score_samples(X) for density in self.densities_])
        log += self.log_shares_
        odds = np.exp(log - log.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


# %%
# The second is a stack of dense layers, trained in batches by gradient descent with
# momentum. This is NumPy, so that it runs everywhere; a Keras model goes into the same
# wrapper, built in ``fit``.


class Dense:
    """A layer: ``x = W s + b``, then the larger of x and 0 unless it is the last."""

    def __init__(self, n_in, n_out, rng, last=False):
        self.W = rng.normal(scale=np.sqrt(2 / n_in), size=(n_in, n_out))
        self.b = np.zeros(n_out)
        self.pace = [0.0, 0.0]
        self.last = last

    def forward(self, s):
        self.s, self.x = s, s @ self.W + self.b
        return self.x if self.last else np.maximum(self.x, 0)

    def backward(self, slope, rate, momentum=0.9):
        slope = slope if self.last else slope * (self.x > 0)
        below = slope @ self.W.T
        for i, step in enumerate((self.s.T @ slope, slope.sum(axis=0))):
            self.pace[i] = momentum * self.pace[i] - rate * step
        self.W, self.b = self.W + self.pace[0], self.b + self.pace[1]
        return below


class Sequential:
    def __init__(self, layers):
        self.layers = layers

    def compile(self, learning_rate):
        self.learning_rate = learning_rate

    def fit(self, X, y, *, epochs, batch_size, rng):
        """Train on one-hot labels; the mean loss of every epoch is returned."""
        history = []
        for _ in range(epochs):
            order, losses = rng.permutation(len(X)), []
            for rows in np.array_split(order, max(1, len(X) // batch_size)):
                p = self.predict(X[rows])
                losses.append(-np.log((p * y[rows]).sum(axis=1) + 1e-12).mean())
                slope = (p - y[rows]) / len(rows)
                for layer in reversed(self.layers):
                    slope = layer.backward(slope, self.learning_rate)
            history.append(float(np.mean(losses)))
        return history

    def predict(self, X):
        for layer in self.layers:
            X = layer.forward(X)
        odds = np.exp(X - X.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)


class KerasStyleClassifier(ClassifierMixin, BaseEstimator):
    def __init__(self, hidden=(64,), learning_rate=0.1, epochs=30, batch_size=32,
                 random_state=0):  # fmt: skip
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X, y):
        X, y = validate_data(self, X, y)
        self.classes_ = np.unique(y)
        rng = np.random.default_rng(self.random_state)
        sizes = (X.shape[1], *self.hidden, len(self.classes_))
        self.model_ = Sequential(
            [
                Dense(n_in, n_out, rng, last=i == len(self.hidden))
                for i, (n_in, n_out) in enumerate(zip(sizes, sizes[1:], strict=False))
            ]
        )
        self.model_.compile(self.learning_rate)
        self.history_ = self.model_.fit(
            X,
            (y[:, None] == self.classes_).astype(float),
            epochs=self.epochs,
            batch_size=self.batch_size,
            rng=rng,
        )
        return self

    def predict_proba(self, X):
        check_is_fitted(self)
        return self.model_.predict(validate_data(self, X, reset=False))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


# %%
# Both enter as ``("a name", estimator)``, beside two families of the catalogue. All
# candidates are run, so what the knowledge base knows of these digits can change their
# order only. A bare estimator gets numbers, imputed and standardised; a ``Pipeline``
# gets the table as it is, which is better for the densities: all pixels have one scale.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, random_state=0, stratify=y
)
own = [
    ("my density", make_pipeline(DensityClassifier(bandwidth=10))),
    ("my network", KerasStyleClassifier(hidden=(64,))),
    ("my deep network", KerasStyleClassifier(hidden=(64, 32))),
]
model = MetaLearnerClassifier(
    candidates=["linear", "nearest neighbours", *own],
    n_candidates=12,
    cv=3,
    n_jobs=2,
    random_state=0,
)
model.fit(X_train, y_train)
columns = ["configuration", "family", "expected_score", "mean_score", "weight"]
print(model.leaderboard_[columns].head(10).round(3).to_string())

# %%
# On digits that were held out. These few are about as good as gradient boosting, which
# was not among them.

compared = {
    "dummy": DummyClassifier(),
    "gradient boosting": HistGradientBoostingClassifier(random_state=0),
    "logistic regression": make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=1000)
    ),
    "sk_meta with ours": model,
}
accuracy = {}
for name, estimator in compared.items():
    if estimator is not model:
        estimator.fit(X_train, y_train)
    accuracy[name] = float(np.mean(estimator.predict(X_test) == y_test))
    print(f"held-out accuracy, {name}: {accuracy[name]:.3f}")

# %%
# Left: the network learns, epoch by epoch. Right: who is in the ensemble.

network = KerasStyleClassifier(hidden=(64,)).fit(X_train / 16, y_train)
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
left.plot(range(1, len(network.history_) + 1), network.history_, color="C2")
left.set(xlabel="epoch", ylabel="mean log loss", yscale="log",
         title="my network, training loss")  # fmt: skip
EnsembleDisplay.from_estimator(model, ax=right)
plt.show()
