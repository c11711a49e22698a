"""SCALE-Sim's configuration files are arrays, and their cycles are SCALE-Sim's."""

import math

import numpy as np
import pytest

from cosearch.errors import InputError
from cosearch.hooks.discovery import load_registry
from cosearch.study.building import make_hardware
from cosearch.workload.einsum import gemm
from cosearch_hardware.systolic.config import ScaleSimMachine

CONFIG = """
[general]
run_name = small

[architecture_presets]
ArrayHeight:    1
ArrayWidth:     24
IfmapSramSzkB:  64
FilterSramSzkB: 64
OfmapSramSzkB:  64
IfmapOffset:    0
Dataflow:       ws
Bandwidth:      10
MemoryBanks:    1

[run_presets]
InterfaceBandwidth: CALC
"""


@pytest.fixture
def config(tmp_path):
    def write(text=CONFIG):
        path = tmp_path / "scale.cfg"
        path.write_text(text)
        return path

    return write


def test_sizes_of_a_file(config):
    array = ScaleSimMachine(config()).build({}).array
    assert (array.rows, array.cols, array.dataflow) == (1, 24, "ws")
    assert (array.input_kb, array.weight_kb, array.output_kb) == (64, 64, 64)
    assert array.dram_bits_per_cycle == math.inf


def test_a_bandwidth_of_the_users(config):
    array = ScaleSimMachine(config(CONFIG.replace("CALC", "USER"))).build({}).array
    assert array.dram_bits_per_cycle == 3 * 8 * 10


@pytest.mark.parametrize("dataflow", ["ws", "os", "is"])
def test_a_product_of_one_on_one_cell(config, dataflow):
    """A 1x1x1 product costs 2R + C - 1 cycles (ws, is) or R + C - 1 (os): 2 and 1 on one cell."""
    text = CONFIG.replace("24", "1").replace("Dataflow:       ws", f"Dataflow: {dataflow}")
    machine = ScaleSimMachine(config(text)).build({})
    layer = gemm(M=1, N=1, K=1)
    space = machine.mapspace(layer)
    costs = machine.evaluate(layer, np.zeros((1, len(space.parameters)), np.int64))
    assert costs.cycles[0] == (1 if dataflow == "os" else 2)


def test_sparsity_is_named(config):
    model = ScaleSimMachine(config(f"{CONFIG}[sparsity]\nSparsitySupport: true\n"))
    assert any("priced as dense" in note for note in model.notes)


def test_a_file_is_hardware(config):
    model = make_hardware(str(config()), load_registry(third_party=False))
    assert isinstance(model, ScaleSimMachine)
    assert model.baseline == {}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[architecture_presets]", "[presets]", "it has no [architecture_presets]"),
        ("ArrayHeight:    1", "ArrayHeight: 0", "ArrayHeight: '0' is not a whole number"),
        ("FilterSramSzkB: 64", "", "FilterSramSzkB: '' is not a whole number"),
        ("Dataflow:       ws", "Dataflow: rs", "'rs' is not ws, os or is"),
        ("CALC", "SOME", "'SOME' is neither CALC nor USER"),
        ("run_name = small", "run_name", "is no configuration of SCALE-Sim"),
    ],
)
def test_what_is_wrong_is_told(config, old, new, told):
    assert old in CONFIG
    with pytest.raises(InputError) as caught:
        ScaleSimMachine(config(CONFIG.replace(old, new)))
    assert told in str(caught.value)
