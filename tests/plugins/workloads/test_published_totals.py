"""MACs and parameters of every network in the library against published totals.

A published number is compared as printed: the library's exact figure, in the publication's unit,
must agree in every digit printed. Where a source states operations and counts a MAC as two, half
of it stands here. torchvision's figures are `num_params` and `_ops` (billions of MACs) of its
released weights, in its source code.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

import pytest

from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve

REGISTRY = load_registry(third_party=False)

MACS = (
    # Sze et al., Efficient Processing of Deep Neural Networks, Proc. IEEE 2017, Table II
    ("alexnet", "724", "1e6"),
    ("vgg16", "15.47", "1e9"),  # torchvision vgg16; Sze et al. 2017, Table II: 15.5G
    ("resnet18", "1.814", "1e9"),  # torchvision resnet18
    ("resnet50", "4.089", "1e9"),  # torchvision resnet50
    ("mobilenetv2", "0.301", "1e9"),  # torchvision mobilenet_v2; Sandler et al. 2018: 300M
    ("mobilenetv3", "0.217", "1e9"),  # torchvision mobilenet_v3_large
    ("mobilenetv3:variant=small", "0.057", "1e9"),  # torchvision mobilenet_v3_small
    ("efficientnet-b0", "0.386", "1e9"),  # torchvision efficientnet_b0; Tan and Le 2019: 0.39B
    ("vit-b16", "17.564", "1e9"),  # torchvision vit_b_16
    ("bert-base:sequence=128", "11.17", "1e9"),  # DeepSpeed flops profiler, documentation
    # Karpathy, nanoGPT, transformer_sizing.ipynb: 291,648,307,200 operations forward
    ("gpt2:sequence=1024", "145824153600", "1"),
    # calflops, README: llama2-7b, input (1, 128)
    ("llama:sequence=128,logits=all", "850.00", "1e9"),
)

TRUNCATED_MACS = (
    # He et al., CVPR 2016, Table 1: "FLOPs" (multiply-adds) 1.8e9 and 3.8e9
    ("resnet18", "1.8", "1e9"),
    ("resnet50:version=v1", "3.8", "1e9"),
    # detectron2, tests/test_model_analysis.py: int(conv) of RetinaNet R50-FPN at 800x800
    ("retinanet", "146", "1e9"),
)

PARAMETERS = (
    ("alexnet", 60_965_224),  # Caffe bvlc_alexnet, which has the paper's two groups
    ("vgg16", 138_357_544),  # torchvision vgg16
    ("resnet18", 11_689_512),  # torchvision resnet18
    ("resnet50", 25_557_032),  # torchvision resnet50
    ("mobilenetv2", 3_504_872),  # torchvision mobilenet_v2
    ("mobilenetv3", 5_483_032),  # torchvision mobilenet_v3_large
    ("mobilenetv3:variant=small", 2_542_856),  # torchvision mobilenet_v3_small
    ("efficientnet-b0", 5_288_548),  # torchvision efficientnet_b0
    ("vit-b16", 86_567_656),  # torchvision vit_b_16
    # the summary printed by Keras and PyTorch implementations with one class (Lynch et al.,
    # EdgeAttNet, 2025, Table of trainable parameters)
    ("unet:classes=1", 31_030_593),
    ("retinanet", 37_915_572),  # detectron2, tests/test_model_analysis.py
    ("bert-base", 109_482_240),  # Hugging Face bert-base-uncased
    ("gpt2", 124_439_808),  # Hugging Face gpt2
    ("llama", 6_738_415_616),  # Hugging Face meta-llama/Llama-2-7b-hf
    ("llama:model=llama3-8b", 8_030_261_248),  # Hugging Face meta-llama/Meta-Llama-3-8B
    ("llama:model=tinyllama-1.1b", 1_100_048_384),  # Hugging Face TinyLlama-1.1B
)


def in_printed_digits(exact: int, printed: str, unit: str, rounding: str) -> bool:
    return (Decimal(exact) / Decimal(unit)).quantize(Decimal(printed), rounding) == Decimal(printed)


@pytest.mark.parametrize(("spec", "printed", "unit"), MACS)
def test_macs_equal_the_published_total(spec: str, printed: str, unit: str) -> None:
    assert in_printed_digits(resolve(spec, REGISTRY).macs, printed, unit, ROUND_HALF_EVEN)


@pytest.mark.parametrize(("spec", "printed", "unit"), TRUNCATED_MACS)
def test_macs_equal_the_published_truncated_total(spec: str, printed: str, unit: str) -> None:
    assert in_printed_digits(resolve(spec, REGISTRY).macs, printed, unit, ROUND_DOWN)


@pytest.mark.parametrize(("spec", "published"), PARAMETERS)
def test_parameters_equal_the_published_total(spec: str, published: int) -> None:
    assert resolve(spec, REGISTRY).parameters == published


def test_the_comparison_can_fail() -> None:
    assert not in_printed_digits(1_815_000_000, "1.814", "1e9", ROUND_HALF_EVEN)


def test_every_network_has_a_published_total() -> None:
    checked = {spec.partition(":")[0] for spec, *_ in (*MACS, *TRUNCATED_MACS)}
    checked |= {"unet", "conv", "gemm"}  # U-Net's MACs are compared with DOSA's table
    checked |= {"spiking-mlp"}  # whose layers are as its options say
    by_their_own_tables = {
        name for name in REGISTRY.names("workloads") if name.startswith(("dosa-", "shi2020-"))
    }
    assert set(REGISTRY.names("workloads")) - {"nasbench201-cell"} == checked | by_their_own_tables


def test_alexnet_convolutions_and_fully_connected_layers() -> None:
    """Sze et al. 2017, Table II: 666M MACs in CONV, 58.6M in FC; 2.3M and 58.6M weights."""
    network = resolve("alexnet", REGISTRY)
    conv = [la.einsum for la in network.layers if la.name.startswith("conv")]
    fc = [la.einsum for la in network.layers if la.name.startswith("fc")]
    assert in_printed_digits(sum(e.macs for e in conv), "666", "1e6", ROUND_HALF_EVEN)
    assert in_printed_digits(sum(e.macs for e in fc), "58.6", "1e6", ROUND_HALF_EVEN)
    weights = sum(e.words(e.tensors[0]) for e in conv)
    assert in_printed_digits(weights, "2.3", "1e6", ROUND_HALF_EVEN)


def test_resnet50_equals_dosas_table() -> None:
    ours, theirs = resolve("resnet50", REGISTRY), resolve("dosa-resnet50", REGISTRY)
    assert {(la.einsum, la.count) for la in ours.unique if la.einsum.macs} == {
        (la.einsum, la.count) for la in theirs.layers
    }


def test_unet_equals_dosas_table_but_for_multiplications_by_inserted_zeros() -> None:
    """DOSA runs each 2x2 up-convolution over an input blown up with zeros: four times the MACs."""
    ours, theirs = resolve("unet", REGISTRY), resolve("dosa-unet", REGISTRY)
    assert len(ours.products) == len(theirs.layers)
    for mine, dosa in zip(ours.products, theirs.layers, strict=True):
        if "upconv" in mine.name:
            assert dosa.einsum.macs == 4 * mine.einsum.macs
        else:
            assert dosa.einsum == mine.einsum


def test_retinanet_heads_equal_dosas_table() -> None:
    """At 224x224 the predicting layers of every level are DOSA's."""
    ours = resolve("retinanet:height=224,width=224", REGISTRY)
    theirs = resolve("dosa-retinanet", REGISTRY)
    mine = {la.einsum for la in ours.layers if la.name.endswith(".out")}
    assert mine == {la.einsum for la in theirs.layers if la.name.endswith("_out")}
