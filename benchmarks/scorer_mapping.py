"""Which stored metric orders configurations most like each scorer.

    python benchmarks/scorer_mapping.py

Configurations of every quick family are scored in three folds on some tasks of
the corpus with all scorers of scikit-learn that apply, some that users make
themselves, and all stored metrics. Printed is, for every scorer, the rank
correlation (Spearman) of its order of the configurations with that of every
stored metric, mean over the tasks; the highest is bold. The other columns are its
lead over the second, with the standard error over the tasks, the number of tasks,
and the metric that ``sk_meta._scoring`` ranks the scorer by. Below the table are
the means over the scorers of labels, probabilities and ranks.

Classes are numbers, and of two classes the rarer is 1, because scikit-learn's
scorers of two classes look for the class 1. Results are kept in ``raw/scorers``,
one file per task; a configuration that is there is not run again.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from corpus import find, load
from scipy.stats import spearmanr
from sklearn.metrics import (
    cohen_kappa_score,
    d2_pinball_score,
    d2_tweedie_score,
    fbeta_score,
    get_scorer,
    get_scorer_names,
    make_scorer,
    mean_pinball_loss,
    mean_tweedie_deviance,
    roc_auc_score,
    top_k_accuracy_score,
)
from sklearn.model_selection import KFold, StratifiedKFold

from sk_meta._catalogue import catalogue
from sk_meta._evaluation import evaluate_fold
from sk_meta._scoring import STORED_METRICS, resolve_scoring, stored_scorer
from sk_meta._table import as_table, describe_table, describe_target
from sk_meta._together import quiet

OUT = Path(__file__).parent / "raw" / "scorers"
MAX_ROWS, FOLDS, PER_FAMILY = 600, 3, 3
SLOW = {"dummy", "Gaussian process", "LightGBM", "XGBoost", "CatBoost"}
FEWEST_CONFIGURATIONS = 10

TASKS = {
    "classification": (
        "pima", "wine_red4", "glass_types", "credit_approval", "german", "covid_test",
        "math_placement", "vote92", "pbc_status", "spambase",
    ),
    "regression": (
        "hitters_salary", "boston", "diamonds", "sacramento", "concrete",
        "life_expectancy", "flight_delay",
    ),
}  # fmt: skip

# Scorers of scikit-learn by what they are for; what is left is for classes.
REGRESSION = {
    "d2_absolute_error_score", "explained_variance", "neg_max_error",
    "neg_mean_absolute_error", "neg_mean_absolute_percentage_error",
    "neg_mean_gamma_deviance", "neg_mean_poisson_deviance", "neg_mean_squared_error",
    "neg_mean_squared_log_error", "neg_median_absolute_error",
    "neg_root_mean_squared_error", "neg_root_mean_squared_log_error", "r2",
}  # fmt: skip
CLUSTERING = {
    "adjusted_mutual_info_score", "adjusted_rand_score", "completeness_score",
    "fowlkes_mallows_score", "homogeneity_score", "mutual_info_score",
    "normalized_mutual_info_score", "rand_score", "v_measure_score",
}  # fmt: skip


def _pinball(alpha: float):
    return make_scorer(mean_pinball_loss, alpha=alpha, greater_is_better=False)


# What users make: functions that have no name among the scorers, and parameters.
MADE = {
    "classification": {
        "fbeta_score, beta=0.5": make_scorer(fbeta_score, beta=0.5),
        "fbeta_score, beta=2": make_scorer(fbeta_score, beta=2),
        "fbeta_score, beta=2, macro": make_scorer(fbeta_score, beta=2, average="macro"),
        "cohen_kappa_score": make_scorer(cohen_kappa_score),
        "roc_auc_score, max_fpr=0.1": make_scorer(
            roc_auc_score, response_method="predict_proba", max_fpr=0.1
        ),
        "top_k_accuracy_score, k=3": make_scorer(
            top_k_accuracy_score, response_method="predict_proba", k=3
        ),
    },
    "regression": {
        **{
            f"mean_pinball_loss, alpha={alpha}": _pinball(alpha)
            for alpha in (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
        },
        "d2_pinball_score, alpha=0.2": make_scorer(d2_pinball_score, alpha=0.2),
        "d2_pinball_score, alpha=0.8": make_scorer(d2_pinball_score, alpha=0.8),
        "mean_tweedie_deviance, power=1.5": make_scorer(
            mean_tweedie_deviance, power=1.5, greater_is_better=False
        ),
        "d2_tweedie_score, power=1": make_scorer(d2_tweedie_score, power=1),
    },
}


def applicable(kind: str) -> dict:
    """Scorers that apply to a kind of task with one target, by name."""
    names = [n for n in get_scorer_names() if not n.endswith("_samples")]
    classes = [n for n in names if n not in REGRESSION | CLUSTERING]
    of_kind = classes if kind == "classification" else sorted(REGRESSION & set(names))
    return {**{name: get_scorer(name) for name in of_kind}, **MADE[kind]}


def diverse(kind: str) -> list:
    """Evenly spaced configurations of every family that is quick."""
    families: dict[str, list] = {}
    for configuration in catalogue(kind):
        if configuration.family not in SLOW:
            families.setdefault(configuration.family, []).append(configuration)
    return [
        members[i]
        for members in families.values()
        for i in np.unique(np.linspace(0, len(members) - 1, PER_FAMILY).astype(int))
    ]


def numbered(y: np.ndarray) -> np.ndarray:
    """Classes from the most frequent to the rarest as 0, 1, ..."""
    classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    place = np.empty(len(classes), dtype=int)
    place[np.argsort(-counts, kind="stable")] = np.arange(len(classes))
    return place[codes]


def scores_of(configuration, X, y, target, scorers) -> dict[str, float]:
    """Mean score over the folds by scorer, NaN where one is not defined."""
    table = describe_table(X)
    if configuration.why_not(table, target) is not None:
        return dict.fromkeys(scorers, np.nan)
    kind = KFold if target.classes is None else StratifiedKFold
    folds = [
        evaluate_fold(
            configuration.build(table, random_state=0),
            X, y, split, {}, target.classes, optional=scorers,
        )
        for split in kind(FOLDS, shuffle=True, random_state=0).split(y, y)
    ]  # fmt: skip
    return {
        name: float(np.mean([fold.scores.get(name, np.nan) for fold in folds]))
        for name in scorers
    }


def run_task(name: str, kind: str) -> pd.DataFrame:
    """Scores of one task: a row per configuration, a column per scorer."""
    path = OUT / f"{name}.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    stored = {f"stored {m}": stored_scorer(m) for m in STORED_METRICS[kind]}
    scorers = {**applicable(kind), **stored}
    X, y = load(find(name), max_rows=MAX_ROWS)
    X, y = as_table(X), y.to_numpy()
    y = numbered(y) if kind == "classification" else y
    target = describe_target(y, kind)
    for configuration in diverse(kind):
        if not set(scorers) <= set(known.get(configuration.name, ())):
            known[configuration.name] = scores_of(configuration, X, y, target, scorers)
            path.write_text(json.dumps(known))
    rows = {c.name: known[c.name] for c in diverse(kind)}
    return pd.DataFrame.from_dict(rows, orient="index")[list(scorers)]


def likeness(scores: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Rank correlation of every scorer with every stored metric in one task."""
    stored = [f"stored {m}" for m in STORED_METRICS[kind]]
    table = {}
    for name in applicable(kind):
        defined = scores[[name, *stored]].dropna()
        if len(defined) >= FEWEST_CONFIGURATIONS and defined[name].nunique() > 1:
            table[name] = [
                spearmanr(defined[name], defined[m]).statistic for m in stored
            ]
    return pd.DataFrame.from_dict(table, orient="index", columns=STORED_METRICS[kind])


