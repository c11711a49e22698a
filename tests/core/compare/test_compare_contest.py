"""What a contest consists of, and what it refuses."""

import pytest
from attrs import evolve

from cosearch.compare.contest import Contest
from cosearch.errors import CosearchError, UnknownNameError
from cosearch.mapping.mapper import Budget


def test_every_contender_meets_every_case_with_every_seed(contest, registry):
    runs = list(contest.runs(registry))
    assert len(runs) == 2 * 2 * 2
    assert len({run.spec.name for run in runs}) == len(runs)
    assert {run.spec.seed for run in runs} == {0, 1}
    assert len({run.spec.mapper for run in runs}) == 1


def test_seeds_are_outermost(contest, registry):
    assert [run.seed for run in contest.runs(registry)] == [0] * 4 + [1] * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strategies": ("random",)}, "at least two strategies"),
        ({"strategies": ("random", "random")}, "named twice"),
        ({"budget": Budget()}, "needs a budget"),
    ],
)
def test_unfair_or_empty_contests_are_refused(contest, change, message):
    with pytest.raises(CosearchError, match=message):
        evolve(contest, **change)


def test_a_misspelled_contender_is_found_before_anything_runs(registry):
    contest = Contest(("random", "evolutionari"), ("systolic",), ("gemm",), 1, Budget(trials=1))
    with pytest.raises(UnknownNameError, match="evolutionari"):
        list(contest.runs(registry))


def test_pruning_is_part_of_a_contender(contest, registry):
    both = evolve(contest, strategies=("random", "random+prune"))
    runs = list(both.runs(registry))
    assert {(run.strategy, run.spec.strategy, run.spec.prune) for run in runs} == {
        ("random", "random", False),
        ("random+prune", "random", True),
    }
    assert len({run.spec.name for run in runs}) == len(runs)
