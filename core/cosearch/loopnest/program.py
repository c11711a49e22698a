"""The cost model as a program for the kernel: what `reference` says, for whole batches at once.

A program is written once for a layer on a machine. Whatever the two do not need (sliding windows,
networks, bandwidths, blocks, a tensor that bypasses a level) is not in it, so nothing is paid for
what is not there. Where every mapping of a batch has the same loop orders, a shorter program is
written for those orders.

How one tensor is priced in one outward pass: `Delivery` says how often a level's child is sent its
tile again, `Traffic` adds up what each level serves.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from attrs import field, frozen

from cosearch.loopnest import kernel
from cosearch.loopnest.pack import (
    ALWAYS,
    CAPACITY,
    MAYBE,
    NEVER,
    ORDER_BITS,
    PLAIN,
    SPREAD_X,
    SPREAD_Y,
    TANGLED,
    Pack,
    order_word,
)
from cosearch.loopnest.slots import TIME, X, Y
from cosearch.loopnest.tape import Store, Tape, Value
from cosearch.typing import IntArray


@frozen(eq=False)
class Inputs:
    """What a batch of mappings may vary, and what it holds fixed.

    Attributes:
        pack: the layer and the machine.
        fixed: float64[3 L, D], the bound of every slot, NaN where it varies.
        keep_modes: int64[L, T], NEVER, ALWAYS or MAYBE.
        orders: per level the dimensions inner to outer, or None where the order varies.
    """

    pack: Pack
    fixed: np.ndarray
    keep_modes: IntArray
    orders: tuple[tuple[int, ...] | None, ...]
    store: Store = field(init=False)

    @store.default
    def _make_store(self) -> Store:
        keeps = int((self.keep_modes == MAYBE).sum())
        varying = sum(order is None for order in self.orders)
        return Store(len(self.bounds) + keeps, varying)

    @cached_property
    def bounds(self) -> list[tuple[int, int]]:
        """The (slot, dimension) of every bound that varies, in the order of their registers."""
        return [(int(s), int(d)) for s, d in np.argwhere(np.isnan(self.fixed))]

    @cached_property
    def keeps(self) -> list[tuple[int, int]]:
        """The (level, tensor) of every choice to keep, in the order of their registers."""
        return [(int(i), int(t)) for i, t in np.argwhere(self.keep_modes == MAYBE)]

    @cached_property
    def _bound_register(self) -> dict[tuple[int, int], int]:
        return {place: i for i, place in enumerate(self.bounds)}

    def bound(self, slot: int, dim: int) -> Value:
        """Return a loop's bound."""
        if (slot, dim) in self._bound_register:
            return self.store.real_input(self._bound_register[slot, dim])
        return self.store.real(float(self.fixed[slot, dim]))

    def keep(self, level: int, tensor: int) -> Value:
        """Return 1 where a level keeps a tensor, else 0."""
        if self.keep_modes[level, tensor] == MAYBE:
            return self.store.real_input(len(self.bounds) + self.keeps.index((level, tensor)))
        return self.store.real(float(self.keep_modes[level, tensor] == ALWAYS))

    def order(self, level: int) -> Value:
        """Return a level's order word."""
        known = self.orders[level]
        if known is None:
            before = sum(order is None for order in self.orders[:level])
            return self.store.bits_input(before)
        return self.store.bits(order_word(known))


