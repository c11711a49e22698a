import itertools

import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import CosearchError, PluginError
from cosearch.machine.cost import CostBatch
from cosearch.mapping.mapper import Budget, Unmappable
from cosearch.mapping.priced import priced
from cosearch.mapping.strategy_mapper import StrategyMapper
from cosearch.search.asked import asked_rows
from cosearch.search.objective import OBJECTIVES
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.study.building import make_hardware, make_mapper
from cosearch.workload.einsum import gemm

LAYER = gemm(M=16, N=16, K=16)
EDP, ENERGY = OBJECTIVES[0], OBJECTIVES[1]


@pytest.fixture
def machine(toy):
    return make_hardware("toy", toy).build({"pes": 8, "buffer": 64})


def search(toy, machine, mapper="toy-grid", objective=EDP, seed=0, layer=LAYER, **budget):
    budget = Budget(**budget)
    rng = np.random.default_rng(seed)
    return make_mapper(mapper, toy).map(machine, layer, objective, budget, rng)


def everything(machine, layer=LAYER):
    space = machine.mapspace(layer)
    rows = np.array(list(itertools.product(*(range(c) for c in space.cardinalities))))
    return rows, machine.evaluate(layer, rows)


@pytest.mark.parametrize("objective", [EDP, ENERGY])
@pytest.mark.parametrize("mapper", ["toy-grid", "random"])
def test_a_strategy_that_sees_everything_finds_the_best_mapping(toy, machine, objective, mapper):
    rows, costs = everything(machine)
    with np.errstate(invalid="ignore"):
        values = objective.of({"energy_pj": costs.energy_pj, "cycles": costs.cycles})
    found = search(toy, machine, mapper, objective, evaluations=10_000)
    assert objective.of({"energy_pj": found.energy_pj, "cycles": found.cycles}) == values.min()
    assert found.evaluations == len(rows)
    assert not found.proven
    assert sum(found.rejections.values()) == int((~costs.feasible).sum())


@pytest.mark.parametrize("fits", [True, False])
def test_one_way_to_run_a_layer_is_not_searched_and_found_alike(toy, machine, monkeypatch, fits):
    rows, costs = everything(machine)
    row = rows[np.flatnonzero(costs.feasible == fits)[0]]

    full, size = machine.mapspace(LAYER), 2

    class One(ParameterSpace):
        @property
        def size(self):
            return size

    chosen = zip(full.parameters, row, strict=True)
    space = One(tuple(Parameter(p.name, (p.choices[i],)) for p, i in chosen))
    monkeypatch.setattr(machine, "mapspace", lambda layer: space)  # noqa: ARG005
    told = []
    for size in (2, 1):  # noqa: B007 - the space reads it
        try:
            told.append(evolve(search(toy, machine, "random"), seconds=0.0))
        except Unmappable as verdict:
            told.append(verdict)
    one, other = map(str, told)
    assert one == other
    assert isinstance(told[0], Unmappable) is not fits


def test_the_first_of_equal_mappings_is_kept_and_is_a_copy(toy, machine):
    found = search(toy, machine, objective=ENERGY, evaluations=10_000)
    again = machine.evaluate(LAYER, found.row[None, :])
    assert (again.energy_pj[0], again.cycles[0]) == (found.energy_pj, found.cycles)
    assert found.row.base is None


def test_the_budget_is_kept_exactly(toy, machine):
    for n in (1, 7, 50, 51):
        assert search(toy, machine, evaluations=n).evaluations == n


def test_seconds_end_a_search(toy, machine):
    with pytest.raises(Unmappable, match="no mapping to try"):
        search(toy, machine, seconds=0.0, evaluations=10**9)


def test_one_seed_one_result(toy, machine):
    runs = [search(toy, machine, "evolutionary", seed=s, evaluations=60) for s in (1, 1, 2)]
    assert list(runs[0].row) == list(runs[1].row)
    assert runs[0].rejections == runs[1].rejections
    assert runs[0].rejections != runs[2].rejections


def test_nothing_feasible_names_the_nearest_miss(toy):
    tiny = make_hardware("toy", toy).build({"pes": 1, "buffer": 8})
    tiny.buffer = 2
    with pytest.raises(
        Unmappable, match=r"none of \d+ mappings.*the buffer overflows, 1.5 times"
    ) as e:
        search(toy, tiny, evaluations=1000)
    assert e.value.margins == {"the buffer overflows": 1.5}
    assert e.value.evaluations > 0


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise", "raised ValueError in evaluate: toys break"),
        ("nan", "energy_pj of nan"),
        ("negative", "energy_pj of -"),
        ("shape", "arrays of shapes"),
    ],
)
def test_an_accelerator_that_makes_no_sense_is_named(toy, fault, said):
    machine = make_hardware(f"toy:fault={fault}", toy).build({"pes": 4})
    with pytest.raises(PluginError, match=f"toy-4x32.*{said}"):
        search(toy, machine, evaluations=100)


def test_a_reason_without_a_text_is_refused(machine, monkeypatch):
    wrong = CostBatch(*(np.ones(1),) * 2, np.array([True]), np.array([5]))
    monkeypatch.setattr(machine, "evaluate", lambda *_: wrong)
    with pytest.raises(PluginError, match="a reason without a text"):
        priced(machine, LAYER, np.zeros((1, 3), dtype=np.int64))


@pytest.mark.parametrize(
    "answer", [np.zeros((2, 9)), np.zeros(3, dtype=int), np.zeros((9, 3), int)]
)
def test_rows_of_another_shape_or_type_are_refused(toy, machine, answer):
    space = machine.mapspace(LAYER)
    strategy = toy.find("strategies", "random").make(space, np.random.default_rng(0))
    strategy.ask = lambda _: answer
    with pytest.raises(PluginError, match=r"strategy 'me' of .* broke its contract: ask\(4\)"):
        asked_rows(strategy, 4, space, "me")


def test_every_strategy_is_a_mapper(toy):
    assert isinstance(make_mapper("evolutionary:population=8", toy), StrategyMapper)


def test_no_more_mappings_are_priced_than_there_is_time_for(toy, machine, monkeypatch):
    each = 100.0
    monkeypatch.setattr(
        type(machine), "pricing_seconds", lambda _, __, rows: np.full(len(rows), each)
    )
    at_once, evaluate = [], type(machine).evaluate
    monkeypatch.setattr(
        type(machine),
        "evaluate",
        lambda m, x, rows: at_once.append(len(rows)) or evaluate(m, x, rows),
    )
    search(toy, machine, "random", seconds=250.0, evaluations=30)
    assert max(at_once) == 2
    with pytest.raises(CosearchError, match="1 min 40 s to price one mapping, and 50"):
        search(toy, machine, "random", seconds=50.0)
