"""Why mappings are invalid."""

import numpy as np

from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.machine.cost import CostBatch
from cosearch.mapping.rejection import Miss, Rejections
from cosearch.workload.einsum import gemm

BATCH = CostBatch(
    energy_pj=np.array([1.0, np.inf, np.inf, np.inf]),
    cycles=np.array([1.0, np.inf, np.inf, np.inf]),
    feasible=np.array([True, False, False, False]),
    reason=np.array([0, 2, 1, 2]),
    reasons=("feasible", "MAC: spread too far along X", "pe: tiles exceed the capacity (Weights)"),
    excess=np.array([1.0, 3.0, 2.0, 1.25]),
)


def test_counts_nearest_miss_and_what_to_relax():
    found = Rejections.of(BATCH)
    assert found.seen == 4
    assert found.rejected == 3
    assert found.misses == (Miss(BATCH.reasons[2], 2, 1.25), Miss(BATCH.reasons[1], 1, 2.0))
    assert found.nearest == found.misses[0]
    assert found.nearest.relax == "enlarge pe, or let a tensor bypass it"
    assert found.misses[1].relax == "widen the mesh along X, or lower the X factors above MAC"
    assert found.lines()[0] == "3 of 4 mappings rejected:"
    assert found.lines()[1] == (
        "  2 (50.0 %) pe: tiles exceed the capacity (Weights), the nearest by 25 %"
    )
    assert found.lines()[2].endswith("the nearest by a factor of 2")
    assert found.lines()[-1] == "to let more through: enlarge pe, or let a tensor bypass it"


def test_batches_add_up():
    twice = Rejections.of(BATCH) + Rejections.of(BATCH)
    assert twice.seen == 8
    assert twice.counts == {BATCH.reasons[2]: 4, BATCH.reasons[1]: 2}
    assert Rejections() + twice == twice


def test_nothing_rejected():
    assert Rejections(5).nearest is None
    assert Rejections(5).lines() == ("all 5 mappings fit",)
    assert Miss("a reason of another model", 1, 2.0).relax == ""


def test_every_reason_of_the_kernel_has_advice():
    one = AccessEnergy.uniform(1.0)
    levels = (Memory("pe", 20, one, mesh_x=2, mesh_y=2), Memory("DRAM", None, one))
    space = MapSpace(Architecture("machine", levels, Compute(1.0, 2, 2)), gemm(M=8, N=8, K=8))
    found = Rejections.of(space.pricer.price(space.sample(2000, np.random.default_rng(0))))
    assert (
        found.rejected
        == 2000 - space.pricer.price(space.sample(2000, np.random.default_rng(0))).feasible.sum()
    )
    assert len(found.misses) > 2
    assert all(miss.relax and miss.nearest > 1 for miss in found.misses)


def test_one_line_tells_the_most_frequent_reasons_and_the_nearest_miss():
    misses = (Miss("buffer: tiles exceed the capacity", 7, 1.05), Miss("MAC: no", 2, 3.0))
    found = Rejections(10, misses).in_short
    assert found.startswith("of 10 random mappings 9 are invalid: 7 buffer: tiles")
    assert "the nearest miss is by 5 %" in found
