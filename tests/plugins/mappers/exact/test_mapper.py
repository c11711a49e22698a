from __future__ import annotations

import time

import numpy as np
import pytest

from cosearch.errors import CosearchError, Infeasible
from cosearch.hooks.discovery import load_registry
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Budget, Unmappable
from cosearch.search.objective import OBJECTIVES, Objective, weighted_sum
from cosearch.workload.einsum import conv, gemm
from cosearch_plugins.mappers.exact.arrays import Aim
from cosearch_plugins.mappers.exact.mapper import ExactMapper

RNG = np.random.default_rng(0)
SUM = weighted_sum(1.0, 50.0)
MY_EDP = Objective("my_edp", "pJ*cycles", lambda m: m["energy_pj"] * m["cycles"], powers=(1, 1))
E2D = Objective("e2d", "", lambda m: m["energy_pj"] ** 2 * m["cycles"], powers=(2, 1))
OBJECTIVE = {o.name: o for o in (*OBJECTIVES, SUM, MY_EDP, E2D)}
ROLES = ("Weights", "Inputs", "Outputs")


def machine(buffer=4096, keeps=ROLES, may_keep=(), bandwidth=None):
    uniform = AccessEnergy.uniform
    levels = (
        Memory("PE", 64, uniform(1.0), mesh_x=4, mesh_y=4),
        Memory("buffer", buffer, uniform(6.0), keeps=keeps, may_keep=may_keep),
        Memory("DRAM", None, uniform(200.0), read_bandwidth=bandwidth, is_dram=True),
    )
    return SpatialAccelerator(Architecture("small", levels, Compute(1.0, 4, 4)))


LAYER = conv("layer", K=8, C=8, P=14, Q=14, R=3, S=3)


def mapped(objective="edp", accelerator=None, layer=LAYER, budget=None, **options):
    return ExactMapper(**options).map(
        accelerator or machine(), layer, OBJECTIVE[objective], budget or Budget(), RNG
    )


def test_it_is_found_by_name():
    named = load_registry(third_party=False).find("mappers", "exact:bypass=fixed,seconds=2")
    assert isinstance(named.make(), ExactMapper)


@pytest.mark.parametrize("objective", ["edp", "energy", "latency", "ed2p", SUM.name, "e2d"])
def test_nothing_sampled_is_better(objective):
    accelerator = machine(bandwidth=1.0)
    found = mapped(objective, accelerator)
    space = accelerator.mapspace(LAYER)
    costs = accelerator.evaluate(LAYER, space.sample(20_000, np.random.default_rng(1)))
    metrics = {"energy_pj": costs.energy_pj, "cycles": costs.cycles}
    own = {"energy_pj": np.array([found.energy_pj]), "cycles": np.array([found.cycles])}
    of = OBJECTIVE[objective].of
    assert found.proven
    assert found.gap == 0
    assert of(own)[0] <= of(metrics)[costs.feasible].min() * (1 + 1e-12)
    again = accelerator.evaluate(LAYER, found.row[None, :])
    assert again.feasible[0]
    assert (again.energy_pj[0], again.cycles[0]) == (found.energy_pj, found.cycles)


def test_of_the_fastest_mappings_it_takes_the_cheapest():
    found = mapped("latency", layer=gemm(M=8, N=8, K=8))
    edp = mapped("edp", layer=gemm(M=8, N=8, K=8))
    assert found.cycles <= edp.cycles
    assert found.energy_pj <= edp.energy_pj or found.cycles < edp.cycles


def test_an_objective_of_a_plugin_is_minimized_by_its_powers():
    own, usual = mapped("my_edp"), mapped("edp")
    assert own.proven
    assert (own.energy_pj, own.cycles) == (usual.energy_pj, usual.cycles)


@pytest.mark.parametrize("powers", [(0, 0), (-1, 2), (0.5, 1)])
def test_powers_that_no_search_minimizes_are_refused(powers):
    with pytest.raises(CosearchError, match="a whole number, none is negative"):
        Aim.product(*powers)


def test_two_searches_agree_and_none_draws_at_random():
    assert not ExactMapper.uses_rng
    np.testing.assert_array_equal(mapped().row, mapped().row)


def test_a_time_limit_is_kept_and_said():
    accelerator = machine(buffer=65_536, keeps=(), may_keep=ROLES, bandwidth=0.25)
    layer = conv("large", K=240, C=240, P=120, Q=120, R=3, S=3)
    mapped("latency", accelerator, gemm(M=4, N=4, K=4))
    started = time.perf_counter()
    found = mapped("latency", accelerator, layer, Budget(seconds=0.3))
    assert not found.proven
    assert found.gap is None or found.gap > 0
    assert np.isfinite(found.energy_pj)
    assert time.perf_counter() - started < 60


def test_no_time_even_to_lay_tiles_out_still_finds_a_mapping():
    layer = conv("huge", K=720, C=720, P=240, Q=240, R=3, S=3)
    found = mapped("edp", layer=layer, budget=Budget(seconds=1e-6))
    assert not found.proven
    assert found.gap is None
    assert found.evaluations > 4096
    outermost = machine().evaluate(layer, np.zeros((1, len(found.row)), dtype=np.int64))
    assert found.energy_pj * found.cycles < (outermost.energy_pj * outermost.cycles)[0]


def test_evaluations_of_a_budget_count():
    found = mapped("edp", machine(bandwidth=0.25), budget=Budget(evaluations=1))
    assert found.proven or found.gap > 0


def test_choices_left_out_prove_nothing():
    found = mapped(accelerator=machine(keeps=(), may_keep=ROLES), bypass="fixed")
    assert not found.proven
    assert found.gap is None


