"""The pool from which the portfolio is chosen, and the tasks that it is tried on.

For every kind of task the pool holds the configurations that were written by
hand and some three hundred drawn at random from the ranges of the templates.

    python benchmarks/pool.py          # prints the pool
"""

from __future__ import annotations

import zlib

from sk_meta._catalogue import Configuration, written_by_hand
from sk_meta._catalogue._templates import TEMPLATES

# Random configurations per template; what has few hyperparameters gets few.
DRAWS = {
    "classification": {
        "logistic": 28, "elastic-net": 10, "lda": 8, "qda": 5, "naive-bayes": 8,
        "nystroem": 34, "svc": 26, "knn": 14, "mlp": 24, "forest": 22,
        "extra-trees": 22, "tree": 6, "adaboost": 8, "hist-gb": 32, "gb": 14,
        "lightgbm": 20, "xgboost": 14, "catboost": 10,
    },
    "regression": {
        "ridge": 34, "elastic-net": 24, "nystroem": 36, "svr": 30, "knn": 14,
        "mlp": 24, "forest": 22, "extra-trees": 22, "tree": 6, "adaboost": 8,
        "hist-gb": 30, "gb": 14, "lightgbm": 18, "xgboost": 12, "catboost": 10,
    },
}  # fmt: skip

# Tasks of the development half only, so that the report half has no part in the
# choice; a spread of sizes, kinds of columns and numbers of classes.
SUBSET = {
    "classification": (
        "sonar", "heart_statlog", "glass_types", "pbc_status", "credit_approval",
        "pima", "vote92", "german", "wine_red4", "kr_vs_k", "covid_test", "segment",
        "spambase", "math_placement", "yrbss_gender", "chess",
    ),
    "regression": (
        "hitters_salary", "auto_mpg", "carseats", "boston", "cpu_tdp", "sacramento",
        "concrete", "acs_income", "life_expectancy", "diamonds", "airfare", "ames",
        "flight_delay",
    ),
}  # fmt: skip


def drawn(kind: str) -> list[tuple[str, str, dict]]:
    """Random configurations: name, template and hyperparameters.

    Parameters
    ----------
    kind : {"classification", "regression"}

    Returns
    -------
    list of tuple
        The same in every call.
    """
    entries = []
    for template in TEMPLATES:
        if template.task == kind:
            seed = zlib.crc32(f"{kind}/{template.name}".encode()) % 2**31
            for k, params in enumerate(
                template.sample(DRAWS[kind].get(template.name, 0), seed), start=1
            ):
                entries.append((f"{template.name}-r{k:02d}", template.name, params))
    return entries


def pool(kind: str) -> list[Configuration]:
    """All configurations that the portfolio may hold.

    Parameters
    ----------
    kind : {"classification", "regression"}

    Returns
    -------
    list of Configuration
    """
    templates = {t.name: t for t in TEMPLATES if t.task == kind}
    random = [templates[t].configuration(n, params) for n, t, params in drawn(kind)]
    return [*written_by_hand(kind), *random]


def main() -> None:
    """Print what the pool holds."""
    for kind in DRAWS:
        entries = drawn(kind)
        print(f"{kind}: {len(entries)} drawn, {len(pool(kind))} in all")
        for name, _, params in entries:
            print(f"  {name:20s} {params}")


if __name__ == "__main__":
    main()
