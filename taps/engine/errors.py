"""What can go wrong, as exceptions whose text is one line for the user.

::

    singer_sdk.exceptions.SingerSDKError
    ├── ConfigurationError
    │   ├── ConfigValidationError
    │   │   └── InvalidSettingsError     one line a bad setting
    │   └── InvalidInputError            a config, catalog or state file that cannot be used
    └── SyncError
        ├── ApiError                     a request that brought no page
        │   ├── UnreachableError         no connection: name, port, TLS
        │   │   ├── CertificateError     the host cannot prove who it is
        │   │   └── ProxyError           it is the proxy that gives none
        │   ├── TransferError            the connection broke or stalled under way
        │   ├── StatusError              an answer that is no success
        │   ├── BodyError                an answer that cannot be read as the page it should be
        │   ├── ForeignOriginError       a link or redirect that leads away from `base_url`
        │   └── AuthorizationError       no token to be had, so that no stream can be read
    │       └── TokenUnavailableError    not now, but maybe later
        ├── PaginationError              pages that lead nowhere: a loop, a window that cannot move on
        ├── RecordError                  a record without its key, or a field of another type than declared
        ├── TooEarlyError                a time is to be read whole that is not over by the server's clock
        └── SyncFailedError              the end of a sync in which a stream failed

Only `ApiError` is ever retried, and only where its `retriable` says so.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from singer_sdk.exceptions import ConfigurationError, ConfigValidationError, SyncError

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "REFUSALS",
    "ApiError",
    "AuthorizationError",
    "BodyError",
    "CertificateError",
    "ForeignOriginError",
    "InvalidInputError",
    "InvalidSettingsError",
    "PaginationError",
    "ProxyError",
    "RecordError",
    "StatusError",
    "SyncFailedError",
    "TokenUnavailableError",
    "TooEarlyError",
    "TransferError",
    "UnreachableError",
]


REFUSALS = frozenset({HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
"""Statuses with which an API may refuse what a plan or a key does not include."""


class InvalidSettingsError(ConfigValidationError):
    """The configuration cannot be used; `errors` has a line for each bad setting."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors), errors=errors)


class InvalidInputError(ConfigurationError):
    """A file given on the command line, or the state, is not what it should be."""


class ApiError(SyncError):
    """A request brought no page.

    Attributes:
        path: The URL's path, without host and query, for the message.
        retriable: Whether the same request may succeed when sent again.
        retry_after: Seconds that the API asked to wait, if it did.
        period: Seconds after which an API that refuses for its rate limit counts anew, where it says so; or else 0.
    """

    method: ClassVar[str] = "GET"
    period = 0.0

    def __init__(self, path: str, problem: str, *, retriable: bool = False, retry_after: float | None = None) -> None:
        self.path = path
        self.problem = problem
        self.retriable = retriable
        self.retry_after = retry_after
        self.tries = 1
        super().__init__(path, problem)

    def __str__(self) -> str:
        """Tell the path and the problem in one line, and how often it was tried."""
        tried = f" ({self.tries} tries)" if self.tries > 1 else ""
        return f"{self.method} {self.path}: {self.problem}{tried}"


class UnreachableError(ApiError):
    """No connection could be made to the host."""


class CertificateError(UnreachableError):
    """The host's certificate cannot be verified."""


class ProxyError(UnreachableError):
    """The proxy that is configured made no connection."""


class TransferError(ApiError):
    """A connection was there, but no whole answer came over it."""


class StatusError(ApiError):
    """The API answered with a status that is no success.

    Attributes:
        status: The HTTP status code.
        lacking: Whether the API says that the plan, or the key's scope, does not include what was asked for.
    """

    lacking = False

    def __init__(
        self, path: str, status: int, message: str, *, retriable: bool = False, retry_after: float | None = None
    ) -> None:
        self.status = status
        try:
            name = f"{status} {HTTPStatus(status).phrase}"
        except ValueError:
            name = str(status)
        super().__init__(path, f"{name}: {message}" if message else name, retriable=retriable, retry_after=retry_after)


class BodyError(ApiError):
    """The answer is no JSON, or not of the shape that holds the stream's records."""


class ForeignOriginError(ApiError):
    """A next link or a redirect leads to another scheme, host or port than `base_url`."""


class AuthorizationError(ApiError):
    """The token endpoint refused to give a token."""

    method = "POST"


class TokenUnavailableError(AuthorizationError):
    """The token endpoint gave no token, but may later."""


class PaginationError(SyncError):
    """The pages lead nowhere: a link comes again, or a window cannot move on.

    Args:
        message: The error.
        keep: How many of the first records of the page that it is about are to be used, if not all.
        start: The time from which records may be missing, if not from the beginning.
    """

    def __init__(self, message: str, keep: int | None = None, *, start: datetime | None = None) -> None:
        super().__init__(message)
        self.keep = keep
        self.start = start


class RecordError(SyncError):
    """A record cannot be emitted as it is: its key is missing, or a field cannot be what the schema declares."""


class TooEarlyError(SyncError):
    """A share of a stream ends in the server's future, so that records may be added to it.

    Attributes:
        seconds: Until it is over.
    """

    def __init__(self, until: datetime, moment: datetime) -> None:
        self.seconds = (until - moment).total_seconds()
        super().__init__(
            f"It is to be read up to {until:%Y-%m-%dT%H:%M:%SZ}, {self.seconds:.0f} s from now by the API's clock"
        )


class SyncFailedError(SyncError):
    """At least one stream failed; what the others brought has been written."""
