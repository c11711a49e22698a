"""A worker process: `python -m cosearch_plugins.executors.worker DESCRIPTOR`."""

from __future__ import annotations

import contextlib
import sys
from multiprocessing.connection import Connection

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry

READY = "ready"
"""Sent once the plugins are loaded and the names resolved."""


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


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
