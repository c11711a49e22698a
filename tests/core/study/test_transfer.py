import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import CosearchError
from cosearch.search.parameters import ParameterSpace
from cosearch.study.warm_start import Known
from cosearch.trials.trial import Outcome, State


def test_a_study_starts_from_the_trials_of_another(study_of, toy):
    study = study_of(trials=20)
    space = study.problem.space
    known = Known.of(study.in_order, space)
    assert len(known.rows) + known.skipped == len(list(study.in_order))
    assert len(np.unique(known.rows, axis=0)) == len(known.rows)
    best = known.rows[known.losses[:, 0].argmin()]
    assert space.decode(best) == study.best.configuration
    strategy = toy.find("strategies", "evolutionary").make(space, np.random.default_rng(0))
    known.tell(strategy)
    asked = strategy.ask(5)
    assert len(np.unique(np.concatenate([known.rows, asked]), axis=0)) == len(known.rows) + len(
        asked
    )


def test_infeasible_trials_are_told_and_broken_ones_are_not(study_of):
    study = study_of(trials=6)
    trials = [trial for trial in study.in_order if trial.number]
    first, second = trials[0], trials[1]
    first = evolve(first, outcome=Outcome(State.INFEASIBLE, "too large"))
    second = evolve(second, outcome=Outcome(State.FAILED, "broke down"))
    known = Known.of([first, second], study.problem.space)
    assert known.feasible.tolist() == [False]
    assert np.isinf(known.losses).all()
    assert known.skipped == 1


def test_designs_that_the_space_does_not_have_are_skipped(study_of):
    study = study_of(trials=6)
    space = study.problem.space
    other = ParameterSpace(space.parameters[:-1])
    assert len(Known.of(study.in_order, other).rows) == 0
    few = evolve(
        space.parameters[0],
        choices=space.parameters[0].choices[:1],
        default=space.parameters[0].choices[0],
    )
    smaller = ParameterSpace((few, *space.parameters[1:]), space.rules)
    known = Known.of(study.in_order, smaller)
    assert (known.rows[:, 0] == 0).all()
    assert known.skipped > 0


def test_different_objectives_do_not_mix(study_of):
    one = study_of(trials=3, name="one")
    two = study_of(trials=3, name="two", strategy="random", objective="energy,latency")
    with pytest.raises(CosearchError, match="different numbers"):
        Known.of([*one.in_order, *two.in_order], one.problem.space)
