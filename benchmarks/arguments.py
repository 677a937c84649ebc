"""Command lines whose mistakes are one line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Parser", "positive", "positives", "words"]


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong, without the usage above it."""

    def error(self, message: str) -> NoReturn:
        """End with the message."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def positive(text: str) -> int:
    """Read a whole number from 1.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def positives(text: str) -> tuple[int, ...]:
    """Read whole numbers with commas between them.

    Raises:
        argparse.ArgumentTypeError: One is none.
    """
    return tuple(map(positive, text.split(",")))


def words(known: Sequence[str]) -> Callable[[str], list[str]]:
    """Make a reader of words with commas between them.

    Args:
        known: The words that may be given.
    """

    def read(text: str) -> list[str]:
        given = text.split(",")
        for word in given:
            if word not in known:
                raise argparse.ArgumentTypeError(f"there is no {word!r}; there are {', '.join(known)}")
        return given

    return read
