"""dlt in a process of its own, which a test kills while a tap runs: `killed_host.py FOLDER run|discover`."""

from __future__ import annotations

import sys
from pathlib import Path

from scripted import TICKETS, Desk

if __name__ == "__main__":
    desk = Desk(Path(sys.argv[1]))
    desk.load(desk.command, TICKETS if sys.argv[2] == "run" else None)
