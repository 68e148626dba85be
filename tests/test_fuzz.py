"""Tables that nobody would write by hand: fit works, or an error says what to do."""

import warnings

import numpy as np
import pandas as pd
import pytest

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from sk_meta import MetaLearnerEstimator  # noqa: E402

# Words that the errors of bad input have; anything else is a crash.
KNOWN_ERRORS = (
    "infinity", "NaN", "mixes types", "minimum of 2 is required", "can't score",
    "Unknown label type", "Feature names are only supported",
)  # fmt: skip
MOST_WARNINGS = 3

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


@settings(
    max_examples=50, deadline=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes
)  # fmt: skip
@given(tables())
def test_any_table_is_learned_from_or_refused_in_known_words(table):
    frame, y = table
    before = frame.copy(deep=True)
    model = MetaLearnerEstimator(
        n_candidates=2, cv=2, candidates=["linear", "decision tree", "hist-gb-fast"],
        random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(frame, y)
        except (TypeError, ValueError) as error:
            assert any(words in str(error) for words in KNOWN_ERRORS), error
            return
        predictions = model.predict(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert len(predictions) == len(y)
    if model.task_ == "classification":
        assert set(predictions) <= set(model.classes_)
        assert np.isfinite(model.predict_proba(frame)).all()
    else:
        assert np.isfinite(predictions).all()
    assert len(caught) <= MOST_WARNINGS, [str(one.message) for one in caught]
