"""The places where we rely on how the SDK works inside; these tests fail when a new version changes them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.exceptions import FatalSyncError
from singer_sdk.streams._state import StreamStateManager

from support import config_for, sync
from taps.engine.errors import SyncFailedError
from taps.engine.reading import Reading
from taps.engine.stream import ApiStream
from taps.engine.tap import ApiTap
from taps.helpdesk.tap import TapHelpdesk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taps.engine.page import Page
    from taps.sandbox.server import Sandbox


@pytest.mark.parametrize(
    ("ours", "theirs", "name"),
    [
        (ApiStream, Stream, "_sync_records"),
        (ApiStream, Stream, "state_manager"),
        (ApiStream, Stream, "stream_maps"),
        (ApiStream, Stream, "log_sync_costs"),
        (ApiStream, Stream, "get_batch_config"),
        (ApiTap, Tap, "_handle_termination"),
        (ApiTap, Tap, "setup_mapper"),
    ],
)
def test_what_we_override_is_still_there(ours: type, theirs: type, name: str) -> None:
    assert name in vars(ours)
    assert hasattr(theirs, name)


def test_a_batch_is_still_told_by_what_we_call_for_it() -> None:
    """And without a configuration of batches, `sync` still goes on to the records, which the page loop then writes."""
    assert list(inspect.signature(Stream._write_batch_message).parameters) == ["self", "encoding", "manifest"]
    source = inspect.getsource(Stream.sync)
    assert source.index("batch_config = self.get_batch_config(self.config)") < source.index("self._sync_records(")


def test_sync_still_goes_through_sync_records(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Reading) -> Iterator[Page]:
        if self._stream.name == "agents":
            raise FatalSyncError("made to fail")
        return iter(())

    monkeypatch.setattr(Reading, "pages", fail)
    output = sync(TapHelpdesk, config_for(sandbox), streams=["agents", "roles"])
    assert "Stream 'agents' failed: made to fail" in "".join(output.errors) or output.exit_code == 1


def test_state_is_still_kept_through_the_state_manager() -> None:
    source = inspect.getsource(Stream._increment_stream_state) + inspect.getsource(Stream._finalize_state)
    assert "self.state_manager.increment_state" in source
    assert "self.state_manager.finalize_state" in source
    assert "self.state_manager.is_flushed" in inspect.getsource(Stream._write_state_message)
    assert hasattr(StreamStateManager, "increment_state")


def test_the_mapper_still_takes_one_stream_after_the_other() -> None:
    assert "self.mapper.register_raw_streams_from_catalog(self.catalog)" in inspect.getsource(Tap.setup_mapper)
    assert hasattr(Stream, "_singer_catalog_entry")


def test_a_failure_reaches_whoever_calls_sync_all(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.set_faults(["500:path=/v1/roles"])
    tap = TapHelpdesk(config=config_for(sandbox, max_retries=0))
    with pytest.raises(SyncFailedError, match="1 of 28 streams failed: roles"):
        tap.sync_all()
    assert '"stream":"tickets"' in capsys.readouterr().out
