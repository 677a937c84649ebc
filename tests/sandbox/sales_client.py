from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from taps.sandbox.instants import instant
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from typing_extensions import Self


def sales(**settings: Any) -> Sandbox:
    return Sandbox(api="sales_engagement", **{"size": 60, "seed": 3, **settings})


def ask_token(sandbox: Sandbox, **fields: str) -> requests.Response:
    config = sandbox.config
    form = {name: config[name] for name in ("client_id", "client_secret", "refresh_token")}
    return requests.post(config["token_url"], data={"grant_type": "refresh_token", **form, **fields}, timeout=10)


class Client:
    """Asks the sandbox for pages, with an access token."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.session = requests.Session()
        self.renew()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def renew(self) -> None:
        token = ask_token(self._sandbox).json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **params: Any) -> requests.Response:
        # What holds a bracket or a slash is a URL already; `page_size` stands for `page[size]`, as it is no name.
        named = {
            {"page_size": "page[size]", "updated": "filter[updatedAt]", "created": "filter[createdAt]"}.get(
                name, name
            ): value
            for name, value in params.items()
        }
        url = path if path.startswith("http") else self._sandbox.base_url + path
        return self.session.get(url, params=named, timeout=10)

    def pages(self, path: str, **params: Any) -> list[list[dict[str, Any]]]:
        pages = []
        response = self.get(path, **params)
        while True:
            assert response.status_code == 200, response.text
            pages.append(response.json()["data"])
            following = response.json().get("links", {}).get("next")
            if following is None:
                return pages
            response = self.get(following)

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return [row for page in self.pages(path, **params) for row in page]


def moment(row: dict[str, Any], field: str = "updatedAt") -> int:
    found = instant(row.get("attributes", row)[field])
    assert found is not None
    return found


def detail(response: requests.Response, status: int = 422, error: str = "validationError") -> str:
    assert response.status_code == status, response.text
    (found,) = response.json()["errors"]
    assert found["id"] == error
    text: str = found["detail"]
    return text
