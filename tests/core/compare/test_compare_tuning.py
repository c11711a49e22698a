"""Tuning: the same for every contender, on other problems, and only what its options declare."""

import numpy as np
import pytest
from attrs import evolve

from cosearch.compare.contest import Case, Run
from cosearch.compare.fronts import judged
from cosearch.compare.outcome import Found, Result, RunOutcome, collect
from cosearch.compare.running import run_all
from cosearch.compare.tuning import (
    SEEDS,
    Tuning,
    choose,
    configurations,
    tuning_workloads,
    worth_trying,
)
from cosearch.errors import CosearchError
from cosearch.registry.registry import split_spec
from cosearch.search.parameters import Parameter
from cosearch.store.store import Store
from cosearch.trials.spec import StudySpec

ELSEWHERE = "gemm:M=32,N=128,K=64"


@pytest.fixture
def tuning(contest):
    return Tuning(evolve(contest, workloads=contest.workloads[:1]), 3, (ELSEWHERE,))


def test_a_contenders_own_configuration_comes_first_and_more_only_add(registry):
    eight = configurations("evolutionary:population=4", 8, registry)
    assert eight[0] == "evolutionary:population=4"
    assert len(set(eight)) == 8
    assert configurations("evolutionary:population=4", 5, registry) == eight[:5]


def test_what_the_user_wrote_is_not_tuned(registry):
    for text in configurations("evolutionary:population=4", 8, registry):
        assert split_spec(text)[1]["population"] == "4"


def test_a_contender_without_options_has_one_configuration(registry):
    assert configurations("random", 8, registry) == ("random",)


def test_a_contender_with_few_options_has_as_many_configurations_as_there_are(registry):
    found = configurations("relax-and-round:candidates=300,confidence=1.0,warmup=5", 99, registry)
    assert 1 < len(found) == len(set(found)) < 99


def test_limits_of_a_free_option_are_not_tried():
    free = Parameter("rate", (1, 2, 3, 1000), 2, free=True)
    assert worth_trying(free) == (2, 3)
    assert worth_trying(evolve(free, default=1)) == (1, 2, 3)
    assert worth_trying(evolve(free, free=False)) == (1, 2, 3, 1000)
    assert worth_trying(Parameter("file", ("",), "", free=True)) == ("",)


def test_no_contender_is_tuned_on_what_is_compared(registry):
    with pytest.raises(CosearchError, match="has seen it before"):
        tuning_workloads(["gemm:M=64,K=64,N=64"], ["gemm:N=64,M=64,K=64"], registry)
    assert tuning_workloads([], ["alexnet"], registry) == ["resnet18"]
    assert tuning_workloads([], ["vgg16"], registry) == ["alexnet"]


def test_every_contender_is_granted_the_same(tuning, registry):
    candidates = tuning.candidates(registry)
    assert [len(texts) for texts in candidates.values()] == [1, 3]
    rehearsal = tuning.rehearsal(registry)
    runs = list(rehearsal.runs(registry))
    assert len(runs) == 4 * SEEDS
    assert rehearsal.budget == tuning.contest.budget
    assert {run.case.workload for run in runs} == {ELSEWHERE}


def test_cut_short_and_continued_it_chooses_the_same(tuning, registry, tmp_path):
    def rehearsed(*parts):
        path = tmp_path / f"{len(parts)}.db"
        rehearsal = tuning.rehearsal(registry)
        runs = list(rehearsal.runs(registry))
        for part in parts:
            run_all(runs[part], rehearsal.budget, path, registry, workers=1)
        with Store(path, write=False) as store:
            found = choose(tuning, judged(collect(rehearsal, runs, store)), registry)
        return evolve(found, tuned=tuple(evolve(t, seconds=0.0) for t in found.tuned))

    whole = rehearsed(slice(None))
    assert rehearsed(slice(5), slice(None)) == whole
    assert whole.applied(tuning.contest).tuned["random"] == "random"


def made(text, seed, losses):
    losses = np.array(losses, dtype=float)
    run = Run(
        text, Case("systolic", ELSEWHERE), seed, StudySpec("w", "h", text, "exact", seed=seed)
    )
    found = Found(losses[:, None], np.arange(1, 3), np.arange(2))
    return RunOutcome(run, losses, 10 * np.arange(1, 3), 2, 0, 0.5, 2.0, proven=True, found=found)


def test_the_best_configuration_is_chosen_and_what_it_took_is_counted(tuning, registry):
    own, second, third = tuning.candidates(registry)["evolutionary:population=4"]
    finals = {"random": 1.0, own: 4.0, second: 2.0, third: 4.0}
    outcomes = [made(t, i, [8.0, best]) for t, best in finals.items() for i in range(SEEDS)]
    result = Result(tuning.rehearsal(registry), tuple(outcomes))
    random, tuned = choose(tuning, result, registry).tuned
    assert (random.tried, random.changes) == (1, "nothing to tune")
    assert (tuned.text, tuned.before, tuned.after) == (second, 2.0, 1.0)
    assert (tuned.runs, tuned.trials, tuned.evaluations) == (9, 18, 180)
    assert tuned.seconds == 9 * 2.5
    assert tuned.changed


def test_of_equal_configurations_the_contenders_own_stays(tuning, registry):
    texts = tuning.rehearsal(registry).strategies
    outcomes = [made(t, i, [8.0, 1.0]) for t in texts for i in range(SEEDS)]
    result = Result(tuning.rehearsal(registry), tuple(outcomes))
    assert choose(tuning, result, registry).tuned[1].changes == "as it was"


def test_a_configuration_for_one_objective_is_not_tried_for_several(contest, registry):
    several = evolve(
        contest, strategies=("random", "nsga2"), settings={"objective": "energy,latency"}
    )
    assert len(Tuning(several, 3, (ELSEWHERE,)).candidates(registry)["nsga2"]) == 3
