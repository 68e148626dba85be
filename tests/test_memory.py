"""How much memory is free, and how a process is kept from taking more."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from sk_meta import MetaLearnerClassifier, _memory
from sk_meta._catalogue import catalogue
from sk_meta._memory import free_memory, memory_needed, memory_per_worker
from sk_meta._table import describe_table

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
MIB = 2**20


def table_of(X):
    return describe_table(X)


def configuration(family, task="classification"):
    return next(c for c in catalogue(task) if c.family == family)


def script(code):
    """Run code in a process of its own, for limits last as long as a process."""
    code = f"import numpy as np\nfrom sk_meta._memory import limit_memory\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@linux
def test_free_memory_is_a_number_of_bytes_that_can_be():
    assert 2**24 < free_memory() < 2**50


def test_a_limit_that_is_given_holds_for_every_worker():
    assert memory_per_worker(100, 7) == 100 * MIB


@linux
def test_without_a_limit_the_workers_share_what_is_free():
    one, four = memory_per_worker(None, 1), memory_per_worker(None, 4)
    # Others take and give memory meanwhile.
    assert one == pytest.approx(4 * four, rel=0.2)
    assert one < free_memory()


@pytest.mark.parametrize(
    ("limit", "used", "free"),
    [
        ("1000", "300", 700),
        ("1000", "2000", 0),
        ("max", "300", float("inf")),
        (None, "300", float("inf")),
        ("1000", None, float("inf")),
    ],
)
def test_what_a_container_leaves_free(tmp_path, limit, used, free):
    files = [tmp_path / name for name in ("limit", "used")]
    for file, text in zip(files, (limit, used), strict=True):
        if text is not None:
            file.write_text(f"{text}\n")
    assert _memory._left(*map(str, files)) == free


@linux
def test_the_smallest_of_what_is_known_counts(tmp_path, monkeypatch):
    for name, text in (("limit", "5000"), ("used", "1000")):
        (tmp_path / name).write_text(text)
    files = tuple(str(tmp_path / name) for name in ("limit", "used"))
    monkeypatch.setattr(_memory, "_LIMITS", (files, ("/not/there", "/nor/there")))
    assert free_memory() == 4000


TRY = """
try:
    print(np.ones({n_mib} * 2**17).size > 0)
except MemoryError:
    print("MemoryError")
"""


@linux
def test_beyond_the_limit_there_is_an_error_and_the_process_lives():
    shown = script(
        f"limit_memory(200 * 2**20){TRY.format(n_mib=400)}{TRY.format(n_mib=50)}"
    )
    assert shown == ["MemoryError", "True"]


@linux
def test_what_the_process_holds_already_does_not_count():
    before = "held = np.ones(300 * 2**17)\n"
    assert script(f"{before}limit_memory(200 * 2**20){TRY.format(n_mib=100)}") == [
        "True"
    ]


@linux
def test_a_limit_can_be_lifted():
    lift = "limit_memory(100 * 2**20)\nlimit_memory(float('inf'))"
    assert script(f"{lift}{TRY.format(n_mib=400)}") == ["True"]


@linux
def test_a_limit_of_the_system_is_not_exceeded():
    code = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (2**33, 2**33))\n"
        "limit_memory(2**40)\n"
        "print(resource.getrlimit(resource.RLIMIT_DATA) == (2**33, 2**33))\n"
    )
    assert script(code) == ["True"]


def test_more_rows_and_columns_need_more():
    logistic = configuration("linear")
    needed = [
        memory_needed(logistic, table_of(np.ones(shape)))
        for shape in ((100, 10), (1000, 10), (1000, 100))
    ]
    assert needed == sorted(needed)
    # At least a copy of the table.
    assert all(n >= 8 * size for n, size in zip(needed, (1e3, 1e4, 1e5), strict=True))


def test_what_makes_many_columns_needs_more():
    table = table_of(np.ones((1000, 40)))
    plain = memory_needed(configuration("linear"), table)
    assert memory_needed(configuration("linear on splines"), table) > 3 * plain
    assert memory_needed(configuration("linear on interactions"), table) > 10 * plain


def test_a_kernel_of_all_pairs_of_rows_needs_their_square():
    process = replace(configuration("linear"), family="Gaussian process")
    table = table_of(np.ones((5000, 3)))
    assert memory_needed(process, table) > 8 * 5000**2


def test_a_sparse_table_needs_what_it_holds():
    X = sparse.random_array((1000, 200), density=0.05, format="csr", rng=0)
    forest = configuration("random forest")
    thin, dense = (memory_needed(forest, table_of(x)) for x in (X, X.toarray()))
    assert thin < 0.2 * dense


def test_a_configuration_that_needs_too_much_is_excluded_with_the_reason(iris):
    X, y = iris
    X = np.hstack([X] * 10)
    candidates = ["linear", "linear on interactions"]
    model = MetaLearnerClassifier(
        n_candidates=1, candidates=candidates, memory_limit=1, n_jobs=2, cv=3,
        random_state=0,
    ).fit(X, y)  # fmt: skip
    names = {c.name for c in catalogue("classification") if c.family == candidates[1]}
    excluded = model.leaderboard_[model.leaderboard_["status"] == "excluded"]
    assert names <= set(excluded["configuration"])
    assert excluded["reason"].str.contains("MiB of memory, and a worker may").any()
    assert "linear" in set(model.leaderboard_["family"])
