"""Frames of polars, wherever an array could stand."""

import numpy as np
import pytest
from quick import quick_classifier, quick_regressor
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

polars = pytest.importorskip("polars")


@pytest.fixture(scope="module")
def patients():
    """Diabetes with the sex as text, and the quantity to predict."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X["sex"] = X["sex"].map({1.0: "one", 2.0: "two"})
    return X, y


def in_polars(X):
    return polars.DataFrame(X.to_dict(orient="list"))


def test_polars_frames_predict_as_pandas_frames_do(patients):
    X, X_test, y, _ = train_test_split(*patients, random_state=0)
    expected = quick_regressor().fit(X, y).predict(X_test)
    model = quick_regressor().fit(in_polars(X), polars.Series(y.to_list()))
    assert list(model.feature_names_in_) == list(X.columns)
    np.testing.assert_allclose(model.predict(in_polars(X_test)), expected)
    np.testing.assert_allclose(model.predict(X_test), expected)


def test_cross_validation_splits_polars_frames(patients):
    X, y = patients
    expected = cross_val_score(quick_regressor(), X, y, cv=2, error_score="raise")
    found = cross_val_score(
        quick_regressor(), in_polars(X), y.to_numpy(), cv=2, error_score="raise"
    )
    np.testing.assert_allclose(found, expected)
    assert found.min() > 0.3


def test_column_transformer_that_puts_out_polars(patients):
    X, X_test, y, y_test = train_test_split(*patients, random_state=0)
    transformer = ColumnTransformer(
        [("sex", OneHotEncoder(sparse_output=False), ["sex"])],
        remainder=StandardScaler(),
    ).set_output(transform="polars")
    model = make_pipeline(transformer, quick_regressor())
    model.fit(in_polars(X), y.to_numpy())
    assert list(model[-1].feature_names_in_[:2]) == ["sex__sex_one", "sex__sex_two"]
    assert model.score(in_polars(X_test), y_test.to_numpy()) > 0.25


def test_labels_of_a_polars_series_come_back():
    X, y = load_iris(return_X_y=True, as_frame=True)
    labels = polars.Series(["setosa", "versicolor", "virginica"])[y.to_list()]
    model = quick_classifier().fit(in_polars(X), labels)
    assert list(model.classes_) == ["setosa", "versicolor", "virginica"]
    assert np.mean(model.predict(in_polars(X)) == labels.to_numpy()) > 0.9
