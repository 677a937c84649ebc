"""The accounts that are read, each with the settings of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from singer_sdk.exceptions import ConfigurationError

from taps.bridge.ours import in_a_thread
from taps.engine.setting_values import environment_settings, setting_of
from taps.spark.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from taps.engine.tap import ApiTap

__all__ = ["Account", "accounts_of", "opened"]

_NAME = "account"
_REFERENCE = "env"


class Account(Struct, frozen=True):
    """An account.

    Attributes:
        name: What its rows have in the column `_account`; empty where there is one only.
        given: Its settings as they were given: some may name a variable of the environment instead of a value.
    """

    name: str
    given: Mapping[str, Any]

    def settings(self, tap_class: type[ApiTap], *, complete: bool = True) -> dict[str, Any]:
        """Put together the settings on this machine: those given, and else those of the environment.

        Args:
            tap_class: The tap.
            complete: Whether each variable that is named has to be there.

        Raises:
            OptionError: One is not.
        """
        schema = tap_class.config_jsonschema
        made = environment_settings(schema, f"{tap_class.name.upper().replace('-', '_')}_")
        for name, value in self.given.items():
            variable = _variable(value)
            if variable is None:
                made[name] = value
            elif variable in os.environ:
                made[name] = setting_of(os.environ[variable], schema["properties"][name].get("type", ()))
            elif complete:
                raise OptionError(
                    f"{self}setting '{name}' is to come from the environment variable {variable}, which is not set on "
                    f"this machine; set it with spark.executorEnv.{variable}, or where the executors are started"
                )
        return made

    def __str__(self) -> str:
        return f"Account '{self.name}': " if self.name else ""


def opened(tap_class: type[ApiTap], account: Account, *, complete: bool = True) -> ApiTap:
    """Make a tap.

    Args:
        tap_class: The tap.
        account: Has the settings.
        complete: Whether the settings have to be so; the tap can make no request without those that are missing.

    Raises:
        OptionError: They cannot be used.
    """
    settings = account.settings(tap_class, complete=complete)
    try:
        return in_a_thread(lambda: tap_class(config=settings, validate_config=complete))
    except ConfigurationError as error:
        raise OptionError(f"{account}{tap_class.redactor(' '.join(str(error).split()))}") from None


def accounts_of(listed: Any, common: Mapping[str, Any], tap_class: type[ApiTap]) -> list[Account]:
    """Read the accounts out of a list.

    Args:
        listed: An object for each account: its name as `account`, and its settings.
        common: The settings that all of them have; an account's own come before.
        tap_class: The tap.

    Raises:
        OptionError: It is no such list.
    """
    if not isinstance(listed, list) or not listed or not all(isinstance(entry, dict) for entry in listed):
        raise OptionError(
            "Option 'accounts' must be a list of objects, each with a name as 'account' and with settings of the tap: "
            '[{"account": "acme", "base_url": "https://…"}, …]'
        )
    names = [entry.get(_NAME) for entry in listed]
    for place, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise OptionError(f"Option 'accounts': number {place + 1} has no name; give it one as 'account'")
        if names.index(name) != place:
            raise OptionError(f"Option 'accounts': '{name}' is there twice; give each account a name of its own")
    return [Account(entry[_NAME], {**common, **dict(_settings(entry, tap_class))}) for entry in listed]


def _settings(entry: Mapping[str, Any], tap_class: type[ApiTap]) -> Iterator[tuple[str, Any]]:
    known = tap_class.config_jsonschema["properties"]
    for name, value in entry.items():
        if name == _NAME:
            continue
        if name not in known:
            raise OptionError(f"Option 'accounts': '{entry[_NAME]}' has a setting '{name}' that {tap_class.name} lacks")
        yield name, value


def _variable(value: Any) -> str | None:
    named = value.get(_REFERENCE) if isinstance(value, dict) and len(value) == 1 else None
    return named if isinstance(named, str) else None
