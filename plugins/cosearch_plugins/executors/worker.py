"""A worker process: `python -m cosearch_plugins.executors.worker PIPE LIFE bound|free`."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch_plugins.executors.messages import READY, Printed

_PR_SET_PDEATHSIG = 1
"""Of Linux's prctl(2): have a signal sent when the parent ends, whatever this process is in."""


class Talk(io.TextIOBase):
    """The pipe to the process that asked, and what stands in for standard output here."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._lock = pipe, threading.Lock()

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Send a text; threads may print at once."""
        self.send(Printed(text))
        return len(text)

    def send(self, message: object) -> None:
        """Send a message."""
        with self._lock:
            self._pipe.send(message)


def serve(pipe: Connection) -> None:
    """Receive the search path, a task, then designs; send their outcomes until the pipe closes.

    It closes when the other process ends, be it by kill -9.
    """
    talk = Talk(pipe)
    with contextlib.suppress(EOFError, OSError), contextlib.redirect_stdout(talk):
        sys.path[:] = pipe.recv()
        task = pipe.recv()
        try:
            task.prepare(load_registry(task.files))
        except CosearchError as error:
            talk.send(CosearchError(str(error), error.hint))
            return
        talk.send(READY)
        while True:
            talk.send(task(pipe.recv()))


def end_with_parent(life: Connection, *, bound: bool) -> None:
    """End this process as soon as the one that started it has ended, also amid a design.

    Args:
        life: nothing is ever sent; it closes when the parent ends.
        bound: also ask the kernel to see to it, for code that never lets another thread run.
    """
    if bound and sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_at_the_end_of, args=(life,), daemon=True).start()


def _end_at_the_end_of(life: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        life.recv_bytes()
    os._exit(1)


if __name__ == "__main__":
    end_with_parent(Connection(int(sys.argv[2]), writable=False), bound=sys.argv[3] == "bound")
    os.dup2(2, 1)  # what C prints: standard output is for results
    serve(Connection(int(sys.argv[1])))
