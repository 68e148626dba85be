"""A fitted pipeline as the source of a short script that makes it again.

Only parameters that differ from their defaults are written, and classes are imported
from where they are public.
"""

from __future__ import annotations

import inspect
import keyword
from ast import literal_eval
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from operator import methodcaller
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

_WIDTH, _TAB = 88, 4
_ALIASES = {"numpy": "np", "pandas": "pd"}
# Modules that are imported as a whole: their functions are known by it.
_WHOLE = (*_ALIASES, "re", "datetime")
_STANDARD = ("datetime", "functools", "operator", "re")
# First arguments that need no name.
_PLAIN = ("steps", "transformers", "func", "estimators", "estimator", "regressor")


@dataclass(frozen=True)
class _Group:
    """Something in brackets: a call, list, tuple or dict."""

    opening: str
    closing: str
    items: tuple[tuple[str, _Source], ...]  # what stands before an item, and the item


_Source = str | _Group


@dataclass
class Script:
    """Source of objects, with the imports that it needs.

    Attributes
    ----------
    modules : set of str
        Imported as a whole.
    names : dict of str to set of str
        Imported names of each module.
    framed : bool
        Whether what is written is inside something that returns frames, and then
        does, too.
    """

    modules: set[str] = field(default_factory=set)
    names: dict[str, set[str]] = field(default_factory=dict)
    framed: bool = False

    def source(self, value, indent: int = 0, used: int = 0) -> str:
        """Source of an object, broken into lines where it is too long.

        Parameters
        ----------
        value : object
        indent : int, default=0
            Spaces before the line that it is on.
        used : int, default=0
            Characters on that line that are not of the object.

        Returns
        -------
        str

        Raises
        ------
        ValueError
            If it can't be written, such as a function without a name.
        """
        return _laid_out(self._tree(value), indent, used)

    def imports(self) -> str:
        """The import statements, sorted, the standard library first."""
        blocks = []
        for standard in (True, False):
            lines = [
                f"import {name} as {_ALIASES[name]}" if name in _ALIASES
                else f"import {name}"
                for name in sorted(self.modules)
                if (name in _STANDARD) == standard
            ]  # fmt: skip
            lines += [
                _import_line(module, self.names[module])
                for module in sorted(self.names)
                if (module in _STANDARD) == standard
            ]
            blocks.append("\n".join(lines))
        return "\n\n".join(block for block in blocks if block)

    def _tree(self, value) -> _Source:
        if value is None or isinstance(value, (bool, np.bool_)):
            return repr(value if value is None else bool(value))
        if isinstance(value, (np.datetime64, np.timedelta64)):
            number, unit = value.astype(int), np.datetime_data(value.dtype)[0]
            kind = f"{self._module('numpy')}.{type(value).__name__}"
            return _call(kind, [("", str(number)), ("", _text(unit))])
        if isinstance(value, (int, float, np.number)):
            return self._number(value)
        if isinstance(value, str):
            return _text(value)
        if isinstance(value, (list, tuple, set, dict, np.ndarray)):
            return self._container(value)
        if isinstance(value, _Named):
            return value.name
        if isinstance(value, slice):
            ends = (value.start, value.stop, value.step)
            return _call("slice", [("", self._tree(end)) for end in ends])
        if isinstance(value, np.ufunc):
            return f"{self._module('numpy')}.{value.__name__}"
        if hasattr(value, "__qualname__"):  # a class or function
            return self._public(value)
        if callable(value) and not hasattr(value, "get_params"):
            return self._callable(value)
        return self._object(value)

    def _number(self, value) -> str:
        value = value.item() if isinstance(value, np.number) else value
        if isinstance(value, float) and not np.isfinite(value):
            sign = "-" if value < 0 else ""
            return f"{sign}{self._module('numpy')}.{'nan' if value != value else 'inf'}"
        return repr(value).replace("e+", "e")

    def _container(self, value) -> _Source:
        if isinstance(value, np.ndarray):
            name = f"{self._module('numpy')}.array"
            kind = [] if value.dtype.kind in "fiubU" else [("dtype=", "object")]
            return _call(name, [("", self._tree(value.tolist())), *kind])
        if isinstance(value, dict):
            items = [(f"{self.source(key)}: ", self._tree(item))
                     for key, item in value.items()]  # fmt: skip
            return _Group("{", "}", tuple(items))
        if exponents := _powers_of_ten(value):
            numbers = [("", repr(number)) for number in exponents]
            spaced = _call(f"{self._module('numpy')}.logspace", numbers)
            return _call(type(value).__name__, [("", spaced)])
        if isinstance(value, set):
            items = [("", self._tree(item)) for item in sorted(value)]
            return _Group("{", "}", tuple(items)) if items else "set()"
        opening, closing = "()" if isinstance(value, tuple) else "[]"
        return _Group(
            opening, closing, tuple(("", self._tree(item)) for item in value)
        )

    def _callable(self, value) -> _Source:
        """What calls a function or a method with arguments that it holds."""
        keywords: dict = {}
        if isinstance(value, partial):
            first, keywords = [value.func, *value.args], value.keywords
        elif isinstance(value, methodcaller):
            reduced: Any = value.__reduce__()
            made, first = reduced
            if isinstance(made, partial):
                first, keywords = [*made.args, *first], made.keywords
        else:
            return self._object(value)
        arguments = [("", self._tree(item)) for item in first]
        arguments += [(f"{k}=", self._tree(item)) for k, item in keywords.items()]
        return _call(self._public(type(value)), arguments)

    def _object(self, value) -> _Source:
        """A call of its class with what is not as by default."""
        name = self._public(type(value))
        parameters = _changed(value)
        arguments: list[tuple[str, _Source]] = []
        output = _output(value)
        with self.inside(output):
            for key, item in parameters.items():
                plain = key in _PLAIN and not arguments and _is_first(type(value), key)
                arguments.append(("" if plain else f"{key}=", self._tree(item)))
        if output is None or self.framed:
            return _call(name, arguments)
        end = f").set_output(transform={_text(output)})"
        return _Group(f"{name}(", end, tuple(arguments))

    @contextmanager
    def inside(self, output: str | None) -> Iterator[None]:
        """Write what is inside something with an output of its own.

        Parameters
        ----------
        output : str or None
            None if it has none.
        """
        before = self.framed
        self.framed = before or output is not None
        yield
        self.framed = before

    def _public(self, thing) -> str:
        """Name of a class or function, which is imported."""
        module, name = _public_place(thing)
        if module == "builtins":
            return name
        if module in _WHOLE:
            return f"{self._module(module)}.{name}"
        self.names.setdefault(module, set()).add(name)
        return name

    def _module(self, name: str) -> str:
        self.modules.add(name)
        return _ALIASES.get(name, name)


