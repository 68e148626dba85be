"""The AutoML tools that ``versus.py`` compares, each as its users would call it.

This module is used inside the tools' own environments: it must be importable where
only one of them is installed, so that it imports nothing but pandas and NumPy at
the top.

A tool is a function that imports what it needs, outside the clock, and returns
``fit``; ``fit(X, y)`` returns ``predict`` and what is worth noting; ``predict(X)``
returns values, or probabilities with the classes in sorted order. All are told the
kind of task, the metric by their own name for it, seconds, cores and seed; nothing
else is changed from their defaults.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

LABEL = "__target__"  # no column of the corpus is called this


@dataclass(frozen=True)
class Job:
    """What every tool is told."""

    tool: str
    kind: str  # "binary", "multiclass" or "regression"
    seconds: float
    cores: int
    seed: int
    folder: Path
    knowledge: str | None = None

    @property
    def task(self) -> str:
        """What the kind is called where two classes are nothing special."""
        return "regression" if self.kind == "regression" else "classification"

    def named(self, binary, multiclass, regression):
        """The one of three names that fits the kind."""
        names = {"binary": binary, "multiclass": multiclass, "regression": regression}
        return names[self.kind]


def sk_meta(job: Job):
    """sk_meta with the knowledge base that lacks the table's family."""
    from sk_meta import MetaLearnerEstimator

    def fit(X, y):
        model = MetaLearnerEstimator(
            job.task,
            time_budget=job.seconds,
            scoring=job.named("roc_auc", "neg_log_loss", "neg_root_mean_squared_error"),
            knowledge=job.knowledge,
            n_jobs=job.cores,
            random_state=job.seed,
        ).fit(X, y)
        status = model.leaderboard_["status"].value_counts()
        notes = {
            "stop_reason": model.stop_reason_,
            "best": model.best_params_["configuration"],
            "status": {name: int(count) for name, count in status.items()},
            "search_seconds": float(model.search_time_),
            "refit_seconds": float(model.refit_time_),
        }
        return like_sklearn(model, job), notes

    return fit


def flaml(job: Job):
    """FLAML as it comes: no ensemble."""
    from flaml import AutoML

    def fit(X, y):
        model = AutoML()
        model.fit(
            X,
            y,
            task=job.task,
            metric=job.named("roc_auc", "log_loss", "rmse"),
            time_budget=job.seconds,
            n_jobs=job.cores,
            seed=job.seed,
            verbose=0,
            log_file_name=str(job.folder / "flaml.log"),
        )
        return like_sklearn(model, job), {"best": str(model.best_estimator)}

    return fit


def autogluon(job: Job, presets: str = "medium_quality"):
    """AutoGluon's tabular predictor."""
    from autogluon.tabular import TabularPredictor

    def fit(X, y):
        predictor = TabularPredictor(
            LABEL,
            problem_type=job.kind,
            eval_metric=job.named("roc_auc", "log_loss", "root_mean_squared_error"),
            path=str(job.folder / "autogluon"),
            verbosity=0,
        ).fit(
            X.assign(**{LABEL: y}),
            presets=presets,
            time_limit=job.seconds,
            num_cpus=job.cores,
            num_gpus=0,
        )

        def predict(X):
            if job.kind == "regression":
                return predictor.predict(X)
            found = predictor.predict_proba(X)
            return found[sorted(found.columns)]

        notes = {"models": predictor.model_names(), "best": predictor.model_best}
        return predict, notes

    return fit


def autogluon_best(job: Job):
    """AutoGluon with its preset for the best quality."""
    return autogluon(job, "best_quality")


def mljar(job: Job):
    """mljar-supervised in the mode that the AutoML Benchmark uses."""
    from supervised import AutoML

    def fit(X, y):
        model = AutoML(
            mode="Compete",
            results_path=str(job.folder / "mljar"),
            total_time_limit=int(job.seconds),
            ml_task=job.named(
                "binary_classification", "multiclass_classification", "regression"
            ),
            eval_metric=job.named("auc", "logloss", "rmse"),
            n_jobs=job.cores,
            random_state=job.seed,
            verbose=0,
        )
        model.fit(X, y)

        def predict(X):
            if job.kind == "regression":
                return model.predict(X)
            # Its classes that look like numbers are in the order of these.
            found = model.predict_all(X).filter(regex="^prediction_")
            return found[sorted(found.columns)]

        return predict, {"models": len(model.get_leaderboard())}

    return fit


def tpot(job: Job):
    """TPOT with its own preprocessing; its classes must be numbers."""
    from tpot import TPOTClassifier, TPOTRegressor

    def fit(X, y):
        kind = TPOTRegressor if job.kind == "regression" else TPOTClassifier
        model = kind(
            scorers=[
                job.named("roc_auc", "neg_log_loss", "neg_root_mean_squared_error")
            ],
            scorers_weights=[1],
            max_time_mins=job.seconds / 60,
            max_eval_time_mins=job.seconds / 60,
            preprocessing=True,
            n_jobs=job.cores,
            random_state=job.seed,
            verbose=0,
        )
        model.fit(X, codes(y, job))
        return like_sklearn(model, job), {"evaluated": len(model.evaluated_individuals)}

    return fit


