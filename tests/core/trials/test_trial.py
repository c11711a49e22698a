import math

from attrs import evolve

from cosearch.mapping.result import NAMED, LayerResult, Unmapped
from cosearch.trials.trial import Ledger, Outcome, State, Trial


def layer(key, evaluations):
    return LayerResult(key, key, 1, (0,), 1.0, 1.0, evaluations=evaluations)


def trial(number, machine, *layers, unmapped=None, losses=(1.0,), state=State.OK):
    outcome = Outcome(state, "", None, machine, losses, {}, layers, unmapped)
    return Trial(number, (number,), {"x": number}, outcome)


def test_a_result_is_charged_to_the_first_trial_that_needs_it():
    ledger = Ledger()
    assert ledger.charge(trial(1, "A", layer("a", 10), layer("b", 5))) == 15
    assert ledger.charge(trial(2, "B", layer("a", 10))) == 10
    assert ledger.charge(trial(3, "A", layer("a", 10), layer("c", 3))) == 3


def test_mappings_priced_in_vain_are_charged_once_too():
    ledger = Ledger()
    vain = Unmapped("a", "fits nowhere", 1.0, 7)
    assert ledger.charge(trial(1, "A", unmapped=vain, state=State.INFEASIBLE)) == 7
    assert ledger.charge(trial(2, "A", unmapped=vain, state=State.INFEASIBLE)) == 0


def test_merit_is_the_product_of_losses_and_infinite_unless_ok():
    assert trial(1, "A", losses=(2.0, 3.0)).merit == 6.0
    assert trial(1, "A", state=State.INFEASIBLE).merit == math.inf


def test_a_repeated_trial_costs_no_time_and_keeps_the_outcome():
    first = trial(1, "A", layer("a", 10))
    again = first.repeated(5, (1,), 0.25)
    assert (again.number, again.think_seconds, again.outcome.seconds) == (5, 0.25, 0.0)
    assert again.outcome.losses == first.outcome.losses
    assert again.design == first.design


def test_a_layer_searched_further_is_charged_for_the_rest():
    ledger = Ledger()
    assert ledger.charge(trial(1, "A", layer("a", 10))) == 10
    assert ledger.charge(trial(2, "A", evolve(layer("a", 25), row=(9,)))) == 15
    assert ledger.charge(trial(3, "A", layer("a", 10))) == 0


def test_each_mapping_that_a_design_names_is_charged():
    ledger = Ledger()
    one = evolve(layer("a", 1), mapper=NAMED)
    assert ledger.charge(trial(1, "A", one)) == 1
    assert ledger.charge(trial(2, "A", evolve(one, row=(9,)))) == 1
    assert ledger.charge(trial(3, "A", one)) == 0
