from __future__ import annotations

import signal
import time

import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import CosearchError
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    CostRules,
    Link,
    Memory,
)
from cosearch.workload.einsum import conv, gemm
from cosearch_plugins.mappers.exact import problem as problem_module
from cosearch_plugins.mappers.exact.arrays import Aim
from cosearch_plugins.mappers.exact.orders import order_classes
from cosearch_plugins.mappers.exact.problem import OrderTables
from cosearch_plugins.mappers.exact.solve import Limits, Solver

AIMS = {
    "edp": Aim(1, 1),
    "energy": Aim(1, 0),
    "latency": Aim(0, 1),
    "ed2p": Aim(1, 2),
    "mostly energy": Aim.weighted(1, 0.25),
    "mostly cycles": Aim.weighted(0.5, 64),
}


def disagreements(small_case, seeds):
    """Return how many cases were compared, and (seed, objective, found, least) of the others."""
    tables = OrderTables()
    compared, wrong = 0, []
    for seed in seeds:
        case = small_case(seed)
        if case is None:
            continue
        compared += 1
        solver = Solver(case.space, tables)
        for name, aim in AIMS.items():
            found = solver.solve(aim)
            least = aim.value(case.energy_pj, case.cycles).min(initial=np.inf)
            got = aim.value(found.energy_pj, found.cycles) if found.mapping else np.inf
            if not found.proven or got != least:
                wrong.append((seed, name, got, least))
    return compared, wrong


def agree(case_of, seeds, at_least):
    """Assert that all cases agree, and that there were enough of them."""
    compared, wrong = disagreements(case_of, seeds)
    assert wrong == []
    assert compared > at_least


def test_equals_brute_force_to_the_last_digit(small_case):
    agree(small_case, range(160), 50)


def test_odd_axes_and_rules_equal_brute_force_too(odd_case):
    agree(odd_case, range(120), 60)


def test_tensors_of_several_widths_equal_brute_force_too(wide_case):
    agree(wide_case, range(45), 15)


def test_machines_of_one_memory_equal_brute_force_too(flat_case):
    agree(flat_case, range(80), 50)


def test_spatial_factors_do_not_hang_on_the_pieces_they_are_listed_in(small_case, monkeypatch):
    for case in filter(None, map(small_case, range(30))):
        whole = Solver(case.space).problem
        with monkeypatch.context() as patched:
            patched.setattr(problem_module, "PAIRS", 5)
            pieces = Solver(case.space).problem
        for name in ("spread_id", "spread_x", "spread_y", "spread_used"):
            assert np.array_equal(getattr(whole, name), getattr(pieces, name))


def test_alike_spatial_factors_take_the_least_of_x():
    levels = (
        Memory("PE", 64, AccessEnergy.uniform(1.0), mesh_x=4, mesh_y=4),
        Memory("DRAM", None, AccessEnergy.uniform(200.0), is_dram=True),
    )
    machine = Architecture("square", levels, Compute(1.0, 4, 4))
    problem = Solver(MapSpace(machine, gemm(M=16, N=1, K=1))).problem
    extent = problem.extent[:, 0]
    split = dict(zip(extent[problem.spread_id], extent[problem.spread_x], strict=True))
    assert split == {1: 1, 2: 1, 4: 1, 8: 2, 16: 4}


def test_one_memory_with_a_network_is_refused(flat_case):
    space = next(case.space for case in map(flat_case, range(9)) if case)
    (memory,) = space.architecture.levels
    wired = evolve(space.architecture, levels=(evolve(memory, network_below=Link(1.0, 0.0)),))
    with pytest.raises(CosearchError, match="one memory with a network: L0"):
        Solver(MapSpace(wired, space.layer))


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", range(30_000, 33_000, 500))
def test_tensors_of_several_widths_equal_brute_force_on_many_cases(wide_case, first):
    agree(wide_case, range(first, first + 500), 150)


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", range(10_000, 17_000, 500))
def test_equals_brute_force_on_thousands_of_cases(small_case, first):
    agree(small_case, range(first, first + 500), 150)


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", range(20_000, 23_000, 500))
def test_odd_axes_and_rules_equal_brute_force_on_many_cases(odd_case, first):
    agree(odd_case, range(first, first + 500), 150)


