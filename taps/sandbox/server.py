"""The sandbox: the APIs, their faults and their control paths on one local port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from taps.sandbox import control
from taps.sandbox.answers import Json, Refusal, refuse
from taps.sandbox.breakage import Breakage
from taps.sandbox.faults import Faults
from taps.sandbox.helpdesk.api import Rules, routes
from taps.sandbox.helpdesk.store import HelpdeskStore
from taps.sandbox.serving import Serving
from taps.sandbox.traffic import Journal, RateLimit, Recorder, SeenRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from starlette.requests import Request
    from starlette.responses import Response
    from typing_extensions import Self


class Sandbox:
    """A help desk API on a local port with made-up data, served for as long as it is entered.

    Attributes:
        api_key: The key that the API asks for.
        helpdesk: The help desk's records, to look at and to change.

    Args:
        tickets: How many tickets there are; the other collections follow in size.
        seed: What all made-up contents depend on.
        host: The address to listen at.
        port: The port; 0 takes a free one.
        api_key: The key to ask for.
        page_cap: The most records that a page holds, whatever `limit` asks for.
        ragged: Whether pages are of uneven length, and linked ones now and then empty.
        max_ticket_pages: The last page of tickets that can be asked for.
        faults: What goes wrong, as `taps.sandbox.faults` spells it.
        latency: Seconds that every answer is late.
        jitter: Seconds that an answer is late on top, at most.
        rate_limit: The requests a minute that are answered; None for any number.
        warm: Whether to make and serialise all top-level records before serving; otherwise that is done when they are
            first asked for.

    Raises:
        BadFaultError: A fault is not written as it should be.
        OSError: On entering, the address or the port cannot be had.
    """

    def __init__(
        self,
        *,
        tickets: int = 2_000,
        seed: int = 42,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str = "sandbox-key",
        page_cap: int = 100,
        ragged: bool = False,
        max_ticket_pages: int = 300,
        faults: Sequence[str] = (),
        latency: float = 0,
        jitter: float = 0,
        rate_limit: int | None = None,
        warm: bool = False,
    ) -> None:
        self.api_key = api_key
        self._faults = Faults(faults)
        self._journal = Journal()
        self.helpdesk = HelpdeskStore(tickets=tickets, seed=seed)
        if warm:
            self.helpdesk.warm()
        rules = Rules(api_key=api_key, page_cap=page_cap, ragged=ragged, max_ticket_pages=max_ticket_pages)
        spared = control.PREFIX
        middleware = [
            Middleware(Recorder, journal=self._journal, prefix_spared=spared, latency=latency, jitter=jitter),
            Middleware(Breakage, faults=self._faults, prefix_spared=spared),
        ]
        if rate_limit is not None:
            middleware.append(Middleware(RateLimit, limit=rate_limit, prefix_spared=spared))
        app = Starlette(
            routes=[
                control.Control({"helpdesk": self.helpdesk}, self._faults, self._journal).mount(),
                *routes(self.helpdesk, rules),
            ],
            middleware=middleware,
            exception_handlers={Refusal: refuse, HTTPException: _refuse_http},
        )
        app.router.redirect_slashes = False
        self._host = host
        self._serving = Serving(app, host=host, port=port)

    @property
    def base_url(self) -> str:
        """The API's root, without a trailing slash."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._serving.port}"

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

    def __enter__(self) -> Self:
        self._serving.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.__exit__(kind, error, trace)


async def _refuse_http(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    codes = {404: "not_found", 405: "method_not_allowed"}
    return Json({"code": codes.get(status, "error"), "message": "There is nothing here that answers this."}, status)
