"""Workloads that ship with cosearch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cosearch.registry.registration import Registration, hookimpl

if TYPE_CHECKING:
    from cosearch.search.objective import Objective

_HERE = "cosearch_plugins.workloads"

_WORKLOADS = (
    ("alexnet", "alexnet:AlexNet", "AlexNet, 227x227, two groups as published"),
    ("bert-base", "transformers:BertBase", "BERT-base encoder, 128 tokens"),
    ("conv", "single:Convolution", "one convolution of any size"),
    ("dosa-bert", "dosa:DosaBert", "BERT as evaluated by DOSA"),
    ("dosa-resnet50", "dosa:DosaResNet50", "ResNet-50 as evaluated by DOSA"),
    ("dosa-retinanet", "dosa:DosaRetinaNet", "RetinaNet's pyramid and heads as evaluated by DOSA"),
    ("dosa-unet", "dosa:DosaUNet", "U-Net as evaluated by DOSA"),
    ("efficientnet-b0", "efficientnet:EfficientNetB0", "EfficientNet-B0, 224x224"),
    ("gemm", "single:MatrixProduct", "one matrix product of any size"),
    ("gpt2", "transformers:GPT2", "GPT-2 small, 1024 tokens"),
    ("llama", "llama:Llama", "Llama-style decoder: sizes 1.1B to 8B, prefill or decode"),
    ("mobilenetv2", "mobilenet:MobileNetV2", "MobileNetV2, 224x224"),
    ("mobilenetv3", "mobilenet:MobileNetV3", "MobileNetV3 large or small, 224x224"),
    ("nasbench201-cell", "nasbench201:NasBench201Cell", "one network of NAS-Bench-201"),
    ("resnet18", "resnet:ResNet18", "ResNet-18, 224x224"),
    ("resnet50", "resnet:ResNet50", "ResNet-50 v1.5, 224x224"),
    ("retinanet", "retinanet:RetinaNet", "RetinaNet with ResNet-50, 800x800"),
    ("shi2020-dqn", "codesign_papers:DQNLayers", "DQN-K1 and K2 of arXiv 2010.02075"),
    ("shi2020-mlp", "codesign_papers:MLPLayers", "MLP-K1 and K2 of arXiv 2010.02075"),
    ("shi2020-resnet", "codesign_papers:ResNetLayers", "ResNet-K1 to K4 of arXiv 2010.02075"),
    (
        "shi2020-transformer",
        "codesign_papers:TransformerLayers",
        "Transformer-K1 to K4 of arXiv 2010.02075",
    ),
    ("spiking-mlp", "spiking:SpikingMlp", "fully connected spiking layers, by time steps"),
    ("unet", "unet:UNet", "U-Net, 572x572, unpadded"),
    ("vgg16", "vgg:VGG16", "VGG-16, 224x224"),
    ("vit-b16", "transformers:ViTB16", "ViT-B/16, 224x224"),
)

_SPACES = (
    (
        "analog-nasbench",
        "analog_nasbench:AnalogNasBench",
        "NAS-Bench-201 on analog hardware: noise, quantization, drift (extra `analog`)",
    ),
    (
        "accel-nasbench",
        "accel_nasbench:AccelNasBench",
        "the MnasNet space; proxy accuracies, and measured latencies with table=FILE",
    ),
    (
        "early-exits",
        "early_exits:EarlyExits",
        "one network with early exits, whose accuracies are the user's: table=FILE",
    ),
    (
        "mixed-precision",
        "mixed_precision:MixedPrecision",
        "bits for each layer of a network, within HAQ's action wall; no accuracy is known",
    ),
    (
        "mobile-space",
        "mobile_space:MobileSpace",
        "ImageNet networks around MobileNetV2; the accuracy estimate is a placeholder",
    ),
    (
        "nasbench201",
        "nasbench201:NasBench201",
        "15,625 cells with measured accuracies (test set) on three data sets",
    ),
    (
        "ofa-mobilenetv3",
        "ofa_mobilenetv3:OfaMobileNetV3",
        "once-for-all's ImageNet networks; accuracies predicted, or measured with table=FILE",
    ),
)


@hookimpl
def cosearch_workloads() -> list[Registration]:
    """Return the network library and single layers."""
    return [
        Registration(name, f"{_HERE}.{target}", summary) for name, target, summary in _WORKLOADS
    ]


@hookimpl
def cosearch_network_spaces() -> list[Registration]:
    """Return spaces of networks."""
    return [Registration(name, f"{_HERE}.{target}", summary) for name, target, summary in _SPACES]


@hookimpl
def cosearch_objectives() -> list[Objective]:
    """Return objectives for what is known of networks without a machine."""
    from cosearch_plugins.workloads.score_objectives import score_objectives

    return score_objectives()
