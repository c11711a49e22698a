"""What machines that ship do with elements that are not as wide as their words."""

import pytest

from cosearch.errors import Infeasible
from cosearch.machine.widths import mixed, stored
from cosearch.workload.einsum import gemm
from cosearch_hardware.bit_fusion import BitFusion
from cosearch_hardware.bit_serial import BitSerial
from cosearch_hardware.eyeriss.model import Eyeriss
from cosearch_hardware.gemmini.model import Gemmini
from cosearch_hardware.nvdla import Nvdla
from cosearch_hardware.simba import Simba

LAYER = gemm(M=16, N=16, K=16)
NARROW = LAYER.with_bits({"Weights": 4, "Inputs": 7, "Outputs": 20})


def bits(make, layer):
    """Return, memory by memory, the bits that weights, inputs and outputs take where kept."""
    machine = make().build({}).architecture
    return {
        memory.name: tuple(
            stored(machine, memory, t).bits if t.role in memory.keeps else None
            for t in layer.tensors
        )
        for memory in machine.levels
    }


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            Gemmini,
            {
                "register": (8, None, None),
                "accumulator": (None, None, 32),
                "scratchpad": (8, 8, None),
                "DRAM": (8, 8, 32),
            },
        ),
        (
            Eyeriss,
            {"scratchpads": (16, 16, 32), "buffer": (None, 16, 32), "DRAM": (16, 16, 32)},
        ),
        (
            Nvdla,
            {
                "register": (8, None, None),
                "accumulator": (None, None, 34),
                "buffer": (8, 8, None),
                "DRAM": (8, 8, 24),
            },
        ),
        (
            Simba,
            {
                "register": (8, None, None),
                "pe_buffers": (8, 8, 24),
                "buffer": (None, 8, 24),
                "DRAM": (8, 8, 24),
            },
        ),
        (
            BitFusion,
            {
                "weights": (4, None, None),
                "accumulator": (None, None, 32),
                "buffers": (None, 8, 32),
                "DRAM": (4, 7, 20),
            },
        ),
        (BitSerial, {"sums": (None, None, 32), "buffers": (4, 7, None), "DRAM": (4, 7, 20)}),
    ],
)
def test_narrow_elements_are_stored_as_the_machine_can(make, expected):
    assert bits(make, NARROW) == expected


@pytest.mark.parametrize("make", [Gemmini, Eyeriss, Nvdla, Simba])
def test_what_nothing_states_is_a_word_and_wider_operands_are_refused(make):
    machine = make().build({})
    width = machine.architecture.compute.word_bits
    assert not mixed(machine.architecture, LAYER)
    assert machine.mapspace(LAYER.with_bits({"Weights": width - 1}))
    with pytest.raises(Infeasible, match=f"bits, not of {width + 1} x {width}"):
        machine.mapspace(LAYER.with_bits({"Weights": width + 1}))
