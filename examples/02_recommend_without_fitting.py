"""
Recommend without fitting
=========================

What is worth trying on a table, before a second of computing is spent on it.
"""

from sklearn.datasets import load_diabetes

from sk_meta import MetaLearnerRegressor, compute_meta_features

X, y = load_diabetes(return_X_y=True, as_frame=True)

# %%
# The table as the meta-model sees it.
features = compute_meta_features(X, y).to_frame()
print(features.groupby("group").head(3).to_string())

# %%
# Every configuration with its predicted score, an 80 % interval, and seconds.
ranking = MetaLearnerRegressor(random_state=0).recommend(X, y)
print(ranking.head(10).round(3).to_string())