class Geometry:
    """Extents and tiles, shared by the checks and the prices."""

    def __init__(self, inputs: Inputs, tape: Tape) -> None:
        self.inputs, self.tape, self.pack = inputs, tape, inputs.pack
        self.levels, self.dims = len(self.pack.block), len(self.pack.sizes)
        self.tensors = len(self.pack.shape)
        self.axes = [self._axes_of(t) for t in range(self.tensors)]

    def _axes_of(self, t: int) -> list[list[tuple[int, float]]]:
        p = self.pack
        return [
            [
                (int(p.term_dim[i]), float(p.term_coefficient[i]))
                for i in range(p.term_start[axis], p.term_start[axis + 1])
            ]
            for axis in range(p.axis_start[t], p.axis_start[t + 1])
        ]

    def relevant(self, t: int) -> list[int]:
        """Return the dimensions that move a tensor."""
        return [d for d in range(self.dims) if self.pack.relevant[t, d]]

    def time(self, level: int, dim: int) -> Value:
        """Return the bound of a temporal loop."""
        return self.inputs.bound(3 * level + TIME, dim)

    def spread(self, level: int, dim: int) -> Value:
        """Return over how many children of a level a dimension is spread."""
        x = self.inputs.bound(3 * level + X, dim)
        return self.tape.product(x, self.inputs.bound(3 * level + Y, dim))

    def across(self, level: int, kind: int) -> Value:
        """Return the children used along X or Y, of one instance."""
        return self.tape.product(
            *(self.inputs.bound(3 * level + kind, d) for d in range(self.dims))
        )

    def children(self, level: int) -> Value:
        """Return the used children of one instance."""
        return self.tape.product(self.across(level, X), self.across(level, Y))

    def instances(self, level: int) -> Value:
        """Return the used instances of a level."""
        return self.tape.product(*(self.children(i) for i in range(self.levels - 1, level, -1)))

    def extent(self, level: int, dim: int) -> Value:
        """Return a dimension's extent in the tile of a level (-1: in a multiplier)."""
        if level < 0:
            return self.tape.real(1)
        if level == self.levels - 1:
            return self.tape.real(self.pack.sizes[dim])
        return self.tape.product(self.step(level, dim), self.time(level, dim))

    def step(self, level: int, dim: int) -> Value:
        """Return how far a dimension moves when its temporal loop at a level steps."""
        return self.tape.product(self.extent(level - 1, dim), self.spread(level, dim))

    def side(self, axis: list[tuple[int, float]], extents: Sequence[Value]) -> Value:
        """Return the side of a box along an axis."""
        constant = 1.0 - sum(c for _, c in axis)
        return self.tape.linear(constant, *((c, extents[d]) for d, c in axis))

    def sides(self, t: int, level: int) -> list[Value]:
        """Return the sides of a tensor's tile."""
        extents = [self.extent(level, d) for d in range(self.dims)]
        return [self.side(axis, extents) for axis in self.axes[t]]

    def tile(self, t: int, level: int) -> Value:
        """Return the words of a tensor's tile."""
        return self.tape.product(*self.sides(t, level))

    def outside(self, level: int) -> Value:
        """Return the product of all temporal loops outside a level's block."""
        return self.tape.product(
            *(self.time(i, d) for i in range(self.levels - 1, level, -1) for d in range(self.dims))
        )


def checks(inputs: Inputs) -> tuple[Tape, Value, list[Value]]:
    """Return the program that finds the first broken rule of each mapping.

    It leaves the number of the rule, 0 for none, and what each rule compares with its limit.
    """
    tape = Tape(inputs.store)
    shape = Geometry(inputs, tape)
    pack = inputs.pack
    verdict = tape.real(0)
    compared: list[Value] = []
    strictest: dict[Value, float] = {}
    for number in range(len(pack.check_kind)):
        kind, place = int(pack.check_kind[number]), int(pack.check_place[number])
        used = _used(shape, number, kind, place)
        limit = float(pack.check_limit[number])
        compared.append(used)
        met = used.known is not None and used.known <= limit
        if not met and limit < strictest.get(used, np.inf):
            strictest[used] = limit
            verdict = tape.emit(kernel.BROKEN, used, verdict, numbers=(limit, number + 1.0))
    return tape, verdict, compared


