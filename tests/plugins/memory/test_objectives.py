"""Peak memory, MACs and parameters as objectives and limits, and what supplies their dataflow."""

import json
import math

import pytest

import cosearch
from cosearch.cli import main
from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve
from cosearch_plugins.memory.objectives import peak_memory, remembered, told_of_memory

REGISTRY = load_registry(third_party=False)


def peak(name):
    return peak_memory(resolve(name, REGISTRY))


def test_resnet18_by_hand():
    conv1, pooled = 64 * 112 * 112, 64 * 56 * 56
    assert peak("resnet18") == max(3 * 224 * 224 + conv1, conv1 + pooled, 3 * pooled)


def test_a_mobile_block_by_hand():
    wide = 96 * 112 * 112
    assert peak("mobilenetv2") == wide + wide // 4


def test_batches_and_image_sides_scale_it():
    assert peak("vgg16:batch=3") == 3 * peak("vgg16")
    assert peak("unet") > peak("unet:image=316")


def test_a_decoder_keeps_its_caches():
    cache = 2 * 22 * (2048 - 1) * 4 * 64
    found = peak("llama:model=tinyllama-1.1b,phase=decode")
    assert cache < found < 1.01 * cache


def test_an_order_may_be_better_than_the_one_written():
    network = resolve("nasbench201-cell", REGISTRY)
    found = remembered(network.dataflow)
    assert found.proven
    assert found.words < found.as_written
    assert "in the best order; " in told_of_memory(network)


def test_cells_of_a_space_by_hand():
    size = 16 * 32 * 32
    space = REGISTRY.find("network_spaces", "nasbench201").make()
    skips = space.build(space.space.index(dict.fromkeys(space.space.names, "skip_connect")))
    assert peak_memory(skips) == 3 * size  # a sum of two maps into a third
    nothing = space.build(space.space.index(dict.fromkeys(space.space.names, "none")))
    # the block between stages: what flows in, its first convolution, the pooled shortcut
    assert peak_memory(nothing) == size + size // 2 + size // 4


def test_what_is_not_known_is_not_a_number():
    assert math.isnan(peak("retinanet"))
    assert math.isnan(peak("gemm"))
    assert not told_of_memory(resolve("gemm", REGISTRY))


def test_of_a_mix_it_is_the_largest():
    assert peak("resnet18+vgg16") == max(peak("resnet18"), peak("vgg16"))
    assert math.isnan(peak("resnet18+gemm"))


def test_show_workload_prints_it(capsys):
    assert main(["show", "workload", "vit-b16"]) == 0
    assert "peak_memory: 920 kwords in the best order; 1.07 M as written" in capsys.readouterr().out
    assert main(["show", "workload", "alexnet", "--json"]) == 0
    measures = json.loads(capsys.readouterr().out)["measures"]
    assert measures["peak_memory"] == peak("alexnet")
    assert measures["macs"] == resolve("alexnet", REGISTRY).macs


def test_limits_and_objectives_of_a_space():
    limits = ["peak_memory<=60000", "macs<=100000000"]
    study = cosearch.run(
        "nasbench201", hardware="roofline", strategy="nsga2", trials=12,
        objective="peak_memory,parameters", constraints=limits,
    )  # fmt: skip
    records = study.records()
    assert len(records) >= 12
    for record in records:
        fits = record["peak_memory"] <= 60000 and record["macs"] <= 1e8
        assert (record["state"] == "ok") == fits
    assert {record["state"] for record in records} == {"ok", "infeasible"}


def test_a_network_of_unknown_memory_is_refused_in_words():
    study = cosearch.run(
        "retinanet", hardware="roofline", trials=1, constraints=["peak_memory<=1e9"]
    )
    assert "peak_memory of this network is not known" in study.records()[0]["reason"]


@pytest.mark.parametrize("name", ["resnet18", "bert-base", "efficientnet-b0"])
def test_library_networks_state_every_layer_that_is_not_in_place(name):
    network = resolve(name, REGISTRY)
    steps = {step.name for step in network.dataflow.steps}
    products = {layer.name for layer in network.products}
    assert products <= steps
