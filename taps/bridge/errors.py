"""What can go wrong between a tap and dlt, as exceptions whose text is one line for the user.

::

    dlt.extract.exceptions.DltSourceException
    └── BridgeError
        ├── TapNotFoundError             no such tap, class or executable
        ├── TapConfigError               settings, a catalog or a state that the tap or the bridge cannot use
        ├── DiscoveryError               the tap did not say which streams it has
        ├── UnknownStreamError           a stream is asked for, or written, that discovery does not list
        ├── NameCollisionError           two names that are one in the destination
        ├── TapFailedError               the tap ended in an error
        ├── IncompleteError              the tap ended without having said that all is there
        ├── MessageError                 a line that is no Singer message
        │   └── BatchNotSupportedError   a BATCH message
        └── ValueDoesNotFitError         a value that its column cannot hold

Each passes through dlt unchanged, as the cause of `PipelineStepFailed`. None of them has a setting's value in it that
looks like a credential.
"""

from __future__ import annotations

from dlt.extract.exceptions import DltSourceException

__all__ = [
    "BatchNotSupportedError",
    "BridgeError",
    "DiscoveryError",
    "IncompleteError",
    "MessageError",
    "NameCollisionError",
    "TapConfigError",
    "TapFailedError",
    "TapNotFoundError",
    "UnknownStreamError",
    "ValueDoesNotFitError",
]


class BridgeError(DltSourceException):
    """Anything that the bridge raises."""


class TapNotFoundError(BridgeError):
    """There is no tap of that name, no such class, or no such executable."""


class TapConfigError(BridgeError):
    """The tap's settings, a catalog or an argument cannot be used."""


class DiscoveryError(BridgeError):
    """The tap was asked which streams it has, and gave no catalog."""


class UnknownStreamError(BridgeError):
    """A stream is asked for that the tap does not have, or the tap writes one that it did not list."""


class NameCollisionError(BridgeError):
    """Two streams, or two fields of a stream, get the same name in the destination."""


class TapFailedError(BridgeError):
    """The tap ended in an error.

    Attributes:
        exit_code: Of a tap that ran as a process; negative for the signal that killed it.
    """

    def __init__(self, message: str, *, exit_code: int | None = None) -> None:
        self.exit_code = exit_code
        super().__init__(message)


class IncompleteError(BridgeError):
    """The tap ended without an error, but not everything that it should have given is there."""


class MessageError(BridgeError):
    """A line of the tap's output is no message that the bridge can read.

    Attributes:
        line: Its number, from 1.
    """

    def __init__(self, message: str, *, line: int) -> None:
        self.line = line
        super().__init__(message)


class BatchNotSupportedError(MessageError):
    """The tap hands over files instead of records."""


class ValueDoesNotFitError(BridgeError):
    """A value is not what its column in the destination can hold."""
