"""Tables and records that several test modules look at."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_meta import KnowledgeBase, MetaLearnerClassifier, _racing
from sk_meta._scoring import STORED_METRICS

N_ROWS = 120
MARKUP = "<script>alert(1)</script>"


def ended(process_id):
    """Whether a process is gone, or only its entry is left."""
    try:
        with open(f"/proc/{process_id}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def make_messy(n_rows=N_ROWS, seed=0):
    """A frame with a column of every kind that users bring along."""
    rng = np.random.RandomState(seed)
    numbers = rng.normal(size=n_rows)
    days = pd.Timestamp("2021-03-01") + pd.to_timedelta(
        rng.randint(0, 700, n_rows), unit="D"
    )
    return pd.DataFrame(
        {
            "number": numbers,
            "holes": np.where(rng.rand(n_rows) < 0.2, np.nan, rng.normal(size=n_rows)),
            "infinite": np.where(rng.rand(n_rows) < 0.1, np.inf, numbers + 1),
            "count": rng.randint(0, 9, n_rows),
            "nullable": pd.array(
                np.where(rng.rand(n_rows) < 0.1, None, rng.randint(0, 9, n_rows)),
                dtype="Int64",
            ),
            "letters": rng.choice(["a", "b", "c", None], n_rows),
            "category": pd.Categorical(rng.choice(["low", "mid", "high"], n_rows)),
            "string": pd.array(rng.choice(["x", "y", None], n_rows), dtype="string"),
            "flag": rng.rand(n_rows) < 0.5,
            "nullable_flag": pd.array(
                rng.choice([True, False, None], n_rows), dtype="boolean"
            ),
            "mixed": rng.choice(np.array([1, "one", 2.5, None], dtype=object), n_rows),
            "key": [f"k{i}" for i in rng.randint(0, 60, n_rows)],
            "text": [f"visit number {i} of this person" for i in range(n_rows)],
            "date": days,
            "date_text": days.strftime("%d.%m.%Y"),
            "grade": pd.Categorical(
                rng.choice(["poor", "fair", "good"], n_rows),
                categories=["poor", "fair", "good"],
                ordered=True,
            ),
            "duration": pd.to_timedelta(rng.randint(0, 5000, n_rows), unit="min"),
            "clock": [f"{i // 60}:{i % 60:02d}" for i in rng.randint(0, 1440, n_rows)],
            "price": [f"${i:,}" for i in rng.randint(0, 5000, n_rows)],
            "percent": [f"{i} %" for i in rng.randint(0, 100, n_rows)],
            "patient_id": rng.permutation(n_rows) + 1000,
            "constant": "same",
            "empty": np.nan,
        }
    )


def make_target(X, task, seed=0):
    """Three string labels, or a quantity, that depend on the first column."""
    signal = X["number"] + 0.3 * np.random.RandomState(seed).normal(size=len(X))
    if task == "regression":
        return signal.to_numpy() * 10
    return pd.qcut(signal, 3, labels=["low", "mid", "top"]).to_numpy().astype(str)


def fold(metrics, seconds=0.5):
    """Scores of one fold, the same for every share and every loss."""
    return {
        "fit_seconds": seconds,
        "predict_seconds": 0.1,
        **{name: -1.5 if name.startswith("neg") else 0.5 for name in metrics},
    }


def record(task="mine", kind="classification", family="mine", **results):
    """A task record like those of the builder."""
    metrics = STORED_METRICS[kind]
    dummy = {"status": "ok", "error": None, "folds": [fold(metrics), fold(metrics)]}
    return {
        "task": task,
        "kind": kind,
        "family": family,
        "source": "a test",
        "target": "y",
        "n_rows": 100,
        "n_columns": 4,
        "n_encoded": 6,
        "n_classes": 2,
        "meta_features": {"nr_inst": 100.0, "nr_encoded": 6.0},
        "results": {"dummy": dummy, **results},
    }


def excerpt(knowledge, n_families):
    """The knowledge base less all but some families of either kind."""
    kept = set()
    for kind in knowledge.results:
        kept |= set(knowledge.select(kind)["family"].unique()[:n_families])
    return knowledge.without(set(knowledge.tasks["family"]) - kept)


@pytest.fixture
def messy():
    """The messy frame, its names made unique."""
    return make_messy()


@pytest.fixture
def duplicated(messy):
    """The messy frame with two columns of one name."""
    return messy.rename(columns={"letters": "twice", "count": "twice"})


@pytest.fixture(scope="session")
def knowledge():
    """The shipped knowledge base."""
    return KnowledgeBase.load()


@pytest.fixture(scope="session")
def iris():
    """150 flowers of three classes, labels as strings."""
    data = load_iris()
    return data.data, data.target_names[data.target]


@pytest.fixture(scope="session")
def cancer():
    """569 tumours of two classes."""
    return load_breast_cancer(return_X_y=True)


@pytest.fixture(scope="session")
def diabetes():
    """442 patients, a quantity to predict."""
    return load_diabetes(return_X_y=True)


@pytest.fixture(scope="session")
def told(cancer):
    """A fitted classifier, and names that are markup or mathematics to some.

    One candidate fails, one is the user's own, a column is constant.
    """
    X = pd.DataFrame(cancer[0][:300, :6]).add_prefix("c")
    X = X.assign(**{MARKUP: 1.0})
    y = np.where(cancer[1][:300] == 1, "<b>benign</b>", "other")
    own = [
        ("<em>mine $x$</em>", make_pipeline(StandardScaler(), LogisticRegression())),
        ("broken & alone", LogisticRegression(C=-1)),
    ]
    model = MetaLearnerClassifier(
        n_candidates=7,
        candidates=["linear", *own],
        scoring="neg_log_loss",
        cv=3,
        random_state=0,
    )
    with pytest.MonkeyPatch.context() as patch:  # several are to be complete
        patch.setattr(_racing, "RANK", np.inf)
        patch.setattr(_racing, "MARGIN", np.inf)
        return model.fit(X, y)


@pytest.fixture(scope="session")
def nothing(iris):
    """A classifier whose only candidate fails."""
    broken = [("broken", LogisticRegression(C=-1))]
    model = MetaLearnerClassifier(candidates=broken, cv=2, random_state=0)
    with pytest.warns(UserWarning):
        return model.fit(*iris)


@pytest.fixture(scope="session")
def report(told):
    """Its report, with figures."""
    pytest.importorskip("matplotlib")
    return told.report()
