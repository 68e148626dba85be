"""What is recorded of a search: every result, and how it moved the belief."""

import pickle
from copy import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit
from sklearn.tree import DecisionTreeClassifier

from sk_meta import MetaLearnerClassifier, MetaLearnerRegressor
from sk_meta._memory import begin_peak
from sk_meta._record import FROM_CHECKPOINT
from sk_meta._summary import why_not_more

EVALUATIONS = [
    "configuration", "family", "split", "stage", "worker", "started", "ended", "score",
    "status", "error", "fit_seconds", "predict_seconds", "memory", "expected_score",
    "best_score",
]  # fmt: skip
LEADERBOARD = [
    "configuration", "family", "params", "mean_score", "sd_score", "n_folds",
    "repeated_score", "expected_score", "expected_rank", "fit_seconds",
    "predict_seconds", "expected_seconds", "memory", "weight", "elapsed", "status",
    "reason",
]  # fmt: skip
MEASURED = ["worker", "started", "ended", "fit_seconds", "predict_seconds", "memory"]
MIB, N_ROWS = 64, 150


def searched(n_jobs=None, **params):
    return MetaLearnerClassifier(
        n_candidates=5, candidates=["linear", "decision tree"], cv=3, random_state=0,
        n_jobs=n_jobs, **params,
    )  # fmt: skip


class Large(DecisionTreeClassifier):
    """A tree that holds much memory while it is fitted."""

    def fit(self, X, y, sample_weight=None):
        held = np.ones(MIB * 2**17)
        assert held.sum() > 0
        return super().fit(X, y, sample_weight)


class Broken(DecisionTreeClassifier):
    """A tree that can't be fitted."""

    def fit(self, X, y, sample_weight=None):
        raise RuntimeError("no")


@pytest.fixture(scope="module")
def fitted(cancer):
    return searched().fit(*cancer)


def test_columns_are_those_that_are_documented(fitted):
    assert list(fitted.evaluations_.columns) == EVALUATIONS
    assert list(fitted.leaderboard_.columns) == LEADERBOARD
    assert fitted.leaderboard_.index.name == "rank"
    documented = type(fitted).__doc__
    assert all(name in documented for name in [*EVALUATIONS, *LEADERBOARD])


def test_every_fold_that_was_run_has_a_row(fitted):
    rows, board = fitted.evaluations_, fitted.leaderboard_.set_index("configuration")
    counts = rows["configuration"].value_counts()
    pd.testing.assert_series_equal(
        counts.sort_index(),
        board.loc[counts.index, "n_folds"].astype(int).sort_index(),
        check_names=False,
    )
    assert not rows.duplicated(["configuration", "split"]).any()
    assert set(rows["stage"]) == {"folds"}


def test_scores_are_those_of_the_leaderboard(fitted):
    rows, board = fitted.evaluations_, fitted.leaderboard_.set_index("configuration")
    done = board.dropna(subset=["mean_score"])
    by_name = rows.groupby("configuration")
    mean = by_name["score"].mean()
    assert np.allclose(mean[done.index], done["mean_score"])
    memory = by_name["memory"].max()
    assert memory.equals(board.loc[memory.index, "memory"].rename_axis("configuration"))


def test_the_leaderboard_has_what_was_expected_before_the_search(fitted):
    board = fitted.leaderboard_.set_index("configuration")
    before = fitted.prior_ranking_.reset_index().set_index("configuration")
    assert board["repeated_score"].isna().all()  # there are rows enough
    board = board[board["n_folds"] > 0]
    before = before.loc[board.index]
    assert np.allclose(board["expected_score"], before["predicted_score"])
    assert np.allclose(board["expected_seconds"], before["predicted_seconds"])
    assert list(board["expected_rank"]) == list(before["rank"])
    # The fold rows say what was expected when the configuration was begun.
    begun = fitted.evaluations_.groupby("configuration")["expected_score"].first()
    assert begun.nunique() > 1
    assert not np.allclose(begun[board.index], board["expected_score"])


def test_on_few_rows_repeated_folds_decide_and_are_told(iris):
    model = MetaLearnerClassifier(
        candidates=["lda", "logistic-C1", "tree-depth3"], time_budget=60,
        scoring="neg_log_loss", random_state=0,
    ).fit(*iris)  # fmt: skip
    board = model.leaderboard_[model.leaderboard_["repeated_score"].notna()]
    assert len(board) == 3
    assert board.index.tolist() == [1, 2, 3]
    assert board["repeated_score"].is_monotonic_decreasing
    assert board["configuration"].iloc[0] == model.best_params_["configuration"]
    assert board["mean_score"].iloc[0] == model.best_score_
    told = model.evaluations_
    assert {"folds", "repeat"} <= set(told["stage"])
    first = told[told["configuration"] == board["configuration"].iloc[0]]
    first = first[first["stage"] != "restart"]  # by the first search it is told of
    n_all = len(first)
    n_repeats = (n_all - model.n_splits_) // model.n_splits_
    most = model.n_splits_ * (1 + n_repeats)
    repeated = board["repeated_score"].iloc[0]
    assert repeated == pytest.approx(first["score"][:most].mean())
    assert f"({repeated:.4g} with their repetitions" in model.summary()


