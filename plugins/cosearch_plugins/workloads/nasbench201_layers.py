"""The layers of which NAS-Bench-201's networks are made, and their trainable numbers."""

from __future__ import annotations

from itertools import pairwise

from attrs import frozen

from cosearch.workload.einsum import Einsum, conv
from cosearch.workload.elementwise import ADD, AVERAGE, pointwise, pool
from cosearch.workload.network import Layer
from cosearch_plugins.workloads.nasbench201_cells import EDGES, OPERATIONS, DataSet
from cosearch_plugins.workloads.nasbench201_dataflow import CELLS, STAGES

AVERAGED = OPERATIONS.index("avg_pool_3x3")


@frozen
class Parts:
    """Every layer that any network of the space may have.

    Attributes:
        stem: before the first stage.
        reductions: before each stage.
        edges: by stage, edge and choice; an edge that skips or is not there has none.
        additions: of two tensors, in each stage.
        mean: global average pooling.
        classifier: behind the last stage.
    """

    stem: Layer
    reductions: tuple[list[Layer], ...]
    edges: dict[tuple[int, int, int], Layer]
    additions: tuple[Einsum, ...]
    mean: Layer
    classifier: Layer

    @property
    def always(self) -> tuple[Layer, ...]:
        """What every network has."""
        return (self.stem, *(x for r in self.reductions for x in r), self.mean, self.classifier)

    @classmethod
    def make(cls, data: DataSet, batch: int) -> Parts:
        """Return the layers for a data set and so many images in one run."""
        stem = _conv("stem", batch, STAGES[0][0], 3, data.pixels, 3)
        classifier = conv("classifier", N=batch, K=data.classes, C=STAGES[-1][0], P=1, Q=1)
        edges = {
            (stage, edge, OPERATIONS.index(f"nor_conv_{kernel}x{kernel}")): Layer(
                _conv(f"stage{stage}.edge{a}{b}", batch, k, k, data.pixels // shrunk, kernel), CELLS
            )
            for stage, (k, shrunk) in enumerate(STAGES)
            for edge, (a, b) in enumerate(EDGES)
            for kernel in (1, 3)
        }
        for stage, (k, shrunk) in enumerate(STAGES):
            pixels = data.pixels // shrunk
            for edge, (a, b) in enumerate(EDGES):
                name = f"stage{stage}.edge{a}{b}"
                edges[stage, edge, AVERAGED] = Layer(_mean(name, batch, k, pixels, 3), CELLS)
        last = STAGES[-1]
        return cls(
            Layer(stem),
            tuple(_reduction(stage, data, batch) for stage in range(len(STAGES))),
            edges,
            tuple(_add("add", batch, k, data.pixels // shrunk) for k, shrunk in STAGES),
            Layer(_mean("mean", batch, last[0], 1, data.pixels // last[1])),
            Layer(classifier),
        )


def _reduction(stage: int, data: DataSet, batch: int) -> list[Layer]:
    """Return the residual block before a stage; its shortcut pools before a 1x1 convolution."""
    if stage == 0:
        return []
    channels, shrunk = STAGES[stage]
    pixels, narrow = data.pixels // shrunk, STAGES[stage - 1][0]
    name = f"reduction{stage}"
    return [
        Layer(_conv(f"{name}.conv1", batch, channels, narrow, pixels, 3, stride=2)),
        Layer(_conv(f"{name}.conv2", batch, channels, channels, pixels, 3)),
        Layer(_mean(f"{name}.pool", batch, narrow, pixels, 2, stride=2)),
        Layer(_conv(f"{name}.shortcut", batch, channels, narrow, pixels, 1)),
        Layer(_add(f"{name}.add", batch, channels, pixels)),
    ]


def _mean(
    name: str, batch: int, channels: int, pixels: int, window: int, *, stride: int = 1
) -> Einsum:
    sizes = {"N": batch, "C": channels, "P": pixels, "Q": pixels, "R": window, "S": window}
    return pool(name, AVERAGE, **sizes, stride=(stride, stride))


def _add(name: str, batch: int, channels: int, pixels: int) -> Einsum:
    sizes = {"N": batch, "C": channels, "P": pixels, "Q": pixels}
    return pointwise(name, ADD, **sizes, operands=("NCPQ",))


def _conv(
    name: str, batch: int, K: int, C: int, pixels: int, kernel: int, *, stride: int = 1
) -> Einsum:
    return conv(
        name, N=batch, K=K, C=C, P=pixels, Q=pixels, R=kernel, S=kernel, stride=(stride, stride)
    )


def normed(einsum: Einsum, channels: int) -> int:
    """Return the parameters of a convolution with its batch norm."""
    return einsum.words(einsum.tensors[0]) + 2 * channels


STEM_PARAMETERS = 3 * 16 * 9 + 2 * 16
REDUCTION_PARAMETERS = sum(
    9 * narrow * wide + 9 * wide * wide + narrow * wide + 2 * 2 * wide
    for (narrow, _), (wide, _) in pairwise(STAGES)
)
"""Both residual blocks; the shortcut's convolution has no batch norm."""
