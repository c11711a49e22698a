"""The reference model against published figures, a walk through every iteration, and by hand."""

import itertools
import math
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.model.delivery import delivered
from cosearch.loopnest.model.reference import analyse, cost
from cosearch.loopnest.nest import MAC, Nest
from cosearch.loopnest.validity import Rule, violations
from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    CostRules,
    Link,
    Memory,
    Partition,
)
from cosearch.workload.einsum import conv, gemm
from cosearch_plugins.references.dosa import Dosa
from cosearch_plugins.references.timeloop import Timeloop

DATA = Path(__file__).parents[3] / "data"
ALL = ("Weights", "Inputs", "Outputs")


@pytest.mark.parametrize(
    "section", Timeloop().read(DATA / "timeloop"), ids=lambda section: section.name
)
def test_every_figure_of_timeloop(section):
    report = section.report()
    assert [(c.id, c.differences[:3]) for c in report.differing] == []
    assert report.summary["energy_to_last_digit"] == len(report.valid)
    assert len(report.comparisons) > 60


def test_every_point_of_dosa():
    (section,) = Dosa().read(DATA / "dosa")
    report = section.report()
    assert [(c.id, c.differences[:3]) for c in report.differing] == []
    assert report.compared("count") == len(report.valid) == 375


def test_dosa_needs_the_rules_of_its_time():
    (section,) = Dosa().read(DATA / "dosa")
    for rules in (
        CostRules(first_fill_is_counted=True),
        CostRules(only_innermost_loop_slides=True),
    ):
        points = [
            evolve(p, case=evolve(p.case, architecture=evolve(p.case.architecture, rules=rules)))
            for p in section.points
        ]
        assert evolve(section, points=points).report().differing


# -- an oracle: walk through all iterations with sets of words


def walked(nest, tensor, child):
    """Return the words that come to a child when only the tile held last is reused."""
    box = nest.box(tensor, child)
    loops = nest.outside(child)
    held, total = set(), 0
    for index in itertools.product(*(range(loop.bound) for loop in reversed(loops))):
        corner = [0] * len(box)
        for i, loop in zip(reversed(index), loops, strict=True):
            for axis, terms in enumerate(tensor.axes):
                corner[axis] += sum(c * loop.step * i for dim, c in terms.terms if dim == loop.dim)
        tile = set(
            itertools.product(*(range(c, c + side) for c, side in zip(corner, box, strict=True)))
        )
        total += len(tile - held)
        held = tile
    return total


