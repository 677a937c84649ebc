"""The sandbox's own paths, for tests and demos: what there is, what was asked, and what is to change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from starlette.responses import Response
from starlette.routing import Mount, Route, Router

from taps.sandbox.answers import Json, Refusal
from taps.sandbox.churn import BadChurnError
from taps.sandbox.faults import BadFaultError, Faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from taps.sandbox.churn import Changing
    from taps.sandbox.rows import Record
    from taps.sandbox.traffic import Journal

PREFIX = "/_sandbox"
_LISTED_REQUESTS = "100"


class Store(Protocol):
    """What an API's records must offer to be looked at and changed from outside.

    Attributes:
        changes: The kinds of change that `change` takes a number for.
    """

    changes: frozenset[str]

    def counts(self) -> dict[str, int]:
        """Count the records of every collection."""

    def records(self, stream: str) -> list[Record]:
        """Give all records of a collection; KeyError where there is none."""

    def change(self, *args: Any, **numbers: Any) -> dict[str, Any]:
        """Change so many records of each kind as of now."""

    def warm(self) -> None:
        """Make and serialise the records ahead."""


class Control:
    """The endpoints of the control paths, which ask for no credentials.

    Args:
        stores: The records by API.
        faults: The faults in force.
        journal: The requests so far.
        changing: What changes while it is read, by API.
    """

    def __init__(
        self, stores: Mapping[str, Store], faults: Faults, journal: Journal, changing: Mapping[str, Changing]
    ) -> None:
        self._stores = stores
        self._changing = changing
        self._faults = faults
        self._journal = journal

    def mount(self) -> Mount:
        """Lay out the paths.

        Returns:
            The mount.
        """
        paths = [
            Route("/health", self._health),
            Route("/requests", self._requests, methods=["GET"]),
            Route("/requests", self._clear_requests, methods=["DELETE"]),
            Route("/faults", self._put_faults, methods=["PUT"]),
            Route("/{api}/counts", self._counts),
            Route("/{api}/records/{stream}", self._records),
            Route("/{api}/change", self._change, methods=["POST"]),
            Route("/{api}/churn", self._put_churn, methods=["PUT"]),
        ]
        return Mount(PREFIX, app=Router(paths, redirect_slashes=False, default=_not_found))

    async def _health(self, _request: Request) -> Response:
        return Json({"status": "ok"})

    async def _counts(self, request: Request) -> Response:
        return Json(self._store(request).counts())

    async def _records(self, request: Request) -> Response:
        stream = request.path_params["stream"]
        try:
            return Json(self._store(request).records(stream))
        except KeyError:
            raise _unknown(f"there is no collection {stream!r}") from None

    async def _change(self, request: Request) -> Response:
        store = self._store(request)
        numbers = {}
        for name, value in request.query_params.items():
            if name not in store.changes or not (value.isascii() and value.isdigit()):
                raise _invalid(
                    f"{name}={value}: it takes a whole number for each of {', '.join(sorted(store.changes))}"
                )
            numbers[name] = int(value)
        return Json(store.change(**numbers))

    async def _requests(self, request: Request) -> Response:
        last = request.query_params.get("last", _LISTED_REQUESTS)
        if not (last.isascii() and last.isdigit()):
            raise _invalid("last is a whole number")
        return Json(self._journal.summary(int(last)))

    async def _clear_requests(self, _request: Request) -> Response:
        self._journal.clear()
        return Response(status_code=204)

    async def _put_faults(self, request: Request) -> Response:
        try:
            specs = json.loads(await request.body())
        except ValueError:
            specs = None
        if not isinstance(specs, list) or not all(isinstance(spec, str) for spec in specs):
            raise _invalid("the body is a JSON list of strings")
        try:
            self._faults.replace(specs)
        except BadFaultError as error:
            raise _invalid(str(error)) from None
        return Json(specs)

    async def _put_churn(self, request: Request) -> Response:
        self._store(request)
        try:
            spec = json.loads(await request.body())
        except ValueError:
            spec = ""
        if not isinstance(spec, str | None):
            raise _invalid("the body is a JSON string, or null")
        try:
            self._changing[request.path_params["api"]].replace(spec)
        except BadChurnError as error:
            raise _invalid(str(error)) from None
        return Json(spec)

    def _store(self, request: Request) -> Store:
        api = request.path_params["api"]
        if api not in self._stores:
            raise _unknown(f"the sandbox serves no API {api!r}")
        return self._stores[api]


async def _not_found(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise _unknown(f"the sandbox has no {scope['path']}")


def _unknown(message: str) -> Refusal:
    return Refusal(404, {"code": "not_found", "message": message})


def _invalid(message: str) -> Refusal:
    return Refusal(400, {"code": "invalid_value", "message": message})
