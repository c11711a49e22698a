import numpy as np

from cosearch.loopnest.model.floor import floor
from cosearch.loopnest.model.reference import analyse
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv
from cosearch_hardware.bit_serial import BitSerial
from cosearch_plugins.mappers.exact.mapper import ExactMapper

LATENCY = next(o for o in OBJECTIVES if o.name == "latency")
EDGE = {"rows": 16, "columns": 16, "lanes": 16, "dram_bits": 16}
DEPTHWISE = conv("depthwise", G=32, K=1, C=1, P=16, Q=16, R=3, S=3)
EXPAND = conv("expand", K=384, C=96, P=8, Q=8, N=16)
CLASSIFIER = conv("classifier", K=1000, C=1280, P=1, Q=1, N=16)


def cycles(layer, w, a, machine=EDGE):
    accelerator = BitSerial().build(machine)
    run = layer.with_bits({"Weights": w, "Inputs": a})
    rng = np.random.default_rng(0)
    return ExactMapper().map(accelerator, run, LATENCY, Budget(), rng).cycles


def test_the_default_is_the_repository_s():
    machine = BitSerial().build({})
    binary = 2 * machine.architecture.compute.instances * machine.clock_mhz * 1e6
    assert round(binary / 1e12, 1) == 6.6
    assert int(binary / 1e11) == 65


def test_a_pass_a_pair_of_bits():
    layer = conv("layer", K=8, C=64, P=8, Q=8)
    machine = BitSerial().build({}).architecture
    full = layer.with_bits({"Weights": 8, "Inputs": 8})
    one = layer.with_bits({"Weights": 1, "Inputs": 1})
    assert floor(machine, full)[1] > floor(machine, one)[1]
    space = BitSerial().build({}).mapspace(full)
    row = space.sample_feasible(1, np.random.default_rng(0), 20000)[0][0]
    found = analyse(machine, full, space.mapping_of(row))
    assert found.busy == 64 * found.steps


def test_depthwise_layers_are_flat_in_weight_bits():
    assert cycles(DEPTHWISE, 8, 8) <= 1.16 * cycles(DEPTHWISE, 1, 8)
    assert cycles(DEPTHWISE, 8, 8) > 1.3 * cycles(DEPTHWISE, 8, 2)


def test_expanding_layers_follow_both_widths():
    assert 1.9 <= cycles(EXPAND, 8, 8) / cycles(EXPAND, 4, 8) <= 2.0
    assert 1.9 <= cycles(EXPAND, 8, 8) / cycles(EXPAND, 8, 4) <= 2.0


def test_the_classifier_follows_its_weights_alone():
    assert 1.9 <= cycles(CLASSIFIER, 8, 8) / cycles(CLASSIFIER, 4, 8) <= 2.0
    assert cycles(CLASSIFIER, 8, 8) <= 1.05 * cycles(CLASSIFIER, 8, 4)