@dataclass(frozen=True)
class _Named:
    """Stands for an object that has a name in the script."""

    name: str


def function_source(pipeline: Pipeline, script: Script, name: str) -> str:
    """Source of a function that makes a pipeline.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted or not.
    script : Script
        Gets the imports.
    name : str
        Name of the function.

    Returns
    -------
    str
        The transformers of different columns have names of their own in it.
    """
    lines: list[str] = []
    steps = []
    taken: set[str] = set()
    for step, value in pipeline.steps:
        if isinstance(value, ColumnTransformer):
            output = _output(value)
            with script.inside(output):
                blocks = [
                    (key, _named(key, block, script, lines, taken), columns)
                    for key, block, columns in value.transformers
                ]
            changed = {**value.get_params(deep=False), "transformers": blocks}
            value = type(value)(**changed)
            if output is not None:
                value._sklearn_output_config = {"transform": output}
            value = _named(step, value, script, lines, taken)
        steps.append((step, value))
    changed = {**pipeline.get_params(deep=False), "steps": steps}
    made = script.source(type(pipeline)(**changed), _TAB, len("    return "))
    return "\n".join([f"def {name}():", *lines, f"    return {made}"])


def script_of(
    pipeline: Pipeline, *, title: str = "A pipeline.", before: Iterable[str] = ()
) -> str:
    """Source of a script that makes a pipeline and a function that fits it.

    Parameters
    ----------
    pipeline : Pipeline
    title : str, default="A pipeline."
        What the script says that it is.
    before : iterable of str, default=()
        Statements that bring ``X`` and ``y`` into the form that they were fitted in;
        they may use NumPy and pandas.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If something in the pipeline has no importable name.
    """
    script = Script()
    make = function_source(pipeline, script, "make_pipeline")
    statements = [*before, "return make_pipeline().fit(X, y)"]
    for module, alias in _ALIASES.items():
        if any(f"{alias}." in statement for statement in statements):
            script.modules.add(module)
    fit = "\n".join([
        "def fit(X, y):",
        '    """Fit the pipeline to a table and its target."""',
        *(f"    {statement}" for statement in statements),
    ])  # fmt: skip
    end = (
        "pipeline = make_pipeline()  # to fit it: model = fit(X, y), model.predict(X)"
    )
    return "\n\n\n".join([
        f'"""{title}"""\n\n{script.imports()}', make, fit, end,
    ]) + "\n"  # fmt: skip