def _used(shape: Geometry, number: int, kind: int, place: int) -> Value:
    tape, above = shape.tape, range(place + 1, shape.levels)
    if kind == SPREAD_X:
        return tape.product(*(shape.across(i, X) for i in above))
    if kind == SPREAD_Y:
        return tape.product(*(shape.across(i, Y) for i in above))
    if kind != CAPACITY:
        return tape.product(*(shape.children(i) for i in above))
    total = tape.real(0)
    for t in range(shape.tensors):
        if shape.pack.check_tensors[number, t] and shape.inputs.keep_modes[place, t] != NEVER:
            kept = tape.product(shape.inputs.keep(place, t), shape.tile(t, place))
            total = tape.add(total, kept)
    return total


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
                kernel.LEAK, energy, self.access[level], cycles, self.shape.instances(level),
                numbers=(float(pack.leak_pj[level]),),
            )  # fmt: skip
            energy = tape.add(energy, self.network[level])
        return energy, cycles

    def _cycles(self) -> Value:
        cycles = self.steps
        for level, bandwidths in enumerate(self.pack.bandwidth):
            if np.isfinite(bandwidths).any():
                cycles = self.tape.emit(
                    kernel.WAIT, cycles, self.steps, self.reads[level], self.writes[level],
                    numbers=tuple(float(b) for b in bandwidths),
                )  # fmt: skip
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
        return self.tape.emit(kernel.SELECT, kept, keep, passed)

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
                loops = [shape.time(i, d) for i in range(level + 1, shape.levels)
                         for d in shape.relevant(t)]  # fmt: skip
                share = tape.product(tile, *loops)
            else:
                steps = [shape.step(level + 1, d) for d in range(shape.dims)]
                around = tape.product(*(shape.side(axis, steps) for axis in shape.axes[t]))
                share = tape.emit(kernel.SHARE, share, tile, around)
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
        block = float(pack.block[level])
        if block != 1.0:
            reads, fills, updates = (
                v if v.known == 0.0 else tape.emit(kernel.BLOCKS, v, numbers=(block,))
                for v in (reads, fills, updates)
            )
        energies = tuple(float(e[level, t]) for e in (pack.read_pj, pack.fill_pj, pack.update_pj))
        operands = [self.access[level], shape.instances(level), reads, fills, updates]
        keep = shape.inputs.keep(level, t)
        if keep.known is None:
            operands.append(keep)
        op = kernel.ACCESS_KEPT if keep.known is None else kernel.ACCESS
        self.access[level] = tape.emit(op, *operands, numbers=energies)

    def _demand(self, t: int, level: int, reads: Value, writes: Value) -> None:
        keep = self.shape.inputs.keep(level, t)
        for words, demand in ((reads, self.reads), (writes, self.writes)):
            kept = self.tape.product(keep, words)
            if kept.known != 0.0:
                demand[level] = self.tape.emit(kernel.DEMAND, demand[level], kept, self.steps)

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
            prices = (float(pack.hop_pj[level]), float(pack.router_pj[level]))
            self.network[level] = tape.emit(
                kernel.TRAVEL, immediates=(0,), numbers=prices, listed=spec
            )
        if not pack.router_pj.any():
            return tape.real(0)
        zero = tape.real(0)
        spec = children.spec(False, zero, zero, words, scaled_inner, zero)
        return tape.emit(kernel.TRAVEL, immediates=(1,), listed=spec)


class Children:
    """The children of one instance of a level, and which of them share a tensor's tile."""

    def __init__(self, shape: Geometry, t: int, level: int) -> None:
        self.shape, self.tape, self.t, self.level = shape, shape.tape, t, level

    def groups(self) -> Value:
        """Return the number of groups of children whose tiles coincide."""
        shape, tape, level = self.shape, self.tape, self.level
        if shape.children(level).known == 1.0:
            return tape.real(1)
        if shape.pack.shape[self.t] == TANGLED:
            zero = tape.real(0)
            return tape.emit(
                kernel.TRAVEL, immediates=(2,), listed=self.spec(False, zero, zero, zero, -1, zero)
            )
        return tape.product(*(self._places(axis) for axis in shape.axes[self.t]))

    def _places(self, axis: list[tuple[int, float]]) -> Value:
        shape, tape = self.shape, self.tape
        spread = [shape.spread(self.level, d) for d, _ in axis]
        if len(axis) == 1 or any(s.known == 1.0 for s in spread):
            return tape.product(*spread)
        extents = [shape.extent(self.level - 1, d) for d, _ in axis]
        return tape.emit(kernel.PLACES, *spread, *extents, numbers=tuple(c for _, c in axis))

    def spec(
        self, both: bool, added: Value, instances: Value, words: Value, inner: Value | int,
        share: Value,
    ) -> tuple[Value | int, ...]:  # fmt: skip
        """Return the operands of TRAVEL, see the kernel."""
        shape, pack, level = self.shape, self.shape.pack, self.level
        fanout = (int(pack.fanout_x[level]), int(pack.fanout_y[level]))
        axes = shape.axes[self.t]
        loops = [
            part
            for d in range(shape.dims)
            for part in (
                shape.inputs.bound(3 * level + X, d), shape.inputs.bound(3 * level + Y, d),
                shape.extent(level - 1, d),
            )
        ]  # fmt: skip
        coefficients = [int(dict(axis).get(d, 0)) for axis in axes for d in range(shape.dims)]
        most = int(pack.most_children[level])
        return (
            shape.dims, len(axes), *fanout, most, int(both), added, instances, words, inner, share,
            *loops, *coefficients,
        )  # fmt: skip


