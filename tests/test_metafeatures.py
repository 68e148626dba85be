"""Tests of the meta-features."""

import logging
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from sk_meta import _registry as registry
from sk_meta import _sample as sampling
from sk_meta._metafeatures import compute_meta_features, meta_feature_names
from sk_meta._table import as_table, describe_table, describe_target


def _mixed(n=120, seed=0):
    """A frame with a column of every kind, and missing values."""
    rng = np.random.RandomState(seed)
    days = pd.to_timedelta(rng.randint(0, 900, n), unit="D")
    X = pd.DataFrame(
        {
            "number": rng.randn(n),
            "infinite": np.where(rng.rand(n) < 0.1, np.inf, rng.randn(n)),
            "nullable": pd.array(rng.randint(0, 9, n), dtype="Int64"),
            "letters": rng.choice(list("abc"), n),
            "category": pd.Categorical(rng.choice(list("xyz"), n)),
            "flag": rng.rand(n) < 0.5,
            "key": [f"k{i}" for i in rng.randint(0, 70, n)],
            "text": [f"row number {i} of many" for i in range(n)],
            "date": pd.Timestamp("2020-01-01") + days,
            "zoned": (pd.Timestamp("2020-01-01", tz="Europe/Paris") + days),
            "period": pd.period_range("2001-01", periods=n, freq="M"),
            "delta": days,
            "date_text": (pd.Timestamp("2020-01-01") + days).strftime("%d.%m.%Y"),
            "empty": np.nan,
            "constant": "same",
        }
    )
    X.loc[::7, ["number", "nullable", "letters", "date", "category"]] = None
    return X


def _repeated_names():
    X = _mixed()[["number", "letters", "flag"]]
    return X.set_axis(["a", "a", 0], axis=1)


def _awkward_tables():
    rng = np.random.RandomState(0)
    two = np.array([0, 1] * 60)
    return {
        "mixed": (_mixed(), two),
        "mixed regression": (_mixed(), rng.randn(120)),
        "only strings": (_mixed()[["letters"]], np.where(two, "yes", "no")),
        "only text": (_mixed()[["text"]], two),
        "only dates": (_mixed()[["date"]], rng.randn(120)),
        "object array": (_mixed().to_numpy(dtype=object), two),
        "repeated names": (_repeated_names(), two),
        "all missing": (np.full((30, 3), np.nan), two[:30]),
        "all missing frame": (pd.DataFrame({"a": [None] * 30}), two[:30]),
        "all infinite": (np.full((30, 3), np.inf), two[:30]),
        "constant": (np.ones((30, 3)), two[:30]),
        "huge": (rng.choice([1e308, -1e308], (30, 3)), two[:30]),
        "tiny values": (rng.rand(30, 3) * 1e-300, two[:30]),
        "one column": (rng.randn(30, 1), two[:30]),
        "one row": (rng.randn(1, 2), np.array(["a"])),
        "two rows": (rng.randn(2, 3), np.array([0, 1])),
        "two rows regression": (rng.randn(2, 3), np.array([0.5, 1.5])),
        "three rows": (_mixed(3), np.array([0.5, 1.5, 2.5])),
        "one class": (rng.randn(30, 3), np.zeros(30, dtype=int)),
        "singletons": (rng.randn(15, 3), np.array(list("abcdefghijklmno"))),
        "constant quantity": (rng.randn(30, 3), np.full(30, 0.5)),
        "boolean target": (rng.randn(30, 3), two[:30].astype(bool)),
        "wide": (rng.randn(20, 500), two[:20]),
        "sparse": (sparse.random(60, 40, 0.1, format="csc", random_state=0), two[:60]),
        "empty sparse": (sparse.csr_matrix((30, 4)), two[:30]),
    }


