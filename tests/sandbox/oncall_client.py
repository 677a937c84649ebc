from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from taps.sandbox.instants import instant
from taps.sandbox.server import Sandbox

if TYPE_CHECKING:
    from typing_extensions import Self


def oncall(**settings: Any) -> Sandbox:
    return Sandbox(api="oncall", **{"size": 150, "seed": 3, **settings})


class Client:
    """Asks the sandbox for pages, with its key."""

    def __init__(self, sandbox: Sandbox, prefix: str = "") -> None:
        self._base = sandbox.base_url
        self.session = requests.Session()
        self.session.headers["Authorization"] = prefix + sandbox.api_key

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(self, path: str, **params: Any) -> requests.Response:
        url = path if path.startswith("http") else self._base + path
        return self.session.get(url, params=params, timeout=10)

    def pages(self, path: str, **params: Any) -> list[list[dict[str, Any]]]:
        pages = []
        response = self.get(path, **params)
        while True:
            assert response.status_code == 200, response.text
            pages.append(response.json()["data"])
            following = response.json().get("paging", {}).get("next")
            if following is None:
                return pages
            response = self.get(following)

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return [row for page in self.pages(path, **params) for row in page]


def moment(row: dict[str, Any], field: str = "updatedAt") -> int:
    found = instant(row[field])
    assert found is not None
    return found


def refused(response: requests.Response, status: int) -> str:
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"message", "took", "requestId"}
    message: str = body["message"]
    return message
