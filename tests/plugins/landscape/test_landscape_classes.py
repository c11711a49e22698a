"""Classes of networks with equal costs, and their sums, against networks one by one."""

import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.search.objective import OBJECTIVES, Constraint
from cosearch_plugins.landscape.classes import Classes

REGISTRY = load_registry()
CELLS = REGISTRY.find("network_spaces", "nasbench201").make()
VTA = REGISTRY.find("hardware_models", "vta").make()
CLASSES = Classes.of(CELLS, VTA)


def test_every_network_is_in_a_class_and_none_of_it_is_more_accurate():
    rows = CELLS.space.sample(300, np.random.default_rng(0))
    layers, counts = CELLS.counts(rows)
    place = [layers.index(layer) for layer in CLASSES.layers]
    accuracy = CELLS.accuracy(rows)
    for row, best in zip(counts[:, place], accuracy, strict=True):
        (k,) = np.flatnonzero((CLASSES.counts == row).all(axis=1))
        assert CLASSES.accuracy[k] >= best
    assert CLASSES.members.sum() == CELLS.space.size
    assert (CELLS.accuracy(CLASSES.rows) == CLASSES.accuracy).all()


def test_sums_are_those_of_the_networks_layer_by_layer():
    rng = np.random.default_rng(1)
    costs = rng.uniform(1, 9, size=(3, len(CLASSES.layers)))
    costs[2, 5] = np.inf
    sums = CLASSES.sums(costs)
    for k in rng.choice(len(CLASSES), 40, replace=False):
        network = CELLS.build(CLASSES.rows[k])
        for m in range(3):
            expected = sum(
                layer.count * costs[m, CLASSES.layers.index(layer.einsum)]
                for layer in network.layers
            )
            assert sums[m, k] == pytest.approx(expected, rel=1e-12)


def test_a_floor_keeps_the_accurate_classes():
    known = {o.name: o for o in OBJECTIVES}
    kept = CLASSES.within([Constraint.parse("accuracy>=94", known)])
    assert (kept.accuracy >= 94).all()
    assert len(kept) == (CLASSES.accuracy >= 94).sum() > 0


def test_a_space_too_large_is_refused():
    mobile = REGISTRY.find("network_spaces", "mobile-space").make()
    with pytest.raises(CosearchError, match="too large"):
        Classes.of(mobile, VTA)
