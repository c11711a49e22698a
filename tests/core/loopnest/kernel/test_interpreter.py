"""The compiled kernel equals the reference model, bit for bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cosearch.errors import Infeasible
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.loopnest.validity import InvalidMapping

SLOW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
EXHAUSTIVE = settings(SLOW, max_examples=2000)
MAPPINGS = 24


def space_of(architecture, layer):
    try:
        return MapSpace(architecture, layer)
    except Infeasible:
        assume(False)


def varied_rows(space, rng):
    """Return rows half of which fit, where any are found."""
    fitting, _ = space.sample_feasible(MAPPINGS // 2, rng, 4000)
    return np.concatenate([fitting, space.sample(MAPPINGS - len(fitting), rng)])


def verdict_of(space, mapping):
    """Return the reference model's analysis and None, or None and the rule that is broken."""
    try:
        return analyse(space.architecture, space.layer, mapping), None
    except InvalidMapping as broken:
        return None, broken


def assert_equal_to_reference(space, rows, costs=None):
    costs = costs or space.pricer.price(rows)
    for i, row in enumerate(rows):
        mapping = space.mapping_of(row)
        wanted, broken = verdict_of(space, mapping)
        assert costs.feasible[i] == (broken is None), (mapping, broken)
        if broken is None:
            assert costs.excess[i] == 1.0
            assert costs.cycles[i] == wanted.cycles, mapping
            assert costs.energy_pj[i] == wanted.energy_pj, mapping
        else:
            reason = costs.reasons[costs.reason[i]]
            assert reason.startswith(f"{broken.place}: {broken.rule.value}")
            assert costs.excess[i] == (broken.used / broken.allowed if broken.allowed else np.inf)
            assert np.isinf([costs.energy_pj[i], costs.cycles[i]]).all()


def check(data, layers, machines):
    space = space_of(data.draw(machines), data.draw(layers))
    rows = varied_rows(space, np.random.default_rng(data.draw(st.integers(0, 2**32))))
    assert_equal_to_reference(space, rows)


@SLOW
@given(st.data())
def test_layers(cases, data):
    check(data, cases.layers, cases.plain_machines)


@SLOW
@given(st.data())
def test_rules_of_counting(cases, data):
    check(data, cases.layers, cases.ruled_machines)


@SLOW
@given(st.data())
def test_any_einsum(cases, data):
    check(data, cases.any_einsum, cases.ruled_machines)


@pytest.mark.exhaustive
@EXHAUSTIVE
@given(st.data())
def test_everything_at_length(cases, data):
    check(data, st.one_of(cases.layers, cases.any_einsum), cases.ruled_machines)