def lead(tasks: pd.DataFrame) -> str:
    """By how much the highest mean leads, and the standard error over tasks."""
    first, second = tasks.mean().nlargest(2).index
    ahead = tasks[first] - tasks[second]
    return f"{ahead.mean():.3f} ± {ahead.sem():.3f}"


def in_markdown(every: pd.DataFrame, kind: str) -> str:
    """The table, the highest of every row in bold."""
    columns = [*STORED_METRICS[kind], "lead", "tasks", "ranked by"]
    lines = ["| scorer | " + " | ".join(columns) + " |"]
    lines.append("|---" + "|---:" * (len(columns) - 1) + "|---|")
    for name, tasks in every.groupby(level=1, sort=False):
        mean = tasks.mean()
        cells = [f"**{x:.3f}**" if x == mean.max() else f"{x:.3f}" for x in mean]
        chosen = resolve_scoring(MADE[kind].get(name, name), kind).stored
        cells += [lead(tasks), str(len(tasks)), chosen]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def looks_at(name: str, scorer) -> str:
    """What a scorer sees; that of AUC asks for probabilities but sees ranks."""
    response = scorer._response_method
    if name.startswith("roc_auc") or "decision_function" in response:
        return "ranks"
    return {"predict": "labels", "predict_proba": "probabilities"}[response]


def by_kind(mean: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Mean over what scorers look at, in which every function counts once."""
    scorers = {name: s for name, s in applicable(kind).items() if name in mean.index}
    functions = [scorer._score_func.__name__ for scorer in scorers.values()]
    kinds = ["values"] * len(scorers)
    if kind == "classification":
        kinds = [looks_at(*item) for item in scorers.items()]
    table = mean.loc[list(scorers)].groupby([kinds, functions]).mean()
    table = table.groupby(level=0).mean()
    if len(table) > 1:
        table.loc["mean of these"] = table.mean()
    return table


def main() -> None:
    """Run what is missing and print the tables."""
    OUT.mkdir(parents=True, exist_ok=True)
    for kind, names in TASKS.items():
        with quiet():
            tables = [likeness(run_task(name, kind), kind) for name in names]
        every = pd.concat(tables, keys=names)
        mean = every.groupby(level=1, sort=False).mean()
        print(f"\n### {kind}\n\n{in_markdown(every, kind)}")
        print(f"\n{by_kind(mean, kind).round(3).to_string()}")


if __name__ == "__main__":
    main()
