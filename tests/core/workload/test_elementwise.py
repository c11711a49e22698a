"""Layers without multiply-accumulates: what they are, and that no machine prices them unasked."""

import numpy as np
import pytest

from cosearch.errors import Infeasible, InputError
from cosearch.hooks.discovery import load_registry
from cosearch.machine.building import network_for
from cosearch.machine.hardware import NO_ELEMENTWISE
from cosearch.workload.einsum import conv
from cosearch.workload.elementwise import ADD, AVERAGE, MAXIMUM, MULTIPLY, pointwise, pool
from cosearch.workload.language import format_einsum
from cosearch.workload.network import Layer, Network, Part
from cosearch.workload.source import resolve
from cosearch.workload.text import describe, layer_facts, left_out_in_short

REGISTRY = load_registry()
OTHERS = ("eyeriss", "gemmini", "nvdla", "simba", "systolic")

CONV = conv("conv", K=8, C=4, P=6, Q=6, R=3, S=3)
POOL = pool("pool", MAXIMUM, C=8, P=3, Q=3, R=2, S=2, stride=(2, 2))
SUM = pointwise("sum", ADD, C=8, P=6, Q=5, N=2, operands=("NCPQ",))
SCALE = pointwise("scale", MULTIPLY, C=8, P=6, Q=6, operands=("NC",))
NETWORK = Network("net", (Layer(CONV, 2), Layer(POOL, 3), Layer(SUM)))


def model(name):
    return REGISTRY.find("hardware_models", name).make()


def test_they_have_operations_and_no_multiply_accumulates():
    assert (POOL.macs, POOL.operations) == (0, 8 * 3 * 3 * 2 * 2)
    assert (SUM.macs, SUM.operations) == (0, 2 * 8 * 6 * 5)
    assert NETWORK.macs == 2 * CONV.macs
    assert NETWORK.operations == 2 * CONV.macs + 3 * POOL.operations + SUM.operations
    assert NETWORK.products == (Layer(CONV, 2),)


def test_a_window_slides_and_operands_have_their_own_shapes():
    assert POOL.words(POOL.tensors[0]) == 8 * 6 * 6
    assert [SCALE.words(t) for t in SCALE.tensors] == [8 * 36, 8, 8 * 36]
    assert [t.name for t in SCALE.tensors] == ["Inputs", "Others", "Outputs"]


def test_the_operation_tells_layers_of_one_shape_apart():
    mean = pool("pool", AVERAGE, C=8, P=3, Q=3, R=2, S=2, stride=(2, 2))
    assert mean != POOL
    assert mean.key != POOL.key


def test_the_digest_of_a_product_is_the_one_it_always_had():
    assert CONV.key == "5c8c51ab7a4028ab"


def test_in_words():
    assert describe(POOL) == "2x2 maximum pooling, 8 channels, 3x3, stride 2"
    assert describe(SUM) == "add, 8 channels, 5x6, batch 2"
    assert format_einsum(SCALE) == "Outputs[n,c,p,q] multiply= Inputs[n,c,p,q], Others[n,c]"
    facts = {f.name: f for f in layer_facts(NETWORK)}
    assert (facts["pool"].macs, facts["pool"].share, facts["pool"].intensity) == (0, 0.0, 0.0)
    assert facts["conv"].share == 1.0


@pytest.mark.parametrize("name", OTHERS)
def test_machines_without_a_unit_leave_them_out_and_say_so(name):
    network = network_for(model(name), NETWORK)
    assert network.unique == (Layer(CONV, 2),)
    assert [(u.name, u.kind, u.operations) for u in network.unmodelled] == [
        ("pool", MAXIMUM, 3 * POOL.operations),
        ("sum", ADD, SUM.operations),
    ]
    (line,) = left_out_in_short(network)
    assert line.startswith("1 maximum, 1 add left out of the cost (")
    assert line.endswith(NO_ELEMENTWISE)


@pytest.mark.parametrize("name", OTHERS)
def test_a_machine_without_a_unit_never_maps_one(name):
    machine = model(name).build(model(name).baseline)
    for layer in (POOL, SUM):
        with pytest.raises(Infeasible, match=layer.name):
            machine.mapspace(layer)


def test_the_parts_of_a_mix_are_seen_alike():
    mix = Network("mix", NETWORK.layers, parts=(Part("net", 1, NETWORK),))
    (part,) = network_for(model("eyeriss"), mix).parts
    assert part.network.unique == (Layer(CONV, 2),)


def test_a_network_that_is_priced_as_a_whole_stays_what_it_is():
    alone = Network("net", (Layer(CONV),))
    assert network_for(model("eyeriss"), alone) is alone


def test_nothing_left_to_map_is_an_error_that_says_why():
    with pytest.raises(InputError, match="nothing is left to map: the machine's model has no unit"):
        network_for(model("eyeriss"), resolve("resnet18:pool1", REGISTRY))


def test_the_share_left_out_counts_every_operation():
    seen = network_for(model("eyeriss"), NETWORK)
    left = 3 * POOL.operations + SUM.operations
    assert seen.unmodelled_share == left / NETWORK.operations
    assert np.isclose(resolve("resnet18", REGISTRY).unmodelled_share, 0.0)


def test_links_are_renumbered_where_layers_between_are_left_out():
    network = resolve("resnet18", REGISTRY)
    seen = network_for(model("eyeriss"), network)
    assert seen.layers == network.products
    named = [
        [(n.layers[x.producer].name, n.layers[x.consumer].name) for x in n.links]
        for n in (network, seen)
    ]
    assert named[0] == named[1] != []
