"""A layer, a machine and one choice of what each level keeps, as the arrays a search reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from attrs import field, frozen

from cosearch.compiling.bundle import Bools, Bools2, Bundle, Floats, Floats2, Floats3, Ints, Ints2
from cosearch.errors import CosearchError, Infeasible
from cosearch.lately import Lately
from cosearch.loopnest.mapping import UNCONSTRAINED, Constraints, LevelConstraint
from cosearch.loopnest.slots import refuse_unknown
from cosearch.machine.architecture import Architecture, Compute, CostRules, Memory
from cosearch.machine.widths import mode, rooms, stored
from cosearch.typing import BoolArray, FloatArray, IntArray
from cosearch.workload.einsum import Einsum
from cosearch_plugins.mappers.exact.lattice import Lattice
from cosearch_plugins.mappers.exact.orders import Mover, Order, order_classes

Look: TypeAlias = Callable[[], None]
"""Called between pieces of work; it raises where there is no time for the next."""

OUTSIDE = 1e-12
"""Relative margin of the proof; bounds are compared with the best times one minus this."""


class Problem(Bundle):
    """Everything but what is kept where; n tiles, D dimensions, T tensors, L levels.

    Attributes:
        extent: int64[n, D].
        packed, guard, strides, lengths: see Lattice.
        volume: float64[n].
        words: float64[T, n], footprint of each tensor in each tile.
        least: float64[T], every word of a tensor moves at least once; along an axis that two
            dimensions share, where windows may be credited or leave gaps, one word is counted.
        free: float64[T, n], product over the dimensions that do not move the tensor.
        shared: float64[T, n], the most children that can share a word when tiles are spread by
            each tile as spatial factors: along what slides, every step is to a new place at least
            when one dimension is gone along after the other.
        axis: int64[T, D], the axis, or the axes that share dimensions, which a dimension moves a
            tensor along; -1 for none.
        step: float64[T, D], its coefficient, where that is one axis.
        slides: bool[T, D], whether it is shared by another dimension.
        sliding: bool[T], whether any of its axes is.
        odd: bool[T], whether three dimensions, or two axes, slide together somewhere.
        general: bool[T], whether deliveries are counted axis by axis, see `general_fold`.
        project: float64[T, A, D], coefficients of each axis.
        left: float64[T, n]: the least share of a full delivery that loops outside a tile leave of
            a tensor whose windows have no tables: one word of each that slides. 1 for others.
        halo, first_only: the cost rules geometric_halo and only_innermost_loop_slides.
        plain_output: every axis of the output has one dimension.
        read, fill, update: float64[L, T], pJ of one access of a block.
        word_read, word_fill, word_update: float64[L, T], the same for an element of a full block.
        many, few: float64[L, T], so many blocks hold so few elements, both whole.
        width: float64[L, T], words of a memory that an element takes.
        bandwidth: float64[L, 3]. leak: float64[L].
        pace: float64[L, 3], cycles a word. limited: bool[L], whether any bandwidth is.
        hop, router: float64[L]. dram: bool[L]. fan: int64[L, 2], physical fanout.
        mesh: int64[L + 1, 2], of the multipliers and the levels.
        compute: pJ of one multiply-accumulate. busy: cycles of one.
        first_fill: the first visit to a partial sum counts as a fill.
        demand: float64[L, 2], words read and written besides the layer's own, of tensors that a
            fused group holds.
        bodies: how often the layer runs; blocks are rounded up once on the words of all.
        visits: how many of the bodies add to one result: only the first finds nothing there.
        temporal_ok: bool[L, n], which temporal factors constraints allow.
        spread_start: int64[L + 1]; spread_id: int64[m]: spatial factors each level may take,
            spread_x, spread_y: int64[m]: how they use X and Y (ids of the factors, a split each).
        spread_packed: int64[m], see Lattice.
        spread_used: int64[m, 2], instances used along X and Y.
        order_start: int64[L, masks + 1]: the loop orders of each set of turning dimensions.
        orders: int64[k, D], inner to outer, -1 after the last.
        order_free: int64[k, T]: 1 where some, and then at most all, of the dimensions that do not
            move a tensor turn inside those that do.
        order_way: int64[k, T]: 4 * slider + way of the run along a sliding axis, -1 for none.
        sliders: int64[sliders, 3]: tensor and the two dimensions that share an axis.
        saved: int64[classes], sets of tensors that one innermost loop may leave in place.
        pivot: the level whose fanout the search starts from.
    """

    extent: Ints2
    packed: Ints
    guard: int
    strides: Ints
    lengths: Ints
    volume: Floats
    words: Floats2
    least: Floats
    free: Floats2
    shared: Floats2
    axis: Ints2
    step: Floats2
    slides: Bools2
    sliding: Bools
    odd: Bools
    general: Bools
    project: Floats3
    left: Floats2
    halo: bool
    first_only: bool
    plain_output: bool
    read: Floats2
    fill: Floats2
    update: Floats2
    word_read: Floats2
    word_fill: Floats2
    word_update: Floats2
    many: Floats2
    few: Floats2
    width: Floats2
    pace: Floats2
    limited: Bools
    bandwidth: Floats2
    leak: Floats
    hop: Floats
    router: Floats
    dram: Bools
    fan: Ints2
    mesh: Ints2
    compute: float
    busy: float
    first_fill: bool
    demand: Floats2
    bodies: float
    visits: float
    temporal_ok: Bools2
    spread_start: Ints
    spread_id: Ints
    spread_x: Ints
    spread_y: Ints
    spread_packed: Ints
    spread_used: Ints2
    order_start: Ints2
    orders: Ints2
    order_free: Ints2
    order_way: Ints2
    sliders: Ints2
    saved: Ints
    pivot: int


@frozen(eq=False)
class OrderTables:
    """Order classes by what they depend on, so that layers of one kind share them."""

    _known: dict[tuple[object, ...], list[Order]] = field(factory=dict)
    _fields: dict[tuple[object, ...], dict[str, Any]] = field(factory=dict)

    def ordering(self, layer: LayerTables, rules: list[LevelConstraint]) -> dict[str, Any]:
        """Return the fields of a problem that list loop orders."""
        dims = layer.lattice.dims
        prescribed = tuple(
            None if rule.order is None else tuple(dims.index(d) for d in rule.order if d in dims)
            for rule in rules
        )
        key = (layer.movers, layer.sliders, prescribed)
        if key not in self._fields:
            self._fields[key] = _ordering(layer.movers, prescribed, self, layer.sliders)
        return self._fields[key]

    def classes(
        self, movers: tuple[Mover, ...], real: tuple[int, ...], fixed: tuple[int, ...] | None
    ) -> list[Order]:
        """Return the classes of the orders of these loops."""
        key = (movers, real, fixed)
        if key not in self._known:
            self._known[key] = order_classes(movers, real, fixed)
        return self._known[key]


def refuse_unsupported(architecture: Architecture, constraints: Constraints) -> None:
    """Raise CosearchError where the proofs of the exact mapper do not hold."""
    shared = [m.name for m in architecture.levels if m.cluster_size > 1]
    if shared:
        raise CosearchError(
            f"the exact mapper has no proof where instances share an access: cluster_size of "
            f"{', '.join(shared)}",
            "name another mapper: -m annealing, -m random",
        )
    spreading = [i for i in range(len(architecture.levels)) if max(architecture.fanout(i)) > 1]
    if _least_used(list(constraints.values())) > 1 and len(spreading) > 1:
        raise CosearchError(
            "the exact mapper takes a least number of multipliers in use where one level spreads, "
            f"and {len(spreading)} levels do",
            "name another mapper: -m annealing, -m random",
        )
    if architecture.rules.link_transfers:
        raise CosearchError(
            "the exact mapper has no proof under the cost rule 'link_transfers'",
            "leave it out: only the reference model prices what neighbours hand on",
        )


def lay_out(
    architecture: Architecture,
    layer: Einsum,
    constraints: Constraints,
    tables: OrderTables,
    look: Look = lambda: None,
) -> tuple[Lattice, Problem]:
    """Return the lattice of a layer and its problem on a machine.

    `look` is called between pieces of work; it raises where there is no time for the next.

    Raises:
        CosearchError: the layer or the machine's rules are beyond the exact mapper.
        Infeasible: constraints leave no factorization.
    """
    refuse_unsupported(architecture, constraints)
    refuse_unknown(architecture, layer, constraints)
    known = _layer_tables(layer, architecture.rules, look)
    rules = [constraints.get(m.name, UNCONSTRAINED) for m in architecture.levels]
    return known.lattice, Problem(
        **known.fields,
        **_prices(architecture, layer),
        **_spreading(architecture, known.lattice, rules, look),
        **tables.ordering(known, rules),
        demand=np.zeros((len(rules), 2)),
        bodies=1.0,
        visits=1.0,
        temporal_ok=np.array(
            [_allowed(known.lattice, rule.temporal, rule.temporal_most) for rule in rules]
        ),
    )


@frozen(eq=False)
class LayerTables:
    """What a problem has of its layer alone, the same on every machine.

    Attributes:
        lattice: its tiles.
        movers: how dimensions move each tensor.
        sliders: see `Problem`.
        fields: of the problem.
    """

    lattice: Lattice
    movers: tuple[Mover, ...]
    sliders: tuple[tuple[int, int, int], ...]
    fields: dict[str, Any]

    @classmethod
    def of(cls, layer: Einsum, rules: CostRules, look: Look) -> LayerTables:
        """Make them."""
        lattice = Lattice.of(layer, look)
        movers = tuple(Mover.of(t, lattice.dims, rules) for t in layer.tensors)
        loose = [m.odd or (rules.geometric_halo and any(m.slides)) for m in movers]
        sliders = _sliders(movers, loose)
        fields = _tiles(lattice) | _tensors(layer, lattice, movers, loose, look)
        fields["sliders"] = np.array(sliders, dtype=np.int64).reshape(-1, 3)
        return cls(lattice, movers, tuple(sliders), fields)


_LAYERS: Lately[tuple[str, CostRules], LayerTables] = Lately(64)
"""Of the last layers: the designs of a study have them in common."""

SHARED_TILES = 100_000
"""Layers of more tiles, some hundred bytes each, are not among them."""


def _layer_tables(layer: Einsum, rules: CostRules, look: Look) -> LayerTables:
    key = (layer.key, rules)
    known = _LAYERS.find(key)
    if known is None:
        known = LayerTables.of(layer, rules, look)
        if len(known.lattice) <= SHARED_TILES:
            _LAYERS.keep(key, known)
    return known


def _sliders(movers: tuple[Mover, ...], loose: list[bool]) -> list[tuple[int, int, int]]:
    """Return each tensor's pairs of dimensions that share an axis, where windows have tables."""
    return [
        (t, d, e)
        for t, mover in enumerate(movers)
        for e in range(len(mover.axis))
        for d in range(e)
        if mover.axis[d] >= 0 and mover.axis[d] == mover.axis[e] and not loose[t]
    ]


