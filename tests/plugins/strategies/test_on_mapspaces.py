"""Every strategy on the mappings of a layer: a space with features and an encoding of its own."""

import numpy as np
import pytest

from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve

REGISTRY = load_registry(third_party=False)
FAST = {
    "surrogate-tree": "surrogate-tree:candidates=50,trees=20,warmup=5",
    "relax-and-round": "relax-and-round:candidates=100",
    "optuna": "optuna:startup=5",
    "pymoo": "pymoo:population=8",
}


@pytest.fixture(scope="module")
def machine_and_layer():
    model = REGISTRY.find("hardware_models", "eyeriss").make()
    layer = resolve("conv:N=1,C=8,K=16,P=14,Q=14,R=3,S=3", REGISTRY).layers[0].einsum
    return model.build(model.baseline), layer


@pytest.mark.parametrize(
    "name",
    sorted({*REGISTRY.names("strategies")} - {"outside", "smac", "botorch", "nevergrad"}),
)
def test_searches_mappings(machine_and_layer, name):
    machine, layer = machine_and_layer
    space = machine.mapspace(layer)
    named = REGISTRY.find("strategies", FAST.get(name, name))
    strategy, asked = named.make(space, np.random.default_rng(0)), []
    for _ in range(4):
        rows = strategy.ask(8)
        batch = machine.evaluate(layer, rows)
        strategy.tell(rows, (batch.energy_pj * batch.cycles)[:, None], batch.feasible)
        asked.append(rows)
    rows = np.concatenate(asked)
    assert space.feasible(rows).all()
    assert len(np.unique(rows, axis=0)) == len(rows) == 32
