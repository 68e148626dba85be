"""The trained meta-model as a file beside the knowledge base."""

import json
import os
import shutil

import numpy as np
import pytest
from conftest import excerpt

from sk_meta import KnowledgeBase, _pretrained, load_meta_model, train_meta_models
from sk_meta._catalogue import catalogue
from sk_meta._history import Experience
from sk_meta._knowledge import SHIPPED
from sk_meta._metamodel import META_FEATURES, MetaModel
from sk_meta._pretrained import FILE, trained
from sk_meta._priors import MEMBERS

TASKS = ("classification", "regression")
# Every eighth one will do, and the dummy is the first.
NAMES = {task: tuple(c.name for c in catalogue(task))[::8] for task in TASKS}
SIZES = {
    "nr_inst": 300.0,
    "nr_encoded": 12.0,
    "inst_to_attr": 25.0,
    "nr_class": 2.0,
    "freq_class.min": 0.4,
}
every_task = pytest.mark.parametrize("task", TASKS)


class Trained(Exception):
    """Raised where a meta-model would be trained."""


@pytest.fixture
def no_training(monkeypatch):
    """Whoever trains now gives itself away."""

    def give_away(*args):
        raise Trained

    monkeypatch.setattr(MetaModel, "fit", give_away)


@pytest.fixture(scope="module")
def base(knowledge):
    """Sixteen families of either kind."""
    return excerpt(knowledge, 16)


@pytest.fixture(scope="module")
def original(base, tmp_path_factory):
    """Folder of a knowledge base with meta-models of a part of the catalogue."""
    path = tmp_path_factory.mktemp("base")
    base.save(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pretrained, "catalogue", lambda task: catalogue(task)[::8])
        assert train_meta_models(path) == path / FILE
    return path


