"""The conformance kit, and what only this machine promises."""

import itertools

import numpy as np
import pytest
from cosearch_vector.machine import REASONS, VectorMachine
from cosearch_vector.model import Vector

import cosearch
from cosearch.errors import Infeasible
from cosearch.hooks.discovery import load_registry
from cosearch.workload.einsum import gemm
from cosearch_plugins.kit.check import check_named


def test_it_conforms():
    assert [each.why for each in check_named(load_registry(), "vector") if each.why] == []


def test_a_whole_product_in_the_scratchpad_moves_every_word_once():
    machine, layer = VectorMachine(4, 16384, 1), gemm("g", M=4, N=4, K=8)
    cost = machine.explain(layer, np.array([4, 3]))  # blocks of 16, slices of 8
    assert cost.levels[2].energy_pj == 200.0 * (16 * 8 + 8 + 16)
    assert cost.cycles == max(8 * 4, 16 * 8 + 8 + 16)


def test_the_best_mapping_is_no_worse_than_any():
    machine, layer = VectorMachine(8, 256, 2), gemm("g", M=8, N=4, K=16)
    space = machine.mapspace(layer)
    rows = np.array(list(itertools.product(*(range(int(c)) for c in space.cardinalities))))
    costs = machine.evaluate(layer, rows)
    least = (costs.energy_pj * costs.cycles)[costs.feasible].min()
    found = cosearch.map(layer, Vector().build({"lanes": 8, "scratchpad": 256, "port": 2}))
    assert found.energy_pj * found.cycles >= least
    assert not costs.feasible.all()
    assert "scratchpad" in REASONS[1]


def test_a_design_that_is_too_large_says_by_how_much():
    with pytest.raises(Infeasible, match="larger than"):
        Vector().build({"lanes": 64, "scratchpad": 16384, "port": 8})
