"""
The meta-model from scratch: one layer of neurons
=================================================

The first network of every tutorial is one layer: ``x = W s + b``, an activation, a mean
loss, a constant learning rate, and many small steps downhill. It is enough for a first
meta-model. In goes ``s``, the meta-features that describe a table; out come the scores
that some hundred configurations can be expected to reach on it.

Everything is judged on tables the network has not seen: to rank the configurations for
a table, the table and all its relatives (its family) are left out of the training.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import QuantileTransformer

from sk_meta import KnowledgeBase, compute_meta_features

# %%
# The experience: a score for every prior task and configuration. Tables that were made
# by a rule, and parts of larger tables, are left out.

knowledge = KnowledgeBase.load()
tasks = knowledge.select("classification")
tasks = tasks[~tasks["synthetic"] & ~tasks.index.str.contains("@")]
scores = knowledge.scores("classification", "accuracy").loc[tasks.index]
scores = scores.drop(columns="dummy")
print(f"{len(tasks)} tasks of {tasks['family'].nunique()} families, "
      f"{scores.shape[1]} configurations")  # fmt: skip

# %%
# Accuracies of different tables can't be compared. What can is the regret: how far from
# the best on this table, where the middle of all configurations is 1. The target of the
# network is 1 - regret: 1 for the best, 0 for the middle and everything below it.

best, middle = scores.max(axis=1), scores.median(axis=1)
regret = (-scores).add(best, axis=0).div((best - middle).clip(lower=1e-3), axis=0)
regret = regret.fillna(3.0).clip(upper=3.0)  # failed or not applicable: the worst
target = (1 - regret).clip(lower=0).to_numpy(dtype=np.float32)

# %%
# The input: sizes, classes, and how well some very simple models do ("landmarkers").
# Ranks are mapped to a bell curve, so that no huge table pulls the weights.

FEATURES = ["nr_inst", "nr_encoded", "inst_to_attr", "nr_class", "freq_class.min",
            "one_nn_score", "tree_score", "linear_score", "tree_minus_stump",
            "tree_minus_linear", "one_nn_minus_linear", "share_categorical",
            "class_ent", "mut_inf.max", "target_cor.mean"]  # fmt: skip


def learn_ranks(tasks) -> QuantileTransformer:
    """Scaler for the meta-features, fitted on some tasks."""
    scaler = QuantileTransformer(n_quantiles=50, output_distribution="normal")
    return scaler.fit(tasks[FEATURES].fillna(tasks[FEATURES].median()))


def as_input(scaler, tasks, known) -> np.ndarray:
    """Meta-features as the network takes them; what is missing is the median."""
    filled = tasks[FEATURES].fillna(known[FEATURES].median())
    return scaler.transform(filled).clip(-2.5, 2.5).astype(np.float32)


# %%
# The network. It begins as the average ranking: ``W`` is zero, and ``b`` is what every
# configuration does on the mean task. A family counts once, however many tasks it has.


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def share_of(tasks) -> np.ndarray:
    """Weight of every task in a mean over families."""
    weight = 1 / tasks["family"].map(tasks["family"].value_counts())
    return (weight / weight.sum()).to_numpy(dtype=np.float32)


def train(s, target, share, steps=300, rate=1.0, losses=None):
    """Weights and biases after some steps of gradient descent."""
    b = share @ target
    b = np.log(b / (1 - b))
    W = np.zeros((target.shape[1], s.shape[1]), dtype=np.float32)
    for step in range(steps + 1):
        x = s @ W.T + b
        a = sigmoid(x)
        error = a - target
        if losses is not None:
            losses.append(float(share @ (error**2).mean(axis=1)))
            if step % 100 == 0:
                print(f"step {step:4d}: loss {losses[-1]:.4f}")
        slope = 2 * share[:, None] * error * a * (1 - a)
        W -= rate * slope.T @ s
        b -= rate * slope.sum(axis=0)
    return W, b


losses: list[float] = []
s = as_input(learn_ranks(tasks), tasks, tasks)
W, b = train(s, target, share_of(tasks), steps=500, losses=losses)

# %%
# The loss goes down, but that is on tasks it learns from. So for every family: train on
# all others, rank the configurations for its tasks, and look what the first few of the
# list really did. The average ranking is judged in the same way, without meta-features.

FIRST = [1, 2, 3, 5, 8, 12]
rng = np.random.default_rng(0)
reached = {"random order": [], "average ranking": [], "one layer": []}
for family in tasks["family"].unique():
    new = (tasks["family"] == family).to_numpy()
    rest, share = tasks[~new], share_of(tasks[~new])
    scaler = learn_ranks(rest)
    known, here = (as_input(scaler, part, rest) for part in (rest, tasks[new]))
    W, b = train(known, target[~new], share)
    average = share @ target[~new]
    for row, features in zip(np.flatnonzero(new), here, strict=True):
        beliefs = {
            "random order": rng.random(len(average)),
            "average ranking": average,
            "one layer": W @ features + b,
        }
        for name, belief in beliefs.items():
            real = regret.to_numpy()[row, np.argsort(-belief)]
            best_so_far = np.minimum.accumulate(real)[np.array(FIRST) - 1]
            reached[name].append((family, *best_so_far))
frames = {n: pd.DataFrame(r, columns=["family", *FIRST]) for n, r in reached.items()}
table = pd.DataFrame({n: f.groupby("family").mean().mean() for n, f in frames.items()})
table.index.name = "tried"
print(table.round(3).to_string())

# %%
# A few lines of arithmetic turn what others did on other tables into a better first
# guess. A table of one's own works in the same way: describe it, and ask.

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
others = tasks[tasks["family"] != "wdbc"]
mine = pd.DataFrame([compute_meta_features(X, y).to_dict()])
scaler = learn_ranks(others)
W, b = train(
    as_input(scaler, others, others),
    target[(tasks["family"] != "wdbc").to_numpy()],
    share_of(others),
)
believed = sigmoid(as_input(scaler, mine, others)[0] @ W.T + b)
ranked = pd.DataFrame(
    {"believed": believed, "accuracy": scores.loc["breast_cancer"]}, scores.columns
)
print(ranked.sort_values("believed", ascending=False).head(5).round(3).to_string())
print(f"best accuracy of all: {scores.loc['breast_cancer'].max():.3f}, "
      f"middle: {scores.loc['breast_cancer'].median():.3f}")  # fmt: skip

# %%
# Left: the training loss. Right: the regret on tables that were not seen. sk_meta goes
# on from here: more than one layer, other learners beside it, all metrics at once, how
# sure it is, and what the first results on the new table say about the rest
# (``load_meta_model("classification")`` gives that model to look into).

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
left.plot(losses, color="C2")
left.set(xlabel="step", ylabel="mean squared error", title="Training loss")
for name, color in zip(table, ("C7", "C1", "C2"), strict=True):
    right.plot(table.index, table[name], marker="o", color=color, label=name)
right.set(xlabel="configurations tried", ylabel="mean regret (0: best, 1: middle)",
          title="On families left out")  # fmt: skip
right.set_ylim(bottom=0)
right.legend()
plt.show()
