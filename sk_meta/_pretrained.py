"""The trained meta-model as a file of arrays beside the knowledge base.

``metamodel.npz`` holds, for every kind of task, the prior tasks as matrices and the
parameters of all priors. It carries the hash of the knowledge base that it was
trained on and is ignored if the two do not match. Nothing in it is pickled.
"""

from __future__ import annotations

import os
import zlib
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from ._card import read_card, stamp
from ._catalogue import catalogue
from ._history import MIN_TASKS, Experience, History
from ._knowledge import SHIPPED, KnowledgeBase, read
from ._log import logger
from ._metamodel import META_FEATURES, MetaModel
from ._priors import MEMBERS, Arrays
from ._scoring import STORED_METRICS

FILE = "metamodel.npz"
_FORMAT = 2  # of the file; another one is trained anew


def trained(
    knowledge: KnowledgeBase | str | Path | None,
    task: str,
    meta_model: str,
    names: tuple[str, ...],
) -> MetaModel:
    """Meta-model of a knowledge base, read from its folder or trained now.

    Parameters
    ----------
    knowledge : KnowledgeBase, str, Path or None
        A folder that holds ``metamodel.npz`` needs no training; None is the
        knowledge base shipped with the package.
    task : {"classification", "regression"}
    meta_model : str
        Kind of prior.
    names : tuple of str
        Configurations.

    Returns
    -------
    MetaModel
        The same object in every call of one process.
    """
    if isinstance(knowledge, KnowledgeBase):
        return _fitted(_Content(knowledge), task, meta_model, names)
    path = Path(SHIPPED if knowledge is None else knowledge).resolve()
    model = _restored(path, _stamp(path), task, meta_model, names)
    return model or _fitted(_Content(read(path)), task, meta_model, names)


def load_meta_model(
    task: str,
    *,
    knowledge: KnowledgeBase | str | Path | None = None,
    meta_model: str = "hybrid",
) -> MetaModel:
    """The trained meta-model that the estimators ask, to look into it.

    Parameters
    ----------
    task : {"classification", "regression"}
    knowledge : KnowledgeBase, str, Path or None, default=None
        As the estimators' parameter.
    meta_model : {"hybrid", "neural", "forest", "linear", "neighbors", "none"}, \
default="hybrid"
        Kind of prior.

    Returns
    -------
    MetaModel
        With ``embedding_`` (representation of the prior tasks), ``loss_curve_``
        (training loss of the network after every epoch), ``weights_`` (of the
        priors in the stack) and ``embed(meta_features)``.

    Raises
    ------
    ValueError
        If a name is unknown or there are too few prior tasks.

    Examples
    --------
    >>> from sk_meta import load_meta_model
    >>> model = load_meta_model("classification")
    >>> bool(model.loss_curve_[-1] < model.loss_curve_[0])
    True
    """
    if task not in STORED_METRICS or meta_model not in MEMBERS:
        raise ValueError(
            f"task={task!r} must be one of {list(STORED_METRICS)} and "
            f"meta_model={meta_model!r} one of {list(MEMBERS)}."
        )
    names = tuple(configuration.name for configuration in catalogue(task))
    return trained(knowledge, task, meta_model, names)


def train_meta_models(path: str | Path | None = None) -> Path:
    """Train the meta-models of a knowledge base and write them beside it.

    Without the file, every process that uses the knowledge base trains them anew.

    Parameters
    ----------
    path : str, Path or None, default=None
        Folder of the knowledge base, as written by :meth:`KnowledgeBase.save`;
        None is the shipped one.

    Returns
    -------
    Path
        The file, ``metamodel.npz`` in the folder.

    Raises
    ------
    ValueError
        If the folder holds no knowledge base, or too few prior tasks.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from sk_meta import KnowledgeBase, train_meta_models
    >>> knowledge, folder = KnowledgeBase.load(), mkdtemp()
    >>> few = knowledge.tasks["family"].unique()[20:]
    >>> knowledge.without(few).save(folder)
    >>> train_meta_models(folder).name
    'metamodel.npz'
    """
    path = Path(SHIPPED if path is None else path)
    knowledge = read(path)
    found: Arrays = {"sha256": np.array(knowledge.card["sha256"])}
    found["format"] = np.array(_FORMAT)
    few = {task: len(knowledge.select(task)) for task in STORED_METRICS}
    if max(few.values()) < MIN_TASKS:
        raise ValueError(
            f"path={str(path)!r} holds {few} prior tasks; at least {MIN_TASKS} of a "
            "kind are needed. Merge them into KnowledgeBase.load()."
        )
    for task in STORED_METRICS:
        names = tuple(configuration.name for configuration in catalogue(task))
        if few[task] < MIN_TASKS:
            continue
        experience = Experience.of(knowledge, task, names)
        model = MetaModel().fit(experience, task)
        parts = _arrays_of(experience, task) | model.arrays()
        found |= {f"{task}/{key}": value for key, value in parts.items()}
    part = path / f"part-{FILE}"
    np.savez_compressed(part, **found)  # type: ignore[arg-type]
    # In one step: another process may be reading the old one.
    os.replace(part, path / FILE)
    return path / FILE


