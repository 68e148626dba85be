"""As a part of scikit-learn's and imbalanced-learn's composed estimators."""

import numpy as np
import pytest
from quick import quick_classifier, quick_regressor
from sklearn.base import clone
from sklearn.compose import (
    ColumnTransformer,
    TransformedTargetRegressor,
    make_column_selector,
)
from sklearn.datasets import load_diabetes, load_linnerud
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PowerTransformer, StandardScaler


def split(X, y, **options):
    return train_test_split(X, y, random_state=0, **options)


def test_pipeline_forwards_classes_names_and_scores(cancer):
    X, X_test, y, y_test = split(*cancer)
    model = make_pipeline(StandardScaler(), PCA(5), quick_classifier()).fit(X, y)
    assert model.score(X_test, y_test) > 0.9
    np.testing.assert_array_equal(model.classes_, [0, 1])
    assert model[-1].n_features_in_ == 5
    assert model.score(X_test, y_test) == np.mean(model.predict(X_test) == y_test)


def test_column_transformer_hands_its_columns_on():
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X["sex"] = X["sex"].map({1.0: "one", 2.0: "two"}).astype("category")
    X, X_test, y, y_test = split(X, y)
    transformer = ColumnTransformer(
        [
            ("numbers", StandardScaler(), make_column_selector(dtype_include="number")),
            ("sex", OneHotEncoder(sparse_output=False), ["sex"]),
        ],
    ).set_output(transform="pandas")
    model = make_pipeline(transformer, quick_regressor()).fit(X, y)
    assert model.score(X_test, y_test) > 0.25
    names = list(transformer.get_feature_names_out())
    assert list(model[-1].feature_names_in_) == names
    assert len(names) == 11
    # The transformed columns hold the same as the raw ones.
    alone = quick_regressor().fit(X, y)
    assert alone.score(X_test, y_test) == pytest.approx(
        model.score(X_test, y_test), abs=0.05
    )


def test_feature_union_hands_its_columns_on(iris):
    X, X_test, y, y_test = split(*iris)
    union = FeatureUnion([("parts", PCA(2)), ("best", SelectKBest(f_classif, k=1))])
    model = make_pipeline(union, quick_classifier()).fit(X, y)
    assert model[-1].n_features_in_ == 3
    assert model.score(X_test, y_test) > 0.85


def test_pandas_output_gives_it_the_names_and_leaves_predictions_alone(cancer):
    X, y = cancer
    plain = make_pipeline(StandardScaler(), quick_classifier()).fit(X, y)
    named = clone(plain).set_output(transform="pandas").fit(X, y)
    assert list(named[-1].feature_names_in_[:2]) == ["x0", "x1"]
    assert not hasattr(plain[-1], "feature_names_in_")
    np.testing.assert_array_equal(named.predict(X), plain.predict(X))
    assert isinstance(named.predict_proba(X), np.ndarray)


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_votes_with_other_classifiers(iris, voting):
    X, X_test, y, y_test = split(*iris)
    members = [("meta", quick_classifier()), ("dummy", DummyClassifier())]
    weighted = VotingClassifier(members, voting=voting, weights=[1, 0]).fit(X, y)
    alone = quick_classifier().fit(X, y)
    np.testing.assert_array_equal(weighted.predict(X_test), alone.predict(X_test))
    members = [("meta", quick_classifier()), ("knn", KNeighborsClassifier())]
    model = VotingClassifier(members, voting=voting).fit(X, y)
    assert model.score(X_test, y_test) > 0.9


def test_votes_with_other_regressors(diabetes):
    X, X_test, y, y_test = split(*diabetes)
    members = [("meta", quick_regressor()), ("mean", DummyRegressor())]
    model = VotingRegressor(members).fit(X, y)
    expected = (quick_regressor().fit(X, y).predict(X_test) + y.mean()) / 2
    np.testing.assert_allclose(model.predict(X_test), expected)


def test_stacks_with_other_classifiers(cancer):
    X, X_test, y, y_test = split(*cancer)
    members = [("meta", quick_classifier()), ("dummy", DummyClassifier())]
    model = StackingClassifier(members, LogisticRegression(), cv=2).fit(X, y)
    assert model.score(X_test, y_test) > 0.9
    assert model.stack_method_ == ["predict_proba", "predict_proba"]
    from_meta, from_dummy = model.final_estimator_.coef_[0]
    assert from_meta > 1 > abs(from_dummy)


