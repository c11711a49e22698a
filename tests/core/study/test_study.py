from cosearch.mapping.result import LayerResult
from cosearch.store.records import Header
from cosearch.study.study import Study
from cosearch.trials.spec import StudySpec
from cosearch.trials.trial import Outcome, State, Trial

HEADER = Header("x", StudySpec("w", "h", "s", "m"))


def trial(number, *losses, state=State.OK, violation=None, design=None):
    layers = (LayerResult("a", "a", 1, (0,), 1.0, 1.0, evaluations=10),)
    outcome = Outcome(state, "", violation, f"machine {number}", losses, {}, layers)
    return Trial(number, (number,), {"x": design or number}, outcome)


def study(*trials):
    found = Study(HEADER, None)
    for one in trials:
        found.add(one)
    return found


def test_an_empty_study_has_nothing():
    empty = study()
    assert (empty.best, empty.nearest, empty.front, empty.evaluations) == (None, None, [], 0)


def test_the_best_is_the_first_of_least_loss_whatever_the_order_of_arrival():
    assert study(trial(3, 1.0), trial(1, 2.0), trial(2, 1.0)).best.number == 2


def test_the_baseline_is_no_trial_and_is_not_charged():
    found = study(trial(0, 0.5), trial(1, 2.0))
    assert found.baseline.number == 0
    assert found.best.number == 1
    assert found.evaluations == 10


def test_infeasible_trials_are_counted_and_the_nearest_is_known():
    found = study(
        trial(1, state=State.INFEASIBLE, violation=2.0),
        trial(2, state=State.INFEASIBLE),
        trial(3, state=State.INFEASIBLE, violation=0.5),
        trial(4, state=State.FAILED),
    )
    assert found.best is None
    assert found.nearest.number == 3
    assert (found.count(State.INFEASIBLE), found.count(State.FAILED)) == (3, 1)


def test_the_front_holds_each_design_once():
    found = study(
        trial(1, 1.0, 3.0, design=1),
        trial(2, 2.0, 2.0),
        trial(3, 2.0, 3.0),
        trial(4, 1.0, 3.0, design=1),
        trial(5, 3.0, 1.0),
    )
    assert [t.number for t in found.front] == [1, 2, 5]
    assert found.best.number == 1
