"""What Spark must not show of the options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taps.bridge.ours import our_tap, our_taps

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["redact_options"]

_PATTERN = "spark.sql.redaction.options.regex"
_WITH_SECRETS = ("accounts",)


def redact_options(session: SparkSession) -> None:
    """Have a session redact the options that hold secrets, beside those that it redacts by itself.

    Spark writes a data source's options into its history and its UI, for example when a view is made of a DataFrame. Of
    itself it redacts those that are called a token, a secret or a password, but no `api_key`.
    """
    taps = filter(None, map(our_tap, our_taps()))
    declared = [setting for tap in taps for setting in tap.config_jsonschema["properties"].items()]
    names = {name for name, schema in declared if schema.get("secret")}
    own = f"(?i)^({'|'.join(sorted([*names, *_WITH_SECRETS]))})$"
    pattern = session.conf.get(_PATTERN)
    if own not in (pattern or ""):
        session.conf.set(_PATTERN, f"{pattern}|{own}" if pattern else own)
