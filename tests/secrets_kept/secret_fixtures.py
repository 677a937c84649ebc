"""Servers for the tests of secrets; a plugin of each of their modules, for there can be one `conftest` only."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING

import pytest
from echoing import Echo

from taps.engine.redaction import Redactor
from taps.engine.tap import ApiTap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logins import Login, Opened


@pytest.fixture(scope="session")
def opened_for() -> Iterator[Callable[[Login], Opened]]:
    """Give a sandbox for a login; one is enough for all tests that do not change how it serves."""
    with ExitStack() as stack:
        yield cache(lambda login: stack.enter_context(login.opened()))


@pytest.fixture(scope="session")
def running_echo() -> Iterator[Echo]:
    with Echo() as running:
        yield running


@pytest.fixture
def echo(running_echo: Echo) -> Echo:
    """A server in front of a sandbox, that gives secrets back."""
    running_echo.aim(None)
    return running_echo


@pytest.fixture(scope="session")
def running_elsewhere() -> Iterator[Echo]:
    with Echo() as running:
        yield running


@pytest.fixture
def elsewhere(running_elsewhere: Echo) -> Echo:
    """A server that nobody has any business with."""
    running_elsewhere.aim(None, lambda handler, _: handler.give(200, '{"data": []}'), but="")
    return running_elsewhere


@pytest.fixture
def nothing_known_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have no secrets masked that other tests have made known, for their number makes it slow."""
    make = logging.getLogRecordFactory()
    monkeypatch.setattr(ApiTap, "redactor", Redactor())
    yield
    logging.setLogRecordFactory(make)
