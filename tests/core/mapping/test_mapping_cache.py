from __future__ import annotations

import json

import numpy as np
import pytest

from cosearch.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.einsum import gemm
from cosearch.errors import InputError
from cosearch.hardware import SpatialAccelerator
from cosearch.mapper import Mapped
from cosearch.mapping.cache import MappingCache, mapped_from_dict, mapped_to_dict
from cosearch.objective import OBJECTIVES

MAPPED = Mapped(np.array([3, 1]), 2.5, 7.0, proven=True, gap=0.0, nodes=4, mapper="exact")


def test_a_result_survives_json():
    again = mapped_from_dict(json.loads(json.dumps(mapped_to_dict(MAPPED))))
    assert mapped_to_dict(again) == mapped_to_dict(MAPPED)
    assert again.row.dtype == np.int64


@pytest.mark.parametrize("data", [{}, {"row": [], "energy_pj": 1.0, "cycles": 1.0, "odd": 1}])
def test_other_data_is_refused(data):
    with pytest.raises(InputError, match="stored mapping"):
        mapped_from_dict(data)


def test_the_name_of_a_layer_does_not_matter_but_its_machine_does():
    def machine(pj):
        memory = Memory("DRAM", None, AccessEnergy.uniform(pj))
        return SpatialAccelerator(Architecture("m", (memory,), Compute(1.0)))

    cache = MappingCache()
    key = cache.key(machine(1.0), gemm("a", M=2, N=2, K=2), OBJECTIVES[0], "exact")
    cache.put(key, MAPPED)
    same = cache.key(machine(1.0), gemm("b", M=2, N=2, K=2), OBJECTIVES[0], "exact")
    assert cache.get(same) is MAPPED
    for other in (
        cache.key(machine(2.0), gemm("a", M=2, N=2, K=2), OBJECTIVES[0], "exact"),
        cache.key(machine(1.0), gemm("a", M=2, N=2, K=4), OBJECTIVES[0], "exact"),
        cache.key(machine(1.0), gemm("a", M=2, N=2, K=2), OBJECTIVES[1], "exact"),
        cache.key(machine(1.0), gemm("a", M=2, N=2, K=2), OBJECTIVES[0], "exact:seconds=1"),
    ):
        assert cache.get(other) is None
    assert len(cache) == 1
