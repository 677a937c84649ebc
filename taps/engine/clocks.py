"""The clock of this machine and the API's."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from taps.engine.timestamps import format_timestamp

if TYPE_CHECKING:
    import logging

__all__ = ["IMPLAUSIBLE", "Clocks"]

IMPLAUSIBLE = timedelta(days=1)
"""Between two clocks, of which one is then wrong beyond use."""

_SAME = timedelta(minutes=5)


class Clocks:
    """Compares them once, at the API's first answer.

    Args:
        logger: Gets a warning where they are far apart.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._compared = False

    def compare(self, moment: datetime) -> None:
        """Warn where the API's clock is not about that of this machine.

        Args:
            moment: What the API says that it is.
        """
        if self._compared:
            return
        self._compared = True
        ahead = datetime.now(timezone.utc) - moment
        if abs(ahead) > _SAME:
            self._logger.warning(
                "The clock of this machine is %.1f h %s the API's, which says %s; set it right, for how far bookmarks "
                "get depends on it",
                abs(ahead) / timedelta(hours=1),
                "ahead of" if ahead > timedelta(0) else "behind",
                format_timestamp(moment),
            )
