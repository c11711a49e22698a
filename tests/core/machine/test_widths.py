"""Widths of tensors, against an oracle that lays every bit of every element into memory."""

import math
from fractions import Fraction

import numpy as np
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError, Infeasible
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.model.floor import floor
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.loopnest.validity import InvalidMapping, violations
from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    Link,
    Memory,
    Mode,
    Partition,
)
from cosearch.machine.widths import bits_of, mixed, mode, rooms, stored
from cosearch.workload.einsum import ROLES, conv, gemm
from cosearch_hardware.systolic.model import Systolic
from cosearch_hardware.vta.model import Vta

WORDS = st.sampled_from([4, 8, 16, 12])
BITS = st.one_of(st.none(), st.sampled_from([1, 2, 3, 4, 5, 8, 16, 20, 32]))
PACKS = st.sampled_from([(), (), (8,), (2, 4, 16), (3, 6)])
PJ = st.sampled_from([1.0, 2.0, 5.0])
RATE = st.sampled_from([None, 0.25, 0.5, 1.0, 4.0])


@st.composite
def machines(draw):
    """Return a machine of two or three memories, one of which spreads."""
    depth, fan = draw(st.integers(2, 3)), draw(st.sampled_from([1, 2, 4]))
    levels = []
    for level in range(depth):
        energy = AccessEnergy(draw(PJ), draw(PJ), draw(PJ))
        part = Partition(
            draw(st.sampled_from([2, 6, 20])), energy, draw(st.one_of(st.none(), WORDS))
        )
        parted = draw(st.booleans()) and level < depth - 1
        levels.append(
            Memory(
                f"L{level}",
                None if level == depth - 1 else draw(st.sampled_from([3, 8, 20, 60])),
                AccessEnergy(draw(PJ), draw(PJ), draw(PJ)),
                word_bits=draw(WORDS),
                block_size=draw(st.sampled_from([1, 2, 4])),
                mesh_x=fan if level < depth - 1 else 1,
                shared_bandwidth=draw(RATE),
                read_bandwidth=draw(RATE),
                multiple_buffering=draw(st.sampled_from([1.0, 2.0])),
                partitions={"Outputs": part} if parted else {},
                network_below=Link(*draw(st.sampled_from([(0.0, 0.0), (2.0, 1.0)]))),
                packs=draw(PACKS),
            )
        )
    modes = (Mode(4, 4, 1.0), Mode(32, 32, 3.0, draw(st.integers(1, 3))))
    widths = draw(st.dictionaries(st.sampled_from(ROLES), st.sampled_from([2, 6, 16])))
    compute = Compute(1.0, fan, word_bits=16, modes=modes)
    return Architecture("machine", levels, compute, widths=widths)


LAYERS = st.sampled_from(
    [
        gemm(M=4, N=2, K=4),
        gemm(M=3, N=5, K=2),
        conv(K=2, C=2, P=4, Q=1, R=3),
        conv(G=2, K=1, C=1, P=4, Q=2, R=2, S=2),
    ]
)


def pieces(architecture, memory, tensor):
    """Return the bits that an element takes, piece by piece, and those of a word."""
    part = memory.partitions.get(tensor.role)
    word = part.word_bits if part is not None and part.word_bits is not None else memory.word_bits
    bits = tensor.bits if tensor.bits is not None else architecture.widths.get(tensor.role)
    if bits is None or not memory.packs:
        return [word if bits is None else bits], word
    for width in sorted(memory.packs):
        if width >= bits:
            return [width], word
    out = []
    while sum(out) < bits:
        out.append(max(memory.packs))
    return out, word


