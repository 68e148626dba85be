"""The shape of the package: arrows point one way, nothing is large or loud."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sk_meta

ROOT = Path(sk_meta.__file__).parent
# A module imports only from modules above it.
ORDER = (
    "_together",
    "_log",
    "_old_callbacks",
    "_compat",
    "_kinds",
    "_texts",
    "_columns",
    "_table",
    "_sample",
    "_registry",
    "_measures",
    "_metafeatures",
    "_catalogue",
    "_scoring",
    "_checks",
    "_card",
    "_normal_scores",
    "_knowledge",
    "_priors",
    "_history",
    "_belief",
    "_clock",
    "_scale",
    "_novelty",
    "_calibration",
    "_metamodel",
    "_pretrained",
    "_relatives",
    "_recommendation",
    "_memory",
    "_budget",
    "_encoded",
    "_evaluation",
    "_validation",
    "_splits",
    "_folds",
    "_problem",
    "_findings",
    "_shared",
    "_unit",
    "_calls",
    "_forkserver",
    "_executors",
    "_workers",
    "_racing",
    "_proposals",
    "_runs",
    "_standings",
    "_record",
    "_conditioning",
    "_strategy",
    "_checkpoint",
    "_search",
    "_temperature",
    "_greedy",
    "_selection",
    "_restarts",
    "_ensemble",
    "_refit",
    "_report",
    "_steps",
    "_explain",
    "_summary",
    "_tasks",
    "callbacks",
    "_show_versions",
    "plots",
    "_html_tables",
    "_html",
    "_code",
    "_inspection",
    "_base",
    "_estimator",
    "_saving",
    "__init__",
    "_cli",
    "__main__",
)
MAX_COMPAT, MAX_MODULE, MAX_BODY = 60, 600, 80
OPTIONAL = ("matplotlib", "lightgbm", "xgboost", "catboost", "skrub", "torch", "polars")
FILES = sorted(path for path in ROOT.rglob("*.py"))
every_file = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: str(path.relative_to(ROOT))
)


def parse(path):
    return ast.parse(path.read_text(encoding="utf8"))


def dotted(path):
    """Name of a module inside the package: ("_catalogue", "_linear")."""
    return path.relative_to(ROOT).with_suffix("").parts


def imported(path):
    """Modules of the package that a file imports, as tuples of names."""
    package = dotted(path)[:-1]
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                head, *rest = alias.name.split(".")
                if head == "sk_meta":
                    yield tuple(rest) or ("__init__",)
        elif isinstance(node, ast.ImportFrom):
            parts = tuple((node.module or "").split(".")) if node.module else ()
            if node.level:
                base = package[: len(package) - node.level + 1] + parts
            elif parts[:1] == ("sk_meta",):
                base = parts[1:]
            else:
                continue
            for alias in node.names:
                yield from as_modules(base, alias.name)


def as_modules(base, name):
    """What ``from base import name`` loads: a module, or a name in one."""
    folder = ROOT.joinpath(*base)
    if (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file():
        yield (*base, name)
    else:
        yield base or ("__init__",)


def test_every_module_has_its_place_in_the_order():
    top = {path.stem for path in ROOT.glob("*.py")}
    folders = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert top | folders - {"data"} <= set(ORDER)


@every_file
def test_imports_point_upwards(path):
    here = dotted(path)[0]
    for module in imported(path):
        if module[0] != here:
            assert ORDER.index(module[0]) < ORDER.index(here), f"{path.name}: {module}"


def test_imports_are_found_at_all():
    found = set(imported(ROOT / "_metamodel.py"))
    assert {("_belief",), ("_history",), ("_priors",)} <= found
    assert ("_table",) in set(imported(ROOT / "_catalogue" / "_kernel.py"))


def test_no_cycle_inside_the_catalogue():
    folder = ROOT / "_catalogue"
    needs = {
        path.stem: {
            module[1] if len(module) > 1 else "__init__"
            for module in imported(path)
            if module[0] == "_catalogue"
        }
        for path in folder.glob("*.py")
    }
    assert any(needs.values())
    while needs:
        free = {name for name, others in needs.items() if not others & set(needs)}
        assert free, f"cycle among {sorted(needs)}"
        needs = {name: others for name, others in needs.items() if name not in free}


def test_only_compat_knows_private_names_of_scikit_learn():
    guilty = set()
    for path in FILES:
        for node in ast.walk(parse(path)):
            if not isinstance(node, ast.ImportFrom) or node.level:
                continue
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
            private = [n for n in names if n.startswith("_") and n != "__version__"]
            if names[0] == "sklearn" and private:
                guilty.add(path.name)
    assert guilty == {"_compat.py"}


def test_compat_stays_small():
    n_lines = len((ROOT / "_compat.py").read_text(encoding="utf8").splitlines())
    assert n_lines < MAX_COMPAT


@every_file
def test_modules_are_short(path):
    assert len(path.read_text(encoding="utf8").splitlines()) <= MAX_MODULE


@every_file
def test_function_bodies_are_short(path):
    long = {}
    for node in ast.walk(parse(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body
            if ast.get_docstring(node) is not None:
                body = body[1:]
            n_lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            if n_lines > MAX_BODY:
                long[node.name] = n_lines
    assert long == {}


@every_file
def test_nothing_is_printed(path):
    calls = [
        node.lineno
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "pprint")
    ]
    assert calls == []


@every_file
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(parse(path)) or path.parent.name == "data"


def printed_by(script):
    """What a script prints in a new process."""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT.parent,
    )
    return result.stdout


def test_import_loads_no_optional_library():
    script = (
        "import sys, sk_meta\n"
        f"print([name for name in {OPTIONAL!r} if name in sys.modules])"
    )
    assert printed_by(script).strip() == "[]"


def test_a_table_without_dates_and_text_needs_no_skrub():
    # Importing it takes about a second, in the caller and in every worker.
    script = """
import sys
from sklearn.datasets import load_iris
from sk_meta import MetaLearnerClassifier
X, y = load_iris(return_X_y=True, as_frame=True)
X = X.assign(constant=1.0, long=X.iloc[:, 0] > 5.8, size=["s", "m", "l"] * 50)
MetaLearnerClassifier(n_candidates=8, random_state=0).fit(X, y)
print("skrub" in sys.modules)
"""
    assert printed_by(script).strip() == "False"


def test_optional_libraries_are_not_imported_in_a_thread():
    # CatBoost imports polars. A thread that did it, for a model that a worker has sent,
    # left half of polars to scikit-learn, which fell over it in another thread.
    pytest.importorskip("catboost")
    script = """
import sys
from threading import current_thread
from sklearn.datasets import load_iris
from sk_meta import MetaLearnerClassifier
class Watch:
    def find_spec(name, path=None, target=None):
        if name == "catboost":
            print(current_thread().name)
sys.meta_path.insert(0, Watch)
X, y = load_iris(return_X_y=True, as_frame=True)
MetaLearnerClassifier(
    candidates=["catboost"], n_candidates=1, cv=2, n_jobs=2, random_state=0,
).fit(X, y)
"""
    assert set(printed_by(script).split()) == {"MainThread"}


def test_public_names_exist_and_are_documented():
    for name in sk_meta.__all__:
        assert getattr(sk_meta, name).__doc__


def test_public_names_of_the_package_are_only_those_of_all():
    public = {
        name
        for name, value in vars(sk_meta).items()
        if not name.startswith("_") and name != "annotations"
    }
    assert public - set(sk_meta.__all__) <= {"callbacks", "data", "plots"}
