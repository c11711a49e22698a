"""Layers on the ALU: depthwise convolutions, pooling, additions, products of numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import Infeasible
from cosearch.hooks.discovery import load_registry
from cosearch.machine.building import network_for
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv
from cosearch.workload.elementwise import ADD, AVERAGE, MAXIMUM, MULTIPLY, pointwise, pool
from cosearch.workload.source import resolve
from cosearch_hardware.vta.alu import AluTile, Operations, alu_layer, division, on_alu
from cosearch_hardware.vta.isa import VtaConfiguration
from cosearch_hardware.vta.model import Vta
from cosearch_hardware.vta.work import AluWork
from cosearch_plugins.mappers.exhaustive import Exhaustive

LATENCY = next(o for o in OBJECTIVES if o.name == "latency")
INTEL, APACHE = VtaConfiguration("intel"), VtaConfiguration("apache")

MOBILENET = {
    "D1": (112, 32, 1, 903_168),
    "D2": (112, 64, 2, 451_584),
    "D3": (56, 128, 1, 903_168),
    "D4": (56, 128, 2, 225_792),
    "D5": (28, 256, 1, 451_584),
    "D6": (28, 256, 2, 112_896),
    "D7": (14, 512, 1, 225_792),
    "D8": (14, 512, 2, 56_448),
    "D9": (7, 1024, 1, 112_896),
}
"""Depthwise layers of MobileNet 1.0: input pixels, channels, stride, and four ALU cycles a tap."""


def depthwise(pixels, channels, stride=1, taps=3):
    out = pixels // stride
    sizes = {"G": channels, "P": out, "Q": out, "R": taps, "S": taps}
    return conv("depthwise", K=1, C=1, **sizes, stride=(stride, stride))


def machine(stack="intel", loads=32, **changes):
    model = Vta(stack, alu_loads=loads)
    return model.build({**model.baseline, **changes})


def best(accelerator, layer):
    return Exhaustive().map(accelerator, layer, LATENCY, Budget(), np.random.default_rng(0))


@pytest.mark.parametrize("name", MOBILENET)
def test_four_cycles_a_tap_and_row(name):
    pixels, channels, stride, cycles = MOBILENET[name]
    layer = alu_layer(depthwise(pixels, channels, stride), INTEL)
    rows = layer.co * layer.height.outputs * layer.width.outputs
    taps = layer.height.taps * layer.width.taps
    assert 2 * taps * rows * layer.each_tap.tensor == cycles


@pytest.mark.parametrize("name", ["D1", "D4", "D8", "D9"])
@pytest.mark.parametrize("loads", [8, 32])
def test_a_depthwise_layer_takes_what_the_alu_needs_and_its_loads(name, loads):
    pixels, channels, stride, cycles = MOBILENET[name]
    layer, accelerator = depthwise(pixels, channels, stride), machine(loads=loads)
    found, busy = best(accelerator, layer).cycles, accelerator.floor(layer)[1]
    once = layer.words(layer.tensors[1]) * loads // 8 // accelerator.configuration.bus_bytes
    assert cycles < busy
    assert busy + once < found < 1.2 * (busy + once)


def test_a_depthwise_layer_runs_on_the_gemm_core_where_the_compiler_has_no_schedule():
    layer = depthwise(14, 64)
    assert on_alu(layer, INTEL)
    assert not on_alu(layer, APACHE)
    assert not on_alu(layer, VtaConfiguration("intel", batch=1))
    wide = conv(K=1, C=1, G=64, P=14, Q=14, R=3, S=3, dilation=(2, 2))
    assert not on_alu(wide, INTEL)
    assert not on_alu(conv(K=2, C=1, G=64, P=14, Q=14, R=3, S=3), INTEL)
    assert not on_alu(conv(K=64, C=64, P=14, Q=14, R=3, S=3), INTEL)
    slow, fast = best(machine("apache"), layer).cycles, best(machine(), layer).cycles
    assert slow > 3 * fast


def test_an_output_takes_four_cycles_with_clp_and_five_without():
    add = pointwise("add", ADD, C=16, P=4, Q=4, operands=("NCPQ",))
    assert alu_layer(add, INTEL).finish == Operations(tensor=1, immediate=2)
    assert alu_layer(add, APACHE).finish == Operations(tensor=1, immediate=3)


def test_a_mean_is_divided_by_shifts_and_additions():
    assert division(64) == Operations(tensor=1, immediate=6)
    ones = [i for i in range(1, 32) if (2**31 // 49) >> (31 - i) & 1]
    assert division(49) == Operations(tensor=len(ones), immediate=5 + len(ones))
    assert abs(sum(2.0**-i for i in ones) - 1 / 49) < 2.0**-31


def test_products_need_a_multiplication():
    scale = pointwise("scale", MULTIPLY, C=16, P=4, Q=4, operands=("NC",))
    assert (alu_layer(scale, INTEL).operands, alu_layer(scale, INTEL).per_channel) == (1, 1)
    with pytest.raises(Infeasible, match="'multiply'"):
        alu_layer(scale, APACHE)
    assert Vta("intel").left_out(scale) == ""
    assert "apache" in Vta("apache").left_out(scale)


def test_activations_are_left_out_and_named():
    network = network_for(Vta("intel"), resolve("mobilenetv3", load_registry()))
    kinds = {layer.einsum.operation for layer in network.layers}
    assert kinds == {None, ADD, AVERAGE, MULTIPLY}
    assert {item.kind for item in network.unmodelled} == {"hard-swish", "hard-sigmoid"}


layers = st.one_of(
    st.builds(
        depthwise,
        st.sampled_from((4, 6, 14)),
        st.sampled_from((8, 24, 64)),
        st.sampled_from((1, 2)),
        st.sampled_from((3, 5)),
    ),
    st.builds(
        lambda operation, c, p, r, stride: pool(
            "pool", operation, C=c, P=p, Q=p, R=r, S=r, stride=(stride, stride)
        ),
        st.sampled_from((MAXIMUM, AVERAGE)),
        st.sampled_from((8, 64)),
        st.sampled_from((1, 6, 14)),
        st.sampled_from((2, 3, 7)),
        st.sampled_from((1, 2)),
    ),
    st.builds(
        lambda operation, c, p, operand: pointwise(
            "pointwise", operation, C=c, P=p, Q=p, operands=(operand,)
        ),
        st.sampled_from((ADD, MULTIPLY)),
        st.sampled_from((8, 64)),
        st.sampled_from((1, 7, 12)),
        st.sampled_from(("NCPQ", "NC")),
    ),
)


@settings(max_examples=60, deadline=None)
@given(layers, st.sampled_from((0, 1)), st.integers(0, 2**32 - 1), st.sampled_from((8, 32)))
def test_explain_bounds_and_floor_agree_with_evaluate(layer, batch, seed, loads):
    model = Vta("intel", "asic", alu_loads=loads)
    accelerator = model.build({**model.baseline, "batch": batch, "acc": 16, "wgt": 17})
    space = accelerator.mapspace(layer)
    rows, _ = space.sample_feasible(8, np.random.default_rng(seed))
    costs = accelerator.evaluate(layer, rows)
    energy, cycles = accelerator.bounds(layer, rows)
    floor = accelerator.floor(layer)
    assert costs.feasible.all()
    assert (energy == costs.energy_pj).all()
    assert (cycles <= costs.cycles).all()
    assert (floor[0] <= costs.energy_pj).all()
    assert (floor[1] <= costs.cycles).all()
    cost = accelerator.explain(layer, rows[0])
    assert (cost.energy_pj, cost.cycles) == (costs.energy_pj[0], costs.cycles[0])
    assert cost.macs == layer.macs


def test_moving_less_at_once_takes_longer_and_never_moves_less():
    layer = pool("pool", MAXIMUM, C=16, P=8, Q=8, R=4, S=4)
    work = machine().work(layer)
    assert isinstance(work, AluWork)
    one = np.array([1])
    columns = {"tile_rows": one, "tile_co": one, "tile_height": one * 8, "tile_width": one * 8}
    whole = {**columns, "tile_taps": one * 4, "threads": one}
    cut = {**columns, "tile_taps": one, "threads": one}
    moved = [work.counts(c, work.table(c)).moved["acc"][0] for c in (whole, cut)]
    assert moved == [11 * 11 * 64, 4 * 8 * 11 * 64]
    entries = [AluTile.of(c).entries(work.layer)["acc"][0] for c in (whole, cut)]
    assert entries == [11 * 11 + 64, 8 * 11 + 64]


def test_restricted_strides_forbid_wide_tiles():
    layer = depthwise(14, 16)
    free, narrow = machine(), machine(acc_restrict=2, inp_restrict=2, acc=13, inp=12)
    reasons = {rule.reason for rule in narrow.mapspace(layer).rules}
    assert "the strides of what is read fit their fields" in reasons
    assert narrow.configuration.strides["acc"] == 32
    assert best(free, layer).cycles <= best(narrow, layer).cycles


def test_mobilenetv2_takes_less_than_15_million_cycles_mostly_depthwise():
    model = Vta()
    accelerator = model.build(model.baseline)
    network = network_for(model, resolve("mobilenetv2", load_registry()))
    cycles = {"alu": 0.0, "core": 0.0, "depthwise": 0.0}
    for layer in network.unique:
        found = layer.count * best(accelerator, layer.einsum).cycles
        on = isinstance(accelerator.work(layer.einsum), AluWork)
        cycles["alu" if on else "core"] += found
        if on and layer.einsum.macs:
            cycles["depthwise"] += found
    total = cycles["alu"] + cycles["core"]
    assert total < 15e6
    assert 0.65 < cycles["depthwise"] / total < 0.8


def test_nasbench201s_pooling_and_additions_cost_something():
    model = Vta()
    registry = load_registry()
    network = network_for(model, resolve("nasbench201-cell:index=0", registry))
    kinds = {layer.einsum.operation for layer in network.layers}
    assert AVERAGE in kinds
    assert ADD in kinds
    assert not network.unmodelled


def test_lanes_take_area():
    asic = Vta("intel", "asic", area_limit_mm2=1_000.0)
    narrow, wide = (
        asic.build({**asic.baseline, "block_in": i, "block_out": o, "acc": 16})
        for i, o in ((5, 3), (3, 5))
    )
    assert narrow.configuration.macs == wide.configuration.macs
    assert narrow.configuration.memory_bytes == wide.configuration.memory_bytes
    assert wide.area_mm2 > narrow.area_mm2
