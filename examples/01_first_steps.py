"""
First steps
===========

Fit on a real table, look at the leaderboard, compare with a baseline.
"""

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from sk_meta import KnowledgeBase, MetaLearnerClassifier, load_meta_model

X, y = load_digits(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)

# The shipped knowledge base has seen these digits. Left out, the result is what
# a new table would get; with your own table, leave `knowledge` out.
knowledge = KnowledgeBase.load().without(["optdigits"])
print("Training the meta-model anew, as it has seen them too ...", flush=True)
load_meta_model("classification", knowledge=knowledge)
model = MetaLearnerClassifier(
    time_budget=30, knowledge=knowledge, n_jobs=2, random_state=0
)
print("Searching for at most 30 s ...", flush=True)
model.fit(X_train, y_train)

columns = ["configuration", "mean_score", "expected_score", "weight", "fit_seconds"]
print(model.leaderboard_[columns].head(8).round(3).to_string())
print(f"\nstopped: {model.stop_reason_}, {model.search_time_:.0f} s")

baseline = RandomForestClassifier(n_jobs=2, random_state=0).fit(X_train, y_train)
print(f"held-out accuracy, sk_meta:       {model.score(X_test, y_test):.4f}")
print(f"held-out accuracy, random forest: {baseline.score(X_test, y_test):.4f}")
