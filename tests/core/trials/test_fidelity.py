import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.trials.fidelity import (
    Bill,
    attained,
    by_whole_trial,
    layers_at,
    scale,
    spent,
    spoken_for,
)
from cosearch.trials.trial import Outcome, State, Trial
from cosearch.workload.einsum import gemm
from cosearch.workload.network import Layer, Network

FAILED = Outcome(State.FAILED)
SIZES = (64, 8, 32, 8, 128)
NETWORK = Network(
    "n", tuple(Layer(gemm(f"l{i}", M=s, N=4, K=s + i), 1) for i, s in enumerate(SIZES))
)


def trial(design, fidelity=1.0):
    return Trial(1, (), {"n": design}, FAILED, 0.0, fidelity)


def test_the_heaviest_layers_come_first_and_stay_in_order_of_execution():
    assert [layer.name for layer in layers_at(NETWORK, 0.2)] == ["l4"]
    assert [layer.name for layer in layers_at(NETWORK, 0.4)] == ["l0", "l4"]
    assert [layer.name for layer in layers_at(NETWORK, 0.6)] == ["l0", "l2", "l4"]
    assert layers_at(NETWORK, 1.0) == NETWORK.unique


def test_repeats_weigh():
    one, other = gemm("a", M=8, N=8, K=8), gemm("b", M=8, N=8, K=16)
    network = Network("n", (Layer(other), Layer(one, 3)))
    assert layers_at(network, 0.5) == (Layer(one, 3),)


@given(st.floats(0.001, 1.0), st.floats(0.001, 1.0))
def test_what_is_judged_cheaply_is_judged_in_full_too(low, high):
    low, high = sorted((low, high))
    cheap, dear = layers_at(NETWORK, low), layers_at(NETWORK, high)
    assert set(cheap) <= set(dear)
    assert len(cheap) / 5 == attained(NETWORK, low) <= attained(NETWORK, high)
    assert abs(attained(NETWORK, low) - low) <= 0.5 / 5 + 1e-9 or len(cheap) == 1
    assert scale(NETWORK, cheap) >= scale(NETWORK, dear) >= 1.0


def test_the_whole_network_is_not_extrapolated():
    assert scale(NETWORK, layers_at(NETWORK, 1.0)) == 1.0


@given(st.lists(st.sampled_from([1 / 5, 2 / 5, 4 / 5]), unique=True))
def test_going_up_step_by_step_costs_what_a_whole_trial_does(steps):
    bill = Bill()
    costs = [bill.charge(trial("a", f)) for f in [*sorted(steps), 1.0]]
    assert np.isclose(sum(costs), 1.0)
    assert bill.total == pytest.approx(1.0)


def test_whole_trials_count_one_each_even_repeated():
    assert spent([trial("a"), trial("b"), trial("a")]) == [1.0, 2.0, 3.0]


def test_what_was_charged_already_is_not_charged_again():
    assert spent([trial("a", 0.5), trial("a", 0.5), trial("a", 0.25)]) == [0.5, 0.5, 0.5]


def test_a_bill_goes_on_from_another_without_changing_it():
    first = Bill()
    first.charge(trial("a", 0.25))
    second = Bill(first)
    assert second.charge(trial("a")) == 0.75
    assert first.total == 0.25
    assert first.charge(trial("a")) == 0.75


def test_a_design_refused_outright_is_judged_in_full():
    assert spoken_for(0.1, Outcome.failed("hung")) == 1.0
    assert spoken_for(0.1, Outcome(State.INFEASIBLE, "too large", 0.5, "m")) == 1.0
    added_up = {"energy_pj": 1.0, "cycles": 1.0}
    assert spoken_for(0.1, Outcome(State.INFEASIBLE, "too slow", metrics=added_up)) == 0.1
    assert spoken_for(0.1, Outcome(State.OK, metrics=added_up)) == 0.1


def test_an_estimate_is_no_result():
    ok = Outcome(State.OK, losses=(2.0,))
    whole, cheap = Trial(1, (), {}, ok), Trial(2, (), {}, ok, fidelity=0.5)
    assert whole.ok
    assert whole.merit == 2.0
    assert not cheap.ok
    assert cheap.merit == np.inf
    assert cheap.repeated(3, (), 0.0).fidelity == 0.5


def test_whole_trials_are_groups_of_their_own():
    trials = [trial("a"), trial("b"), trial("a")]
    assert by_whole_trial(trials) == [[t] for t in trials]
    assert by_whole_trial([]) == []


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from([0.2, 0.4, 0.6, 0.8, 1.0]))))
def test_judgements_are_grouped_by_the_whole_trials_they_come_to(judgements):
    trials = [trial(design, fidelity) for design, fidelity in judgements]
    groups = by_whole_trial(trials)
    assert [t for group in groups for t in group] == trials
    totals = iter(spent(trials))
    for n, group in enumerate(groups, 1):
        for _ in group:
            assert n - 1 - 1e-6 < next(totals) < n + 1e-6
