"""NAS-Bench-201: 15,625 cells, each trained on three data sets.

Dong and Yang, ICLR 2020; tables in `data/nasbench201`, with origin and licences. A cell has four
nodes; each of its six edges carries one of five operations. The network is a stem of 16 channels,
then three stages of five equal cells, with a residual block of stride 2 between stages that
doubles the channels (section 2.1 and Figure 1 of the paper). What reaches a node is added up, one
addition less than edges that carry something; an edge that skips costs nothing but that.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

import numpy as np
from attrs import evolve, frozen

from cosearch.errors import UnknownNameError
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration, FloatArray, IntArray, Rows
from cosearch.workload.einsum import Einsum, conv
from cosearch.workload.elementwise import ADD, AVERAGE, pointwise, pool
from cosearch.workload.network import MEASURED, Layer, Network, NetworkSpace, Workload
from cosearch_plugins.workloads.measured_table import TABLE
from cosearch_plugins.workloads.nasbench201_dataflow import CELLS, STAGES, dataflow
from cosearch_plugins.workloads.nasbench201_scores import FurtherScores
from cosearch_plugins.workloads.nasbench201_table import (
    EDGES,
    OPERATIONS,
    SIZE,
    cell_text,
    codes,
    index_by_code,
    latencies,
    rows_by_index,
    skip_score,
    table,
)
from cosearch_plugins.workloads.options import BATCH


@frozen
class DataSet:
    """What differs between the data sets.

    Attributes:
        suffix: of the table's columns.
        pixels: side of the image.
        classes: to tell apart.
    """

    suffix: str
    pixels: int
    classes: int


DATA_SETS = {
    "cifar10": DataSet("c10", 32, 10),
    "cifar100": DataSet("c100", 32, 100),
    "imagenet16-120": DataSet("in16", 16, 120),
}

NONE, AVERAGED = OPERATIONS.index("none"), OPERATIONS.index("avg_pool_3x3")

_BENCHMARK_COLUMNS = ("acc", "macs_m", "params_m")

DATA_SET = Parameter("dataset", tuple(DATA_SETS), "cifar10", doc="images and classes")


class NasBench201(NetworkSpace):
    """The space of cells; its accuracies are those of trained networks, on the test set.

    A network's MACs are the table's less one a class: the benchmark counts adding the classifier's
    bias as one.

    Args:
        dataset: images and classes.
        batch: images in one run.
        table: file of further scores with a column `index`, and `dataset` where it has several;
            empty for none.
    """

    options = ParameterSpace((DATA_SET, BATCH, TABLE))
    accuracy_is = MEASURED
    accuracy_note = "test accuracy after 200 epochs, mean of up to three seeds: an oracle"

    def __init__(self, dataset: str = "cifar10", batch: int = 1, table: str = "") -> None:
        self.dataset, self.batch = dataset, batch
        self._data = DATA_SETS[dataset]
        devices = tuple(latencies()) if dataset == "cifar10" else ()
        own = ("naswot", "logsynflow", "skip", *devices)
        known = (*own, *_BENCHMARK_COLUMNS)
        self._further = FurtherScores.read(table, dataset, known) if table else None
        self.scores = (*own, *(self._further.columns if self._further else ()))

    @cached_property
    def space(self) -> ParameterSpace:
        """One parameter an edge."""
        return ParameterSpace(
            tuple(
                Parameter(f"edge{a}{b}", OPERATIONS, doc=f"operation from node {a} to node {b}")
                for a, b in EDGES
            )
        )

    @property
    def baseline(self) -> Configuration:
        """The most accurate network; on CIFAR-10 number 6111, the first of two equal ones."""
        best = int(table()[f"acc_{self._data.suffix}"].argmax())
        return self.space.decode(self.row(best))

    def counts(self, rows: Rows) -> tuple[tuple[Einsum, ...], IntArray]:
        """Return the space's layers, the same for any rows, and how often each runs, int64[n, l].

        What reaches a node decides its additions; everything else is a number of equal edges.
        """
        parts, numbers = self._parts, self._numbers
        counts = np.zeros((len(rows), len(numbers)), dtype=np.int64)
        for layer in parts.always:
            counts[:, numbers[layer.einsum]] += layer.count
        for (_, edge, choice), layer in parts.edges.items():
            counts[:, numbers[layer.einsum]] += layer.count * (rows[:, edge] == choice)
        for einsum in parts.additions:
            counts[:, numbers[einsum]] += CELLS * additions(rows)
        return tuple(numbers), counts

    @cached_property
    def _numbers(self) -> dict[Einsum, int]:
        parts = self._parts
        layers = [layer.einsum for layer in (*parts.always, *parts.edges.values())]
        return {e: i for i, e in enumerate(dict.fromkeys((*layers, *parts.additions)))}

    def build(self, row: Rows) -> Network:
        """Return the network of one cell, int64[6]; equal cells of a stage are counted."""
        layers, parameters = [self._parts.stem], _STEM_PARAMETERS
        for stage, (channels, _) in enumerate(STAGES):
            layers += self._parts.reductions[stage]
            for edge, choice in enumerate(row):
                layer = self._parts.edges.get((stage, edge, int(choice)))
                if layer is not None:
                    layers.append(layer)
                    if layer.einsum.macs:
                        parameters += CELLS * _normed(layer.einsum, channels)
            layers += self._sums(stage, row)
        parameters += _REDUCTION_PARAMETERS + 2 * STAGES[-1][0]
        layers += [self._parts.mean, self._parts.classifier]
        parameters += (STAGES[-1][0] + 1) * self._data.classes
        source = "Dong and Yang, ICLR 2020, Figure 1"
        name = f"nasbench201-{cell_text(row)}"
        flow = dataflow(row, self._data.pixels, self._data.classes, self.batch)
        return Network(name, tuple(layers), (), source, parameters, dataflow=flow)

    def accuracy(self, rows: Rows) -> FloatArray:
        """Return the accuracy in per cent, float64[n], of rows int64[n, 6], on the test set."""
        return self.score("acc", rows)

    def score(self, name: str, rows: Rows) -> FloatArray:
        """Return a column of the table, float64[n], of rows int64[n, 6].

        Args:
            name: one of `scores`, or `acc`, `macs_m`, `params_m`.
            rows: cells.
        """
        if name == "skip":
            return skip_score(rows)
        if self._further is not None and name in self._further.columns:
            return self._further.columns[name][self.index(rows)]
        if name in self.scores and name in latencies():
            return latencies()[name][self.index(rows)]
        column = f"{name}_{self._data.suffix}"
        if column not in table():
            raise UnknownNameError("score", name, (*self.scores, *_BENCHMARK_COLUMNS))
        return table()[column][self.index(rows)]

    def measured_rows(self) -> Rows:
        """Return the networks that the table has, int64[n, 6]; all without one."""
        indices = np.arange(SIZE) if self._further is None else self._further.indices
        return rows_by_index()[indices]

    def latency_ms(self, device: str, rows: Rows) -> FloatArray:
        """Return milliseconds of the CIFAR-10 network, float64[n].

        Args:
            device: `eyeriss` or `fpga` (model estimates), `raspi4` or `pixel3` (measured).
            rows: cells, int64[n, 6].
        """
        devices = {column.removesuffix("_ms"): column for column in latencies()}
        if device not in devices:
            raise UnknownNameError("device", device, devices)
        return latencies()[devices[device]][self.index(rows)]

    def index(self, rows: Rows) -> IntArray:
        """Return the benchmark's own indices, int64[n], of rows int64[n, 6]."""
        return index_by_code()[codes(rows)]

    def row(self, index: int) -> Rows:
        """Return the cell, int64[6], of one of the benchmark's own indices."""
        row: Rows = rows_by_index()[index]
        return row

    def _sums(self, stage: int, row: Rows) -> list[Layer]:
        """Return the additions of a stage's cells, node by node."""
        edges = list(zip(EDGES, row, strict=True))
        sums = []
        for node in (2, 3):
            reached = sum(b == node and int(c) != NONE for (_, b), c in edges)
            if reached > 1:
                add = evolve(self._parts.additions[stage], name=f"stage{stage}.node{node}.add")
                sums.append(Layer(add, CELLS * (reached - 1)))
        return sums

    @cached_property
    def _parts(self) -> _Parts:
        return _Parts.make(self._data, self.batch)