def _tiles(lattice: Lattice) -> dict[str, Any]:
    """Return the fields of a problem that number its tiles."""
    return {
        "extent": lattice.extent,
        "packed": lattice.packed,
        "guard": lattice.guard,
        "strides": lattice.strides,
        "lengths": lattice.lengths,
        "volume": lattice.volume,
    }


def _tensors(
    layer: Einsum, lattice: Lattice, movers: tuple[Mover, ...], loose: list[bool], look: Look
) -> dict[str, Any]:
    """Return the fields of a problem that say how tiles move tensors."""
    rules = movers[0].rules
    dims = lattice.dims
    apart = [rules.only_innermost_loop_slides and any(m.slides) for m in movers]
    steps = [{d: c for axis in t.axes for d, c in axis.terms} for t in layer.tensors]

    def by_tensor(table: Callable[[int], FloatArray]) -> FloatArray:
        """Return float64[T, n], looking at the clock before each tensor."""
        out = np.empty((len(movers), len(lattice)))
        for t in range(len(movers)):
            look()
            out[t] = table(t)
        return out

    return {
        "words": by_tensor(lambda t: lattice.footprint(layer.tensors[t])),
        "least": np.array([_least_words(lattice, m) for m in movers]),
        "free": by_tensor(lambda t: lattice.irrelevant(layer.tensors[t])),
        "shared": by_tensor(lambda t: lattice.volume / _fewest_places(lattice, movers[t])),
        "axis": np.array([m.axis for m in movers], dtype=np.int64),
        "step": np.array([[float(s.get(d, 0)) for d in dims] for s in steps]),
        "slides": np.array([m.slides for m in movers], dtype=bool),
        "sliding": np.array([any(m.slides) for m in movers], dtype=bool),
        "odd": np.array([m.odd for m in movers], dtype=bool),
        "general": np.array([a or b for a, b in zip(loose, apart, strict=True)], dtype=bool),
        "project": _projections(layer, dims),
        "left": by_tensor(lambda t: _left(lattice, movers[t], loose[t])),
        "halo": rules.geometric_halo,
        "first_only": rules.only_innermost_loop_slides,
        "plain_output": not any(movers[-1].slides),
        "saved": _saved(movers, len(dims)),
    }


