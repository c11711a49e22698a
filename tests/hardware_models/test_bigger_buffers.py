"""With a fixed cost per access, more room never makes the optimum worse: mappings only join."""

import itertools

import numpy as np
import pytest

from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv, gemm
from cosearch_plugins.mappers.exact.mapper import ExactMapper

ENERGY = next(o for o in OBJECTIVES if o.name == "energy")
FIXED = "technology=eyeriss-relative,area=eyeriss-chip"
FREE = f"eyeriss:resources=free,area_limit_mm2=1000,{FIXED}"
GROWING = (
    (f"eyeriss:{FIXED}", "buffer_kb", (28, 56, 80, 108)),
    (FREE, "buffer_kb", (16, 64, 512)),
    (FREE, "spad_weights", (16, 64, 224, 512)),
    (FREE, "spad_inputs", (2, 6, 12, 48)),
    (FREE, "spad_outputs", (2, 8, 24, 96)),
    (f"gemmini:{FIXED}", "scratchpad_kb", (1, 8, 128)),
    (f"gemmini:{FIXED}", "accumulator_kb", (1, 4, 32)),
    (f"nvdla:{FIXED}", "buffer_kb", (32, 128, 1024)),
)
LAYERS = (
    conv("conv", K=32, C=16, P=28, Q=28, R=3, S=3),
    gemm("gemm", M=64, N=192, K=96),
)


SIMBA = (
    (f"simba:{FIXED}", "buffer_kb", (16, 64, 256)),
    (f"simba:{FIXED}", "weight_kb", (8, 32, 64)),
    (f"simba:{FIXED}", "sum_kb", (1, 3, 6)),
)
PRODUCT = gemm("product", M=512, N=512, K=256)
"""Large enough for Simba's memories to matter, and soon proven."""

CASES = [(*case, layer) for case in GROWING for layer in LAYERS]
CASES += [(*case, PRODUCT) for case in SIMBA]


@pytest.mark.parametrize(("spec", "parameter", "sizes", "layer"), CASES)
def test_a_bigger_memory_never_makes_the_optimal_energy_worse(spec, parameter, sizes, layer):
    model = load_registry(third_party=False).find("hardware_models", spec).make()
    mapper, optima = ExactMapper(), []
    for size in sizes:
        machine = model.build({parameter: size})
        found = mapper.map(machine, layer, ENERGY, Budget(), np.random.default_rng(0))
        assert found.proven
        optima.append(found.energy_pj)
    for small, large in itertools.pairwise(optima):
        assert large <= small * (1 + 1e-9)
