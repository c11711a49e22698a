"""One worker process and the pipe to it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection, Pipe

from attrs import define, field

from cosearch.study.executor import Design, Task

_COMMAND = (sys.executable, "-m", "cosearch_plugins.executors.worker")
"""A fresh interpreter: a fork would copy the compiled kernels' threads in an unknown state, and
multiprocessing's own `spawn` would run the user's script again."""


@define(eq=False)
class Child:
    """A process and what it is doing.

    Attributes:
        process: started.
        pipe: to it: designs there, outcomes back.
        life: closes when this process ends, be it by kill -9; the child watches it.
        ready: whether it has loaded the plugins; the clock of a design starts after that.
        design: that it was given; None when idle.
        since: when it began with it.
    """

    process: subprocess.Popen[bytes]
    pipe: Connection
    life: Connection
    ready: bool = False
    design: Design | None = None
    since: float = field(factory=time.monotonic)

    @classmethod
    def start(cls, task: Task, workers: int) -> Child:
        """Start a process that shares the cores with so many others."""
        here, there = Pipe()
        watched, life = Pipe(duplex=False)
        passed = (there.fileno(), watched.fileno())
        threads = str(max(1, (os.cpu_count() or 1) // workers))
        # A thread that ends takes with it what it started, where the kernel is asked to see to that
        bound = "bound" if threading.current_thread() is threading.main_thread() else "free"
        process = subprocess.Popen(  # noqa: S603 - our own module
            (*_COMMAND, *map(str, passed), bound),
            pass_fds=passed,
            stdin=subprocess.DEVNULL,
            env={"NUMBA_NUM_THREADS": threads, **os.environ},
            start_new_session=True,  # Ctrl-C is for the process that stores
        )
        there.close()
        watched.close()
        child = cls(process, here, life)
        child.send(sys.path)
        child.send(task)
        return child

    def send(self, message: object) -> None:
        """Send a message; a dead process is met when its pipe is read."""
        with contextlib.suppress(OSError):
            self.pipe.send(message)

    def give(self, design: Design) -> None:
        """Have a design evaluated."""
        self.design, self.since = design, time.monotonic()
        self.send(design)

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()
        self.pipe.close()
        self.life.close()

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    @property
    def last_words(self) -> str:
        """How it ended: `ended by SIGKILL`."""
        code = self.process.wait()
        return f"ended with exit code {code}" if code >= 0 else f"ended by {_signal(-code)}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