def _prices(architecture: Architecture, layer: Einsum) -> dict[str, Any]:
    """Return the fields of a problem that say what a machine's work costs."""
    levels = architecture.levels
    places: list[Compute | Memory] = [architecture.compute, *levels]
    energies = [
        [
            (m.partitions[t.role].energy if t.role in m.partitions else m.energy)
            for t in layer.tensors
        ]
        for m in levels
    ]
    read, fill, update = (
        np.array([[getattr(e, kind) for e in row] for row in energies], dtype=np.float64)
        for kind in ("read", "fill", "update")
    )
    elements = [[stored(architecture, m, t) for t in layer.tensors] for m in levels]
    many, few = (
        np.array([[e.blocks[i] for e in row] for row in elements], dtype=np.float64) for i in (0, 1)
    )
    works = mode(architecture, layer)
    bandwidth = np.array(
        [
            [
                np.inf if w is None else w
                for w in (m.read_bandwidth, m.write_bandwidth, m.shared_bandwidth)
            ]
            for m in levels
        ],
        dtype=np.float64,
    )

    return {
        "read": read,
        "fill": fill,
        "update": update,
        "word_read": read * many / few,
        "word_fill": fill * many / few,
        "word_update": update * many / few,
        "many": many,
        "few": few,
        "width": np.array([[e.words for e in row] for row in elements], dtype=np.float64),
        "pace": 1.0 / bandwidth,
        "limited": np.asarray((bandwidth < np.inf).any(axis=1)),
        "bandwidth": bandwidth,
        "leak": np.array([m.leak_pj_per_cycle for m in levels], dtype=np.float64),
        "hop": np.array([m.network_below.hop_pj for m in levels], dtype=np.float64),
        "router": np.array([m.network_below.router_pj for m in levels], dtype=np.float64),
        "dram": np.array([m.is_dram for m in levels], dtype=bool),
        "fan": np.array([architecture.fanout(i) for i in range(len(levels))], dtype=np.int64),
        "mesh": np.array([(m.mesh_x, m.mesh_y) for m in places], dtype=np.int64),
        "compute": float(works.energy_pj),
        "busy": float(works.cycles),
        "first_fill": architecture.rules.first_fill_is_counted,
    }


