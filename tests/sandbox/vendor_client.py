from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from taps.sandbox.server import Sandbox


class VendorClient:
    """Asks a sandbox that speaks a vendor's dialect for pages, below the `base_url` that a tap is given."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.config = sandbox.config
        self.session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(self, path: str, params: dict[str, Any] | None = None) -> requests.Response:
        url = path if path.startswith("http") else self.config["base_url"] + path
        return self.session.get(url, params=params, timeout=10, allow_redirects=False)

    def pages(
        self,
        path: str,
        params: dict[str, Any] | None,
        following: Callable[[requests.Response], str | None],
    ) -> list[Any]:
        """The bodies of all pages, each found by the link in the one before."""
        pages = []
        response = self.get(path, params)
        while True:
            assert response.status_code == 200, response.text
            pages.append(response.json())
            link = following(response)
            if link is None:
                return pages
            assert link.startswith(self.config["base_url"])
            response = self.get(link)


def counted(response: requests.Response) -> dict[str, str]:
    """What an answer tells of the rate limit."""
    return {name.lower(): value for name, value in response.headers.items() if "ratelimit" in name.lower()}
