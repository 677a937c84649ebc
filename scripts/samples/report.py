"""What was found, for people and for machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from samples.checking import Share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from samples.checking import Finding
    from samples.finding import Recording

__all__ = ["as_json", "as_text", "is_clean"]

_NOTHING = Share(0, 0, 0, 0)
_MOST_REFUSALS = 5  # of a stream that are told


def is_clean(findings: Sequence[Finding], most_undeclared: float) -> bool:
    """Tell whether nothing was refused, and no provider has more that is undeclared than it may."""
    shares = _shares(findings).values()
    within = all(max(share.of_fields, share.of_occurrences) <= most_undeclared for share in shares)
    return within and not any(finding.refused for finding in findings)


def _shares(findings: Iterable[Finding]) -> dict[str, Share]:
    shares: dict[str, Share] = {}
    for finding in findings:
        shares[finding.subject.name] = shares.get(finding.subject.name, _NOTHING) + finding.share
    return shares


def as_text(findings: Sequence[Finding], left_out: Sequence[Recording], most_undeclared: float) -> str:
    """Lay it out as a table of each provider, with what is wrong below."""
    lines: list[str] = []
    for provider, share in _shares(findings).items():
        own = [finding for finding in findings if finding.subject.name == provider]
        records, refused = sum(finding.records for finding in own), sum(len(finding.refused) for finding in own)
        lines += [provider, *_table(own), *(f"  {line}" for finding in own for line in _remarks(finding))]
        lines += [f"  {len(own)} streams, {records} records, {refused} refused; {_in_words(share)}", ""]
    lines += [f"left out: {recording.name} {_reason(recording)}" for recording in left_out]
    clean = is_clean(findings, most_undeclared)
    return "\n".join([*lines, "Nothing is wrong." if clean else "Something is wrong, see above."])


def _table(findings: Sequence[Finding]) -> list[str]:
    rows = [["stream", "records", "fields", "undeclared", "refused", "converted"]]
    for finding in findings:
        counted = (finding.fields, finding.undeclared, finding.refused, finding.converted)
        rows.append([finding.stream, *(str(number or "-") for number in (finding.records, *map(len, counted)))])
    first, *rest = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(["", name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, rest, strict=True))])
        for name, *cells in rows
    ]


def _remarks(finding: Finding) -> list[str]:
    remarks = []
    if finding.undeclared:
        names = ", ".join(f"{name} ({count})" for name, count in sorted(finding.undeclared.items()))
        remarks.append(f"{finding.stream}: undeclared: {names}; {_in_words(finding.share)}")
    remarks += [f"{finding.stream}: refused: {file}: {message}" for file, message in finding.refused[:_MOST_REFUSALS]]
    if (more := len(finding.refused) - _MOST_REFUSALS) > 0:
        remarks.append(f"{finding.stream}: refused: {more} more")
    if finding.converted:
        remarks.append(f"{finding.stream}: converted: {', '.join(finding.converted)}")
    return remarks


def _in_words(share: Share) -> str:
    return (
        f"undeclared are {share.undeclared} of {share.fields} fields ({share.of_fields:.1f} %), "
        f"{share.undeclared_occurrences} of {share.occurrences} occurrences ({share.of_occurrences:.1f} %)"
    )


def _reason(recording: Recording) -> str:
    return "is of no stream" if recording.subject else "is in no folder that is called after a provider"


def as_json(findings: Sequence[Finding], left_out: Sequence[Recording], most_undeclared: float) -> str:
    """Write it as a JSON document."""
    document = {
        "clean": is_clean(findings, most_undeclared),
        "providers": {provider: _numbers(share) for provider, share in _shares(findings).items()},
        "streams": [
            {
                "provider": finding.subject.name,
                "stream": finding.stream,
                "files": finding.files,
                "records": finding.records,
                **_numbers(finding.share),
                "undeclared_fields": dict(sorted(finding.undeclared.items())),
                "refused": [{"file": file, "message": message} for file, message in finding.refused],
                "converted": finding.converted,
            }
            for finding in findings
        ],
        "left_out": [recording.name for recording in left_out],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _numbers(share: Share) -> dict[str, Any]:
    return {
        "fields": share.fields,
        "undeclared": share.undeclared,
        "undeclared_percent": round(share.of_fields, 2),
        "occurrences": share.occurrences,
        "undeclared_occurrences": share.undeclared_occurrences,
        "undeclared_occurrences_percent": round(share.of_occurrences, 2),
    }
