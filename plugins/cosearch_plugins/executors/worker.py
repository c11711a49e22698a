"""A worker process: `python -m cosearch_plugins.executors.worker PIPE LIFE bound|free`."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry

READY = "ready"
"""Sent once the plugins are loaded and the names resolved."""

_PR_SET_PDEATHSIG = 1
"""Of Linux's prctl(2): have a signal sent when the parent ends, whatever this process is in."""


def serve(pipe: Connection) -> None:
    """Receive the search path, a task, then designs; send their outcomes until the pipe closes.

    It closes when the other process ends, be it by kill -9.
    """
    with contextlib.suppress(EOFError, OSError):
        sys.path[:] = pipe.recv()
        task = pipe.recv()
        try:
            task.prepare(load_registry(task.files))
        except CosearchError as error:
            pipe.send(CosearchError(str(error), error.hint))
            return
        pipe.send(READY)
        while True:
            pipe.send(task(pipe.recv()))


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
    serve(Connection(int(sys.argv[1])))
