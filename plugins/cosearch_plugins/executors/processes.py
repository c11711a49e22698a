"""Worker processes, each with a pipe of its own, so that any one can be given up."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait

from cosearch.errors import CosearchError
from cosearch.study.executor import Design, Executor, Outcomes, Task
from cosearch.trials.trial import Outcome
from cosearch_plugins.executors.child import Child
from cosearch_plugins.executors.messages import READY, Printed

TRIES = 3
"""Workers that may end while they evaluate a design, until it is held to be the cause."""

STARTS = 5
"""Workers in a row that may end before they are ready, until that is held to be a fault."""


class Processes(Executor):
    """A pool of worker processes on this machine.

    A worker that ends is no fault of its design: the system may have been out of memory, or
    somebody killed it. The design is tried again on a fresh one, and fails after `TRIES` of them.
    """

    can_give_up = True

    def __init__(self, task: Task, workers: int, trial_seconds: float | None) -> None:
        super().__init__(task, workers, trial_seconds)
        self._pool: list[Child] = []
        self._waiting: deque[Design] = deque()
        self._ends: dict[int, list[str]] = {}
        self._stillborn = 0
        self._abandoned = False

    def run(self, designs: Sequence[Design]) -> Outcomes:
        """Yield each design with its outcome, as they finish."""
        self._waiting, self._ends = deque(designs), {}
        self._start_all()
        try:
            while (self._waiting or self._busy) and not (self._abandoned or self.late):
                self._hand_out()
                yield from self._take_in()
        finally:
            for worker in self._busy:
                self._drop(worker)

    def close(self) -> None:
        """Stop every worker at once."""
        for worker in list(self._pool):
            self._drop(worker)

    def abandon(self) -> None:
        """Have a run that another thread waits for end without the rest of its outcomes."""
        self._abandoned = True
        for worker in list(self._pool):
            worker.process.kill()

    def printed(self, text: str) -> None:
        """Say what a plugin printed."""
        sys.stdout.write(text)

    @property
    def _busy(self) -> list[Child]:
        return [worker for worker in self._pool if worker.design is not None]

    def _start_all(self) -> None:
        """Start all workers with the first design, the baseline: the others get ready beside it."""
        if not self._pool:
            self._pool += [Child.start(self.task, self.workers) for _ in range(self.workers)]

    def _hand_out(self) -> None:
        idle = [worker for worker in self._pool if worker.design is None]
        for worker in [worker for worker in idle if not worker.alive]:
            idle.remove(worker)
            self._drop(worker)
        while self._waiting and (idle or len(self._pool) < self.workers):
            if not idle:
                worker = Child.start(self.task, self.workers)
                self._pool.append(worker)
                idle.append(worker)
            idle.pop().give(self._waiting.popleft())

    def _take_in(self) -> Iterator[tuple[Design, Outcome]]:
        """Wait for the next message, death or time limit."""
        busy = {worker.pipe: worker for worker in self._busy}
        for pipe in wait(list(busy), timeout=self._patience()):
            worker = busy[pipe]  # type: ignore[index]
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._died(worker)
                continue
            yield from self._heard(worker, message)
        yield from self._given_up()

    def _heard(self, worker: Child, message: object) -> Iterator[tuple[Design, Outcome]]:
        """Yield what a worker's message says of its design."""
        design = worker.design
        if message == READY:
            worker.ready, worker.since, self._stillborn = True, time.monotonic(), 0
        elif isinstance(message, CosearchError):
            raise message
        elif isinstance(message, Printed):
            self.printed(message.text)
        elif design is not None and isinstance(message, Outcome):
            worker.design = None
            yield design, message

    def _died(self, worker: Child) -> Iterator[tuple[Design, Outcome]]:
        """Have a dead worker's design tried again; yield it when it has had its tries."""
        design, words = worker.design, worker.last_words
        seconds = time.monotonic() - worker.since
        self._drop(worker)
        if design is None:
            return
        if worker.ready:
            ends = self._ends.setdefault(design.number, [])
            ends.append(words)
            if len(ends) >= TRIES:
                yield design, Outcome.failed(_each(ends), seconds)
                return
        else:
            self._count_stillborn(words)
        self._waiting.appendleft(design)

    def _count_stillborn(self, words: str) -> None:
        """Raise CosearchError where no worker ever gets ready."""
        self._stillborn += 1
        if self._stillborn >= STARTS:
            raise CosearchError(
                f"{STARTS} worker processes in a row could not begin: the last was {words}",
                "run with --executor serial to see why",
            )

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
        now = time.monotonic()
        left = [] if self.until is None else [self.until - now]
        if self.trial_seconds is not None:
            left += [w.since + self.trial_seconds - now for w in self._busy if w.ready]
        return max(0.0, min(left)) + 0.01 if left else None

    def _drop(self, worker: Child) -> None:
        self._pool.remove(worker)
        worker.stop()


def _each(ends: Sequence[str]) -> str:
    """Return how the workers of a design ended, each time the same or not."""
    how = ends[0] if len(set(ends)) == 1 else ", ".join(ends)
    return f"tried on {len(ends)} fresh workers, each was {how}"
