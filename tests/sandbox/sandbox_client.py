from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import requests

if TYPE_CHECKING:
    from typing_extensions import Self

    from taps.sandbox.server import Sandbox


class Client:
    """Asks a sandbox for pages, with its key."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._base = sandbox.base_url
        self.session = requests.Session()
        self.session.auth = (sandbox.api_key, "X")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.session.get(urljoin(self._base, path), params=params, timeout=10, allow_redirects=False)

    def data(self, path: str, **params: Any) -> list[dict[str, Any]]:
        response = self.get(path, **params)
        assert response.status_code == 200, response.text
        data: list[dict[str, Any]] = response.json()["data"]
        return data

    def linked_pages(self, path: str, **params: Any) -> list[list[dict[str, Any]]]:
        pages = []
        response = self.get(path, **params)
        while True:
            assert response.status_code == 200, response.text
            pages.append(response.json()["data"])
            if "next" not in response.links:
                return pages
            response = self.get(response.links["next"]["url"])

    def linked(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return [row for page in self.linked_pages(path, **params) for row in page]

    def numbered_pages(self, path: str, **params: Any) -> list[list[dict[str, Any]]]:
        pages: list[list[dict[str, Any]]] = []
        while not pages or pages[-1]:
            pages.append(self.data(path, page=len(pages) + 1, **params))
        return pages[:-1]
