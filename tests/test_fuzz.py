"""Tables that nobody would write by hand: fit works, or an error says what to do."""

import copy
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, Phase, given, reject, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from sk_meta import MetaLearnerEstimator  # noqa: E402

# Words that the errors of bad input have; anything else is a crash.
KNOWN_ERRORS = (
    "Input y contains infinity", "Input y contains NaN", "Sparse X holds infinity",
    "mixes types", "minimum of 2 is required", "can't score",
    "Unknown label type", "Feature names are only supported", "single test row",
)  # fmt: skip
MOST_WARNINGS = 3
outcomes: Counter[tuple[str, str]] = Counter()  # by library

numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-10, 10),
    st.integers(-3, 3),
    st.integers(-(2**62), 2**62),
)
words = st.one_of(
    st.sampled_from(["a", "b", "c", "", " ", "nan", "None", "1", "1,5", "12 %", "é"]),
    st.text(max_size=12),
)
cells = {
    "numbers": numbers,
    "small": st.integers(0, 2),
    "constant": st.just(7),
    "missing": st.none(),
    "truth": st.one_of(st.booleans(), st.none()),
    "words": words,
    "dates": st.datetimes(
        min_value=pd.Timestamp("1800-01-01"), max_value=pd.Timestamp("2200-01-01")
    ),
    "any dates": st.dates(),
    "date texts": st.dates().map(str),
    "durations": st.timedeltas(
        min_value=pd.Timedelta(-1000, "D"), max_value=pd.Timedelta(1000, "D")
    ),
    "number texts": st.integers(0, 10**6).map("{:,}".format),
    "mixture": st.one_of(numbers, words, st.none(), st.booleans()),
    "lists": st.lists(st.integers(0, 2), max_size=2),
}
dtypes = st.sampled_from([None, object, "category", "string"])


@st.composite
def columns(draw, n_rows):
    kind = draw(st.sampled_from(sorted(cells)))
    values = draw(st.lists(cells[kind], min_size=n_rows, max_size=n_rows))
    series = pd.Series(values, dtype=object if kind == "lists" else None)
    dtype = draw(dtypes)
    if dtype is None or kind == "lists":
        return series
    if dtype == "string":
        return series.astype(str).astype("string")
    return series.astype(dtype)


targets = st.sampled_from(["small", "numbers", "words", "truth", "constant", "mixture"])


@st.composite
def tables(draw):
    n_rows = draw(st.integers(1, 40))
    names = draw(st.lists(st.one_of(st.text(max_size=5), st.integers(0, 3)), min_size=1,
                          max_size=5))  # fmt: skip
    frame = pd.concat([draw(columns(n_rows)) for _ in names], axis=1)
    frame.columns = pd.Index(names, dtype=object)
    kind = draw(targets)
    y = draw(st.lists(cells[kind], min_size=n_rows, max_size=n_rows))
    if draw(st.booleans()):
        # Repeated, so that there is something to learn from.
        frame = pd.concat([frame] * 3, ignore_index=True)
        y = y * 3
    return frame, y


def examples(count):
    """So many, the same ones every time."""
    return settings(
        max_examples=count, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes
    )  # fmt: skip


