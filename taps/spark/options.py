"""What `spark.read.format("singer")` is told by its options.

=========================  ===========================================================================================
option                     what it says
=========================  ===========================================================================================
`tap`                      the tap, such as `tap-helpdesk`
`stream`                   the stream, such as `tickets`
any setting of the tap     as in the tap's configuration; what is not given comes from the environment
`accounts`                 several accounts: a JSON file, or JSON, with a list of objects that have a name as `account`
                           and settings
`fields`                   the fields that are wanted, with commas between; all by default
`numPartitions`            partitions for each account, at most; 1 by default
`partitionsAtOnce`         how many partitions of an account run at once, among which its rate budget is divided; all
                           by default
`state`                    a JSON file, or JSON, with a Singer state to begin from; of several accounts with a state
                           below the name of each
`settleSeconds`            of a streaming query: how old a record is at least when it is read; 10 by default
=========================  ===========================================================================================
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from pyspark.sql.types import StructType
from singer_sdk.exceptions import ConfigurationError

from taps.bridge.ours import in_a_thread, our_tap, our_taps
from taps.engine.setting_errors import setting_errors
from taps.engine.setting_values import environment_settings, setting_of
from taps.engine.timestamps import parse_timestamp
from taps.engine.wording import meant
from taps.spark.accounts import Account, accounts_of
from taps.spark.errors import OptionError
from taps.spark.types import ACCOUNT, struct_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["Job", "bookmark_of", "job_of"]

_PARTITIONS = 1
_SETTLE = 10  # seconds: a record may be seen a little after the time that it has as its last change
_OWN = {
    name.lower(): name
    for name in (
        "tap",
        "stream",
        "accounts",
        "fields",
        "numPartitions",
        "partitionsAtOnce",
        "state",
        "settleSeconds",
    )
}


class Job(Struct, frozen=True, dict=True):
    """What is to be read.

    Attributes:
        tap: The tap's name.
        stream: The stream's name.
        accounts: The accounts; a single one has no name.
        fields: The fields that are wanted; empty for all.
        partitions: Most partitions for each account.
        at_once: How many of these run at once; `None` for all.
        state: Where to begin, by the names of the accounts.
        settle: Seconds that a record is old at least when a streaming query reads it.
    """

    tap: str
    stream: str
    accounts: Sequence[Account]
    fields: Sequence[str] = ()
    partitions: int = _PARTITIONS
    at_once: int | None = None
    state: Mapping[str, Any] = {}
    settle: int = _SETTLE

    @cached_property
    def tap_class(self) -> type[ApiTap]:
        """The tap."""
        return _tap_named(self.tap)

    @property
    def several(self) -> bool:
        """Whether rows tell of which account they are."""
        return self.accounts[0].name != ""

    @cached_property
    def _environment(self) -> Mapping[str, Any]:
        """The settings that the environment of this machine has; read once, for there may be thousands of accounts."""
        prefix = f"{self.tap_class.name.upper().replace('-', '_')}_"
        return environment_settings(self.tap_class.config_jsonschema, prefix)

    def settings(self, account: Account, *, complete: bool = True) -> dict[str, Any]:
        """Put together an account's settings on this machine: those given, and else those of the environment.

        Args:
            account: The account.
            complete: Whether each variable that the account names has to be there.

        Raises:
            OptionError: One is not.
        """
        return {**self._environment, **account.settings(self.tap_class, complete=complete)}

    def opened(self, account: Account, *, complete: bool = True) -> ApiTap:
        """Make the tap for an account.

        Args:
            account: Has the settings.
            complete: Whether the settings have to be so; the tap can make no request without those that are missing.

        Raises:
            OptionError: They cannot be used.
        """
        settings = self.settings(account, complete=complete)
        try:
            return in_a_thread(lambda: self.tap_class(config=settings, validate_config=complete))
        except ConfigurationError as error:
            raise OptionError(f"{account}{self.tap_class.redactor(' '.join(str(error).split()))}") from None

    def stream_type(self, account: Account) -> type[ApiStream]:
        """Give the stream as the provider of an account has it.

        Raises:
            OptionError: It does not have it.
        """
        settings = self.settings(account, complete=False)
        streams = {stream.name: stream for stream in self.tap_class.streams_for(settings)}
        if self.stream not in streams:
            hint = meant(self.stream, streams) or f"; there are {', '.join(streams)}"
            raise OptionError(f"{account}{self.tap} has no stream '{self.stream}'{hint}")
        return streams[self.stream]

    def schema(self) -> StructType:
        """Give the type of the rows, with those fields that are wanted.

        Raises:
            OptionError: There is no such stream, or no such field.
        """
        self.stream_type(self.accounts[0])
        tap = self.opened(self.accounts[0], complete=False)
        stream = tap.streams[self.stream]
        rows = struct_of(stream.schema, stream.primary_keys, accounts=self.several)
        for name in self.fields:
            if name not in rows.fieldNames():
                raise OptionError(f"Stream '{self.stream}' has no field '{name}'{meant(name, rows.fieldNames())}")
        return StructType([field for field in rows if not self.fields or field.name in {*self.fields, ACCOUNT}])

    def root_type(self, account: Account) -> type[ApiStream]:
        """Give the stream without a parent below whose records the stream is; itself, where it has none."""
        stream: Any = self.stream_type(account)
        while stream.parent_stream_type is not None:
            stream = stream.parent_stream_type
        return stream  # type: ignore[no-any-return]

    def bookmark(self, account: Account) -> datetime | None:
        """Give the time from which the state says that an account is to be read, where it does."""
        return bookmark_of(self.state.get(account.name, {}), self.root_type(account).name)


def bookmark_of(state: Mapping[str, Any], stream: str) -> datetime | None:
    """Give a stream's bookmark in a Singer state, if it has one there.

    Raises:
        OptionError: It is no timestamp.
    """
    value: Any = state
    try:
        value = state.get("bookmarks", {}).get(stream, {}).get("replication_key_value")
        return None if value is None else parse_timestamp(value)
    except (ValueError, TypeError, AttributeError):
        raise OptionError(f"The bookmark of stream '{stream}' is {value!r}, which is no timestamp") from None


def job_of(options: Mapping[str, str]) -> Job:
    """Read the options.

    Args:
        options: As Spark gives them, whatever case their names are in.

    Raises:
        OptionError: One cannot be used. Of several settings that cannot, all are named.
    """
    given = {name.lower(): value for name, value in options.items()}
    own = {_OWN[name]: value for name, value in given.items() if name in _OWN}
    for name, example in (("tap", "tap-helpdesk"), ("stream", "tickets")):
        if not own.get(name):
            raise OptionError(f"Option '{name}' is missing: .option('{name}', '{example}')")
    tap_class = _tap_named(own["tap"])
    known = tap_class.config_jsonschema["properties"]
    for name in given.keys() - _OWN.keys() - known.keys():
        hint = meant(name, [*_OWN.values(), *known])
        raise OptionError(f"Option '{name}' is neither one of the data source nor a setting of {tap_class.name}{hint}")
    common = {name: setting_of(given[name], known[name].get("type", ())) for name in known if name in given}
    several = own.get("accounts")
    accounts = accounts_of(_json("accounts", several), common, tap_class) if several else [Account("", common)]
    for account in accounts:
        _check(account, tap_class)
    return Job(
        tap=tap_class.name,
        stream=own["stream"],
        accounts=accounts,
        fields=[name.strip() for name in own.get("fields", "").split(",") if name.strip()],
        partitions=_number("numPartitions", own.get("numPartitions"), _PARTITIONS, least=1),
        at_once=_number("partitionsAtOnce", own["partitionsAtOnce"], 1, least=1) if "partitionsAtOnce" in own else None,
        state=_state(own.get("state"), accounts),
        settle=_number("settleSeconds", own.get("settleSeconds"), _SETTLE, least=0),
    )


def _tap_named(name: str) -> type[ApiTap]:
    tap = our_tap(name)
    if tap is None:
        raise OptionError(f"There is no tap '{name}'; there are {', '.join(our_taps())}")
    return tap


def _check(account: Account, tap_class: type[ApiTap]) -> None:
    """Check the values that are known by now; what is missing may come from the environment of the executors."""
    known = tap_class.config_jsonschema["properties"]
    plain = {name: value for name, value in account.given.items() if not isinstance(value, dict)}
    errors = setting_errors(plain, {"type": "object", "properties": {name: known[name] for name in plain}})
    if errors:
        raise OptionError(f"{account}{'; '.join(errors)}")


def _state(given: str | None, accounts: Sequence[Account]) -> Mapping[str, Any]:
    if not given:
        return {}
    found = _json("state", given)
    states = found if accounts[0].name else {"": found}
    if not isinstance(states, dict) or not all(isinstance(state, dict) for state in states.values()):
        raise OptionError("Option 'state' must be a Singer state, or one below the name of each account")
    names = [account.name for account in accounts]
    for name in states:
        if name not in names:
            raise OptionError(f"Option 'state' has a state of '{name}', which is no account{meant(name, names)}")
    return states


def _json(name: str, given: str) -> Any:
    """Read JSON, or a file that has it; it is not shown, for it may have secrets."""
    text = given.removeprefix("\ufeff")
    if not text.lstrip().startswith(("[", "{")):
        try:
            text = Path(given).read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8"
            # What is no path may be JSON that was broken off, with secrets in it.
            file = "it" if any(sign in given for sign in '"{}[]:,') else f"the file {given}"
            raise OptionError(f"Option '{name}' is no JSON, and {file} cannot be read as a file: {reason}") from None
    try:
        return json.loads(text)
    except ValueError as error:
        place = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "unknown"
        raise OptionError(f"Option '{name}' is no JSON, at {place}") from None


def _number(name: str, given: str | None, default: int, *, least: int) -> int:
    if given is None:
        return default
    if not given.strip().isdecimal() or int(given) < least:
        raise OptionError(f"Option '{name}' is '{given}'; it must be a whole number from {least}")
    return int(given)
