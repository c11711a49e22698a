from attrs import evolve

from cosearch.mapping.mapper import Budget, Mapper
from cosearch.mapping.task import MappingTask
from cosearch.search.objective import OBJECTIVES, weighted_sum


class Chance(Mapper):
    def map(self, accelerator, layer, objective, budget, rng):
        raise NotImplementedError


class Exact(Chance):
    uses_rng = False


class Forgetful(Chance):
    remembered = False


TASK = MappingTask(Chance(), "chance", OBJECTIVES[0])


def test_a_purpose_holds_all_that_decides_a_mapping():
    changes = [
        {},
        {"name": "other"},
        {"objective": OBJECTIVES[1]},
        {"budget": Budget(evaluations=5)},
        {"budget": Budget(seconds=5.0)},
        {"seed": 1},
    ]
    assert len({evolve(TASK, **change).purpose() for change in changes}) == len(changes)
    assert TASK.purpose(weighted_sum(1, 2)) != TASK.purpose()
    assert TASK.remembered_by().endswith(TASK.purpose())


def test_without_chance_all_seeds_share_results_and_streams():
    one, other = (evolve(TASK, mapper=Exact(), seed=seed) for seed in (0, 1))
    assert one.purpose() == other.purpose()
    draws = {task.rng("m", "l", OBJECTIVES[0]).integers(1 << 60) for task in (one, other)}
    assert len(draws) == 1


def test_a_stream_depends_on_machine_layer_aim_and_seed():
    other = evolve(TASK, seed=1)
    streams = [
        TASK.rng("m", "l", OBJECTIVES[0]),
        TASK.rng("n", "l", OBJECTIVES[0]),
        TASK.rng("m", "k", OBJECTIVES[0]),
        TASK.rng("m", "l", OBJECTIVES[1]),
        other.rng("m", "l", OBJECTIVES[0]),
    ]
    assert len({rng.integers(1 << 60) for rng in streams}) == len(streams)


def test_what_is_not_worth_remembering_has_no_name():
    assert evolve(TASK, mapper=Forgetful()).remembered_by() == ""
