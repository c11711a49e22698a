"""The space of the once-for-all network on MobileNetV3, width 1.0, 224 pixels.

Cai, Gan, Wang, Zhang and Han, *Once for All*, ICLR 2020. Five stages of two to four inverted
residual blocks; each block has a depthwise kernel and an expansion of its own. A subnetwork costs
what an ordinary network of its sizes costs. What was measured, by whom, and how the shipped model
of accuracies was fitted stands in `data/ofa_mobilenetv3/README.md`.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
from attrs import frozen

from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch.typing import Rows
from cosearch.workload.network import Network
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder
from cosearch_plugins.workloads.inverted_residual import divisible, inverted_residual
from cosearch_plugins.workloads.measured_table import TABLE, MeasuredTable
from cosearch_plugins.workloads.mobilenet import HARD_SWISH
from cosearch_plugins.workloads.options import BATCH
from cosearch_plugins.workloads.searched_space import Part, SearchedSpace


@frozen
class Stage:
    """What is the same for all blocks of a stage.

    Attributes:
        channels: that flow out.
        stride: of its first block.
        squeeze: whether blocks have squeeze-and-excitation.
        activation: of its convolutions; empty for ReLU, which clips and so costs nothing.
    """

    channels: int
    stride: int
    squeeze: bool
    activation: str


STAGES = (
    Stage(24, 2, squeeze=False, activation=""),
    Stage(40, 2, squeeze=True, activation=""),
    Stage(80, 2, squeeze=False, activation=HARD_SWISH),
    Stage(112, 1, squeeze=True, activation=HARD_SWISH),
    Stage(160, 2, squeeze=True, activation=HARD_SWISH),
)
BLOCKS, LEAST_BLOCKS = 4, 2
KERNELS, EXPANSIONS = (3, 5, 7), (3, 4, 6)
NO_BLOCK = "none"
SHAPES = tuple(f"k{kernel}e{expansion}" for kernel in KERNELS for expansion in EXPANSIONS)
"""A block's depthwise kernel and its expansion."""
CHOICES = (*SHAPES, NO_BLOCK)


def _names() -> list[str]:
    return [f"stage{s}.{b}" for s in range(1, len(STAGES) + 1) for b in range(1, BLOCKS + 1)]


class OfaMobileNetV3(SearchedSpace):
    """ImageNet networks of the once-for-all supernetwork: 2.2e19 of them.

    Accuracies are those of the supernetwork's own weights, not fine-tuned: measured where the
    `table` has the network, else predicted by a model fitted to 1,439 measured networks. They are
    not comparable with networks trained alone. Searches met the measured networks, so the good ones
    are over-represented among them. The default network is the middle of the space: three blocks a
    stage, kernel 5, expansion 4.

    Args:
        batch: images in one run.
        table: file of measured networks with columns `ks`, `e`, `d` and `top1`; empty for none.
    """

    options = ParameterSpace((BATCH, TABLE))
    folder = "ofa_mobilenetv3"
    parts = tuple(Part((name,), f"{name}.") for name in _names())
    tied = tuple(
        members
        for first in range(0, len(STAGES) * BLOCKS, BLOCKS)
        for members in ((first,), (first + 1,), (first + 2, first + 3))
    )
    measured_how = "ImageNet validation top-1 of the supernetwork's weights: an oracle"

    @property
    def space(self) -> ParameterSpace:
        """One parameter for each of the 20 blocks; a stage's last two may be left out."""
        return _space()

    def build(self, row: Rows) -> Network:
        """Return the network of one row, int64[20]."""
        net = NetworkBuilder(name_of(row), self.batch, "Cai et al., ICLR 2020, width 1.0")
        x = net.conv("stem", net.given(Feature(3, 224, 224)), 16, 3, stride=2)
        x = net.pointwise("stem.hard-swish", HARD_SWISH, x)
        x = inverted_residual(net, "first", x, expanded=16, channels=16, kernel=3, stride=1)
        choices = iter(self.space.decode(row).values())
        for number, stage in enumerate(STAGES, 1):
            for block in range(1, BLOCKS + 1):
                shape = str(next(choices))
                if shape != NO_BLOCK:
                    stride = stage.stride if block == 1 else 1
                    x = _block(net, f"stage{number}.{block}", x, stage, shape, stride)
        x = net.pointwise("head.hard-swish", HARD_SWISH, net.conv("head", x, 960, 1))
        x = net.linear("mix", net.mean("avgpool", x), 1280, bias=False)
        net.linear("fc", net.pointwise("mix.hard-swish", HARD_SWISH, x), 1000)
        return net.network()

    def rows_of(self, table: MeasuredTable) -> Rows:
        """Return the row, int64[m, 20], of each network of a table, or raise InputError."""
        genes = zip(table.texts("ks"), table.texts("e"), table.texts("d"), strict=True)
        table.refuse(
            f"line {line}: ks {ks!r}, e {e!r}, d {d!r} is no network of this space"
            for line, (ks, e, d) in zip(table.lines, genes, strict=True)
            if not _known(ks, e, d)
        )
        pairs = zip(table.texts("ks"), table.texts("e"), strict=True)
        return np.array([row_of(ks, e) for ks, e in pairs], dtype=np.int64)