def additions(rows: Rows) -> IntArray:
    """Return how often a cell adds, int64[n], of rows int64[n, 6]: once less than edges reach."""
    sums = np.zeros(len(rows), dtype=np.int64)
    for node in (2, 3):
        edges = [e for e, (_, b) in enumerate(EDGES) if b == node]
        sums += np.maximum((rows[:, edges] != NONE).sum(axis=1) - 1, 0)
    return sums


@frozen
class _Parts:
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
    def make(cls, data: DataSet, batch: int) -> _Parts:
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


def _normed(einsum: Einsum, channels: int) -> int:
    """Return the parameters of a convolution with its batch norm."""
    return einsum.words(einsum.tensors[0]) + 2 * channels


_STEM_PARAMETERS = 3 * 16 * 9 + 2 * 16
_REDUCTION_PARAMETERS = sum(
    9 * narrow * wide + 9 * wide * wide + narrow * wide + 2 * 2 * wide
    for (narrow, _), (wide, _) in pairwise(STAGES)
)
"""Both residual blocks; the shortcut's convolution has no batch norm."""


class NasBench201Cell(Workload):
    """One network of the benchmark.

    Args:
        index: the benchmark's own, 0 to 15624; 6111 is one of the two best on CIFAR-10.
        dataset: images and classes.
        batch: images in one run.
    """

    options = ParameterSpace(
        (
            Parameter("index", (0, SIZE - 1), 6111, doc="the benchmark's own", free=True),
            DATA_SET,
            BATCH,
        )
    )

    def __init__(self, index: int = 6111, dataset: str = "cifar10", batch: int = 1) -> None:
        self.index, self.cells = index, NasBench201(dataset, batch)

    def network(self) -> Network:
        """Return the network."""
        return self.cells.build(self.cells.row(self.index))
