"""Runs a program written for the vendor's servers against a local one.

What it sends through `requests` to any `https://….freshdesk.com` goes to the local server instead; nothing else of it
is changed. It runs in the program's own environment::

    python redirected.py http://127.0.0.1:8000 tap_freshdesk:main --config config.json --catalog catalog.json
"""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any

import requests

_VENDOR = re.compile(r"https://[^/]+\.freshdesk\.com(?=/)")


def redirect(target: str) -> None:
    """Send to another server what is meant for the vendor's.

    Args:
        target: The other server's root, without a trailing slash.
    """
    send = requests.Session.send

    def redirected(self: requests.Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        request.url = _VENDOR.sub(target, request.url or "")
        return send(self, request, **kwargs)

    requests.Session.send = redirected  # type: ignore[method-assign]


def main() -> None:
    """Run the program with the rest of the command line."""
    _, target, entry, *arguments = sys.argv
    redirect(target)
    module, function = entry.split(":")
    sys.argv = [module, *arguments]
    getattr(importlib.import_module(module), function)()


if __name__ == "__main__":
    main()