AWKWARD = _awkward_tables()


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_tables_give_the_same_names_and_no_warning(name):
    X, y = AWKWARD[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = compute_meta_features(X, y)
    assert result.names == meta_feature_names(result.task)
    assert not np.isinf(result.values).any()
    assert result["nr_inst"] == len(y)
    assert result["nr_attr"] == X.shape[1]


@pytest.mark.parametrize("loader", [load_iris, load_wine, load_breast_cancer])
def test_values_agree_with_pymfe(loader):
    pymfe = pytest.importorskip("pymfe.mfe")
    X, y = loader(return_X_y=True)
    summaries = ["mean", "sd", "max", "min"]
    groups = ["general", "statistical", "info-theory"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = pymfe.MFE(
            groups=groups, summary=summaries, suppress_warnings=True
        ).fit(X, y, rescale="standard")
        expected = dict(
            zip(*reference.extract(suppress_warnings=True), strict=True)
        )
    ours = compute_meta_features(X, y).to_dict()
    shared = sorted(ours.keys() & expected.keys())
    assert len(shared) >= 30
    # pymfe adds 1e-8 to each joint frequency, and iterates for can_cor.
    np.testing.assert_allclose(
        [ours[name] for name in shared],
        [expected[name] for name in shared],
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_names_are_unique_and_of_a_moderate_number(task):
    names = meta_feature_names(task)
    assert len(set(names)) == len(names)
    assert 40 <= len(names) <= 70


def test_unknown_task_and_wrong_lengths_are_refused():
    with pytest.raises(ValueError, match="task must be one of"):
        meta_feature_names("ranking")
    with pytest.raises(ValueError, match="as many rows as y"):
        compute_meta_features(np.zeros((3, 2)), [0, 1])


def test_registering_a_name_twice_is_refused():
    with pytest.raises(ValueError, match="registered twice"):
        registry.meta_feature("simple", "nobody", name="nr_inst")(lambda sample: 0.0)


def test_frame_and_dict_hold_the_same_values():
    result = compute_meta_features(*load_iris(return_X_y=True))
    frame = result.to_frame()
    assert list(frame) == ["name", "group", "value", "source", "seconds"]
    assert frame["source"].str.len().gt(0).all()
    assert set(frame["group"]) == set(registry.GROUPS)
    for name, value in zip(frame["name"], frame["value"], strict=True):
        np.testing.assert_equal(result[name], value)
        np.testing.assert_equal(result.to_dict()[name], value)


def test_counts_are_exact_where_rows_are_sampled():
    n = 3 * sampling.MAX_ROWS
    X = pd.DataFrame({"a": np.arange(n, dtype=float), "b": ["u", "v", "w"] * (n // 3)})
    X.loc[0, "a"] = np.nan
    y = np.r_[np.zeros(n - 3, dtype=int), 1, 1, 1]
    result = compute_meta_features(X, y)
    assert result["nr_inst"] == n
    assert result["share_missing"] == 1 / (2 * n)
    assert result["minority_count"] == 3
    assert result["freq_class.min"] == 3 / n
    assert result["cardinality.mean"] == 3
    assert result["nr_encoded"] == 4


def test_same_random_state_same_values():
    rng = np.random.RandomState(0)
    X, y = rng.randn(3000, 120), rng.randint(0, 3, 3000)
    first, again, other = (
        compute_meta_features(X, y, random_state=seed).values for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)


def test_descriptions_at_hand_change_nothing():
    X, y = _mixed(), np.arange(120) % 3
    table, target = describe_table(as_table(X)), describe_target(y)
    np.testing.assert_array_equal(
        compute_meta_features(X, y, table=table, target=target).values,
        compute_meta_features(X, y).values,
    )


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_order_of_rows_does_not_matter(task):
    X = _mixed()
    y = np.random.RandomState(0).randint(0, 30, 120)
    y = y % 3 if task == "classification" else y
    order = np.random.RandomState(1).permutation(120)
    first = compute_meta_features(X, y, task)
    second = compute_meta_features(X.iloc[order], y[order], task)
    # The folds of the landmarkers do depend on it.
    kept = np.array(first.groups) != "landmarker"
    np.testing.assert_allclose(first.values[kept], second.values[kept], atol=1e-9)


@pytest.mark.parametrize("loader", [load_wine, load_diabetes])
def test_scale_and_origin_of_columns_do_not_matter(loader):
    X, y = loader(return_X_y=True)
    # Integers and powers of two, so that rounding moves no value over a bin's edge.
    X = np.round(1000 * X)
    scale = 2.0 ** np.arange(-4, X.shape[1] - 4)
    first = compute_meta_features(X, y)
    second = compute_meta_features(X * scale + 64, y)
    kept = ~np.isin(first.names, ["scale_spread", "share_zeros"])
    np.testing.assert_allclose(
        first.values[kept], second.values[kept], rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_landmarkers_tell_linear_from_local(task):
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, (600, 6))
    linear, chequered = X.sum(axis=1), np.sign(X[:, 0] * X[:, 1])
    if task == "classification":
        linear, chequered = linear > 0, chequered > 0
    first = compute_meta_features(X, linear, task)
    assert first["linear_score"] > 0.8
    assert first["linear_score"] > first["stump_score"]
    assert first["tree_minus_linear"] < 0
    second = compute_meta_features(X[:, :2], chequered, task)
    assert second["one_nn_score"] > 0.7
    assert second["one_nn_minus_linear"] > 0.5
    noise = compute_meta_features(X, rng.permutation(linear), task)
    assert noise["linear_score"] < 0.2


def test_informative_column_is_seen():
    rng = np.random.RandomState(0)
    y = rng.randint(0, 2, 400)
    X = pd.DataFrame({"copy": np.where(y, "p", "q"), "noise": rng.randn(400)})
    result = compute_meta_features(X, y)
    assert result["target_cor.max"] == pytest.approx(1)
    assert result["uncertainty_max"] == pytest.approx(1)
    assert result["tree_score"] == pytest.approx(1)
    assert result["w_lambda"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("container", ["array", "sparse", "frame"])
def test_work_on_a_large_table_is_bounded(container):
    n, p = 4000, 300
    rng = np.random.RandomState(0)
    X = sparse.random(n, p, 0.05, format="csr", random_state=0)
    y = (np.arange(n) == rng.randint(n, size=(40, 1))).any(axis=0).astype(int)
    if container == "array":
        X = X.toarray()
    elif container == "frame":
        levels = rng.randint(0, 30, (n, p)).astype(str)
        X = pd.DataFrame(levels, columns=[f"c{i}" for i in range(p)])
    table, target = describe_table(X), describe_target(y)
    sample = sampling.draw_sample(X, y, table, target, np.random.RandomState(0))
    assert sample.block.shape == (len(sample.y), sampling.MAX_COLUMNS)
    assert len(sample.y) <= sampling.MAX_ROWS
    assert sample.y.sum() >= sampling._MIN_MEMBERS
    assert sample.encoded.shape[1] <= sampling.MAX_COLUMNS
    assert len(sample.contingencies) <= sampling.MAX_COLUMNS
    Z, target_part, folds = sample.landmark
    assert len(Z) == len(target_part) == len(folds) <= sampling.LANDMARK_ROWS
    assert Z.shape[1] <= sampling.LANDMARK_COLUMNS


def test_numeric_failure_is_logged_and_bugs_are_not_hidden(caplog, monkeypatch):
    X, y = load_iris(return_X_y=True)

    def fail(error):
        def function(sample):
            raise error

        record = registry.MetaFeature(
            "broken", "simple", "nobody", "cheap", function, ("classification",), ()
        )
        monkeypatch.setitem(registry.REGISTRY, "broken", record)
        return compute_meta_features(X, y)

    with caplog.at_level(logging.DEBUG, logger="sk_meta"):
        assert np.isnan(fail(np.linalg.LinAlgError("singular"))["broken"])
    assert "broken" in caplog.text
    with pytest.raises(TypeError, match="a bug"):
        fail(TypeError("a bug"))
