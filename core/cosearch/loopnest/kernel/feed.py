"""Feeding the vector machine with mappings: rows of a mapspace, or structs of arrays."""

from __future__ import annotations

import numpy as np

from cosearch.compiling.arithmetic import smaller, whole
from cosearch.compiling.bundle import Ints2
from cosearch.compiling.functions import compiled
from cosearch.compiling.parts import Part
from cosearch.loopnest.kernel.interpreter import execute
from cosearch.loopnest.kernel.state import Decoder, Mappings, Picks, Prices, Program, Registers
from cosearch.typing import Rows

KERNEL = Part(__name__, "KERNEL", "the pricing kernel")


@compiled
def _start(program: Program, registers: Registers) -> None:
    for k in range(len(program.constant)):
        registers.real[program.constant_register[k], :] = program.constant[k]


@compiled
def _decode(decoder: Decoder, rows: Rows, start: int, m: int, to: Registers) -> bool:
    """Turn rows into inputs; return False if one is not in the space."""
    block, choice = rows[start : start + m], to.choice
    columns = len(decoder.choices)
    inside = True
    for column in range(columns):
        most = decoder.choices[column]
        for j in range(m):
            choice[column, j] = block[j, column]
            inside &= np.uint64(block[j, column]) < most
    if not inside:
        return False
    for e in range(len(decoder.column)):
        column, r, scale = decoder.column[e], decoder.target[e], decoder.scale[e]
        table = decoder.table[decoder.start[e] :]
        if scale != 0.0:
            for j in range(m):
                to.real[r, j] = scale * table[np.uint64(choice[column, j])]
        else:
            for j in range(m):
                to.real[r, j] *= table[np.uint64(choice[column, j])]
    for e in range(len(decoder.order_column)):
        column, r = decoder.order_column[e], decoder.order_target[e]
        words = decoder.order_words[decoder.order_start[e] :]
        for j in range(m):
            to.bits[r, j] = words[np.uint64(choice[column, j])]
    for e in range(len(decoder.keep_column)):
        column, r = decoder.keep_column[e], decoder.keep_target[e]
        for j in range(m):
            to.real[r, j] = choice[column, j]
    return True


@compiled
def _copy(picks: Picks, nests: Mappings, start: int, m: int, to: Registers) -> None:
    """Take the inputs of mappings that are already apart."""
    bounds = len(picks.slot)
    for k in range(bounds):
        bound = nests.bounds[picks.slot[k], picks.dim[k], start : start + m]
        for j in range(m):
            to.real[k, j] = bound[j]
    for k in range(len(picks.keep_level)):
        keep = nests.keep[picks.keep_level[k], picks.keep_tensor[k], start : start + m]
        for j in range(m):
            to.real[bounds + k, j] = 1.0 if keep[j] else 0.0
    for k in range(len(picks.order_level)):
        words = nests.order[picks.order_level[k], start : start + m]
        for j in range(m):
            to.bits[k, j] = words[j]


@compiled
def _judge(checks: Program, registers: Registers, start: int, m: int, out: Prices) -> int:
    """Write the verdicts; list the valid lanes and return how many they are."""
    out.energy_pj[start : start + m] = np.inf
    out.cycles[start : start + m] = np.inf
    reasons, excess = out.reason[start : start + m], out.excess[start : start + m]
    for j in range(m):
        reasons[j] = whole(registers.real[checks.first, j])
    valid = 0
    for j in range(m):
        reason = reasons[j]
        excess[j] = registers.real[checks.used[reason], j] / checks.limits[reason]
        registers.valid[valid] = j
        valid += reason == 0
    return valid


@compiled
def _gather(
    source: Registers, first: int, valid: int, reals: int, words: int, to: Registers, fill: int
) -> int:
    """Append valid lanes, from number `first` on, while there is room; return how many."""
    more: int = smaller(valid - first, to.row.shape[0] - fill)
    for k in range(reals):
        for i in range(more):
            to.real[k, fill + i] = source.real[k, source.valid[first + i]]
    for k in range(words):
        for i in range(more):
            to.bits[k, fill + i] = source.bits[k, source.valid[first + i]]
    for i in range(more):
        to.row[fill + i] = source.row[source.valid[first + i]]
    return more


@KERNEL.entry(allocates=True)
def price(
    checks: Program,
    program: Program,
    decoder: Decoder,
    rows: Ints2,
    picks: Picks,
    nests: Mappings,
    begin: int,
    end: int,
    source: Registers,
    gathered: Registers,
    reals: int,
    words: int,
    out: Prices,
) -> bool:
    """Check and price the mappings from begin to end: rows, or nests where rows are empty.

    Checks run on every mapping; those that pass are gathered until the lanes are full, so that
    pricing works on full vectors however few pass. An empty program prices nothing.

    Returns:
        False if a row is not in its space.
    """
    lanes = source.row.shape[0]
    _start(checks, source)
    _start(program, gathered)
    fill = first = valid = m = 0
    start = begin
    while start < end or first < valid or fill > 0:
        if first < valid and fill < lanes and not (fill == 0 and first == 0 and valid == m):
            more = _gather(source, first, valid, reals, words, gathered, fill)
            first, fill = first + more, fill + more
            continue
        checking = first == valid and start < end and fill < lanes
        state = source if checking or fill == 0 else gathered
        running = checks if checking else program
        if checking:
            m = smaller(lanes, end - start)
            for j in range(m):
                source.row[j] = start + j
            if len(rows) == 0:
                _copy(picks, nests, start, m, source)
            elif not _decode(decoder, rows, start, m, source):
                return False
        busy = fill if fill > 0 and not checking else m
        execute(running.code, running.numbers, running.lists, state.real, state.bits, busy)
        if checking:
            valid = _judge(checks, source, start, m, out)
            start += m
            first = valid if len(program.code) == 0 else 0
            continue
        for j in range(busy):
            out.energy_pj[state.row[j]] = state.real[program.first, j]
            out.cycles[state.row[j]] = state.real[program.second, j]
        first, fill = (first, 0) if fill > 0 else (valid, 0)
    return True
