"""The tap that all taps are: settings, one HTTP client, one writer, and the account of what failed."""

from __future__ import annotations

import signal
import sys
import weakref
from abc import ABC
from functools import cached_property, lru_cache
from importlib import metadata
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.mapper import PluginMapper

from taps.engine.budget import RateBudget
from taps.engine.catalog import checked_catalog, without_unread_fields
from taps.engine.cli import TapCommand, read_object
from taps.engine.client import HttpClient
from taps.engine.clocks import Clocks
from taps.engine.environment import proxy_secrets, unprotected
from taps.engine.errors import InvalidInputError, InvalidSettingsError
from taps.engine.given_state import check_state, ineffective_bookmarks
from taps.engine.lanes import Lane, Limit, Toll
from taps.engine.outcome import Outcome
from taps.engine.pacing import RetryPolicy
from taps.engine.progress import Progress
from taps.engine.provider import UNKNOWN_PLAN, Plan, Provider, streams_of
from taps.engine.redaction import Redactor
from taps.engine.setting_errors import (
    batch_errors,
    choice_errors,
    dates_without_records,
    missing_settings,
    setting_errors,
    unknown_settings,
)
from taps.engine.setting_values import environment_settings, secrets_of, unread_variables, usable_numbers
from taps.engine.share import ALL, Share
from taps.engine.stopping import stopping
from taps.engine.wording import meant
from taps.engine.workers import Workers
from taps.engine.writer import MessageWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from requests.auth import AuthBase

    from taps.engine.stream import ApiStream

__all__ = ["ApiTap"]