def _named(name: str, value, script: Script, lines: list[str], taken: set[str]):
    """Give an object a name in the function, if its own can be one."""
    if isinstance(value, str) or not name.isidentifier() or keyword.iskeyword(name):
        return value
    imported = {*script.modules, *_ALIASES.values()}.union(*script.names.values())
    if name in taken | imported:
        return value
    taken.add(name)
    made = script.source(value, _TAB, len(f"    {name} = "))
    lines.append(f"    {name} = {made}")
    return _Named(name)


def _output(value) -> str | None:
    """What was asked for by ``set_output``, which is no parameter."""
    return getattr(value, "_sklearn_output_config", {}).get("transform")


def _changed(value) -> dict:
    """Parameters that are not as by default."""
    defaults: dict = {}
    for cls in reversed(type(value).__mro__):
        if "__init__" in vars(cls):
            signature = inspect.signature(vars(cls)["__init__"])
            defaults.update((p.name, p.default) for p in signature.parameters.values())
    if hasattr(value, "get_params"):
        parameters = value.get_params(deep=False)
    else:
        names = list(inspect.signature(type(value)).parameters)
        if missing := [name for name in names if not hasattr(value, name)]:
            raise ValueError(
                f"{value!r} can't be written as code: it has no attributes {missing} "
                "to read its parameters from."
            )
        parameters = {name: getattr(value, name) for name in names}
    order = list(inspect.signature(type(value)).parameters)
    known = {key: parameters[key] for key in order if key in parameters}
    return {
        key: item
        for key, item in {**known, **parameters}.items()
        if not _same(item, defaults.get(key, inspect.Parameter.empty))
    }


def _same(first, second) -> bool:
    """Whether two parameters are the same."""
    if first is second:
        return True
    if isinstance(first, float) and isinstance(second, float) and first != first:
        return second != second
    if type(first) is not type(second):
        return False
    if hasattr(first, "get_params") and not isinstance(first, type):
        ours, theirs = first.get_params(deep=False), second.get_params(deep=False)
        return ours.keys() == theirs.keys() and all(
            _same(ours[key], theirs[key]) for key in ours
        )
    if isinstance(first, (str, int, float, tuple, list)):
        return first == second
    return False


def _is_first(cls: type, key: str) -> bool:
    first = next(iter(inspect.signature(cls).parameters.values()))
    return first.name == key and first.kind is first.POSITIONAL_OR_KEYWORD


def _public_place(thing) -> tuple[str, str]:
    """The shortest module that has a class or function, and its name there."""
    name, parts = thing.__name__, (thing.__module__ or "builtins").split(".")
    if parts[0] == "_operator":
        parts = ["operator"]
    if parts[0] != "__main__" and "<" not in thing.__qualname__:
        for end in range(1, len(parts) + 1):
            module = ".".join(parts[:end])
            if getattr(import_module(module), name, None) is thing:
                return module, name
    raise ValueError(
        f"{thing.__qualname__!r} of {thing.__module__!r} can't be imported by a "
        "script. Define it in a module, under a name of its own."
    )


def _powers_of_ten(values) -> tuple[int, int, int] | None:
    """Exponents and number of values that ``numpy.logspace`` makes."""
    if len(values) < 4 or not all(isinstance(v, float) and v > 0 for v in values):
        return None
    numbers = [float(value) for value in values]
    if not np.isfinite(numbers).all():
        return None
    low, high = (round(float(np.log10(value))) for value in (numbers[0], numbers[-1]))
    found = np.logspace(low, high, len(numbers)).tolist() == numbers
    return (low, high, len(numbers)) if found else None


