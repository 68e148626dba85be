"""
Recommend without fitting
=========================

What is worth trying on a table, before a second of computing is spent on it? The
question costs less than fitting one model. Here we ask it, and then we fit a dozen of
the models after all, to see whether the answer was right.

This example needs ``pip install matplotlib``.
"""

import matplotlib.pyplot as plt
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_meta import KnowledgeBase, MetaLearnerClassifier, compute_meta_features

X, y = load_digits(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=600, random_state=0, stratify=y
)

# %%
# The table as the meta-model sees it: some sixty numbers, in groups.

features = compute_meta_features(X_train, y_train).to_frame()
columns = ["name", "group", "value"]
print(features.groupby("group").head(2)[columns].to_string(index=False))
print(f"{len(features)} meta-features in {features['seconds'].sum():.2f} s")

# %%
# Every configuration with its predicted score, an 80 % interval, and seconds. The
# shipped knowledge base has seen these digits. They are left out here, or the answer
# would be a memory; the linear meta-model of what is left is trained in two seconds.
# With your own table, leave both parameters out.

knowledge = KnowledgeBase.load().without(["optdigits"])
learner = MetaLearnerClassifier(
    knowledge=knowledge, meta_model="linear", random_state=0
)
ranking = learner.recommend(X_train, y_train)
columns = ["configuration", "predicted_score", "predicted_low", "predicted_high",
           "predicted_seconds"]  # fmt: skip
print(ranking[columns].head(5).round(3).to_string())
print("...")
print(ranking[ranking["excluded"].isna()][columns].tail(3).round(3).to_string())

# %%
# Was that right? Twelve configurations from the top to the bottom of the ranking are
# really cross-validated. Those that are clearly worse are dropped after a fold or two,
# and what the results have shown to be hopeless is not begun.

usable = ranking[ranking["excluded"].isna()]
names = usable["configuration"].iloc[:: len(usable) // 12].head(12).tolist()
check = clone(learner).set_params(candidates=names, n_candidates=20, cv=3, n_jobs=2)
check.fit(X_train, y_train)
real = check.evaluations_.groupby("configuration")["score"].mean()
compared = usable.set_index("configuration").loc[names, columns[1:4]].assign(real=real)
compared = compared.dropna()
print(compared.round(3).to_string())
agreement = compared["predicted_score"].corr(compared["real"], method="spearman")
inside = compared["real"].between(compared["predicted_low"], compared["predicted_high"])
print(f"rank correlation {agreement:.2f}; {inside.mean():.0%} within their interval")

# %%
# The first of the ranking alone, fitted once, and the search above, which learned from
# its results, against a dummy and two plain models. A recommendation is a beginning:
# it says what to try first, and trying is what tells.

first = clone(learner).set_params(candidates=names[:1], n_candidates=1, cv=3)
models = {
    "dummy": DummyClassifier(),
    "gradient boosting": HistGradientBoostingClassifier(random_state=0),
    "logistic regression": make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=1000)
    ),
    "first recommended": first,
}
held_out = {n: m.fit(X_train, y_train).score(X_test, y_test) for n, m in models.items()}
held_out["after the search"] = check.score(X_test, y_test)
for name, score in held_out.items():
    print(f"held-out accuracy, {name}: {score:.3f}")

# %%
# Left: what was predicted before any fit, with its interval, and what came. Right:
# digits that were held out.

fig, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.8), width_ratios=(3, 2), layout="constrained"
)
compared = compared.sort_values("predicted_score")
low = compared["predicted_score"] - compared["predicted_low"]
high = compared["predicted_high"] - compared["predicted_score"]
left.errorbar(compared["predicted_score"], compared.index, xerr=[low, high], fmt="o",
              color="C7", label="predicted, 80 % interval")  # fmt: skip
left.scatter(compared["real"], compared.index, color="C2", zorder=3, label="real")
left.set(xlabel="accuracy, cross-validated", title="Believed before, found after")
fig.legend(loc="outside lower left", ncols=2)
ours = ["first recommended", "after the search"]
colors = ["C2" if name in ours else "C7" for name in held_out]
bars = right.barh(list(held_out), list(held_out.values()), color=colors)
right.bar_label(bars, fmt="%.2f", padding=3)
right.set(xlabel="accuracy", title="Held-out score")
right.margins(x=0.2)
plt.show()
