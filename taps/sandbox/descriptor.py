"""What an API's package tells the server about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taps.sandbox.defaults import CACHE_MB, GENERIC
from taps.sandbox.rates import Metering

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from starlette.routing import BaseRoute
    from starlette.types import Scope

    from taps.sandbox.control import Store

_NONE: Mapping[str, Any] = {}


def failure(_scope: Scope, _status: int, code: str, message: str) -> dict[str, Any]:
    """Make the body of a refusal as the neutral APIs have it.

    Args:
        _scope: The request.
        _status: The HTTP status.
        code: The error's name.
        message: What is wrong.

    Returns:
        The body.
    """
    return {"code": code, "message": message}


@dataclass(frozen=True)
class Rules:
    """How one server behaves where the contract leaves it free.

    Attributes:
        credentials: What it asks for: all of the API's credentials, by the names of the tap's settings.
        page_cap: The most records that it puts in a page, whatever is asked for.
        ragged: Whether it gives pages of uneven length.
        options: The API's own options, each with its value.
        cache_mb: Megabytes of pages that it keeps, so that a second reader need not wait until they are made.
        base: What all paths of a vendor's API begin with.
    """

    credentials: Mapping[str, str]
    page_cap: int = 100
    ragged: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    cache_mb: int = CACHE_MB
    base: str = ""

    def lacking(self, names: Collection[str]) -> dict[str, int]:
        """Read the option `lacks`: what the account's plan, or the key's scope, does not include.

        Args:
            names: The collections that it may name.

        Returns:
            The status that each of those is refused with.

        Raises:
            ValueError: It is not a list such as `services` or `services=402,teams`.
        """
        statuses = {}
        for part in filter(None, self.options["lacks"].split(",")):
            name, _, status = part.partition("=")
            if name not in names or status not in {"", "402", "403", "404"}:
                raise ValueError(f"bad lacks {part!r}: it is a collection, or NAME=402, 403 or 404")
            statuses[name] = int(status or 403)
        return statuses


@dataclass(frozen=True)
class Api:
    """An API that the sandbox can serve, in its neutral form or in a vendor's dialect.

    Attributes:
        name: The name of its package, of its store at the `Sandbox` and of its control paths.
        title: What it is called in a sentence after "the".
        tap: The command of the tap that reads it.
        credentials: What a tap needs beside `base_url`, by the names of its settings, each with what is asked for
            unless the user says otherwise. `{base_url}` in a value stands for the server's own root.
        make_store: Makes the records, from the size and the seed.
        routes: Lays out the paths, from the store and the rules.
        alternatives: Credentials that it takes instead, likewise.
        options: The API's own options with their defaults, whose types are also the options' types.
        page_size: The most records a page that the API gives; the server's own cap unless the user sets a lower one.
        link: Where in the body the next page's link is, from the outside in; None for the `Link` header.
        provider: The vendor in whose dialect it is served.
        base: What the vendor's paths begin with, settings in braces; a part of the `base_url` that a tap is given.
        failure: Makes the body of a refusal from request, status, the error's name and what is wrong.
        metering: How requests are counted.
        media_type: What its answers are called.
    """

    name: str
    title: str
    tap: str
    credentials: Mapping[str, str]
    make_store: Callable[[int, int], Store]
    # Each API's function takes its own kind of store, which is the one that its factory makes.
    routes: Callable[[Any, Rules], list[BaseRoute]]
    alternatives: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    page_size: int = 100
    link: tuple[str, ...] | None = None
    provider: str = GENERIC
    base: str = ""
    failure: Callable[[Scope, int, str, str], Mapping[str, Any]] = failure
    metering: Metering = field(default_factory=Metering)
    media_type: str = "application/json"

    @property
    def defaults(self) -> dict[str, Any]:
        """All that can be set for this API alone: credentials, alternatives and options."""
        return {**self.credentials, **self.alternatives, **self.options}

    def rules(
        self,
        *,
        page_cap: int | None = None,
        ragged: bool = False,
        cache_mb: int = CACHE_MB,
        settings: Mapping[str, Any] = _NONE,
    ) -> Rules:
        """Settle how a server of this API behaves.

        Args:
            page_cap: The server's own cap; None for the API's page size.
            ragged: Whether pages are of uneven length.
            cache_mb: Megabytes of pages to keep.
            settings: Other values than the defaults for credentials, alternatives and options.

        Returns:
            The rules.

        Raises:
            TypeError: There is no such setting, as when a function has no such argument.
        """
        for name in settings:
            if name not in self.defaults:
                raise TypeError(f"the {self.title} has no setting {name!r}; it has {', '.join(sorted(self.defaults))}")
        given = {**self.defaults, **settings}
        return Rules(
            {name: given[name] for name in (*self.credentials, *self.alternatives)},
            self.page_size if page_cap is None else page_cap,
            ragged,
            {name: given[name] for name in self.options},
            cache_mb,
            self.base.format_map(given),
        )
