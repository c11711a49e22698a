"""The whole VTA: what it refuses, what its breakdown adds up to, and published ratios."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import Infeasible
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv, gemm
from cosearch_hardware.vta import breakdown, pipeline
from cosearch_hardware.vta.breakdown import schedule_of
from cosearch_hardware.vta.isa import LIMITS
from cosearch_hardware.vta.model import DEVICES, Vta
from cosearch_hardware.vta.work import GemmWork
from cosearch_plugins.mappers.exhaustive import Exhaustive

LATENCY = next(o for o in OBJECTIVES if o.name == "latency")


def best(accelerator, layer):
    return Exhaustive().map(accelerator, layer, LATENCY, Budget(), np.random.default_rng(0))


def machine(stack="apache", **changes):
    model = Vta(stack)
    return model.build({**model.baseline, **changes})


@pytest.mark.parametrize("stack", LIMITS)
@pytest.mark.parametrize("device", DEVICES)
def test_the_default_configuration_builds_on_every_device(device, stack):
    model = Vta(stack, device)
    assert model.build(model.baseline).configuration.macs == 256


@settings(max_examples=25, deadline=None)
@given(
    channels=st.tuples(st.sampled_from((3, 16, 40)), st.sampled_from((16, 24))),
    size=st.sampled_from((1, 6, 14)),
    taps=st.sampled_from((1, 3)),
    stride=st.sampled_from((1, 2)),
    groups=st.sampled_from((1, 2)),
    block=st.sampled_from((3, 4)),
)
def test_explain_simulates_what_evaluate_compiled(channels, size, taps, stride, groups, block):
    accelerator = machine(block=block, inp=14, acc=16, wgt=16)
    C, K = channels
    layer = conv(K=K, C=C, P=size, Q=size, R=taps, S=taps, G=groups, stride=(stride, stride))
    found = best(accelerator, layer)
    cost = accelerator.explain(layer, found.row)
    assert found.proven
    assert (cost.energy_pj, cost.cycles) == (found.energy_pj, found.cycles)
    parts = cost.compute_pj + sum(level.energy_pj for level in cost.levels)
    assert parts == pytest.approx(cost.energy_pj, rel=1e-12)


def test_the_unpipelined_core_takes_nearly_four_times_as_long_on_a_compute_bound_layer():
    layer = conv(K=128, C=128, P=28, Q=28, R=3, S=3)
    slow = best(machine(gemm="unpipelined"), layer).cycles
    fast = best(machine(), layer).cycles
    assert 3.3 < slow / fast < 4.0


def test_a_wider_bus_never_hurts():
    layer = gemm(M=16, N=256, K=512)
    cycles = [best(machine(bus_bytes=width), layer).cycles for width in (8, 16)]
    assert cycles[1] < cycles[0]


@pytest.mark.parametrize("stack", LIMITS)
def test_what_the_instruction_set_forbids_is_known_or_hidden(stack):
    known, hidden = Vta(stack), Vta(stack, rules="hidden")
    forbidden = {**known.baseline, "acc": 19}
    row = known.space.index(forbidden)[None, :]
    assert not known.space.feasible(row)[0]
    assert hidden.space.feasible(row)[0]
    for model in (known, hidden):
        with pytest.raises(Infeasible, match="ALU instruction"):
            model.build(forbidden)


def test_a_device_too_small_says_by_how_much():
    with pytest.raises(Infeasible, match="DSPs 233 %") as refusal:
        machine(block=5, inp=15, wgt=18, acc=16)
    assert refusal.value.margins["DSPs"] == pytest.approx(1024 / 2 / 220)


def test_multipliers_of_the_alu_take_dsps_too():
    with pytest.raises(Infeasible, match="DSPs 240 %"):
        machine("intel", block_in=5, block_out=5, acc=16)


@pytest.mark.parametrize("stack", LIMITS)
def test_random_configurations_are_built_or_refused_with_a_reason(stack):
    model = Vta(stack, rules="hidden")
    built, refused = 0, []
    rows = model.space.sample(600, np.random.default_rng(0))
    for row in rows:
        try:
            built += model.build(model.space.decode(row)).area_mm2 > 0
        except Infeasible as refusal:
            refused.append(refusal.reason)
    assert 0 < built < 600
    assert all(refused)


@pytest.mark.parametrize(
    "layer", [conv(K=64, C=64, P=28, Q=28, R=3, S=3), conv(K=1, C=1, G=32, P=14, Q=14, R=3, S=3)]
)
def test_what_simulating_takes_is_known_beforehand(layer):
    accelerator = machine("intel")
    space, work = accelerator.mapspace(layer), accelerator.work(layer)
    rows = space.sample_feasible(40, np.random.default_rng(0))[0]
    table = work.table(space.columns(rows))
    programs = pipeline.programs if isinstance(work, GemmWork) else pipeline.alu_programs
    written = []
    for row in table:
        program, length = programs(schedule_of(work, row))
        written.append(length.sum() + program[:, :, 1].sum())
    assert work.events(table) == pytest.approx(written, rel=0.2)
    seconds = accelerator.pricing_seconds(layer, rows)
    assert ((seconds > 1e-9 * np.array(written)) & (seconds < 1e-6 * np.array(written))).all()


def test_screening_says_what_evaluating_says_and_simulates_nothing(monkeypatch):
    accelerator, layer = machine(), conv(K=64, C=64, P=28, Q=28, R=3, S=3)
    rows = accelerator.mapspace(layer).sample(200, np.random.default_rng(0))
    costs = accelerator.evaluate(layer, rows)
    monkeypatch.setattr(GemmWork, "cycles", None)
    screened = accelerator.screen(layer, rows)
    for what in ("feasible", "reason", "excess"):
        assert (getattr(screened, what) == getattr(costs, what)).all()
    assert 0 < costs.feasible.sum() < len(rows)


def test_a_long_schedule_is_explained_by_the_compiled_queues(monkeypatch):
    accelerator, layer = machine(), conv(K=64, C=64, P=28, Q=28, R=3, S=3)
    row = accelerator.mapspace(layer).sample_feasible(1, np.random.default_rng(0))[0][0]
    cycles = accelerator.explain(layer, row).cycles
    monkeypatch.setattr(breakdown, "READABLE", 0)
    monkeypatch.setattr(breakdown, "simulate", None)
    assert accelerator.explain(layer, row).cycles == cycles
