from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.model.partial_tiles import Clipped, partial_cost, rounded_up
from cosearch.loopnest.model.reference import analyse, cost
from cosearch.loopnest.nest import MAC, Nest, add, move
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    CostRules,
    Link,
    Memory,
)
from cosearch.workload.einsum import ROLES, Axis, Einsum, Tensor, conv, gemm

# -- a simulation: every step of every loop, every tile a set of words


class Simulation:
    """A clipped nest, walked step by step; knows nothing of sums and closed forms."""

    def __init__(self, layer, mapping, nest):
        self.layer, self.mapping, self.nest = layer, mapping, nest

    def start(self, at):
        """Return where each dimension starts, at these indices of loops."""
        out = dict.fromkeys(self.layer.dims, 0)
        for loop, index in at.items():
            out[loop.dim] += index * loop.step
        return out

    def tile(self, tensor, level, at):
        """Return the words, as a set, of the box that a clipped tile touches."""
        start = self.start(at)
        extent = dict.fromkeys(self.layer.dims, 1)
        for p in self.nest.loops:
            if p.level <= level:
                extent[p.dim] *= p.bound
        clipped = {d: min(extent[d], self.layer.bounds[d] - start[d]) for d in extent}
        if min(clipped.values()) <= 0:
            return frozenset()
        ranges = []
        for axis in tensor.axes:
            first = sum(c * start[d] for d, c in axis.terms)
            ranges.append(range(first, first + axis.extent(clipped)))
        return frozenset(itertools.product(*ranges))

    def walks(self, loops):
        """Yield all indices of loops, the last one turning slowest."""
        for at in itertools.product(*(range(p.bound) for p in reversed(loops))):
            yield dict(zip(reversed(loops), at, strict=True))

    def spatial(self, test):
        return [p for p in self.nest.loops if p.spatial and test(p.level)]

    def received(self, tensor, child, groups, fixed):
        """Return the words sent to groups of children, which share a place, over all time."""
        time = self.nest.outside(child)
        movers = [p for p in time if any(move(tensor, p))]
        total = 0
        for members in groups:
            last, previous = None, frozenset()
            for at in self.walks(time):
                tiles = [self.tile(tensor, child, {**fixed, **m, **at}) for m in members]
                tile = frozenset().union(*tiles)
                if not tile:
                    continue
                if child == MAC:
                    total += len(tile)
                    continue
                if last is None:
                    total += len(tile)
                else:
                    total += len(self.sent(tensor, time, movers, last, at, previous, tile))
                last, previous = at, tile
        return total

    def sent(self, tensor, time, movers, last, at, previous, tile):
        """Return what of a tile is sent: by the rules, the tile before is one step back."""
        k = max(i for i, p in enumerate(time) if last[p] != at[p])
        shift = move(tensor, time[k])
        for inner in time[:k]:
            shift = add(shift, move(tensor, inner), -1)
        if not any(shift):
            return frozenset()
        if time[k] is movers[0]:
            return tile - previous
        if shift == move(tensor, movers[0]):
            return tile - {add(word, shift, -1) for word in tile}
        return tile

    def words(self, tensor, child, parent):
        """Return the words each instance of a level passes on, by the indices of its loops."""
        above = self.spatial(lambda level: level > parent)
        between = self.spatial(lambda level: child < level <= parent)
        out = {}
        for fixed in self.walks(above):
            groups = {}
            for member in self.walks(between):
                place = []
                for level in range(child + 1, parent + 1):
                    here = {p: i for p, i in member.items() if p.level == level}
                    start = self.start(here)
                    place += [sum(c * start[d] for d, c in axis.terms) for axis in tensor.axes]
                groups.setdefault(tuple(place), []).append(member)
            key = tuple(self.start(fixed)[d] for d in self.layer.dims)
            out[key] = out.get(key, 0) + self.received(tensor, child, groups.values(), fixed)
        return out

    def elements(self, level):
        """Return how many elements of the result each instance of a level ever sees."""
        out = {}
        for fixed in self.walks(self.spatial(lambda at: at > level)):
            seen = set()
            for at in self.walks(self.nest.outside(level)):
                seen |= self.tile(self.layer.output, level, {**fixed, **at})
            out[tuple(self.start(fixed)[d] for d in self.layer.dims)] = len(seen)
        return out

    def steps(self):
        """Return the steps in which any multiplier works, and the multiplications."""
        spread = [p for p in self.nest.loops if p.spatial]
        steps = done = 0
        for at in self.walks(self.nest.outside(MAC)):
            busy = 0
            for where in self.walks(spread):
                start = self.start({**at, **where})
                busy += all(start[d] < n for d, n in self.layer.bounds.items())
            steps, done = steps + bool(busy), done + busy
        return steps, done


# -- random cases