def lightautoml(job: Job):
    """LightAutoML's preset for tables; its classes must be numbers."""
    from lightautoml.automl.presets.tabular_presets import TabularAutoML
    from lightautoml.tasks import Task

    def fit(X, y):
        task = Task(
            job.named("binary", "multiclass", "reg"),
            metric=job.named("auc", "crossentropy", "mse"),
        )
        model = TabularAutoML(
            task=task,
            timeout=job.seconds,
            cpu_limit=job.cores,
            reader_params={"n_jobs": job.cores, "random_state": job.seed},
        )
        table = X.assign(**{LABEL: codes(y, job)})
        model.fit_predict(table, roles={"target": LABEL}, verbose=0)

        def predict(X):
            found = model.predict(X).data
            if job.kind == "multiclass" and (order := model.reader.class_mapping):
                found = found[:, [order[k] for k in range(found.shape[1])]]
            return found[:, 0] if found.shape[1] == 1 else found

        return predict, {}

    return fit


def skrub(job: Job):
    """skrub's pipeline for tables around its own boosting, whatever the seconds."""
    from skrub import tabular_pipeline

    model = tabular_pipeline(
        job.named("classifier", "classifier", "regressor"), n_jobs=job.cores
    )

    def fit(X, y):
        return like_sklearn(model.fit(X, y), job), {}

    return fit


def hist_gradient_boosting(job: Job):
    """HistGradientBoosting with its defaults, whatever the seconds."""
    model = encoded_boosting(job)

    def fit(X, y):
        return like_sklearn(model.fit(X, y), job), {}

    return fit


def random_search(job: Job):
    """Random search over HistGradientBoosting, five folds, the defaults first."""
    from sklearn.model_selection import ParameterSampler, cross_val_score

    scoring = job.named("roc_auc", "neg_log_loss", "neg_root_mean_squared_error")
    draws = [{}, *ParameterSampler(boosting_space(), 10_000, random_state=job.seed)]

    def fit(X, y):
        start, best, longest, evaluated = time.perf_counter(), None, 0.0, 0
        for parameters in draws:
            begin = time.perf_counter()
            # Another draw, and the fit on all rows, must be likely to be in time.
            if begin - start + 1.5 * longest > job.seconds:
                break
            model = encoded_boosting(job, **parameters)
            score = cross_val_score(
                model, X, y, scoring=scoring, cv=5, n_jobs=job.cores
            ).mean()
            if best is None or score > best[0]:
                best = score, model
            longest = max(longest, time.perf_counter() - begin)
            evaluated += 1
        return like_sklearn(best[1].fit(X, y), job), {"evaluated": evaluated}

    return fit


def boosting_space() -> dict:
    """Hyperparameters of HistGradientBoosting to draw from."""
    from scipy.stats import loguniform, randint, uniform

    return {
        "learning_rate": loguniform(0.01, 0.3),
        "max_iter": randint(50, 500),
        "max_leaf_nodes": randint(4, 64),
        "min_samples_leaf": randint(2, 50),
        "l2_regularization": loguniform(1e-3, 10),
        "max_features": uniform(0.3, 0.7),
    }


def encoded_boosting(job: Job, **parameters):
    """HistGradientBoosting behind :func:`encoded`."""
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )

    classes = {
        "classification": HistGradientBoostingClassifier,
        "regression": HistGradientBoostingRegressor,
    }
    return encoded(classes[job.task](random_state=job.seed, **parameters))


def encoded(model):
    """Codes for the columns that are not numbers, NaN left to the model."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    to_codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_pipeline(
        make_column_transformer(
            (to_codes, make_column_selector(dtype_exclude="number")),
            remainder="passthrough",
        ),
        model,
    )


def codes(y: pd.Series, job: Job) -> pd.Series:
    """Classes as whole numbers, in sorted order; values as they are."""
    if job.kind == "regression":
        return y
    return pd.Series(np.unique(y, return_inverse=True)[1], index=y.index)


def like_sklearn(model, job: Job):
    """Predict of a model that has scikit-learn's methods."""
    return model.predict if job.kind == "regression" else model.predict_proba


TOOLS = {
    "sk_meta": sk_meta,
    "sk_meta_boosting": sk_meta,
    "flaml": flaml,
    "autogluon": autogluon,
    "autogluon_best": autogluon_best,
    "mljar": mljar,
    "tpot": tpot,
    "lightautoml": lightautoml,
    "skrub": skrub,
    "hist_gradient_boosting": hist_gradient_boosting,
    "random_search": random_search,
}
