"""Many machines priced at once against building each and trying every schedule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import Infeasible
from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget, Unmappable
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.elementwise import ADD, AVERAGE, pointwise, pool

REGISTRY = load_registry()
MAPPER = REGISTRY.find("mappers", "exhaustive").make()
BY_NAME = {o.name: o for o in OBJECTIVES}
LAYERS = (
    conv("a", N=1, K=16, C=8, P=6, Q=4, R=3, S=3),
    conv("b", N=2, K=8, C=16, P=4, Q=4, R=1, S=1, stride=(2, 2)),
    gemm("g", M=4, N=12, K=20),
    pool("m", AVERAGE, N=1, C=8, P=4, Q=4, R=2, S=2, stride=(2, 2)),
    pointwise("s", ADD, N=1, C=16, P=4, Q=4, operands=("NCPQ",)),
)


def by_mapper(model, row, layer, objective):
    """Return what the mapper proves for one machine; infinities where it cannot be run."""
    try:
        machine = model.build(model.space.decode(row))
        found = MAPPER.map(machine, layer, objective, Budget(), np.random.default_rng(0))
    except (Infeasible, Unmappable):
        return np.inf, np.inf
    return found.energy_pj, found.cycles


@pytest.mark.parametrize("stack", ["apache", "intel"])
@pytest.mark.parametrize("objective", ["latency", "edp"])
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_it_equals_the_mapper_machine_by_machine(stack, objective, seed):
    spec = f"vta:stack={stack},rules=hidden,device=asic"
    model = REGISTRY.find("hardware_models", spec).make()
    rng, objective = np.random.default_rng(seed), BY_NAME[objective]
    rows = np.concatenate([model.space.sample(20, rng), _near_the_default(model, rng)])
    found = model.price_many(rows, LAYERS, objective)
    for i, row in enumerate(rows):
        try:
            area = model.build(model.space.decode(row)).area_mm2
            assert found.built[i]
            assert found.area_mm2[i] == area
        except Infeasible:
            assert not found.built[i]
            assert np.isnan(found.area_mm2[i])
            assert np.isinf(found.cycles[i]).all()
            continue
        for j, layer in enumerate(LAYERS):
            energy, cycles = by_mapper(model, row, layer, objective)
            here = found.energy_pj[i, j], found.cycles[i, j]
            assert here == (energy, cycles) or np.isclose(here, (energy, cycles), rtol=1e-12).all()


def _near_the_default(model, rng):
    """Return a few machines a step or two from the default, most of which can be built."""
    start = model.space.index(model.space.defaults)
    rows = np.repeat(start[None], 5, axis=0)
    return model.space.perturb(model.space.perturb(rows, rng), rng)
