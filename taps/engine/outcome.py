"""What becomes of a sync: the streams that failed, and what is said of them when."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from taps.engine.advice import advice, advice_for_stream
from taps.engine.errors import AuthorizationError, SyncFailedError, UnreachableError

if TYPE_CHECKING:
    from singer_sdk.exceptions import SyncError

    from taps.engine.errors import StatusError
    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["Outcome"]

_OF_ALL_STREAMS = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    HTTPStatus.TOO_MANY_REQUESTS,
)


class Outcome:
    """The account of a tap's failures, which ends a sync where it is of no use to go on.

    Args:
        tap: The tap.
    """

    def __init__(self, tap: ApiTap) -> None:
        self._tap = tap
        self._failures: list[tuple[ApiStream, SyncError]] = []
        self._announced = 0
        self._refused: list[StatusError] = []

    def failed(self, stream: ApiStream, error: SyncError, *, announce: bool = True) -> None:
        """Take note that a stream ended in an error; the others go on.

        Nothing is said yet while the API has not given a single page: a wrong key or host fails every stream, and is
        worth one line.

        Args:
            stream: The stream.
            error: The error.
            announce: Whether the log is to have it.

        Raises:
            SyncFailedError: No stream can be read, so that it is of no use to go on.
        """
        self._failures.append((stream, error))
        if self._tap.http.answered:
            if announce:
                self._announce_failures()
            if isinstance(error, AuthorizationError):
                raise self._stopped("The sync cannot go on", error)
        elif isinstance(error, UnreachableError | AuthorizationError) or self._is_refused_again():
            raise self._nothing_read(self._failures[0][1])

    def skipped(self, error: StatusError) -> None:
        """Take note that a stream counts as empty because the API refused it."""
        self._refused.append(error)

    def ended(self, stream: ApiStream) -> None:
        """Take note that the SDK is done with a stream.

        Raises:
            SyncFailedError: It was the last, and at least one stream failed. This is the one place at the end of
                `sync_all`, which is final, where the outcome can be told both to the command line and to a caller.
        """
        if stream is not self._tap.api_streams[-1]:
            return
        if not any(other.selected for other in self._tap.api_streams):
            self._tap.logger.warning("No stream is selected, so nothing was read")
        self.require_an_answer()
        self._announce_failures()
        if self._failures:
            names = ", ".join(failed.name for failed, _ in self._failures)
            selected = sum(other.selected for other in self._tap.api_streams)
            raise SyncFailedError(
                f"{len(self._failures)} of {selected} streams failed: {names}. Their bookmarks stay where they are "
                f"safe; run again to complete them"
            )

    def require_an_answer(self) -> None:
        """Make sure, when all streams have been asked for, that the API has given any page at all.

        Raises:
            SyncFailedError: It refused whatever it was asked for.
        """
        refused = [error for _, error in self._failures] or (self._refused if len(self._refused) > 1 else [])
        if refused and self._tap.http_was_used and not self._tap.http.answered:
            raise self._nothing_read(refused[0])

    def _is_refused_again(self) -> bool:
        """Whether two streams were refused for what all have in common.

        A third try with a wrong key could lock the account, and would tell nothing new.
        """
        statuses = [getattr(failure, "status", None) for _, failure in self._failures]
        return any(statuses.count(status) > 1 for status in _OF_ALL_STREAMS)

    def _announce_failures(self) -> None:
        for stream, error in self._failures[self._announced :]:
            self._tap.logger.error("Stream '%s' failed: %s", stream.name, self.told(error))
        self._announced = len(self._failures)

    def _nothing_read(self, error: SyncError) -> SyncFailedError:
        selected = [stream.name for stream in self._tap.api_streams if stream.selected]
        alone = len(selected) == 1 and not isinstance(error, AuthorizationError)
        return self._stopped(f"Stream '{selected[0]}' could not be read" if alone else "No stream could be read", error)

    def _stopped(self, what: str, error: SyncError) -> SyncFailedError:
        return SyncFailedError(f"{what}. {str(error).rstrip('.')}. {self._advice(error)}")

    def _advice(self, error: SyncError) -> str:
        secrets = [
            name for name, declared in self._tap.config_jsonschema["properties"].items() if declared.get("secret")
        ]
        return advice(error, self._tap.config["base_url"], secrets)

    def told(self, error: SyncError) -> str:
        """Put into a line what went wrong with a stream that is read alone, and what to do."""
        what_to_do = advice_for_stream(error) if self._tap.http.answered else self._advice(error)
        line = f"{str(error).rstrip('.')}. {what_to_do}" if what_to_do else str(error)
        return self._tap.redactor(" ".join(line.split()))