def blocks_touched(architecture, memory, tensor, count):
    """Return how many blocks hold so many elements, by laying down one bit after the other."""
    sizes, word = pieces(architecture, memory, tensor)
    touched, at = set(), 0
    for _ in range(count):
        for size in sizes:
            for _ in range(size):
                touched.add(at // (word * memory.block_size))
                at += 1
    return len(touched)


def overflows(architecture, layer, plain):
    """Return whether a memory, or a partition, has fewer bits than the tiles it keeps."""
    for memory, level in zip(architecture.levels, plain.levels, strict=True):
        taken = dict.fromkeys([*memory.partitions, None], 0)
        tensors = {t.name: t for t in layer.tensors}
        for counts in level.tensors:
            tensor = tensors[counts.tensor]
            place = tensor.role if tensor.role in memory.partitions else None
            taken[place] += counts.tile_size * sum(pieces(architecture, memory, tensor)[0])
        for place, bits in taken.items():
            part = memory.partitions.get(place)
            entries = part.entries if part else memory.entries
            word = (part.word_bits if part else None) or memory.word_bits
            room = math.inf if entries is None else int(entries / memory.multiple_buffering) * word
            if bits > room:
                return True
    return False


def priced_in_bits(architecture, layer, plain, works):
    """Return energy, and the least and the most cycles that rounding allows."""
    tensors = {t.name: t for t in layer.tensors}
    energy = plain.computes * works.energy_pj
    slowest = Fraction(plain.steps * works.cycles)
    for memory, level, network in zip(
        architecture.levels, plain.levels, plain.networks, strict=True
    ):
        read = moved = Fraction(0)
        for counts in level.tensors:
            tensor = tensors[counts.tensor]
            sizes, word = pieces(architecture, memory, tensor)
            part = memory.partitions.get(tensor.role)
            pj = part.energy if part else memory.energy
            for number, each in (
                (counts.reads, pj.read),
                (counts.fills, pj.fill),
                (counts.updates, pj.update),
            ):
                energy += (
                    counts.instances * each * blocks_touched(architecture, memory, tensor, number)
                )
                moved += Fraction(number * sum(sizes), word)
            read += Fraction(counts.reads * sum(sizes), word)
        for rate, words in ((memory.read_bandwidth, read), (memory.shared_bandwidth, moved)):
            if rate is not None:
                slowest = max(slowest, words / Fraction(rate))
        for passing in network.tensors:
            sizes, word = pieces(architecture, memory, tensors[passing.tensor])
            energy += passing.energy_pj * sum(sizes) / word
    return energy, math.ceil(slowest), math.floor(slowest) + 1


def in_words(architecture):
    """Return the machine with room for everything, whose widths nothing states."""
    levels = [evolve(m, entries=None, partitions={}, packs=()) for m in architecture.levels]
    return evolve(
        architecture, levels=levels, widths={}, compute=evolve(architecture.compute, modes=())
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(machines(), LAYERS, st.fixed_dictionaries(dict.fromkeys(ROLES, BITS)), st.integers(0, 2**32))
def test_everything_is_counted_in_bits(architecture, layer, bits, seed):
    wide = layer.with_bits(bits)
    space = MapSpace(in_words(architecture), layer)
    for row in space.sample(4, np.random.default_rng(seed)):
        mapping = space.mapping_of(row)
        try:
            plain = analyse(in_words(architecture), layer, mapping)
        except InvalidMapping:
            continue
        try:
            found = analyse(architecture, wide, mapping)
        except InvalidMapping:
            assert overflows(architecture, wide, plain)
            continue
        assert not overflows(architecture, wide, plain)
        energy, least, most = priced_in_bits(architecture, wide, plain, mode(architecture, wide))
        assert found.energy_pj == pytest.approx(energy, rel=1e-12)
        assert least <= found.cycles <= most
        under = floor(architecture, wide)
        assert under[0] <= found.energy_pj
        assert under[1] <= found.cycles


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(machines(), LAYERS, st.fixed_dictionaries(dict.fromkeys(ROLES, BITS)), st.integers(0, 2**32))
def test_the_kernel_counts_the_same_bits(architecture, layer, bits, seed):
    accelerator, wide = SpatialAccelerator(architecture), layer.with_bits(bits)
    try:
        space = accelerator.mapspace(wide)
    except Infeasible:
        return
    rows = space.sample(24, np.random.default_rng(seed))
    costs = accelerator.evaluate(wide, rows)
    for i, row in enumerate(rows):
        broken = next(violations(architecture, wide, space.mapping_of(row)), None)
        assert costs.feasible[i] == (broken is None)
        if broken is not None:
            assert costs.excess[i] == broken.used / broken.allowed
            continue
        found = analyse(architecture, wide, space.mapping_of(row))
        assert (costs.energy_pj[i], costs.cycles[i]) == (found.energy_pj, found.cycles)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(machines(), LAYERS, st.integers(0, 2**32))
def test_elements_as_wide_as_words_cost_what_words_cost(architecture, layer, seed):
    levels = [
        evolve(
            m,
            word_bits=16,
            partitions={r: evolve(p, word_bits=None) for r, p in m.partitions.items()},
            packs=(),
        )
        for m in architecture.levels
    ]
    compute = evolve(architecture.compute, modes=())
    plain = evolve(architecture, levels=levels, compute=compute, widths={})
    stated = evolve(plain, widths=dict.fromkeys(ROLES, 16))
    wide = layer.with_bits(dict.fromkeys(ROLES, 16))
    assert not mixed(plain, wide)
    try:
        space = MapSpace(plain, layer)
    except Infeasible:
        return
    rows = space.sample(64, np.random.default_rng(seed))
    wanted = space.pricer.price(rows)
    for other in (MapSpace(plain, wide), MapSpace(stated, layer)):
        costs = other.pricer.price(rows)
        assert (costs.energy_pj == wanted.energy_pj).all()
        assert (costs.cycles == wanted.cycles).all()
        assert costs.reasons == wanted.reasons


BUFFER = Memory("buffer", 64, AccessEnergy.uniform(1.0), word_bits=8, block_size=4)
DRAM = Memory("main", None, AccessEnergy.uniform(10.0), word_bits=8, is_dram=True)
CHIP = Architecture("chip", (BUFFER, DRAM), Compute(1.0, word_bits=8))
SUMS = gemm(M=2, N=2, K=4).with_bits({"Weights": 8, "Inputs": 8, "Outputs": 32})


def test_sums_of_32_bits_beside_weights_of_8():
    weights, inputs, sums = (stored(CHIP, BUFFER, t) for t in SUMS.tensors)
    assert [e.words for e in (weights, inputs, sums)] == [1.0, 1.0, 4.0]
    assert [e.accesses(6) for e in (weights, inputs, sums)] == [2, 2, 6]
    (room,) = rooms(CHIP, BUFFER, SUMS)
    assert (room.unit, room.limit, room.takes) == ("bits", 512, (8, 8, 32))
    assert mixed(CHIP, SUMS)
    assert not mixed(CHIP, gemm(M=2, N=2, K=4))


def test_a_memory_packs_the_widths_it_lists():
    memory = evolve(BUFFER, packs=(4, 8))
    sizes = [
        stored(CHIP, memory, evolve(SUMS.output, bits=bits)).bits for bits in (1, 4, 5, 8, 9, 20)
    ]
    assert sizes == [4, 4, 8, 8, 16, 24]


def test_a_layer_goes_before_the_machine():
    machine = evolve(CHIP, widths={"Outputs": 24, "Inputs": 4})
    tensors = gemm(M=2, N=2, K=4).with_bits({"Outputs": 32}).tensors
    assert [bits_of(machine, t) for t in tensors] == [None, 4, 32]
    assert machine.key != CHIP.key


def test_multipliers_say_what_they_take():
    with pytest.raises(Infeasible, match=r"of 8 x 8 bits, not of 16 x 8"):
        mode(CHIP, SUMS.with_bits({"Weights": 16}))
    fused = evolve(CHIP, compute=Compute(1.0, modes=(Mode(8, 8, 1.0, 4), Mode(4, 8, 0.5, 2))))
    assert mode(fused, SUMS).cycles == 4
    assert mode(fused, SUMS.with_bits({"Weights": 3})) == Mode(4, 8, 0.5, 2)
    with pytest.raises(Infeasible, match="8 x 8"):
        SpatialAccelerator(fused).mapspace(SUMS.with_bits({"Inputs": 9}))


@pytest.mark.parametrize("make", [Systolic, Vta])
def test_machines_of_fixed_widths_refuse_wider_elements(make):
    machine, layer = make().build({}), gemm(M=16, N=16, K=16)
    machine.mapspace(layer.with_bits({"Weights": 4, "Inputs": 8, "Outputs": 32}))
    for role, bits in (("Weights", 9), ("Inputs", 16), ("Outputs", 33)):
        with pytest.raises(Infeasible, match=f"{role} has elements of {bits} bits"):
            machine.mapspace(layer.with_bits({role: bits}))


def test_names_go_before_roles_and_keys_tell_widths_apart():
    layer = gemm(M=2, N=2, K=4)
    assert layer.key == gemm(M=2, N=2, K=4).key
    assert layer.key != SUMS.key
    assert layer == SUMS.with_bits(dict.fromkeys(ROLES))
    assert [t.bits for t in layer.with_bits({"Weights": 4}).tensors] == [4, None, None]


@pytest.mark.parametrize("bits", [0, -1, 1025])
def test_a_width_is_a_number_of_bits(bits):
    with pytest.raises(CosearchError, match="Weights has elements of"):
        gemm(M=2, N=2, K=4).with_bits({"Weights": bits})


def blocks_of_whole_words(bits, word, block, count):
    """Return the blocks so many elements take, each put into the word in hand if it fits there."""
    words, left = 0, 0
    for _ in range(count):
        if bits > word or left < bits:
            words, left = words + -(-bits // word), word
        left -= bits
    return -(-words // block)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 40), st.integers(1, 33), st.integers(1, 5), st.integers(0, 60))
def test_in_whole_words_no_narrow_element_stands_in_two(bits, word, block, count):
    memory = evolve(BUFFER, word_bits=word, block_size=block, whole_words=True)
    layer = SUMS.with_bits(dict.fromkeys(ROLES, bits))
    element = stored(CHIP, memory, layer.output)
    assert element.accesses(count) == blocks_of_whole_words(bits, word, block, count)
    (room,) = rooms(CHIP, memory, layer)
    most = room.limit // room.takes[2]
    assert blocks_of_whole_words(bits, word, 1, most) <= memory.entries
    assert blocks_of_whole_words(bits, word, 1, most + 1) > memory.entries


def test_parts_of_words_of_several_widths_fill_one_memory():
    memory = evolve(BUFFER, word_bits=16, whole_words=True)
    layer = SUMS.with_bits({"Weights": 3, "Inputs": 7, "Outputs": 20})
    (room,) = rooms(CHIP, memory, layer)
    assert (room.unit, room.limit, room.takes) == ("parts", 64 * 10, (2, 5, 20))
    assert (
        evolve(CHIP, levels=(memory, DRAM)).key
        != evolve(CHIP, levels=(evolve(memory, whole_words=False), DRAM)).key
    )
