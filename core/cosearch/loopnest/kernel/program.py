"""The cost model as a program for the kernel: what `reference` says, for whole batches at once.

A program is written once for a layer on a machine. Whatever the two do not need (sliding windows,
networks, bandwidths, blocks, a tensor that bypasses a level) is not in it, so nothing is paid for
what is not there. Where every mapping of a batch has the same loop orders, a shorter program is
written for those orders. Each tensor is priced in one outward pass.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cosearch.loopnest.kernel.delivery_program import Delivery
from cosearch.loopnest.kernel.geometry import Children, Geometry, Inputs
from cosearch.loopnest.kernel.opcodes import Op, Travel
from cosearch.loopnest.kernel.pack import (
    CAPACITY,
    MOST_SPREAD,
    MOST_TIME,
    NEVER,
    PLAIN,
    SPREAD_X,
    SPREAD_Y,
)
from cosearch.loopnest.kernel.tape import Tape, Value
from cosearch.loopnest.slots import X, Y
from cosearch.typing import FloatArray


def checks(inputs: Inputs, kept: Sequence[bool] | None = None) -> tuple[Tape, Value, list[Value]]:
    """Return the program that finds the first broken rule of each mapping.

    It leaves the number of the rule, 0 for none, and what each rule compares with its limit.

    Args:
        inputs: what varies.
        kept: the rules that are looked at; those that `strictest` names if left out.
    """
    tape = Tape(inputs.store)
    shape = Geometry(inputs, tape)
    pack = inputs.pack
    rules = range(len(pack.check_kind))
    compared = [_used(shape, i, int(pack.check_kind[i]), int(pack.check_place[i])) for i in rules]
    verdict = tape.real(0)
    for number, stays in enumerate(kept or strictest(compared, pack.check_limit)):
        if stays:
            limit = float(pack.check_limit[number])
            numbers = (limit, number + 1.0)
            verdict = tape.emit(Op.BROKEN, compared[number], verdict, numbers=numbers)
    return tape, verdict, compared


def strictest(compared: Sequence[Value], limits: FloatArray) -> tuple[bool, ...]:
    """Return which rules can be the first that is broken: no stricter one comes before."""
    least: dict[Value, float] = {}
    stays = []
    for used, limit in zip(compared, limits.tolist(), strict=True):
        met = used.known is not None and used.known <= limit
        stays.append(not met and limit < least.get(used, np.inf))
        if stays[-1]:
            least[used] = limit
    return tuple(stays)


def _used(shape: Geometry, number: int, kind: int, place: int) -> Value:
    tape, above = shape.tape, range(place + 1, shape.levels)
    if kind == SPREAD_X:
        return tape.product(*(shape.across(i, X) for i in above))
    if kind == SPREAD_Y:
        return tape.product(*(shape.across(i, Y) for i in above))
    if kind > CAPACITY:
        return _constrained(shape, number, kind, place)
    if kind != CAPACITY:
        return tape.product(*(shape.children(i) for i in above))
    total = tape.real(0)
    for t in range(shape.tensors):
        if shape.pack.check_tensors[number, t] > 0 and shape.inputs.keep_modes[place, t] != NEVER:
            each = tape.real(float(shape.pack.check_tensors[number, t]))
            kept = tape.product(shape.inputs.keep(place, t), shape.tile(t, place), each)
            total = tape.add(total, kept)
    return total


def _constrained(shape: Geometry, number: int, kind: int, place: int) -> Value:
    """Return what a constraint compares: a factor, or one more than the multipliers missing."""
    wanted = int(shape.pack.check_detail[number])
    if kind == MOST_TIME:
        return shape.time(place, wanted)
    if kind == MOST_SPREAD:
        return shape.spread(place, wanted)
    used = shape.tape.product(*(shape.children(i) for i in range(shape.levels)))
    return shape.tape.linear(1.0 + wanted, (-1.0, used))


def prices(inputs: Inputs) -> tuple[Tape, Value, Value]:
    """Return the program that prices mappings, and where it leaves energy and cycles."""
    tape = Tape(inputs.store)
    return (tape, *_Prices(Geometry(inputs, tape)).totals())


class _Prices:
    """Adds up tensors, then levels, in the order of `reference`."""

    def __init__(self, shape: Geometry) -> None:
        self.shape, self.tape, self.pack = shape, shape.tape, shape.pack
        zero = self.tape.real(0)
        self.steps = shape.tape.product(
            shape.outside(0), *(shape.time(0, d) for d in range(shape.dims))
        )
        self.busy = self.tape.product(self.tape.real(self.pack.compute_cycles), self.steps)
        self.access = [zero] * shape.levels
        self.network = [zero] * shape.levels
        self.reads = [zero] * shape.levels
        self.writes = [zero] * shape.levels

    def totals(self) -> tuple[Value, Value]:
        for t in range(self.shape.tensors):
            self._add_tensor(t)
        cycles = self._cycles()
        tape, pack = self.tape, self.pack
        macs = tape.product(self.steps, self.shape.children(0), self.shape.instances(0))
        energy = tape.linear(0.0, (pack.compute_pj, macs))
        for level in range(self.shape.levels):
            energy = tape.emit(
                Op.LEAK,
                energy,
                self.access[level],
                cycles,
                self.shape.instances(level),
                numbers=(float(pack.leak_pj[level]),),
            )
            energy = tape.add(energy, self.network[level])
        return energy, cycles

    def _cycles(self) -> Value:
        cycles = self.busy
        for level, bandwidths in enumerate(self.pack.bandwidth):
            if np.isfinite(bandwidths).any():
                cycles = self.tape.emit(
                    Op.WAIT,
                    cycles,
                    self.busy,
                    self.reads[level],
                    self.writes[level],
                    numbers=tuple(float(b) for b in bandwidths),
                )
        return cycles

    def _add_tensor(self, t: int) -> None:
        shape, tape = self.shape, self.tape
        received = Delivery(shape, t).received()
        shares = self._shares(t)
        served = scaled = tape.real(0)
        for level in range(shape.levels):
            words = received[level - 1] if level else self.steps
            groups = Children(shape, t, level).groups()
            near = tape.product(groups, words)
            if level == 0:
                inner, served = None, near
            else:
                inner = scaled
                past = tape.product(groups, served)
                served = self._if_kept(level - 1, t, near, past)
            if shape.inputs.keep_modes[level, t] != NEVER:
                self._account(t, level, served, received, shares)
            scaled = self._travel(t, level, words, inner, shares[level])

    def _if_kept(self, level: int, t: int, kept: Value, passed: Value) -> Value:
        keep = self.shape.inputs.keep(level, t)
        if keep.known is not None:
            return kept if keep.known else passed
        return self.tape.emit(Op.SELECT, kept, keep, passed)

    def _shares(self, t: int) -> list[Value]:
        """Return the words that one instance of each level is home to (0 for operands)."""
        shape, tape = self.shape, self.tape
        if t != shape.tensors - 1:
            return [tape.real(0)] * shape.levels
        plain = self.pack.shape[t] == PLAIN and all(c == 1.0 for a in shape.axes[t] for _, c in a)
        share = shape.tile(t, shape.levels - 1)
        shares = [share]
        for level in range(shape.levels - 2, -1, -1):
            tile = shape.tile(t, level)
            if plain:
                loops = [
                    shape.time(i, d)
                    for i in range(level + 1, shape.levels)
                    for d in shape.relevant(t)
                ]
                share = tape.product(tile, *loops)
            else:
                steps = [shape.step(level + 1, d) for d in range(shape.dims)]
                around = tape.product(*(shape.side(axis, steps) for axis in shape.axes[t]))
                share = tape.emit(Op.SHARE, share, tile, around)
            shares.insert(0, share)
        return shares

    def _account(
        self, t: int, level: int, served: Value, received: list[Value], shares: list[Value]
    ) -> None:
        """Add reads, fills and updates of a tensor at a level that keeps it."""
        tape, pack, shape = self.tape, self.pack, self.shape
        zero, share = tape.real(0), shares[level]
        output = t == shape.tensors - 1
        reads = tape.linear(0.0, (1.0, served), (-1.0, share)) if output else served
        updates = served if output else zero
        fills = zero
        if level < shape.levels - 1:
            unread = share if output and not pack.first_fill_is_counted else zero
            fills = tape.linear(0.0, (1.0, received[level]), (-1.0, unread))
        if np.isfinite(pack.bandwidth[level]).any():
            self._demand(t, level, reads, tape.add(fills, updates))
        reads, fills, updates = (self._blocks(t, level, v) for v in (reads, fills, updates))
        energies = tuple(float(e[level, t]) for e in (pack.read_pj, pack.fill_pj, pack.update_pj))
        operands = [self.access[level], self._accessed(level), reads, fills, updates]
        keep = shape.inputs.keep(level, t)
        if keep.known is None:
            operands.append(keep)
        op = Op.ACCESS_KEPT if keep.known is None else Op.ACCESS
        self.access[level] = tape.emit(op, *operands, numbers=energies)

    def _blocks(self, t: int, level: int, elements: Value) -> Value:
        """Return the blocks that so many elements of a tensor take at a level."""
        few, many = float(self.pack.few[level, t]), self.tape.real(float(self.pack.many[level, t]))
        whole = self.tape.product(many, elements)
        if few == 1.0 or whole.known == 0.0:
            return whole
        return self.tape.emit(Op.BLOCKS, whole, numbers=(few,))

    def _accessed(self, level: int) -> Value:
        """Return the used instances, or the physical memories where several share one."""
        clusters = float(self.pack.clusters[level])
        used = self.shape.instances(level)
        if clusters == np.inf:
            return used
        if used.known is not None:
            return self.tape.real(min(used.known, clusters))
        return self.tape.emit(Op.MOST, used, numbers=(clusters,))

    def _demand(self, t: int, level: int, reads: Value, writes: Value) -> None:
        keep, width = self.shape.inputs.keep(level, t), self.tape.real(self.pack.width[level, t])
        for count, demand in ((reads, self.reads), (writes, self.writes)):
            kept = self.tape.product(keep, count, width)
            if kept.known != 0.0:
                demand[level] = self.tape.emit(Op.DEMAND, demand[level], kept, self.busy)

    def _travel(self, t: int, level: int, words: Value, inner: Value | None, share: Value) -> Value:
        """Add the network's energy; return the words as Timeloop's router count scales them."""
        tape, pack, shape = self.tape, self.pack, self.shape
        if not (pack.router_pj.any() or pack.hop_pj.any()):
            return tape.real(0)
        children = Children(shape, t, level)
        scaled_inner = -1 if inner is None else self._if_kept(level - 1, t, words, inner)
        if pack.hop_pj[level] or pack.router_pj[level]:
            both = t == shape.tensors - 1 and bool(pack.is_dram[level])
            spec = children.spec(
                both, self.network[level], shape.instances(level), words, scaled_inner, share
            )
            width = float(pack.width[level, t])
            prices = (width * float(pack.hop_pj[level]), width * float(pack.router_pj[level]))
            self.network[level] = tape.emit(
                Op.TRAVEL, immediates=(Travel.ENERGY,), numbers=prices, listed=spec
            )
        if not pack.router_pj.any():
            return tape.real(0)
        zero = tape.real(0)
        spec = children.spec(False, zero, zero, words, scaled_inner, zero)
        return tape.emit(Op.TRAVEL, immediates=(Travel.SCALED,), listed=spec)
