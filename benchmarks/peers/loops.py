"""The least that reading tickets can cost: a loop that downloads all pages, and one that writes Singer messages too.

They ask for gzip, as taps do, unless it is `plain` (urllib3). `download` throws away what it gets; `loop` decodes it
and writes a RECORD line a ticket::

    python loops.py {urllib3,requests,plain} {download,loop} http://127.0.0.1:8000
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from itertools import count, takewhile
from typing import TYPE_CHECKING

import orjson
import requests
import urllib3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_KEY, _PASSWORD = "sandbox-key", "X"
_QUERY = (
    "updated_since=1970-01-01T00%3A00%3A00Z&order_by=updated_at&order_type=asc"
    "&include=description%2Crequester%2Cstats&limit=100"
)
#: A page without records is shorter than this.
_EMPTY = 20


def _with_urllib3(base: str, *, compressed: bool = True) -> Callable[[str], bytes]:
    pool = urllib3.connection_from_url(base)
    headers = urllib3.make_headers(basic_auth=f"{_KEY}:{_PASSWORD}", accept_encoding="gzip" if compressed else None)
    return lambda target: pool.request("GET", target, headers=headers).data


def _without_gzip(base: str) -> Callable[[str], bytes]:
    return _with_urllib3(base, compressed=False)


def _with_requests(base: str) -> Callable[[str], bytes]:
    session = requests.Session()
    session.auth = (_KEY, _PASSWORD)
    return lambda target: session.get(base + target, timeout=60).content


def _pages(get: Callable[[str], bytes]) -> Iterator[bytes]:
    pages = (get(f"/v1/tickets?{_QUERY}&page={number}") for number in count(1))
    return takewhile(lambda page: len(page) > _EMPTY, pages)


def _write(page: bytes) -> None:
    extracted = datetime.now(timezone.utc).isoformat()
    for record in orjson.loads(page)["data"]:
        message = {"type": "RECORD", "stream": "tickets", "record": record, "time_extracted": extracted}
        sys.stdout.buffer.write(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def main() -> None:
    """Run the loop that the command line names."""
    library, work, base = sys.argv[1:]
    get = {"urllib3": _with_urllib3, "requests": _with_requests, "plain": _without_gzip}[library](base)
    for page in _pages(get):
        if work == "loop":
            _write(page)


if __name__ == "__main__":
    main()
