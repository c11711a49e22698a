"""Layers mapped at the same time by threads, each with a machine and a mapper of its own.

The compiled searches run without Python's lock, so threads are enough, and nothing has to be sent
anywhere. Results come in the order of the questions, errors too: the first question that failed is
the one that is reported, however many threads there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar, cast

from attrs import define, evolve, frozen

from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator
from cosearch.registry.registry import Registry
from cosearch.study.building import make_mapper
from cosearch.study.problem import Problem

T = TypeVar("T")
R = TypeVar("R")


@frozen(eq=False)
class Hand:
    """What one thread works with; no other thread touches it.

    Attributes:
        problem: with a mapper of its own.
        machine: built for it.
    """

    problem: Problem
    machine: Accelerator


@define(eq=False)
class _Done(Generic[R]):
    """What became of one question."""

    result: R | None = None
    error: BaseException | None = None

    def get(self) -> R:
        if self.error is not None:
            raise self.error
        return cast(R, self.result)


@frozen(eq=False)
class Crew:
    """One or more hands.

    Attributes:
        hands: the first belongs to whoever asks; it works alone where there are no others.
    """

    hands: tuple[Hand, ...]

    @classmethod
    def of(cls, problem: Problem, machine: Accelerator, others: Sequence[Hand] = ()) -> Crew:
        """Return a crew of a machine and its likes."""
        return cls((Hand(problem, machine), *others))

    def each(self, work: Callable[[Hand, T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield what work makes of each item, in order; closed early, the rest is left undone."""
        if len(self.hands) == 1 or len(items) < 2:
            yield from (work(self.hands[0], item) for item in items)
            return
        waiting: SimpleQueue[int] = SimpleQueue()
        for number in range(len(items)):
            waiting.put(number)
        done: SimpleQueue[tuple[int, _Done[R]]] = SimpleQueue()
        for hand in self.hands:
            threading.Thread(
                target=_labour, args=(hand, work, items, waiting, done), daemon=True
            ).start()
        try:
            yield from _in_order(done, len(items))
        finally:
            _empty(waiting)


def hired(problem: Problem, registry: Registry, workers: int) -> tuple[Hand, ...]:
    """Return all hands but the first: each with the same machine and mapper, made anew."""
    configuration = {**problem.hardware.baseline, **problem.spec.fixed}
    return tuple(
        Hand(
            evolve(problem, mapper=make_mapper(problem.spec.mapper, registry)),
            build(problem.hardware, configuration),
        )
        for _ in range(workers - 1)
    )


def _labour(
    hand: Hand,
    work: Callable[[Hand, T], R],
    items: Sequence[T],
    waiting: SimpleQueue[int],
    done: SimpleQueue[tuple[int, _Done[R]]],
) -> None:
    """Work until nothing waits."""
    while True:
        try:
            number = waiting.get_nowait()
        except Empty:
            return
        outcome: _Done[R] = _Done()
        try:
            outcome.result = work(hand, items[number])
        except BaseException as error:  # handed to whoever asked
            outcome.error = error
        done.put((number, outcome))


def _in_order(done: SimpleQueue[tuple[int, _Done[R]]], n: int) -> Iterator[R]:
    early: dict[int, _Done[R]] = {}
    for number in range(n):
        while number not in early:
            finished, outcome = done.get()
            early[finished] = outcome
        yield early.pop(number).get()


def _empty(waiting: SimpleQueue[int]) -> None:
    while True:
        try:
            waiting.get_nowait()
        except Empty:
            return
