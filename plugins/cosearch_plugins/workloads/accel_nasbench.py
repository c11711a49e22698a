"""The MnasNet space of Accel-NASBench, with measured latencies on two FPGA boards.

Ahmad et al., *Accel-NASBench: Sustainable Benchmarking for Accelerator-Aware NAS*, DAC 2024. Seven
blocks; of each the expansion, the kernel, how many layers, and squeeze-and-excitation are chosen.
What was measured, by whom, and how the shipped model of accuracies was fitted stands in
`data/accel_nasbench/README.md`.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
from attrs import frozen

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration, Rows, Value
from cosearch.workload.network import Network
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder
from cosearch_plugins.workloads.inverted_residual import divisible, inverted_residual
from cosearch_plugins.workloads.measured_table import TABLE, MeasuredTable
from cosearch_plugins.workloads.options import BATCH
from cosearch_plugins.workloads.searched_space import Part, SearchedSpace


@frozen
class Block:
    """What is the same for every network, and EfficientNet-B0's choices.

    Attributes:
        channels: that flow out.
        stride: of its first layer.
        layers: how many it may have.
        expansion, kernel, depth: of EfficientNet-B0.
    """

    channels: int
    stride: int
    layers: int
    expansion: int
    kernel: int
    depth: int


BLOCKS = (
    Block(16, 1, 3, expansion=1, kernel=3, depth=1),
    Block(24, 2, 3, expansion=6, kernel=3, depth=2),
    Block(40, 2, 3, expansion=6, kernel=5, depth=2),
    Block(80, 2, 3, expansion=6, kernel=3, depth=3),
    Block(112, 1, 3, expansion=6, kernel=5, depth=3),
    Block(192, 2, 4, expansion=6, kernel=5, depth=4),
    Block(320, 1, 3, expansion=6, kernel=3, depth=1),
)
GENES = ("expansion", "kernel", "layers", "excite")
DEVICES = (
    *("zcu102_ms", "vck190_ms", "zcu102_fps", "vck190_fps"),
    *("a100_fps", "rtx3090_fps", "tpuv2_fps", "tpuv3_fps"),
)
"""Columns of the table that were measured on devices: milliseconds, or images a second."""


class AccelNasBench(SearchedSpace):
    """ImageNet networks of the MnasNet space: 1.0e11 of them; EfficientNet-B0 is the default.

    **Accuracies are proxies**: of a shortened training (16 epochs, small images, one seed), some
    ten points below a full one, so they serve to rank and nothing else. Measured where the `table`
    has the network, else predicted by a model fitted to 3,417 networks. With a table, latencies
    measured on devices are scores. Activations clip, as on the boards that were measured.

    Args:
        batch: images in one run.
        table: file of measured networks with columns `e`, `k`, `l`, `se`, `top1`; none if empty.
    """

    options = ParameterSpace((BATCH, TABLE))
    folder = "accel_nasbench"
    parts = tuple(Part(tuple(f"{g}{i}" for g in GENES), f"block{i}.") for i in range(len(BLOCKS)))
    tied = tuple((i,) for i in range(len(BLOCKS)))
    measured_how = "proxy: ImageNet top-1 after a shortened training; serves ranks only"

    @property
    def space(self) -> ParameterSpace:
        """Four parameters for each of the seven blocks."""
        return _space()

    @property
    def further(self) -> tuple[str, ...]:
        """Columns of devices."""
        return DEVICES

    def build(self, row: Rows) -> Network:
        """Return the network of one row, int64[28]."""
        choices = self.space.decode(row)
        net = NetworkBuilder(name_of(choices), self.batch, "Ahmad et al., DAC 2024")
        x = net.conv("stem", net.given(Feature(3, 224, 224)), 32, 3, stride=2)
        for i, block in enumerate(BLOCKS):
            x = _block(net, i, block, x, {gene: choices[f"{gene}{i}"] for gene in GENES})
        x = net.conv("head", x, 1280, 1)
        net.linear("fc", net.mean("avgpool", x), 1000)
        return net.network()

    def rows_of(self, table: MeasuredTable) -> Rows:
        """Return the row, int64[m, 28], of each network of a table, or raise InputError."""
        columns = [table.texts(name) for name in ("e", "k", "l", "se")]
        networks = list(zip(*columns, strict=True))
        table.refuse(
            f"line {line}: e {e!r}, k {k!r}, l {n!r}, se {se!r} is no network of this space"
            for line, (e, k, n, se) in zip(table.lines, networks, strict=True)
            if not _known(e, k, n, se)
        )
        return np.array([row_of(*network) for network in networks], dtype=np.int64)


def name_of(choices: Configuration) -> str:
    """Return the name: seven expansions, kernels, layers, and whether they squeeze and excite."""
    genes = ("".join(str(choices[f"{gene}{i}"]) for i in range(len(BLOCKS))) for gene in GENES)
    return "-".join(("accel-nasbench", *genes))


def row_of(e: str, k: str, layers: str, se: str) -> Rows:
    """Return the row, int64[28], of seven digits each, block by block."""
    space = _space()
    digits = [int(x) for block in zip(e, k, layers, se, strict=True) for x in block]
    found = zip(space.parameters, digits, strict=True)
    return np.array([list(map(int, p.choices)).index(digit) for p, digit in found], dtype=np.int64)


def _known(e: str, k: str, layers: str, se: str) -> bool:
    wanted = ("[146]{7}", "[35]{7}", "[123]{5}[1234][123]", "[01]{7}")
    return all(re.fullmatch(w, x) for w, x in zip(wanted, (e, k, layers, se), strict=True))


def _block(
    net: NetworkBuilder, number: int, block: Block, x: Feature, choices: dict[str, Value]
) -> Feature:
    for i in range(int(choices["layers"])):
        x = inverted_residual(
            net,
            f"block{number}.{i}",
            x,
            expanded=divisible(x.channels * int(choices["expansion"])),
            channels=block.channels,
            kernel=int(choices["kernel"]),
            stride=block.stride if i == 0 else 1,
            squeeze=max(1, x.channels // 4) if choices["excite"] else 0,
            gate="hard-sigmoid",
        )
    return x


@cache
def _space() -> ParameterSpace:
    parameters = []
    for i, block in enumerate(BLOCKS):
        parameters += [
            Parameter(f"expansion{i}", (1, 4, 6), block.expansion, doc=f"inside block {i}"),
            Parameter(f"kernel{i}", (3, 5), block.kernel, doc=f"depthwise, in block {i}"),
            Parameter(f"layers{i}", range(1, block.layers + 1), block.depth, doc=f"of block {i}"),
            Parameter(f"excite{i}", (0, 1), 1, doc=f"squeeze-and-excitation in block {i}"),
        ]
    return ParameterSpace(tuple(parameters))
