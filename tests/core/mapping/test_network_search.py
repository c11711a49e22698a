"""The search over few directions against all fronts at once, and against every choice."""

import itertools

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.mapping.network_front import Front, best_combination
from cosearch.mapping.network_search import PROVEN, Answer, NetworkSearch, Product, Question

EDP, ED2P = Product(1, 1), Product(1, 2)

point = st.tuples(st.integers(1, 60), st.integers(1, 60))
layer = st.lists(point, min_size=1, max_size=12)
network = st.lists(st.tuples(layer, st.integers(1, 4)), min_size=1, max_size=5)


class Searched:
    """Layers with all their mappings known, which answer as a proving mapper would."""

    def __init__(self, layers, gaps=None):
        self.fronts = [Front(*np.array(points, dtype=np.float64).T) for points in layers]
        self.gaps = gaps or [0.0] * len(layers)
        self.questions = []
        self.answers = []

    def first(self, product):
        values = [product.of(f.energy_pj, f.cycles) for f in self.fronts]
        found = [self._answer(i, int(np.argmin(v))) for i, v in enumerate(values)]
        self.answers = [[answer] for answer in found]
        return found

    def ask(self, questions):
        self.questions += questions
        found = [
            self._answer(q.layer, int(np.argmin(self.fronts[q.layer].sums(q.weights))))
            for q in questions
        ]
        for question, answer in zip(questions, found, strict=True):
            self.answers[question.layer].append(answer)
        return found

    def floors(self, share):
        return [(share * f.energy_pj.min(), share * f.cycles.min()) for f in self.fronts]

    def _answer(self, layer, which):
        front = self.fronts[layer]
        return Answer(front.energy_pj[which], front.cycles[which], self.gaps[layer])


def searched(product, layers, counts, share=0.5, gaps=None):
    oracle = Searched(layers, gaps)
    search = NetworkSearch(product, counts, oracle.ask)
    return oracle, search.run(oracle.first(product), oracle.floors(share))


@settings(max_examples=300, deadline=None)
@given(network, st.sampled_from([EDP, ED2P]), st.sampled_from([0.0, 0.3, 0.9, 1.0]))
def test_it_finds_what_is_best_of_all_fronts_and_proves_it(network, product, share):
    layers, counts = zip(*network, strict=True)
    oracle, agreed = searched(product, layers, counts, share)
    exact = best_combination(oracle.fronts, counts, product.a, product.b)
    assert agreed.value == product.of(exact.energy_pj, exact.cycles)
    assert agreed.proven
    assert agreed.bound <= agreed.value
    chosen = [a[k] for a, k in zip(oracle.answers, agreed.combination.choice, strict=True)]
    assert agreed.combination.cycles == sum(
        n * x.cycles for n, x in zip(counts, chosen, strict=True)
    )


weights = st.tuples(st.integers(1, 9), st.integers(1, 9))


@settings(max_examples=300, deadline=None)
@given(network, st.sampled_from([EDP, ED2P]), st.sampled_from([0.0, 0.5, 1.0]), weights)
def test_first_answers_for_a_weighted_sum_prove_no_more_than_that(network, product, share, weights):
    layers, counts = zip(*network, strict=True)
    oracle = Searched(layers)
    oracle.answers = [[] for _ in layers]
    first = oracle.ask([Question(i, weights) for i in range(len(layers))])
    search = NetworkSearch(product, counts, oracle.ask)
    agreed = search.run([evolve(x, weights=weights) for x in first], oracle.floors(share))
    exact = best_combination(oracle.fronts, counts, product.a, product.b)
    assert agreed.value == product.of(exact.energy_pj, exact.cycles)
    assert agreed.proven


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(point, min_size=1, max_size=4), min_size=1, max_size=4))
def test_no_choice_of_mappings_is_better(layers):
    _, agreed = searched(EDP, layers, [1] * len(layers))
    sums = [np.sum(choice, axis=0) for choice in itertools.product(*layers)]
    assert agreed.value == min(e * t for e, t in sums)


@settings(max_examples=200, deadline=None)
@given(network, st.data())
def test_mappings_that_are_not_proven_leave_a_bound_that_holds(network, data):
    layers, counts = zip(*network, strict=True)
    gap = st.sampled_from([None, 0.0, 0.1, 0.5])
    gaps = [data.draw(gap) for _ in layers]
    oracle = Searched(layers, gaps)
    search = NetworkSearch(EDP, counts, oracle.ask)
    agreed = search.run(oracle.first(EDP), oracle.floors(0.5))
    # whatever is no further below the answers than the gaps allow may exist
    best = best_combination(
        [
            Front(f.energy_pj * (1 - (g or 0)) ** 0.5, f.cycles * (1 - (g or 0)) ** 0.5)
            for f, g in zip(oracle.fronts, gaps, strict=True)
        ],
        counts,
    )
    assert agreed.bound <= best.energy_pj * best.cycles * (1 + PROVEN)
    assert agreed.value >= agreed.bound
    asked = [(q.layer, q.weights) for q in oracle.questions]
    assert len(set(asked)) == len(asked)


def test_a_layer_gives_up_energy_for_the_sake_of_all_cycles():
    oracle, agreed = searched(EDP, [[(3.0, 31.0), (10.0, 10.0)], [(100.0, 1.0)]], [1, 1])
    assert agreed.combination.energy_pj == 110.0
    assert agreed.value == 1210.0
    assert agreed.proven
    alone = sum(x[0].energy_pj for x in oracle.answers) * sum(x[0].cycles for x in oracle.answers)
    assert alone > agreed.value


def test_a_layer_alone_needs_no_question():
    oracle, agreed = searched(EDP, [[(3.0, 31.0), (10.0, 10.0), (20.0, 6.0)]], [7])
    assert oracle.questions == []
    assert (agreed.gap, agreed.rounds) == (0.0, 0)


def test_layers_of_one_balance_need_no_question_either():
    oracle, agreed = searched(EDP, [[(8.0, 4.0), (20.0, 3.0)], [(4.0, 2.0)]], [1, 3])
    assert oracle.questions == []
    assert agreed.proven


def test_loose_layers_far_from_the_optimum_are_not_asked():
    flat = [(100.0 + k, 100.0 - k) for k in range(0, 90, 3)]
    oracle, agreed = searched(EDP, [flat] * 30, [1] * 30, share=0.9)
    assert agreed.proven
    assert len(oracle.questions) <= 90


@pytest.mark.parametrize("product", [EDP, ED2P])
def test_the_least_sum_where_a_product_has_a_value_is_on_its_tangent(product):
    weights = product.tangent(3.0, 7.0)
    here = weights[0] * 3.0 + weights[1] * 7.0
    assert product.least_sum(product.of(3.0, 7.0), weights) == pytest.approx(here, rel=1e-14)
    for energy in (1.0, 2.9, 3.1, 9.0):
        cycles = (product.of(3.0, 7.0) / energy) ** (1 / product.b)
        assert weights[0] * energy + weights[1] * cycles > here
