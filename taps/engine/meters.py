"""The SDK's metrics, for streams that are synced once for each parent record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import metrics

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["RunningCounter", "RunningTimer"]


class RunningCounter(metrics.Counter):
    """Counts over all parents and logs once at the end, where the SDK logs once a parent."""

    def with_context(self, value: Any) -> None:
        """Take no context: the count is of all of them."""

    def exit(self) -> None:
        """Keep counting."""

    def finish(self, *, succeeded: bool) -> None:  # noqa: ARG002 - a count says nothing of success
        """Log the count."""
        super().exit()


class RunningTimer(metrics.Timer):
    """Adds up the time spent on each parent and logs it once at the end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._spent = 0.0

    def with_context(self, value: Any) -> None:
        """Take no context: the time is of all of them."""

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        """Add the time since the last start."""
        self._spent += self.elapsed()

    def finish(self, *, succeeded: bool) -> None:
        """Log the time."""
        self.tags[metrics.Tag.STATUS] = metrics.Status.SUCCEEDED if succeeded else metrics.Status.FAILED
        metrics.log(self.logger, metrics.Point("timer", self.metric, self._spent, self.tags))