def name_of(row: Rows) -> str:
    """Return the network's name: 20 kernels and 20 expansions, 0 for no block."""
    shapes = [CHOICES[int(choice)] for choice in row]
    digits = [(s[1], s[3]) if s != NO_BLOCK else ("0", "0") for s in shapes]
    return "-".join(("ofa-mobilenetv3", *map("".join, zip(*digits, strict=True))))


def row_of(ks: str, e: str) -> Rows:
    """Return the row, int64[20], of 20 kernels and 20 expansions, digits; 0 for no block."""
    return np.array([CHOICES.index(_shape(*pair)) for pair in zip(ks, e, strict=True)])


def _known(ks: str, e: str, d: str) -> bool:
    if not (re.fullmatch("[0357]{20}", ks) and re.fullmatch("[0346]{20}", e)):
        return False
    used = [(k != "0", x != "0") for k, x in zip(ks, e, strict=True)]
    depths = re.fullmatch("[234]{5}", d)
    return bool(depths) and used == [(i < int(n),) * 2 for n in d for i in range(BLOCKS)]


def _shape(kernel: str, expansion: str) -> str:
    return NO_BLOCK if kernel == "0" else f"k{kernel}e{expansion}"


def _block(
    net: NetworkBuilder, name: str, x: Feature, stage: Stage, shape: str, stride: int
) -> Feature:
    expanded = divisible(x.channels * int(shape[3:]))
    return inverted_residual(
        net,
        name,
        x,
        expanded=expanded,
        channels=stage.channels,
        kernel=int(shape[1]),
        stride=stride,
        squeeze=divisible(expanded // 4) if stage.squeeze else 0,
        activation=stage.activation,
        gate="hard-sigmoid",
    )


@cache
def _space() -> ParameterSpace:
    parameters, rules = [], []
    for stage in range(1, len(STAGES) + 1):
        for block in range(1, BLOCKS + 1):
            choices = CHOICES if block > LEAST_BLOCKS else SHAPES
            default = "k5e4" if block < BLOCKS else NO_BLOCK
            doc = "depthwise kernel and expansion of this block"
            parameters.append(Parameter(f"stage{stage}.{block}", choices, default, doc=doc))
        rules.append(_in_order(f"stage{stage}.{BLOCKS - 1}", f"stage{stage}.{BLOCKS}"))
    return ParameterSpace(tuple(parameters), tuple(rules))


def _in_order(third: str, fourth: str) -> Rule:
    return Rule(
        f"{fourth} comes after {third}",
        lambda c: (c[fourth] == NO_BLOCK) | (c[third] != NO_BLOCK),
    )
