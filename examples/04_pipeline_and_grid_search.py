"""
Inside pipelines and searches
=============================

sk_meta is a scikit-learn estimator like any other. Whatever takes an estimator takes
this one: a ``Pipeline``, ``cross_val_score``, ``GridSearchCV``. Each fit is then a
whole search, so a few candidates per fit are enough.

This example needs ``pip install matplotlib``.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_meta import KnowledgeBase, MetaLearnerClassifier

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.4, random_state=0, stratify=y
)

# %%
# The shipped knowledge base has seen these tumours, so their family is left out. The
# linear meta-model of what is left is trained in two seconds, once in this process. Of
# the models we allow the families that are fitted in an instant.

learner = MetaLearnerClassifier(
    n_candidates=5,
    candidates=["linear", "linear on splines", "kernel approximation",
                "support vectors", "discriminant analysis"],
    cv=3,
    scoring="neg_log_loss",
    meta_model="linear",
    knowledge=KnowledgeBase.load().without(["wdbc"]),
    random_state=0,
)  # fmt: skip

# %%
# As the last step of a pipeline: what comes before it is fitted on the training rows
# of every outer fold alone.

pipeline = make_pipeline(SelectKBest(f_classif, k=10), learner)
pipeline.fit(X_train, y_train)
accuracy = (pipeline.predict(X_test) == y_test).mean()
print(f"ten columns, held-out accuracy: {accuracy:.3f}")
print(f"best of them: {pipeline[-1].best_params_}")

# %%
# ``GridSearchCV`` finds how many columns to keep. Parameters of the estimator itself
# could be in the grid, too, such as ``metalearnerclassifier__candidates``.

grid = GridSearchCV(
    pipeline, {"selectkbest__k": [5, 15, "all"]}, scoring="neg_log_loss", cv=2
)
grid.fit(X_train, y_train)
found = pd.DataFrame(grid.cv_results_)[["param_selectkbest__k", "mean_test_score"]]
print(found.round(4).to_string(index=False))
print(f"best: {grid.best_params_}")
print(f"held-out log loss: {-grid.score(X_test, y_test):.4f}")

# %%
# ``cross_val_score`` judges the whole thing, choice of the model included, on rows that
# no part of it has seen. That is the honest number to report.

models = {
    "dummy": DummyClassifier(),
    "gradient boosting": HistGradientBoostingClassifier(random_state=0),
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "sk_meta": learner,
}
folds = StratifiedKFold(5, shuffle=True, random_state=0)
scores = pd.DataFrame(
    {
        name: -cross_val_score(model, X, y, cv=folds, scoring="neg_log_loss")
        for name, model in models.items()
    }
)
print(scores.agg(["mean", "std"]).T.round(4).to_string())

# %%
# Log loss, smaller is better; a dot is a fold. The dummy is off the scale. Tumours that
# a straight line tells apart leave nothing to gain over logistic regression, and the
# search found that out by itself.

fig, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
shown = scores.drop(columns="dummy")
axes.boxplot(shown, orientation="horizontal", tick_labels=shown.columns,
             widths=0.5, showfliers=False)  # fmt: skip
for place, name in enumerate(shown, start=1):
    color = "C2" if name == "sk_meta" else "C7"
    axes.scatter(shown[name], [place] * len(shown), color=color, zorder=3)
axes.set(xlabel="log loss on the outer folds", xlim=(0, None),
         title=f"Five outer folds (dummy: {scores['dummy'].mean():.2f})")  # fmt: skip
plt.show()
