"""Displays show the numbers of a fitted estimator, and fit on their figures."""

import copy
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402
from matplotlib.colors import same_color  # noqa: E402

from sk_meta import MetaLearnerRegressor, load_meta_model, plots  # noqa: E402
from sk_meta._catalogue import catalogue  # noqa: E402
from sk_meta.plots._display import BLUE, ORANGE, spread_out  # noqa: E402

every_display = pytest.mark.parametrize("name", plots.__all__)


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


def draw(name, estimator, **kwargs):
    return getattr(plots, name).from_estimator(estimator, **kwargs)


def names_beside(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


@pytest.fixture(scope="module")
def unknown_metric(diabetes):
    """Fitted with two workers, for a metric that no prior task has."""
    X, y = diabetes
    return MetaLearnerRegressor(
        n_candidates=3, candidates="linear", cv=2, n_jobs=2, random_state=0,
        scoring=largest_error,
    ).fit(X[:200], y[:200])  # fmt: skip


def largest_error(estimator, X, y):
    return -np.abs(estimator.predict(X) - y).max()


@every_display
def test_display_is_drawn_as_scikit_learn_does(told, name):
    display = draw(name, told)
    assert display.figure_ is display.ax_.figure
    assert display.describe().endswith(".")
    _, (left, right) = pyplot.subplots(1, 2)
    again = draw(name, told, ax=right)
    assert again.ax_ is right and not left.has_data()
    assert display.plot(ax=left) is display and display.ax_ is left


@every_display
def test_everything_is_on_the_figure(told, name):
    display = draw(name, told)
    if hasattr(display, "metric"):
        display.metric = "neg_mean_absolute_percentage_error"
    figure = display.plot().figure_
    figure.canvas.draw()
    box = figure.get_tightbbox(figure.canvas.get_renderer())
    width, height = figure.get_size_inches()
    assert 0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height


@every_display
def test_estimator_must_be_fitted(told, name):
    with pytest.raises(NotFittedError):
        draw(name, clone(told))


@every_display
def test_missing_matplotlib_is_told(told, name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"sk-meta\[plots\]"):
        draw(name, told)


def test_leaderboard(told):
    display = draw("LeaderboardDisplay", told)
    board = told.leaderboard_.dropna(subset=["mean_score"])
    assert names_beside(display.ax_) == board["configuration"].tolist()
    drawn = {}
    for container in display.ax_.containers:
        line = container.lines[0]
        winner = same_color(line.get_color(), ORANGE)
        drawn |= {y: (x, winner) for x, y in line.get_xydata()}
    for place, row in enumerate(board.itertuples()):
        winner = row.configuration == told.best_params_["configuration"]
        assert drawn[place] == (pytest.approx(row.mean_score), winner)


def test_leaderboard_shows_the_best_and_passes_arguments_on():
    table = pd.DataFrame(
        {
            "configuration": [f"c{i}" for i in range(30)],
            "mean_score": np.linspace(1, 0, 30),
            "sd_score": 0.1,
        }
    )
    ax = plots.LeaderboardDisplay(table, n_best=4).plot(color="black").ax_
    assert names_beside(ax) == ["c0", "c1", "c2", "c3"]
    assert same_color(ax.containers[0].lines[0].get_color(), "black")


def test_long_numbers_stand_apart():
    names = [f"histogram-boosting-{i}" for i in range(3)]
    scores = -0.11234 * np.array([1, 1.03, 1.05])
    board = pd.DataFrame({"configuration": names, "mean_score": scores})
    ax = plots.LeaderboardDisplay(board.assign(sd_score=0.002)).plot().ax_
    ax.figure.canvas.draw()
    ticks = [t.get_window_extent() for t in ax.get_xticklabels()]
    middles = [(t.x0 + t.x1) / 2 for t in ticks]
    seen = [
        t for t, x in zip(ticks, middles, strict=True) if ax.bbox.x0 <= x <= ax.bbox.x1
    ]
    assert len(seen) > 1
    assert all(one.x1 < two.x0 for one, two in pairwise(seen))


def test_long_names_are_shortened_and_dollars_are_dollars():
    ax = plots.EnsembleDisplay(["$x_2$", "long " * 20], [0.5, 0.5]).plot().ax_
    ax.figure.canvas.draw()
    short, long = ax.get_yticklabels()
    assert short.get_text() == "$x_2$" and not short.get_parse_math()
    assert long.get_text().endswith("…") and len(long.get_text()) < 30


def test_expectation_compares_the_prior_ranking_with_the_scores(told):
    display = draw("ExpectationDisplay", told)
    prior = told.prior_ranking_.set_index("configuration")["predicted_score"]
    found = told.leaderboard_.set_index("configuration")["mean_score"]
    lines = {line.get_label(): line.get_xdata() for line in display.ax_.lines}
    names = names_beside(display.ax_)
    assert len(names) >= 3
    np.testing.assert_allclose(lines["expected"], prior[names])
    np.testing.assert_allclose(lines["found"], found[names])
    inside = display.expected.eval("low <= found <= high").sum()
    assert f"{inside} of {len(names)} lie within" in display.describe()


def test_expectation_compares_ranks_for_a_metric_of_its_own(unknown_metric):
    display = draw("ExpectationDisplay", unknown_metric)
    assert display.ax_.get_xlabel() == "rank"
    found = {line.get_label(): line.get_xdata() for line in display.ax_.lines}["found"]
    assert sorted(found) == [1, 2, 3]
    assert "rank correlation" in display.describe()
    leaderboard = draw("LeaderboardDisplay", unknown_metric)
    assert leaderboard.ax_.get_xlabel().startswith("largest_error")


def test_anytime_is_the_best_score_when_it_was_told(told):
    line = draw("AnytimeDisplay", told).ax_.lines[0]
    np.testing.assert_allclose(line.get_xdata(), told.evaluations_["ended"])
    np.testing.assert_allclose(line.get_ydata(), told.evaluations_["best_score"])
    assert np.nanmax(line.get_ydata()) == pytest.approx(told.best_score_)


def test_anytime_tells_of_gains_in_the_digits_that_are_shown():
    scores = [np.nan, 0.5, 0.5000001, 0.7, 0.7]
    display = plots.AnytimeDisplay([1, 2, 3, 4, 5], scores, list("abcde")).plot()
    assert list(display.ax_.lines[1].get_xdata()) == [2, 4]
    assert display.describe().endswith(
        "0.5 after 2.0 seconds and 0.7 from 4.0 seconds on."
    )
    alone = plots.AnytimeDisplay([1, 2], [0.5, 0.5], ["a", "b"])
    assert alone.describe() == "The best score is 0.5 from 1.0 seconds on."


def test_belief_has_a_line_and_a_band_for_each(told):
    ax = draw("BeliefDisplay", told).ax_
    named = [text.get_text() for text in ax.texts]
    assert len(named) == len(ax.lines) == len(ax.collections) >= 3
    beliefs = told.beliefs_.groupby("configuration")
    for name, line, band in zip(named, ax.lines, ax.collections, strict=True):
        one = beliefs.get_group(name)
        np.testing.assert_allclose(line.get_ydata(), one["expected_score"])
        corners = band.get_paths()[0].vertices[:, 1]
        assert corners.min() == pytest.approx(one["low"].min())
        assert corners.max() == pytest.approx(one["high"].max())


def test_map_is_the_plane_of_the_embedding(told):
    display = draw("TaskMapDisplay", told)
    model = load_meta_model("classification")
    plane = PCA(2).fit(model.embedding_)
    everything, near, star = (c.get_offsets() for c in display.ax_.collections)
    np.testing.assert_allclose(everything, plane.transform(model.embedding_))
    np.testing.assert_allclose(star, plane.transform(told.embedding_[None]))
    assert 0 < display.share_ <= 1
    neighbors = told.explain(1).neighbors["task"]
    at = [model.experience.tasks.index.get_loc(name) for name in neighbors]
    np.testing.assert_allclose(near, everything[at])
    named = {text.get_text() for text in display.ax_.texts}
    assert named == {"this task", *(n.partition("@")[0] for n in neighbors)}


def test_map_finds_the_nearest_by_itself():
    points = np.random.RandomState(0).normal(size=(20, 4))
    points[7] = points[3] + 1e-3
    names = [f"t{i}" for i in range(20)]
    names[7] = "t3@100"
    near = plots.TaskMapDisplay(points, points[3], names).near
    assert near[0] == "t3" and len(near) == 5 and "t3@100" not in near


def test_ensemble_has_a_bar_for_each_member(told):
    ax = draw("EnsembleDisplay", told).ax_
    assert names_beside(ax) == told.members_["configuration"].tolist()
    widths = [bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(widths, told.members_["weight"])


def test_timeline_has_a_bar_for_each_fit(told):
    display = draw("TimelineDisplay", told)
    bars = sorted((bar.get_x(), bar.get_width()) for bar in display.ax_.patches)
    spans = told.evaluations_.eval("length = ended - started")[["started", "length"]]
    np.testing.assert_allclose(bars, sorted(map(tuple, spans.to_numpy())))
    n_failed = (told.evaluations_["status"] != "ok").sum()
    assert n_failed and len(display.ax_.lines[0].get_xdata()) == n_failed
    assert f"{n_failed} of them failed" in display.describe()


def test_timeline_gives_small_families_one_colour():
    told = pd.DataFrame(
        {"family": list("abcdefg"), "worker": 0, "started": np.arange(7.0),
         "ended": np.arange(7) + np.linspace(1, 0.1, 7), "status": "ok"}
    )  # fmt: skip
    ax = plots.TimelineDisplay(told, n_families=3).plot().ax_
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["a", "b", "c", "other families"]
    assert same_color(ax.patches[0].get_facecolor(), BLUE)


def test_what_was_stopped_has_not_failed():
    status = ["ok", "timeout", "died", "failed", "timeout"]
    told = pd.DataFrame(
        {"family": "a", "worker": 0, "started": np.arange(5.0), "status": status}
    )
    display = plots.TimelineDisplay(told.assign(ended=told["started"] + 1)).plot()
    marks = {line.get_label(): list(line.get_xdata()) for line in display.ax_.lines}
    assert marks == {"failed": [3, 4], "stopped": [2, 5]}
    assert display.describe().endswith("2 of them failed, 2 were stopped.")


def test_no_more_is_shown_than_there_are_colours():
    told = pd.DataFrame(
        {"family": list("abcdefg"), "configuration": list("abcdefg"), "worker": 0,
         "started": 0.0, "ended": 1.0, "status": "ok", "step": 0,
         "expected_score": 0.5, "low": 0.4, "high": 0.6}
    )  # fmt: skip
    legend = plots.TimelineDisplay(told, n_families=9).plot().ax_.get_legend()
    assert len(legend.get_texts()) == 6
    display = plots.BeliefDisplay(told, n_shown=9).plot()
    assert len(display.ax_.lines) == len(display.ax_.texts) == 6


def test_timeline_has_a_line_for_each_worker(unknown_metric):
    assert set(unknown_metric.evaluations_["worker"]) == {0, 1}
    display = draw("TimelineDisplay", unknown_metric)
    assert names_beside(display.ax_) == ["worker 0", "worker 1"]
    middles = {round(bar.get_y() + bar.get_height() / 2) for bar in display.ax_.patches}
    assert middles == {0, 1} and "on 2 workers" in display.describe()


def test_legend_fits_whatever_the_families_are_called():
    families = {c.family for c in catalogue("classification")}
    long = sorted(families, key=len)[-7:]
    told = pd.DataFrame({"family": long, "worker": 0, "started": np.arange(7.0)})
    told = told.assign(ended=told["started"] + 1, status=["failed"] + 6 * ["ok"])
    figure = plots.TimelineDisplay(told).plot().figure_
    figure.canvas.draw()
    legend = figure.axes[0].get_legend()
    assert len(legend.get_texts()) == 7
    box = legend.get_window_extent()
    assert 0 <= box.x0 and box.x1 <= figure.bbox.width
    assert 0 <= box.y0 and box.y1 <= figure.bbox.height


def test_a_search_that_found_nothing_has_nothing_to_draw(nothing):
    for name, why in (
        ("LeaderboardDisplay", "No configuration has a score"),
        ("ExpectationDisplay", "No configuration has a score"),
        ("AnytimeDisplay", "No configuration was complete"),
        ("BeliefDisplay", "No result came"),
    ):
        with pytest.raises(ValueError, match=why):
            draw(name, nothing)
    assert "2 of them failed" in draw("TimelineDisplay", nothing).describe()


def test_training_loss_is_that_of_the_network(told):
    line = draw("TrainingLossDisplay", told).ax_.lines[0]
    curve = load_meta_model("classification").loss_curve_
    np.testing.assert_allclose(line.get_ydata(), curve)
    assert line.get_xdata()[0] == 1


def test_without_a_network_there_is_no_training_loss(told):
    other = copy.copy(told).set_params(meta_model="linear")
    with pytest.raises(ValueError, match="'neural' and 'hybrid'"):
        draw("TrainingLossDisplay", other)


def test_labels_keep_their_order_and_their_distance():
    wanted = np.array([0.5, 0.52, 0.1, 0.51, 0.97, 0.99])
    placed = spread_out(wanted, 0.1, 0.0, 1.0)
    assert (np.argsort(placed) == np.argsort(wanted)).all()
    assert np.diff(np.sort(placed)).min() >= 0.1 - 1e-9
    assert placed.min() >= 0 and placed.max() <= 1 + 1e-9
    assert spread_out([0.3], 0.1, 0, 1) == pytest.approx([0.3])
