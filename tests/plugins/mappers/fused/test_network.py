"""Networks in groups: never worse than layer by layer, and the same where nothing is linked."""

from __future__ import annotations

import copy
import itertools
import pickle
from math import isclose

import pytest
from attrs import evolve

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.model.fused import group_cost
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory, Mode
from cosearch.mapping.fused import FusedMapping, value_of
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import gemm
from cosearch.workload.link import Link
from cosearch.workload.network import Layer, Network
from cosearch_plugins.mappers.exact.mapper import ExactMapper
from cosearch_plugins.mappers.fused import entries, group, mapper
from cosearch_plugins.mappers.fused.chain import multiplying
from cosearch_plugins.mappers.fused.items import items_of
from cosearch_plugins.mappers.fused.mapper import FusedMapper
from cosearch_plugins.mappers.fused.network import NetworkFuser, fuser

EDP, ENERGY = (next(o for o in OBJECTIVES if o.name == name) for name in ("edp", "energy"))
LAYERS = tuple(
    Layer(gemm(f"layer{i}", M=m, K=k, N=n))
    for i, (m, k, n) in enumerate(((8, 4, 8), (8, 8, 4), (8, 4, 8), (8, 8, 4)))
)
LINKS = tuple(Link(i, i + 1, "Inputs", (0, 1)) for i in range(3))


def machine(buffer: int) -> SpatialAccelerator:
    return SpatialAccelerator(
        Architecture(
            "small",
            (
                Memory("registers", 6, AccessEnergy.uniform(1.0), mesh_x=2, mesh_y=2),
                Memory("buffer", buffer, AccessEnergy.uniform(6.0)),
                Memory(
                    "dram", None, AccessEnergy.uniform(100.0), is_dram=True, shared_bandwidth=1.0
                ),
            ),
            Compute(1.0, 2, 2),
        )
    )


def fused(network: Network, buffer: int, objective: object = EDP, most: int = 4) -> FusedMapping:
    return FusedMapper().fuse(machine(buffer), network, objective, Budget(), most)


def test_without_links_a_network_is_mapped_layer_by_layer() -> None:
    found = fused(Network("net", LAYERS), 64)
    assert (found.energy_pj, found.cycles) == found.unfused
    assert not any(run.fused for run in found.runs)


def test_linked_layers_run_together_and_the_model_confirms_it() -> None:
    network = Network("net", LAYERS, links=LINKS)
    found = fused(network, 96)
    assert found.value < 0.9 * found.unfused_value
    assert found.gap == 0
    assert sum(len(run.layers) for run in found.runs) == 4
    for run in found.runs:
        assert group_cost(machine(96).architecture, run.group) == run.cost
        assert run.cost.room <= 96


@pytest.mark.parametrize("buffer", [24, 96])
def test_the_network_is_the_best_of_all_choices_of_two_weights(buffer: int) -> None:
    """No weighted sum of chains, over many weights, has a lower product."""
    network = Network("net", LAYERS, links=LINKS)
    found = fused(network, buffer)
    search = fuser(machine(buffer), ExactMapper(), 4, float("inf"), Budget())
    (item,) = items_of(network)
    for weight in (0.0, 1.0, 10.0, 30.0, 100.0, 300.0, 1000.0):
        best = search.chains.best(item.chain, (1.0, weight))
        assert value_of(EDP, (best.energy_pj, best.cycles)) >= found.value * (1 - 1e-9)


def test_equal_chains_are_one_and_longer_groups_are_never_worse() -> None:
    twice = tuple(itertools.chain(LAYERS[:2], LAYERS[:2]))
    network = Network("net", twice, links=(LINKS[0], evolve(LINKS[2])))
    (item,) = items_of(network)
    assert item.count == 2
    whole = Network("net", LAYERS, links=LINKS)
    values = [fused(whole, 96, ENERGY, most).value for most in (1, 2, 3, 4)]
    assert values == sorted(values, reverse=True)
    assert isclose(values[0], fused(whole, 96, ENERGY, 1).unfused_value)


def test_a_time_limit_ends_with_the_best_so_far_and_its_gap() -> None:
    network = Network("net", LAYERS, links=LINKS)
    best = fused(network, 96)
    late = FusedMapper(seconds=1e-9).fuse(machine(96), network, EDP, Budget(), 4)
    assert best.value <= late.value <= late.unfused_value * (1 + 1e-12)
    assert 0 < late.gap < 1
    assert late.value * (1 - late.gap) <= best.value * (1 + 1e-9)


@pytest.mark.parametrize("objective", [EDP, ENERGY])
def test_with_time_enough_a_limit_changes_nothing(objective) -> None:
    network = Network("net", LAYERS, links=LINKS)
    best = fused(network, 96, objective)
    hurried = FusedMapper(seconds=3600).fuse(machine(96), network, objective, Budget(), 4)
    assert [run.group for run in hurried.runs] == [run.group for run in best.runs]
    assert (hurried.gap, hurried.value) == (0, best.value)


