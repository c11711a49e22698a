"""The least words under a window, against the reads of every mapping of small layers."""

import numpy as np
import pytest

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.model.window_floor import least_sent
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import conv

FREE = AccessEnergy.uniform(0.0)


def fewest_reads(layer):
    """Return the least words of Inputs that DRAM is read, over all mappings."""
    levels = (Memory("buffer", 10**6, FREE), Memory("DRAM", None, FREE))
    machine = SpatialAccelerator(Architecture("two", levels, Compute(0.0)))
    space = machine.mapspace(layer)
    rows = np.indices(tuple(space.cardinalities)).reshape(len(space.names), -1).T
    return min(
        tensor.reads
        for row in rows[:: max(1, len(rows) // 20_000)]
        for tensor in machine.explain(layer, row).levels[-1].tensors
        if tensor.tensor == "Inputs"
    )


@pytest.mark.parametrize(
    "sizes",
    [
        {"P": 4, "R": 3},
        {"P": 6, "R": 2},
        {"P": 4, "R": 2, "stride": (2, 1)},
        {"P": 4, "stride": (2, 1)},
        {"P": 3, "R": 3, "stride": (3, 1)},
        {"P": 2, "Q": 3, "R": 2},
        {"C": 2, "P": 4, "R": 3},
    ],
    ids=str,
)
def test_it_is_the_least_of_all_mappings(sizes):
    layer = conv(**{"K": 1, "C": 1, "P": 1, "Q": 1, "R": 1, "S": 1} | sizes)
    inputs = next(t for t in layer.tensors if t.role == "Inputs")
    assert least_sent(layer, inputs) == fewest_reads(layer)


def test_a_whole_tensor_is_sent_once():
    layer = conv(K=4, C=6, P=1, Q=1, R=3, S=3)
    weights = next(t for t in layer.tensors if t.role == "Weights")
    assert least_sent(layer, weights) == layer.words(weights)