@pytest.mark.parametrize(
    ("dropped", "seeds"),
    [(0, range(60)), pytest.param(-1, range(600), marks=pytest.mark.exhaustive)],
)
def test_the_comparison_notices_a_missing_order_class(small_case, monkeypatch, dropped, seeds):
    def fewer(*args):
        classes = order_classes(*args)
        return [c for c in classes if c is not classes[dropped]] if len(classes) > 1 else classes

    monkeypatch.setattr(problem_module, "order_classes", fewer)
    _, wrong = disagreements(small_case, seeds)
    assert wrong


def eyeriss(entries=55_296, **dram):
    uniform = AccessEnergy.uniform
    return Architecture(
        "eyeriss-like",
        (
            Memory("PE", 256, uniform(1.0), mesh_x=14, mesh_y=12),
            Memory("buffer", entries, uniform(6.0)),
            Memory("DRAM", None, uniform(200.0), is_dram=True, **dram),
        ),
        Compute(1.0, 14, 12),
    )


LAYER = conv("3x3", K=128, C=128, P=28, Q=28, R=3, S=3)


def test_the_winner_costs_what_the_reference_model_says():
    space = MapSpace(eyeriss(read_bandwidth=4.0), LAYER)
    found = Solver(space).solve(Aim(1, 1))
    cost = analyse(space.architecture, LAYER, found.mapping)
    assert found.proven
    assert (cost.energy_pj, cost.cycles) == (found.energy_pj, found.cycles)
    again = analyse(space.architecture, LAYER, space.mapping_of(space.row_of(found.mapping)))
    assert (again.energy_pj, again.cycles) == (found.energy_pj, found.cycles)


def test_no_mapping_within_limits_is_proven_too():
    solver = Solver(MapSpace(eyeriss(), LAYER))
    fastest = solver.solve(Aim(0, 1))
    found = solver.solve(Aim(1, 0, np.inf, fastest.cycles - 1))
    assert found.mapping is None
    assert found.proven


def test_a_search_cut_short_says_by_how_much_it_may_miss():
    solver = Solver(MapSpace(eyeriss(read_bandwidth=0.25, write_bandwidth=0.25), LAYER))
    best = solver.solve(Aim(1, 1))
    cut = solver.solve(Aim(1, 1), Limits(evaluations=1))
    assert not cut.proven
    least = cut.energy_pj * cut.cycles * (1 - cut.gap)
    assert least <= best.energy_pj * best.cycles <= cut.energy_pj * cut.cycles


def test_what_is_known_of_other_mappings_changes_nothing_but_the_work(small_case):
    aims = (Aim(1, 1), Aim.weighted(1.0, 3.0), Aim(1, 0))
    less = searched = 0
    for seed in range(40):
        case = small_case(seed)
        if case is None:
            continue
        cold = [Solver(case.space).solve(aim) for aim in aims]
        if cold[0].mapping is None:
            continue
        solver = Solver(case.space)
        for aim, found in zip(aims, cold, strict=True):
            known = min(aim.value(other.energy_pj, other.cycles) for other in cold)
            again = solver.solve(aim, known=known)
            assert again.mapping == found.mapping
            assert (again.energy_pj, again.cycles) == (found.energy_pj, found.cycles)
            assert again.proven
            assert again.nodes <= found.nodes
            less += again.nodes < found.nodes
            searched += 1
    assert searched > 60
    assert less > 10


