"""The values that cost programs are made of: loop bounds, extents, tiles, and who shares them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from typing import Any, TypeVar, cast

import numpy as np
from attrs import field, frozen

from cosearch.loopnest.kernel.opcodes import Op, Travel
from cosearch.loopnest.kernel.pack import ALWAYS, MAYBE, TANGLED, Pack, order_word
from cosearch.loopnest.kernel.tape import Store, Tape, Value
from cosearch.loopnest.slots import TIME, X, Y
from cosearch.quantities import added
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
        register = self._bound_register.get((slot, dim))
        if register is None:
            return self.store.real(float(self.fixed[slot, dim]))
        return self.store.real_input(register)

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


Method = TypeVar("Method", bound=Callable[..., Any])


def once(method: Method) -> Method:
    """Let a method remember its results in `self.memo`, by its arguments."""
    name = method.__name__

    @wraps(method)
    def remembered(self: Any, *args: int) -> object:  # noqa: ANN401 - anything with a memo
        key = (name, *args)
        if key not in self.memo:
            self.memo[key] = method(self, *args)
        return self.memo[key]

    return cast(Method, remembered)


class Geometry:
    """Extents and tiles, shared by the checks and the prices."""

    def __init__(self, inputs: Inputs, tape: Tape) -> None:
        self.memo: dict[tuple[object, ...], object] = {}
        self.inputs, self.tape, self.pack = inputs, tape, inputs.pack
        self.levels, self.dims = len(self.pack.leak_pj), len(self.pack.sizes)
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

    @once
    def relevant(self, t: int) -> list[int]:
        """Return the dimensions that move a tensor."""
        return [d for d in range(self.dims) if self.pack.relevant[t, d]]

    @once
    def time(self, level: int, dim: int) -> Value:
        """Return the bound of a temporal loop."""
        return self.inputs.bound(3 * level + TIME, dim)

    @once
    def spread(self, level: int, dim: int) -> Value:
        """Return over how many children of a level a dimension is spread."""
        x = self.inputs.bound(3 * level + X, dim)
        return self.tape.product(x, self.inputs.bound(3 * level + Y, dim))

    @once
    def across(self, level: int, kind: int) -> Value:
        """Return the children used along X or Y, of one instance."""
        return self.tape.product(
            *(self.inputs.bound(3 * level + kind, d) for d in range(self.dims))
        )

    @once
    def children(self, level: int) -> Value:
        """Return the used children of one instance."""
        return self.tape.product(self.across(level, X), self.across(level, Y))

    @once
    def instances(self, level: int) -> Value:
        """Return the used instances of a level."""
        if level == self.levels - 1:
            return self.tape.real(1)
        return self.tape.product(self.instances(level + 1), self.children(level + 1))

    @once
    def extent(self, level: int, dim: int) -> Value:
        """Return a dimension's extent in the tile of a level (-1: in a multiplier)."""
        if level < 0:
            return self.tape.real(1)
        if level == self.levels - 1:
            return self.tape.real(self.pack.sizes[dim])
        return self.tape.product(self.step(level, dim), self.time(level, dim))

    @once
    def step(self, level: int, dim: int) -> Value:
        """Return how far a dimension moves when its temporal loop at a level steps."""
        return self.tape.product(self.extent(level - 1, dim), self.spread(level, dim))

    def side(self, axis: list[tuple[int, float]], extents: Sequence[Value]) -> Value:
        """Return the side of a box along an axis."""
        constant = 1.0 - added(c for _, c in axis)
        return self.tape.linear(constant, *((c, extents[d]) for d, c in axis))

    @once
    def sides(self, t: int, level: int) -> list[Value]:
        """Return the sides of a tensor's tile."""
        extents = [self.extent(level, d) for d in range(self.dims)]
        return [self.side(axis, extents) for axis in self.axes[t]]

    @once
    def tile(self, t: int, level: int) -> Value:
        """Return the words of a tensor's tile."""
        return self.tape.product(*self.sides(t, level))

    @once
    def outside(self, level: int) -> Value:
        """Return the product of all temporal loops outside a level's block."""
        if level == self.levels - 1:
            return self.tape.real(1)
        loops = (self.time(level + 1, d) for d in range(self.dims))
        return self.tape.product(self.outside(level + 1), self.tape.product(*loops))


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
                Op.TRAVEL,
                immediates=(Travel.GROUPS,),
                listed=self.spec(False, zero, zero, zero, -1, zero),
            )
        return tape.product(*(self._places(axis) for axis in shape.axes[self.t]))

    def _places(self, axis: list[tuple[int, float]]) -> Value:
        shape, tape = self.shape, self.tape
        spread = [shape.spread(self.level, d) for d, _ in axis]
        if len(axis) == 1 or any(s.known == 1.0 for s in spread):
            return tape.product(*spread)
        extents = [shape.extent(self.level - 1, d) for d, _ in axis]
        return tape.emit(Op.PLACES, *spread, *extents, numbers=tuple(c for _, c in axis))

    def spec(
        self,
        both: bool,
        added: Value,
        instances: Value,
        words: Value,
        inner: Value | int,
        share: Value,
    ) -> tuple[Value | int, ...]:
        """Return the operands of TRAVEL, see the kernel."""
        shape, pack, level = self.shape, self.shape.pack, self.level
        fanout = (int(pack.fanout_x[level]), int(pack.fanout_y[level]))
        axes = shape.axes[self.t]
        loops = [
            part
            for d in range(shape.dims)
            for part in (
                shape.inputs.bound(3 * level + X, d),
                shape.inputs.bound(3 * level + Y, d),
                shape.extent(level - 1, d),
            )
        ]
        coefficients = [int(dict(axis).get(d, 0)) for axis in axes for d in range(shape.dims)]
        most = int(pack.most_children[level])
        return (
            shape.dims,
            len(axes),
            *fanout,
            most,
            int(both),
            added,
            instances,
            words,
            inner,
            share,
            *loops,
            *coefficients,
        )
