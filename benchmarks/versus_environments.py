"""Where the tools that ``versus.py`` compares live, and processes that are watched.

Every tool has a virtual environment of its own, made with pip by package name;
sk_meta's are installed from this checkout.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
RUNNER = Path(__file__).with_name("versus_runner.py")
RAW = CHECKOUT / "benchmarks" / "raw"
ENVIRONMENTS, KNOWLEDGE = RAW / "environments", RAW / "versus" / "knowledge"


@dataclass(frozen=True)
class Tool:
    """Where a tool lives and for how long it is asked."""

    environment: str
    seconds: tuple[float, ...] = (30,)


TOOLS = {
    "sk_meta": Tool("sk_meta", (10, 30, 60)),
    "sk_meta_boosting": Tool("sk_meta_boosting", (10, 30, 60)),
    "flaml": Tool("flaml", (10, 30, 60)),
    "autogluon": Tool("autogluon", (10, 30, 60)),
    "autogluon_best": Tool("autogluon"),
    "mljar": Tool("mljar"),
    "tpot": Tool("tpot"),
    "lightautoml": Tool("lightautoml"),
    "skrub": Tool("skrub"),
    "hist_gradient_boosting": Tool("scikit-learn"),
    "random_search": Tool("scikit-learn"),
}
# What pip is given, call by call. "{checkout}" is a copy of this repository.
PACKAGES = {
    "sk_meta": (["{checkout}"],),
    "sk_meta_boosting": (["{checkout}[boosting]"],),
    "flaml": (["flaml[automl]", "catboost"],),
    "autogluon": (["torch==2.13.0"], ["autogluon.tabular[all]"]),
    "mljar": (["mljar-supervised"],),
    "tpot": (["tpot"],),
    "lightautoml": (["torch==2.13.0"], ["lightautoml"]),
    "skrub": (["skrub"],),
    "scikit-learn": (["scikit-learn", "pandas"],),
}


def python_of(environment: str) -> Path:
    """Interpreter of an environment."""
    return ENVIRONMENTS / environment / "bin" / "python"


def missing(environment: str, reinstall: bool) -> str | None:
    """Make an environment if there is none; why it can't be made, or None."""
    folder = ENVIRONMENTS / environment
    done, failed = folder / "installed.txt", folder / "failed.txt"
    ours = environment.startswith("sk_meta")
    if done.exists() and not (reinstall and ours):
        return None
    if failed.exists() and not reinstall:
        return failed.read_text(encoding="utf8")
    print(f"installing {environment}", flush=True)
    pip = [python_of(environment), "-m", "pip", "install", "-q"]
    if done.exists():
        pip += ["--force-reinstall", "--no-deps"]
    elif not python_of(environment).exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    with tempfile.TemporaryDirectory() as copy:
        if ours:
            copy_checkout(Path(copy))
        for packages in PACKAGES[environment]:
            named = [package.format(checkout=copy) for package in packages]
            outcome = subprocess.run([*pip, *named], capture_output=True, text=True)
            if outcome.returncode:
                why = last_line(outcome.stderr)
                failed.write_text(why, encoding="utf8")
                return why
    failed.unlink(missing_ok=True)
    done.write_text(f"{PACKAGES[environment]}\n", encoding="utf8")
    return None


def copy_checkout(folder: Path) -> None:
    """What setuptools needs, since it would leave its build folder in the checkout."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "sk_meta", folder / "sk_meta", ignore=ignore)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(CHECKOUT / name, folder)


def last_line(text: str) -> str:
    """Last line that says something, notices of pip aside."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    lines = [line for line in lines if "[notice]" not in line] or ["(no output)"]
    return lines[-1].strip()[:500]


def knowledge_without(family: str, environment: str) -> Path:
    """Folder of a knowledge base without a family; made once per knowledge base."""
    data = next((ENVIRONMENTS / environment).glob("lib/*/site-packages/sk_meta/data"))
    shipped = (data / "card.json", data / "metamodel.npz")
    made_of = hashlib.sha256(b"".join(path.read_bytes() for path in shipped))
    folder = KNOWLEDGE / family
    stamp = folder / "made_of.txt"
    if stamp.exists() and stamp.read_text(encoding="utf8") == made_of.hexdigest():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    command = [python_of(environment), "-P", RUNNER, "knowledge", family, folder]
    subprocess.run(command, check=True, cwd=RAW)
    stamp.write_text(made_of.hexdigest(), encoding="utf8")
    return folder


class Watched:
    """A process and everything it starts: their memory, and their end.

    They are known by a variable in their environment, which children inherit, also
    those that leave their parent or its process group.
    """

    _MARK = "VERSUS_RUN"

    def __init__(self, command: list, folder: Path):
        self._mark = f"{self._MARK}={uuid.uuid4().hex}".encode()
        self._known: dict[str, bool] = {}
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        environ[self._MARK] = self._mark.decode().partition("=")[2]
        environ["TMPDIR"] = str(folder)
        self._log = (folder / "log.txt").open("w")
        self._process = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=self._log, stderr=self._log,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def wait(self, limit: float, most: float) -> tuple[int | None, float, float]:
        """Return code (None if it was killed), seconds and peak memory in MB.

        They are killed after ``limit`` seconds, or with ``most`` MB or more in use.
        """
        start, spent, peak = time.perf_counter(), 0.0, 0.0
        try:
            while (code := self._process.poll()) is None:
                peak = max(peak, sum(map(_megabytes, self._members())))
                if spent >= limit or peak >= most:
                    break
                time.sleep(0.1 if spent < 5 else 0.4)
                spent = time.perf_counter() - start
        finally:
            self.kill()
        return code, spent, peak

    def kill(self) -> None:
        """End whatever is left of them."""
        for _ in range(50):
            members = self._members()
            for pid in members:
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    continue
            if not members:
                break
            self._process.poll()
            time.sleep(0.1)
        self._process.wait()
        self._log.close()

    def _members(self) -> list[str]:
        present = sorted(filter(str.isdigit, os.listdir("/proc")), key=int)
        known: dict[str, bool] = {}
        for pid in present:
            old = self._known.get(pid)
            known[pid] = self._is_ours(pid, known) if old is None else old
        self._known = known
        return [pid for pid, ours in known.items() if ours and _stat(pid)[0] != "Z"]

    def _is_ours(self, pid: str, known: dict[str, bool]) -> bool:
        # Some overwrite what /proc shows of their environment; they have parents.
        if known.get(_stat(pid)[1], False):
            return True
        try:
            return self._mark in Path("/proc", pid, "environ").read_bytes().split(b"\0")
        except OSError:
            return False


def _stat(pid: str) -> tuple[str, str]:
    """State and parent of a process; a zombie's if it is gone."""
    try:
        stat = Path("/proc", pid, "stat").read_text()
    except OSError:
        return "Z", ""
    state, parent = stat.rpartition(")")[2].split()[:2]
    return state, parent


def _megabytes(pid: str) -> float:
    """Memory of a process; what several share is counted once among them."""
    try:
        lines = Path("/proc", pid, "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    sizes = [int(line.split()[1]) for line in lines if line.startswith("Pss:")]
    return sum(sizes) / 1024