def test_a_deadline_in_the_past_still_yields_a_mapping():
    solver = Solver(MapSpace(eyeriss(), LAYER))
    solver.solve(Aim(1, 1))
    found = solver.solve(Aim(1, 1), Limits(deadline=time.perf_counter()))
    assert found.mapping is not None


def test_limits_hold():
    limits = Limits.starting(time.perf_counter(), None, 5)
    assert not limits.reached(4)
    assert limits.reached(5)
    assert Limits.starting(time.perf_counter() - 1, 0.5).reached(0)


def test_bypass_left_open_is_never_worse():
    uniform = AccessEnergy.uniform
    roles = ("Weights", "Inputs", "Outputs")
    machine = Architecture(
        "open",
        (
            Memory("PE", 64, uniform(1.0), mesh_x=4, mesh_y=4),
            Memory("buffer", 4096, uniform(20.0), keeps=(), may_keep=roles),
            Memory("DRAM", None, uniform(30.0), is_dram=True),
        ),
        Compute(1.0, 4, 4),
    )
    space = MapSpace(machine, gemm(M=16, N=16, K=16))
    everything = Solver(space, open_bypass=False)
    assert everything.narrowed
    kept = everything.solve(Aim(1, 1))
    free = Solver(space).solve(Aim(1, 1))
    assert free.energy_pj * free.cycles < kept.energy_pj * kept.cycles


def test_a_rule_without_a_proof_is_refused():
    rules = CostRules(link_transfers=True)
    machine = Architecture("odd", eyeriss().levels, Compute(1.0, 14, 12), rules=rules)
    with pytest.raises(CosearchError, match="no proof"):
        Solver(MapSpace(machine, LAYER))


def test_a_weighted_sum_between_two_mappings_finds_both_ends():
    solver = Solver(MapSpace(eyeriss(read_bandwidth=1.0), LAYER))
    cheapest, fastest = solver.solve(Aim(1, 0)), solver.solve(Aim(0, 1))
    nearly_energy = solver.solve(Aim.weighted(1, 1e-9))
    nearly_cycles = solver.solve(Aim.weighted(1e-9, 1))
    assert nearly_energy.energy_pj == pytest.approx(cheapest.energy_pj, rel=1e-12)
    assert nearly_cycles.cycles == fastest.cycles
    assert nearly_cycles.energy_pj <= fastest.energy_pj


@pytest.mark.parametrize("weights", [(-1, 1), (0, 0), (np.inf, 1), (np.nan, 1)])
def test_weights_that_say_nothing_are_refused(weights):
    with pytest.raises(CosearchError, match="weights"):
        Aim.weighted(*weights)


def test_a_value_to_beat_prunes_and_keeps_the_proof():
    solver = Solver(MapSpace(eyeriss(), LAYER))
    aim = Aim.weighted(1, 100)
    best = solver.solve(aim)
    least = aim.value(best.energy_pj, best.cycles)
    primed = solver.solve(aim, below=least * (1 + 1e-9))
    beaten = solver.solve(aim, below=least)
    assert primed.mapping == best.mapping
    assert primed.nodes <= best.nodes
    assert beaten.mapping is None
    assert beaten.proven


def test_an_interrupt_ends_a_search_and_the_next_one_is_sound():
    roles = ("Weights", "Inputs", "Outputs")
    uniform = AccessEnergy.uniform
    machine = Architecture(
        "open",
        (
            Memory("PE", 256, uniform(1.0), mesh_x=14, mesh_y=12, keeps=(), may_keep=roles),
            Memory("buffer", 55_296, uniform(6.0), keeps=(), may_keep=roles),
            Memory("DRAM", None, uniform(200.0), is_dram=True),
        ),
        Compute(1.0, 14, 12),
    )
    aim = Aim(1, 1)
    solver = Solver(MapSpace(machine, LAYER))
    solver.solve(aim, Limits(nodes=1))

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            solver.solve(aim)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert solver.solve(aim, Limits(nodes=1)).mapping is not None
