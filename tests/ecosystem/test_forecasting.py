"""Forecasts of a series by regression on its own past, with sktime."""

import numpy as np
import pytest
from quick import quick_classifier, quick_regressor

pytest.importorskip("sktime")

HORIZON = np.arange(1, 13)


@pytest.fixture(scope="module")
def passengers():
    """Logarithms of the monthly passengers, and those of the last year."""
    from sktime.datasets import load_airline

    series = np.log(load_airline())
    return series[:-12], series[-12:]


@pytest.mark.parametrize("strategy", ["recursive", "direct", "dirrec"])
def test_forecasts_beat_the_last_year_repeated(passengers, strategy):
    from sktime.forecasting.compose import make_reduction

    past, coming = passengers
    model = quick_regressor(candidates=["ridge"], n_candidates=1)
    forecaster = make_reduction(model, strategy=strategy, window_length=13)
    found = forecaster.fit(past, fh=HORIZON).predict()
    assert list(found.index) == list(coming.index)
    error = np.abs(found - coming).mean()
    assert error < np.abs(past[-12:].to_numpy() - coming).mean()


def test_cross_validated_forecasts(passengers):
    from sktime.forecasting.compose import make_reduction
    from sktime.forecasting.model_evaluation import evaluate
    from sktime.split import ExpandingWindowSplitter

    past, _ = passengers
    forecaster = make_reduction(quick_regressor(candidates=["ridge"]), window_length=13)
    folds = ExpandingWindowSplitter(HORIZON, initial_window=96, step_length=12)
    results = evaluate(forecaster, folds, past, error_score="raise")
    errors = results["test_MeanAbsolutePercentageError"]
    assert len(errors) == 3
    assert errors.max() < 0.03


def test_sktime_knows_what_kind_of_estimator_it_is():
    from sktime.utils.sklearn import sklearn_scitype

    assert sklearn_scitype(quick_regressor()) == "regressor"
    assert sklearn_scitype(quick_classifier()) == "classifier"