class Delivery:
    """The words that one instance of each level receives of a tensor over the whole layer."""

    def __init__(self, shape: Geometry, t: int) -> None:
        self.shape, self.tape, self.t = shape, shape.tape, t
        self.pack, self.inputs = shape.pack, shape.inputs
        self.rule = 2 * self.pack.geometric_halo + self.pack.only_innermost_loop_slides

    def received(self) -> list[Value]:
        """Return them, inner to outer; the outermost level's is its whole tensor."""
        shape, tape, kind = self.shape, self.tape, self.pack.shape[self.t]
        wide = shape.dims > ORDER_BITS
        if wide or kind == TANGLED or (self.rule and kind != PLAIN):
            return [self._walked(child, wide) for child in range(shape.levels)]
        out = []
        for child in range(shape.levels):
            words = tape.product(shape.tile(self.t, child), self._revisits(child))
            if kind != PLAIN and child < shape.levels - 1:
                words = Sliding(self, child).taken_from(words)
            out.append(words)
        return out

    def _walked(self, child: int, wide: bool) -> Value:
        shape, pack = self.shape, self.pack
        outer = range(child + 1, shape.levels)
        axes: list[Value | int] = []
        for axis, side in zip(shape.axes[self.t], shape.sides(self.t, child), strict=True):
            axes += [side, *(int(dict(axis).get(d, 0)) for d in range(shape.dims))]
        loops: list[Value | int] = []
        for level in outer:
            loops.append(self.inputs.order(level))
            for d in range(shape.dims):
                loops += [shape.time(level, d), shape.step(level, d)]
        tile = shape.tile(self.t, child)
        count = len(shape.axes[self.t])
        return self.tape.emit(
            kernel.WALK, immediates=(2 if pack.geometric_halo else self.rule,),
            listed=(len(outer), shape.dims, count, int(wide), tile, *axes, *loops),
        )  # fmt: skip

    def _revisits(self, child: int) -> Value:
        """Return how often a child's tile is sent: all loops from the innermost that moves it."""
        if child == self.shape.levels - 1:
            return self.tape.real(1)
        level = child + 1
        part = self.moving_part(level)
        beyond = self._revisits(level)
        outside = self.shape.outside(level)
        if part.known is not None:
            return self.tape.product(part, outside) if part.known > 1.0 else beyond
        return self.tape.emit(kernel.PICK, part, outside, beyond)

    def moving_part(self, level: int) -> Value:
        """Return the product of a level's loops from the innermost that moves the tensor.

        1 where no loop moves it.
        """
        shape, tape = self.shape, self.tape
        order = self.inputs.orders[level]
        relevant = shape.relevant(self.t)
        if order is None:
            part = tape.product(*(shape.time(level, d) for d in relevant))
            turning = self.turning(level)
            for d in range(shape.dims):
                bound = shape.time(level, d)
                if d not in relevant and bound.known != 1.0:
                    part = tape.emit(
                        kernel.GATE_INSIDE, part, bound, self.inputs.order(level), turning,
                        immediates=(8 * d,),
                    )  # fmt: skip
            return part
        part = tape.real(1)
        for d in order:
            bound = shape.time(level, d)
            if d in relevant:
                part = tape.product(part, bound)
            elif part.known is None and bound.known != 1.0:
                part = tape.emit(kernel.GATE, part, bound)
            elif part.known is not None and part.known > 1.0:
                part = tape.product(part, bound)
        return part

    def turning(self, level: int) -> Value:
        """Return which relevant dimensions have a loop of more than one step, as bits."""
        turning = self.inputs.store.bits(0)
        for d in self.shape.relevant(self.t):
            bound = self.shape.time(level, d)
            if bound.known != 1.0:
                turning = self.tape.emit(
                    kernel.TURNS, turning, bound, immediates=(1 << d,), bits=True
                )
        return turning


