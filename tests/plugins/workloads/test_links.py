"""Links of the library: what a residual connection carries past a layer is written as well."""

from __future__ import annotations

import pytest

from cosearch.hooks.discovery import load_registry
from cosearch.workload.link import chains
from cosearch.workload.network import Network
from cosearch.workload.source import resolve
from cosearch_plugins.workloads.builder import matching_axes


def network_of(name: str) -> Network:
    return resolve(name, load_registry())


def runs_of(network: Network) -> set[tuple[str, ...]]:
    runs = chains(len(network.layers), network.links)
    return {tuple(network.layers[i].name for i in run) for run in runs if len(run) > 1}


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("resnet18", ("layer2.0.conv1", "layer2.0.conv2")),
        ("resnet50", ("layer1.0.conv1", "layer1.0.conv2", "layer1.0.conv3")),
        ("mobilenetv2", ("block2.expand", "block2.depthwise", "block2.project")),
        ("bert-base", ("layer0.mlp.up", "layer0.mlp.down")),
        ("llama", ("layer0.attention.scores", "layer0.attention.values")),
        ("llama", ("layer0.mlp.up", "layer0.mlp.down")),
        ("vgg16", ("conv3_1", "conv3_2", "conv3_3")),
        ("alexnet", ("conv4", "conv5")),
    ],
)
def test_what_flows_straight_on_is_linked(name: str, run: tuple[str, ...]) -> None:
    runs = runs_of(network_of(name))
    assert any(found[i : i + len(run)] == run for found in runs for i in range(len(found)))


def written_of(name: str) -> dict[tuple[str, str], tuple[bool, frozenset[int]]]:
    network = network_of(name)
    layers = network.layers
    return {
        (layers[x.producer].name, layers[x.consumer].name): (x.written, x.whole)
        for x in network.links
    }


def test_what_a_residual_reads_too_is_written() -> None:
    found = written_of("resnet50")
    assert found["layer1.0.conv2", "layer1.0.conv3"] == (False, frozenset())
    assert found["layer1.0.conv3", "layer1.1.conv1"] == (True, frozenset())
    found = written_of("mobilenetv2")
    assert found["block2.project", "block3.expand"] == (True, frozenset())
    assert found["block3.project", "block4.expand"] == (False, frozenset())  # no sum behind it
    found = written_of("bert-base")  # the norms between need all channels
    assert found["layer0.attention.output", "layer0.mlp.up"] == (True, frozenset({1}))
    assert found["layer0.mlp.down", "layer1.attention.query"] == (True, frozenset({1}))


def test_squeeze_and_excitation_ends_a_run() -> None:
    found = written_of("mobilenetv3")
    assert ("block4.depthwise", "block4.project") not in found  # the gate reads it as well
    assert ("block4.expand", "block4.depthwise") in found


def test_keys_of_a_softmax_stay_whole() -> None:
    network = network_of("bert-base")
    link = next(x for x in network.links if "scores" in network.layers[x.producer].name)
    axis = network.layers[link.producer].einsum.output.axes[next(iter(link.whole))]
    assert axis.terms == (("K", 1),)


def test_channels_in_groups_match_where_the_groups_are_the_same() -> None:
    assert matching_axes((1, 32, 8, 8), (1, 32, 8, 8)) == (0, 1, 2, 3)
    assert matching_axes((1, 32, 8, 8), (1, 32, 1, 10, 10)) == (0, 1, 3, 4)
    assert matching_axes((1, 32, 1, 8, 8), (1, 32, 8, 8)) == (0, 1, None, 2, 3)
    assert matching_axes((1, 4, 8, 8, 8), (1, 32, 8, 8)) is None
    assert matching_axes((1, 1, 8, 8), (1, 1, 8, 8)) == (0, None, 2, 3)
