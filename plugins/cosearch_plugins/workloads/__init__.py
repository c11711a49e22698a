"""Workloads that ship with cosearch."""

from __future__ import annotations

from cosearch.hookspecs import Registration, hookimpl

_HERE = "cosearch_plugins.workloads"


@hookimpl
def cosearch_workloads() -> list[Registration]:
    """Return the network library and single layers."""
    return [
        Registration("alexnet", f"{_HERE}.alexnet:AlexNet", "AlexNet, 2 groups, 227x227"),
        Registration("conv", f"{_HERE}.single:Convolution", "one convolution of any size"),
        Registration("gemm", f"{_HERE}.single:MatrixProduct", "one matrix product of any size"),
        Registration("resnet18", f"{_HERE}.resnet:ResNet18", "ResNet-18"),
        Registration("resnet50", f"{_HERE}.resnet:ResNet50", "ResNet-50 (v1.5)"),
    ]
