"""How often a tile is sent, as a program: `delivery` for whole batches at once."""

from __future__ import annotations

from collections.abc import Iterator

from cosearch.loopnest.kernel.geometry import Geometry, once
from cosearch.loopnest.kernel.opcodes import Op
from cosearch.loopnest.kernel.pack import PLAIN, TANGLED
from cosearch.loopnest.kernel.tape import Value
from cosearch.loopnest.orders import ORDER_BITS


class Delivery:
    """The words that one instance of each level receives of a tensor over the whole layer."""

    def __init__(self, shape: Geometry, t: int) -> None:
        self.memo: dict[tuple[object, ...], object] = {}
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
            Op.WALK,
            immediates=(2 if pack.geometric_halo else self.rule,),
            listed=(len(outer), shape.dims, count, int(wide), tile, *axes, *loops),
        )

    @once
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
        return self.tape.emit(Op.PICK, part, outside, beyond)

    @once
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
                        Op.GATE_INSIDE,
                        part,
                        bound,
                        self.inputs.order(level),
                        turning,
                        immediates=(8 * d,),
                    )
            return part
        part = tape.real(1)
        for d in order:
            bound = shape.time(level, d)
            if d in relevant:
                part = tape.product(part, bound)
            elif part.known is None and bound.known != 1.0:
                part = tape.emit(Op.GATE, part, bound)
            elif part.known is not None and part.known > 1.0:
                part = tape.product(part, bound)
        return part

    @once
    def turning(self, level: int) -> Value:
        """Return which relevant dimensions have a loop of more than one step, as bits."""
        turning = self.inputs.store.bits(0)
        one = self.tape.real(1)
        bounds = [(d, self.shape.time(level, d)) for d in self.shape.relevant(self.t)]
        bounds = [(d, bound) for d, bound in bounds if bound.known != 1.0]
        for (d, first), (e, second) in _in_groups(bounds, 2, (0, one)):
            turning = self.tape.emit(
                Op.TURNS, turning, first, second, immediates=(1 << d, 1 << e), bits=True
            )
        return turning


def _in_groups(
    items: list[tuple[int, Value]], size: int, filler: tuple[int, Value]
) -> Iterator[list[tuple[int, Value]]]:
    """Yield the items in groups of one size, the last filled up."""
    for start in range(0, len(items), size):
        group = items[start : start + size]
        yield group + [filler] * (size - len(group))


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
                if len(axis) == 2:
                    rest = self.tape.product(*(s for i, s in enumerate(sides) if i != number))
                    for this, other in ((axis[0], axis[1]), (axis[1], axis[0])):
                        words = self._credit(words, level, number, this, other, sides[number], rest)
            if level < shape.levels - 1:
                self._pass(level)
        return words

    def _credit(
        self,
        words: Value,
        level: int,
        number: int,
        this: tuple[int, float],
        other: tuple[int, float],
        side: Value,
        rest: Value,
    ) -> Value:
        (d, c), (e, k) = this, other
        shape, tape = self.shape, self.tape
        if shape.time(level, d).known == 1.0:
            return words
        step, partner = shape.step(level, d), shape.step(level, e)
        turning = self.delivery.turning(level)
        inside = tape.emit(
            Op.INSIDE, self.inputs.order(level), turning, immediates=(8 * d,), bits=True
        )
        shift = tape.emit(
            Op.SHIFT, step, self.gone, inside, partner, immediates=(1 << e,), numbers=(c, k)
        )
        lead = tape.emit(
            Op.LEAD,
            step,
            self.first,
            inside,
            partner,
            self.axis,
            immediates=(1 << e,),
            numbers=(c, k),
        )
        tile = shape.tile(self.t, self.child)
        stay = tape.emit(Op.STAY, shift, lead, tile, rest, side)
        others = 255 & ~(1 << e)
        return tape.emit(
            Op.CREDIT,
            words,
            inside,
            self.axis,
            self._ticks(level, d),
            stay,
            immediates=(others, number + 1),
        )

    def _ticks(self, level: int, dim: int) -> Value:
        """Return how often a loop ticks: (bound - 1) times all loops outside it."""
        shape, tape = self.shape, self.tape
        less = tape.linear(-1.0, (1.0, shape.time(level, dim)))
        order = self.inputs.orders[level]
        if order is not None:
            outer = order[order.index(dim) + 1 :]
            return tape.product(less, shape.outside(level), *(shape.time(level, d) for d in outer))
        ticks = tape.product(less, shape.outside(level))
        bounds = [(8 * dim + d, shape.time(level, d)) for d in range(shape.dims) if d != dim]
        bounds = [(bit, bound) for bit, bound in bounds if bound.known != 1.0]
        for group in _in_groups(bounds, 3, (0, tape.real(1))):
            (b, first), (c, second), (d, third) = group
            ticks = tape.emit(
                Op.TICK_OUTSIDE,
                ticks,
                first,
                self.inputs.order(level),
                second,
                third,
                immediates=(b, c, d),
            )
        return ticks

    def _pass(self, level: int) -> None:
        """Carry the walk past a level."""
        shape, tape, store = self.shape, self.tape, self.inputs.store
        turning = self.delivery.turning(level)
        axis, gone, first = store.bits(-1), self.gone, self.first
        for number, terms in enumerate(shape.axes[self.t]):
            if len(terms) == 2:
                (p, cp), (r, cr) = terms
                others = 255 & ~((1 << p) | (1 << r))
                steps = shape.step(level, p), shape.step(level, r)
                axis = tape.emit(
                    Op.ALONG,
                    self.axis,
                    turning,
                    axis,
                    immediates=(others, number + 1),
                    bits=True,
                )
                gone = tape.emit(
                    Op.GONE,
                    self.axis,
                    turning,
                    self.gone,
                    gone,
                    *steps,
                    immediates=(1 << p, 1 << r, others | (number + 1) << 32),
                    numbers=(cp, cr),
                )
                first = tape.emit(
                    Op.FIRST,
                    self.axis,
                    turning,
                    first,
                    store.bits(0),
                    *steps,
                    self.inputs.order(level),
                    immediates=(1 << p, 1 << r, others << 8 | 8 * p),
                    numbers=(cp, cr),
                )
        self.axis, self.gone, self.first = axis, gone, first
