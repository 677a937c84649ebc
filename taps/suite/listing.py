"""`taps list`: what there is to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.engine.provider import GENERIC
from taps.suite.opening import all_taps, tap_named
from taps.suite.showing import Column, console, say, show, write_json

if TYPE_CHECKING:
    from taps.engine.provider import Provider
    from taps.engine.stream import ApiStream
    from taps.engine.tap import ApiTap

__all__ = ["list_taps"]


def list_taps(name: str | None, *, streams: bool, as_json: bool) -> None:
    """Show the taps, or the streams of one or of all.

    Args:
        name: The tap; without one, all of them.
        streams: Whether the streams are shown as well.
        as_json: Whether to write JSON, which always has them.

    Raises:
        EndedError: There is no tap of that name.
    """
    taps = [described(tap) for tap in ([tap_named(name)] if name else all_taps())]
    if as_json:
        console().out(write_json({"taps": taps}), highlight=False)
    elif name or streams:
        for number, tap in enumerate(taps):
            if number:
                console().out("")
            _show_streams(tap)
    else:
        rows = [
            [
                tap["name"],
                str(len(tap["streams"])),
                str(sum(bool(stream["cursor"]) for stream in tap["streams"])),
                ", ".join(provider["name"] for provider in tap["providers"]),
                tap["description"],
            ]
            for tap in taps
        ]
        columns = [Column("tap"), Column("streams", right=True), Column("incremental", right=True), Column("providers")]
        show([*columns, Column("what it does")], rows)


def described(tap: type[ApiTap]) -> dict[str, Any]:
    """Say what a tap reads, and of which products."""
    by_provider = {
        provider.name: {_name(stream): stream for stream in tap.streams_for({"provider": provider.name})}
        for provider in tap.providers
    }
    streams: dict[str, dict[str, Any]] = {}
    for known in by_provider.values():
        for name, stream in known.items():
            having = [provider for provider, has in by_provider.items() if name in has]
            streams.setdefault(name, {**_described_stream(stream), "providers": having})
    return {
        "name": tap.name,
        "description": _summary(tap),
        "providers": [_described_provider(provider, len(by_provider[provider.name])) for provider in tap.providers],
        "streams": list(streams.values()),
    }


def _described_provider(provider: Provider, streams: int) -> dict[str, Any]:
    return {
        "name": provider.name,
        "title": provider.title,
        "experimental": provider.experimental,
        "plans": list(provider.plans),
        "streams": streams,
    }


def _described_stream(stream: type[ApiStream]) -> dict[str, Any]:
    parent = stream.parent_stream_type
    return {
        "name": _name(stream),
        "description": _summary(stream),
        "keys": list(stream.primary_keys),
        "cursor": stream.replication_key,
        "parent": _name(parent) if parent else None,
        "selected_by_default": stream.selected_by_default,
    }


def _name(stream: Any) -> str:
    name: str = vars(stream)["name"]
    return name


def _summary(described: type) -> str:
    return (described.__doc__ or "").partition("\n")[0]


def _show_streams(tap: dict[str, Any]) -> None:
    providers = tap["providers"]
    say(f"{tap['name']}: {tap['description']}", style="bold")
    for provider in providers:
        if provider["name"] != GENERIC:
            plans = f"; plans {', '.join(provider['plans'])}" if provider["plans"] else ""
            mark = ", experimental" if provider["experimental"] else ""
            number = f"{provider['streams']} stream{'' if provider['streams'] == 1 else 's'}"
            line = f"provider {provider['name']}: {provider['title']}, {number}{mark}{plans}"
            say(line)
    console().out("")
    rows = [
        [
            stream["name"],
            ", ".join(stream["keys"]),
            stream["cursor"] or "",
            stream["parent"] or "",
            "yes" if stream["selected_by_default"] else "no",
            "" if len(stream["providers"]) == len(providers) else ", ".join(stream["providers"]),
        ]
        for stream in tap["streams"]
    ]
    titles = ["stream", "keys", "cursor", "parent", "by default", "only of"]
    show([Column(title) for title in titles], rows)
