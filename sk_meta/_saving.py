"""Write estimators to files and read them again, without pickle.

A file of skops names the types of everything in it. What :func:`load` trusts is listed
here, by package and name, and nothing else is made.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import methodcaller
from pathlib import Path
from pickle import Pickler
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile

from sklearn.metrics import get_scorer, get_scorer_names

# Names of types and functions by package; skops itself trusts the estimators of
# scikit-learn. Where in a package they are changes from version to version.
_TRUSTED = {
    "builtins": "len",
    "catboost": "CatBoostClassifier CatBoostRegressor",
    "collections": "OrderedDict",
    "datetime": "timedelta timezone",
    "functools": "partial",
    "lightgbm": "Booster LGBMClassifier LGBMRegressor",
    "numpy": "asarray clip dtype nan_to_num",
    "operator": "methodcaller",
    "pandas": "DataFrame DatetimeTZDtype to_datetime to_numeric to_timedelta",
    "re": "sub",
    "scipy": "BSpline asarray csr_array csr_matrix",
    "sk_meta": "MetaLearnerClassifier MetaLearnerEstimator MetaLearnerRegressor "
    "WeightedEnsemble",
    "sklearn": "AdamOptimizer BallTree Bunch ConstantKernel EuclideanDistance64 "
    "GroupKFold KDTree KFold ManhattanDistance64 Matern Product RBF "
    "RepeatedKFold RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold "
    "StratifiedKFold StratifiedShuffleSplit Sum TimeSeriesSplit Tree TreePredictor "
    "WhiteKernel _BinMapper _BinaryGaussianProcessClassifierLaplace "
    "_CalibratedClassifier _PassthroughScorer _Scorer _SigmoidCalibration",
    "skrub": "All And ApplyToCols ApplyToEachCol CheckInputDataFrame CleanCategories "
    "CleanNullStrings Cols DatetimeEncoder DropUninformative DurationToFloat Filter "
    "OnEachColumn PassThrough ShortReprDict StringEncoder Sub TableVectorizer "
    "ToCategorical ToDatetime ToFloat ToFloat32 ToStr _cardinality_below "
    "_created_by_predicate is_any_date is_categorical is_numeric",
    "xgboost": "Booster XGBClassifier XGBRegressor",
}
# Methods of frames that a loaded pipeline may call; the first argument of the others
# is a function, one of those above.
_METHODS = ("astype", "div", "replace")
_METHODS_OF_FUNCTIONS = ("apply", "map")


def save(estimator, path: str | os.PathLike) -> None:
    """Write a fitted estimator to a file that :func:`load` reads without pickle.

    Needs the package skops: ``pip install 'sk-meta[save]'``. The alternative is
    ``joblib.dump(estimator, path)``, whose files run whatever code is in them when
    they are loaded: load only your own. Both need the same versions of the packages
    where they are loaded; ``best_estimator_`` alone does not need sk_meta there.

    Parameters
    ----------
    estimator : estimator
        A fitted one of ours, its ``best_estimator_``, or a pipeline around them.
    path : str or path
        File to write, by custom with the ending ".skops". It is replaced only when all
        is written.

    Raises
    ------
    ImportError
        If skops is not installed.
    ValueError
        If something in it can't be written, such as a `knowledge` that is not a path.

    Warns
    -----
    UserWarning
        If :func:`load` will have to be told to trust types of your own.

    See Also
    --------
    load : Read it again.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_meta import MetaLearnerClassifier, load, save
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MetaLearnerClassifier(candidates="linear", n_candidates=1).fit(X, y)
    >>> save(model, "iris.skops")  # doctest: +SKIP
    >>> load("iris.skops").predict(X)  # doctest: +SKIP
    """
    skops = _skops()
    try:
        data = skops.dumps(estimator, compression=ZIP_DEFLATED)
        unknown = _unknown(skops.get_untrusted_types(data=data))
    except Exception as error:
        raise ValueError(
            f"{type(estimator).__name__} can't be written by skops: {error}. Give "
            "knowledge as a folder and cv as a splitter, or use joblib.dump."
        ) from error
    if unknown:
        warnings.warn(
            f"To load {os.fspath(path)!r} again, say that you trust these types: "
            f"load(path, trusted={unknown}).",
            UserWarning,
            stacklevel=2,
        )
    with replacing(path) as part:
        part.write_bytes(data)


def load(path: str | os.PathLike, *, trusted: Iterable[str] = ()):
    """Read an estimator that :func:`save` wrote.

    The file can't run code of its own. That the types in it are known does not say
    that their contents are sound, though: who made it decides what it predicts, and
    damaged trees may crash the process.

    Parameters
    ----------
    path : str or path
        File to read.
    trusted : iterable of str, default=()
        Full names of types of your own that it may hold, such as "my_module.MyModel".

    Returns
    -------
    estimator : estimator
        As it was written.

    Raises
    ------
    ImportError
        If skops is not installed.
    ValueError
        If it is not a file of :func:`save`, or holds types that are not trusted; the
        message names them.
    """
    skops = _skops()
    data = Path(path).read_bytes()  # once, so that what is loaded is what was checked
    try:
        names = skops.get_untrusted_types(data=data)
    except (BadZipFile, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{os.fspath(path)!r} is not a file that sk_meta.save wrote ({error}). A "
            "file of joblib is read by joblib.load, if you trust it."
        ) from error
    unknown = [name for name in _unknown(names) if name not in set(trusted)]
    if unknown:
        raise ValueError(
            f"{os.fspath(path)!r} holds types that are not trusted: {unknown}. If you "
            "know them, and who made the file, pass them as trusted=[...]."
        )
    estimator = skops.loads(data, trusted=names)
    try:
        unknown = _unknown_methods(estimator)
    except Exception as error:  # of pickle's, about an object that it can't visit
        raise ValueError(
            f"{os.fspath(path)!r} holds what can't be looked through: {error}. Don't "
            "use it."
        ) from error
    if unknown:
        raise ValueError(
            f"{os.fspath(path)!r} holds calls that none of our pipelines makes: "
            f"{unknown}. Don't use it."
        )
    return estimator


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """A file in the place of which another one comes when it is written whole.

    Parameters
    ----------
    path : str or path

    Yields
    ------
    Path
        To write to, in the same folder.
    """
    path = Path(path)
    part = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _skops():
    try:
        import skops.io
    except ImportError as error:
        raise ImportError(
            "Saving and loading needs skops: pip install 'sk-meta[save]'. Without it "
            "use joblib.dump and joblib.load."
        ) from error
    return skops.io


def _unknown(names: Iterable[str]) -> list[str]:
    """Those of the types that are not trusted."""
    return [name for name in names if not _is_known(name)]


def _is_known(name: str) -> bool:
    package, last = name.split(".")[0], name.rpartition(".")[2]
    if last in _TRUSTED.get(package, "").split():
        return True
    return name.startswith("sklearn.metrics.") and last in _score_functions()


def _score_functions() -> set[str]:
    """Names of the functions behind scikit-learn's scorers."""
    return {get_scorer(name)._score_func.__name__ for name in get_scorer_names()}


def _unknown_methods(estimator) -> list[str]:
    """Methods that it would call, other than those of our pipelines.

    Looked for in the estimator, which has called nothing yet: in a file, an object can
    be told to stand for another one.
    """
    audit = _Audit()
    audit.dump(estimator)
    return audit.unknown


class _Nowhere:
    """A file that takes no memory."""

    def write(self, data) -> int:
        return len(data)


class _Audit(Pickler):
    """Visits every object; what it writes is thrown away."""

    def __init__(self):
        super().__init__(_Nowhere())
        self.unknown: list[str] = []

    def reducer_override(self, value):
        if isinstance(value, methodcaller) and not _calls_ours(value):
            self.unknown.append(repr(value))
        return NotImplemented


def _calls_ours(call: methodcaller) -> bool:
    reduced: Any = call.__reduce__()
    made, (name, *rest) = reduced
    if made is not methodcaller:  # with keywords, which skops does not write
        return False
    if name in _METHODS_OF_FUNCTIONS:
        # A name in the place of the function would be a method of any kind.
        return bool(rest) and (rest[0] is len or isinstance(rest[0], partial))
    return name in _METHODS