def test_best_score_is_that_of_the_best_complete_one_so_far(fitted):
    best, scores = np.nan, {}
    for row in fitted.evaluations_.itertuples():
        known = scores.setdefault(row.configuration, [])
        known.append(row.score)
        if len(known) == fitted.n_splits_:
            best = np.fmax(best, np.mean(known))
        assert row.best_score == pytest.approx(best, nan_ok=True)
    assert best == pytest.approx(fitted.best_score_)


def test_a_worker_runs_one_fold_at_a_time(fitted, cancer):
    for model in (fitted, searched(n_jobs=2).fit(*cancer)):
        rows = model.evaluations_
        assert (rows["started"] >= 0).all()
        assert (rows["ended"] >= rows["started"]).all()
        assert rows["ended"].max() <= model.search_time_
        for _, part in rows.sort_values("started").groupby("worker"):
            before = part["ended"].shift().dropna()
            assert (part["started"].loc[before.index] >= before).all()
    assert set(rows["worker"]) <= {0, 1}
    # The record is the same for any number of jobs, measurements apart.
    pd.testing.assert_frame_equal(
        rows.drop(columns=MEASURED), fitted.evaluations_.drop(columns=MEASURED)
    )
    pd.testing.assert_frame_equal(model.beliefs_, fitted.beliefs_)


@pytest.mark.parametrize(
    ("step", "ranking"), [("min", "prior_ranking_"), ("max", "ranking_")]
)
def test_beliefs_go_from_the_prior_to_the_ranking(fitted, step, ranking):
    told = fitted.beliefs_["step"]
    assert told.min() == 0
    assert set(told) <= {0, *range(1, len(fitted.evaluations_) + 1)}
    part = fitted.beliefs_[told == told.agg(step)].set_index("configuration")
    table = getattr(fitted, ranking).set_index("configuration")
    judged = part.index.intersection(table.index[table["excluded"].isna()])
    assert len(judged) > 2
    part, table = part.loc[judged], table.loc[judged]
    for mine, known in [
        ("expected_score", "predicted_score"),
        ("low", "predicted_low"),
        ("high", "predicted_high"),
    ]:
        assert np.allclose(part[mine], table[known])
    head = fitted.leaderboard_["configuration"][: len(part)]
    assert set(part.index) <= set(head)


def test_a_result_narrows_the_belief_about_its_configuration(fitted):
    beliefs, rows = fitted.beliefs_, fitted.evaluations_
    width = (beliefs["high"] - beliefs["low"]).groupby(beliefs["configuration"])
    tried = rows["configuration"].unique()
    assert (width.last() < width.first())[tried].all()


@pytest.mark.skipif(np.isnan(begin_peak()), reason="the system does not tell")
def test_memory_is_what_a_fold_takes(iris):
    model = searched().set_params(candidates=["naive Bayes", ("large", Large())])
    memory = model.fit(*iris).leaderboard_.set_index("configuration")["memory"]
    assert memory["large"] > 0.9 * MIB
    assert memory.drop("large").max() < 0.5 * MIB


def test_a_failure_is_recorded(iris):
    candidates = ["naive Bayes", ("broken", Broken())]
    rows = searched().set_params(candidates=candidates).fit(*iris).evaluations_
    failed = rows[rows["configuration"] == "broken"]
    assert set(failed["status"]) == {"failed"}
    assert failed["error"].str.contains("RuntimeError: no").all()
    assert failed["score"].isna().all()


def test_what_a_checkpoint_knows_ran_nowhere(tmp_path, iris):
    first, again = (
        searched(checkpoint=tmp_path / "kept").fit(*iris).evaluations_ for _ in range(2)
    )
    assert set(again["worker"]) == {FROM_CHECKPOINT}
    assert (again["started"] == again["ended"]).all()
    times = ["worker", "started", "ended"]
    pd.testing.assert_frame_equal(again.drop(columns=times), first.drop(columns=times))


def test_an_unstored_metric_has_no_expected_score(diabetes):
    model = MetaLearnerRegressor(
        n_candidates=2, candidates="linear", cv=2, random_state=0,
        scoring="neg_max_error",
    )  # fmt: skip
    model.fit(*diabetes)
    assert model.evaluations_["expected_score"].isna().all()
    assert np.isfinite(model.beliefs_["expected_score"]).all()
    assert model.beliefs_.attrs["metric"] == model.metric_mapping_


