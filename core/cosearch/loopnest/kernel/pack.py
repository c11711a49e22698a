"""A layer and a machine as named groups of arrays: what the compiled kernel reads.

Dimensions of size 1 are left out: a loop that never turns changes nothing. Everything a kernel
needs is a number, so one compiled kernel serves every layer and every machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from cosearch.loopnest.mapping import UNCONSTRAINED, Constraints
from cosearch.loopnest.orders import ORDER_BITS
from cosearch.loopnest.slots import turning_dims
from cosearch.loopnest.validity import Rule
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.machine.widths import mixed, mode, rooms, stored
from cosearch.quantities import added
from cosearch.typing import BoolArray, FloatArray, IntArray
from cosearch.workload.einsum import Axis, Einsum, Tensor

EXACT = 2**53
"""Whole numbers below this are exact in float64, and so are their sums, products and quotients."""


PLAIN, SLIDING, TANGLED = 0, 1, 2
"""How a tensor's tile moves: every axis has one dimension; some have two, which slide over each
other; anything else (three dimensions on an axis, a dimension on two axes)."""

NEVER, ALWAYS, MAYBE = 0, 1, 2
"""Whether a level keeps a tensor."""

INSTANCES, SPREAD_X, SPREAD_Y, CAPACITY = 0, 1, 2, 3
"""Kinds of checks, in the order in which each place is checked (capacity before all others)."""

MOST_TIME, MOST_SPREAD, LEAST_USED = 4, 5, 6
"""Further kinds, of constraints: limits on a dimension's factors, and how much has to be in use."""


class Pack(NamedTuple):
    """A layer on a machine; D dimensions, T tensors (the output last), L levels.

    Attributes:
        sizes: float64[D].
        relevant: bool[T, D]: whether a dimension moves the tensor.
        relevant_bits: int64[T]: the same as bits.
        shape: int64[T]: PLAIN, SLIDING or TANGLED.
        axis_start: int64[T + 1]: axes of tensor t are axis_start[t] to axis_start[t + 1].
        term_start: int64[axes + 1]: likewise the terms of an axis.
        term_dim, term_coefficient: int64, float64, one per term.
        read_pj, fill_pj, update_pj: float64[L, T], of one access of a block.
        width: float64[L, T], words of a memory that an element of a tensor takes.
        many, few: float64[L, T], whole: `few` elements take `many` blocks.
        clusters: float64[L], physical memories; infinite where each instance is one.
        bandwidth: float64[L, 3]: read, write, shared, words a cycle; infinite where unlimited.
        leak_pj: float64[L], one instance and cycle.
        is_dram: bool[L].
        hop_pj, router_pj: float64[L], of the network below.
        fanout_x, fanout_y: int64[L], physical.
        most_children: int64[L], that any valid mapping uses of one instance.
        check_kind, check_place: int64[checks]: what is checked, and where (-1 is the multipliers).
        check_limit: float64[checks].
        check_detail: int64[checks]: whose factors a constraint limits, or how many multipliers it
            asks for; -1 for all other kinds.
        check_tensors: float64[checks, T]: whose tiles share the room of a capacity check, and what
            an element takes of it; 0 is nothing.
        compute_pj: of one multiply-accumulate.
        compute_cycles: of one.
        first_fill_is_counted, only_innermost_loop_slides, geometric_halo: the rules of counting.
    """

    sizes: FloatArray
    relevant: BoolArray
    relevant_bits: IntArray
    shape: IntArray
    axis_start: IntArray
    term_start: IntArray
    term_dim: IntArray
    term_coefficient: FloatArray
    read_pj: FloatArray
    fill_pj: FloatArray
    update_pj: FloatArray
    width: FloatArray
    many: FloatArray
    few: FloatArray
    clusters: FloatArray
    bandwidth: FloatArray
    leak_pj: FloatArray
    is_dram: BoolArray
    hop_pj: FloatArray
    router_pj: FloatArray
    fanout_x: IntArray
    fanout_y: IntArray
    most_children: IntArray
    check_kind: IntArray
    check_place: IntArray
    check_limit: FloatArray
    check_detail: IntArray
    check_tensors: FloatArray
    compute_pj: float
    compute_cycles: float
    first_fill_is_counted: bool
    only_innermost_loop_slides: bool
    geometric_halo: bool


class Nests(NamedTuple):
    """Mappings of one layer as a struct of arrays; D counts `turning_dims(layer)` only.

    Attributes:
        bounds: int32[3 L, D, n], of the loops; slot `3 * level + kind` with kind 0 for spatial X,
            1 for spatial Y, 2 for temporal. Spatial loops stand in the order of the dimensions.
        order: int64[L, n], one order word a level, see `orders.order_words`.
        keep: bool[L, T, n]; the outermost level keeps every tensor.
    """

    bounds: np.ndarray
    order: IntArray
    keep: BoolArray