class ApiTap(Tap, ABC):
    """A tap that reads one HTTP API.

    A subclass declares `name`, `config_jsonschema` and `stream_types`, and says how a request is signed.
    """

    package_name = "frontline-taps"
    message_writer_class = MessageWriter

    stream_types: ClassVar[Sequence[type[ApiStream]]] = ()
    """The streams as the neutral API has them, parents before their children."""

    providers: ClassVar[Sequence[Provider]] = ()
    """The products that it can read, the neutral API before all."""

    one_of: ClassVar[Sequence[str]] = ()
    """Settings of which exactly one must be made."""

    shared_by: ClassVar[str | None] = None
    """Setting that names where processes share what is void for all others once one has used it, such as a token."""

    share: Share = ALL
    """What this tap reads, where several read the same streams together; set before it makes a request."""

    redactor: ClassVar[Redactor] = Redactor()
    """Knows the secrets of this process; one for all taps, because they share the log."""

    def __init__(
        self,
        *,
        config: dict[str, Any] | None = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        **kwargs: Any,
    ) -> None:
        made = dict(config or {})
        prefix = f"{self.name.upper().replace('-', '_')}_"
        if parse_env_config:
            made |= environment_settings(type(self).config_jsonschema, prefix)
        # A setting that is null is a setting that was not made: the default holds.
        made = {name: value for name, value in made.items() if value is not None}
        made = usable_numbers(made, type(self).config_jsonschema)
        for secret in secrets_of(made, type(self).config_jsonschema):
            self.redactor.add(secret)
        self.redactor.guard_logs()
        self.provider = self.provider_of(made)
        given = self.provider.completed(made, type(self).config_jsonschema)
        self.outcome = Outcome(self)
        self.clocks = Clocks(self.logger)
        self._lanes: dict[Limit, Lane] = {}
        self._tolls: dict[str, Toll] = {}
        try:
            super().__init__(config=given, validate_config=validate_config, **kwargs)
        except ConfigValidationError as error:
            self.redactor.cleanse(error)
            errors = [
                *setting_errors(given, type(self).config_jsonschema),
                *missing_settings(self.provider, self.providers, made, type(self).config_jsonschema),
            ]
            errors += unknown_settings(given, type(self).config_jsonschema)
            if not made and not parse_env_config:
                needed = (*type(self).config_jsonschema.get("required", ()), "base_url")
                errors += unread_variables(needed, prefix)
            raise InvalidSettingsError(errors or error.errors) from None
        if validate_config:
            errors = [
                *setting_errors(self.config, type(self).config_jsonschema),
                *choice_errors(given, self.one_of),
                *missing_settings(self.provider, self.providers, made, type(self).config_jsonschema),
            ]
            if errors := errors or [*dates_without_records(self.config), *batch_errors(self.config)]:
                raise InvalidSettingsError([*errors, *unknown_settings(self.config, type(self).config_jsonschema)])
            for line in unknown_settings(self.config, type(self).config_jsonschema):
                self.logger.warning("%s", line)
        for name in sorted(set(self.input_catalog or ()) - set(self.streams)):
            message = "The catalog has a stream '%s', which this tap does not have; it is left out%s"
            self.logger.warning(message, name, meant(name, self.streams))

    def authenticator(self) -> AuthBase:
        """Make what signs each request, from the settings."""
        return self.provider.form(self.config).sign(self.config)

    @classmethod
    def provider_of(cls, settings: Mapping[str, Any]) -> Provider:
        """Give the provider that the settings name; the first one where they name none that there is."""
        name = settings.get("provider")
        return next((provider for provider in cls.providers if provider.name == name), cls.providers[0])

    @classmethod
    def needed_settings(cls, provider: Provider) -> list[str]:
        """List the settings that have to be made to read from a provider, but those of `one_of`."""
        return [*cls.config_jsonschema.get("required", ()), *provider.missing({})]

    @classmethod
    def streams_for(cls, settings: Mapping[str, Any]) -> tuple[type[ApiStream], ...]:
        """Give the streams as the provider has them that the settings name."""
        return _streams_for(cls, cls.provider_of(settings).name)

    @property
    def plan(self) -> Plan:
        """What the customer has bought, as far as it is known."""
        return self.provider.plans.get(self.config.get("plan") or "", UNKNOWN_PLAN)

    @property
    def requests_per_minute(self) -> int | None:
        """Most requests to send in a minute: as set, or as bought, and of that its share; `None` for any number."""
        rate: int | None = self.config.get("requests_per_minute") or self.plan.requests_per_minute
        return rate and self.share.of(rate)

    def toll(self, stream: str) -> Toll:
        """Tell what a request for a stream takes of the limits."""
        if stream not in self._tolls:
            bought = self.plan.limits.get(stream)
            limit = bought or self.provider.limits.get(stream)
            if limit is not None and limit not in self._lanes:
                self._lanes[limit] = Lane(
                    self.share.of_limit(limit), binding=bought is not None, sent_before=self.share.follows
                )
            lane = None if limit is None else self._lanes[limit]
            self._tolls[stream] = Toll(self.provider.costs.get(stream, 1), lane)
        return self._tolls[stream]

    @property
    def retry_policy(self) -> RetryPolicy:
        """When to try again, as the settings say."""
        return RetryPolicy(
            max_retries=self.config["max_retries"],
            backoff_factor=self.config["backoff_factor"],
            statuses=frozenset(self.config["retry_statuses"]),
        )

    @cached_property
    def http(self) -> HttpClient:
        """The client for all requests of this tap."""
        for secret in proxy_secrets():
            self.redactor.add(secret)
        for line in unprotected(self.config, self.config_jsonschema):
            self.logger.warning("%s", line)
        return HttpClient(
            base_url=self.config["base_url"],
            auth=self.authenticator(),
            retry=self.retry_policy,
            timeout=self.config["request_timeout"],
            user_agent=self.config["user_agent"],
            budget=RateBudget(
                self.requests_per_minute,
                sent_before=max(self.provider.costs.values(), default=1) if self.share.follows else 0,
                headers=self.provider.rate_headers,
                say=lambda wait: self.logger.info("Waiting %.0f s: %s", *wait),
            ),
            headers=self.provider.headers,
            gaps=self.provider.gaps,
            connections=self.config["max_concurrency"],
            redact=self.redactor,
            logger=self.logger,
        )

    @cached_property
    def workers(self) -> Workers:
        """The threads that make all requests of this tap."""
        workers = Workers(self.config["max_concurrency"])
        weakref.finalize(self, workers.close)
        return workers

    def close(self) -> None:
        """Let no further request begin, and end all waiting: this tap syncs no more."""
        if self.http_was_used:
            self.http.close()
        if "workers" in vars(self):
            self.workers.close()

    def discover_streams(self) -> Sequence[ApiStream]:
        """Make one stream of each type."""
        return [stream_type(self) for stream_type in self.streams_for({"provider": self.provider.name})]

    def setup_mapper(self) -> None:
        """Make the stream maps; where none are configured, each stream makes its own (see `ApiStream.stream_maps`)."""
        if self.config.get("stream_maps"):
            super().setup_mapper()
        else:
            self.mapper = PluginMapper(plugin_config=dict(self.config), logger=self.logger)

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over the state of the last run.

        Raises:
            InvalidInputError: As of `check_state`.
        """
        check_state(state, self.streams)
        for line in ineffective_bookmarks(state, self.streams):
            self.logger.warning("%s", line)
        super().load_state(state)

    @property
    def http_was_used(self) -> bool:
        """Whether any request was made."""
        return "http" in self.__dict__

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # Private to the SDK, whose own writes a STATE and exits 0, so that half a table passes for a whole one.
        if stopping.armed:
            stopping.stop(signum, self._say_last)
            return
        self.logger.error("Stopped by %s before the sync was complete", signal.Signals(signum).name)
        raise SystemExit(128 + signum)

    def _say_last(self, line: str) -> None:
        self.progress.end()
        self.logger.error(line)

    @cached_property
    def progress(self) -> Progress:
        """Shows the sync to whoever runs the command."""
        return Progress(self)

    @property
    def api_streams(self) -> list[ApiStream]:
        """All streams, parents before their children."""
        streams: Any = self.streams.values()
        return list(streams)

    # Command line

    @classmethod
    def get_plugin_version(cls) -> str:
        """Give the version of this package."""
        return _version(cls.package_name) or super().get_plugin_version()

    @classmethod
    def get_sdk_version(cls) -> str:
        """Give the version of the SDK."""
        return _version("singer-sdk") or super().get_sdk_version()

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Make the command: the SDK's options, our way with errors."""
        command = super().get_singer_command()
        for param in command.params:
            if isinstance(param, click.Option) and param.name == "test":
                # As a callback it would run before --catalog and --state have been read.
                param.callback, param.expose_value = None, True
                param.help = (
                    "Read a page of each stream, and tell which can be read, how many fields the schema lacks and what "
                    "a sync costs in requests. Use --test=schema to write SCHEMA messages alone."
                )
        return TapCommand(
            name=command.name,
            callback=command.callback,
            params=command.params,
            context_settings=command.context_settings,
            help=command.help,
            logger=cls.logger,
            redactor=cls.redactor,
        )

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read `--config`, and say which file is at fault where one is."""
        for path in value:
            if path != "ENV" and not Path(path).is_fifo():  # such as <(…), which can be read once only
                read_object(Path(path), "config")
        return super().cb_config(ctx, param, value)

    @classmethod
    def invoke(
        cls,
        *,
        config: Any = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        test: str = "disabled",
        **kwargs: Any,
    ) -> None:
        """Sync or test, with `--catalog` and `--state` checked before any request, and read no more than once."""
        if kwargs.get("about"):
            super().invoke(**kwargs)
        before = state and read_object(state, "state")
        chosen = catalog and checked_catalog(read_object(catalog, "catalog"), catalog.name, cls.stream_types)
        cls.print_version(print_fn=cls.logger.info)
        tap = cls(
            config=config and config.config,
            parse_env_config=bool(config and config.parse_env),
            state=before,
            catalog=chosen and without_unread_fields(chosen, cls.stream_types),
        )
        if catalog and not any(stream.selected for stream in tap.streams.values()):
            raise InvalidInputError(
                f"The catalog file {catalog.name} selects none of the {len(tap.streams)} streams, so nothing would be "
                f'read; set "selected": true in the metadata of those to read'
            )
        if test == "schema":
            tap.write_schemas()
        elif test != "disabled":
            from taps.engine.trial_report import report  # noqa: PLC0415 - no sync needs it

            report(tap)
        else:
            if sys.stdout.isatty():
                cls.logger.warning("The records go to the terminal and are loaded nowhere; pipe them into a target")
            with tap.progress.shown():
                tap.sync_all()


@lru_cache(maxsize=32)
def _streams_for(tap_class: type[ApiTap], provider: str) -> tuple[type[ApiStream], ...]:
    return streams_of(tap_class.stream_types, tap_class.provider_of({"provider": provider}))


def _version(package: str) -> str:
    """Read a package's version out of its metadata; empty where it is not installed.

    `metadata.version` would do so too, but with the parser for e-mails, which takes 4 ms to import, at each start.
    """
    try:
        headers = metadata.distribution(package).read_text("METADATA") or ""
    except metadata.PackageNotFoundError:
        return ""
    return headers.partition("\nVersion: ")[2].partition("\n")[0]
