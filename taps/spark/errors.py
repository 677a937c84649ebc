"""What can go wrong between Spark and a tap, as exceptions whose text is one line for the user.

::

    SingerSourceError
    ├── OptionError          an option that cannot be used
    ├── ReadError            the API, or what it gave, did not let a partition be read
    └── ValueDoesNotFitError a value that its column cannot hold

Spark shows each as the last line of a traceback. None of them has a setting's value in it that is a secret.
"""

from __future__ import annotations

__all__ = ["OptionError", "ReadError", "SingerSourceError", "ValueDoesNotFitError"]


class SingerSourceError(Exception):
    """Anything that the data source raises."""


class OptionError(SingerSourceError):
    """An option, or a setting among them, cannot be used."""


class ReadError(SingerSourceError):
    """A partition could not be read."""


class ValueDoesNotFitError(SingerSourceError):
    """A value is not what its column holds."""
