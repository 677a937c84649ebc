"""What the bridge asks of a tap, however the tap is run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taps.bridge.catalog import entries_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from taps.bridge.catalog import StreamEntry

__all__ = ["Event", "Rows", "Runner", "Schema", "State"]


@dataclass(frozen=True)
class Schema:
    """A stream is about to give records.

    Attributes:
        stream: Its name.
        schema: JSON Schema of a record.
        keys: Fields that identify a record.
    """

    stream: str
    schema: Mapping[str, Any]
    keys: Sequence[str] = ()


@dataclass(frozen=True)
class Rows:
    """Records of a stream, in their order.

    Attributes:
        stream: Its name.
        rows: All structs of one type, or all `RawRow`.
        size: About how many bytes of JSON they are; 0 where that is not known.
    """

    stream: str
    rows: Sequence[Any]
    size: int = 0


@dataclass(frozen=True)
class State:
    """What a later run may begin from: all rows that came before are done.

    Attributes:
        value: As the tap gave it.
    """

    value: Mapping[str, Any] = field(default_factory=dict)


Event = Schema | Rows | State


class Runner(ABC):
    """A tap that can be asked for its streams, and run.

    Attributes:
        name: What to call it in errors and as a source.
    """

    name: str

    def read_catalog(self, catalog: Any) -> Sequence[StreamEntry]:
        """Read a catalog that the user gives; what it cannot say, the tap does where it can.

        Raises:
            DiscoveryError: It is no catalog.
            TapConfigError: The tap does not take its settings.
        """
        return entries_of(catalog)

    @abstractmethod
    def discover(self) -> Sequence[StreamEntry]:
        """Ask the tap which streams it has.

        Raises:
            DiscoveryError: It did not say.
            TapConfigError: It does not take its settings.
        """

    @abstractmethod
    def run(
        self, catalog: Mapping[str, Any], state: Mapping[str, Any], *, loaded: Callable[[str], bool]
    ) -> AbstractContextManager[Iterator[Event]]:
        """Run the tap.

        Args:
            catalog: A Singer catalog, with what is selected.
            state: What to begin from.
            loaded: Tells whether an earlier load had a stream's rows.

        Returns:
            A context manager that gives the events. They end only if the tap has proved that it gave everything. To
            leave it stops the tap, if it still runs.

        Raises:
            BridgeError: From the iterator, where the tap failed, was stopped, or wrote what cannot be read.
        """
