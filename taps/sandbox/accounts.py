"""Many accounts of an API at one port, as a company has that reads all of its customers' help desks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from taps.sandbox.answers import PREFIX, Json
from taps.sandbox.apis import served_as
from taps.sandbox.defaults import CACHE_MB, GENERIC
from taps.sandbox.server import Sandbox
from taps.sandbox.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from starlette.types import ASGIApp, Receive, Scope, Send
    from typing_extensions import Self

#: What each account has of its own; the rest of its credentials says who asks and where.
_SECRETS = ("access_token", "api_key", "client_secret", "refresh_token")
_SEED = 42


class SandboxAccounts(Mapping[str, Sandbox]):
    """Accounts of one API on a local port, each a `Sandbox` below a path of its own, served while this is entered.

    They are found by their names: `accounts["account-07"]` is at `http://127.0.0.1:PORT/account-07`. Each has made-up
    data, keys, faults, a journal, control paths and a rate limit of its own. The port is the same, so that the fault
    `refused` closes it for all.

    Args:
        api: The API's name.
        count: How many accounts there are.
        provider: In whose dialect it is served, as of `Sandbox`.
        seed: What all made-up contents depend on; the seed of an account is the sum of this and its number.
        host: The address to listen at.
        port: The port; 0 takes a free one.
        cache_mb: Megabytes of pages to keep once they are made, of all accounts together.
        **settings: All else that a `Sandbox` takes holds for each account alone. Keys and tokens end in the account's
            number, whether they are the API's usual ones or given here.

    Raises:
        ValueError: As of `Sandbox`, and where there is less than one account.
        TypeError: As of `Sandbox`.
        OSError: On entering, the address or the port cannot be had.
    """

    def __init__(
        self,
        api: str = "helpdesk",
        count: int = 2,
        *,
        provider: str = GENERIC,
        seed: int = _SEED,
        host: str = "127.0.0.1",
        port: int = 0,
        cache_mb: int = CACHE_MB,
        **settings: Any,
    ) -> None:
        if count < 1:
            raise ValueError(f"there is at least one account, not {count}")
        self.api = served_as(api, provider)
        self._serving = Serving(host=host, port=port)
        self._accounts: dict[str, Sandbox] = {}
        for number in range(1, count + 1):
            digits = f"{number:0{max(2, len(str(count)))}}"
            own = {
                name: f"{settings.get(name, usual)}-{digits}"
                for name, usual in self.api.defaults.items()
                if name in _SECRETS
            }
            self._accounts[f"account-{digits}"] = Sandbox(
                api,
                provider=provider,
                seed=seed + number,
                cache_mb=max(1, cache_mb // count),
                prefix=f"/account-{digits}",
                serving=self._serving,
                **{**settings, **own},
            )
        self._serving.app = _Below({f"/{name}": account.app for name, account in self._accounts.items()})

    @property
    def listed(self) -> list[dict[str, str]]:
        """The accounts as Spark's data source takes them: the name as `account`, and the settings of a tap."""
        return [{"account": name, **account.config} for name, account in self._accounts.items()]

    def __getitem__(self, name: str) -> Sandbox:
        """Give an account.

        Args:
            name: Its name.

        Raises:
            KeyError: There is no such account.
        """
        return self._accounts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._accounts)

    def __len__(self) -> int:
        return len(self._accounts)

    def __enter__(self) -> Self:
        self._serving.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.__exit__(kind, error, trace)


class _Below:
    """Has each application answer the requests below its prefix, whose path it gets without that.

    Args:
        apps: The applications by prefix, which is the first part of a path.
    """

    def __init__(self, apps: Mapping[str, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, name, *rest = scope["path"].split("/", 2)
        app = self._apps.get(f"/{name}")
        if app is None:
            prefixes = list(self._apps)
            message = f"there is no account at {scope['path']}; they are below {prefixes[0]} to {prefixes[-1]}"
            await Json({"code": "not_found", "message": message}, 404)(scope, receive, send)
            return
        raw: bytes = scope["raw_path"]
        own = {"path": "/" + "".join(rest), "raw_path": b"/" + b"".join(raw.split(b"/", 2)[2:]), PREFIX: f"/{name}"}
        await app({**scope, **own}, receive, send)
