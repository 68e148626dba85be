"""Models in files: ``.skops`` without pickle, ``.joblib`` and ``.pkl`` with it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import joblib

from .._base import BaseMetaLearner
from .._saving import load, replacing, save
from ._output import Mistake, check_writable, say_beside
from ._tables import like

_SKOPS = ".skops"
_PICKLES = (".joblib", ".pkl", ".pickle")


def check_model_file(path: str) -> None:
    """Raise if a model can't be written there, before anything long is begun.

    Parameters
    ----------
    path : str

    Raises
    ------
    Mistake
        If the ending is unknown, the folder can't be written to, or skops is needed
        and not installed.
    """
    ending = _ending(path)
    check_writable(path)
    if ending == _SKOPS and find_spec("skops") is None:
        raise Mistake(
            f"writing {path!r} needs skops: pip install 'sk-meta[save]'. Or name a "
            "file .joblib, which is a pickle: load only your own."
        )


def write_model(model, path: str) -> None:
    """Write a model; a file that was there is replaced when all is written.

    Parameters
    ----------
    model : estimator
    path : str
        Its ending tells the format.
    """
    if _ending(path) == _SKOPS:
        save(model, path)
        return
    with replacing(path) as part:
        joblib.dump(model, part)


def read_model(path: str, trusted: list[str]) -> Any:
    """Read a model.

    Parameters
    ----------
    path : str
    trusted : list of str
        Types that a file of skops may hold besides those known.

    Returns
    -------
    estimator

    Raises
    ------
    Mistake
        If there is no such file, or there is something else in it.
    """
    ending = _ending(path)
    if not Path(path).exists():
        raise Mistake(f"there is no file {path!r}.{like(path)}")
    if ending == _SKOPS:
        model = load(path, trusted=trusted)
    else:
        say_beside(
            f"sk-meta: warning: {path!r} is a pickle, which can run any code when it "
            "is loaded. Load only files that you trust; .skops is safe."
        )
        model = _unpickled(path)
    if not hasattr(model, "predict"):
        raise Mistake(f"{path!r} holds a {type(model).__name__}, not a model.")
    return model


def read_searched(path: str, trusted: list[str]) -> BaseMetaLearner:
    """Read a model that knows how it was found.

    Parameters
    ----------
    path : str
    trusted : list of str

    Returns
    -------
    MetaLearnerEstimator, MetaLearnerClassifier or MetaLearnerRegressor

    Raises
    ------
    Mistake
        As :func:`read_model`, and for other models.
    """
    model = read_model(path, trusted)
    if not isinstance(model, BaseMetaLearner):
        raise Mistake(
            f"{path!r} holds a {type(model).__name__}, which does not know how it was "
            "found. Name a file that 'sk-meta fit' has written."
        )
    return model


def _ending(path: str) -> str:
    ending = Path(path).suffix.lower()
    if ending not in (_SKOPS, *_PICKLES):
        raise Mistake(
            f"{path!r} is no name of a model. Use the ending .skops, or .joblib or "
            ".pkl, which are pickles."
        )
    return ending


def _unpickled(path: str):
    try:
        return joblib.load(path)
    except OSError as error:
        if error.errno is not None:
            raise
        raise _no_pickle(path, error) from error
    except Exception as error:  # whatever its bytes make pickle do
        raise _no_pickle(path, error) from error


def _no_pickle(path: str, error: Exception) -> Mistake:
    reason = str(error).splitlines()[:1] or [""]
    return Mistake(
        f"{path!r} can't be loaded ({type(error).__name__}: {reason[0]}). Is it a "
        "model, and are the packages installed that wrote it?"
    )
