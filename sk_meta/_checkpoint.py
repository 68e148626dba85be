"""Results of a search on disk, so that one that was killed can go on.

A folder: ``task.json`` says which search it belongs to, and every fold that was
evaluated has a file of its own, written whole or not at all. Plain JSON and arrays,
no pickle.
"""

from __future__ import annotations

import json
import os
from numbers import Integral
from pathlib import Path
from zipfile import BadZipFile

import joblib
import numpy as np

from ._evaluation import FAILED, OK, FoldResult
from ._problem import Problem

_HEADER, _PART = "task.json", ".part"


def check_seed(path, random_state) -> None:
    """Refuse a checkpoint from which no search could ever go on.

    Parameters
    ----------
    path : str, path or None
    random_state : int, RandomState or None

    Raises
    ------
    ValueError
        If there is a path, and no integer to make the same search of again.
    """
    if path is not None and not isinstance(random_state, Integral):
        raise ValueError(
            f"random_state={random_state!r} must be an int, as there is a checkpoint: "
            "a search with other random numbers could not go on from its results."
        )


class Checkpoint:
    """The results kept in a folder.

    Parameters
    ----------
    path : str or path
        The folder; it is made if there is none.
    problem : Problem
        The search: table, target, splits, scorer and seed must be the same as
        those with which the folder was begun.

    Raises
    ------
    ValueError
        If the folder belongs to another search, or is not a checkpoint.
    """

    def __init__(self, path, problem: Problem):
        self._folder = Path(path)
        if self._folder.exists() and not self._folder.is_dir():
            raise ValueError(
                f"checkpoint={str(path)!r} is a file. Choose an empty or new folder."
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        self._there: set[Path] = set()
        self.lost: str | None = None
        header, mine = self._folder / _HEADER, _fingerprint(problem)
        if not header.exists():
            if any(file.suffix != _PART for file in self._folder.iterdir()):
                raise ValueError(
                    f"checkpoint={str(path)!r} holds other files and no {_HEADER}. "
                    "Choose an empty or new folder."
                )
            _write(header, lambda file: file.write(json.dumps(mine).encode()))
        known = json.loads(header.read_text())
        different = sorted(k for k in mine if known.get(k) != mine[k])
        if different:
            raise ValueError(
                f"checkpoint={str(path)!r} belongs to another search; different: "
                f"{', '.join(different)}. Choose another folder, or pass what it was "
                "begun with."
            )

    def get(
        self, name: str, split: int, *, timed: bool = False
    ) -> FoldResult | None:
        """The result of a configuration on a split, if it was evaluated.

        Parameters
        ----------
        name : str
        split : int
        timed : bool, default=False
            Whether predicting must have been timed.

        Returns
        -------
        FoldResult or None
        """
        path = self._file(name, split)
        try:
            with np.load(path, allow_pickle=False) as kept:
                told = json.loads(str(kept["told"]))
                prediction = kept["prediction"] if told["status"] == OK else None
        except (FileNotFoundError, EOFError, BadZipFile, KeyError, ValueError):
            return None  # not there, or damaged: it is evaluated again
        result = FoldResult(**told, prediction=prediction)
        if timed and result.status == OK and not np.isfinite(result.predict_time):
            return None
        self._there.add(path)
        return result

    def put(self, name: str, split: int, result: FoldResult) -> None:
        """Keep a result; what was not the configuration's own end is not kept.

        On a full disk the search goes on, and ``lost`` says why it is not kept.
        """
        path = self._file(name, split)
        if result.status not in (OK, FAILED) or path in self._there:
            return
        if (result.error or "").startswith("MemoryError"):
            return  # with more memory, or fewer workers, it may end well
        told = {
            key: getattr(result, key)
            for key in ("status", "scores", "fit_seconds", "predict_seconds", "error",
                        "memory", "predict_time")
        }  # fmt: skip
        prediction = result.prediction
        if prediction is None:
            prediction = np.zeros(0)
        text = json.dumps(told)
        try:
            _write(path, lambda f: np.savez(f, told=text, prediction=prediction))
        except OSError as error:
            self.lost = str(error)

    def _file(self, name: str, split: int) -> Path:
        return self._folder / f"{joblib.hash(name)[:16]}-{split}.npz"


def _fingerprint(problem: Problem) -> dict:
    """What must be the same for a result to be used again."""
    metric = problem.metric
    scorers = {metric.name: metric.scorer, **metric.others}
    return {
        "table": joblib.hash(problem.X),
        "column_kinds": [column.kind for column in problem.table.columns],
        "target": joblib.hash(problem.y),
        "sample_weight": joblib.hash(problem.weights),
        "folds": joblib.hash(problem.folds.of_one_search),
        "scoring": [[name, _identity(scorer)] for name, scorer in scorers.items()],
        "seed": problem.random_state,
    }


def _identity(scorer) -> str:
    """Tells a scorer from others of the same name, with other parameters or code."""
    try:
        return joblib.hash(scorer)
    except Exception:  # a function that was written in place has no name to go by
        function = getattr(scorer, "_score_func", scorer)
        code = getattr(function, "__code__", None)
        if code is None:
            return type(scorer).__name__
        plain = [c for c in code.co_consts if not hasattr(c, "co_code")]
        return joblib.hash((code.co_code, code.co_names, plain))


def _write(path: Path, write) -> None:
    """Write a file that is there whole or not at all."""
    part = path.with_suffix(f".{os.getpid()}{_PART}")
    try:
        with part.open("wb") as file:
            write(file)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