def _spreading(
    architecture: Architecture, lattice: Lattice, rules: list[LevelConstraint], look: Look
) -> dict[str, Any]:
    """Return the fields of a problem that list spatial factors."""
    spreads = []
    for i, rule in enumerate(rules):
        look()
        spreads.append(_spreads(architecture, lattice, rule, i, _least_used(rules), look))
    return {
        "spread_start": np.cumsum([0, *(len(s) for s in spreads)], dtype=np.int64),
        "spread_id": np.concatenate([s[:, 0] for s in spreads]),
        "spread_x": np.concatenate([s[:, 1] for s in spreads]),
        "spread_y": np.concatenate([s[:, 2] for s in spreads]),
        "spread_packed": lattice.packed[np.concatenate([s[:, 0] for s in spreads])],
        "spread_used": np.ascontiguousarray(np.concatenate([s[:, 3:] for s in spreads])),
        "pivot": next((i for i, s in enumerate(spreads) if len(s) > 1), 0),
    }


def _ordering(
    movers: tuple[Mover, ...],
    prescribed: tuple[Order | None, ...],
    tables: OrderTables,
    sliders: tuple[tuple[int, int, int], ...],
) -> dict[str, Any]:
    """Return the fields of a problem that list loop orders."""
    order_start, orders = _orders(movers, prescribed, tables)
    listed = [tuple(int(d) for d in order if d >= 0) for order in orders]
    return {
        "order_start": order_start,
        "orders": orders,
        "order_free": np.array([[m.signature(o)[0] > 0 for m in movers] for o in listed], np.int64),
        "order_way": np.array(
            [[_way(sliders, t, m.signature(o)[1]) for t, m in enumerate(movers)] for o in listed],
            dtype=np.int64,
        ),
    }


def _projections(layer: Einsum, dims: tuple[str, ...]) -> FloatArray:
    """Return float64[T, A, D]: the coefficient of each dimension on each axis of each tensor."""
    table = np.zeros((len(layer.tensors), max(len(t.axes) for t in layer.tensors), len(dims)))
    for t, tensor in enumerate(layer.tensors):
        for a, axis in enumerate(tensor.axes):
            for dim, coefficient in axis.terms:
                if dim in dims:
                    table[t, a, dims.index(dim)] += coefficient
    return table


