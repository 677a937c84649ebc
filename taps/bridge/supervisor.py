"""Stands between the bridge and a tap's process, so that neither outlives the other. Run as a script; imports nothing.

    supervisor.py DIRECTORY COMMAND [ARGUMENT …]

It is the leader of a process group that has the tap in it. When its standard input ends, the process that started it is
gone or wants no more: it removes the directory, which holds the tap's settings, and kills the group.

SIGTERM, SIGINT and SIGHUP are blocked, for it and for the tap, which inherits that. Taps of the Singer SDK answer the
first two with exit code 0, so that half a table would pass for a whole one. Where they cannot come, code 0 means that
the tap's program came to its end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading

_CANNOT_RUN = 127


def main(directory: str, *command: str) -> None:
    """Run a command; end as it ends."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - it is what the user asks for
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        _end(directory, _CANNOT_RUN)
    # The tap alone holds the pipes now: they end when it ends.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    threading.Thread(target=_watch, args=(directory,), daemon=True).start()
    _end(directory, process.wait())


def _watch(directory: str) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    shutil.rmtree(directory, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _end(directory: str, code: int) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    if code < 0:  # by a signal, so that whoever waits sees the same
        with contextlib.suppress(OSError, ValueError):
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main(*sys.argv[1:])
