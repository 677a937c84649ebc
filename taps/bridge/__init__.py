"""dlt reads any Singer tap: `singer_source` makes a dlt source of one."""

from taps.bridge.source import singer_source

__all__ = ["singer_source"]
