"""The whole machine: exact choice of tiles, traffic, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import Infeasible
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv, gemm
from cosearch_hardware.systolic.folds import fold
from cosearch_hardware.systolic.model import PRESETS, Systolic
from cosearch_plugins.mappers.exhaustive import Exhaustive

EDP = next(o for o in OBJECTIVES if o.name == "edp")


def best(accelerator, layer, objective=EDP):
    rng = np.random.default_rng(0)
    return Exhaustive().map(accelerator, layer, objective, Budget(), rng)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_builds_and_maps(preset):
    model = Systolic(preset)
    found = best(model.build(model.baseline), conv(K=64, C=64, P=14, Q=14, R=3, S=3))
    assert found.proven
    assert 0 < found.energy_pj < np.inf


def test_a_layer_that_fits_whole_moves_every_word_once_and_takes_scale_sims_cycles():
    model = Systolic()
    accelerator = model.build({**model.baseline, "dram_bits_per_cycle": 2048})
    layer = gemm(M=32, N=32, K=32)
    row = np.array([len(p.choices) - 1 for p in accelerator.mapspace(layer).parameters])
    cost = accelerator.explain(layer, row)
    size = np.array([32])
    fetch, store = 2 * 32 * 32 * 8 / 2048, 32 * 32 * 8 / 2048
    assert cost.cycles == fold("ws", 16, 16, size, size, size).cycles[0] + fetch + store
    dram = {t.tensor: t.reads + t.updates for t in cost.levels[-1].tensors}
    assert dram == {"Weights": 1024, "Inputs": 1024, "Outputs": 1024}


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.tuples(*[st.sampled_from((1, 2, 6, 16, 20))] * 4),
    window=st.sampled_from((1, 3)),
    stride=st.sampled_from((1, 2)),
    dataflow=st.sampled_from(("ws", "os", "is")),
)
def test_explain_equals_evaluate_and_adds_up(sizes, window, stride, dataflow):
    model = Systolic()
    accelerator = model.build({**model.baseline, "dataflow": dataflow})
    K, C, P, Q = sizes
    layer = conv(K=K, C=C, P=P, Q=Q, R=window, S=window, stride=(stride, stride))
    found = best(accelerator, layer)
    cost = accelerator.explain(layer, found.row)
    assert (cost.energy_pj, cost.cycles) == (found.energy_pj, found.cycles)
    parts = cost.compute_pj + sum(level.energy_pj for level in cost.levels)
    assert parts == pytest.approx(cost.energy_pj, rel=1e-12)


def test_more_bandwidth_never_hurts():
    model = Systolic()
    layer = conv(K=64, C=64, P=28, Q=28, R=3, S=3)
    cycles = [
        best(
            model.build({**model.baseline, "dram_bits_per_cycle": bits}),
            layer,
            next(o for o in OBJECTIVES if o.name == "latency"),
        ).cycles
        for bits in (32, 128, 512)
    ]
    assert cycles == sorted(cycles, reverse=True)


def test_a_filter_larger_than_its_memory_is_refused_with_the_margin():
    model = Systolic()
    accelerator = model.build({**model.baseline, "weight_kb": 16})
    with pytest.raises(Infeasible, match="weight buffer") as refusal:
        accelerator.mapspace(conv(K=1, C=1, P=4, Q=4, R=128, S=128))
    assert refusal.value.margins == {"weight buffer": 2.0}


def test_random_configurations_build():
    model = Systolic()
    for row in model.space.sample(300, np.random.default_rng(0)):
        assert model.build(model.space.decode(row)).area_mm2 > 0


@pytest.mark.parametrize(("small", "least"), [(False, 8), (True, 1)])
def test_small_sides_are_offered_where_they_are_asked_for(small, least):
    model = Systolic(small_sides=small)
    assert min(model.space["rows"].choices) == min(model.space["cols"].choices) == least
    machine = model.build({"rows": least, "cols": least})
    assert machine.mapspace(gemm(M=4, N=4, K=4)).size > 0