def test_the_record_survives_pickling(fitted):
    loaded = pickle.loads(pickle.dumps(fitted))
    for name in ("evaluations_", "beliefs_", "findings_", "leaderboard_"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(fitted, name))
    assert loaded.beliefs_.attrs == fitted.beliefs_.attrs
    assert loaded.summary() == fitted.summary()


def test_the_summary_says_what_won_and_by_how_much(fitted, cancer):
    text = fitted.summary()
    done = fitted.leaderboard_.dropna(subset=["mean_score"])
    assert f"{len(fitted.leaderboard_.query('n_folds > 0'))} configurations" in text
    assert done["configuration"].iloc[0] in text
    assert fitted.stop_reason_ in text
    gap = done["mean_score"].iloc[0] - fitted.dummy_score_
    assert f"{gap:.2g} more than a constant prediction" in text
    # The constant prediction is the larger class.
    assert fitted.dummy_score_ == pytest.approx(np.mean(cancer[1]), abs=0.005)
    assert "\n" not in text


def test_the_summary_says_what_would_need_a_package():
    reasons = pd.Series(
        ["needs the package xgboost, which is not installed"] * 2
        + ["needs the package catboost, which is not installed", "needs a dense table"]
    )
    text = why_not_more(reasons)
    assert text.startswith("3 more need what is not installed (catboost, xgboost: pip")
    assert text.endswith("; 1 more can't be used on this table")
    assert why_not_more(reasons[3:]) == "1 more can't be used on this table"
    own = pd.Series(["needs the package torch.nn, which is not installed"])
    assert why_not_more(own) == "1 more needs what is not installed (torch.nn)"


def test_the_summary_names_own_candidates_that_were_not_tried(iris):
    own = [("worst", DummyClassifier()), ("tree", DecisionTreeClassifier())]
    model = MetaLearnerClassifier(
        candidates=["linear", *own], n_candidates=1, cv=3, random_state=0
    ).fit(*iris)
    tried = set(model.leaderboard_["configuration"])
    left = [name for name, _ in own if name not in tried]
    assert left
    assert f"Of your own, {', '.join(left)} w" in model.summary()


def test_the_summary_of_nothing_says_so(iris):
    model = searched().set_params(candidates=[("broken", Broken())], cv=2)
    with pytest.warns(UserWarning):
        model.fit(*iris)
    assert "predictions are constant" in model.summary()


class NotOnAll(LogisticRegression):
    """Can't be fitted on all rows."""

    def fit(self, X, y):
        if len(X) == N_ROWS:
            raise ValueError("all rows")
        return super().fit(X, y)


def test_the_summary_names_what_predicts_and_not_what_was_lost(iris):
    candidates = [("lost", NotOnAll()), "dummy"]
    model = searched().set_params(candidates=candidates, cv=3, ensemble_size=1)
    with pytest.warns(UserWarning, match="lost"):
        model.fit(*iris)
    assert model.leaderboard_["configuration"].tolist()[:2] == ["lost", "dummy"]
    assert model.leaderboard_["weight"].tolist()[:2] == [0.0, 1.0]
    assert model.members_["weight"].tolist() == [1.0]
    text = model.summary()
    assert "best single one is dummy" in text
    assert "less than lost, which could not be fitted to all rows, and" in text
    assert "those of dummy, since ensemble_size=1" in text
    assert "nothing was found" not in text
    text = model.set_params(ensemble_size=5).summary()
    assert "those of dummy alone." in text


def test_the_summary_says_why_the_first_of_the_board_is_not_the_best(fitted):
    model = copy(fitted)
    first, second = fitted.leaderboard_["configuration"].iloc[:2]
    model.best_params_ = {"configuration": second}
    assert f"less than {first}, which is ahead on fewer folds" in model.summary()
    model.max_predict_time = 1.0
    assert f"less than {first}, which predicts too slowly or is" in model.summary()


def test_the_summary_of_one_split_of_noise(iris):
    folds = ShuffleSplit(1, random_state=0)
    model = MetaLearnerClassifier(candidates="dummy", n_candidates=1, cv=folds)
    text = model.fit(*iris).summary()
    assert "1 configuration was tried" in text and "one split: 1 fit in" in text
    assert "±" not in text and "as much as a constant prediction. So nothing" in text


@pytest.mark.parametrize("method", ["summary", "explain"])
def test_nothing_can_be_told_before_fit(method):
    with pytest.raises(NotFittedError):
        getattr(searched(), method)()
