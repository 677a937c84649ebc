"""The taps as a data source of Apache Spark: `spark.dataSource.register(SingerDataSource)`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taps.spark.source import SingerDataSource

__all__ = ["SingerDataSource"]

_NEEDED = {"pyarrow", "pyspark"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.source"), name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _NEEDED:
            raise
        raise ModuleNotFoundError(
            f"{__name__} needs {missing}; install it with: pip install 'frontline-taps[spark]'", name=missing
        ) from None
