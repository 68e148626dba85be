"""What is refused, in which words, and how the folds are made."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.model_selection import GroupKFold, KFold, PredefinedSplit

from sk_meta._splits import make_splits
from sk_meta._table import describe_table, describe_target
from sk_meta._validation import check_X, check_y


class Empty(BaseEstimator):
    """Something to hang the attributes of the table on."""


def table(n_rows):
    return np.arange(2.0 * n_rows).reshape(n_rows, 2)


def splits_of(y, cv=None, task="auto", seed=0):
    y = np.asarray(y)
    return make_splits(cv, table(len(y)), y, describe_target(y, task), seed)


def test_frame_is_kept_as_it_is(messy):
    estimator = Empty()
    X = check_X(estimator, messy, reset=True)
    assert X is messy
    assert estimator.n_features_in_ == messy.shape[1]
    assert list(estimator.feature_names_in_) == list(messy.columns)


def test_frame_with_other_columns_is_refused(messy):
    estimator = Empty()
    check_X(estimator, messy, reset=True)
    with pytest.raises(ValueError, match="feature names"):
        check_X(estimator, messy[messy.columns[::-1]], reset=False)
    with pytest.raises(ValueError, match="feature"):
        check_X(estimator, messy.drop(columns="date"), reset=False)


def test_array_with_other_width_is_refused():
    estimator = Empty()
    check_X(estimator, np.zeros((3, 2)), reset=True)
    with pytest.raises(ValueError, match="3 features, but Empty is expecting 2"):
        check_X(estimator, np.zeros((3, 3)), reset=False)


def test_array_after_a_frame_gets_the_names_of_the_frame():
    estimator = Empty()
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    check_X(estimator, frame, reset=True)
    described = describe_table(frame)
    estimator.columns_ = described.to_frame()
    estimator.container_ = described.container
    with pytest.warns(UserWarning, match="valid feature names"):
        X = check_X(estimator, frame.to_numpy(), reset=False)
    pd.testing.assert_frame_equal(X, frame)


def test_numbers_that_come_as_text_are_numbers_again():
    estimator = Empty()
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    check_X(estimator, frame, reset=True)
    described = describe_table(frame)
    estimator.columns_ = described.to_frame()
    estimator.container_ = described.container
    X = check_X(estimator, frame.astype(str), reset=False)
    pd.testing.assert_frame_equal(X, frame)
    missing = pd.DataFrame({"a": [None, None], "b": ["x", "y"]}, dtype=object)
    assert check_X(estimator, missing, reset=False)["a"].dtype == float
    with pytest.raises(ValueError, match="Column 'a' of X held numbers in fit"):
        check_X(estimator, frame.assign(a=["1", "two"]), reset=False)


def test_missing_and_infinite_cells_are_accepted():
    X = check_X(Empty(), np.array([[np.nan, 1.0], [np.inf, 2.0]]), reset=True)
    assert np.isnan(X[0, 0]) and np.isinf(X[1, 0])


def test_sparse_tables_become_csr():
    X = check_X(Empty(), sparse.coo_array(np.eye(3)), reset=True)
    assert X.format == "csr"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_array_is_not_copied(dtype):
    estimator, X = Empty(), np.ones((4, 2), dtype)
    assert np.shares_memory(check_X(estimator, X, reset=True), X)
    estimator.container_ = "array"
    assert check_X(estimator, X, reset=False).dtype == dtype
    assert np.shares_memory(check_X(estimator, X, reset=False), X)


@pytest.mark.parametrize("dtype", ["int64", "uint8", ">f8", ">f4", ">i4"])
def test_an_array_of_another_type_is_one_of_floats(dtype):
    estimator, X = Empty(), np.array([[1, 2], [3, 2**53]]).astype(dtype)
    found = check_X(estimator, X, reset=True)
    assert found.dtype.isnative and found.dtype == X.dtype.newbyteorder("=")
    estimator.container_ = "array"
    found = check_X(estimator, X, reset=False)
    assert found.dtype.isnative and found.dtype.kind == "f"
    np.testing.assert_array_equal(found, X)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_infinities_of_new_arrays_are_missing_and_what_is_huge_is_cut(dtype, recwarn):
    estimator, X = Empty(), np.array([[1, np.nan], [np.inf, 2], [-np.inf, 3]], dtype)
    estimator.container_ = "array"
    estimator.n_features_in_ = 2
    found = check_X(estimator, X, reset=False)
    assert np.isinf(X).sum() == 2 and found.dtype == dtype
    np.testing.assert_array_equal(
        found, np.array([[1, np.nan], [np.nan, 2], [np.nan, 3]], dtype)
    )
    if dtype != "float16":
        huge = check_X(estimator, np.array([[1e35, -1e35]], dtype), reset=False)
        np.testing.assert_allclose(huge, [[1e30, -1e30]])
    assert not recwarn.list


@pytest.mark.parametrize("shape", [(0, 2), (2, 0)])
def test_empty_frame_is_refused_with_its_shape(shape):
    frame = pd.DataFrame(np.zeros(shape))
    with pytest.raises(ValueError, match=r"shape=\(.*X is empty"):
        check_X(Empty(), frame, reset=True)


@pytest.mark.parametrize("shape", [(0, 2), (2, 0)])
def test_empty_array_is_refused(shape):
    with pytest.raises(ValueError, match="minimum of 1 is required"):
        check_X(Empty(), np.zeros(shape), reset=True)


@pytest.mark.parametrize("X", [np.zeros(5), pd.Series([1.0, 2.0]), np.zeros((2, 2, 2))])
def test_table_must_have_two_dimensions(X):
    with pytest.raises(ValueError, match="2D array|2-dimensional|dim 3"):
        check_X(Empty(), X, reset=True)


def test_absent_target_is_refused():
    with pytest.raises(ValueError, match="y is None. Pass the column"):
        check_y(table(3), None, "auto")


def test_target_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[3, 4\]"):
        check_y(table(3), [0, 1, 0, 1], "auto")


def test_one_row_is_refused():
    with pytest.raises(ValueError, match="1 sample can't be split"):
        check_y(table(1), [1], "auto")


@pytest.mark.parametrize(
    "y",
    [
        [1.0, np.nan, 2.0, np.nan],
        pd.Series([1, None, 2, None], dtype="Int64"),
        np.array(["a", None, "b", np.nan], dtype=object),
        pd.Series(["a", None, "b", None], dtype="string"),
        pd.Series(["a", None, "b", None], dtype="category"),
    ],
)
def test_missing_targets_are_refused_with_their_number(y):
    with pytest.raises(ValueError, match="y contains NaN: 2 of 4 values are missing"):
        check_y(table(4), y, "auto")


@pytest.mark.parametrize("dtype", [float, np.float32, object])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_targets_are_refused(value, dtype):
    y = np.array([1.5, value, 2.5], dtype=dtype)
    with pytest.raises(ValueError, match="infinity"):
        check_y(table(3), y, "regression")


@pytest.mark.parametrize("shape", [(6,), (3, 2)])
def test_targets_whose_squares_are_infinite_are_refused(shape):
    y = np.array([1.5, 2.5, -1.7e308, 3.5, 4.5, 5.5]).reshape(shape)
    with pytest.raises(ValueError, match="must be below 1e[+]150"):
        check_y(table(len(y)), y, "auto")


def test_regression_on_words_is_refused_with_advice():
    with pytest.raises(ValueError, match="task='regression' needs a numeric y"):
        check_y(table(3), ["low", "mid", "high"], "regression")


def test_classification_of_fractions_is_refused():
    with pytest.raises(ValueError, match="Unknown label type"):
        check_y(table(3), [0.5, 1.25, 2.75], "classification")


def test_fractions_in_an_object_array_never_become_labels():
    y = np.random.RandomState(0).normal(size=30).astype(object)
    try:
        task = describe_target(check_y(table(30), y, "auto")).task
    except ValueError:
        task = "refused"
    assert task != "classification"


@pytest.mark.parametrize("task", ["auto", "classification"])
def test_labels_of_mixed_types_are_refused_with_advice(task):
    y = np.array(["a", 1, "b", 2], dtype=object)
    with pytest.raises(ValueError, match=r"y\.astype\(str\)"):
        describe_target(check_y(table(4), y, task), task)


def test_target_as_one_column_is_taken_with_a_warning():
    with pytest.warns(UserWarning, match="column-vector"):
        y = check_y(table(3), [[1.0], [2.0], [3.0]], "regression")
    assert y.shape == (3,)


@pytest.mark.parametrize("dtype", ["string", "category", object])
def test_labels_become_an_array_of_strings(dtype):
    y = check_y(table(4), pd.Series(list("abab"), dtype=dtype), "auto")
    assert y.dtype.kind == "U"
    assert list(y) == list("abab")


@pytest.mark.parametrize("dtype", ["Int64", "Float64"])
def test_nullable_targets_become_plain_numbers(dtype):
    y = check_y(table(4), pd.Series([1, 2, 1, 2], dtype=dtype), "auto")
    assert y.dtype.kind in "if"
    assert list(y) == [1, 2, 1, 2]


def test_booleans_stay_labels():
    y = check_y(table(4), [True, False, True, True], "auto")
    assert describe_target(y).n_classes == 2


def test_integers_become_floats_for_regression():
    assert check_y(table(3), [1, 2, 3], "regression").dtype == float


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_five_shuffled_folds_that_leave_every_row_out_once(task):
    y = np.arange(53) % 3
    splits = splits_of(y, task=task)
    assert len(splits) == 5
    out = np.concatenate([test for _, test in splits])
    assert sorted(out) == list(range(53))
    assert all(len(np.intersect1d(train, test)) == 0 for train, test in splits)
    assert any((np.diff(test) > 1).any() for _, test in splits)


def test_folds_are_stratified():
    y = np.repeat(["a", "b"], [50, 10])
    assert [int((y[test] == "b").sum()) for _, test in splits_of(y)] == [2] * 5


def test_folds_depend_on_the_seed_only():
    y = np.arange(40) % 2
    same = [np.concatenate([t for _, t in splits_of(y, seed=s)]) for s in (1, 1, 2)]
    np.testing.assert_array_equal(same[0], same[1])
    assert (same[0] != same[2]).any()


@pytest.mark.parametrize("cv", [2, 3, np.int64(4)])
def test_a_number_of_folds(cv):
    assert len(splits_of(np.arange(40) % 2, cv)) == cv


def test_own_splitter_is_used_as_it_is():
    y = np.arange(12) % 2
    splits = splits_of(y, KFold(3))
    expected = list(KFold(3).split(y))
    for (train, test), (other_train, other_test) in zip(splits, expected, strict=True):
        np.testing.assert_array_equal(train, other_train)
        np.testing.assert_array_equal(test, other_test)


def test_own_iterable_of_splits_is_used_as_it_is():
    y = np.arange(12) % 2
    groups = np.repeat([0, 1, 2], 4)
    own = list(GroupKFold(3).split(y, groups=groups))
    assert len(splits_of(y, iter(own))) == 3
    for train, test in splits_of(y, own):
        assert not set(groups[train]) & set(groups[test])


def test_rows_that_a_splitter_never_leaves_out_stay_in_training():
    splits = splits_of(np.arange(6) % 2, PredefinedSplit([-1, -1, 0, 0, 1, 1]))
    assert [list(test) for _, test in splits] == [[2, 3], [4, 5]]


@pytest.mark.parametrize(("n_rows", "n_splits"), [(3, 2), (7, 3), (10, 5), (99, 5)])
def test_every_fold_has_two_rows_where_it_can(n_rows, n_splits):
    splits = splits_of(np.arange(n_rows) + 0.5, task="regression")
    assert len(splits) == n_splits


def test_a_splitter_that_yields_nothing_is_refused():
    used_up = (split for split in ())
    with pytest.raises(ValueError, match="yields no split"):
        splits_of(np.arange(6) % 2, used_up)


def test_enough_members_warn_of_nothing(recwarn):
    splits_of(np.repeat(["a", "b"], [50, 5]))
    assert len(recwarn) == 0


def test_fewer_folds_for_a_rare_class_are_said_with_name_and_number():
    y = np.repeat(["common", "rare"], [50, 3])
    with pytest.warns(UserWarning, match="Class 'rare' has 3 member.*3 folds") as seen:
        splits = splits_of(y)
    assert len(seen) == 1
    assert len(splits) == 3
    assert all((y[test] == "rare").sum() == 1 for _, test in splits)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_class_of_one_is_trained_on_and_never_scored():
    y = np.repeat(["a", "b", "once"], [30, 20, 1])
    splits = splits_of(y)
    assert len(splits) == 5
    assert all(50 in train and 50 not in test for train, test in splits)


def test_a_class_of_one_is_named_in_the_warning():
    y = np.repeat(["a", "once"], [30, 1])
    with pytest.warns(UserWarning, match="one member are trained on.*'once'"):
        splits_of(y)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "counts", [[20, 1, 1, 1], [5, 3, 1], [2, 1], [2, 2, 1], [3, 1, 1, 1, 1, 1]]
)
def test_no_row_is_lost_between_training_and_test(counts):
    y = np.repeat([f"c{i}" for i in range(len(counts))], counts)
    singletons = [i for i, label in enumerate(y) if (y == label).sum() == 1]
    splits = splits_of(y)
    assert splits
    for train, test in splits:
        assert sorted([*train, *test]) == list(range(len(y)))
        assert len(test) > 0
        assert set(singletons) <= set(train)
    out = np.concatenate([test for _, test in splits])
    assert sorted([*out, *singletons]) == list(range(len(y)))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_labels_that_all_differ_can_still_be_split():
    splits = splits_of(["a", "b", "c", "d", "e", "f"])
    assert len(splits) >= 2
    assert all(len(train) and len(test) for train, test in splits)


def test_a_single_class_can_be_split():
    assert len(splits_of(["only"] * 10)) == 5