SIZES = st.sampled_from([1, 2, 3, 4, 6, 8])


@st.composite
def layers(draw):
    if draw(st.booleans()):
        return gemm(M=draw(SIZES), N=draw(SIZES), K=draw(SIZES))
    steps = st.sampled_from([1, 1, 1, 2, 3])
    return conv(
        K=draw(st.sampled_from([1, 2, 4])),
        C=draw(st.sampled_from([1, 2, 3])),
        P=draw(SIZES),
        Q=draw(st.sampled_from([1, 2, 3])),
        R=draw(st.sampled_from([1, 2, 3, 4])),
        S=draw(st.sampled_from([1, 2])),
        stride=(draw(steps), 1),
        dilation=(draw(steps), 1),
    )


@st.composite
def machines(draw, *, whole_blocks=False):
    energies = st.builds(AccessEnergy, *(st.sampled_from([0.0, 1.0, 2.5, 7.0]),) * 3)
    widths = st.sampled_from([None, None, 0.25, 1.0, 3.0])
    roles = st.sets(st.sampled_from(ROLES)).map(tuple)
    fans = [draw(st.sampled_from([(1, 1), (2, 1), (4, 3), (3, 2)])) for _ in range(2)]
    (x, y), (u, v) = fans
    links = st.builds(Link, st.sampled_from([0.0, 0.5]), st.sampled_from([0.0, 0.25]))

    def memory(name, mesh, keeps, *, outermost=False):
        return Memory(
            name,
            None,
            draw(energies),
            mesh_x=mesh[0],
            mesh_y=mesh[1],
            keeps=keeps,
            block_size=1 if whole_blocks else draw(st.sampled_from([1, 1, 2, 5])),
            read_bandwidth=draw(widths),
            write_bandwidth=draw(widths),
            shared_bandwidth=draw(widths),
            leak_pj_per_cycle=draw(st.sampled_from([0.0, 0.5])),
            is_dram=outermost,
            network_below=draw(links),
        )

    return Architecture(
        "random",
        (
            memory("PE", (x * u, y * v), draw(roles)),
            memory("buffer", (x, y), draw(roles)),
            memory("DRAM", (1, 1), ROLES, outermost=True),
        ),
        Compute(1.0, x * u, y * v),
        rules=CostRules(first_fill_is_counted=draw(st.booleans())),
    )


