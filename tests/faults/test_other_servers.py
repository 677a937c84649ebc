"""Answers that our sandbox would not give, but other servers do: the same holds as in the fault matrix."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from raw_server import PAGES, RECORDS, Asked, RawServer, answer, sized

from support import sync
from taps.helpdesk.tap import TapHelpdesk

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import Output

    Write = Callable[[Asked], "bytes | tuple[bytes, None]"]

KEY = "k3y-of-the-help-desk"
OK = b"HTTP/1.1 200 OK"
JSON = b"Content-Type: application/json"
ALL = list(range(PAGES * RECORDS))


def read(server: RawServer, **settings: Any) -> Output:
    config = {"base_url": server.base_url, "api_key": KEY, "backoff_factor": 0, "max_retries": 2, **settings}
    output = sync(TapHelpdesk, config, streams=["groups"])
    written = "\n".join([output.text, output.log, *output.errors])
    assert "Traceback" not in written
    for authorization in server.authorizations:
        assert authorization.split()[1] not in written
    assert KEY not in written
    return output


def ids(output: Output) -> list[int]:
    return [record["id"] for record in output.records("groups")]


def chunked(body: bytes, size: int = 7, extension: bytes = b"") -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%X%s\r\n%s\r\n" % (len(part), extension, part) for part in parts)


def deflated(body: bytes, wbits: int) -> bytes:
    compressor = zlib.compressobj(wbits=wbits)
    return compressor.compress(body) + compressor.flush()


def packed(asked: Asked, encoding: bytes, body: bytes) -> bytes:
    return answer(OK, [*asked.link, *sized(body), b"Content-Encoding: " + encoding], body)


RIGHT: dict[str, Write] = {
    "as our sandbox does": Asked.plain,
    "names in capitals": lambda a: answer(OK, [h.replace(b"Link", b"LINK") for h in a.link] + sized(a.body), a.body),
    "names in small letters": lambda a: answer(
        OK, [h.replace(b"Link", b"link") for h in a.link] + sized(a.body), a.body
    ),
    "chunks": lambda a: answer(OK, [*a.link, JSON, b"Transfer-Encoding: chunked"], chunked(a.body) + b"0\r\n\r\n"),
    "chunks with extensions and a trailer": lambda a: answer(
        OK, [*a.link, b"transfer-encoding: Chunked"], chunked(a.body, 1000, b";x=y") + b"0\r\nX-Sum: 1\r\n\r\n"
    ),
    "HTTP/1.0, until the connection ends": lambda a: (answer(b"HTTP/1.0 200 OK", [*a.link, JSON], a.body), None),
    "HTTP/1.1, until the connection ends": lambda a: (answer(OK, [*a.link, b"Connection: close"], a.body), None),
    "closed without a word after each answer": lambda a: (a.plain(), None),
    "no reason behind the status": lambda a: answer(b"HTTP/1.1 200", [*a.link, *sized(a.body)], a.body),
    "100 Continue before it": lambda a: b"HTTP/1.1 100 Continue\r\n\r\n" + a.plain(),
    "no content type": lambda a: answer(OK, [*a.link, b"Content-Length: %d" % len(a.body)], a.body),
    "a wrong content type": lambda a: a.plain().replace(b"application/json", b"text/html; charset=latin-1"),
    "a byte order mark": lambda a: answer(OK, [*a.link, *sized(b"\xef\xbb\xbf" + a.body)], b"\xef\xbb\xbf" + a.body),
    "white space around it": lambda a: answer(OK, [*a.link, *sized(b"\r\n " + a.body)], b"\r\n " + a.body),
    "gzip in capitals": lambda a: packed(a, b"GZIP", gzip.compress(a.body)),
    "gzip by its old name": lambda a: packed(a, b"x-gzip", gzip.compress(a.body)),
    "gzip in two members": lambda a: packed(a, b"gzip", gzip.compress(a.body[:9]) + gzip.compress(a.body[9:])),
    "gzip in chunks": lambda a: answer(
        OK,
        [*a.link, b"Content-Encoding: gzip", b"Transfer-Encoding: chunked"],
        chunked(gzip.compress(a.body)) + b"0\r\n\r\n",
    ),
    "deflate": lambda a: packed(a, b"deflate", deflated(a.body, zlib.MAX_WBITS)),
    "deflate without its header": lambda a: packed(a, b"deflate", deflated(a.body, -zlib.MAX_WBITS)),
    "identity": lambda a: packed(a, b"identity", a.body),
    "a link without quotes, among others": lambda a: answer(
        OK,
        [b'Link: </x>; rel=prev, <%s>; title="a, b"; rel=next' % a.next.encode()] * bool(a.next) + sized(a.body),
        a.body,
    ),
    "links in two headers": lambda a: answer(OK, [b"Link: </x>; rel=first", *a.link, *sized(a.body)], a.body),
    "a relative link": lambda a: a.plain().replace(a.base.encode(), b""),
}

PASSING: dict[str, Write] = {
    "no answer, and the connection is closed": lambda _: (b"", None),
    "an answer to nobody, and the connection is closed": lambda _: (b"\r\n", None),
    "no HTTP": lambda _: (b"220 mail.example.com ESMTP ready\r\n", None),
    "half a status line": lambda _: (b"HTTP/1.1 20", None),
    "headers that break off": lambda _: (b"HTTP/1.1 200 OK\r\nContent-Type: appl", None),
    "too many headers": lambda a: answer(OK, [b"X-%d: 1" % n for n in range(200)] + sized(a.body), a.body),
    "too long a header": lambda a: answer(OK, [b"X: " + b"x" * 70_000, *sized(a.body)], a.body),
    "a body shorter than promised": lambda a: (a.plain()[:-5], None),
    "a body longer than promised": lambda a: (answer(OK, sized(a.body[:-5]), a.body), None),
    "HTTP/1.0, cut short": lambda a: (answer(b"HTTP/1.0 200 OK", [*a.link, JSON], a.body[:-5]), None),
    "chunks without the last": lambda a: (answer(OK, [b"Transfer-Encoding: chunked"], chunked(a.body)), None),
    "chunks of another size than they say": lambda a: (
        answer(OK, [b"Transfer-Encoding: chunked"], b"5\r\n" + a.body + b"\r\n0\r\n\r\n"),
        None,
    ),
    "chunks with a size that is none": lambda _: (answer(OK, [b"Transfer-Encoding: chunked"], b"zz\r\nabc\r\n"), None),
    "gzip that is none": lambda a: packed(a, b"gzip", a.body),
    "gzip with a wrong sum": lambda a: packed(a, b"gzip", gzip.compress(a.body)[:-8] + b"\0" * 8),
    "gzip of nothing": lambda a: packed(a, b"gzip", b""),
    "deflate that is none": lambda a: packed(a, b"deflate", a.body),
    "text that is no UTF-8": lambda a: answer(
        OK, sized(a.body), a.body.replace("ü".encode(), b"\xff\xfe")[: len(a.body)]
    ),
    "two documents": lambda a: answer(OK, [*a.link, *sized(a.body * 2)], a.body * 2),
    "a deep document": lambda a: answer(OK, sized(b"[" * 100_000), b"[" * 100_000),
    "NaN": lambda _: answer(OK, sized(b'{"data": NaN}'), b'{"data": NaN}'),
    "503 in HTML, in chunks": lambda _: answer(
        b"HTTP/1.1 503 Busy", [b"Transfer-Encoding: chunked"], chunked(b"<h1>Busy</h1>") + b"0\r\n\r\n"
    ),
    "503 without a body": lambda _: answer(b"HTTP/1.1 503", [b"Content-Length: 0"]),
    "502 whose body breaks off": lambda _: (answer(b"HTTP/1.1 502 Bad", [b"Content-Length: 50"], b"<htm"), None),
    **{
        f"429 with Retry-After {odd[:40]!r}": lambda _, odd=odd: answer(  # type: ignore[misc]
            b"HTTP/1.1 429 Slow Down", [b"Retry-After: " + odd, b"Content-Length: 0"]
        )
        for odd in (
            b"",
            b"0",
            b"0.0",
            b"-1",
            b"+0",
            b"soon",
            b"0, 0",
            b"0; comment",
            b"1e999",
            b"nan",
            b"inf",
            "٣".encode(),
            b"Thu, 01 Jan 1970 00:00:00 GMT",
            b"Thursday, 01-Jan-70 00:00:00 GMT",
            b"Thu Jan  1 00:00:00 1970",
            b"Thu, 31 Feb 2024 00:00:00 GMT",
            b"Thu, 01 Jan 1970 00:00:00",
            b"Thu, 01 Jan 1970 99:99:99 +9999",
            b"2020-01-01T00:00:00Z",
            b"9" * 400,
        )
    },
}

LASTING: dict[str, tuple[Write, str]] = {
    "an error that repeats the credentials": (
        lambda a: answer(
            b"HTTP/1.1 403 Forbidden", [b"Content-Length: 200"], f"{KEY} {a.authorization}".ljust(200).encode()
        ),
        "403 Forbidden: *** Basic ***",
    ),
    "an error in many lines": (
        lambda _: answer(b"HTTP/1.1 400 No", [b"Content-Length: 11"], b"a\r\nb\n\n\tc\x00\x1bd"),
        "400 Bad Request: a b c d",
    ),
    "an error of a megabyte": (
        lambda _: answer(b"HTTP/1.1 400 No", [b"Content-Length: 1000000"], b"x" * 1_000_000),
        f"400 Bad Request: {'x' * 200}",
    ),
    "a status that nobody knows": (lambda _: answer(b"HTTP/1.1 799 Odd", [b"Content-Length: 0"]), "799"),
    "204 without a page": (lambda _: answer(b"HTTP/1.1 204 No Content", []), "204 No Content"),
    "304, which nobody asked for": (lambda _: answer(b"HTTP/1.1 304 Not Modified", []), "304 Not Modified"),
    "a redirect to nowhere": (lambda _: answer(b"HTTP/1.1 302 Found", [b"Content-Length: 0"]), "302 Found"),
    "a redirect to no address": (
        lambda _: answer(b"HTTP/1.1 302 Found", [b"Location: http://[", b"Content-Length: 0"]),
        "which is not the origin of base_url",
    ),
    "a redirect in a circle": (
        lambda a: answer(b"HTTP/1.1 302 Found", [b"Location: /v1/groups?page=%d" % a.page, b"Content-Length: 0"]),
        "more than 5 redirects",
    ),
    "a next link that is no address": (
        lambda a: answer(OK, [b'Link: <http://[>; rel="next"', *sized(a.body)], a.body),
        "the next link is no address",
    ),
    "a wait until tomorrow": (
        lambda _: answer(b"HTTP/1.1 429 No", [b"Retry-After: 86400", b"Content-Length: 0"]),
        "the API asks to wait 24.0 h, run again then",
    ),
    "a wait for ever": (
        lambda _: answer(b"HTTP/1.1 503 No", [b"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", b"Content-Length: 0"]),
        "run again then",
    ),
}


@pytest.mark.parametrize("write", RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_read_at_once(write: Write) -> None:
    with RawServer(write) as server:
        output = read(server, max_retries=0)
        assert (output.exit_code, output.errors, ids(output)) == (0, [], ALL)
        assert output.records("groups")[-1]["name"] == f"ü{ALL[-1]}"
        assert server.asked == [1, 2, 3]


@pytest.mark.parametrize("write", PASSING.values(), ids=PASSING)
def test_what_passes_is_asked_for_again(write: Write) -> None:
    with RawServer(lambda asked: write(asked) if (asked.page, asked.times) == (2, 1) else asked.plain()) as server:
        output = read(server)
        assert (output.exit_code, output.errors, ids(output)) == (0, [], ALL)
        assert server.asked.count(2) == 2


@pytest.mark.parametrize("write", PASSING.values(), ids=PASSING)
def test_what_does_not_pass_is_told_after_the_last_try(write: Write) -> None:
    with RawServer(lambda asked: write(asked) if asked.page == 2 else asked.plain()) as server:
        output = read(server)
        assert server.asked.count(2) == 3
    assert_told(output, "(3 tries)")


@pytest.mark.parametrize(("write", "cause"), LASTING.values(), ids=LASTING)
def test_what_cannot_pass_is_told_at_once(write: Write, cause: str) -> None:
    with RawServer(lambda asked: write(asked) if asked.page == 2 else asked.plain()) as server:
        assert_told(read(server), cause)
        assert server.asked.count(2) == (6 if cause == "more than 5 redirects" else 1)


def assert_told(output: Output, cause: str) -> None:
    assert output.exit_code == 1
    told, end = output.errors
    assert told.startswith("ERROR tap-helpdesk Stream 'groups' failed: GET /v1/groups: ")
    assert cause in told
    assert told.isprintable()
    assert len(told) < 500
    assert end.startswith("1 of 1 streams failed: groups.")
    assert ids(output) in (ALL[:RECORDS], ALL[: 2 * RECORDS])
