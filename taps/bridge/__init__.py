"""dlt reads any Singer tap: `singer_source` makes a dlt source of one."""

from taps.bridge.bookmarks import more_to_read
from taps.bridge.source import singer_source

__all__ = ["more_to_read", "singer_source"]
