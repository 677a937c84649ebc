"""Each way to log in of each tap, with a sandbox that asks for just these secrets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hunting import Hunt, forms_of_login, secret

from taps.contact_center.tap import TapContactCenter
from taps.helpdesk.tap import TapHelpdesk
from taps.oncall.tap import TapOncall
from taps.sales_engagement.tap import TapSalesEngagement
from taps.sandbox.server import Sandbox
from taps.voice.tap import TapVoice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from taps.engine.tap import ApiTap

TAPS: dict[type[ApiTap], tuple[str, ...]] = {
    TapHelpdesk: ("agents", "companies"),
    TapVoice: ("phone_numbers", "addresses"),
    TapSalesEngagement: ("accounts", "calls"),
    TapOncall: ("users", "incidents"),
    TapContactCenter: ("account_overview", "agents_overview"),
}
"""The taps, each with two streams that stand for all where it makes no difference."""


@dataclass(frozen=True)
class Login:
    """A tap, and the secret settings that it is given."""

    tap_class: type[ApiTap]
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.tap_class.name} by {' and '.join(self.names)}"

    @property
    def streams(self) -> tuple[str, ...]:
        return TAPS[self.tap_class]

    @contextmanager
    def opened(self, **options: Any) -> Iterator[Opened]:
        """Serve a sandbox that takes new secrets, and those of the tap's settings that fit."""
        api = self.tap_class.name.removeprefix("tap-").replace("-", "_")
        secrets: dict[str, Any] = {name: secret(name) for name in self.names}
        with Sandbox(api, size=6, seed=3, **secrets, **options) as sandbox:
            hunt = Hunt(secrets.values())
            if api == "sales_engagement":
                _watch_tokens(sandbox, hunt)
            others = {name: value for name, value in sandbox.config.items() if name not in sandbox.api.credentials}
            for name in set(sandbox.api.credentials) & set(self.tap_class.config_jsonschema["properties"]):
                if not self.tap_class.config_jsonschema["properties"][name].get("secret"):
                    others[name] = sandbox.config[name]
            yield Opened(sandbox, {**others, **secrets, "backoff_factor": 0, "max_retries": 1}, secrets, hunt)


@dataclass(frozen=True)
class Opened:
    """A sandbox that asks for secrets, the tap's settings for it, and the hunt for the secrets."""

    sandbox: Sandbox
    config: dict[str, Any]
    secrets: Mapping[str, str]
    hunt: Hunt

    @property
    def key(self) -> str:
        return " ".join(self.secrets.values())

    def config_at(self, url: str) -> dict[str, Any]:
        """Give the settings for a server in front of the sandbox."""
        moved = {**self.config, "base_url": url}
        return {**moved, "token_url": f"{url}/oauth/token"} if "token_url" in moved else moved


Opening = Callable[[Login], Opened]

LOGINS = [Login(tap_class, names) for tap_class in TAPS for names in forms_of_login(tap_class)]


def _watch_tokens(sandbox: Sandbox, hunt: Hunt) -> None:
    tokens = sandbox.sales_engagement.tokens
    mint = tokens.mint

    def minted(form: Mapping[str, str]) -> dict[str, Any]:
        answer = mint(form)
        hunt.add(answer["access_token"])
        if answer["refresh_token"] != form["refresh_token"]:
            hunt.add(answer["refresh_token"])
        return answer

    vars(tokens)["mint"] = minted
