"""What a mapping costs when the last tile of each loop is partial, as true loops would run it.

The mapping belongs to a layer rounded up until its factors divide it; the layer itself is smaller.
A loop ends before the first tile that would begin beyond the layer, and the last tile is clipped at
the layer's end. So:

- multiplications are the layer's own;
- steps are those of the multiplier that takes most, the first along every loop over space: the
  others have their tiles later, hence no more of them;
- words are those of clipped tiles. Every rule of `cosearch.loopnest.model.delivery` holds. Where a
  tile slides on from the one before, what stays is what that one really held; at the other moves
  that the rules credit, the tile before counts as large as the new one;
- children at one place are sent words together: what their largest tile lacks;
- an instance whose tiles all begin beyond the layer is idle; each of the others is counted on its
  own, blocks rounded up, and the one with the most words sets the pace of a level;
- a network's energy shrinks with the words that pass it: the hops of a word are taken from the
  layer rounded up.

Without rounding up, this is the reference model, count by count. The padded price, which runs and
pays for everything beyond the layer, is never less: each tick's words grow with the sides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import reduce

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.loopnest.mapping import Mapping
from cosearch.loopnest.model.partial_spans import (
    Spans,
    indices,
    largest_at_place,
    starts_of,
    sums_of,
)
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.nest import MAC, Nest, PlacedLoop, Vector, add, move
from cosearch.machine.architecture import Architecture, Memory
from cosearch.machine.cost import PartialTiles
from cosearch.machine.widths import mode, stored
from cosearch.quantities import added
from cosearch.typing import IntArray
from cosearch.workload.einsum import Axis, Einsum, Tensor

Where = tuple[int, int]
"""The level whose tiles are delivered (MAC: the multipliers), and the level that delivers them."""


def partial_cost(architecture: Architecture, layer: Einsum, mapping: Mapping) -> PartialTiles:
    """Return the cost of a mapping whose factors may multiply up to more than the layer's sizes.

    Args:
        architecture: the machine.
        layer: as it is, not rounded up.
        mapping: valid for the layer rounded up to the products of its factors.

    Raises:
        InvalidMapping: which rule the mapping breaks on the layer rounded up.
        CosearchError: the rules or the layer are beyond this model; see `refuse_unclear`.
    """
    refuse_unclear(architecture, layer)
    padded = rounded_up(layer, mapping)
    whole = analyse(architecture, padded, mapping)
    clipped = Clipped(architecture, layer, mapping, Nest.of(padded, mapping))
    works = mode(architecture, layer)
    busy = clipped.steps * works.cycles
    counts = [clipped.level(level) for level in range(len(architecture.levels))]
    cycles = max(
        busy,
        *(
            _cycles(architecture, m, kept, busy)
            for m, kept in zip(architecture.levels, counts, strict=True)
        ),
    )
    energy = layer.macs * works.energy_pj
    for level, memory in enumerate(architecture.levels):
        energy += added(_energy(architecture, memory, c) for c in counts[level])
        energy += memory.leak_pj_per_cycle * cycles * clipped.active(level)
        for network in whole.networks[level].tensors:
            energy += network.energy_pj * clipped.share_passing(network.tensor, level)
    return PartialTiles(energy, float(cycles))


def rounded_up(layer: Einsum, mapping: Mapping) -> Einsum:
    """Return the layer at the products of a mapping's factors, which may not be smaller."""
    sizes = mapping.tile(len(mapping.levels) - 1, layer.dims)
    for dim, size in layer.bounds.items():
        if not size <= sizes[dim] < 2 * size:
            raise CosearchError(
                f"the factors of {dim} multiply up to {sizes[dim]}, its size is {size}",
                "choose factors whose product is the size, or up to twice as much",
            )
    return layer.resized(tuple(sizes[dim] for dim in layer.dims))


def refuse_unclear(architecture: Architecture, layer: Einsum) -> None:
    """Raise CosearchError where no count of partial tiles is defined.

    Those are rules other than the usual ones, axes of three dimensions or sharing one, and results
    whose axes are not one dimension each.
    """
    rules = architecture.rules
    if rules.link_transfers or rules.geometric_halo or rules.only_innermost_loop_slides:
        raise CosearchError("partial tiles are counted under the usual rules of what slides alone")
    for tensor in layer.tensors:
        dims = [d for axis in tensor.axes for d, _ in axis.terms if layer.bounds[d] > 1]
        widest = max((sum(layer.bounds[d] > 1 for d, _ in a.terms) for a in tensor.axes), default=0)
        if len(set(dims)) < len(dims) or widest > 2:
            raise CosearchError(
                f"layer {layer.name!r}: partial tiles are counted for axes of one or two "
                f"dimensions, each dimension on one axis; {tensor.name} has others"
            )
    for axis in layer.output.axes:
        turning = [(d, c) for d, c in axis.terms if layer.bounds[d] > 1]
        if len(turning) > 1 or any(c > 1 for _, c in turning):
            raise CosearchError(
                f"layer {layer.name!r}: partial tiles are counted where every axis of the result "
                "is one dimension"
            )


