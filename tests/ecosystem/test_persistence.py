"""Written to a file and read again, in every format."""

import pickle
import re
import textwrap
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from quick import TRUSTED, quick_classifier, quick_regressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


@pytest.fixture(scope="module")
def flowers():
    X, y = load_iris(return_X_y=True, as_frame=True)
    return quick_classifier().fit(X, y), X


@pytest.mark.parametrize("compress", [0, 3])
def test_joblib_file(flowers, tmp_path, compress):
    model, X = flowers
    joblib.dump(model, tmp_path / "model.joblib", compress=compress)
    loaded = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    pd.testing.assert_frame_equal(loaded.leaderboard_, model.leaderboard_)


def test_joblib_maps_the_arrays_of_a_file(flowers, tmp_path):
    model, X = flowers
    joblib.dump(model, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    # A read-only one can be fitted again.
    again = loaded.fit(X, load_iris().target)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_pickle_inside_a_pipeline(cancer, protocol):
    X, y = cancer
    model = make_pipeline(StandardScaler(), quick_classifier()).fit(X, y)
    loaded = pickle.loads(pickle.dumps(model, protocol))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_skops_needs_trust_in_a_few_types_only(flowers, tmp_path):
    skops = pytest.importorskip("skops.io")
    model, X = flowers
    path = tmp_path / "model.skops"
    skops.dump(model, path)
    assert skops.get_untrusted_types(file=path) == TRUSTED
    loaded = skops.load(path, trusted=TRUSTED)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    pd.testing.assert_frame_equal(loaded.leaderboard_, model.leaderboard_)
    assert loaded.ranking_.attrs == model.ranking_.attrs
    assert loaded.score(X, loaded.predict(X)) == 1


def test_best_pipeline_needs_trust_in_no_type_of_ours(diabetes):
    skops = pytest.importorskip("skops.io")
    X, y = diabetes
    best = quick_regressor().fit(X, y).best_estimator_
    written = skops.dumps(best)
    trusted = skops.get_untrusted_types(data=written)
    assert set(trusted) <= {"numpy.dtype"}
    loaded = skops.loads(written, trusted=trusted)
    np.testing.assert_array_equal(loaded.predict(X), best.predict(X))


def test_model_card_of_skops(flowers, tmp_path):
    card = pytest.importorskip("skops.card")
    model, _ = flowers
    board = model.leaderboard_[["configuration", "mean_score"]].head(2)
    page = card.Card(model)
    page.add_metrics(accuracy=f"{model.best_score_:.3g}")
    page.add_table(Leaderboard=board.to_dict(orient="list"))
    page.save(tmp_path / "README.md")
    text = (tmp_path / "README.md").read_text(encoding="utf8")
    assert re.search(r"\|\s+n_candidates\s+\|\s+2\s+\|", text)
    assert re.search(rf"accuracy\s+\|\s+{model.best_score_:.3g}\s", text)
    assert all(name in text for name in board["configuration"])


@pytest.mark.parametrize("infinite", [False, True])
@pytest.mark.parametrize(
    ("name", "output"),
    [("logistic-C1", "classification"), ("tree-depth3", "classification"),
     ("ridge", "regression")],
)  # fmt: skip
def test_onnx_of_the_best_pipeline_predicts_the_same(name, output, infinite):
    skl2onnx = pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    if output == "classification":
        (X, y), make = load_breast_cancer(return_X_y=True), quick_classifier
    else:
        (X, y), make = load_diabetes(return_X_y=True), quick_regressor
    # ONNX computes in 32 bits, so the trees must see the same.
    X = X.astype(np.float32)
    if infinite:
        X[0, 0] = np.inf
    best = make(candidates=[name], n_candidates=1).fit(X, y).best_estimator_
    if infinite:  # the converter that docs/howto/prediction.rst shows
        page = Path(__file__).parents[2] / "docs" / "howto" / "prediction.rst"
        code = page.read_text(encoding="utf8").split(".. code-block:: python\n")[1]
        exec(textwrap.dedent(code), {})
    options = {"zipmap": False} if output == "classification" else None
    written = skl2onnx.to_onnx(best, X[:1], options=options)
    session = runtime.InferenceSession(
        written.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    X[1, 1] = np.nan
    found = session.run(None, {session.get_inputs()[0].name: X})
    if output == "classification":
        np.testing.assert_array_equal(found[0], best.predict(X))
        np.testing.assert_allclose(found[1], best.predict_proba(X), atol=1e-4)
    else:
        np.testing.assert_allclose(found[0].ravel(), best.predict(X), rtol=1e-3)
