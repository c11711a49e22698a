"""Bounds from coarser bodies: below what a search of the body itself finds, and told at once."""

from __future__ import annotations

import itertools

import pytest

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import LevelConstraint
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import conv, gemm
from cosearch_plugins.mappers.fused.bodies import UNLIMITED, Bodies
from cosearch_plugins.mappers.fused.body import Question
from cosearch_plugins.mappers.fused.coarser import Coarser

MACHINE = Architecture(
    "small",
    (
        Memory("registers", 4, AccessEnergy.uniform(1.0), mesh_x=2),
        Memory("buffer", None, AccessEnergy(6.0, 6.0, 7.0)),
        Memory("dram", None, AccessEnergy.uniform(50.0), is_dram=True, shared_bandwidth=0.5),
    ),
    Compute(1.0, 2),
)

LAYERS = (gemm("a", M=4, K=2, N=4), conv("b", K=2, C=2, P=1, Q=4, S=3))


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
@pytest.mark.parametrize("weights", [(1.0, 0.0), (1.0, 40.0)])
def test_no_body_is_below_what_coarser_ones_tell(layer, weights) -> None:
    names = [t.name for t in layer.tensors]
    homes = [frozenset(h) for n in (2, 1, 0) for h in itertools.combinations(names, n)]
    cuts = [tuple(1 if d in ("K", "C", "S") else f for d in layer.dims) for f in (1, 2, 4)]
    told = 0
    for cut, home in itertools.product(cuts, homes):
        if any(size % by for size, by in zip(layer.sizes, cut, strict=True)):
            continue
        body = layer.resized(tuple(n // by for n, by in zip(layer.sizes, cut, strict=True)))
        bodies = Bodies(SpatialAccelerator(MACHINE))
        coarser = Coarser(layer, frozenset(names))
        for other in homes:
            if home <= other:
                whole = bodies.best(Question(layer, layer, other, UNLIMITED), weights)
                coarser.learn(layer, other, whole.least)
        found = bodies.best(Question(layer, body, home, UNLIMITED), weights)
        least = coarser.least(body, home)
        assert least <= found.least * (1 + 1e-12)
        told += least > 0.5 * found.least
    assert told


def test_less_at_home_tells_nothing() -> None:
    layer = LAYERS[0]
    coarser = Coarser(layer, frozenset({"Weights"}))
    coarser.learn(layer, frozenset({"Inputs"}), 7.0)
    assert coarser.least(layer, frozenset({"Inputs", "Weights"})) == 0
    assert coarser.least(layer, frozenset()) == 0  # inputs may pass the level: not kept in any case
    assert coarser.least(layer, frozenset({"Inputs"})) == 7


def test_rules_for_loops_outside_are_noticed() -> None:
    rules = {"dram": LevelConstraint(order=("M", "K", "N"))}
    assert Bodies(SpatialAccelerator(MACHINE, rules)).loops_prescribed(LAYERS[0])
    assert not Bodies(SpatialAccelerator(MACHINE)).loops_prescribed(LAYERS[0])