@frozen(eq=False)
class Counts:
    """What a tensor does at a level, int64 by instance: one array axis a dimension of the layer."""

    tensor: Tensor
    reads: IntArray
    fills: IntArray
    updates: IntArray


def _energy(architecture: Architecture, memory: Memory, c: Counts) -> float:
    many, few = stored(architecture, memory, c.tensor).blocks
    partition = memory.partitions.get(c.tensor.role)
    energy = partition.energy if partition else memory.energy
    blocks = [int((-(-counts * many // few)).sum()) for counts in (c.reads, c.fills, c.updates)]
    return blocks[0] * energy.read + blocks[1] * energy.fill + blocks[2] * energy.update


def _cycles(architecture: Architecture, memory: Memory, kept: Sequence[Counts], steps: int) -> int:
    """Return the cycles that the busiest instance of a level needs."""
    read = write = np.zeros(1)
    for c in kept:
        width = stored(architecture, memory, c.tensor).words
        read = read + c.reads * width / float(steps)
        write = write + (c.fills + c.updates) * width / float(steps)
    speed = 1.0
    for bandwidth, words in (
        (memory.read_bandwidth, read),
        (memory.write_bandwidth, write),
        (memory.shared_bandwidth, read + write),
    ):
        demand = float(words.max())
        if bandwidth is not None and bandwidth < demand:
            speed = min(speed, bandwidth / demand)
    return math.ceil(steps / speed)


@frozen(eq=False)
class _Tick:
    """Moments at which tiles are delivered.

    Attributes:
        slider: the innermost loop that moves the tile, where it is the one that steps.
        turns: the indices of loops that do not take all of theirs.
        slide: by how much the tile slides on from the one before; None where nothing is credited.
    """

    slider: PlacedLoop | None
    turns: dict[PlacedLoop, range]
    slide: Vector | None = None


@frozen(eq=False)
class Clipped:
    """A nest of loops over a layer rounded up, clipped at the layer."""

    architecture: Architecture
    layer: Einsum
    mapping: Mapping
    nest: Nest

    @property
    def steps(self) -> int:
        """Compute steps of the first multiplier."""
        return math.prod(
            int((starts_of(self._loops(dim, time=True)) < size).sum())
            for dim, size in self.layer.bounds.items()
        )

    def active(self, level: int) -> int:
        """Return how many instances of a level have anything to do."""
        return math.prod(
            int((starts_of(self._loops(dim, time=False, above=level)) < size).sum())
            for dim, size in self.layer.bounds.items()
        )

    def level(self, level: int) -> list[Counts]:
        """Return what the tensors kept at a level do there."""
        return [self._counts(t, level) for t in self.layer.tensors if self._kept(t, level)]

    def _counts(self, tensor: Tensor, level: int) -> Counts:
        served = self.words(tensor, (self._inner(tensor, level), level))
        nothing: IntArray = np.zeros_like(served)
        above = any(self._kept(tensor, outer) for outer in range(level + 1, self.nest.depth))
        fills = self.words(tensor, (level, level)) if above else nothing
        if tensor is not self.layer.output:
            return Counts(tensor, served, fills, nothing)
        first = self.first_visits(level)
        if above and not self.architecture.rules.first_fill_is_counted:
            fills = fills - first
        return Counts(tensor, served - first, fills, served)

    def share_passing(self, name: str, level: int) -> float:
        """Return the words that cross the network below a level, over those rounded up."""
        tensor = next(t for t in self.layer.tensors if t.name == name)
        padded = Clipped(self.architecture, self.nest.layer, self.mapping, self.nest)
        home = max(i for i in range(self.nest.depth) if self._kept(tensor, i))
        if level > home:
            return 1.0
        there = padded._passing(tensor, level)
        return self._passing(tensor, level) / there if there else 1.0

    def _passing(self, tensor: Tensor, level: int) -> int:
        words = self.words(tensor, (self._inner(tensor, level), level))
        if tensor is self.layer.output and self.architecture.levels[level].is_dram:
            words = 2 * words - self.first_visits(level)
        return int(words.sum())

    def _kept(self, tensor: Tensor, level: int) -> bool:
        return tensor.name in self.mapping.levels[level].keep

    def _inner(self, tensor: Tensor, level: int) -> int:
        """Return the next level inward that keeps a tensor, or MAC."""
        return max((i for i in range(level) if self._kept(tensor, i)), default=MAC)

    def _loops(self, dim: str, *, time: bool, above: int = MAC) -> list[PlacedLoop]:
        return [
            p for p in self.nest.loops if p.dim == dim and p.spatial is not time and p.level > above
        ]

    def first_visits(self, level: int) -> IntArray:
        """Return the elements of the result that each instance of a level ever sees."""
        output = self.layer.output

        def sums(dim: str) -> IntArray:
            inside = self._loops(dim, time=True, above=level) if dim in output.dims else []
            spread = self._loops(dim, time=False, above=level)
            extents = self._extents(dim, level, sums_of(starts_of(spread), starts_of(inside)))
            held = extents if dim in output.dims else extents > 0
            return np.asarray(held.sum(axis=1), dtype=np.int64)

        return self._by_instance({(dim,): sums(dim) for dim in self.layer.dims})

    def words(self, tensor: Tensor, where: Where) -> IntArray:
        """Return the words passed on by each instance of the level that delivers, by instance.

        A group of children at one place counts once. Where both levels are one, these are the
        words that each instance receives.
        """
        child, _ = where
        if child == MAC:
            return self._tick(tensor, where, _Tick(None, {}))
        return reduce(np.add, (self._tick(tensor, where, t) for t in self._ticks(tensor, child)))

    def _ticks(self, tensor: Tensor, child: int) -> Iterator[_Tick]:
        """Yield the moments at which tiles are delivered: the first, then loop by loop."""
        loops = self.nest.outside(child)
        still: Vector = (0,) * len(tensor.axes)
        first: PlacedLoop | None = None
        gone, slide = still, still
        yield _Tick(None, {loop: range(1) for loop in loops})
        for k, loop in enumerate(loops):
            step = move(tensor, loop)
            shift = add(step, gone, -1)
            gone = add(gone, step)
            if shift == still:
                continue
            if first is None:
                first, slide = loop, shift
            turns = {inner: range(1) for inner in loops[:k]} | {loop: range(1, loop.bound)}
            yield _Tick(loop if loop is first else None, turns, slide if shift == slide else None)

    def _tick(self, tensor: Tensor, where: Where, tick: _Tick) -> IntArray:
        """Return the words of one kind of moment, over all its occurrences."""
        counted = {
            (dim,): self._spans(dim, (), where, tick).counts
            for dim in self.layer.dims
            if dim not in tensor.dims
        }
        sides = [self._sides(axis, where, tick, i) for i, axis in enumerate(tensor.axes)]
        dims = [tuple(dim for dim, _ in axis.terms) for axis in tensor.axes]
        new = self._by_instance(counted | {d: s[0] for d, s in zip(dims, sides, strict=True)})
        if tick.slide is None:
            return new
        return new - self._by_instance(
            counted | {d: s[1] for d, s in zip(dims, sides, strict=True)}
        )

    def _sides(
        self, axis: Axis, where: Where, tick: _Tick, number: int
    ) -> tuple[IntArray, IntArray]:
        """Return sums, by instance, of the sides of tiles on an axis, and of what stays of them."""
        spans = [self._spans(dim, axis.terms, where, tick) for dim, _ in axis.terms]
        side = largest_at_place(axis, spans, [s.extent for s in spans])
        shift = 0 if tick.slide is None else tick.slide[number]
        stays = side
        if shift:
            before = side
            if tick.slider is not None:
                before = largest_at_place(axis, spans, [s.before for s in spans])
            stays = np.where(side > 0, np.clip(np.minimum(side, before - shift), 0, None), 0)
        over = tuple(range(len(spans), side.ndim))
        return side.sum(axis=over), stays.sum(axis=over)

    def _spans(
        self, dim: str, shared: tuple[tuple[str, int], ...], where: Where, tick: _Tick
    ) -> Spans:
        """Return a dimension's extents at all occurrences of a tick."""
        child, parent = where
        spread = self._loops(dim, time=False, above=parent)
        between = [p for p in self._loops(dim, time=False, above=child) if p.level <= parent]
        if not shared:
            between = []
        time = self._loops(dim, time=True, above=child)
        turns = [tick.turns.get(p, range(p.bound)) for p in time]
        starts = sums_of(starts_of(spread), starts_of(between), starts_of(time, turns))
        back = tick.slider.step if tick.slider is not None and tick.slider.dim == dim else 0
        return Spans(
            self._extents(dim, child, starts),
            self._extents(dim, child, starts - back),
            [
                tuple(i * p.step for i, p in zip(at, between, strict=True))
                for at in indices(between)
            ],
            [p.level for p in between],
        )

    def _extents(self, dim: str, level: int, starts: IntArray) -> IntArray:
        """Return the clipped extents of tiles that start there; 0 beyond the layer."""
        full = math.prod(p.bound for p in self.nest.loops if p.dim == dim and p.level <= level)
        return np.clip(self.layer.bounds[dim] - starts, 0, full)

    def _by_instance(self, factors: dict[tuple[str, ...], IntArray]) -> IntArray:
        """Return the product of sums over different dimensions, an array axis a dimension."""
        dims = self.layer.dims
        out: IntArray = np.ones((1,) * len(dims), dtype=np.int64)
        for names, values in factors.items():
            order = np.argsort([dims.index(n) for n in names])
            shape = [1] * len(dims)
            for name, length in zip(names, values.shape, strict=True):
                shape[dims.index(name)] = length
            out = out * values.transpose(order).reshape(shape)
        return out
