"""The fused-bit machine against the compute cycles that its authors' simulator printed."""

import numpy as np
import pytest

from cosearch.errors import Infeasible
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv
from cosearch_hardware.bit_fusion import DRAM_PJ_PER_BIT, UNIT_PJ, BitFusion
from cosearch_plugins.mappers.exact.mapper import ExactMapper

LATENCY = next(o for o in OBJECTIVES if o.name == "latency")
PRINTED = (  # hsharma35/bitfusion, results/bitfusion-eyeriss-sim-sweep.csv, port of 192 bits, batch
    # 16: cycles less cycles waited for memory; shapes and widths of its src/benchmarks
    ((128, 128, 32, 3), 2, 799_062 - 209_238),
    ((128, 256, 16, 3), 2, 402_091 - 107_179),
    ((256, 256, 16, 3), 2, 492_204 - 197_292),
    ((256, 512, 8, 3), 2, 255_318 - 107_862),
    ((512, 512, 8, 3), 2, 510_636 - 215_724),
    ((4096, 4096, 1, 1), 4, 394_583 - 263_511),
    ((8192, 1024, 1, 1), 2, 99_671 - 83_287),
)


def layer_of(shape, bits):
    channels, filters, side, kernel = shape
    found = conv("layer", N=16, K=filters, C=channels, P=side, Q=side, R=kernel, S=kernel)
    return found.with_bits({"Weights": bits, "Inputs": bits})


@pytest.mark.parametrize(("shape", "bits", "compute"), PRINTED)
def test_compute_cycles_are_the_simulators(shape, bits, compute):
    machine = BitFusion().build({})
    layer = layer_of(shape, bits)
    if shape[2] > 1:  # the others wait for their weights
        found = ExactMapper().map(machine, layer, LATENCY, Budget(), np.random.default_rng(0))
        assert found.cycles == compute
    rate = (8 // bits) ** 2
    steps = -(-shape[0] // (16 * rate)) * -(-shape[1] // 32) * 16 * shape[2] ** 2 * shape[3] ** 2
    assert steps == compute


def test_a_unit_does_more_products_of_narrower_operands():
    machine = BitFusion().build({})
    lanes = {}
    for bits in ((8, 8), (5, 4), (4, 4), (3, 2), (2, 2), (1, 1)):
        layer = conv("layer", K=64, C=512, P=4, Q=4).with_bits(
            {"Weights": bits[0], "Inputs": bits[1]}
        )
        (lanes[bits],) = machine.constraints_for(layer)["weights"].spatial_most.values()
    assert lanes == {(8, 8): 1, (5, 4): 2, (4, 4): 4, (3, 2): 8, (2, 2): 16, (1, 1): 16}


def test_prices_are_those_of_the_sources():
    machine = BitFusion().build({}).architecture
    weights, _, buffers, dram = machine.levels
    assert pytest.approx(7.347) == 16 * UNIT_PJ
    assert weights.energy.read == pytest.approx(0.683701 / 4)
    assert buffers.partitions["Inputs"].energy.fill == pytest.approx(3.63853 / 4)
    assert buffers.partitions["Outputs"].energy.update == pytest.approx(2.33869)
    assert dram.energy.read == 8 * DRAM_PJ_PER_BIT
    area = 512 * 27_752.83558 / 16 + 512 * 1_498.98 + 16 * 15_132 + 32 * 7_603.31
    assert BitFusion().build({}).area_mm2 == pytest.approx(area / 1e6)


def test_banks_that_nobody_published_are_refused():
    with pytest.raises(Infeasible, match="a bank of 64 bytes of weights"):
        BitFusion().build({"weight_kb": 32})
