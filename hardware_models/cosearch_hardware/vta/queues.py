"""The oracle: VTA's three instruction queues, simulated event by event.

An instruction belongs to the load, compute or store queue, which run concurrently and each in
order. Four flags tie it to its neighbours, as in the instruction set: it waits for a token of the
previous or next queue (`pop`) before it starts, and gives one to them (`push`) when it ends. All
instructions that touch memory share one port, which moves one line (consecutive bytes) at a time
and takes turns: who has moved a line goes to the back, behind whoever asks at that moment. Of two
that ask at once, load comes before compute and compute before store.

Reads (all that load and compute move) have a delay, writes have none. As in the memory model that
the cycle simulators of both stacks use, a counter runs while reads are waiting or under way, and
reads are served once it has come to the delay: the first read after there was none waits, those
that come while there is one do not wait again. Meanwhile the port is free for writes.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence

from attrs import define, field, frozen

LOAD, COMPUTE, STORE = range(3)
NOBODY = -1
"""An event at which no queue ends anything: the memory has become ready."""


@frozen
class Instruction:
    """One instruction.

    Attributes:
        cycles: its duration, or that of one line.
        lines: moved over the memory port; 0 for an instruction that does not touch memory.
        pop_prev, pop_next: waits for a token from the queue before or after its own.
        push_prev, push_next: gives a token to the queue before or after its own.
    """

    cycles: int
    lines: int = 0
    pop_prev: bool = False
    pop_next: bool = False
    push_prev: bool = False
    push_next: bool = False


@define
class _Machine:
    programs: tuple[Sequence[Instruction], ...]
    tokens: dict[tuple[int, int], int]
    delay: int
    reads: int = 0
    served_from: int = 0
    counters: list[int] = field(factory=lambda: [0, 0, 0])
    busy: list[bool] = field(factory=lambda: [False] * 3)
    moved: list[int] = field(factory=lambda: [0, 0, 0])
    waiting: deque[int] = field(factory=deque)
    on_port: int | None = None
    events: list[tuple[int, int]] = field(factory=list)

    def head(self, queue: int) -> Instruction:
        return self.programs[queue][self.counters[queue]]

    def ready(self, queue: int) -> bool:
        if self.busy[queue] or self.counters[queue] >= len(self.programs[queue]):
            return False
        head = self.head(queue)
        return not (
            (head.pop_prev and not self.tokens[queue - 1, queue])
            or (head.pop_next and not self.tokens[queue + 1, queue])
        )

    def begin(self, queue: int, now: int) -> None:
        heapq.heappush(self.events, (now + self.head(queue).cycles, queue))

    def issue(self, now: int) -> None:
        """Start what can start, then let the next line over the port."""
        for queue in (LOAD, COMPUTE, STORE):
            if self.ready(queue):
                head = self.head(queue)
                self.busy[queue] = True
                self.tokens[queue - 1, queue] -= head.pop_prev
                self.tokens[queue + 1, queue] -= head.pop_next
                if head.lines:
                    self.waiting.append(queue)
                    if queue != STORE:
                        self.served_from = self.served_from if self.reads else now + self.delay
                        self.reads += 1
                else:
                    self.begin(queue, now)

    def serve(self, now: int, again: int | None) -> None:
        """Give the port to the next; `again` has just moved a line and has more."""
        if again is not None:
            self.waiting.append(again)
        if self.on_port is not None:
            return
        for queue in self.waiting:
            if queue == STORE or now >= self.served_from:
                self.waiting.remove(queue)
                self.on_port = queue
                self.begin(queue, now)
                return
        if self.waiting:
            heapq.heappush(self.events, (self.served_from, NOBODY))

    def finish(self, queue: int) -> bool:
        """End a line or an instruction; tell whether the instruction has more lines."""
        head = self.head(queue)
        if head.lines:
            self.on_port = None
            self.moved[queue] += 1
            if self.moved[queue] < head.lines:
                return True
            self.moved[queue] = 0
            self.reads -= queue != STORE
        self.tokens[queue, queue - 1] += head.push_prev
        self.tokens[queue, queue + 1] += head.push_next
        self.busy[queue] = False
        self.counters[queue] += 1
        return False


def simulate(
    load: Sequence[Instruction],
    compute: Sequence[Instruction],
    store: Sequence[Instruction],
    free_buffers: int,
    delay: int = 0,
) -> int:
    """Run three programs to their end and return the cycles.

    Args:
        load: program of the load queue.
        compute: program of the compute queue.
        store: program of the store queue.
        free_buffers: tokens that load and compute start with, one a virtual thread: its input
            and its output buffers are empty.
        delay: cycles until the memory serves a read that found no other.

    Raises:
        ValueError: the programs wait for each other for ever.
    """
    tokens = {(a, b): 0 for a in range(-1, 4) for b in range(-1, 4)}
    tokens[COMPUTE, LOAD] = tokens[STORE, COMPUTE] = free_buffers
    machine = _Machine((load, compute, store), tokens, delay)
    now, again = 0, None
    while True:
        machine.issue(now)
        machine.serve(now, again)
        if not machine.events:
            break
        now, again = machine.events[0][0], None
        while machine.events and machine.events[0][0] == now:
            queue = heapq.heappop(machine.events)[1]
            if queue != NOBODY and machine.finish(queue):
                again = queue
    if any(c < len(p) for c, p in zip(machine.counters, machine.programs, strict=True)):
        raise ValueError("deadlock: every queue waits for a token of another")
    return now


def simulate_in_slots(
    programs: tuple[Sequence[Instruction], Sequence[Instruction], Sequence[Instruction]],
    free_buffers: int,
    delay: int,
    owners: Sequence[int],
    slot: int,
) -> int:
    """Run three programs cycle by cycle on a port that serves each queue in its own slots.

    Args:
        programs: of the load, compute and store queue.
        free_buffers: tokens that load and compute start with.
        delay: cycles until the memory serves a read.
        owners: the queue of each slot.
        slot: cycles of a slot.

    Raises:
        ValueError: the programs wait for each other for ever.
    """
    tokens = {(a, b): 0 for a in range(-1, 4) for b in range(-1, 4)}
    tokens[COMPUTE, LOAD] = tokens[STORE, COMPUTE] = free_buffers
    machine = _Machine(programs, tokens, delay)
    left, wait, now, last = [0, 0, 0], [0, 0, 0], 0, 0
    while True:
        while _issued(machine, left, wait, now):
            last = now
        if not any(machine.busy):
            break
        owner = owners[(now // slot) % len(owners)]
        now += 1
        for queue in (LOAD, COMPUTE, STORE):
            on_port = machine.busy[queue] and machine.head(queue).lines
            if machine.busy[queue] and (not on_port or (queue == owner and now > wait[queue])):
                left[queue] -= 1
        last = now
    if any(c < len(p) for c, p in zip(machine.counters, machine.programs, strict=True)):
        raise ValueError("deadlock: every queue waits for a token of another")
    return last


def _issued(machine: _Machine, left: list[int], wait: list[int], now: int) -> bool:
    """End what has nothing left and start what can start; tell whether anything did."""
    moved = False
    for queue in (LOAD, COMPUTE, STORE):
        if machine.busy[queue] and left[queue] == 0 and now >= wait[queue]:
            head = machine.head(queue)
            machine.tokens[queue, queue - 1] += head.push_prev
            machine.tokens[queue, queue + 1] += head.push_next
            machine.busy[queue] = False
            machine.counters[queue] += 1
            moved = True
        if machine.ready(queue):
            head = machine.head(queue)
            machine.busy[queue] = moved = True
            machine.tokens[queue - 1, queue] -= head.pop_prev
            machine.tokens[queue + 1, queue] -= head.pop_next
            left[queue] = head.cycles * max(head.lines, 1)
            wait[queue] = now + (machine.delay if head.lines and queue != STORE else 0)
    return moved