@pytest.fixture
def folder(original, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(original, tmp_path / "copy")


def rewritten(path, **changes):
    """Write the file again with other entries."""
    with np.load(path / FILE, allow_pickle=False) as file:
        entries = {**file}
    np.savez_compressed(path / FILE, **{**entries, **changes})


@every_task
def test_what_was_trained_is_read(original, no_training, task):
    model = trained(original, task, "hybrid", NAMES[task])
    for metric in model.experience.histories:
        belief = model.belief(SIZES, metric)
        assert belief.names == NAMES[task]
        assert np.isfinite(belief.mean()).all() and (belief.sd() > 0).all()


def test_folder_may_be_a_string(original, no_training):
    one = trained(str(original), "regression", "hybrid", NAMES["regression"])
    assert one is trained(original, "regression", "hybrid", NAMES["regression"])


@every_task
def test_file_gives_what_training_gives(original, base, task):
    experience = Experience.of(base, task, NAMES[task])
    fresh = MetaModel().fit(experience, task)
    for kind in MEMBERS:
        read = trained(original, task, kind, NAMES[task])
        model = MetaModel(kind).restore(experience, task, fresh.arrays())
        assert list(read.experience.histories) == list(experience.histories)
        for metric in experience.histories:
            first, second = (m.belief(SIZES, metric) for m in (model, read))
            np.testing.assert_allclose(second.mean(), first.mean(), atol=0.01)
            np.testing.assert_allclose(second.sd(), first.sd(), rtol=2e-2)
            np.testing.assert_array_equal(second.seconds(), first.seconds())
            np.testing.assert_allclose(
                second.utility([0, 1, 2]), first.utility([0, 1, 2]), atol=0.02
            )
            assert second.novelty == pytest.approx(first.novelty)
        np.testing.assert_allclose(read.embed(SIZES), model.embed(SIZES), atol=1e-6)
    np.testing.assert_allclose(
        read.weights_["linear"], fresh.weights_["linear"], atol=0.02
    )


@every_task
def test_experience_survives_the_file(original, base, task):
    experience = Experience.of(base, task, NAMES[task])
    read = trained(original, task, "hybrid", NAMES[task]).experience
    assert read.names == experience.names
    assert list(read.tasks.index) == list(experience.tasks.index)
    for column in ("family", *META_FEATURES[task]):
        assert read.tasks[column].to_list() == pytest.approx(
            experience.tasks[column].to_list(), nan_ok=True
        )
    np.testing.assert_array_equal(read.weights(), experience.weights())
    np.testing.assert_allclose(read.log_seconds, experience.log_seconds, atol=5e-3)
    np.testing.assert_allclose(read.targets(), experience.targets(), atol=0.05)
    for metric, history in experience.histories.items():
        np.testing.assert_array_equal(read.rows(metric), experience.rows(metric))
        np.testing.assert_allclose(
            read.histories[metric].h, history.h, rtol=1e-3, atol=1e-3
        )


def test_nothing_is_pickled(original):
    with np.load(original / FILE, allow_pickle=False) as file:
        entries = {**file}
    assert len(entries) > 30
    assert all(entry.dtype != object for entry in entries.values())
    card = json.loads((original / "card.json").read_text(encoding="utf8"))
    assert str(entries["sha256"]) == card["sha256"]


def test_file_of_another_knowledge_base_is_not_used(folder, knowledge, no_training):
    names = NAMES["classification"]
    trained(folder, "classification", "linear", names)
    excerpt(knowledge, 12).save(folder)
    with pytest.raises(Trained):
        trained(folder, "classification", "linear", names)


def test_changed_knowledge_base_is_learned_anew(folder, knowledge):
    names = NAMES["classification"]
    first = trained(folder, "classification", "linear", names)
    excerpt(knowledge, 12).save(folder)
    second = trained(folder, "classification", "linear", names)
    assert len(second.experience.tasks) < len(first.experience.tasks)


def test_file_with_another_hash_is_not_used(folder, no_training):
    names = NAMES["classification"]
    trained(folder, "classification", "linear", names)
    rewritten(folder, sha256=np.array("0" * 64))
    with pytest.raises(Trained):
        trained(folder, "classification", "linear", names)


@pytest.mark.parametrize(
    "change",
    [
        lambda names: names[:-1],
        lambda names: names[::-1],
        lambda names: (*names, "never heard of"),
    ],
)
def test_file_with_other_configurations_is_not_used(original, no_training, change):
    with pytest.raises(Trained):
        trained(original, "regression", "linear", change(NAMES["regression"]))


def test_other_configurations_are_learned_anew(original):
    names = NAMES["regression"][:5]
    model = trained(original, "regression", "linear", names)
    assert model.belief(SIZES, "r2").mean().shape == (5,)


def test_knowledge_base_without_the_file_is_learned(base, tmp_path, no_training):
    base.save(tmp_path)
    with pytest.raises(Trained):
        trained(tmp_path, "regression", "linear", NAMES["regression"])


def test_knowledge_base_in_memory_is_learned_once(base):
    first, second = (
        trained(base, "regression", "linear", NAMES["regression"]) for _ in range(2)
    )
    assert first is second
    assert first.experience.names == NAMES["regression"]


def test_file_that_was_removed_is_not_missed(folder, no_training):
    trained(folder, "regression", "linear", NAMES["regression"])
    os.remove(folder / FILE)
    _pretrained._fitted.cache_clear()  # an equal base may have been trained on
    with pytest.raises(Trained):
        trained(folder, "regression", "linear", NAMES["regression"])


def test_base_of_one_kind_of_task_has_the_other_left_out(base, tmp_path, monkeypatch):
    only = base.without(set(base.select("classification")["family"]))
    assert len(only.select("classification")) == 0
    only.save(tmp_path)
    monkeypatch.setattr(_pretrained, "catalogue", lambda task: catalogue(task)[:4])
    with np.load(train_meta_models(tmp_path), allow_pickle=False) as file:
        heads = {key.split("/")[0] for key in file.files}
        names = file["regression/names"].tolist()
    assert heads == {"sha256", "format", "regression"}
    assert names == [c.name for c in catalogue("regression")[:4]]


def test_folder_without_a_knowledge_base_is_refused(tmp_path):
    with pytest.raises(ValueError, match="card.json"):
        train_meta_models(tmp_path)


@pytest.mark.skipif(not (SHIPPED / FILE).is_file(), reason="not trained yet")
@every_task
def test_shipped_file_is_of_the_shipped_knowledge_base(no_training, task):
    names = tuple(c.name for c in catalogue(task))
    read = trained(None, task, "hybrid", names)
    experience = Experience.of(KnowledgeBase.load(), task, names)
    assert list(read.experience.tasks.index) == list(experience.tasks.index)
    assert list(read.experience.histories) == list(experience.histories)
    np.testing.assert_allclose(
        read.experience.targets(), experience.targets(), atol=0.05
    )
    for kind in MEMBERS:
        metric = next(iter(experience.histories))
        belief = trained(None, task, kind, names).belief(SIZES, metric)
        assert np.isfinite(belief.mean()).all()


@pytest.mark.skipif(not (SHIPPED / FILE).is_file(), reason="not trained yet")
@every_task
def test_shipped_file_holds_what_this_version_learns(task, monkeypatch):
    names = tuple(c.name for c in catalogue(task))
    read = trained(None, task, "linear", names)
    experience = Experience.of(KnowledgeBase.load(), task, names)
    fresh = MetaModel("linear").fit(experience, task)
    for metric in experience.histories:
        first, second = (m.belief(SIZES, metric) for m in (fresh, read))
        np.testing.assert_allclose(second.mean(), first.mean(), atol=5e-3)
        # Out-of-family predictions are kept in steps of a fiftieth.
        np.testing.assert_allclose(second.sd(), first.sd(), rtol=3e-2)
        np.testing.assert_allclose(second.seconds(), first.seconds(), rtol=1e-3)


def test_the_meta_model_can_be_looked_into():
    model = load_meta_model("regression")
    assert len(model.embedding_) == len(model.experience.tasks)
    assert np.isfinite(model.loss_curve_).all()
    assert sum(model.weights_.values()) == pytest.approx(1)
    assert load_meta_model("regression", meta_model="forest").loss_curve_ is None
    with pytest.raises(ValueError, match="task='clustering'"):
        load_meta_model("clustering")
    with pytest.raises(ValueError, match="meta_model='deep'"):
        load_meta_model("regression", meta_model="deep")


def test_a_damaged_file_says_what_to_do(tmp_path):
    knowledge = KnowledgeBase.load()
    some = knowledge.without(knowledge.tasks["family"].unique()[24:])
    some.save(tmp_path)
    (tmp_path / "metamodel.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(ValueError, match="train_meta_models"):
        load_meta_model("classification", knowledge=tmp_path, meta_model="linear")
