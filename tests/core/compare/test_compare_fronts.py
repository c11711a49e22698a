"""Several objectives: hypervolumes by hand, and what is refused."""

import numpy as np
import pytest
from attrs import evolve

from cosearch.compare.contest import Case, Contest, Run
from cosearch.compare.fronts import judged, known_front, known_fronts
from cosearch.compare.outcome import Found, Result, RunOutcome
from cosearch.compare.scores import standing
from cosearch.errors import CosearchError
from cosearch.mapping.mapper import Budget
from cosearch.trials.spec import StudySpec

CASE = Case("machine", "net")


def made(strategy, seed, points):
    """Return a run whose trials found these points, None where infeasible."""
    spec = StudySpec("net", "machine", strategy, "exact", ("energy", "area"), seed=seed)
    feasible = [(i, p) for i, p in enumerate(points) if p is not None]
    at = np.array([i for i, _ in feasible], dtype=np.int64)
    found = Found(np.array([p for _, p in feasible], float).reshape(-1, 2), at + 1, at)
    return RunOutcome(
        Run(strategy, CASE, seed, spec),
        np.full(len(points), np.inf),
        np.arange(len(points)),
        len(points),
        0,
        0.5,
        2.0,
        proven=True,
        found=found,
    )


@pytest.fixture
def result():
    contenders, shared = ("good", "bad", "lost"), {"objective": "energy,area"}
    contest = Contest(contenders, ("machine",), ("net",), 1, Budget(trials=3), shared)
    good = made("good", 0, [(10, 2), (4, 4), (2, 10)])
    bad = made("bad", 0, [None, (10, 10), (8, 8)])
    return Result(contest, (good, bad, made("lost", 0, [None, None, None])))


def test_the_known_front_is_of_all_runs_together(result):
    front = known_front(result, CASE)
    assert [m.losses for m in front.members] == [(2, 10), (4, 4), (10, 2)]
    assert [(m.run.run.strategy, m.trial) for m in front.members] == [
        ("good", 3),
        ("good", 2),
        ("good", 1),
    ]
    assert front.reference == pytest.approx([11, 11])
    # a staircase of three: (11-2)(11-10) + (11-4)(10-4) + (11-10)(4-2), of 121
    assert front.share == pytest.approx((9 + 42 + 2) / 121)
    assert front.facts()["designs"][0]["losses"] == (2, 10)


def test_a_runs_loss_is_one_over_the_share_that_it_dominates(result):
    good, bad, lost = judged(result).outcomes
    assert 1 / good.losses == pytest.approx([9 / 121, (7 * 7 + 1 * 2) / 121, 53 / 121])
    assert 1 / bad.losses == pytest.approx([0, 1 / 121, 9 / 121])
    assert np.isinf(lost.losses).all()
    scores = {s.strategy: s for s in standing(judged(result)).scores}
    assert scores["good"].median == 1.0
    assert scores["bad"].median == pytest.approx(53 / 9)
    assert scores["lost"].median == np.inf


def test_one_objective_is_judged_by_its_losses(result):
    single = evolve(result, contest=evolve(result.contest, settings={"objective": "edp"}))
    assert judged(single) is single
    assert known_fronts(single) == []


def test_contenders_for_one_objective_are_refused_before_anything_runs(contest, registry):
    several = evolve(
        contest, strategies=("random", "annealing"), settings={"objective": "energy,latency"}
    )
    with pytest.raises(CosearchError, match=r"annealing.*takes one objective"):
        list(several.runs(registry))
