"""Worker processes, each with a pipe of its own, so that any one can be given up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, Pipe, wait

from attrs import define, field

from cosearch.errors import CosearchError
from cosearch.study.executor import Design, Executor, Outcomes, Task
from cosearch.trials.trial import Outcome
from cosearch_plugins.executors.worker import READY

_COMMAND = (sys.executable, "-m", "cosearch_plugins.executors.worker")
"""A fresh interpreter: a fork would copy the compiled kernels' threads in an unknown state, and
multiprocessing's own `spawn` would run the user's script again."""


@define(eq=False)
class _Worker:
    """A process and what it is doing.

    Attributes:
        process: started.
        pipe: to it: designs there, outcomes back.
        ready: whether it has loaded the plugins; the clock of a design starts after that.
        design: that it was given; None when idle.
        since: when it began with it.
    """

    process: subprocess.Popen[bytes]
    pipe: Connection
    ready: bool = False
    design: Design | None = None
    since: float = field(factory=time.monotonic)

    @classmethod
    def start(cls, task: Task, workers: int) -> _Worker:
        here, there = Pipe()
        threads = str(max(1, (os.cpu_count() or 1) // workers))
        process = subprocess.Popen(  # noqa: S603 - our own module
            (*_COMMAND, str(there.fileno())),
            pass_fds=(there.fileno(),),
            stdin=subprocess.DEVNULL,
            env={"NUMBA_NUM_THREADS": threads, **os.environ},
            start_new_session=True,  # Ctrl-C is for the process that stores
        )
        there.close()
        worker = cls(process, here)
        worker.send(sys.path)
        worker.send(task)
        return worker

    def send(self, message: object) -> None:
        with contextlib.suppress(OSError):  # a dead worker is met when its pipe is read
            self.pipe.send(message)

    def give(self, design: Design) -> None:
        self.design, self.since = design, time.monotonic()
        self.send(design)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.pipe.close()

    @property
    def last_words(self) -> str:
        """How it died."""
        code = self.process.wait()
        if code >= 0:
            return f"the worker process ended with exit code {code}"
        return f"the worker process was ended by {signal.Signals(-code).name}"


class Processes(Executor):
    """A pool of worker processes on this machine."""

    can_give_up = True

    def __init__(self, task: Task, workers: int, trial_seconds: float | None) -> None:
        super().__init__(task, workers, trial_seconds)
        self._pool: list[_Worker] = []

    def run(self, designs: Sequence[Design]) -> Outcomes:
        """Yield each design with its outcome, as they finish."""
        waiting = deque(designs)
        try:
            while waiting or self._busy:
                self._hand_out(waiting)
                yield from self._take_in()
        finally:
            for worker in self._busy:
                self._drop(worker)

    def close(self) -> None:
        """Stop every worker at once."""
        for worker in list(self._pool):
            self._drop(worker)

    @property
    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._pool if worker.design is not None]

    def _hand_out(self, waiting: deque[Design]) -> None:
        idle = [worker for worker in self._pool if worker.design is None]
        while waiting and (idle or len(self._pool) < self.workers):
            if not idle:
                worker = _Worker.start(self.task, self.workers)
                self._pool.append(worker)
                idle.append(worker)
            idle.pop().give(waiting.popleft())

    def _take_in(self) -> Iterator[tuple[Design, Outcome]]:
        """Wait for the next message, death or time limit."""
        busy = {worker.pipe: worker for worker in self._busy}
        for pipe in wait(list(busy), timeout=self._patience()):
            worker = busy[pipe]  # type: ignore[index]
            design = worker.design
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                if design is not None:
                    yield design, self._died(worker)
                continue
            if message == READY:
                worker.ready, worker.since = True, time.monotonic()
            elif isinstance(message, CosearchError):
                raise message
            elif design is not None:
                worker.design = None
                yield design, message
        yield from self._given_up()

    def _died(self, worker: _Worker) -> Outcome:
        words, seconds = worker.last_words, time.monotonic() - worker.since
        if not worker.ready:
            raise CosearchError(
                f"{words} before it could begin",
                "run with --workers 1 to see why",
            )
        self._drop(worker)
        return Outcome.failed(words, seconds)

    def _given_up(self) -> Iterator[tuple[Design, Outcome]]:
        if self.trial_seconds is None:
            return
        for worker in self._busy:
            seconds = time.monotonic() - worker.since
            if worker.ready and worker.design is not None and seconds > self.trial_seconds:
                design = worker.design
                self._drop(worker)
                reason = f"given up after {self.trial_seconds:g} seconds (--trial-seconds)"
                yield design, Outcome.failed(reason, seconds)

    def _patience(self) -> float | None:
        if self.trial_seconds is None:
            return None
        now = time.monotonic()
        left = [w.since + self.trial_seconds - now for w in self._busy if w.ready]
        return max(0.0, min(left)) + 0.01 if left else None

    def _drop(self, worker: _Worker) -> None:
        self._pool.remove(worker)
        worker.stop()
