"""Makes secrets that can be recognised whatever becomes of them, and looks for them in what a tap leaves behind."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import logging
import re
import threading
import traceback
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk.logging import StructuredFormatter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from taps.engine.tap import ApiTap

_ODD = "/+&=%\"'<é ~\\"
_PART = 8
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_numbers = count()


def secret(name: str, *, odd: str = _ODD) -> str:
    """Make a secret: twelve letters and digits, whatever has to be escaped somewhere, and twelve again.

    Each is another one, so that none is masked because an earlier test has made it known.
    """
    digest = hashlib.sha256(f"{name} {next(_numbers)}".encode()).digest()
    letters = re.sub("[^A-Za-z0-9]", "", base64.b64encode(digest * 2).decode())
    return f"{letters[:12]}{odd}{letters[12:24]}"


def secret_settings(tap_class: type[ApiTap]) -> list[str]:
    """List the settings that the tap's schema marks as secret."""
    return [name for name, declared in tap_class.config_jsonschema["properties"].items() if declared.get("secret")]


def forms_of_login(tap_class: type[ApiTap]) -> list[tuple[str, ...]]:
    """List the sets of secret settings with which the tap can be used: one of several, or all."""
    names = secret_settings(tap_class)
    shared = [name for name in names if name not in tap_class.one_of]
    return [(one, *shared) for one in tap_class.one_of] or [tuple(shared)]


class Hunt:
    """Looks for secrets by their first and last eight characters: plain, in Base64 at any place, and in hex.

    These are letters and digits, so that no escaping hides them, and a secret that was cut in two is found, too.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = list(secrets)

    def add(self, found: str) -> None:
        self._secrets.append(found)

    def finds(self, texts: dict[str, str]) -> list[str]:
        """Tell where which secret is, with what is around it."""
        return [f"{where}: {what}" for where, text in texts.items() for what in self._finds(text)]

    def finds_in_files(self, folder: Path, *, apart_from: Iterable[Path] = ()) -> list[str]:
        spared = set(apart_from)
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path not in spared]
        return self.finds({str(path): f"{path.name} {path.read_bytes().decode('latin-1')}" for path in files})

    def _finds(self, text: str) -> Iterator[str]:
        decoded = b"\n".join(_decoded(text))
        lower = text.lower()
        for value in self._secrets:
            for part in (value[:_PART], value[-_PART:]):
                at = lower.find(part.lower())
                if at >= 0:
                    yield text[max(0, at - 60) : at + 60]
                if part.encode() in decoded:
                    yield f"{part} in Base64"
                if part.encode().hex() in lower:
                    yield f"{part} in hex"


def _decoded(text: str) -> Iterator[bytes]:
    for run in set(_BASE64.findall(text)):
        for skipped in range(4):
            whole = run[skipped:]
            yield base64.urlsafe_b64decode(whole[: len(whole) // 4 * 4].replace("+", "-").replace("/", "_"))


class Log:
    """All that is logged while it is entered, at the lowest level, as plain text and as the SDK's JSON."""

    def __enter__(self) -> Self:
        self._texts = [io.StringIO(), io.StringIO()]
        self._handlers = [logging.StreamHandler(text) for text in self._texts]
        self._handlers[0].setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        self._handlers[1].setFormatter(StructuredFormatter())
        self._root = logging.getLogger()
        self._level = self._root.level
        self._root.setLevel(logging.DEBUG)
        for handler in self._handlers:
            self._root.addHandler(handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handler in self._handlers:
            self._root.removeHandler(handler)
        self._root.setLevel(self._level)

    @property
    def texts(self) -> dict[str, str]:
        return {"log": self._texts[0].getvalue(), "log as JSON": self._texts[1].getvalue()}


def texts_of(error: BaseException) -> dict[str, str]:
    """Give all texts of an exception and of those that it came from, also of causes that a traceback leaves out."""
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is not None and current not in chain:
            chain.append(current)
            waiting += [current.__cause__, current.__context__]
    texts = {"traceback": "".join(traceback.format_exception(error))}
    for number, found in enumerate(chain):
        notes = getattr(found, "__notes__", ())
        texts[f"exception {number}"] = f"{found}\n{found!r}\n{found.args!r}\n{vars(found)!r}\n{notes}"
    return texts


def observed(tap_class: type[ApiTap], config: dict[str, Any], streams: Iterable[str] | None = None) -> dict[str, str]:
    """Sync in this process; give every text that comes of it."""
    stdout = io.StringIO()
    texts: dict[str, str] = {}
    with Log() as log, contextlib.redirect_stdout(stdout):
        try:
            tap = tap_class(config=dict(config))
            for name, stream in tap.streams.items():
                stream.selected = streams is None or name in streams
            texts["tap"] = f"{tap!r} {tap}"
            tap.sync_all()
        except Exception as error:
            texts |= texts_of(error)
            logging.getLogger("host").exception("The host logs it")
            logging.getLogger("host").debug("and once more: %r", error, exc_info=error)
    return {**texts, **log.texts, "standard output": stdout.getvalue()}


class ProcessList:
    """The command lines of all processes that run while it is entered."""

    def __init__(self) -> None:
        self.lines: set[str] = set()
        self._end = threading.Event()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.03):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    self.lines.add((process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))

    @property
    def text(self) -> str:
        return "\n".join(sorted(self.lines))


def shown(text: str) -> Any:
    """Read the last state out of what a tap wrote."""
    states = [json.loads(line) for line in text.splitlines() if '"STATE"' in line]
    return states[-1] if states else None