def _left(lattice: Lattice, mover: Mover, loose: bool) -> FloatArray:
    """Return float64[n], see `Problem.left`."""
    if not loose:
        return np.ones(len(lattice))
    halo = mover.rules.geometric_halo
    idle = [d for d, slides in enumerate(mover.slides) if slides or (halo and mover.axis[d] < 0)]
    product = lattice.product(idle)
    return product / product[-1]


def _fewest_places(lattice: Lattice, mover: Mover) -> FloatArray:
    """Return float64[n]: the fewest tiles of a tensor that children of spatial factors hold."""
    places = np.ones(len(lattice))
    for place in sorted(set(mover.axis) - {-1}):
        along = [d for d, a in enumerate(mover.axis) if a == place]
        steps = np.ones(len(lattice))
        for d in along:
            steps += lattice.extent[:, d] - 1
        places *= steps
    return places


def _least_words(lattice: Lattice, mover: Mover) -> float:
    alone = [d for d, slides in enumerate(mover.slides) if mover.axis[d] >= 0 and not slides]
    return float(lattice.extent[-1, alone].prod())


def fits(architecture: Architecture, layer: Einsum, problem: Problem, keep: BoolArray) -> BoolArray:
    """Return bool[L, n]: which tiles each level has room for, when it keeps bool[L, T]."""
    out = np.ones((len(architecture.levels), len(problem.packed)), dtype=bool)
    for level, memory in enumerate(architecture.levels):
        for room in rooms(architecture, memory, layer):
            used = np.zeros(len(problem.packed))
            for t, takes in enumerate(room.takes):
                if takes and keep[level, t]:
                    used += takes * problem.words[t]
            out[level] &= used <= room.limit
    return out


def _allowed(lattice: Lattice, factors: Mapping[str, int], most: Mapping[str, int]) -> BoolArray:
    """Return bool[n]: which factors are the prescribed ones, and none above its limit."""
    ok = np.ones(len(lattice), dtype=bool)
    for dim, factor in factors.items():
        if dim in lattice.dims:
            ok &= lattice.extent[:, lattice.dims.index(dim)] == factor
    for dim, limit in most.items():
        if dim in lattice.dims:
            ok &= lattice.extent[:, lattice.dims.index(dim)] <= limit
    return ok


def _least_used(rules: list[LevelConstraint]) -> int:
    """Return how many multipliers have to be in use."""
    return max((rule.least_multipliers for rule in rules), default=0)


PAIRS = 1 << 21
"""Parts in X and in Y tried at once: some hundred megabytes."""

ALONE = np.array([[0, 0, 0, 1, 1]], dtype=np.int64)
"""The spatial factors of a level that does not spread."""


def _spreads(
    architecture: Architecture,
    lattice: Lattice,
    rule: LevelConstraint,
    level: int,
    least: int,
    look: Look,
) -> IntArray:
    """Return int64[m, 5]: spatial factors, their part in X and in Y, and how many each uses.

    `least` multipliers have to be in use; a level that does not spread leaves that to others.
    """
    table = ALONE
    if max(architecture.fanout(level)) > 1:
        table = _shared_out(architecture, lattice, rule, level, least, look)
    elif rule.spatial or rule.spatial_most:
        table = ALONE[_allowed(lattice, rule.spatial, rule.spatial_most)[:1]]
    if len(table) == 0:
        raise Infeasible(
            f"the spatial factors prescribed at {architecture.levels[level].name} fit neither "
            "the layer nor the array"
        )
    return table


