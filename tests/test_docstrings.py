"""Docstrings of everything public are complete, by numpydoc's rules."""

import inspect
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

validate = pytest.importorskip("numpydoc.validate").validate

MODULES = ("sk_meta", "sk_meta.plots", "sk_meta.callbacks")
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
with PYPROJECT.open("rb") as file:
    EXCLUDED = set(tomllib.load(file)["tool"]["numpydoc_validation"]["checks"]) - {
        "all"
    }


def public_names():
    """Dotted names of the public objects and of what is ours in the classes."""
    for module in map(import_module, MODULES):
        for name in module.__all__:
            thing = getattr(module, name)
            yield f"{module.__name__}.{name}"
            if inspect.isclass(thing):
                yield from (
                    f"{module.__name__}.{name}.{part}"
                    for part in dir(thing)
                    if is_ours(thing, part)
                )


def is_ours(thing, name):
    """Whether a public method or property is written here, and documented there."""
    if name.startswith("_"):
        return False
    owner = next(owner for owner in thing.__mro__ if name in vars(owner))
    part = inspect.getattr_static(owner, name)
    if not owner.__module__.startswith("sk_meta") or not hasattr(part, "__get__"):
        return False
    # One that overrides another may point to its documentation.
    return "; see :meth:`" not in (part.__doc__ or "")


def test_methods_are_found():
    names = list(public_names())
    assert "sk_meta.MetaLearnerClassifier.recommend" in names
    assert "sk_meta.MetaLearnerEstimator.predict_proba" in names
    assert "sk_meta.KnowledgeBase.load" in names
    assert "sk_meta.MetaLearnerClassifier.get_params" not in names


@pytest.mark.parametrize("name", list(public_names()))
def test_docstring(name):
    found = [f"{c}: {t}" for c, t in validate(name)["errors"] if c not in EXCLUDED]
    assert found == []