def test_a_layer_that_fits_nowhere_is_infeasible():
    uniform = AccessEnergy.uniform
    levels = (Memory("PE", 2, uniform(1.0)), Memory("DRAM", None, uniform(9.0), is_dram=True))
    accelerator = SpatialAccelerator(Architecture("tiny", levels, Compute(1.0)))
    with pytest.raises(Infeasible):
        mapped(accelerator=accelerator)
    assert issubclass(Unmappable, Infeasible)


def test_other_machines_are_told_which_mapper_to_take():
    class Other(Accelerator):
        name = "other"
        key = "other"

        def mapspace(self, layer):
            raise NotImplementedError

        def evaluate(self, layer, rows):
            raise NotImplementedError

        def explain(self, layer, row):
            raise NotImplementedError

    with pytest.raises(CosearchError, match="SpatialAccelerator") as caught:
        mapped(accelerator=Other())
    assert "-m random" in caught.value.hint


def test_an_objective_beyond_energy_and_cycles_is_refused():
    with pytest.raises(CosearchError, match="area"):
        mapped("area")


def test_a_limit_of_nodes_ends_at_the_same_mapping_with_a_proven_gap():
    registry = load_registry(third_party=False)
    model = registry.find("hardware_models", "simba").make()
    layer = conv("conv", K=64, C=64, P=28, Q=28, R=3, S=3)
    objective, rng = registry.objective("edp"), np.random.default_rng(0)
    runs = [
        ExactMapper(nodes=3_000).map(model.build(model.baseline), layer, objective, Budget(), rng)
        for _ in range(2)
    ]
    assert runs[0].row.tolist() == runs[1].row.tolist()
    assert not runs[0].proven
    assert 0 < runs[0].gap < 1
    assert 3_000 <= runs[0].nodes < 20_000


def odd_machine():
    uniform = AccessEnergy.uniform
    levels = (
        Memory("PE", 64, uniform(1.0), mesh_x=3, mesh_y=3),
        Memory("DRAM", None, uniform(50.0), is_dram=True),
    )
    return SpatialAccelerator(Architecture("odd", levels, Compute(1.0, 3, 3)))


@pytest.mark.parametrize("scope", ["spatial", "all"])
def test_a_layer_is_run_rounded_up_where_that_is_better(scope):
    layer, accelerator = gemm(M=8, N=8, K=8), odd_machine()
    perfect = mapped(accelerator=accelerator, layer=layer)
    found = mapped(accelerator=accelerator, layer=layer, imperfect=scope)
    assert perfect.sizes is None
    assert perfect.partial is None
    assert found.sizes is not None
    assert found.proven
    assert found.energy_pj * found.cycles < perfect.energy_pj * perfect.cycles
    run = found.as_run(layer)
    again = accelerator.evaluate(run, found.row[None, :])
    assert (again.energy_pj[0], again.cycles[0]) == (found.energy_pj, found.cycles)
    assert found.partial.energy_pj < found.energy_pj
    assert found.partial.gap < 0.5


def test_rounding_up_undercuts_the_floor_of_the_layer_but_not_that_of_the_mapper():
    layer, accelerator = gemm(M=8, N=8, K=8), odd_machine()
    mapper = ExactMapper(imperfect="spatial")
    found = mapper.map(accelerator, layer, OBJECTIVE["latency"], Budget(), RNG)
    assert found.cycles < accelerator.floor(layer)[1]
    energy, cycles = mapper.floor(accelerator, layer)
    assert cycles <= found.cycles
    assert energy <= found.energy_pj
    assert ExactMapper().floor(accelerator, layer) == accelerator.floor(layer)


def test_an_odd_name_for_imperfect_factors_is_refused():
    with pytest.raises(CosearchError, match="imperfect"):
        load_registry(third_party=False).find("mappers", "exact:imperfect=some")


@pytest.fixture
def searches(monkeypatch):
    """Count the searches of the compiled solver."""
    from cosearch_plugins.mappers.exact.solve import Solver

    asked, solve = [], Solver.solve

    def counted(self, *args, **named):
        asked.append(args)
        return solve(self, *args, **named)

    monkeypatch.setattr(Solver, "solve", counted)
    return asked


def test_a_layer_of_another_name_is_not_searched_again(searches):
    mapper, accelerator = ExactMapper(), machine()

    def ask(name, objective="edp", accelerator=accelerator, budget=None):
        layer = conv(name, K=4, C=4, P=6, Q=6, R=3, S=3)
        goal = OBJECTIVE[objective]
        return mapper.map(accelerator, layer, goal, budget or Budget(), RNG)

    first = ask("one")
    assert len(searches) == 1
    second = ask("another")
    assert len(searches) == 1
    assert second.row.tolist() == first.row.tolist()
    assert ask("one", accelerator=machine()).energy_pj == first.energy_pj
    assert len(searches) == 1
    ask("one", "energy")
    ask("one", accelerator=machine(buffer=2048))
    ask("one", budget=Budget(evaluations=1))
    ask("one", budget=Budget(seconds=100.0))
    assert len(searches) == 5


def test_what_a_clock_ended_is_searched_again(monkeypatch):
    searches, search = [], ExactMapper._search

    def counted(*args):
        searches.append(args)
        return search(*args)

    monkeypatch.setattr(ExactMapper, "_search", counted)
    mapper, accelerator = ExactMapper(), machine()
    for _ in range(2):
        budget = Budget(seconds=1e-9)
        found = mapper.map(accelerator, LAYER, OBJECTIVE["edp"], budget, RNG)
        assert not found.proven
    assert len(searches) == 2
