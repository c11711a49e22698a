"""Layers mapped at the same time by a pool of threads, each with a machine and a mapper of its own.

The compiled searches run without Python's lock, so threads are enough, and nothing has to be sent
anywhere. Results come in the order of the items, errors too: the first item that failed is the one
that is reported, however many threads there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar, cast

from attrs import define, frozen

from cosearch.machine.hardware import Accelerator
from cosearch.mapping.task import MappingTask

T = TypeVar("T")
R = TypeVar("R")


@frozen(eq=False)
class Worker:
    """What one thread works with; no other thread touches it.

    Attributes:
        task: with a mapper of its own.
        machine: built for it.
    """

    task: MappingTask
    machine: Accelerator


@define(eq=False)
class _Future(Generic[R]):
    """What became of one item."""

    result: R | None = None
    error: BaseException | None = None

    def get(self) -> R:
        if self.error is not None:
            raise self.error
        return cast(R, self.result)


@frozen(eq=False)
class ThreadPool:
    """One or more workers.

    Attributes:
        workers: one alone works in the thread that asks.
    """

    workers: tuple[Worker, ...]

    @classmethod
    def alone(cls, task: MappingTask, machine: Accelerator) -> ThreadPool:
        """Return a pool of one worker."""
        return cls((Worker(task, machine),))

    @property
    def task(self) -> MappingTask:
        """What is mapped; all workers have the same."""
        return self.workers[0].task

    @property
    def machine(self) -> Accelerator:
        """Mapped onto, while no thread is at work; all workers have the same."""
        return self.workers[0].machine

    def map(self, work: Callable[[Worker, T], R], items: Sequence[T]) -> Generator[R, None, None]:
        """Yield what work makes of each item, in order; closed early, the rest is left undone."""
        if len(self.workers) == 1 or len(items) < 2:
            yield from (work(self.workers[0], item) for item in items)
            return
        waiting: SimpleQueue[int] = SimpleQueue()
        for number in range(len(items)):
            waiting.put(number)
        done: SimpleQueue[tuple[int, _Future[R]]] = SimpleQueue()
        threads = [
            threading.Thread(target=_run, args=(worker, work, items, waiting, done), daemon=True)
            for worker in self.workers[: len(items)]
        ]
        for thread in threads:
            thread.start()
        try:
            yield from _in_order(done, len(items))
        finally:
            _empty(waiting)


def _run(
    worker: Worker,
    work: Callable[[Worker, T], R],
    items: Sequence[T],
    waiting: SimpleQueue[int],
    done: SimpleQueue[tuple[int, _Future[R]]],
) -> None:
    """Work until nothing waits."""
    while True:
        try:
            number = waiting.get_nowait()
        except Empty:
            return
        future: _Future[R] = _Future()
        try:
            future.result = work(worker, items[number])
        except BaseException as error:  # handed to whoever asked
            future.error = error
        done.put((number, future))


def _in_order(done: SimpleQueue[tuple[int, _Future[R]]], n: int) -> Iterator[R]:
    early: dict[int, _Future[R]] = {}
    for number in range(n):
        while number not in early:
            finished, future = done.get()
            early[finished] = future
        yield early.pop(number).get()


def _empty(waiting: SimpleQueue[int]) -> None:
    while True:
        try:
            waiting.get_nowait()
        except Empty:
            return
