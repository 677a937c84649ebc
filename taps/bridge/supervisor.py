"""Stands between the bridge and a tap's process, so that neither outlives the other. Run as a script; imports nothing.

    supervisor.py STATUS DIRECTORY COMMAND [ARGUMENT …]

It is the leader of a process group that has the tap in it. When the tap ends, it writes the exit code to the file
descriptor STATUS, as `subprocess` has it, and waits. When its standard input ends, the process that started it is gone
or wants no more: it removes the directory, which holds the tap's settings, and kills the group with all that the tap
has left running.

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


def main(status: str, directory: str, *command: str) -> None:
    """Run a command; stay until nobody wants it any more."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    watch = threading.Thread(target=_watch, args=(directory,))
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - it is what the user asks for
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        process = None
    watch.start()
    # The tap alone holds the pipes now: they end when it ends.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    code = process.wait() if process else _CANNOT_RUN
    shutil.rmtree(directory, ignore_errors=True)
    with contextlib.suppress(OSError):  # the tap may have ended because nobody reads any more
        os.write(int(status), str(code).encode())
    watch.join()


def _watch(directory: str) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    shutil.rmtree(directory, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
