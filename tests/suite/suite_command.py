"""Runs the command `taps` in a process of its own, as its users do."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

from support import command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ESCAPE = "\x1b"


class Ran(NamedTuple):
    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """What was shown, wherever its lines were broken."""
        return " ".join(self.out.split())


def taps(
    *arguments: str,
    config: dict[str, Any] | None = None,
    files: Path | None = None,
    columns: int | None = None,
    variables: Mapping[str, str] | None = None,
) -> Ran:
    """Run it with its output in pipes."""
    process = subprocess.run(
        _line(arguments, config, files),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        cwd=files,
        env=_environment(columns, variables or {}),
    )
    return Ran(process.returncode, process.stdout, process.stderr)


def taps_on_a_terminal(
    *arguments: str,
    config: dict[str, Any] | None = None,
    files: Path | None = None,
    columns: int | None = None,
    variables: Mapping[str, str] | None = None,
) -> Ran:
    """Run it with its output on a terminal, where both kinds of it come together."""
    mine, its = pty.openpty()
    with subprocess.Popen(
        _line(arguments, config, files), stdout=its, stderr=its, cwd=files, env=_environment(columns, variables or {})
    ) as process:
        os.close(its)
        came = b""
        try:
            while piece := os.read(mine, 4096):
                came += piece
        except OSError:  # how a terminal ends on Linux
            pass
        finally:
            os.close(mine)
    return Ran(process.returncode, came.decode().replace("\r\n", "\n"), "")


def row_of(shown: str, name: str) -> list[str]:
    """Give the cells of a row of a table, which have three spaces or more between them."""
    [line] = [line for line in shown.splitlines() if line.split(" ")[0] == name]
    return re.split(r" {3,}", line)


def _line(arguments: tuple[str, ...], config: dict[str, Any] | None, files: Path | None) -> list[str]:
    line = [command("taps"), *arguments]
    if config is not None:
        assert files is not None
        (files / "config.json").write_text(json.dumps(config), encoding="utf-8")
        line += ["--config", "config.json"]
    return line


def _environment(columns: int | None, variables: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR", "FORCE_COLOR"}}
    return {**kept, **({"COLUMNS": str(columns)} if columns else {}), **variables}