@pytest.mark.parametrize("objective", [EDP, ENERGY])
def test_groups_are_searched_longer_and_longer_until_all_are_proven(objective, monkeypatch) -> None:
    """By a clock that ticks when it is read: the first rounds see few prefixes, and no proof."""
    clock, rounds = itertools.count(), []
    for module in (group, entries, mapper):
        monkeypatch.setattr(module.time, "perf_counter", lambda: float(next(clock)))
    network = Network("net", LAYERS, links=LINKS)
    best = fused(network, 96, objective)
    once = NetworkFuser._one_sum if objective is ENERGY else NetworkFuser._together

    def told(self: NetworkFuser, *of: object) -> object:
        found, gap = once(self, *of)
        rounds.append((self.search.patience, gap))
        return found, gap

    monkeypatch.setattr(NetworkFuser, once.__name__, told)
    found = FusedMapper(seconds=2000).fuse(machine(96), network, objective, Budget(), 4)
    patience, gaps = zip(*rounds, strict=True)
    assert len(rounds) > 1
    assert sorted(patience) == list(patience)
    assert all(gap > 0 for gap in gaps[:-1])
    assert (gaps[-1], found.gap) == (0, 0)
    assert isclose(found.value, best.value)


@pytest.mark.parametrize("seconds", [30, 100, 300, 1000])
def test_wherever_time_ends_what_is_claimed_holds(seconds, monkeypatch) -> None:
    clock = itertools.count()
    network = Network("net", LAYERS, links=LINKS)
    best = fused(network, 96)
    for module in (group, entries, mapper):
        monkeypatch.setattr(module.time, "perf_counter", lambda: float(next(clock)))
    found = FusedMapper(seconds=seconds).fuse(machine(96), network, EDP, Budget(), 4)
    assert best.value <= found.value * (1 + 1e-12) <= found.unfused_value * (1 + 2e-12)
    assert found.value * (1 - found.gap) <= best.value * (1 + 1e-9)


@pytest.mark.parametrize(("objective", "nodes"), [(EDP, 1), (ENERGY, 1), (EDP, 30)])
def test_a_node_limit_ends_with_the_best_so_far_and_its_gap(objective, nodes, monkeypatch) -> None:
    monkeypatch.setattr("cosearch_plugins.mappers.exact.solve.QUOTA", 4)
    network = Network("net", (*LAYERS, Layer(LAYERS[0].einsum, 2)), links=LINKS)
    best = fused(network, 96, objective)
    found = FusedMapper(nodes=nodes).fuse(machine(96), network, objective, Budget(), 4)
    assert best.value <= found.value * (1 + 1e-12) <= found.unfused_value * (1 + 2e-12)
    assert any(run.fused for run in found.runs)
    assert found.value * (1 - found.gap) <= best.value * (1 + 1e-9)
    assert found.gap > 0


@pytest.mark.parametrize("objective", [EDP, ENERGY])
def test_layers_of_other_widths_run_alone_and_what_groups_might_reach_stays_open(objective) -> None:
    """The same layers in words of 16 bits run together, which no claim about them rules out."""
    narrow = tuple(Layer(x.einsum.with_bits({"Weights": 8})) for x in LAYERS)
    found = fused(Network("net", narrow, links=LINKS), 96, objective)
    assert not any(run.fused for run in found.runs)
    assert found.value == pytest.approx(found.unfused_value)
    together = fused(Network("net", LAYERS, links=LINKS), 96, objective)
    assert together.value < found.value
    assert found.value * (1 - found.gap) < together.value


def test_a_floor_counts_the_mode_in_which_operands_are_multiplied() -> None:
    modes = (Mode(8, 8, 0.25), Mode(16, 16, 1.0, 2))
    architecture = evolve(machine(96).architecture, compute=Compute(1.0, 2, 2, modes=modes))
    layer = LAYERS[0].einsum
    assert multiplying(architecture, (layer,))[1] == layer.macs * 2 / 4
    both = (layer, layer.with_bits({"Weights": 8, "Inputs": 8}))
    energy, cycles = multiplying(architecture, both)
    assert energy == pytest.approx(layer.macs * (1.0 + 0.25))
    assert cycles == layer.macs * (2 + 1) / 4


def test_nothing_is_hurried_that_does_not_run() -> None:
    mapper = FusedMapper()
    with pytest.raises(KeyboardInterrupt):
        mapper.hurry()
    mapper.fuse(machine(96), Network("net", LAYERS, links=LINKS), EDP, Budget(), 4)
    with pytest.raises(KeyboardInterrupt):
        mapper.hurry()


def test_a_mapper_that_has_fused_is_copied() -> None:
    mapper, network = FusedMapper(), Network("net", LAYERS, links=LINKS)
    first = mapper.fuse(machine(96), network, EDP, Budget(), 4)
    pickled = pickle.loads(pickle.dumps(mapper))
    for copied in (copy.deepcopy(mapper), pickled):
        assert copied.fuse(machine(96), network, EDP, Budget(), 4).value == first.value
