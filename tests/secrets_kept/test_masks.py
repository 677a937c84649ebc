"""What is masked, and what is not: each form of a secret, and the text around it."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hunting import Hunt, secret

from taps.engine.redaction import Redactor

KEY = secret("key")
FORMS = {
    "plain": KEY,
    "in lower case": KEY.lower(),
    "in a query": quote_plus(KEY),
    "in a path": quote(KEY),
    "in a part of a path": quote(KEY, safe=""),
    "with escapes in lower case": quote(KEY, safe="").replace("%2F", "%2f").replace("%C3%A9", "%c3%a9"),
    "escaped twice": quote(quote(KEY, safe=""), safe=""),
    "in HTML": html.escape(KEY),
    "in HTML, by numbers": "".join(char if char.isalnum() and char.isascii() else f"&#{ord(char)};" for char in KEY),
    "in JSON": json.dumps(KEY)[1:-1],
    "in JSON as it is": json.dumps(KEY, ensure_ascii=False)[1:-1],
    "in JSON of PHP": json.dumps(KEY)[1:-1].replace("/", "\\/"),
    "in Python": repr(KEY)[1:-1],
    "in Python's bytes": repr(KEY.encode())[2:-1],
    "in a header": KEY.encode().decode("latin-1"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_masked_in_each_form(form: str) -> None:
    assert Redactor([KEY])(f"Not with <{form}>, please") == "Not with <***>, please"


@pytest.mark.parametrize("before", ["", "u:", "us:", "use:", "some@body.com/token:"])
@pytest.mark.parametrize("after", ["", ":X", ":password"])
def test_a_secret_is_masked_in_base64(before: str, after: str) -> None:
    coded = base64.b64encode(f"{before}{KEY}{after}".encode()).decode()
    for text in (coded, coded.translate(str.maketrans("+/", "-_"))):
        assert Hunt([KEY]).finds({"itself": text})
        assert Hunt([KEY]).finds({"masked": Redactor([KEY])(f"Token {text} is bad")}) == []


@pytest.mark.parametrize("length", [8, 12, 20, len(KEY) - 1])
def test_a_secret_that_is_cut_is_masked(length: int) -> None:
    redact = Redactor([KEY, secret("other")])
    assert redact(f"It is {KEY[:length]}") == "It is ***"
    assert redact(f"It is {KEY[:length]}… and more") == "It is ***… and more"
    assert redact(f"It is {quote(KEY, safe='')[:length]}…") == "It is ***…"


def test_other_text_stays_as_it_is() -> None:
    redact = Redactor(["abc", "sandbox-key", "sandbox-secret"])
    text = "Basic authentication is off. A bearer token; Bearer tokens. The sandbox-keeper and abc sit in the sandbox"
    assert redact(text) == text
    assert redact("sandbox-secret and sandbox-key") == "*** and ***"


@pytest.mark.parametrize("credentials", ["Basic dXNlcjpwYXNz", "Bearer abc.def-123", "Bearer " + "x" * 40])
def test_credentials_of_others_are_masked_where_they_are_named(credentials: str) -> None:
    kind = credentials.partition(" ")[0]
    assert Redactor()(f"Authorization: {credentials}, sent") == f"Authorization: {kind} ***, sent"


def test_a_secret_that_is_no_unicode_is_masked() -> None:
    odd = "key-\ud800-0123456789"
    assert Redactor([odd])(f"It is {odd!r}") == "It is '***'"
