"""The sandbox: an API, its faults and its control paths on one local port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from taps.sandbox import control
from taps.sandbox.answers import Json, Refusal, refuse
from taps.sandbox.apis import Stores, served_as
from taps.sandbox.breakage import Breakage
from taps.sandbox.churn import Changing, Churning
from taps.sandbox.defaults import CACHE_MB, GENERIC
from taps.sandbox.faults import Faults
from taps.sandbox.media import MediaType
from taps.sandbox.rates import TELLS, RateLimit
from taps.sandbox.serving import Serving
from taps.sandbox.traffic import Journal, Recorder, SeenRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp
    from typing_extensions import Self

    from taps.sandbox.rates import RateHeaders, RateKind

_SIZE = 2_000


class Sandbox(Stores):
    """One of the APIs on a local port with made-up data, served for as long as it is entered.

    The records that it serves are at the attribute of the API's name, such as `sandbox.helpdesk`.

    Attributes:
        api: What is served.
        api_key: The key that the API asks for; empty where it asks for something else.
        app: What answers.

    Args:
        api: The API's name.
        provider: In whose dialect it is served: `generic` is nobody's, and the others are vendors whose product it
            stands for. The records are the same.
        size: How many records its largest collection has (of the help desk: tickets); the others follow in size.
        tickets: Another name of `size`.
        seed: What all made-up contents depend on.
        host: The address to listen at.
        port: The port; 0 takes a free one.
        page_cap: The most records that a page holds, whatever is asked for; None for what the API gives at most.
        ragged: Whether pages are of uneven length, and linked ones now and then empty.
        faults: What goes wrong, as `taps.sandbox.faults` spells it.
        churn: What changes while it is read, as `taps.sandbox.churn` spells it; None for nothing.
        latency: Seconds that every answer is late.
        jitter: Seconds that an answer is late on top, at most.
        rate_limit: The requests a minute that are answered; None for any number.
        rate_window: Seconds instead of a minute.
        rate_kind: How they are counted: in windows that are `fixed` or `sliding`, or as a `bucket` that fills evenly.
        rate_headers: What answers tell of it: the `total` and what remains, these and the seconds to the `reset`, or
            `none`; None for what the API tells, which is the `total` unless a vendor does it otherwise.
        warm: Whether to make and serialise all top-level records before serving; otherwise that is done when they are
            first asked for.
        cache_mb: Megabytes of pages to keep once they are made. A client that reads all of a large collection again
            finds them only if there is room for all.
        prefix: What all of its paths begin with, where it shares a port.
        serving: What serves it beside others (see `taps.sandbox.accounts`), at its address and for as long as that is
            entered; None where it is served by itself.
        **settings: The API's own: other credentials, such as `api_key`, and its options, such as the help desk's
            `max_ticket_pages`.

    Raises:
        ValueError: There is no such API, or no such provider of it.
        TypeError: The API has no such setting.
        BadFaultError: A fault is not written as it should be.
        BadChurnError: The churn is not.
        OSError: On entering, the address or the port cannot be had.
    """

    def __init__(
        self,
        api: str = "helpdesk",
        *,
        provider: str = GENERIC,
        size: int | None = None,
        tickets: int | None = None,
        seed: int = 42,
        host: str = "127.0.0.1",
        port: int = 0,
        page_cap: int | None = None,
        ragged: bool = False,
        faults: Sequence[str] = (),
        churn: str | None = None,
        latency: float = 0,
        jitter: float = 0,
        rate_limit: int | None = None,
        rate_window: float = 60,
        rate_kind: RateKind = "fixed",
        rate_headers: RateHeaders | None = None,
        warm: bool = False,
        cache_mb: int = CACHE_MB,
        prefix: str = "",
        serving: Serving | None = None,
        **settings: Any,
    ) -> None:
        self.api = served_as(api, provider)
        if size is None:
            size = _SIZE if tickets is None else tickets
        rules = self.api.rules(page_cap=page_cap, ragged=ragged, cache_mb=cache_mb, settings=settings)
        self._credentials = rules.credentials
        self._base = rules.base
        self.api_key = rules.credentials.get("api_key", "")
        self._faults = Faults(faults)
        self._journal = Journal()
        store = self.api.make_store(size, seed)
        setattr(self, api, store)
        self._changing = Changing(store, churn)
        if warm:
            store.warm()
        spared, failure = control.PREFIX, self.api.failure
        middleware = [
            Middleware(Recorder, journal=self._journal, prefix_spared=spared, latency=latency, jitter=jitter),
            Middleware(MediaType, media_type=self.api.media_type, base=self._base),
            Middleware(Breakage, faults=self._faults, prefix_spared=spared, link=self.api.link, failure=failure),
        ]
        metering = self.api.metering
        if metering.counts(rate_limit, rules.options):
            middleware.append(
                Middleware(
                    RateLimit,
                    limit=rate_limit,
                    prefix_spared=spared,
                    failure=failure,
                    window=rate_window,
                    kind=rate_kind,
                    tell=metering.tell if rate_headers is None else TELLS[rate_headers],
                    cost=metering.cost,
                    lanes=metering.limits(rules.options, self._base),
                )
            )
        middleware.append(Middleware(Churning, changing=self._changing, prefix_spared=spared))
        app = Starlette(
            routes=[
                control.Control({api: store}, self._faults, self._journal, {api: self._changing}).mount(),
                *self.api.routes(store, rules),
            ],
            middleware=middleware,
            exception_handlers={Refusal: refuse, HTTPException: self._refuse_http},
        )
        app.router.redirect_slashes = False
        self.app: ASGIApp = app
        self._prefix = prefix
        self._serving = serving or Serving(host=host, port=port)
        if serving is None:
            self._serving.app = app

    @property
    def root_url(self) -> str:
        """The server's root, without a trailing slash: the control paths are below it, whatever the provider."""
        return self._serving.url + self._prefix

    @property
    def base_url(self) -> str:
        """The API's root as a tap is told it, without a trailing slash: of a vendor's API with the path of that."""
        return self.root_url + self._base

    @property
    def credentials(self) -> dict[str, str]:
        """What a tap needs beside `base_url` to read this, by the names of its settings."""
        return self._filled(self.api.credentials)

    @property
    def alternatives(self) -> dict[str, str]:
        """What the API takes instead of the credentials, by the names of the tap's settings."""
        return self._filled(self.api.alternatives)

    @property
    def config(self) -> dict[str, str]:
        """The configuration of a tap that reads this."""
        named = {} if self.api.provider == GENERIC else {"provider": self.api.provider}
        return {**named, "base_url": self.base_url, **self.credentials}

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests so far (the last 20,000), those of the control paths apart."""
        return self._journal.requests()

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._journal.clear()

    def set_faults(self, specs: Sequence[str]) -> None:
        """Put other faults in force.

        Args:
            specs: The faults, as `taps.sandbox.faults` spells them; none ends all faults.

        Raises:
            BadFaultError: One of them is not written as it should be.
        """
        self._faults.replace(specs)
        self._serving.accept()

    def set_churn(self, spec: str | None) -> None:
        """Put another change in force.

        Args:
            spec: What changes while it is read, as `taps.sandbox.churn` spells it; None for nothing any more.

        Raises:
            BadChurnError: It is not written as it should be.
        """
        self._changing.replace(spec)

    def _filled(self, names: Iterable[str]) -> dict[str, str]:
        return {name: self._credentials[name].replace("{base_url}", self.root_url) for name in names}

    async def _refuse_http(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        codes = {404: "not_found", 405: "method_not_allowed"}
        message = "There is nothing here that answers this."
        return Json(self.api.failure(request.scope, status, codes.get(status, "error"), message), status)

    def __enter__(self) -> Self:
        self._serving.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.__exit__(kind, error, trace)
