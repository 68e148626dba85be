"""What is installed: the first thing to put into a bug report."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from joblib import cpu_count

from ._knowledge import read

NOT_INSTALLED = "not installed"
_PACKAGES = ("sk-meta", "scikit-learn", "numpy", "scipy", "joblib", "pandas", "skrub",
             "lightgbm", "xgboost", "xgboost-cpu", "catboost", "polars")  # fmt: skip


def show_versions() -> None:
    """Write versions, processors and the knowledge base to the standard output.

    Examples
    --------
    >>> from sk_meta import show_versions
    >>> show_versions()  # doctest: +ELLIPSIS
    python: ...
    """
    sys.stdout.write("".join(f"{name}: {fact}\n" for name, fact in versions().items()))


def versions() -> dict[str, str]:
    """Versions, processors and the knowledge base by name.

    Returns
    -------
    dict of str to str
    """
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processors": str(cpu_count()),
        **{name: _version(name) for name in _PACKAGES},
        "knowledge base": f"{read().card['made']}, {read().card['sha256'][:12]}",
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "from its source" if name == "sk-meta" else NOT_INSTALLED