def test_stacks_with_other_regressors(diabetes):
    X, X_test, y, y_test = split(*diabetes)
    members = [("meta", quick_regressor()), ("knn", KNeighborsRegressor())]
    model = StackingRegressor(members, LinearRegression(), cv=2).fit(X, y)
    assert model.score(X_test, y_test) > 0.25
    assert model.final_estimator_.coef_[0] > 0.3


def test_target_is_transformed_and_back(diabetes):
    X, X_test, y, y_test = split(*diabetes)
    model = TransformedTargetRegressor(
        quick_regressor(), func=np.log, inverse_func=np.exp
    ).fit(X, y)
    assert model.score(X_test, y_test) > 0.2
    assert model.regressor_.predict(X_test).max() < np.log(y.max() * 2)
    model.set_params(func=None, inverse_func=None, transformer=PowerTransformer())
    assert model.fit(X, y).score(X_test, y_test) > 0.2


def test_one_regressor_per_output():
    X, Y = load_linnerud(return_X_y=True)
    model = MultiOutputRegressor(quick_regressor()).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    alone = quick_regressor().fit(X, Y[:, 1])
    np.testing.assert_array_equal(model.predict(X)[:, 1], alone.predict(X))


def test_one_classifier_per_output(iris):
    X, y = iris
    Y = np.column_stack([y, np.where(X[:, 0] > 5.8, "long", "short")])
    X, X_test, Y, Y_test = split(X, Y)
    model = MultiOutputClassifier(quick_classifier()).fit(X, Y)
    assert [list(classes) for classes in model.classes_] == [
        ["setosa", "versicolor", "virginica"], ["long", "short"]
    ]
    assert [p.shape[1] for p in model.predict_proba(X_test)] == [3, 2]
    assert (model.predict(X_test) == Y_test).mean(axis=0).min() > 0.85


def test_one_classifier_per_class(iris):
    X, X_test, y, y_test = split(*iris)
    model = OneVsRestClassifier(quick_classifier(n_candidates=4)).fit(X, y)
    assert len(model.estimators_) == 3
    assert model.score(X_test, y_test) > 0.85
    np.testing.assert_allclose(model.predict_proba(X_test).sum(axis=1), 1)


def test_frozen_is_not_fitted_again(iris):
    X, y = iris
    fitted = quick_classifier().fit(X, y)
    frozen = clone(FrozenEstimator(fitted)).fit(X[:4], ["other"] * 4)
    np.testing.assert_array_equal(frozen.predict(X), fitted.predict(X))
    members = [("meta", frozen), ("dummy", DummyClassifier())]
    vote = VotingClassifier(members, voting="soft", weights=[1, 0]).fit(X, y)
    assert vote.named_estimators_["meta"].estimator is fitted


def test_diagram_shows_parameters_that_are_not_the_default():
    model = make_pipeline(StandardScaler(), quick_classifier())
    html = model._repr_html_()
    assert "MetaLearnerClassifier" in html and "n_candidates" in html
    assert "not fitted" in html.lower()
    assert repr(quick_classifier(candidates=None, n_candidates=7)) == (
        "MetaLearnerClassifier(cv=2, n_candidates=7, random_state=0)"
    )


def test_diagram_tells_that_it_is_fitted(iris):
    html = quick_classifier().fit(*iris)._repr_html_()
    assert "<span>Fitted</span>" in html


def test_rare_class_is_found_after_oversampling(cancer):
    pytest.importorskip("imblearn")
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import make_pipeline as make_sampling_pipeline

    X, y = cancer
    # A tenth of the malignant ones is left, and three noisy columns to go by.
    rows = np.flatnonzero((y == 1) | (np.arange(len(y)) % 10 == 0))
    X, X_test, y, y_test = split(X[rows, :3], 1 - y[rows], stratify=y[rows])
    shallow = quick_classifier(candidates=["logistic-C1"])
    plain = clone(shallow).fit(X, y)
    model = make_sampling_pipeline(SMOTE(random_state=0, k_neighbors=2), shallow)
    model.fit(X, y)
    found = recall_score(y_test, model.predict(X_test))
    assert found > recall_score(y_test, plain.predict(X_test))
    assert cross_val_score(model, X, y, cv=2, scoring="roc_auc").min() > 0.7


def test_imbalanced_learn_pipeline_as_an_own_candidate(cancer):
    pytest.importorskip("imblearn")
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import make_pipeline as make_sampling_pipeline

    X, y = cancer
    own = make_sampling_pipeline(
        SMOTE(random_state=0), StandardScaler(), LogisticRegression()
    )
    model = quick_classifier(candidates=[("oversampled", own)], ensemble_size=1)
    model.fit(X, y)
    assert type(model.best_estimator_[-1]) is type(own)
    assert model.best_score_ > 0.9
