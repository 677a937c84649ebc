import pytest
import requests
from requests.auth import AuthBase

from taps.engine.auth import HeaderKey, InHeader, QueryKey


def prepared(url: str) -> requests.PreparedRequest:
    return requests.Request("GET", url).prepare()


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("http://a.example/x", "http://a.example/x?api_key=k%26y%2F%C3%A9"),
        ("http://a.example/x?page=2", "http://a.example/x?page=2&api_key=k%26y%2F%C3%A9"),
        (
            "http://a.example/x?filter[a]=1%2B2&empty=",
            "http://a.example/x?filter%5Ba%5D=1%2B2&empty=&api_key=k%26y%2F%C3%A9",
        ),
        ("http://a.example/x?api_key=given&page=2", "http://a.example/x?api_key=given&page=2"),
        ("http://a.example/x?page=2#part", "http://a.example/x?page=2&api_key=k%26y%2F%C3%A9#part"),
    ],
)
def test_a_key_in_the_query_is_added_once_and_leaves_the_rest_as_it_is(url: str, signed: str) -> None:
    assert QueryKey("api_key", "k&y/é")(prepared(url)).url == signed


def header(auth: AuthBase) -> object:
    return auth(prepared("http://a.example/")).headers["Authorization"]


def test_a_key_in_the_header_may_have_a_prefix_and_any_characters() -> None:
    assert header(HeaderKey("GenieKey ключ")) == "GenieKey ключ".encode()
    assert header(InHeader("Bearer", "{token}").sign({"token": "abc"})) == b"Bearer abc"