def _text(value: str) -> str:
    """A string in double quotes, raw where it holds backslashes."""
    shown = repr(value)
    if '"' in value or not value.isprintable():
        return shown
    if "\\" in value and not value.endswith("\\"):
        return f'r"{value}"'
    escaped = value.replace("\\", "\\\\")
    return f'"{escaped}"'


def _call(name: str, arguments: Iterable[tuple[str, _Source]]) -> _Group:
    return _Group(f"{name}(", ")", tuple(arguments))


def _laid_out(source: _Source, indent: int, used: int) -> str:
    """On one line if it fits, else one item a line."""
    if isinstance(source, str):
        return source
    flat = _flat(source)
    # A comma or a bracket may follow.
    if used + len(flat) < _WIDTH or not source.items:
        return flat
    inner = indent + _TAB
    lines = [
        f"{' ' * inner}{start}{_item(item, inner, inner + len(start))},\n"
        for start, item in source.items
    ]
    return f"{source.opening}\n{''.join(lines)}{' ' * indent}{source.closing}"


def _item(source: _Source, indent: int, used: int) -> str:
    """Something in brackets, where a string may be in pieces on several lines."""
    whole = _laid_out(source, indent, used)
    if used + len(whole) < _WIDTH or not whole.startswith(('"', "'", 'r"')):
        return whole
    pieces = [""]
    for character in literal_eval(whole):
        if used + len(_text(pieces[-1] + character)) >= _WIDTH:
            pieces.append("")
            used = indent
        pieces[-1] += character
    return f"\n{' ' * indent}".join(map(_text, pieces))


def _flat(source: _Source) -> str:
    if isinstance(source, str):
        return source
    items = ", ".join(f"{start}{_flat(item)}" for start, item in source.items)
    alone = "," if source.opening == "(" and len(source.items) == 1 else ""
    return f"{source.opening}{items}{alone}{source.closing}"


def _import_line(module: str, names: set[str]) -> str:
    """One import statement, constants before classes before functions."""
    ordered = sorted(names, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= _WIDTH:
        return line
    lines = "".join(f"    {name},\n" for name in ordered)
    return f"from {module} import (\n{lines})"


def code_of(model) -> str:
    """Source of a script that makes the best pipeline of a fitted estimator.

    Parameters
    ----------
    model : MetaLearnerEstimator, MetaLearnerClassifier or MetaLearnerRegressor
        Fitted.

    Returns
    -------
    str
    """
    name = model.best_params_["configuration"]
    title = f"Pipeline {name!r}"
    if np.isfinite(model.best_score_):
        title += f", whose mean score in cross-validation was {model.best_score_:.4g}"
    title = title.replace("\\", "/").replace('"', "'") + "."
    before = [*_table(model), f"y = {_target(getattr(model, 'classes_', None))}"]
    return script_of(model.best_estimator_, title=title, before=before)


def _table(model) -> list[str]:
    """How ``fit`` has brought X into its form."""
    if model.container_ != "frame":
        return []
    package = model._package_of_X
    frame: dict[str, list[str]] = {
        "pandas": [],
        "polars": ["X = X.to_pandas()"],
        "pyarrow": ["X = X.to_pandas(date_as_object=False)"],
    }
    lines = frame.get(package, ["X = pd.DataFrame(X).infer_objects()"])
    numbered = model.columns_["column"].tolist() == list(range(model.n_features_in_))
    if package in frame and numbered:  # names may be there twice
        return [*lines, "X = X.set_axis(range(X.shape[1]), axis=1)"]
    return lines


def _target(classes) -> str:
    """How ``fit`` has brought y into its form."""
    kind = classes.dtype.kind if isinstance(classes, np.ndarray) else ""
    if classes is None:
        return "np.asarray(y, dtype=float)"
    return {"U": "np.asarray(y).astype(str)", "b": "np.asarray(y).astype(bool)"}.get(
        kind, "np.asarray(y)"
    )
