from pathlib import Path

import numpy as np
import pytest

from cosearch.errors import Infeasible
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.model.reference import cost
from cosearch.machine.technology import priced
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv, gemm
from cosearch_hardware.gemmini.model import COUNTS, Gemmini, GemminiAccelerator, RtlGemmini, machine
from cosearch_plugins.mappers.exact.mapper import ExactMapper
from cosearch_plugins.references.dosa import Dosa
from cosearch_plugins.technologies.dosa import DosaTable

POINTS = Path(__file__).parents[2] / "data/dosa"
LAYER = conv("layer", K=32, C=16, P=14, Q=14, R=3, S=3)


def dosa_machine(point, counts):
    register, accumulator, scratchpad, _ = point.architecture.levels
    built = machine(
        register.mesh_x,
        accumulator_words=accumulator.entries,
        scratchpad_rows=scratchpad.entries // register.mesh_x,
        rules=COUNTS[counts],
    )
    return priced(built, DosaTable(), kinds={"register": "regfile"})


@pytest.fixture(scope="module")
def points():
    return Dosa().read(POINTS)[0].points


def test_exact_against_dosas_timeloop_points(points):
    assert len(points) > 300
    for point in points:
        found = cost(dosa_machine(point.case, "2022"), point.case.layer, point.case.mapping)
        figures = point.expected
        assert found.cycles == figures["cycles"].value
        assert found.energy_pj / 1e6 == pytest.approx(
            figures["energy_uJ"].value, abs=figures["energy_uJ"].tolerance
        )


def test_later_counts_never_move_more_words(points):
    for point in points[::10]:
        old, new = (
            cost(dosa_machine(point.case, counts), point.case.layer, point.case.mapping)
            for counts in ("2022", "2025")
        )
        assert new.energy_pj <= old.energy_pj * (1 + 1e-12)
        assert new.cycles <= old.cycles


def test_dosas_mappings_are_in_the_mapspace(points):
    for point in points[::20]:
        case = point.case
        accelerator = GemminiAccelerator(dosa_machine(case, "2022"))
        space = accelerator.mapspace(case.layer)
        row = space.row_of(case.mapping)
        assert accelerator.explain(case.layer, row).cycles == point.expected["cycles"].value


def test_loops_run_where_the_wiring_allows():
    accelerator = Gemmini().build({})
    space = accelerator.mapspace(LAYER)
    rows = space.sample(50, np.random.default_rng(0))
    for row in rows:
        register, accumulator, scratchpad, dram = space.mapping_of(row).levels
        assert {loop.dim for loop in register.temporal} <= {"P"}
        assert {loop.dim for loop in accumulator.spatial} <= {"C"}
        assert {loop.dim for loop in scratchpad.spatial} <= {"K"}
        assert not scratchpad.temporal
        assert not dram.spatial


def test_sizes_of_the_baseline():
    register, accumulator, scratchpad, dram = Gemmini().build({}).architecture.levels
    assert register.instances == 256
    assert accumulator.entries * accumulator.instances * 4 == 32 * 1024
    assert scratchpad.entries == 128 * 1024
    assert dram.energy.read == 6400.0


def test_rtl_cycles_are_not_for_the_exact_mapper():
    accelerator = Gemmini(latency="rtl").build({})
    assert isinstance(accelerator, RtlGemmini)
    assert not isinstance(accelerator, SpatialAccelerator)
    assert "FireSim" in accelerator.sources["cycles"]
    assert accelerator.key != accelerator.nest.key


@pytest.mark.parametrize("layer", [LAYER, gemm("gemm", M=48, N=40, K=24)])
def test_rtl_keeps_energies_and_explains_its_cycles(layer):
    accelerator = Gemmini(latency="rtl").build({})
    rows, _ = accelerator.mapspace(layer).sample_feasible(20, np.random.default_rng(3))
    fitted, nest = accelerator.evaluate(layer, rows), accelerator.nest.evaluate(layer, rows)
    assert np.array_equal(fitted.energy_pj, nest.energy_pj)
    assert (fitted.cycles[fitted.feasible] >= 1).all()
    explained = accelerator.explain(layer, rows[0])
    assert explained.cycles == fitted.cycles[0]
    assert explained.bound_by.endswith("(RTL fit)")


def test_rtl_refuses_arrays_that_nobody_ran():
    with pytest.raises(Infeasible, match="16 x 16 only"):
        Gemmini(latency="rtl").build({"pe_dim": 32})


@pytest.mark.parametrize("counts", ["2022", "2025"])
def test_mappings_are_proven_under_the_counts_of_both_timeloops(counts):
    accelerator = Gemmini(counts=counts).build({})
    assert accelerator.default_mapper == "exact"
    layer = conv(K=32, C=32, P=14, Q=14, R=3, S=3)
    edp = OBJECTIVES[0]
    found = ExactMapper().map(accelerator, layer, edp, Budget(), np.random.default_rng(0))
    rows, _ = accelerator.mapspace(layer).sample_feasible(500, np.random.default_rng(1))
    costs = accelerator.evaluate(layer, rows)
    assert found.proven
    assert found.energy_pj * found.cycles <= (costs.energy_pj * costs.cycles)[costs.feasible].min()
