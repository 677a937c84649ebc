"""The accounts that are read, each with the settings of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from taps.engine.setting_values import setting_of
from taps.spark.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from taps.engine.tap import ApiTap

__all__ = ["Account", "accounts_of"]

_NAME = "account"
_REFERENCE = "env"


class Account(Struct, frozen=True):
    """An account.

    Attributes:
        name: What its rows have in the column `account`; empty where there is one only.
        given: Its settings as they were given: some may name a variable of the environment instead of a value.
    """

    name: str
    given: Mapping[str, Any]

    def settings(self, tap_class: type[ApiTap], *, complete: bool = True) -> dict[str, Any]:
        """Give the settings on this machine, with the values of the variables that some of them name.

        Args:
            tap_class: The tap.
            complete: Whether each variable that is named has to be there.

        Raises:
            OptionError: One is not.
        """
        declared = tap_class.config_jsonschema["properties"]
        made: dict[str, Any] = {}
        for name, value in self.given.items():
            variable = _variable(value)
            if variable is None:
                made[name] = value
            elif variable in os.environ:
                made[name] = setting_of(os.environ[variable], declared[name].get("type", ()))
            elif complete:
                raise OptionError(
                    f"{self}setting '{name}' is to come from the environment variable {variable}, which is not set on "
                    f"this machine; set it with spark.executorEnv.{variable}, or where the executors are started"
                )
        return made

    def __str__(self) -> str:
        return f"Account '{self.name}': " if self.name else ""


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
    accounts: dict[str, Account] = {}
    for place, entry in enumerate(listed):
        name = entry.get(_NAME)
        if not isinstance(name, str) or not name:
            raise OptionError(f"Option 'accounts': number {place + 1} has no name; give it one as 'account'")
        if name in accounts:
            raise OptionError(f"Option 'accounts': '{name}' is there twice; give each account a name of its own")
        accounts[name] = Account(name, {**common, **dict(_settings(entry, tap_class))})
    _require_own(accounts.values(), tap_class.shared_by)
    return list(accounts.values())


def _require_own(accounts: Iterable[Account], setting: str | None) -> None:
    """Make sure that accounts do not share what is of one alone: with the token of another, its rows would come."""
    owners: dict[Any, Account] = {}
    for account in accounts:
        shared = account.given.get(setting or "")
        if isinstance(shared, str) and (other := owners.setdefault(shared, account)) is not account:
            raise OptionError(
                f"Option 'accounts': '{other.name}' and '{account.name}' have the same '{setting}', {shared}; give "
                f"each account its own"
            )


def _settings(entry: Mapping[str, Any], tap_class: type[ApiTap]) -> Iterator[tuple[str, Any]]:
    known = tap_class.config_jsonschema["properties"]
    for name, value in entry.items():
        if name == _NAME:
            continue
        if name not in known:
            raise OptionError(f"Option 'accounts': '{entry[_NAME]}' has a setting '{name}' that {tap_class.name} lacks")
        if isinstance(value, dict) and _variable(value) is None and "object" not in known[name].get("type", ()):
            raise OptionError(
                f"Option 'accounts': '{entry[_NAME]}' has an object as '{name}'; it must be a value, or "
                f'{{"env": "NAME"}} for that of an environment variable'
            )
        yield name, value


def _variable(value: Any) -> str | None:
    named = value.get(_REFERENCE) if isinstance(value, dict) and len(value) == 1 else None
    return named if isinstance(named, str) else None
