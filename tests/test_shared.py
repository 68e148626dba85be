"""The table of a search, written once and mapped by the workers."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from conftest import make_messy
from scipy import sparse

from sk_meta import _shared
from sk_meta._shared import SharedTask
from sk_meta._workers import Processes


@pytest.fixture
def worker():
    with closing(Processes(1)) as opened:
        while not opened.free():
            opened.wait(1)
        yield opened


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of our own for temporary files."""
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    return tmp_path


def ask(worker, function, *args):
    worker.submit("it", function, *args)
    ((_, outcome),) = worker.wait(60)
    return outcome


def look(reference):
    """What a worker sees of a table of numbers."""
    X, y, splits, *_ = reference.load()
    again = reference.load()
    mapped = isinstance(X, np.memmap) and isinstance(y, np.memmap)
    return mapped, X.flags.writeable, X.sum(), len(splits), again[0] is X


def overwrite(reference):
    X, *_ = reference.load()
    try:
        X[0] = 0
    except ValueError as error:
        return str(error)


def load(reference):
    return reference.load()


def loaded():
    return list(_shared._loaded)


def data(X):
    y = np.arange(X.shape[0], dtype=float)
    return X, y, [(np.arange(10), np.arange(10, 20))]


def test_a_worker_maps_the_arrays_and_reads_them_once(worker, place):
    X, y, splits = data(np.random.default_rng(0).normal(size=(1000, 10)))
    with closing(SharedTask(X, y, splits, processes=True)) as task:
        assert ask(worker, look, task.reference) == (True, False, X.sum(), 1, True)
        assert "read-only" in ask(worker, overwrite, task.reference)


@pytest.mark.parametrize(
    "X", [make_messy(), sparse.random(50, 8, 0.2, "csr", random_state=0)]
)
def test_frames_and_sparse_tables_arrive_as_they_are(worker, place, X):
    with closing(SharedTask(*data(X), processes=True)) as task:
        arrived, y, splits = ask(worker, load, task.reference)
    if sparse.issparse(X):
        assert (arrived != X).nnz == 0
    else:
        assert arrived.equals(X) and list(arrived.dtypes) == list(X.dtypes)
    np.testing.assert_array_equal(y, np.arange(X.shape[0]))
    np.testing.assert_array_equal(splits[0][1], np.arange(10, 20))


def test_what_is_sent_to_a_worker_is_small(place):
    with closing(SharedTask(*data(np.ones((1000, 10))), processes=True)) as task:
        assert task.reference.data is None
        assert Path(task.reference.key).is_file()


def test_the_folder_is_removed_when_it_is_closed(place):
    task = SharedTask(*data(np.ones((20, 2))), processes=True)
    assert list(place.iterdir()) == [task.folder]
    assert task.folder.name.startswith("sk_meta_")
    task.close()
    assert list(place.iterdir()) == [] and task.folder is None
    task.close()


def test_the_folder_is_for_its_owner_only(place):
    with closing(SharedTask(*data(np.ones((20, 2))), processes=True)) as task:
        assert task.folder.stat().st_mode & 0o077 == 0


def test_within_one_process_nothing_is_written(place):
    X, y, splits = data(np.ones((20, 2)))
    with closing(SharedTask(X, y, splits, processes=False)) as task:
        assert task.folder is None and list(place.iterdir()) == []
        assert task.reference.load()[0] is X


def test_where_nothing_can_be_written_the_data_are_sent(worker, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path / "file"))
    X, y, splits = data(np.ones((20, 2)))
    with closing(SharedTask(X, y, splits, processes=True)) as task:
        assert task.folder is None
        arrived, *_ = ask(worker, load, task.reference)
    np.testing.assert_array_equal(arrived, X)


def test_where_nothing_is_chosen_it_lies_in_shared_memory(monkeypatch):
    monkeypatch.delenv("JOBLIB_TEMP_FOLDER", raising=False)
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("no shared memory as a folder")
    with closing(SharedTask(*data(np.ones((20, 2))), processes=True)) as task:
        assert task.folder.parent == Path("/dev/shm")
        kept = task.folder
    assert not kept.exists()


def test_a_worker_holds_one_task_at_a_time(worker, place):
    for n_rows in (20, 30):
        task = SharedTask(*data(np.ones((n_rows, 2))), processes=True)
        arrived, *_ = ask(worker, load, task.reference)
        assert len(arrived) == n_rows
        assert ask(worker, loaded) == [task.reference.key]
        task.close()


def test_every_task_has_a_key_of_its_own():
    tasks = [SharedTask(*data(np.ones((n, 2))), processes=False) for n in (20, 30)]
    assert tasks[0].reference.key != tasks[1].reference.key


def test_no_two_processes_name_their_tasks_alike():
    # Workers of a cluster run the folds of several processes, and keep what they have
    # encoded by the name of the task.
    script = (
        "from sk_meta._shared import SharedTask;"
        "print(SharedTask(1, processes=False).reference.key)"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[1],
        ).stdout
        for _ in range(2)
    )
    assert first != second
