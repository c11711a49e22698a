"""What every machine that ships has to do."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from cosearch.errors import Infeasible
from cosearch.hooks.discovery import load_registry
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.mapping.mapper import Budget
from cosearch.workload.einsum import Einsum, conv, gemm

CONFIGURATIONS = {
    "eyeriss": 10_000,
    "eyeriss:resources=free": 10_000,
    "eyeriss:buffers=mesh": 10_000,
    "gemmini": 10_000,
    "nvdla": 10_000,
    "simba": 10_000,
    "eyeriss:pes=256": 1_000,
    "eyeriss:mapping=row-stationary": 1_000,
    "gemmini:latency=rtl": 1_000,
    "nvdla:preset=small": 1_000,
    "systolic": 10_000,
    "vta": 10_000,
    "vta:rules=hidden": 10_000,
    "vta:stack=apache": 10_000,
    "vta:device=asic": 1_000,
}
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


@pytest.mark.parametrize("most", [1_500, pytest.param(10_000, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("spec", SPECS)
def test_random_configurations_are_built_or_refused_with_a_reason(spec, most):
    of = model(spec)
    rows = of.space.sample(min(most, CONFIGURATIONS[spec]), np.random.default_rng(1))
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


SIZES = (
    ("systolic", "input_kb", "input_word"),
    ("systolic", "weight_kb", "weight_word"),
    ("systolic", "output_kb", "output_word"),
    ("vta:device=asic,area_limit_mm2=1000,rules=hidden", "inp", "inp"),
    ("vta:device=asic,area_limit_mm2=1000,rules=hidden", "acc", "acc"),
)


@pytest.mark.parametrize(("spec", "parameter", "price"), SIZES)
def test_energy_and_area_grow_with_memory_size_on_other_machines(spec, parameter, price):
    of = model(spec)
    built = [attempt(of, row) for row in rows_of(of, parameter)]
    machines = [m for m, _ in built if m is not None]
    areas = [m.area_mm2 for m in machines]
    energies = [getattr(m.prices, price) for m in machines]
    assert len(machines) > 1
    assert areas == sorted(areas)
    assert energies == sorted(energies)
    assert areas[0] < areas[-1]
    assert energies[0] < energies[-1]


def rows_of(of: HardwareModel, parameter: str) -> np.ndarray:
    choices = of.space[parameter].choices
    return np.array([of.space.index({**of.baseline, parameter: size}) for size in choices])


@pytest.mark.parametrize(
    ("spec", "parameter"),
    [("systolic", "input_kb"), ("systolic", "weight_kb"), ("vta:rules=hidden", "inp")],
)
def test_a_bigger_buffer_never_hurts_at_fixed_prices(spec, parameter):
    of, layer = model(spec), conv("conv", K=64, C=64, P=14, Q=14, R=3, S=3)
    machines = [m for m, _ in (attempt(of, row) for row in rows_of(of, parameter)) if m]
    best = []
    for machine_ in machines:
        machine_.prices = machines[0].prices
        try:
            best.append(proven_energy(machine_, layer))
        except Infeasible:
            assert not best, "a layer that fits fits in a bigger memory"
    assert len(best) > 1
    assert all(big <= small * (1 + 1e-12) for small, big in itertools.pairwise(best))


def proven_energy(machine_: Accelerator, layer: Einsum) -> float:
    registry = load_registry(third_party=False)
    mapper = registry.find("mappers", "exhaustive").make()
    rng = np.random.default_rng(0)
    mapped = mapper.map(machine_, layer, registry.objective("energy"), Budget(), rng)
    assert mapped.proven
    return mapped.energy_pj


@pytest.mark.parametrize("spec", SPECS)
def test_every_component_says_where_its_numbers_come_from(spec):
    built = machine(spec)
    architecture = getattr(built, "architecture", None)
    if architecture is not None:
        parts = [*(memory.name for memory in architecture.levels), architecture.compute.name]
    elif spec.startswith("vta"):
        parts = [
            "MAC",
            "ALU",
            "DRAM",
            *(f"{m} memory" for m in ("uop", "inp", "wgt", "acc", "out")),
        ]
    else:
        parts = ["MAC", "DRAM", *(f"{m} buffer" for m in ("input", "weight", "output"))]
    assert all(built.sources[part] for part in parts)
    assert math.isfinite(built.area_mm2)


def test_a_design_that_mixes_sources_says_so():
    assert "mixed sources" in machine("eyeriss").sources
    assert "mixed sources" not in machine("eyeriss:technology=pat,area=same").sources
