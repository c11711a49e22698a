"""Crossbars: closed forms against the simulation read by read, and the figures of ISAAC's table."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cosearch.errors import Infeasible
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv, gemm
from cosearch_hardware.crossbar.chip import Chip
from cosearch_hardware.crossbar.cut import cut, energy
from cosearch_hardware.crossbar.events import simulate
from cosearch_hardware.crossbar.machine import CrossbarAccelerator, _copies
from cosearch_hardware.crossbar.model import Crossbar
from cosearch_hardware.crossbar.pricing import (
    TILE_MM2,
    TILE_MW,
    UNIT_MM2,
    UNIT_MW,
    area_mm2,
    prices,
)
from cosearch_hardware.gemm_view import gemm_view
from cosearch_plugins.mappers.exhaustive import Exhaustive

COUNTED = (
    "arrays", "conversions", "drives", "cells", "fed_bits", "partial_bits", "written",
)  # fmt: skip

chips = st.builds(
    Chip,
    rows=st.sampled_from((4, 6, 8)),
    cols=st.sampled_from((4, 6, 9)),
    cell_bits=st.sampled_from((1, 2)),
    signed=st.sampled_from(("offset", "pairs")),
    dac_bits=st.sampled_from((1, 2)),
    adc_bits=st.sampled_from((4, 6)),
    adcs=st.sampled_from((1, 2)),
    arrays=st.sampled_from((3, 12, 40)),
    arrays_per_tile=st.sampled_from((1, 4)),
    weight_bits=st.just(2),
    input_bits=st.sampled_from((2, 3)),
    bus_bits=st.sampled_from((4, 64)),
    settle=st.sampled_from((1, 5)),
    write=st.just(3),
)
layers = st.one_of(
    st.builds(
        gemm,
        M=st.integers(1, 7),
        N=st.integers(1, 9),
        K=st.integers(1, 11),
        B=st.integers(1, 5),
    ),
    st.builds(
        conv,
        K=st.just(1),
        C=st.just(1),
        G=st.integers(1, 6),
        P=st.integers(1, 3),
        Q=st.just(2),
        R=st.integers(1, 2),
    ),
)


CASES = chips, layers, st.booleans(), st.integers(0, 99)


@settings(max_examples=120, deadline=None)
@given(*CASES)
def test_closed_forms_equal_the_simulation_of_every_read(chip, layer, streamed, seed):
    equal_simulation(chip, layer, streamed, seed)


@pytest.mark.exhaustive
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(*CASES)
def test_closed_forms_equal_the_simulation_on_500_cases_that_fit(chip, layer, streamed, seed):
    assume(equal_simulation(chip, layer, streamed, seed))


def equal_simulation(chip, layer, streamed, seed):
    """Hold one random cut against the simulation; return whether the layer can be cut at all."""
    machine = CrossbarAccelerator(chip, prices(chip, 1.0), streamed=streamed)
    try:
        space = machine.mapspace(layer)
    except Infeasible:
        return False
    rows, _ = space.sample_feasible(1, np.random.default_rng(seed))
    if not len(rows):
        return False
    view = gemm_view(layer)
    seen = simulate(chip, view, space.decode(rows[0]), streamed=streamed)
    of = cut(chip, view, space.columns(rows))
    assert {c: getattr(seen, c) for c in COUNTED} == {c: int(getattr(of, c)[0]) for c in COUNTED}
    batch = machine.evaluate(layer, rows)
    assert batch.cycles[0] == seen.cycles
    cost = machine.explain(layer, rows[0])
    assert (cost.energy_pj, cost.cycles) == (batch.energy_pj[0], batch.cycles[0])
    total = cost.compute_pj + math.fsum(level.energy_pj for level in cost.levels)
    assert total == pytest.approx(cost.energy_pj, rel=1e-12)
    assert cost.utilization <= 1
    return True


@settings(max_examples=40, deadline=None)
@given(chips, layers, st.booleans())
def test_the_floor_is_below_and_copies_leave_no_better_number_out(chip, layer, streamed):
    machine = CrossbarAccelerator(chip, prices(chip, 1.0), streamed=streamed)
    try:
        space = machine.mapspace(layer)
    except Infeasible:
        return
    every = space.unrank(np.arange(space.size))
    batch = machine.evaluate(layer, every)
    best = batch.cycles.min()
    floor = machine.floor(layer)
    assert floor[0] <= batch.energy_pj.min()
    assert floor[1] <= best
    view = gemm_view(layer)
    chosen = space["packed"].choices[-1], space["active_rows"].choices[-1]
    for copies in range(1, view.size("M") + 1):
        tried = {
            "packed": np.array([chosen[0]]),
            "active_rows": np.array([chosen[1]]),
            "copies": np.array([copies]),
        }
        of = cut(chip, view, tried)
        if of.passes[0] == 1:
            assert of.cycles(chip, streamed=streamed)[0] >= best


def test_parts_add_up_to_the_units_tiles_and_chip_of_isaacs_table():
    assert 12 * math.fsum(UNIT_MW.values()) == pytest.approx(289, abs=0.5)
    assert 12 * math.fsum(UNIT_MM2.values()) == pytest.approx(0.157, abs=0.001)
    unit = 12 * math.fsum(UNIT_MW.values())
    assert unit + math.fsum(TILE_MW.values()) == pytest.approx(330, abs=1)
    machine = Crossbar().build({})
    assert machine.area_mm2 == pytest.approx(62.5, rel=0.005)
    assert area_mm2(machine.chip) == machine.area_mm2
    assert math.fsum(TILE_MM2.values()) == pytest.approx(0.372 - 0.157, abs=0.001)


def test_a_full_chip_reads_at_isaacs_power_and_rate():
    """All 16,128 arrays at work: 41.3 TOPS (2 x 2,048 MACs in 1.6 us each), 289 mW of a tile."""
    machine = Crossbar().build({})
    chip = machine.chip
    layer = gemm(M=100_000, N=16 * 126, K=128 * 128)
    row = np.array([chip.active_choices.index(128), 0, 0])
    view = gemm_view(layer)
    of = cut(chip, view, machine.mapspace(layer).columns(row[None, :]))
    assert of.arrays[0] == 126 * 128 == chip.arrays
    cost = machine.explain(layer, row)
    seconds = cost.cycles / 1.2e9
    tops = 2 * layer.macs / seconds / 1e12
    # The offset's column is a 129th conversion of a converter: 129 cycles, not 120.
    assert tops == pytest.approx(16128 * 2 * 2048 / 1.6e-6 / 1e12 * 120 / 129, rel=1e-4)
    watts = (
        sum(level.energy_pj for level in cost.levels if level.name in ("converters", "drivers"))
        + cost.compute_pj
    )
    assert watts * 1e-12 / seconds == pytest.approx(168 * 0.289, rel=0.07)


@pytest.mark.parametrize(
    ("rows", "cell", "dac", "signed", "bits"),
    [(128, 2, 1, "offset", 8), (128, 2, 1, "pairs", 9), (64, 1, 1, "offset", 6),
     (128, 2, 2, "offset", 10)],
)  # fmt: skip
def test_the_bits_of_a_converter_are_isaacs(rows, cell, dac, signed, bits):
    sizes = {"rows": rows, "cols": 128, "cell_bits": cell, "dac_bits": dac, "signed": signed}
    more = {"adcs": 1, "arrays": 1, "arrays_per_tile": 1, "weight_bits": 8, "input_bits": 8}
    assert Chip(adc_bits=bits, **sizes, **more).resolved(rows)
    assert not Chip(adc_bits=bits - 1, **sizes, **more).resolved(rows)


def test_weights_that_do_not_fit_are_refused_or_streamed():
    layer = gemm(M=4, N=4096, K=4096)
    resident = Crossbar().build({"arrays": 168})
    with pytest.raises(Infeasible, match="needs 8192 arrays"):
        resident.mapspace(layer)
    streamed = Crossbar("streamed", 10.0).build({"arrays": 168})
    edp = next(o for o in OBJECTIVES if o.name == "edp")
    found = Exhaustive().map(streamed, layer, edp, Budget(), np.random.default_rng(0))
    cost = streamed.explain(layer, found.row)
    programming = next(level for level in cost.levels if level.name == "programming")
    assert programming.energy_pj == 4096 * 4096 * 8 * 10.0
    assert cost.loops[0].startswith("for pass in 0..49")


def test_depthwise_channels_share_an_array():
    machine = Crossbar().build({})
    layer = conv(K=1, C=1, G=32, P=14, Q=14, R=3, S=3)
    packed = machine.mapspace(layer)["packed"].choices
    assert packed == tuple(range(1, 15))  # 14 kernels of 9 rows stand in 128


def test_a_converter_too_coarse_for_one_row_cannot_be_built():
    with pytest.raises(Infeasible, match="converter of 4 bits"):
        Crossbar().build({"adc_bits": 4, "cell_bits": 4, "dac_bits": 4})


@given(st.integers(1, 400), st.integers(1, 60))
def test_copies_are_the_least_of_each_number_of_turns(vectors, most):
    every = {}
    for copies in range(1, min(most, vectors) + 1):
        every.setdefault(math.ceil(vectors / copies), copies)
    assert _copies(vectors, most) == tuple(sorted(every.values()))


def test_energy_is_the_sum_of_its_events():
    chip = Chip(8, 8, 2, "pairs", 1, 8, 1, 4, 2, 2, 2)
    view = gemm_view(gemm(M=3, N=2, K=5))
    tried = {k: np.array([v]) for k, v in (("active_rows", 8), ("copies", 1), ("packed", 1))}
    of = cut(chip, view, tried)
    price = prices(chip, 7.0)
    plain = energy(chip, price, view, of, streamed=False)[0]
    assert energy(chip, price, view, of, streamed=True)[0] == pytest.approx(plain + 5 * 2 * 2 * 7.0)
    words = (3 * 5 + 3 * 2) * 2 * price.router + 3 * 2 * 2 * (price.memory + price.bus)
    fed = 3 * 5 * 2 * (price.memory + price.bus)
    events = 3 * 2 * (5 * price.drive + 5 * 4 * price.cell + 4 * price.convert)
    assert plain == pytest.approx(words + fed + events)
