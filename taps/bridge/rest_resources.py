"""From a stream's declarations to a resource of dlt's REST source, or to the reason why there is none."""

from __future__ import annotations

import string
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from taps.bridge.columns import column_of
from taps.bridge.rest_code import Call
from taps.bridge.rest_steps import (
    AskedFrom,
    Copied,
    Members,
    Moment,
    OffsetByReceived,
    Renamed,
    Stamped,
    ensure_datetime_in_tz,
    flattened,
)
from taps.engine.counting import Offset, PageNumber
from taps.engine.links import BodyLink, Export, HeaderLink
from taps.engine.pagination import SinglePage
from taps.engine.selector import ROOT, listed_at
from taps.engine.stream import ApiStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from taps.engine.pagination import Pagination

__all__ = ["resources_of"]

_DAY = 86_400
_DEFAULT_KEYS = ("id",)
_READING = ("query", "start", "pages", "get_records")  # what reads a stream by its declarations


def resources_of(
    streams: Iterable[type[ApiStream]], settings: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Give the resources for a tap's streams.

    Args:
        streams: The streams, parents before their children.
        settings: The tap's settings, with the defaults.
        schemas: The streams' JSON Schemas.

    Returns:
        The resources, as trees (see `rest_code`), and the streams for which there is none, each with the reason.
    """
    resources: list[dict[str, Any]] = []
    uncovered: dict[str, str] = {}
    for stream in streams:
        name = stream.name
        pages = _own_way(stream) or _pages(stream, settings["page_size"])
        parent = stream.parent_stream_type and stream.parent_stream_type.name  # type: ignore[misc]
        if isinstance(pages, str):
            uncovered[name] = pages
        elif parent in uncovered:
            uncovered[name] = f"its parent, {parent}, is not covered"
        else:
            resources.append(_resource(name, stream, settings, schemas[name], pages))
    return resources, uncovered


def _resource(
    name: str,
    stream: type[ApiStream],
    settings: Mapping[str, Any],
    schema: Mapping[str, Any],
    pages: Mapping[str, Any],
) -> dict[str, Any]:
    resource: dict[str, Any] = {"name": name}
    keys = list(stream.primary_keys)
    if tuple(keys) != _DEFAULT_KEYS:
        resource["primary_key"] = keys if len(keys) > 1 else keys[0]
    if not _is_added_to(stream):
        resource["write_disposition"] = "replace"
    if columns := _columns(schema, keys):
        resource["columns"] = columns
    path, parent_key, steps = _parent(stream)
    if parent_key:
        resource["include_from_parent"] = [parent_key]
    selector, unnesting = _selection(stream)
    if all_steps := [*unnesting, *_changes(stream), *steps, *_stamp(stream)]:
        resource["processing_steps"] = all_steps
    endpoint: dict[str, Any] = {"path": path, "data_selector": selector}
    if params := {**stream.params, **pages.get("params", {})}:
        endpoint["params"] = {param: _literal(value) for param, value in params.items()}
    endpoint["paginator"] = pages["paginator"]
    if stream.start_param and stream.replication_key:
        endpoint["incremental"] = _incremental(stream, settings)
    ignored = [404] if parent_key else []  # the parent was deleted in between
    if settings["skip_inaccessible_streams"]:
        ignored = [403, 404]
    if ignored:
        endpoint["response_actions"] = [{"status_code": status, "action": "ignore"} for status in ignored]
    return {**resource, "endpoint": endpoint}


def _columns(schema: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Give hints where dlt's own guess would spoil a table."""
    columns = {}
    for name, declared in schema["properties"].items():
        kind = column_of(declared, schema)["data_type"]
        # An API may give numbers where a text is declared. In columns of two types a merge would not find its rows.
        # Names that users choose, as of custom fields, would become columns and tables.
        if (kind == "text" and name in keys) or (kind == "json" and _is_free_form(declared)):
            columns[name] = {"data_type": kind}
    return columns


def _is_free_form(declared: Mapping[str, Any]) -> bool:
    """Whether there is an object in a field whose members are not declared."""
    members = declared.get("properties", {})
    inner = [*members.values(), *([declared["items"]] if "items" in declared else [])]
    return ("object" in declared.get("type", ()) and not members) or any(map(_is_free_form, inner))


def _is_added_to(stream: type[ApiStream]) -> bool:
    """Whether a run gives only part of the rows: what has changed, or the figures of now."""
    root: Any = stream
    while root.parent_stream_type is not None:
        root = root.parent_stream_type
    return root.start_param is not None or stream.snapshot_field in stream.primary_keys


def _own_way(stream: type[ApiStream]) -> str | None:
    """Say so where a stream does more than declare."""
    if stream.sublists:
        return f"records have lists of their own below them, at {stream.sublists.path}"
    own = [method for method in _READING if getattr(stream, method) is not getattr(ApiStream, method)]
    return f"it is read in a way of its own, by its method '{own[0]}'" if own else None


def _pages(stream: type[ApiStream], page_size: int) -> dict[str, Any] | str:
    """Give the paginator, with the parameters that go with it, or the reason why dlt has none."""
    pages = stream.pagination
    sized = {"params": {pages.size_param: page_size}}
    match pages:
        case SinglePage():
            return {"paginator": "single_page"}
        case HeaderLink():
            return {"paginator": "header_link", **sized}
        case BodyLink(window=None, opaque_param=None):
            return {"paginator": {"type": "json_link", "next_url_path": pages.path}, **sized}
        case PageNumber(window=None):
            number = {"base_page": 1, "page_param": pages.page_param, "total_path": None}
            return {"paginator": {"type": "page_number", **number}, **sized}
        case Offset():
            names = {"limit_param": pages.size_param, "offset_param": pages.offset_param}
            return {
                "paginator": Call(
                    OffsetByReceived, named={"limit": page_size, **names, "keys": list(stream.primary_keys)}
                )
            }
    return _why_not(stream, pages)


def _why_not(stream: type[ApiStream], pages: Pagination) -> str:
    match pages:
        case PageNumber() | BodyLink(opaque_param=None):
            counted = "pages" if isinstance(pages, PageNumber) else "records"
            return (
                f"the API gives at most {pages.window} {counted} a query, and dlt has no paginator that then asks "
                f"again from the last {stream.replication_key}"
            )
        case BodyLink():
            return "the next page is told by an address or by an opaque text, and dlt's paginators take one of the two"
        case Export():
            return "the last page links to itself, and dlt has no paginator that does not follow such a link for ever"
    return f"dlt has no paginator like {type(pages).__name__}"


def _parent(stream: type[ApiStream]) -> tuple[str, str | None, list[dict[str, Any]]]:
    """Give the path as dlt has it, the field of the parent that is in it, and the step that names it as we do."""
    parent = stream.parent_stream_type
    fields = [field for _, field, _, _ in string.Formatter().parse(stream.path) if field]
    if parent is None or not fields:
        return stream.path, None, []
    name = parent.name  # type: ignore[misc]  # each class has its own
    key = parent.primary_keys[0]  # type: ignore[index]
    path = stream.path.format_map(dict.fromkeys(fields, f"{{resources.{name}.{key}}}"))
    return path, key, [{"map": Call(Renamed, named={"field": f"_{name}_{key}", "to": fields[0]})}]


def _selection(stream: type[ApiStream]) -> tuple[str, list[dict[str, Any]]]:
    """Give the path to the records, and the steps that lead on to those that take along ids of what they are in."""
    if listed_at(stream.records_jsonpath) == ROOT or stream.records_jsonpath == "$":
        return "$", []
    names = stream.records_jsonpath.removeprefix("$.").split(".")
    if not stream.enclosing_ids:
        # Without a final [*], which in dlt would make values of a lone object's members.
        return ".".join(names).removesuffix("[*]"), []
    arrays = [name.removesuffix("[*]") for name in names]
    taken: list[str] = []
    steps: list[dict[str, Any]] = []
    for outer, inner in pairwise(arrays):
        takes = {field: field for field in taken}
        if field := stream.enclosing_ids.get(outer):
            takes["id"] = field
            taken.append(field)
        steps.append({"yield_map": Call(Members, named={"array": inner, "takes": takes})})
    return arrays[0], steps


def _changes(stream: type[ApiStream]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [{"map": flattened}] if stream.resource_objects else []
    if stream.start_param and stream.replication_key:
        steps.append({"map": Call(Moment, named={"field": stream.replication_key})})
    steps += [{"map": Call(Renamed, named={"field": name, "to": field})} for name, field in stream.aliases.items()]
    copied = stream.copied_fields.items()
    return [*steps, *({"map": Call(Copied, named={"path": path, "to": field})} for field, path in copied)]


def _stamp(stream: type[ApiStream]) -> list[dict[str, Any]]:
    if stream.snapshot_field is None:
        return []
    always = stream.snapshot_field in stream.primary_keys
    return [{"map": Call(Stamped, named={"field": stream.snapshot_field, "always": always})}]


def _incremental(stream: type[ApiStream], settings: Mapping[str, Any]) -> dict[str, Any]:
    if stream.start_param is None:
        raise AssertionError  # whoever calls it has looked
    return {
        "cursor_path": stream.replication_key,
        "start_param": stream.start_param.name,
        "initial_value": Call(ensure_datetime_in_tz, (settings["start_date"],)),
        "convert": Call(AskedFrom, (stream.start_param.without_end,)),
        # dlt goes on from the newest record that it read. What changed on pages before it, while it read, may be older.
        "lag": max(_DAY, round(settings["lookback_days"] * _DAY)) if stream.lookback else _DAY,
        "on_cursor_value_missing": "include",
    }


def _literal(value: Any) -> Any:
    return value.replace("{", "{{").replace("}", "}}") if isinstance(value, str) else value
