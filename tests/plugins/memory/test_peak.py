"""The least peak against every order of execution, and by hand on networks that are known."""

import math

import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.workload.dataflow import Dataflow, Step
from cosearch_plugins.memory.peak import least_peak


def peak_of(flow, order):
    """Return the words alive at one time in an order, counted tensor by tensor."""
    there = set(range(len(flow.words))) - {t for step in flow.steps for t in step.writes}
    most = 0
    left = list(order)
    while True:
        needed = {t for i in left for t in flow.steps[i].reads} | flow.results
        there &= needed
        if not left:
            return max(most, sum(flow.words[t] for t in there))
        step = flow.steps[left.pop(0)]
        there |= set(step.writes)
        most = max(most, sum(flow.words[t] for t in there))


def brute(flow, order=()):
    """Return the least peak of all orders that begin so; infinite where one breaks off."""
    if len(order) == len(flow.steps):
        return peak_of(flow, order)
    made = {t for i in order for t in flow.steps[i].writes}
    late = {t for step in flow.steps for t in step.writes} - made
    left = [i for i in range(len(flow.steps)) if i not in order]
    ready = [i for i in left if not late & set(flow.steps[i].reads)]
    return min(brute(flow, (*order, i)) for i in ready)


def random_flow(rng, steps):
    """Return steps that read any earlier tensors, write one or two, and keep some."""
    words = [int(rng.integers(1, 20)) for _ in range(int(rng.integers(1, 3)))]
    made = []
    for i in range(steps):
        count = int(rng.integers(0, min(3, len(words)) + 1))
        reads = tuple(int(t) for t in rng.choice(len(words), count, replace=False))
        writes = tuple(range(len(words), len(words) + int(rng.integers(1, 3))))
        words += [int(rng.integers(0, 20)) for _ in writes]
        made.append(Step(f"s{i}", reads, writes))
    kept = frozenset(int(t) for t in range(len(words)) if rng.random() < 0.2)
    return Dataflow(tuple(words), tuple(made), kept)


def check(flow, limit=20_000):
    found = least_peak(flow, limit)
    least = brute(flow)
    assert sorted(found.order) == list(range(len(flow.steps)))
    assert peak_of(flow, found.order) == found.words
    assert peak_of(flow, range(len(flow.steps))) == found.as_written
    assert found.bound <= least <= found.words <= found.as_written
    return found, least


def test_least_peak_is_that_of_the_best_of_all_orders():
    rng = np.random.default_rng(0)
    better = 0
    for _ in range(500):
        found, least = check(random_flow(rng, int(rng.integers(1, 6))))
        assert found.proven
        assert found.words == least
        better += found.as_written > least
    assert better > 50  # orders matter in these cases


@pytest.mark.exhaustive
def test_least_peak_of_larger_graphs():
    rng = np.random.default_rng(1)
    for _ in range(200):
        found, least = check(random_flow(rng, 7))
        assert found.words == least


def test_a_search_that_is_cut_short_has_a_bound_and_an_order():
    rng = np.random.default_rng(2)
    gaps = [check(random_flow(rng, 5), limit=1)[0].gap for _ in range(200)]
    assert any(gap > 0 for gap in gaps)


def test_no_steps():
    assert least_peak(Dataflow((3, 4), (), frozenset((0,)))).words == 3


def chain(words):
    steps = [Step(f"s{i}", (i,), (i + 1,)) for i in range(len(words) - 1)]
    return Dataflow(tuple(words), tuple(steps), frozenset((len(words) - 1,)))


def test_a_chain_needs_its_largest_input_and_output():
    assert least_peak(chain([3, 8, 5, 9, 1])).words == 14


def test_a_residual_block_needs_one_map_more():
    steps = (Step("a", (0,), (1,)), Step("b", (1,), (2,)), Step("add", (0, 2), (3,)))
    assert least_peak(Dataflow((5, 5, 5, 5), steps, frozenset((3,)))).words == 15
    assert least_peak(chain([5, 5, 5, 5])).words == 10


def test_two_branches_run_the_one_that_shrinks_first():
    steps = (
        Step("wide", (0,), (1,)),
        Step("wide too", (0,), (2,)),
        Step("narrow", (1,), (3,)),
        Step("narrow too", (2,), (4,)),
        Step("add", (3, 4), (5,)),
    )
    flow = Dataflow((4, 40, 40, 1, 1, 1), steps, frozenset((5,)))
    found = least_peak(flow)
    assert (found.words, found.as_written) == (4 + 40 + 1, 84)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ((Step("a", (1,), (0,)), Step("b", (0,), (1,))), "no earlier step"),
        ((Step("a", (), (0,)), Step("b", (), (0,))), "there already"),
        ((Step("a", (7,), (0,)),), "names tensors"),
    ],
)
def test_what_is_no_dataflow_is_refused(steps, told):
    with pytest.raises(CosearchError, match=told):
        Dataflow((1, 1), steps)


def test_gap_is_relative_to_the_bound():
    found = least_peak(chain([1, 1]))
    assert math.isclose(found.gap, 0.0)
