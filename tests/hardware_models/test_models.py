"""What every spatial machine that ships has to do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cosearch.einsum import conv, gemm
from cosearch.errors import Infeasible
from cosearch.hardware import Accelerator, HardwareModel
from cosearch.plugins import load_registry

CONFIGURATIONS = {
    "eyeriss": 10_000, "eyeriss:resources=free": 10_000, "eyeriss:buffers=mesh": 10_000,
    "gemmini": 10_000, "nvdla": 10_000, "simba": 10_000, "eyeriss:pes=256": 1_000,
    "eyeriss:mapping=row-stationary": 1_000, "gemmini:latency=rtl": 1_000,
    "nvdla:preset=small": 1_000,
}  # fmt: skip
SPECS = tuple(CONFIGURATIONS)
LAYERS = (
    conv("conv", K=16, C=8, P=14, Q=14, R=3, S=3),
    conv("stem", K=16, C=3, P=16, Q=16, R=7, S=7, stride=(2, 2)),
    conv("depthwise", K=1, C=1, G=32, P=14, Q=14, R=3, S=3),
    gemm("gemm", M=64, N=96, K=32),
    gemm("batched", M=16, N=12, K=8, B=4),
)


def model(spec: str) -> HardwareModel:
    return load_registry(third_party=False).find("hardware_models", spec).make()


def machine(spec: str, **changes: object) -> Accelerator:
    of = model(spec)
    return of.build({**of.baseline, **changes})


@pytest.mark.parametrize("spec", SPECS)
def test_baseline_is_feasible_and_runs_every_kind_of_layer(spec):
    of = model(spec)
    baseline = of.build(of.baseline)
    assert of.space.feasible(of.space.index(of.baseline)[None, :]).all()
    assert baseline.area_mm2 > 0
    for layer in LAYERS:
        space = baseline.mapspace(layer)
        rows, _ = space.sample_feasible(16, np.random.default_rng(0))
        costs = baseline.evaluate(layer, rows)
        assert len(rows) == 16
        assert np.isfinite(costs.cycles[costs.feasible]).all()
        row = rows[int(np.argmax(costs.feasible))]
        explained = baseline.explain(layer, row)
        assert explained.macs == layer.macs
        assert costs.cycles[int(np.argmax(costs.feasible))] == explained.cycles
        assert costs.energy_pj[int(np.argmax(costs.feasible))] == pytest.approx(
            explained.energy_pj, rel=1e-12
        )


@pytest.mark.parametrize("spec", SPECS)
def test_ten_thousand_random_configurations_are_built_or_refused_with_a_reason(spec):
    of = model(spec)
    rows = of.space.sample(CONFIGURATIONS[spec], np.random.default_rng(1))
    known = of.space.feasible(rows)
    keys = set()
    for row, feasible in zip(rows, known, strict=True):
        built, refusal = attempt(of, row)
        if built is not None:
            assert feasible
            assert built.area_mm2 > 0
            keys.add(built.key)
        else:
            assert str(refusal)
            assert feasible == (not of.space.broken(row))
            assert not feasible or refusal.margins, "a rule that the space knows not has a margin"
    assert len(keys) > 10


def attempt(of: HardwareModel, row: np.ndarray) -> tuple[Accelerator | None, Infeasible | None]:
    try:
        return of.build(of.space.decode(row)), None
    except Infeasible as refusal:
        return None, refusal


@pytest.mark.parametrize("spec", SPECS)
def test_domain_features_are_finite_and_tell_designs_apart(spec):
    of = model(spec)
    rows, _ = of.space.sample_feasible(50, np.random.default_rng(2))
    rows = np.unique(rows, axis=0)
    features = of.space.features(rows)
    assert np.isfinite(features).all()
    assert len(np.unique(features, axis=0)) == len(rows)


MEMORIES = (
    ("eyeriss", "buffer_kb", "buffer"),
    ("eyeriss:resources=free,area_limit_mm2=1000", "buffer_kb", "buffer"),
    ("eyeriss:resources=free,area_limit_mm2=1000", "spad_weights", "scratchpads"),
    ("gemmini", "scratchpad_kb", "scratchpad"),
    ("gemmini", "accumulator_kb", "accumulator"),
    ("nvdla", "buffer_kb", "buffer"),
    ("nvdla", "sums", "accumulator"),
    ("simba", "weight_kb", "pe_buffers"),
    ("simba", "input_kb", "pe_buffers"),
    ("simba", "sum_kb", "pe_buffers"),
    ("simba", "buffer_kb", "buffer"),
)


@pytest.mark.parametrize(("spec", "parameter", "level"), MEMORIES)
def test_energy_and_area_grow_with_memory_size(spec, parameter, level):
    of = model(spec)
    sizes = [machine(spec, **{parameter: size}) for size in of.space[parameter].choices]
    memories = [m.architecture.levels[m.architecture.level_index(level)] for m in sizes]
    areas = [m.area_mm2 for m in sizes]
    total = [
        sum(part.energy.read for part in memory.partitions.values()) or memory.energy.read
        for memory in memories
    ]
    assert areas == sorted(areas)
    assert areas[0] < areas[-1]
    assert total == sorted(total)
    assert total[0] < total[-1]


@pytest.mark.parametrize("spec", SPECS)
def test_every_component_says_where_its_numbers_come_from(spec):
    built = machine(spec)
    for memory in built.architecture.levels:
        assert built.sources[memory.name]
    assert built.sources[built.architecture.compute.name]
    assert math.isfinite(built.area_mm2)


def test_a_design_that_mixes_sources_says_so():
    assert "mixed sources" in machine("eyeriss").sources
    assert "mixed sources" not in machine("eyeriss:technology=pat,area=same").sources