def order_word(order: tuple[int, ...]) -> int:
    """Return a loop order, dimensions inner to outer, as one number.

    With up to 8 dimensions, byte d holds the set of dimensions inside dimension d; with more,
    four bits i hold the dimension at position i.
    """
    if len(order) > ORDER_BITS:
        return sum(dim << (4 * position) for position, dim in enumerate(order))
    word = inside = 0
    for dim in order:
        word |= inside << (ORDER_BITS * dim)
        inside |= 1 << dim
    return word - (1 << 64) if word >= 1 << 63 else word


def pack(architecture: Architecture, layer: Einsum, constraints: Constraints | None = None) -> Pack:
    """Return a layer and a machine as arrays, with the checks that constraints ask for."""
    dims, bounds = turning_dims(layer), layer.bounds
    relevant = np.array([[d in t.dims for d in dims] for t in layer.tensors], dtype=bool)
    axes = [[_terms(axis, dims) for axis in tensor.axes] for tensor in layer.tensors]
    axes = [[terms for terms in tensor if terms] for tensor in axes]
    flat = [terms for tensor in axes for terms in tensor]
    checks = list(_all_checks(architecture, layer, constraints or {}))
    levels = architecture.levels
    energies = [[_energy(m, t) for t in layer.tensors] for m in levels]
    elements = [[stored(architecture, m, t) for t in layer.tensors] for m in levels]
    works = mode(architecture, layer)
    unlimited = np.inf
    return Pack(
        sizes=np.array([bounds[d] for d in dims], dtype=np.float64),
        relevant=relevant,
        relevant_bits=relevant @ (1 << np.arange(len(dims), dtype=np.int64)),
        shape=np.array([_shape(tensor) for tensor in axes], dtype=np.int64),
        axis_start=_starts(axes),
        term_start=_starts(flat),
        term_dim=np.array([d for terms in flat for d, _ in terms], dtype=np.int64),
        term_coefficient=np.array([c for terms in flat for _, c in terms], dtype=np.float64),
        read_pj=np.array([[e.read for e in row] for row in energies], dtype=np.float64),
        fill_pj=np.array([[e.fill for e in row] for row in energies], dtype=np.float64),
        update_pj=np.array([[e.update for e in row] for row in energies], dtype=np.float64),
        width=np.array([[e.words for e in row] for row in elements], dtype=np.float64),
        many=np.array([[e.blocks[0] for e in row] for row in elements], dtype=np.float64),
        few=np.array([[e.blocks[1] for e in row] for row in elements], dtype=np.float64),
        clusters=np.array(
            [m.clusters if m.cluster_size > 1 else np.inf for m in levels], dtype=np.float64
        ),
        bandwidth=np.array(
            [
                [
                    unlimited if w is None else w
                    for w in (m.read_bandwidth, m.write_bandwidth, m.shared_bandwidth)
                ]
                for m in levels
            ],
            dtype=np.float64,
        ),
        leak_pj=np.array([m.leak_pj_per_cycle for m in levels], dtype=np.float64),
        is_dram=np.array([m.is_dram for m in levels], dtype=bool),
        hop_pj=np.array([m.network_below.hop_pj for m in levels], dtype=np.float64),
        router_pj=np.array([m.network_below.router_pj for m in levels], dtype=np.float64),
        fanout_x=np.array([architecture.fanout(i)[0] for i in range(len(levels))], dtype=np.int64),
        fanout_y=np.array([architecture.fanout(i)[1] for i in range(len(levels))], dtype=np.int64),
        most_children=np.array(
            [architecture.compute.instances, *(m.instances for m in levels[:-1])], dtype=np.int64
        ),
        check_kind=np.array([c.kind for c in checks], dtype=np.int64),
        check_place=np.array([c.place for c in checks], dtype=np.int64),
        check_limit=np.array([c.limit for c in checks], dtype=np.float64),
        check_detail=np.array([c.detail for c in checks], dtype=np.int64),
        check_tensors=np.array([c.tensors for c in checks], dtype=np.float64).reshape(
            len(checks), len(layer.tensors)
        ),
        compute_pj=float(works.energy_pj),
        compute_cycles=float(works.cycles),
        first_fill_is_counted=architecture.rules.first_fill_is_counted,
        only_innermost_loop_slides=architecture.rules.only_innermost_loop_slides,
        geometric_halo=architecture.rules.geometric_halo,
    )


def reasons(
    architecture: Architecture, layer: Einsum, constraints: Constraints | None = None
) -> tuple[str, ...]:
    """Return what each reason code means: 0 is feasible, the others are the checks in order."""
    checks = _all_checks(architecture, layer, constraints or {})
    return ("feasible", *(check.text for check in checks))


class _Check(NamedTuple):
    kind: int
    place: int
    limit: float
    tensors: tuple[int, ...]
    text: str
    detail: int = -1