def _shared_out(
    architecture: Architecture,
    lattice: Lattice,
    rule: LevelConstraint,
    level: int,
    least: int,
    look: Look,
) -> IntArray:
    """Return the same of a level that spreads."""
    inside: list[Compute | Memory] = [architecture.compute, *architecture.levels[:level]]
    instances = min(m.instances for m in inside)
    across, down = _parts(architecture, lattice, rule, level, inside)
    indifferent = _indifferent(architecture, level)
    pieces = []
    for some in np.array_split(across, 1 + len(across) * len(down) // PAIRS):
        look()
        piece = _pairs(lattice, some, down, instances)
        piece = piece[piece[:, 3] * piece[:, 4] >= least]
        if rule.spatial or rule.spatial_most:
            piece = piece[_allowed(lattice, rule.spatial, rule.spatial_most)[piece[:, 0]]]
        pieces.append(_first_of(piece, (0, 3)) if indifferent else piece)
    table = np.concatenate(pieces)
    if indifferent and len(pieces) > 1:
        table = _first_of(table, (0, 3))
    if (
        indifferent
        and sum(max(architecture.fanout(i)) > 1 for i in range(len(architecture.levels))) == 1
    ):
        table = _first_of(table, (0,))  # the one that takes the least of X
    return table


def _parts(
    architecture: Architecture,
    lattice: Lattice,
    rule: LevelConstraint,
    level: int,
    inside: list[Compute | Memory],
) -> list[IntArray]:
    """Return the tiles that may be the part of a level's spatial factors in X, and in Y."""
    limits = [min(m.mesh_x for m in inside), min(m.mesh_y for m in inside)]
    parts = []
    for fan, limit, allowed in zip(
        architecture.fanout(level), limits, (rule.x_dims, rule.y_dims), strict=True
    ):
        ok = lattice.volume <= (limit if fan > 1 else 1)
        if allowed is not None:
            barred = [i for i, d in enumerate(lattice.dims) if d not in allowed]
            ok &= lattice.product(barred) == 1
        parts.append(np.flatnonzero(ok))
    return parts


def _pairs(lattice: Lattice, across: IntArray, down: IntArray, instances: int) -> IntArray:
    """Return int64[m, 5], see `_spreads`, of parts in X and Y that divide the layer together."""
    x, y = (a.ravel() for a in np.meshgrid(across, down, indexing="ij"))
    last = len(lattice) - 1
    divides = ((lattice.packed[last - x] | lattice.guard) - lattice.packed[y]) & lattice.guard
    together = divides == lattice.guard
    x, y = x[together], y[together]
    wide, high = (np.minimum(lattice.volume[i], instances + 1).astype(np.int64) for i in (x, y))
    table = np.stack([x + y, x, y, wide, high], axis=1)
    return np.asarray(table[wide * high <= instances], dtype=np.int64)


def _first_of(table: IntArray, columns: tuple[int, ...]) -> IntArray:
    """Return the first row of each that are alike in some columns, in the order of those."""
    keys = table[:, columns]
    order = np.lexsort(keys.T[::-1])
    keys = keys[order]
    first = np.ones(len(table), dtype=bool)
    first[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    return np.asarray(table[order[first]], dtype=np.int64)


def _indifferent(architecture: Architecture, level: int) -> bool:
    """Return whether it costs nothing how children are arranged in X and Y."""
    link = architecture.levels[level].network_below
    return link.hop_pj == 0 and link.router_pj == 0


def _orders(
    movers: tuple[Mover, ...], prescribed: tuple[Order | None, ...], tables: OrderTables
) -> tuple[IntArray, IntArray]:
    dims = len(movers[0].axis)
    sets = 1 << dims
    rows: list[Order] = []
    starts = np.zeros((len(prescribed), sets + 1), dtype=np.int64)
    done: dict[tuple[int, ...] | None, int] = {}
    for level, fixed in enumerate(prescribed):
        if fixed in done:
            starts[level] = starts[done[fixed]]
            continue
        done[fixed] = level
        for mask in range(sets):
            starts[level, mask] = len(rows)
            real = tuple(d for d in range(dims) if mask >> d & 1)
            rows += tables.classes(movers, real, fixed)
        starts[level, sets] = len(rows)
    table = np.full((len(rows), dims), -1, dtype=np.int64)
    for i, order in enumerate(rows):
        table[i, : len(order)] = order
    return starts, table


def _way(sliders: tuple[tuple[int, int, int], ...], t: int, run: Order) -> int:
    """Return the number of a run: of its slider, and which of its loops stand in which order.

    A run with anything else inside counts as the best way, which bounds it from below.
    """
    for number, (tensor, d, e) in enumerate(sliders):
        if tensor == t and run and run[0] in (d, e):
            both = d in run and e in run
            return 4 * number + (2 if both else 0) + (0 if run[0] == d else 1)
    return -1


def _saved(movers: tuple[Mover, ...], dims: int) -> IntArray:
    """Return the largest sets of tensors that some innermost loop leaves in place, as bits."""
    sets = {sum(1 << t for t, mover in enumerate(movers) if mover.axis[d] < 0) for d in range(dims)}
    largest = [s for s in sets if not any(s != o and s & o == s for o in sets)]
    return np.array(sorted(largest), dtype=np.int64)