class Sliding:
    """Sliding windows: what of a tile stays in place while a loop ticks.

    A tick is credited with the words that stay only where the tile does not move on balance, or
    moves as it does in the innermost loop that moves it. Either takes that every loop so far that
    moved the tile moved it along one axis; once two axes have moved, whole tiles are sent. So the
    walk outward carries three things past a level: the axis moved so far (0 none, -1 several), how
    far, and the first move.
    """

    def __init__(self, delivery: Delivery, child: int) -> None:
        self.delivery, self.child = delivery, child
        self.shape, self.tape, self.t = delivery.shape, delivery.tape, delivery.t
        self.inputs = delivery.inputs
        store = self.inputs.store
        self.axis, self.gone, self.first = store.bits(0), store.real(0.0), store.real(0.0)

    def taken_from(self, words: Value) -> Value:
        """Return the words delivered without those that stay."""
        shape = self.shape
        sides = shape.sides(self.t, self.child)
        for level in range(self.child + 1, shape.levels):
            for number, axis in enumerate(shape.axes[self.t]):
                if len(axis) == 2:  # noqa: PLR2004 - two dimensions that slide over each other
                    rest = self.tape.product(*(s for i, s in enumerate(sides) if i != number))
                    for this, other in ((axis[0], axis[1]), (axis[1], axis[0])):
                        words = self._credit(words, level, number, this, other, sides[number], rest)
            if level < shape.levels - 1:
                self._pass(level)
        return words

    def _credit(  # noqa: PLR0913 - one dimension's loop at one level
        self, words: Value, level: int, number: int, this: tuple[int, float],
        other: tuple[int, float], side: Value, rest: Value,
    ) -> Value:  # fmt: skip
        (d, c), (e, k) = this, other
        shape, tape = self.shape, self.tape
        if shape.time(level, d).known == 1.0:
            return words
        step, partner = shape.step(level, d), shape.step(level, e)
        turning = self.delivery.turning(level)
        inside = tape.emit(
            kernel.INSIDE, self.inputs.order(level), turning, immediates=(8 * d,), bits=True
        )
        shift = tape.emit(
            kernel.SHIFT, step, self.gone, inside, partner, immediates=(1 << e,), numbers=(c, k)
        )
        lead = tape.emit(
            kernel.LEAD, step, self.first, inside, partner, self.axis,
            immediates=(1 << e,), numbers=(c, k),
        )  # fmt: skip
        tile = shape.tile(self.t, self.child)
        stay = tape.emit(kernel.STAY, shift, lead, tile, rest, side)
        others = 255 & ~(1 << e)
        return tape.emit(
            kernel.CREDIT, words, inside, self.axis, self._ticks(level, d), stay,
            immediates=(others, number + 1),
        )  # fmt: skip

    def _ticks(self, level: int, dim: int) -> Value:
        """Return how often a loop ticks: (bound - 1) times all loops outside it."""
        shape, tape = self.shape, self.tape
        once = tape.linear(-1.0, (1.0, shape.time(level, dim)))
        order = self.inputs.orders[level]
        if order is not None:
            outer = order[order.index(dim) + 1 :]
            return tape.product(once, shape.outside(level), *(shape.time(level, d) for d in outer))
        ticks = tape.product(once, shape.outside(level))
        for d in range(shape.dims):
            bound = shape.time(level, d)
            if d != dim and bound.known != 1.0:
                ticks = tape.emit(
                    kernel.TICK_OUTSIDE, ticks, bound, self.inputs.order(level),
                    immediates=(8 * dim + d,),
                )  # fmt: skip
        return ticks

    def _pass(self, level: int) -> None:
        """Carry the walk past a level."""
        shape, tape, store = self.shape, self.tape, self.inputs.store
        turning = self.delivery.turning(level)
        axis, gone, first = store.bits(-1), self.gone, self.first
        for number, terms in enumerate(shape.axes[self.t]):
            if len(terms) == 2:  # noqa: PLR2004
                (p, cp), (r, cr) = terms
                others = 255 & ~((1 << p) | (1 << r))
                steps = shape.step(level, p), shape.step(level, r)
                axis = tape.emit(
                    kernel.ALONG, self.axis, turning, axis, immediates=(others, number + 1),
                    bits=True,
                )  # fmt: skip
                gone = tape.emit(
                    kernel.GONE, self.axis, turning, self.gone, gone, *steps,
                    immediates=(1 << p, 1 << r, others | (number + 1) << 32), numbers=(cp, cr),
                )  # fmt: skip
                first = tape.emit(
                    kernel.FIRST, self.axis, turning, first, store.bits(0), *steps,
                    self.inputs.order(level),
                    immediates=(1 << p, 1 << r, others << 8 | 8 * p), numbers=(cp, cr),
                )  # fmt: skip
        self.axis, self.gone, self.first = axis, gone, first
