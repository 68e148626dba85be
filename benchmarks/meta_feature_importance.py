"""What every meta-feature adds to the prior mean, and what it costs.

    python benchmarks/meta_feature_importance.py

The prior mean (of the two priors that train fast, forest and ridge) predicts the
standardised losses of the prior tasks out of family. Printed is the change of its mean
squared error, on the development half, when one of the meta-features in use is left
out, and when one of the others is added: what earns nothing is left out of
``META_FEATURES``.
"""

from __future__ import annotations

import argparse

import numpy as np
from corpus import half_of
from joblib import Parallel, delayed

from sk_meta import KnowledgeBase, compute_meta_features
from sk_meta._catalogue import catalogue
from sk_meta._history import Experience
from sk_meta._metamodel import META_FEATURES
from sk_meta._normal_scores import NormalScores
from sk_meta._priors import ForestPrior, LinearPrior, out_of_family


def judged_tasks(tasks) -> np.ndarray:
    """Real tasks of the development half, at their full number of rows."""
    development = tasks["family"].map(half_of) == "development"
    reduced = tasks.index.str.contains("@")
    return (development & ~tasks["synthetic"].astype(bool) & ~reduced).to_numpy()


def error(experience: Experience, features: list[str]) -> float:
    """Mean squared error out of family, of the average of two priors."""
    raw = experience.tasks[features].to_numpy(dtype=float)
    known = NormalScores().fit(raw).transform(raw)
    targets, weights = experience.targets(), experience.weights()
    families = experience.tasks["family"].to_numpy()
    guesses = [
        out_of_family(prior, known, targets, families, weights)
        for prior in (ForestPrior, LinearPrior)
    ]
    judged = judged_tasks(experience.tasks)
    gaps = (np.mean(guesses, axis=0) - targets)[judged] ** 2
    return float(np.average(gaps.mean(axis=1), weights=weights[judged]))


def changes(experience: Experience, task: str, jobs: int) -> list[tuple]:
    """Name, whether it is in use, and the error's change in percent."""
    used = list(META_FEATURES[task])
    table = experience.tasks.select_dtypes("number")
    others = [
        name for name in table
        if name not in used and table[name].notna().mean() > 0.5
        and table[name].nunique() > 5 and not name.startswith("n_")
    ]  # fmt: skip
    sets = [used, *([n for n in used if n != name] for name in used)]
    sets += [[*used, name] for name in others]
    errors = Parallel(jobs)(delayed(error)(experience, names) for names in sets)
    percent = 100 * (np.array(errors[1:]) / errors[0] - 1)
    print(f"\n### {task}: mean squared error {errors[0]:.4f}")
    flags = [True] * len(used) + [False] * len(others)
    return list(zip([*used, *others], flags, percent.tolist(), strict=True))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--knowledge", help="folder; the shipped one by default")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    knowledge = KnowledgeBase.load(options.knowledge)
    for task in META_FEATURES:
        names = tuple(c.name for c in catalogue(task))
        experience = Experience.of(knowledge, task, names)
        rows = changes(experience, task, options.jobs)
        for flag, head in ((True, "left out"), (False, "added")):
            print(f"\n| {head} | error |\n|---|---|")
            part = [row for row in rows if row[1] is flag]
            for name, _, percent in sorted(part, key=lambda r: -abs(r[2]))[:20]:
                print(f"| {name} | {percent:+.1f} % |")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 20)), rng.integers(0, 2, 2000)
    cost = compute_meta_features(X, y).to_frame()
    print("\nSeconds for 2,000 x 20:\n")
    print(cost.groupby("group")["seconds"].sum().sort_values().to_string())


if __name__ == "__main__":
    main()
