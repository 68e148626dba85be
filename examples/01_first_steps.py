"""
First steps
===========

Fit on a real table, look at what was tried, and compare with a plain good model on
rows that were held out.
"""

from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from sk_meta import KnowledgeBase, MetaLearnerClassifier, load_meta_model

X, y = load_digits(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)

# %%
# The shipped knowledge base has seen these digits. Left out, the result is what a new
# table would get; with your own table, leave ``knowledge`` out.

knowledge = KnowledgeBase.load().without(["optdigits"])
print("Training the meta-model anew, without these digits ...", flush=True)
load_meta_model("classification", knowledge=knowledge)

# %%
# Thirty seconds for everything.

model = MetaLearnerClassifier(
    time_budget=30, knowledge=knowledge, n_jobs=2, random_state=0
)
print("Searching for at most 30 s ...", flush=True)
model.fit(X_train, y_train)
print(f"stopped: {model.stop_reason_}, {model.search_time_:.0f} s")

# %%
# What was tried: the score that was expected before anything was fitted, the one that
# was found, and the weight in the ensemble.

columns = ["configuration", "expected_score", "mean_score", "weight", "fit_seconds"]
print(model.leaderboard_[columns].head(8).round(3).to_string())

# %%
# On digits that were held out. There are 450 of them, so that one digit is 0.002, and a
# difference of a few of them is chance.

models = {
    "dummy": DummyClassifier().fit(X_train, y_train),
    "random forest": RandomForestClassifier(random_state=0).fit(X_train, y_train),
    "sk_meta": model,
}
for name, fitted in models.items():
    print(f"held-out accuracy, {name + ':':14} {fitted.score(X_test, y_test):.4f}")

# %%
# The picture needs matplotlib: digits that were read wrong, and as what.

try:
    import matplotlib.pyplot as plt
except ImportError:
    print("pip install matplotlib shows the digits that were read wrong.")
else:
    read = model.predict(X_test)
    wrong = (read != y_test.to_numpy()).nonzero()[0][:6]
    fig, axes = plt.subplots(1, 6, figsize=(9, 2), layout="constrained")
    for ax in axes:
        ax.set_axis_off()
    for ax, row in zip(axes, wrong, strict=False):
        ax.imshow(X_test.iloc[row].to_numpy().reshape(8, 8), cmap="gray_r")
        ax.set_title(f"{y_test.iloc[row]}, read as {read[row]}", fontsize=9)
    plt.show()