def _all_checks(
    architecture: Architecture, layer: Einsum, constraints: Constraints
) -> Iterator[_Check]:
    """Yield the checks of the machine, then those that constraints add."""
    yield from _checks(architecture, layer)
    nobody, dims, bounds = (0,) * len(layer.tensors), turning_dims(layer), layer.bounds
    for place, memory in enumerate(architecture.levels):
        rule = constraints.get(memory.name, UNCONSTRAINED)
        for kind, most, what in (
            (MOST_TIME, rule.temporal_most, "temporal"),
            (MOST_SPREAD, rule.spatial_most, "spatial"),
        ):
            for dim, limit in most.items():
                if limit < bounds.get(dim, 1):
                    text = f"{memory.name}: the {what} factor of {dim} is constrained to {limit}"
                    yield _Check(kind, place, float(limit), nobody, text, dims.index(dim))
        if rule.least_multipliers > 1:
            text = f"fewer than the constrained {rule.least_multipliers} multipliers are in use"
            yield _Check(LEAST_USED, place, 1.0, nobody, text, rule.least_multipliers)


def _checks(architecture: Architecture, layer: Einsum) -> Iterator[_Check]:
    """Yield every check in the order of the reference: multipliers first, then the levels."""
    nobody = (0,) * len(layer.tensors)
    places: list[Compute | Memory] = [architecture.compute, *architecture.levels]
    for place, there in enumerate(places, start=-1):
        if isinstance(there, Memory):
            yield from _capacity_checks(architecture, there, place, layer)
        if place == len(architecture.levels) - 1:
            return
        for kind, rule, limit in (
            (INSTANCES, Rule.INSTANCES, there.instances),
            (SPREAD_X, Rule.SPATIAL_X, there.mesh_x),
            (SPREAD_Y, Rule.SPATIAL_Y, there.mesh_y),
        ):
            yield _Check(kind, place, float(limit), nobody, f"{there.name}: {rule.value}")


def _capacity_checks(
    architecture: Architecture, memory: Memory, place: int, layer: Einsum
) -> Iterator[_Check]:
    text = f"{memory.name}: {Rule.CAPACITY.value}"
    for part in rooms(architecture, memory, layer):
        name = text if part.role is None else f"{text} ({part.role})"
        yield _Check(CAPACITY, place, float(part.limit), part.takes, name)


def _energy(memory: Memory, tensor: Tensor) -> AccessEnergy:
    partition = memory.partitions.get(tensor.role)
    return memory.energy if partition is None else partition.energy


def _terms(axis: Axis, dims: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return (dimension, coefficient) of the turning dimensions of an axis, each one once."""
    total: dict[int, int] = {}
    for dim, coefficient in axis.terms:
        if dim in dims:
            index = dims.index(dim)
            total[index] = total.get(index, 0) + coefficient
    return list(total.items())


def _shape(axes: list[list[tuple[int, int]]]) -> int:
    dims = [dim for terms in axes for dim, _ in terms]
    if len(set(dims)) < len(dims) or any(len(terms) > 2 for terms in axes):
        return TANGLED
    return SLIDING if any(len(terms) == 2 for terms in axes) else PLAIN


def _starts(groups: list[list[list[tuple[int, int]]]] | list[list[tuple[int, int]]]) -> IntArray:
    return np.cumsum([0, *(len(group) for group in groups)], dtype=np.int64)


def inexact(architecture: Architecture, layer: Einsum) -> str | None:
    """Return why the kernel cannot price a layer exactly, or None where it can.

    The bound is taken in exact arithmetic, before anything could overflow. A tile's side
    `1 + sum(c * (x - 1))` is at most `sum(c) * product(x)`, so no count exceeds the
    multiply-accumulates times the coefficients of all axes (times a dimension once more for each
    further axis it stands on); words times hops add the size of the mesh.
    """
    if architecture.rules.link_transfers:
        return "link transfers are priced by the reference model alone"
    places: list[Compute | Memory] = [architecture.compute, *architecture.levels]
    hops = max(2 * (1 + place.mesh_x) * (1 + place.mesh_y) for place in places)
    if not any(m.network_below.hop_pj or m.network_below.router_pj for m in architecture.levels):
        hops = 1
    stretch = max(_stretch(layer, tensor) for tensor in layer.tensors)
    largest = 2 * hops * layer.macs * stretch * _widest(architecture, layer)
    shares = [c for axis in layer.output.axes for _, c in axis.terms]
    if len(shares) > len(layer.output.axes) or max(shares, default=1) > 1:
        largest = max(largest, layer.words(layer.output) ** 2)
    if largest >= EXACT:
        return f"its counts may reach {largest:.2g}, and float64 is exact up to 2**53 = 9e15 only"
    return None


def _widest(architecture: Architecture, layer: Einsum) -> int:
    """Return the largest whole number that a count of elements is multiplied by."""
    if not mixed(architecture, layer):
        return 1
    works = mode(architecture, layer).cycles
    elements = [stored(architecture, m, t) for m in architecture.levels for t in layer.tensors]
    return max(works, *(each.bits for each in elements))


def _stretch(layer: Einsum, tensor: Tensor) -> int:
    stretch = math.prod(added(c for _, c in axis.terms) for axis in tensor.axes)
    seen: set[str] = set()
    for axis in tensor.axes:
        for dim in {dim for dim, _ in axis.terms}:
            stretch *= layer.bounds[dim] if dim in seen else 1
            seen.add(dim)
    return stretch
