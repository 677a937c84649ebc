"""Read recorded answers of an API as a sync would, and tell what the schemas lack.

Each record goes through the reader of its stream, under the provider that its folder is called after:
`DIR/freshdesk/tickets.json`. A file holds a page as the provider gives it, or as the neutral API does, records alone,
or one record; or such documents one a line. Files of no stream are named and left out.

The exit code is 0 where no record is refused and no field undeclared, 1 where one is, 2 where the command is wrong.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from samples.checking import check
from samples.finding import recordings_in
from samples.report import as_json, as_text, is_clean
from samples.subjects import SUBJECTS


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # One line, without the usage above it.
        self.exit(2, f"check_samples: {message}; see scripts/check_samples.py --help\n")


def _percent(text: str) -> float:
    try:
        percent = float(text)
    except ValueError:
        percent = -1
    if not 0 <= percent <= 100:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage from 0 to 100")
    return percent


def main(arguments: list[str] | None = None) -> int:
    """Check recordings.

    Args:
        arguments: Of the command line.

    Returns:
        The exit code.
    """
    summary, _, details = (__doc__ or "").partition("\n\n")
    parser = _Parser(
        prog="check_samples.py",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("place", metavar="DIR", type=Path, help="folder of recordings, or one file")
    parser.add_argument(
        "--provider",
        choices=list(SUBJECTS),
        metavar="NAME",
        help=f"what all of them are recordings of, whatever their folder: {', '.join(SUBJECTS)}",
    )
    parser.add_argument(
        "--most-undeclared",
        type=_percent,
        default=0,
        metavar="PERCENT",
        help="how much of a provider's fields, and of their occurrences, may be undeclared (default: 0)",
    )
    parser.add_argument("--json", action="store_true", help="write what was found as JSON")
    asked = parser.parse_args(arguments)
    if not asked.place.exists():
        parser.error(f"there is no {asked.place}")
    try:
        recordings = list(recordings_in(asked.place, SUBJECTS.get(asked.provider)))
        findings = check(recordings)
    except OSError as error:
        parser.error(f"{error.filename} cannot be read: {error.strerror}")
    left_out = [recording for recording in recordings if not recording.streams]
    if not findings:
        parser.error(
            f"{asked.place} has no recordings of a stream; "
            "they are named <provider>/<stream>.json, or --provider says what they are of"
        )
    print((as_json if asked.json else as_text)(findings, left_out, asked.most_undeclared))
    return 0 if is_clean(findings, asked.most_undeclared) else 1


if __name__ == "__main__":
    sys.exit(main())
