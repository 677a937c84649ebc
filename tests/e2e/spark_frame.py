"""The data source as a loader: what a DataFrame makes of a value."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loaders import Declared, Loader, Row, kinds_of, moment
from spark_session import frame, options_for, rows_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from taps.sandbox.server import Sandbox


class Frame(Loader):
    """A time is one in UTC, a number alone a double, what is not declared JSON; a struct has all of its members."""

    name = "spark"

    def __init__(self, spark: SparkSession, sandbox: Sandbox, **options: Any) -> None:
        self.spark, self.sandbox, self.options = spark, sandbox, options

    def rows(self, stream: str) -> list[Row]:
        return rows_of(frame(self.spark, options_for(self.sandbox, stream=stream, **self.options)))

    def stored(self, value: Any, declared: Declared) -> Any:
        if value is None:
            return None
        if members := members_of(declared):
            made = {name: self.stored(value[name], member) for name, member in members.items()}
            return {name: member for name, member in made.items() if member is not None}
        if items := items_of(declared):
            return [self.stored(item, items) for item in value]
        if is_json(value, declared):
            return json.loads(value, parse_float=Decimal)
        if declared.get("format") == "date":
            return value.isoformat()
        return value

    def expected(self, value: Any, declared: Declared) -> Any:  # noqa: PLR0911 - one for each kind
        if value is None:
            return None
        if members := members_of(declared):
            made = {name: self.expected(value.get(name), member) for name, member in members.items()}
            return {name: member for name, member in made.items() if member is not None}
        if items := items_of(declared):
            return [self.expected(item, items) for item in value]
        kinds = kinds_of(declared)
        if declared.get("format") == "date-time":
            return moment(value)
        if kinds == {"number"}:
            return float(value)
        if kinds == {"integer", "string"}:
            return str(value)
        return json.loads(value, parse_float=Decimal) if is_json(value, declared) else value


def members_of(declared: Declared) -> dict[str, Declared] | None:
    only = kinds_of(declared) == {"object"} and not declared.get("additionalProperties")
    members: dict[str, Declared] | None = declared.get("properties") if only else None
    return members


def items_of(declared: Declared) -> Declared | None:
    items: Declared | None = declared.get("items") if kinds_of(declared) == {"array"} else None
    return items


def is_json(value: Any, declared: Declared) -> bool:
    """Whether a column has the JSON of a field's values; a text of the API's own stays as it is."""
    kinds = kinds_of(declared)
    free = bool({"object", "array"} & kinds)
    return isinstance(value, str) and free and ("string" not in kinds or value.startswith(("{", "[")))
