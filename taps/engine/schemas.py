"""Where the JSON Schemas of the streams are."""

from __future__ import annotations

from pathlib import Path

from singer_sdk import StreamSchema
from singer_sdk.schema.source import SchemaDirectory

__all__ = ["schema_directory", "schemas_of"]

_PACKAGE = Path(__file__).resolve().parent.parent


def schema_directory(api: str) -> Path:
    """Find the folder with the schemas of an API's streams.

    Args:
        api: The folder's name below `schemas/`, for example `helpdesk`.

    Returns:
        `taps/schemas/<api>` of an installed wheel, or `schemas/<api>` of a checkout: an editable install does not
        see the files that the wheel carries inside the package.
    """
    installed = _PACKAGE / "schemas" / api
    return installed if installed.is_dir() else _PACKAGE.parent / "schemas" / api


def schemas_of(api: str) -> StreamSchema[str]:
    """Make the `schema` attribute of an API's stream base class: each stream reads `<stream name>.json`."""
    return StreamSchema(SchemaDirectory(schema_directory(api)))