def _stamp(path: Path) -> tuple:
    """Changes when the knowledge base or the file of arrays does."""
    file = path / FILE
    return (*stamp(path), file.stat().st_mtime_ns if file.is_file() else None)


class _Content:
    """A knowledge base as a key: equal if the contents are, as clones' are."""

    def __init__(self, knowledge: KnowledgeBase):
        self.knowledge, self._fingerprint = knowledge, knowledge.fingerprint()

    def __eq__(self, other):
        return self._fingerprint == other._fingerprint

    def __hash__(self):
        return hash(self._fingerprint)


@lru_cache(maxsize=8)
def _fitted(content: _Content, task, meta_model, names) -> MetaModel:
    experience = Experience.of(content.knowledge, task, names)
    return MetaModel(meta_model).fit(experience, task)


@lru_cache(maxsize=8)
def _restored(path: Path, stamp, task, meta_model, names) -> MetaModel | None:
    """The model in the file, or None if it is not of this knowledge base."""
    if not (path / FILE).is_file():
        return None
    sha256 = read_card(path)["sha256"]
    try:
        with np.load(path / FILE, allow_pickle=False) as file:
            fits = "format" in file.files and int(file["format"]) == _FORMAT
            if not fits or str(file["sha256"]) != sha256:
                logger.info("%s is not of this knowledge base, training anew", FILE)
                return None
            keys = [key for key in file.files if key.startswith(f"{task}/")]
            found = {key.removeprefix(f"{task}/"): file[key] for key in keys}
    except (OSError, EOFError, KeyError, ValueError, BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{str(path / FILE)!r} can't be read: {error}. Delete it, or write it "
            "again with train_meta_models."
        ) from error
    if not found or tuple(found["compared"].tolist()) != META_FEATURES[task]:
        return None
    if tuple(found["names"].tolist()) != names:
        return None
    experience = _experience_of(found, task)
    return MetaModel(meta_model).restore(experience, task, found)


def _arrays_of(experience: Experience, task: str) -> Arrays:
    """The prior tasks as arrays."""
    table = experience.tasks
    features = table.reindex(columns=list(META_FEATURES[task])).to_numpy(dtype=float)
    found = {
        "names": np.array(experience.names),
        "tasks": table.index.to_numpy(dtype=str),
        "family": table["family"].to_numpy(dtype=str),
        "features": features,
        "compared": np.array(META_FEATURES[task]),
        "metrics": np.array(list(experience.histories)),
        "seconds": experience.log_seconds.astype(np.float16),
    }
    for metric, history in experience.histories.items():
        found[f"h/{metric}"] = history.h.astype(np.float16)
        found[f"rows/{metric}"] = experience.rows(metric).astype(np.int16)
    return found


def _experience_of(found: Arrays, task: str) -> Experience:
    """Inverse of :func:`_arrays_of`."""
    table = pd.DataFrame(
        found["features"],
        index=pd.Index(found["tasks"].tolist(), name="task"),
        columns=list(META_FEATURES[task]),
    )
    table["family"] = found["family"].tolist()
    names = tuple(found["names"].tolist())
    seconds, histories = found["seconds"].astype(float), {}
    for metric in found["metrics"].tolist():
        rows = found[f"rows/{metric}"]
        h = found[f"h/{metric}"].astype(float)
        histories[metric] = History(names, table.iloc[rows], h, seconds[rows])
    return Experience(names, table, histories, seconds)
