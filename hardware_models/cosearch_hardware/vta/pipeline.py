"""The latency of a tiled layer: its instruction stream, and the queues that run it, compiled.

`programs` and `alu_programs` write the instructions of one layer as arrays; `run` does what
`queues.simulate` does, event for event, and the tests hold the two together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cosearch.compiling.bundle import Ints, Ints2, Ints3
from cosearch.compiling.functions import allocating, compiled, inlined
from cosearch.compiling.parts import Part
from cosearch.typing import IntArray

QUEUES = Part(__name__, "QUEUES", "the queues of VTA")
STREAMS = Part(__name__, "STREAMS", "the instructions of VTA, to be looked at")

POP_PREV, POP_NEXT, PUSH_PREV, PUSH_NEXT = 1, 2, 4, 8
LOAD, COMPUTE, STORE = range(3)
_NEVER = np.int64(2**62)


class Schedule(NamedTuple):
    """How often one tiling on the GEMM core does what, and how long each takes (cycles).

    Attributes:
        spatial_tiles: output tiles over batch, rows and columns.
        channel_tiles: output tiles over output channels.
        reduction_tiles: tiles over input channels, accumulated one after another.
        spatial_inside: the spatial tiles are the inner loop.
        threads: virtual threads, 1 or 2.
        repeats: groups, run one after another.
        inp_lines, wgt_lines, store_lines: runs of consecutive bytes that a tile moves.
        inp_line, wgt_line, store_line: cycles of the port for one of them.
        acc_line, uop_line: cycles to load the bias of a tile, and the micro-ops of the layer.
        reset, gemm, alu: computing of one tile.
    """

    spatial_tiles: int
    channel_tiles: int
    reduction_tiles: int
    spatial_inside: int
    threads: int
    repeats: int
    inp_lines: int
    inp_line: int
    wgt_lines: int
    wgt_line: int
    acc_line: int
    uop_line: int
    store_lines: int
    store_line: int
    reset: int
    gemm: int
    alu: int


class AluSchedule(NamedTuple):
    """How often one tiling on the ALU does what, and how long each takes (cycles).

    Attributes:
        tiles: output tiles, one after another.
        steps: parts of the window that a tile takes one after another.
        threads: virtual threads, 1 or 2.
        operands: tensors loaded for each step.
        load_lines: runs of consecutive bytes of one of them.
        load_line: cycles of the port for one run.
        parameter_line: cycles to load what holds for all pixels of a tile; 0 for nothing.
        uop_line: cycles to load the micro-ops of the layer.
        store_lines, store_line: runs of a tile's outputs, and cycles for one.
        step, finish: computing of one step, and once a tile.
    """

    tiles: int
    steps: int
    threads: int
    operands: int
    load_lines: int
    load_line: int
    parameter_line: int
    uop_line: int
    store_lines: int
    store_line: int
    step: int
    finish: int


@compiled
def _emit(
    program: IntArray, length: IntArray, queue: int, cycles: int, lines: int, flags: int
) -> None:
    at = length[queue]
    program[queue, at, 0] = cycles * (lines > 0)
    program[queue, at, 1] = lines * (cycles > 0)
    program[queue, at, 2] = flags
    length[queue] += 1


@compiled
def _emit_unit(program: IntArray, length: IntArray, queue: int, cycles: int, flags: int) -> None:
    program[queue, length[queue], 0] = cycles
    program[queue, length[queue], 2] = flags
    length[queue] += 1


@allocating
def _programs(s: Schedule) -> tuple[IntArray, IntArray]:
    """Do what `programs` does, for compiled code."""
    tiles = s.spatial_tiles * s.channel_tiles * s.repeats
    program = np.zeros((3, 2 + tiles * (3 + 2 * s.reduction_tiles), 3), dtype=np.int64)
    length = np.zeros(3, dtype=np.int64)
    held_inp = np.full(s.threads, -1, dtype=np.int64)
    held_wgt = np.full(s.threads, -1, dtype=np.int64)
    _emit(program, length, COMPUTE, s.uop_line, 1, 0)
    for first in range(0, tiles, s.threads):
        group = min(s.threads, tiles - first)
        for _ in range(group):
            _emit(program, length, COMPUTE, s.acc_line, 1, POP_NEXT)
            _emit_unit(program, length, COMPUTE, s.reset, 0)
        for _ in range(s.reduction_tiles):
            for thread in range(group):
                tile = first + thread
                if s.spatial_inside:
                    channel = tile // s.spatial_tiles
                    spatial = tile % s.spatial_tiles
                else:
                    channel = tile % s.channel_tiles
                    spatial = tile // s.channel_tiles
                repeat = tile // (s.spatial_tiles * s.channel_tiles)
                inp = repeat * s.spatial_tiles + spatial % s.spatial_tiles
                wgt = repeat * s.channel_tiles + channel % s.channel_tiles
                need_inp = s.reduction_tiles > 1 or held_inp[thread] != inp
                need_wgt = s.reduction_tiles > 1 or held_wgt[thread] != wgt
                held_inp[thread] = inp
                held_wgt[thread] = wgt
                if need_inp:
                    last = 0 if need_wgt else PUSH_NEXT
                    _emit(program, length, LOAD, s.inp_line, s.inp_lines, POP_NEXT | last)
                if need_wgt:
                    first_flag = 0 if need_inp else POP_NEXT
                    _emit(program, length, LOAD, s.wgt_line, s.wgt_lines, first_flag | PUSH_NEXT)
                if not (need_inp or need_wgt):
                    _emit_unit(program, length, LOAD, 0, POP_NEXT | PUSH_NEXT)
                _emit_unit(program, length, COMPUTE, s.gemm, POP_PREV | PUSH_PREV)
        for _ in range(group):
            _emit_unit(program, length, COMPUTE, s.alu, PUSH_NEXT)
            _emit(program, length, STORE, s.store_line, s.store_lines, POP_PREV | PUSH_PREV)
    return program, length


@STREAMS.entry(allocates=True)
def programs(s: Schedule) -> tuple[IntArray, IntArray]:
    """Return the instructions of the three queues, int64[3, m, 3], and how many, int64[3].

    An instruction is its cycles (of one line, if it touches memory), its lines and its flags.
    """
    return _programs(s)


@allocating
def _alu_programs(s: AluSchedule) -> tuple[IntArray, IntArray]:
    """Do what `alu_programs` does, for compiled code."""
    program = np.zeros((3, 2 + s.tiles * (3 + s.steps * (s.operands + 1)), 3), dtype=np.int64)
    length = np.zeros(3, dtype=np.int64)
    _emit(program, length, COMPUTE, s.uop_line, 1, 0)
    for _ in range(s.tiles):
        _emit(program, length, COMPUTE, s.parameter_line, 1, POP_NEXT)
        for _ in range(s.steps):
            for _ in range(s.operands):
                _emit(program, length, COMPUTE, s.load_line, s.load_lines, 0)
            _emit_unit(program, length, COMPUTE, s.step, 0)
        _emit_unit(program, length, COMPUTE, s.finish, PUSH_NEXT)
        _emit(program, length, STORE, s.store_line, s.store_lines, POP_PREV | PUSH_PREV)
    return program, length


@STREAMS.entry(allocates=True)
def alu_programs(s: AluSchedule) -> tuple[IntArray, IntArray]:
    """Return the instructions of a layer on the ALU, as `programs` does; nothing is for LOAD.

    What the ALU reads is loaded into the accumulator memory, which the compute queue does itself.
    """
    return _alu_programs(s)


@allocating
def _first_tokens(free_buffers: int) -> IntArray:
    """Return int64[3, 2]: [queue, 0] from the previous queue, [queue, 1] from the next."""
    tokens = np.zeros((3, 2), dtype=np.int64)
    tokens[LOAD, 1] = free_buffers
    tokens[COMPUTE, 1] = free_buffers
    return tokens


@inlined
def _takes_tokens(tokens: IntArray, queue: int, flags: int) -> bool:
    """Take the tokens that an instruction waits for; False where one is lacking."""
    if flags & POP_PREV and tokens[queue, 0] == 0:
        return False
    if flags & POP_NEXT and tokens[queue, 1] == 0:
        return False
    if flags & POP_PREV:
        tokens[queue, 0] -= 1
    if flags & POP_NEXT:
        tokens[queue, 1] -= 1
    return True


@inlined
def _gives_tokens(tokens: IntArray, queue: int, flags: int) -> None:
    """Give the tokens that an instruction leaves for its neighbours."""
    if flags & PUSH_PREV:
        tokens[queue - 1, 1] += 1
    if flags & PUSH_NEXT:
        tokens[queue + 1, 0] += 1


@inlined
def _next_on_port(turn: IntArray, reads_wait: bool) -> np.int64:
    """Return the queue whose request came first, -1 for none; reads may have to wait."""
    first = np.int64(-1)
    for queue in range(3):
        if turn[queue] == _NEVER or (queue != STORE and reads_wait):
            continue
        if first < 0 or turn[queue] < turn[first]:
            first = np.int64(queue)
    return first


@inlined
def _begun(gone: np.int64, cycles: np.int64, fresh: bool) -> np.int64:
    """Return the lines that a transfer has begun when another asks for the port.

    Who asks late in a moment, after an instruction of no length, finds the next line begun.
    """
    late = not fresh and gone > 0 and gone % cycles == 0
    return max(-(-gone // cycles), np.int64(1)) + np.int64(late)


@allocating
def _run(  # noqa: C901 - one loop of events
    program: IntArray, length: IntArray, free_buffers: int, delay: int
) -> np.int64:
    """Do what `run` does, for compiled code."""
    tokens = _first_tokens(free_buffers)
    counter = np.zeros(3, dtype=np.int64)
    finish = np.full(3, _NEVER)
    turn = np.full(3, _NEVER)
    left = np.zeros(3, dtype=np.int64)
    busy = np.zeros(3, dtype=np.bool_)
    on_port = np.int64(-1)
    again = np.int64(-1)
    turns = since = in_one_go = reads = served_from = now = np.int64(0)
    fresh = True
    while True:
        asked = False
        for queue in range(3):
            if busy[queue] or counter[queue] >= length[queue]:
                continue
            cycles, lines, flags = program[queue, counter[queue]]
            if not _takes_tokens(tokens, queue, flags):
                continue
            busy[queue] = True
            if lines:
                left[queue] = lines
                turn[queue] = turns
                turns += 1
                asked = True
                if queue != STORE:
                    if reads == 0:
                        served_from = now + delay
                    reads += 1
            else:
                finish[queue] = now + cycles
        if asked and on_port >= 0 and in_one_go > 1:
            cycles = program[on_port, counter[on_port], 0]
            in_one_go = _begun(now - since, cycles, fresh)
            finish[on_port] = since + in_one_go * cycles
            if finish[on_port] == now:
                left[on_port] -= in_one_go
                finish[on_port] = _NEVER
                again = on_port
                on_port = np.int64(-1)
        if again >= 0:
            turn[again] = turns
            turns += 1
            again = np.int64(-1)
        wake = _NEVER
        if on_port < 0:
            first = _next_on_port(turn, bool(now < served_from))
            if now < served_from and (turn[LOAD] != _NEVER or turn[COMPUTE] != _NEVER):
                wake = served_from
            if first >= 0:
                turn[first] = _NEVER
                on_port = first
                since = now
                in_one_go = left[first] if turn.min() == _NEVER else np.int64(1)
                finish[first] = now + in_one_go * program[first, counter[first], 0]
                wake = _NEVER
        soonest = min(finish.min(), wake)
        if soonest == _NEVER:
            break
        fresh = bool(soonest > now)
        now = soonest
        for queue in range(3):
            if finish[queue] != now:
                continue
            finish[queue] = _NEVER
            if queue == on_port:
                on_port = np.int64(-1)
                left[queue] -= in_one_go
                if left[queue] > 0:
                    again = np.int64(queue)
                    continue
                if queue != STORE:
                    reads -= 1
            _gives_tokens(tokens, queue, program[queue, counter[queue], 2])
            busy[queue] = False
            counter[queue] += 1
    return now if (counter >= length).all() else np.int64(-1)


@STREAMS.entry(allocates=True)
def run(program: Ints3, length: Ints, free_buffers: int, delay: int) -> np.int64:
    """Return the cycles until every queue is empty, or -1 when they wait for each other.

    While one instruction has the port to itself its lines are moved in one go; the next request
    cuts that short at the end of a line.

    Args:
        program: int64[3, m, 3].
        length: int64[3], instructions of each queue.
        free_buffers: tokens that load and compute start with.
        delay: cycles until the memory serves a read that found no other.
    """
    return _run(program, length, free_buffers, delay)


@QUEUES.entry(allocates=True)
def latency(table: Ints2, delay: int) -> Ints:
    """Return int64[n] cycles of n schedules, int64[n, 17] with the fields of Schedule.

    Args:
        table: the schedules.
        delay: of the memory, see `run`.
    """
    out = np.empty(len(table), dtype=np.int64)
    for i in range(len(table)):
        t = table[i]
        schedule = Schedule(
            t[0],
            t[1],
            t[2],
            t[3],
            t[4],
            t[5],
            t[6],
            t[7],
            t[8],
            t[9],
            t[10],
            t[11],
            t[12],
            t[13],
            t[14],
            t[15],
            t[16],
        )
        program, length = _programs(schedule)
        out[i] = _run(program, length, schedule.threads, delay)
    return out


@QUEUES.entry(allocates=True)
def alu_latency(table: Ints2, delay: int) -> Ints:
    """Return int64[n] cycles of n schedules, int64[n, 12] with the fields of AluSchedule."""
    out = np.empty(len(table), dtype=np.int64)
    for i in range(len(table)):
        t = table[i]
        schedule = AluSchedule(
            t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11]
        )
        program, length = _alu_programs(schedule)
        out[i] = _run(program, length, schedule.threads, delay)
    return out


def columns(table: IntArray) -> dict[str, IntArray]:
    """Return the fields of n schedules, int64[n] each, of a table int64[n, 17]."""
    return dict(zip(Schedule._fields, table.T, strict=True))


def bounds(table: IntArray, delay: int) -> IntArray:
    """Return int64[n]: cycles that no run of a schedule, int64[n, 17], can stay below.

    Each queue works in order, and the port serves one transfer at a time. The first read waits for
    the memory; so does every load that begins while no other read is under way, and of those that
    do not there is at most one for each read of the compute queue.
    """
    s = columns(table)
    tiles = s["spatial_tiles"] * s["channel_tiles"] * s["repeats"]
    inp, wgt = fetches(table)
    loads = inp * s["inp_lines"] * s["inp_line"] + wgt * s["wgt_lines"] * s["wgt_line"]
    accumulators = tiles * s["acc_line"] + s["uop_line"]
    store = s["store_lines"] * s["store_line"]
    computing = tiles * (s["reset"] + s["reduction_tiles"] * s["gemm"] + s["alu"])
    reads = tiles * (s["acc_line"] > 0) + (s["uop_line"] > 0)
    begun = inp * (s["inp_line"] > 0) + wgt * (s["wgt_line"] > 0)
    compute_queue = accumulators + computing + store + delay * (s["uop_line"] > 0)
    port = loads + accumulators + tiles * store + delay * (reads + begun > 0)
    load_queue = loads + s["gemm"] + s["alu"] + store + delay * np.maximum(begun - reads, 0)
    return np.asarray(np.max([compute_queue, port, load_queue], axis=0), dtype=np.int64)


def alu_columns(table: IntArray) -> dict[str, IntArray]:
    """Return the fields of n schedules, int64[n] each, of a table int64[n, 12]."""
    return dict(zip(AluSchedule._fields, table.T, strict=True))


def alu_bounds(table: IntArray, delay: int) -> IntArray:
    """Return int64[n]: cycles that no run of a schedule, int64[n, 12], can stay below.

    The compute queue alone reads, so that every one of its reads waits for the memory.
    """
    s = alu_columns(table)
    loads = s["steps"] * s["operands"]
    reads = s["tiles"] * (loads * (s["load_line"] > 0) + (s["parameter_line"] > 0))
    moved = s["tiles"] * (loads * s["load_lines"] * s["load_line"] + s["parameter_line"])
    store = s["store_lines"] * s["store_line"]
    read = moved + s["uop_line"] + delay * (reads + (s["uop_line"] > 0))
    compute_queue = read + s["tiles"] * (s["steps"] * s["step"] + s["finish"]) + store
    port = moved + s["uop_line"] + s["tiles"] * store
    return np.asarray(np.maximum(compute_queue, port), dtype=np.int64)


def fetches(table: IntArray) -> tuple[IntArray, IntArray]:
    """Return how many tiles of inputs and of weights are loaded, int64[n] each.

    A virtual thread keeps its tile when its next one is the same, which needs the whole reduction
    on chip. Threads take the tiles in turn, `t, t + threads, ...`.
    """
    s = columns(table)
    threads, repeats = s["threads"], s["repeats"]
    spatial_inside = s["spatial_inside"] != 0
    inner = np.where(spatial_inside, s["spatial_tiles"], s["channel_tiles"])
    outer = np.where(spatial_inside, s["channel_tiles"], s["spatial_tiles"])
    tiles = inner * outer * repeats
    held_outside = outer * repeats * np.minimum(threads, inner)
    comes_back = threads % inner == 0
    held_inside = np.where(comes_back, repeats * np.minimum(threads, inner * outer), tiles)
    every_step = s["reduction_tiles"] > 1
    steps = tiles * s["reduction_tiles"]
    inp = np.where(every_step, steps, np.where(spatial_inside, held_inside, held_outside))
    wgt = np.where(every_step, steps, np.where(spatial_inside, held_outside, held_inside))
    return inp, wgt
