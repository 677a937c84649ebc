"""The products that the contact centre tap can read."""

from __future__ import annotations

from taps.engine.auth import InQuery
from taps.engine.provider import GENERIC, Provider

__all__ = ["PROVIDERS"]

PROVIDERS = (Provider(name=GENERIC, title="the contact centre API itself", auth=(InQuery("api_key", "{api_key}"),)),)
