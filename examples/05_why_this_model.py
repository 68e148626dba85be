"""
Why this model?
===============

A model that comes out of a search should be able to say where it comes from: what was
believed of it before anything was fitted, because of which earlier tables, and how
every result moved that belief.

This example needs ``pip install matplotlib``.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split

from sk_meta import KnowledgeBase, MetaLearnerRegressor
from sk_meta.plots import BeliefDisplay, ExpectationDisplay

# %%
# A small table: 442 patients, ten measures, and how far their diabetes went in a year.
# The shipped knowledge base has seen it, so its family is left out.

X, y = load_diabetes(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
model = MetaLearnerRegressor(
    n_candidates=10,
    knowledge=KnowledgeBase.load().without(["diabetes"]),
    n_jobs=2,
    random_state=0,
)
model.fit(X_train, y_train)
print(model.summary())

# %%
# The score is worth explaining only if it is good on patients who were held out.

models = {
    "mean": DummyRegressor(),
    "gradient boosting": HistGradientBoostingRegressor(random_state=0),
    "ridge": RidgeCV(),
}
for name, plain in models.items():
    score = plain.fit(X_train, y_train).score(X_test, y_test)
    print(f"held-out R², {name}: {score:.3f}")
print(f"held-out R², sk_meta: {model.score(X_test, y_test):.3f}")

# %%
# In words: what was believed of the three best, and what the earlier tables like this
# one had to do with it.

explanation = model.explain(3)
print(explanation)

# %%
# The same as tables. The earlier tables that are most like this one, and what won
# there ...

columns = ["task", "distance", "weight", "n_rows", "n_columns", "best"]
print(explanation.neighbors[columns].head(5).round(3).to_string())

# %%
# ... and the meta-features that moved the prediction most. ``effect`` is by how much
# the predicted scores change because this table has this value, and not the median of
# the earlier ones.

print(explanation.meta_features.head(6).round(4).to_string())

# %%
# Left: the belief about the best, from the prior to the last result; every result
# moves all of them, since models of one kind do well on the same tables. Right: what
# was expected of a configuration before the search, and what came.

fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4.8), layout="constrained")
BeliefDisplay.from_estimator(model, ax=left)
ExpectationDisplay.from_estimator(model, ax=right)
plt.show()