def factorizations(n, parts):
    """Return every way to write n as an ordered product."""
    if parts == 1:
        return [(n,)]
    return [
        (d, *rest)
        for d in range(1, n + 1)
        if n % d == 0
        for rest in factorizations(n // d, parts - 1)
    ]


@st.composite
def layers(draw, *, sliding=True):
    size = st.sampled_from([1, 2, 3, 4])
    if not sliding or draw(st.booleans()):
        return gemm(M=draw(size), N=draw(size), K=draw(size), B=draw(size))
    return conv(
        K=draw(size),
        C=draw(size),
        P=draw(size),
        Q=draw(size),
        R=draw(st.integers(1, 3)),
        S=draw(st.integers(1, 2)),
        G=draw(st.sampled_from([1, 2])),
        stride=draw(st.sampled_from([(1, 1), (2, 1), (2, 3)])),
        dilation=draw(st.sampled_from([(1, 1), (2, 1)])),
    )


@st.composite
def mapped(draw, *, sliding=True):
    """Return a machine that everything fits on, a layer, and one of its mappings."""
    layer = draw(layers(sliding=sliding))
    depth = draw(st.integers(1, 4))
    entries = []
    split = {
        dim: draw(st.sampled_from(factorizations(size, 3 * depth)))
        for dim, size in layer.bounds.items()
    }
    for level in range(depth):
        slots = [
            tuple(Loop(d, split[d][3 * level + kind]) for d in draw(st.permutations(layer.dims)))
            for kind in range(3)
        ]
        outermost = level == depth - 1
        keep = ALL if outermost else draw(st.sets(st.sampled_from(ALL)))
        entries.append(LevelMapping(f"L{level}", keep, slots[0], slots[1], slots[2]))
    across = [math.prod(x.bound for x in e.spatial_x) for e in entries]
    down = [math.prod(x.bound for x in e.spatial_y) for e in entries]
    memories = tuple(
        Memory(
            f"L{i}",
            None,
            AccessEnergy(1.0 + i, 1.25 + i, 1.5 + i),
            block_size=1 + i,
            mesh_x=math.prod(across[i + 1 :]),
            mesh_y=math.prod(down[i + 1 :]),
            read_bandwidth=draw(st.sampled_from([None, 0.5, 3])),
            leak_pj_per_cycle=0.125,
            is_dram=i == depth - 1,
            network_below=Link(0.5, 0.25),
        )
        for i in range(depth)
    )
    machine = Architecture("any", memories, Compute(1.0, math.prod(across), math.prod(down)))
    return machine, layer, Mapping(entries)


GEOMETRIC = CostRules(geometric_halo=True)


@given(mapped())
@settings(max_examples=60, deadline=None)
def test_geometric_halo_is_a_walk_through_every_iteration(case):
    _, layer, mapping = case
    nest = Nest.of(layer, mapping)
    for tensor in layer.tensors:
        for child in range(nest.depth):
            assert delivered(nest, tensor, child, GEOMETRIC) == walked(nest, tensor, child)


@given(mapped(sliding=False))
@settings(max_examples=60, deadline=None)
def test_without_sliding_windows_every_rule_is_the_walk(case):
    _, layer, mapping = case
    nest = Nest.of(layer, mapping)
    for tensor in layer.tensors:
        for child in range(nest.depth):
            words = walked(nest, tensor, child)
            assert delivered(nest, tensor, child, CostRules()) == words
            assert delivered(nest, tensor, child, CostRules.timeloop_2022()) == words


@given(mapped(), st.sampled_from([CostRules(), GEOMETRIC, CostRules(link_transfers=True)]))
@settings(max_examples=60, deadline=None)
def test_every_word_that_arrives_was_sent(case, rules):
    machine, layer, mapping = case
    found = analyse(evolve(machine, rules=rules), layer, mapping)
    nest = Nest.of(layer, mapping)
    assert found.steps * found.macs_used == layer.macs == found.computes
    assert found.cycles >= found.steps
    for level, network in zip(found.levels, found.networks, strict=True):
        for tensor in level.tensors:
            net = next(t for t in network.tensors if t.tensor == tensor.tensor)
            own = tensor.updates or tensor.reads
            if level is not found.levels[-1]:
                assert own == net.ingresses or (own > net.ingresses and tensor.tensor != "Outputs")
            assert min(tensor.reads, tensor.fills, tensor.updates) >= 0
    for tensor in layer.operands:
        below = [i for i in range(nest.depth - 1) if tensor.name in mapping.levels[i].keep]
        for i in below:
            if rules.link_transfers:
                continue
            counts = next(t for t in found.levels[i].tensors if t.tensor == tensor.name)
            assert counts.fills == delivered(nest, tensor, i, rules)


@given(mapped())
@settings(max_examples=60, deadline=None)
def test_the_outermost_level_moves_each_word_at_least_once(case):
    machine, layer, mapping = case
    found = analyse(evolve(machine, rules=GEOMETRIC), layer, mapping)
    outermost = {t.tensor: t for t in found.levels[-1].tensors}
    for tensor in layer.operands:
        if all(len(axis.terms) == 1 and axis.terms[0][1] == 1 for axis in tensor.axes):
            assert outermost[tensor.name].reads >= layer.words(tensor)
    result = outermost[layer.output.name]
    assert result.updates >= layer.words(layer.output)
    assert result.reads == result.updates - layer.words(layer.output)
    assert result.fills == 0


@given(mapped())
@settings(max_examples=40, deadline=None)
def test_loops_of_one_iteration_change_nothing(case):
    machine, layer, mapping = case
    dropped = Mapping(
        tuple(
            evolve(
                entry,
                **{
                    kind: tuple(loop for loop in getattr(entry, kind) if loop.bound > 1)
                    for kind in ("temporal", "spatial_x", "spatial_y")
                },
            )
            for entry in mapping.levels
        )
    )
    assert analyse(machine, layer, dropped) == analyse(machine, layer, mapping)


@given(mapped())
@settings(max_examples=40, deadline=None)
def test_a_cost_is_its_analysis(case):
    machine, layer, mapping = case
    short, full = cost(machine, layer, mapping), analyse(machine, layer, mapping)
    assert (short.energy_pj, short.cycles) == (full.energy_pj, full.cycles)
    assert short.compute_pj + sum(
        level.energy_pj + level.network_pj for level in short.levels
    ) == pytest.approx(short.energy_pj, rel=1e-12)
    bound = {level.name: level.cycles for level in short.levels}
    assert bound.get(short.bound_by, full.steps) == short.cycles
    assert len(short.loops) > len(short.levels)


# -- by hand


def machine(*memories, compute=None, rules=None):
    return Architecture("m", memories, compute or Compute(1.0), rules=rules or CostRules())


def buffer(entries=None, **settings):
    return Memory("buf", entries, AccessEnergy(1.0, 2.0, 4.0), **settings)


def dram(**settings):
    return Memory("DRAM", None, AccessEnergy.uniform(100.0), is_dram=True, **settings)


def two(inner, outer, keep=ALL, **spatial):
    return Mapping((LevelMapping("buf", keep, inner, **spatial), LevelMapping("DRAM", ALL, outer)))


def test_a_window_slides_over_a_row():
    """P tiled by 2 under R=3: a tile of 4 inputs, of which 2 are new at every step."""
    layer = conv(K=1, C=1, P=8, Q=1, R=3)
    found = analyse(
        machine(buffer(), dram()), layer, two([Loop("R", 3), Loop("P", 2)], [Loop("P", 4)])
    )
    inputs = found.levels[0].tensors[1]
    assert (inputs.tile_size, inputs.fills, inputs.reads) == (4, 4 + 3 * 2, 24)


def test_an_artefact_of_sampling_and_the_true_count():
    """R inside P at DRAM: Timeloop thinks a step of P, from the last R back, moves nothing."""
    layer = conv(K=1, C=1, P=4, Q=1, R=3)
    mapping = two([], [Loop("R", 3), Loop("P", 4)])
    counts = {
        rules: analyse(machine(buffer(), dram(), rules=rules), layer, mapping).levels[0].tensors[1]
        for rules in (CostRules(), GEOMETRIC)
    }
    # R moves 1, 2 times in each of 4 rows; P moves 1 - 1 = 0, or truly 1 - 2 = -1
    assert counts[CostRules()].fills == 1 + 2 * 4
    assert counts[GEOMETRIC].fills == 1 + 2 * 4 + 3


def test_partial_sums_are_not_read_the_first_time():
    layer = gemm(M=1, N=4, K=3)
    mapping = two([], [Loop("N", 4), Loop("K", 3)])
    found = analyse(machine(buffer(), dram()), layer, mapping)
    here, outside = found.levels[0].tensors[2], found.levels[1].tensors[2]
    assert (here.updates, here.reads, here.fills) == (12, 8, 8)
    assert (outside.updates, outside.reads, outside.fills) == (12, 8, 0)
    older = machine(buffer(), dram(), rules=CostRules(first_fill_is_counted=True))
    assert analyse(older, layer, mapping).levels[0].tensors[2].fills == 12


def test_accesses_come_in_whole_blocks():
    layer = gemm(M=1, N=5, K=1)
    found = analyse(machine(buffer(block_size=4), dram()), layer, two([Loop("N", 5)], [])).levels[0]
    weights, inputs, outputs = found.tensors
    assert weights.energy_pj == 2 * 1.0 + 2 * 2.0
    assert inputs.energy_pj == 2 * 1.0 + 1 * 2.0
    assert outputs.energy_pj == 2 * 4.0


def test_partitions_have_their_own_room_and_energy():
    own = {"Weights": Partition(4, AccessEnergy.uniform(10.0))}
    layer = gemm(M=2, N=4, K=1)
    mapping = two([Loop("N", 4), Loop("M", 2)], [])
    found = analyse(machine(buffer(10, partitions=own), dram()), layer, mapping)
    weights, inputs, _ = found.levels[0].tensors
    assert weights.energy_pj == 10.0 * (weights.reads + weights.fills)
    assert inputs.energy_pj == 1.0 * inputs.reads + 2.0 * inputs.fills
    broken = list(violations(machine(buffer(9, partitions=own), dram()), layer, mapping))
    assert [(e.rule, e.used, e.allowed) for e in broken] == [(Rule.CAPACITY, 10, 9)]
    tight = {"Weights": Partition(3, AccessEnergy.uniform(10.0))}
    (only,) = violations(machine(buffer(10, partitions=tight), dram()), layer, mapping)
    assert (only.used, only.allowed) == (4, 3)
    assert "buf (Weights)" in str(only)


def test_bandwidth_slows_everything_down():
    layer = gemm(M=1, N=4, K=3)
    mapping = two([], [Loop("N", 4), Loop("K", 3)])
    found = analyse(machine(buffer(), dram(shared_bandwidth=1)), layer, mapping)
    words = 12 + 3 + 8 + 12
    assert found.levels[1].cycles == found.cycles == words
    assert found.utilization == pytest.approx(12 / words)


def test_hops_and_routers_by_hand():
    """Four children in a row: each word goes to its own column, from the left side."""
    layer = gemm(M=1, N=4, K=2)
    pe = Memory("pe", None, AccessEnergy.uniform(0.0), mesh_x=4)
    glb = Memory("glb", None, AccessEnergy.uniform(0.0), network_below=Link(1.0, 10.0))
    mapping = Mapping(
        (
            LevelMapping("pe", ALL, [Loop("K", 2)]),
            LevelMapping("glb", ALL, (), [Loop("N", 4)]),
            LevelMapping("DRAM", ALL),
        )
    )
    found = analyse(machine(pe, glb, dram(), compute=Compute(0.0, 4)), layer, mapping)
    weights, inputs, _ = found.networks[1].tensors
    assert (weights.ingresses, weights.multicast) == (8, 1)
    assert weights.energy_pj == 2 * (0 + 1 + 2 + 3) * 1.0 + 8 * (1 + 1) * 10.0
    assert (inputs.ingresses, inputs.multicast) == (2, 4)
    assert inputs.energy_pj == 2 * 3 * 1.0 + 2 * (1 + 3) * 10.0


def test_depthwise_shares_nothing():
    layer = conv(K=1, C=1, P=2, Q=1, G=3)
    mapping = Mapping(
        (
            LevelMapping("buf", ALL, [Loop("P", 2)]),
            LevelMapping("DRAM", ALL, (), [Loop("G", 3)]),
        )
    )
    found = analyse(machine(buffer(mesh_x=3), dram(), compute=Compute(1.0, 3)), layer, mapping)
    assert [t.multicast for t in found.networks[1].tensors] == [1, 1, 1]


def test_exact_far_beyond_machine_words():
    layer = gemm(M=10**6, N=10**6, K=10**6, B=10**3)
    loops = [Loop("K", 10**6), Loop("N", 10**6), Loop("M", 10**6), Loop("B", 1000)]
    found = analyse(machine(buffer(), dram()), layer, two([], loops))
    assert found.computes == 10**21
    assert found.levels[1].tensors[0].reads == 10**21


def test_two_rules_that_exclude_each_other():
    with pytest.raises(CosearchError, match="exclude each other"):
        CostRules(link_transfers=True, geometric_halo=True)


def test_a_multiplier_keeps_nothing():
    layer = gemm(M=1, N=1, K=5)
    nest = Nest.of(layer, two([Loop("K", 5)], []))
    assert delivered(nest, layer.output, MAC, CostRules()) == 5