def fitted(X, y):
    """The fitted model; None if it refused in known words."""
    library = type(X).__module__.split(".")[0]
    model = MetaLearnerEstimator(
        n_candidates=2, cv=2, candidates=["linear", "decision tree", "hist-gb-fast"],
        random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(X, y)
        except (TypeError, ValueError) as error:
            assert any(words in str(error) for words in KNOWN_ERRORS), error
            outcomes[library, "refused"] += 1
            return None
    outcomes[library, "fitted"] += 1
    assert len(caught) <= MOST_WARNINGS, [str(one.message) for one in caught]
    return model


def check_predictions(model, X, n_rows, most_warnings=MOST_WARNINGS):
    """As many as there are rows, of the classes that were seen, and finite."""
    classification = model.task_ == "classification"
    predict = [model.predict, *([model.predict_proba] if classification else [])]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        predictions, *probabilities = [method(X) for method in predict]
    assert len(predictions) == n_rows
    if classification:
        assert set(predictions) <= set(model.classes_)
        assert np.isfinite(probabilities).all()
    else:
        assert np.isfinite(predictions).all()
    told = [str(one.message) for one in caught]
    assert len(told) <= most_warnings * len(predict), told


@examples(50)
@given(tables())
def test_any_table_is_learned_from_or_refused_in_known_words(table):
    frame, y = table
    before = frame.copy(deep=True)
    if (model := fitted(frame, y)) is not None:
        check_predictions(model, frame, len(y))
    pd.testing.assert_frame_equal(frame, before)


dtypes_of_arrays = {
    "float64": numbers.map(float),
    "float32": st.floats(width=32),
    "int64": st.integers(-3, 3),
    "bool": st.booleans(),
    "object": st.one_of(numbers, words, st.none(), st.booleans()),
}


@st.composite
def arrays(draw, dtypes):
    shape = draw(st.integers(1, 40)), draw(st.integers(1, 5))
    dtype, n_cells = draw(st.sampled_from(dtypes)), shape[0] * shape[1]
    array = np.empty(n_cells, dtype=dtype)
    array[:] = draw(
        st.lists(dtypes_of_arrays[dtype], min_size=n_cells, max_size=n_cells)
    )
    return array.reshape(shape)


@pytest.mark.parametrize("kind", ["dense", "csr_array", "csc_matrix"])
@examples(15)
@given(data=st.data())
def test_any_array_is_learned_from_or_refused_in_known_words(kind, data):
    dtypes = sorted(dtypes_of_arrays) if kind == "dense" else ["float32", "float64"]
    X = data.draw(arrays(dtypes))
    X = X if kind == "dense" else getattr(sparse, kind)(X)
    cell = cells[data.draw(targets)]
    y = data.draw(st.lists(cell, min_size=X.shape[0], max_size=X.shape[0]))
    before = copy.deepcopy(X)
    if (model := fitted(X, y)) is not None:
        check_predictions(model, X, len(y))
    dense = [x.toarray() if sparse.issparse(x) else x for x in (X, before)]
    assert pd.DataFrame(dense[0]).equals(pd.DataFrame(dense[1]))


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
@examples(15)
@given(table=tables())
def test_any_frame_of_another_library_is_learned_from_or_refused(library, table):
    frame, y = table
    frame.columns = [f"column {i}" for i in range(frame.shape[1])]
    try:
        other = as_frame_of[library](frame)
    except Exception:  # not a table that it can hold; another one is made
        reject()
    if (model := fitted(other, y)) is not None:
        check_predictions(model, other, len(y))


def of_polars(frame):
    return pytest.importorskip("polars").from_pandas(frame)


def of_pyarrow(frame):
    return pytest.importorskip("pyarrow").Table.from_pandas(frame)


as_frame_of = {"polars": of_polars, "pyarrow": of_pyarrow}

CHANGES = {
    "fewer columns": lambda X: X.iloc[:, 1:],
    "one column more": lambda X: X.assign(new=1.0),
    "another order": lambda X: X.iloc[:, ::-1],
    "texts": lambda X: X.astype(str),
    "objects": lambda X: X.astype(object),
    "missing values": lambda X: X.where(np.arange(X.size).reshape(X.shape) % 2 == 0),
    "all missing": lambda X: pd.DataFrame(np.nan, X.index, X.columns),
    "other values": lambda X: pd.DataFrame("unseen", X.index, X.columns),
    "zeros": lambda X: pd.DataFrame(0, X.index, X.columns),
    "one row": lambda X: X.iloc[:1],
    "an array": lambda X: X.to_numpy(dtype=object),
}
OTHER_COLUMNS = ("fewer columns", "one column more", "another order")
# Words that the errors of a changed table have.
KNOWN_CHANGES = (
    "feature names should match", "is expecting", "in fit and holds",
    "minimum of 1 is required",
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@examples(8)
@given(table=tables())
def test_a_changed_table_is_predicted_or_refused_in_known_words(change, table):
    frame, y = table
    frame.columns = [f"column {i}" for i in range(frame.shape[1])]
    if (model := fitted(frame, y)) is None:
        return
    changed = CHANGES[change](frame)
    others = list(changed) != list(frame) if change in OTHER_COLUMNS else False
    try:
        # One for every column that is written otherwise.
        most = MOST_WARNINGS + frame.shape[1]
        check_predictions(model, changed, len(changed), most)
    except (TypeError, ValueError) as error:
        assert any(words in str(error) for words in KNOWN_CHANGES), error
    else:
        assert not others, "scikit-learn refuses such tables"


def test_many_of_these_tables_were_learned_from():
    if not outcomes:
        pytest.skip("the tests before this one were not run")
    for library in {library for library, _ in outcomes}:
        fitted, refused = (outcomes[library, how] for how in ("fitted", "refused"))
        assert fitted > refused / 3, outcomes
