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
                                                 scale, and the precision that `minimum` and `maximum` need; 38 digits
                                                 where one of the two is open
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
a key cannot be null; every other one can, whatever is declared, because a null would else end the load. What is no JSON
Schema (a `type` that is a number) counts as if it were not there: the records come all the same.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns

__all__ = ["column_of", "columns_of"]

_MOST_DIGITS = 38  # of a decimal in DuckDB, BigQuery, Snowflake and Arrow's decimal128
_STRING_FORMATS = {"date-time": "timestamp", "date": "date", "time": "time", "singer.decimal": "decimal"}
_NESTED = {"object", "array"}


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
    properties = schema.get("properties")
    for name, declared in properties.items() if isinstance(properties, dict) else ():
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
        return _of_integer(_parts(declared, root))
    if types and types <= {"integer", "number"}:
        return _of_number(_parts(declared, root))
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


def _of_integer(parts: Iterable[Mapping[str, Any]]) -> TColumnSchema:
    if any(bound is not None and not -(2**63) <= bound < 2**63 for part in parts for bound, _ in _bounds(part)):
        return {"data_type": "decimal", "precision": _MOST_DIGITS, "scale": 0}
    return {"data_type": "bigint"}


def _of_number(parts: Iterable[Mapping[str, Any]]) -> TColumnSchema:
    sizes = {_size(part) for part in parts if _said_types(part) & {"integer", "number"}}
    size = sizes.pop() if len(sizes) == 1 else None
    if size is None:
        return {"data_type": "double"}
    return {"data_type": "decimal", "precision": size[0], "scale": size[1]}


def _size(declared: Mapping[str, Any]) -> tuple[int, int] | None:
    """Give precision and scale of a number whose steps are a power of ten; `None` of any other."""
    step = _number(declared.get("multipleOf"))
    sign, digits, exponent = (step or Decimal(0)).normalize().as_tuple()
    if sign or digits != (1,) or not isinstance(exponent, int) or not -_MOST_DIGITS <= exponent <= 0:
        return None
    whole = _MOST_DIGITS + exponent
    bounds = _bounds(declared)
    if all(bound is not None for bound, _ in bounds):
        whole = max(_whole_digits(bound, excluded=excluded) for bound, excluded in bounds if bound is not None)
    return (whole - exponent, -exponent) if whole - exponent <= _MOST_DIGITS else None


def _bounds(declared: Mapping[str, Any]) -> list[tuple[Decimal | None, bool]]:
    """Give the lower and the upper bound, `None` where it is open, and whether the bound itself is left out."""
    bounds = []
    for included, excluded in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        bound, limit = _number(declared.get(included)), _number(declared.get(excluded))
        # Up to draft 4 it is true or false, and says how the other one is meant.
        bounds.append((limit, True) if bound is None else (bound, declared.get(excluded) is True))
    return bounds


def _whole_digits(bound: Decimal, *, excluded: bool) -> int:
    """Count the digits before the point of what is between zero and a bound; nines are all that is below 100."""
    power = bound.adjusted()
    return max(power + (0 if excluded and abs(bound) == Decimal(1).scaleb(power) else 1), 1)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() else None


def _types(declared: Any, root: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> set[str]:
    """Collect the types that a field may have; empty where none is said, or a reference leads into itself."""
    if not isinstance(declared, dict):
        return set()
    if "$ref" in declared:
        found, seen = _referred(declared["$ref"], root, seen)
        return _types(found, root, seen)
    types = _said_types(declared).union(*(_types(part, root, seen) for part in _listed(declared, "allOf")))
    either = [_types(branch, root, seen) for branch in _branches(declared, "anyOf", "oneOf")]
    if not types and not all(either):
        return set()  # one of them may be anything
    types = types.union(*either)
    if not types and "properties" in declared:
        return {"object"}
    if not types:
        values = [declared["const"]] if "const" in declared else _listed(declared, "enum")
        types = {_type_of(value) for value in values}
    return types


def _formats(declared: Any, root: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> set[str | None]:
    if not isinstance(declared, dict):
        return {None}
    if "$ref" in declared:
        found, seen = _referred(declared["$ref"], root, seen)
        return _formats(found, root, seen)
    branches = [branch for branch in _branches(declared) if _types(branch, root, seen) - {"null"}]
    if branches and "format" not in declared:
        return set().union(*(_formats(branch, root, seen) for branch in branches))
    said = declared.get("format")
    return {said if isinstance(said, str) else None}


def _parts(declared: Any, root: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[Mapping[str, Any]]:
    """Go through all that is said of a field, in the place itself and where that leads."""
    if not isinstance(declared, dict):
        return
    if "$ref" in declared:
        found, seen = _referred(declared["$ref"], root, seen)
        yield from _parts(found, root, seen)
        return
    yield declared
    for branch in _branches(declared):
        yield from _parts(branch, root, seen)


def _said_types(declared: Mapping[str, Any]) -> set[str]:
    said = declared.get("type")
    return {said} if isinstance(said, str) else {name for name in _listed(declared, "type") if isinstance(name, str)}


def _branches(declared: Mapping[str, Any], *words: str) -> Iterator[Any]:
    for word in words or ("anyOf", "oneOf", "allOf"):
        yield from _listed(declared, word)


def _listed(declared: Mapping[str, Any], word: str) -> list[Any]:
    listed = declared.get(word)
    return listed if isinstance(listed, list) else []


def _referred(reference: Any, root: Mapping[str, Any], seen: frozenset[str]) -> tuple[Any, frozenset[str]]:
    """Give what a reference stands for, and the references that have led there; nothing where it leads into itself."""
    if not isinstance(reference, str) or not reference.startswith("#/") or reference in seen:
        return {}, seen
    found: Any = root
    for part in reference[2:].split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found, seen | {reference}


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "object"
