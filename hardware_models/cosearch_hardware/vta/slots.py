"""A memory port that serves each queue in slots of its own: time-triggered instead of on demand.

Time is cut into slots that a table gives to the load, compute and store queues in turn, over and
over. A queue's transfer moves only in its own slots, so that it takes as long whatever the others
do: the worst case is the average case, and what it costs is the slots that nobody uses. Reads
wait for the memory's delay each, as nothing is known of what others have under way.

The idea is of time-triggered memory access for VTA's load module (Ezekiel, Onwuchekwa, Obermaisser,
2023), of which no figures are known here; the table is ours.
"""

from __future__ import annotations

import numpy as np

from cosearch.compiling.bundle import Ints, Ints2, Ints3
from cosearch.compiling.functions import allocating, compiled, inlined
from cosearch.compiling.parts import Part
from cosearch.typing import IntArray
from cosearch_hardware.vta.pipeline import (
    COMPUTE,
    LOAD,
    POP_NEXT,
    POP_PREV,
    PUSH_NEXT,
    PUSH_PREV,
    STORE,
    AluSchedule,
    Schedule,
    _alu_programs,
    _programs,
)

SLOTS = Part(__name__, "SLOTS", "VTA's memory in slots")


@compiled
def transfer_end(start: int, work: int, queue: int, owners: IntArray, slot: int) -> int:
    """Return the cycle at which a queue has had so many cycles of its own slots."""
    own = 0
    for owner in owners:
        own += slot * (owner == queue)
    now = start
    whole = (work - 1) // own if work > 0 else 0
    now += whole * slot * len(owners)
    work -= whole * own
    while work > 0:
        ends = (now // slot + 1) * slot
        if owners[(now // slot) % len(owners)] == queue:
            moved = min(work, ends - now)
            work -= moved
            now += moved
        else:
            now = ends
    return now


@inlined
def _waits(flags: int, taken: IntArray, made: IntArray) -> bool:
    """Return whether a queue's next instruction lacks a token, of int64[2] taken and made."""
    lacks_prev = flags & POP_PREV and taken[0] == made[0]
    lacks_next = flags & POP_NEXT and taken[1] == made[1]
    return bool(lacks_prev or lacks_next)


@inlined
def _started(now: int, flags: int, taken: IntArray, given: IntArray) -> int:
    """Take a queue's tokens, given at int64[2, m], and return when the last of them was there."""
    start = now
    if flags & POP_PREV:
        start = max(start, given[0, taken[0]])
        taken[0] += 1
    if flags & POP_NEXT:
        start = max(start, given[1, taken[1]])
        taken[1] += 1
    return start


@inlined
def _give(end: int, flags: int, queue: int, made: IntArray, given: IntArray) -> None:
    """Leave the tokens that an instruction gives when it ends."""
    if flags & PUSH_PREV:
        given[queue - 1, 1, made[queue - 1, 1]] = end
        made[queue - 1, 1] += 1
    if flags & PUSH_NEXT:
        given[queue + 1, 0, made[queue + 1, 0]] = end
        made[queue + 1, 0] += 1


@allocating
def _run(
    program: IntArray, length: IntArray, free_buffers: int, delay: int, owners: IntArray, slot: int
) -> np.int64:
    """Do what `run_in_slots` does, for compiled code.

    No queue delays another but by tokens, so each instruction runs as soon as its tokens are known.
    """
    given = np.zeros((3, 2, length.max() + free_buffers), dtype=np.int64)
    made = np.zeros((3, 2), dtype=np.int64)
    made[LOAD, 1] = free_buffers
    made[COMPUTE, 1] = free_buffers
    taken = np.zeros((3, 2), dtype=np.int64)
    at = np.zeros(3, dtype=np.int64)
    counter = np.zeros(3, dtype=np.int64)
    moved = True
    while moved:
        moved = False
        for queue in range(3):
            while counter[queue] < length[queue]:
                cycles, lines, flags = program[queue, counter[queue]]
                if _waits(flags, taken[queue], made[queue]):
                    break
                end = _started(at[queue], flags, taken[queue], given[queue])
                if lines:
                    end += delay if queue != STORE else 0
                    end = transfer_end(end, lines * cycles, queue, owners, slot)
                else:
                    end += cycles
                _give(end, flags, queue, made, given)
                at[queue] = end
                counter[queue] += 1
                moved = True
    return at.max() if (counter >= length).all() else np.int64(-1)


@SLOTS.entry(allocates=True)
def run_in_slots(
    program: Ints3, length: Ints, free_buffers: int, delay: int, owners: Ints, slot: int
) -> np.int64:
    """Return the cycles until every queue is empty, or -1 when they wait for each other.

    Args:
        program: int64[3, m, 3], as `pipeline.programs` writes it.
        length: int64[3], instructions of each queue.
        free_buffers: tokens that load and compute start with.
        delay: cycles until the memory serves a read.
        owners: int64[n], the queue of each slot.
        slot: cycles of a slot.
    """
    return _run(program, length, free_buffers, delay, owners, slot)


@SLOTS.entry(allocates=True)
def latency(table: Ints2, delay: int, owners: Ints, slot: int) -> Ints:
    """Return int64[n] cycles of n schedules, int64[n, 17] with the fields of Schedule."""
    out = np.empty(len(table), dtype=np.int64)
    for i in range(len(table)):
        t = table[i]
        schedule = Schedule(
            t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], t[12],
            t[13], t[14], t[15], t[16],
        )  # fmt: skip
        program, length = _programs(schedule)
        out[i] = _run(program, length, schedule.threads, delay, owners, slot)
    return out


@SLOTS.entry(allocates=True)
def alu_latency(table: Ints2, delay: int, owners: Ints, slot: int) -> Ints:
    """Return int64[n] cycles of n schedules, int64[n, 12] with the fields of AluSchedule."""
    out = np.empty(len(table), dtype=np.int64)
    for i in range(len(table)):
        t = table[i]
        schedule = AluSchedule(
            t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11]
        )
        program, length = _alu_programs(schedule)
        out[i] = _run(program, length, schedule.threads, delay, owners, slot)
    return out
