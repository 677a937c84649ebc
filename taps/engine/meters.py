"""The SDK's metrics, for streams that are synced once for each parent record."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import metrics

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["RunningCounter", "RunningTimer", "StreamMeters", "TotalCounter"]


class TotalCounter(metrics.Counter):
    """Knows what it has counted in all; `value` begins anew each time it is logged."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.total = 0

    def increment(self, value: int = 1) -> None:
        """Count, and log now and then."""
        self.total += value
        super().increment(value)


class RunningCounter(TotalCounter):
    """Counts over all parents and logs once at the end, where the SDK logs once a parent."""

    def with_context(self, value: Any) -> None:
        """Take no context: the count is of all of them."""

    def exit(self) -> None:
        """Keep counting."""

    def finish(self) -> None:
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
        self.add(self.elapsed())

    def add(self, seconds: float) -> None:
        """Add seconds that were spent."""
        self._spent += seconds

    def finish(self, *, succeeded: bool) -> None:
        """Log the time."""
        self.tags[metrics.Tag.STATUS] = metrics.Status.SUCCEEDED if succeeded else metrics.Status.FAILED
        metrics.log(self.logger, metrics.Point("timer", self.metric, self._spent, self.tags))


class StreamMeters:
    """What a stream measures from the start of a sync to its end.

    Args:
        stream: The stream's name.
        endpoint: Its path.
    """

    def __init__(self, stream: str, endpoint: str) -> None:
        self._tags = {metrics.Tag.STREAM: stream}
        self._endpoint = {metrics.Tag.ENDPOINT: endpoint}
        self.rows = TotalCounter(metrics.Metric.RECORD_COUNT)
        """Counts the records of the stream, whoever logs it."""

    @cached_property
    def requests(self) -> RunningCounter:
        """Counts the pages that the API has given."""
        return RunningCounter(metrics.Metric.HTTP_REQUEST_COUNT, {**self._tags, **self._endpoint})

    @cached_property
    def records(self) -> RunningCounter:
        """Counts the records of a child stream."""
        self.rows = counter = RunningCounter(metrics.Metric.RECORD_COUNT, dict(self._tags))
        return counter

    def counting(self, counter: metrics.Counter) -> TotalCounter:
        """Give the SDK's counter of a stream's records as one that knows its total."""
        self.rows = TotalCounter(counter.metric, counter.tags, counter.log_interval)
        return self.rows

    @cached_property
    def duration(self) -> RunningTimer:
        """Times a child stream."""
        return RunningTimer(metrics.Metric.SYNC_DURATION, dict(self._tags))

    def finish(self, *, succeeded: bool) -> None:
        """Log what was measured; what was never used has nothing to say."""
        used = vars(self)
        for name in ("records", "requests"):
            if name in used:
                used[name].finish()
        if "duration" in used:
            self.duration.finish(succeeded=succeeded)
