"""A virtual environment for each program that is measured, with pinned versions."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.places import CACHE, HERE, LOGS, ROOT, BenchmarkError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["ENVIRONMENTS", "Environment", "UnavailableError"]

_QUIET = ("--disable-pip-version-check", "--no-input")


class UnavailableError(BenchmarkError):
    """A program cannot be installed here. The message says why, in one line."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment below `.cache/benchmarks/`.

    Attributes:
        name: Its name, and that of the file with its requirements.
        packages: What to name the versions of in the results.
        pythons: Versions of Python that its programs run with, the preferred one first.
        checkout: Whether this clone is installed into it, anew each time, so that what is measured is the present code.
        extra: The clone's optional dependencies that it needs.
    """

    name: str
    packages: tuple[str, ...]
    pythons: tuple[str, ...] = ("3.11", "3.12", "3.13", "3.10")
    checkout: bool = False
    extra: str = ""

    @property
    def folder(self) -> Path:
        """Where it is."""
        return CACHE / "envs" / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def requirements(self) -> Path:
        """The file with its packages, each with its version."""
        return ROOT / "constraints" / "dev.txt" if self.checkout else HERE / "requirements" / f"{self.name}.txt"

    def make(self) -> None:
        """Make it, unless it is up to date; a clone is installed in any case.

        Raises:
            UnavailableError: It cannot be made.
        """
        LOGS.mkdir(parents=True, exist_ok=True)
        log = LOGS / f"setup-{self.name}.log"
        stamp = self.folder / "recipe"
        recipe = f"{self.pythons}\n{self.requirements.read_text(encoding='utf-8')}"
        fresh = stamp.is_file() and stamp.read_text(encoding="utf-8") == recipe
        log.write_text("", encoding="utf-8")
        if not fresh:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._run([self._find_python(), "-m", "venv", str(self.folder)], log)
            self._install(["pip"] if self.checkout else ["--requirement", str(self.requirements)], log)
        if self.checkout:
            # Not editable: what is measured is what a user gets. pip installs a folder anew each time.
            clone = f"{ROOT}[{self.extra}]" if self.extra else str(ROOT)
            self._install(["--constraint", str(self.requirements), clone], log)
        stamp.write_text(recipe, encoding="utf-8")

    def versions(self) -> dict[str, str]:
        """Tell which versions it has, of Python and of the packages that matter."""
        code = (
            "import platform, sys; from importlib.metadata import version; "
            "print(platform.python_version(), *map(version, sys.argv[1:]))"
        )
        told = subprocess.run(
            [str(self.python), "-c", code, *self.packages], capture_output=True, text=True, check=False
        ).stdout.split()
        return dict(zip(("Python", *self.packages), told, strict=False))

    def _install(self, arguments: Sequence[str], log: Path) -> None:
        self._run([str(self.python), "-m", "pip", "install", *_QUIET, *arguments], log)

    def _run(self, command: Sequence[str], log: Path) -> None:
        with log.open("a", encoding="utf-8") as output:
            ended = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
        if ended.returncode:
            lines = log.read_text(encoding="utf-8").splitlines()
            errors = [line for line in lines if line.startswith(("ERROR", "Error"))] or lines
            raise UnavailableError(f"{errors[-1].strip() if errors else 'it did not say why'} (see {shown(log)})")

    def _find_python(self) -> str:
        for version in self.pythons:
            for candidate in _candidates(version):
                code = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
                try:
                    if not subprocess.run([candidate, "-c", code], capture_output=True, check=False).returncode:
                        return candidate
                except OSError:
                    continue
        raise UnavailableError(f"it needs Python {' or '.join(sorted(self.pythons))}, and there is none in PATH")


def _candidates(version: str) -> Iterator[str]:
    yield f"python{version}"
    yield "python3"
    # pyenv puts only one version in PATH, and keeps all of them here.
    yield from map(str, sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), reverse=True))


#: All of them by name.
ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment("ours", ("frontline-taps", "singer-sdk", "requests"), checkout=True),
        Environment("plain-sdk", ("singer-sdk", "requests")),
        Environment("tap-freshdesk", ("tap-freshdesk", "singer-python", "requests")),
        # From 3.11 on it does not start: "mutable default … for field _decoder is not allowed".
        Environment("airbyte", ("airbyte-source-freshdesk", "airbyte-cdk", "requests"), pythons=("3.10", "3.9")),
        Environment("dlt", ("dlt", "orjson", "requests")),
        # For both sides, so that they have the same dlt, pyarrow and duckdb.
        Environment("bridge", ("frontline-taps", "dlt", "duckdb", "pyarrow", "orjson"), checkout=True, extra="dlt"),
        Environment("loops", ("requests", "urllib3", "orjson")),
        Environment("plots", ("matplotlib",)),
    )
}
