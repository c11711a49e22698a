"""The four networks of DOSA (Hong et al., MICRO 2023), from the artifact's own tables."""

from __future__ import annotations

import csv
from importlib import resources
from typing import ClassVar

from cosearch.search.parameters import ParameterSpace
from cosearch.workload.einsum import conv
from cosearch.workload.network import Layer, Network, Workload
from cosearch_plugins.workloads.options import BATCH


class DosaNetwork(Workload):
    """A network of DOSA's evaluation.

    Args:
        batch: samples in one run; DOSA has 1.
    """

    name: ClassVar[str]
    options = ParameterSpace((BATCH,))

    def __init__(self, batch: int = 1) -> None:
        self.batch = batch

    def network(self) -> Network:
        """Return the network: unique layers with their counts, in the table's order."""
        table = resources.files(__package__) / "data" / "dosa" / f"{self.name}.csv"
        with table.open(encoding="utf-8") as lines:
            layers = tuple(self._layer(row) for row in csv.DictReader(lines))
        source = f"DOSA artifact, dataset/workloads ({self.name}), MICRO 2023, BSD 2-Clause"
        return Network(f"dosa-{self.name}", layers, source=source)

    def _layer(self, row: dict[str, str]) -> Layer:
        size = {dim: int(row[dim]) for dim in "NKCPQRS"}
        layer = conv(
            row["layer"],
            N=size["N"] * self.batch,
            K=size["K"],
            C=size["C"],
            P=size["P"],
            Q=size["Q"],
            R=size["R"],
            S=size["S"],
            stride=(int(row["Wstride"]), int(row["Hstride"])),
        )
        return Layer(layer, int(row["count"]))


class DosaUNet(DosaNetwork):
    """U-Net; up-convolutions as stride-1 convolutions over inserted zeros."""

    name = "unet"


class DosaResNet50(DosaNetwork):
    """ResNet-50."""

    name = "resnet50"


class DosaBert(DosaNetwork):
    """BERT: the matrix products DOSA evaluates, 128 tokens."""

    name = "bert"


class DosaRetinaNet(DosaNetwork):
    """RetinaNet behind the backbone, 224x224."""

    name = "retinanet"