@st.composite
def cases(draw, *, largest=600, **kind):
    """A machine, a layer, and a mapping of the layer rounded up."""
    machine, padded = draw(machines(**kind)), draw(layers())
    assume(padded.macs <= largest)
    space = MapSpace(machine, padded)
    rows = space.sample(40, np.random.default_rng(draw(st.integers(0, 2**32))))
    rows = rows[space.feasible(rows)]
    assume(len(rows) > 0)
    sizes = tuple(draw(st.integers(n // 2 + 1, n)) for n in padded.sizes)
    return machine, padded.resized(sizes), space.mapping_of(rows[0])


def nest_of(layer, mapping):
    return Nest.of(rounded_up(layer, mapping), mapping)


def by_start(clipped, array, above):
    """Return an array by instance as a dictionary by where the instances start."""
    loops = [p for p in clipped.nest.loops if p.spatial and p.level > above]
    per_dim = []
    for dim in clipped.layer.dims:
        mine = [p for p in loops if p.dim == dim]
        per_dim.append(
            [
                sum(i * p.step for i, p in zip(at, mine, strict=True))
                for at in itertools.product(*(range(p.bound) for p in mine))
            ]
        )
    full = np.broadcast_to(array, [len(starts) for starts in per_dim])
    out = {}
    for at in np.ndindex(full.shape):
        key = tuple(starts[i] for starts, i in zip(per_dim, at, strict=True))
        out[key] = out.get(key, 0) + int(full[at])
    return out


@settings(max_examples=25, deadline=None)
@given(case=cases())
def test_words_are_those_of_a_simulated_nest(case):
    machine, layer, mapping = case
    nest = nest_of(layer, mapping)
    clipped, simulated = Clipped(machine, layer, mapping, nest), Simulation(layer, mapping, nest)
    for tensor in layer.tensors:
        for child in range(MAC, nest.depth - 1):
            for parent in range(max(child, 0), nest.depth):
                words = clipped.words(tensor, (child, parent))
                walked = simulated.words(tensor, child, parent)
                assert by_start(clipped, words, parent) == walked, (tensor.name, child, parent)
    for level in range(nest.depth):
        seen = by_start(clipped, clipped.first_visits(level), level)
        assert seen == simulated.elements(level)


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_steps_are_those_in_which_any_multiplier_works(case):
    machine, layer, mapping = case
    nest = nest_of(layer, mapping)
    steps, done = Simulation(layer, mapping, nest).steps()
    assert Clipped(machine, layer, mapping, nest).steps == steps
    assert done == layer.macs


@settings(max_examples=25, deadline=None)
@given(case=cases(largest=10**6))
def test_where_factors_divide_it_is_the_reference_model(case):
    machine, layer, mapping = case
    padded = rounded_up(layer, mapping)
    clipped = Clipped(machine, padded, mapping, Nest.of(padded, mapping))
    known = analyse(machine, padded, mapping)
    for level, there in enumerate(known.levels):
        for counts, tensor in zip(clipped.level(level), there.tensors, strict=True):
            each = {(tensor.reads, tensor.fills, tensor.updates)}
            arrays = np.broadcast_arrays(counts.reads, counts.fills, counts.updates)
            assert set(zip(*(a.ravel().tolist() for a in arrays), strict=True)) == each
    price = partial_cost(machine, padded, mapping)
    assert price.cycles == known.cycles
    assert math.isclose(price.energy_pj, known.energy_pj, rel_tol=1e-12, abs_tol=1e-9)


@settings(max_examples=25, deadline=None)
@given(case=cases(largest=10**6))
def test_the_padded_price_is_never_less(case):
    machine, layer, mapping = case
    price, padded = (
        partial_cost(machine, layer, mapping),
        cost(machine, rounded_up(layer, mapping), mapping),
    )
    assert price.energy_pj <= padded.energy_pj * (1 + 1e-12)
    assert price.cycles <= padded.cycles


# -- by hand

ROW = Architecture(
    "row",
    (
        Memory("PE", None, AccessEnergy.uniform(1.0), mesh_x=4),
        Memory("DRAM", None, AccessEnergy.uniform(10.0), read_bandwidth=2.0, is_dram=True),
    ),
    Compute(1.0, 4),
)


def along_m(*, spread, over):
    """Return a mapping of M alone: so many at once, so many times, all of K and N inside."""
    return Mapping(
        (
            LevelMapping("PE", ROLES, (Loop("K", 2),)),
            LevelMapping("DRAM", ROLES, (Loop("M", over),), (Loop("M", spread),)),
        )
    )


def test_ten_rows_on_four_columns():
    layer = gemm(M=10, N=1, K=2)
    clipped = Clipped(ROW, layer, (mapping := along_m(spread=4, over=3)), nest_of(layer, mapping))
    assert clipped.steps == 6  # three rounds of two, the last with two columns at work
    assert clipped.active(0) == 4
    weights, inputs, outputs = clipped.level(1)
    assert weights.reads.sum() == 2  # once for all
    assert inputs.reads.sum() == 20  # instead of 24
    assert outputs.updates.sum() == 10
    assert outputs.reads.sum() == 0
    received = clipped.level(0)[1].fills
    assert received.shape == (4, 1, 1)
    assert received.ravel().tolist() == [6, 6, 4, 4]


def test_the_busiest_instance_sets_the_pace():
    layer = gemm(M=10, N=1, K=2)
    price = partial_cost(ROW, layer, along_m(spread=4, over=3))
    assert price.cycles == 11  # 22 words at 2 a cycle; 13 with all of 12 rows
    assert cost(ROW, gemm(M=12, N=1, K=2), along_m(spread=4, over=3)).cycles == 13


def test_a_window_that_slides_over_the_edge_brings_what_is_new():
    layer = conv(K=1, C=1, P=5, Q=1, R=3)
    mapping = Mapping(
        (
            LevelMapping("PE", ROLES, (Loop("R", 3), Loop("P", 2))),
            LevelMapping("DRAM", ROLES, (Loop("P", 3),)),
        )
    )
    clipped = Clipped(ROW, layer, mapping, nest_of(layer, mapping))
    inputs = clipped.level(0)[1]
    assert inputs.fills.sum() == layer.words(layer.tensors[1]) == 7  # 4, then 2, then 1


def test_factors_have_to_reach_the_size_and_not_twice_that():
    for size in (13, 6):
        with pytest.raises(CosearchError, match="multiply up to 12"):
            partial_cost(ROW, gemm(M=size, N=1, K=2), along_m(spread=4, over=3))


def test_results_that_slide_are_refused():
    sliding = Einsum(
        "up",
        ("P", "R"),
        (4, 3),
        (
            Tensor("Weights", "Weights", (Axis((("R", 1),)),)),
            Tensor("Inputs", "Inputs", (Axis((("P", 1),)),)),
            Tensor("Outputs", "Outputs", (Axis((("P", 1), ("R", 1))),)),
        ),
    )
    mapping = Mapping(
        (LevelMapping("PE", ROLES, (Loop("P", 4), Loop("R", 3))), LevelMapping("DRAM", ROLES))
    )
    with pytest.raises(CosearchError, match="every axis of the result is one dimension"):
        partial_cost(ROW, sliding, mapping)
