"""JSON Schema to dlt: which column a declared field becomes.

===============================================  =====================================================================
JSON Schema                                      dlt
===============================================  =====================================================================
`string`                                         `text`; of the format `date-time`: `timestamp`, `date`: `date`,
                                                 `time`: `time`; every other format: `text`
`string` of the format `singer.decimal`          `decimal`
`integer`                                        `bigint`; `decimal(38, 0)` where `minimum` or `maximum` is beyond 64
                                                 bits
`number`                                         `double`; `decimal` where `multipleOf` is a power of ten, with that
                                                 scale, and the precision that `minimum` and `maximum` need
`boolean`                                        `bool`
`object`, `array`                                `json`; with `nested="tables"`, what dlt makes of them: columns and
                                                 child tables
`integer` or `number`                            as `number`
several of `string`, `number`, `boolean`, …      `text`
several with an `object` or an `array`           `json`
no type                                          `json`
`null` only                                      `text`
===============================================  =====================================================================

`anyOf`, `oneOf` and `allOf` count as all of their types together, and a `$ref` as what it stands for. A field that is
a key cannot be null; every other one can, whatever is declared, because a null would else end the load.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns

__all__ = ["column_of", "columns_of"]

_INT64 = range(-(2**63), 2**63)
_MOST_DIGITS = 38  # of a decimal in DuckDB, BigQuery, Snowflake and Arrow's decimal128
_STRING_FORMATS = {"date-time": "timestamp", "date": "date", "time": "time", "singer.decimal": "decimal"}
_NESTED = {"object", "array"}
_DEEPEST = 20  # references that lead into themselves end here


def columns_of(
    schema: Mapping[str, Any], keys: Collection[str], *, replication_key: str | None = None, nested: bool = False
) -> TTableSchemaColumns:
    """Give the columns of a stream.

    Args:
        schema: JSON Schema of a record.
        keys: Fields that identify a record.
        replication_key: Field that tells which of two versions of a record is the later one.
        nested: Whether dlt unnests objects and arrays; these then have no column here.

    Returns:
        A hint for each declared field, by its name.
    """
    columns: TTableSchemaColumns = {}
    for name, declared in schema.get("properties", {}).items():
        column = column_of(declared, schema)
        if nested and column["data_type"] == "json" and _types(declared, schema) & _NESTED:
            continue
        column["name"] = name
        column["nullable"] = name not in keys
        if isinstance(declared, dict) and isinstance(declared.get("description"), str):
            column["description"] = " ".join(declared["description"].split())
        if name == replication_key:
            column["dedup_sort"] = "desc"
        columns[name] = column
    return columns


def column_of(declared: Any, root: Mapping[str, Any]) -> TColumnSchema:
    """Give the column that a field becomes, without its name.

    Args:
        declared: The field's JSON Schema.
        root: The schema that it stands in, for what it refers to.
    """
    types = _types(declared, root) - {"null"}
    if types == {"string"}:
        return _of_string(_formats(declared, root))
    if types == {"integer"}:
        return _of_integer(declared)
    if types and types <= {"integer", "number"}:
        return _of_number(declared)
    if types == {"boolean"}:
        return {"data_type": "bool"}
    if types & _NESTED or not types:
        only_null = not types and "null" in _types(declared, root)
        return {"data_type": "text" if only_null else "json"}
    return {"data_type": "text"}


def _of_string(formats: set[str | None]) -> TColumnSchema:
    kind = _STRING_FORMATS.get(next(iter(formats)) or "", "text") if len(formats) == 1 else "text"
    if kind == "decimal":
        return {"data_type": "decimal", "precision": _MOST_DIGITS, "scale": 9}
    return {"data_type": kind}  # type: ignore[typeddict-item]


def _of_integer(declared: Mapping[str, Any]) -> TColumnSchema:
    bounds = [declared[name] for name in ("minimum", "maximum") if isinstance(declared.get(name), int)]
    if any(bound not in _INT64 for bound in bounds):
        return {"data_type": "decimal", "precision": _MOST_DIGITS, "scale": 0}
    return {"data_type": "bigint"}


def _of_number(declared: Mapping[str, Any]) -> TColumnSchema:
    step = declared.get("multipleOf")
    if isinstance(step, int | float | Decimal) and not isinstance(step, bool) and step > 0:
        sign, digits, exponent = Decimal(str(step)).normalize().as_tuple()
        if digits == (1,) and isinstance(exponent, int) and exponent <= 0:
            bounds = [Decimal(str(declared[name])) for name in ("minimum", "maximum") if name in declared]
            whole = max((len(str(int(abs(bound)))) for bound in bounds), default=_MOST_DIGITS + exponent)
            if whole - exponent <= _MOST_DIGITS and not sign:
                return {"data_type": "decimal", "precision": whole - exponent, "scale": -exponent}
    return {"data_type": "double"}


def _types(declared: Any, root: Mapping[str, Any], depth: int = 0) -> set[str]:
    """Collect the types that a field may have; empty where none is said."""
    if not isinstance(declared, dict) or depth > _DEEPEST:
        return set()
    if "$ref" in declared:
        return _types(_referred(declared["$ref"], root), root, depth + 1)
    said = declared.get("type")
    types = {said} if isinstance(said, str) else set(said or ())
    branches = list(_branches(declared))
    if branches:
        of_branches = [_types(branch, root, depth + 1) for branch in branches]
        if not types and not all(of_branches):
            return set()  # one of them may be anything
        types = types.union(*of_branches)
    if not types and "properties" in declared:
        return {"object"}
    if not types:
        values = declared.get("enum", [declared["const"]] if "const" in declared else [])
        types = {_type_of(value) for value in values}
    return types


def _formats(declared: Any, root: Mapping[str, Any], depth: int = 0) -> set[str | None]:
    if depth > _DEEPEST or not isinstance(declared, dict):
        return {None}
    if "$ref" in declared:
        return _formats(_referred(declared["$ref"], root), root, depth + 1)
    branches = [branch for branch in _branches(declared) if _types(branch, root) - {"null"}]
    if branches and "format" not in declared:
        return set().union(*(_formats(branch, root, depth + 1) for branch in branches))
    return {declared.get("format")}


def _branches(declared: Mapping[str, Any]) -> Iterable[Any]:
    for word in ("anyOf", "oneOf", "allOf"):
        yield from declared.get(word, ())


def _referred(reference: Any, root: Mapping[str, Any]) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return {}
    found: Any = root
    for part in reference[2:].split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "object"
