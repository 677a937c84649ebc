"""The environment of an example, with the packages that it pins."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from meltano_project import MELTANO

if TYPE_CHECKING:
    from pathlib import Path


def install(folder: Path, example: Path, *more: str) -> Path:
    """Make an environment in a folder, of an example's requirements and what else pip is told; give its commands."""
    for step in (
        ["venv", "--allow-existing", "--python", sys.executable, str(folder)],
        ["pip", "install", "--python", str(folder), "--no-deps", "-r", str(example / "requirements.txt"), *more],
    ):
        done = subprocess.run([str(MELTANO.parent / "uv"), "-q", *step], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return folder / "bin"
