"""NAS-Bench-201: 15,625 cells, each trained on three data sets.

Dong and Yang, ICLR 2020. A cell has four nodes; each of its six edges carries one of five
operations. The network is a stem of 16 channels, then three stages of five equal cells, with a
residual block of stride 2 between stages that doubles the channels (section 2.1 and Figure 1 of the
paper). What reaches a node is added up, one addition less than edges that carry something; an edge
that skips costs nothing but that.

The benchmark's accuracies, scores and latencies are read from a file that the user brings; without
one the accuracies are those of a fitted model.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from attrs import evolve

from cosearch.errors import CosearchError, UnknownNameError
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration, FloatArray, IntArray, Rows
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import (
    MEASURED,
    PREDICTED,
    Layer,
    Network,
    NetworkSpace,
    Workload,
)
from cosearch_plugins.workloads.measured_table import TABLE
from cosearch_plugins.workloads.nasbench201_accuracy import predicted_accuracy
from cosearch_plugins.workloads.nasbench201_cells import (
    DATA_SETS,
    EDGES,
    OPERATIONS,
    SIZE,
    cell_text,
    codes,
    index_by_code,
    rows_by_index,
    skip_score,
)
from cosearch_plugins.workloads.nasbench201_dataflow import CELLS, STAGES, dataflow
from cosearch_plugins.workloads.nasbench201_layers import (
    REDUCTION_PARAMETERS,
    STEM_PARAMETERS,
    Parts,
    normed,
)
from cosearch_plugins.workloads.nasbench201_measured import ACCURACY, DEVICES, MeasuredCells
from cosearch_plugins.workloads.options import BATCH
from cosearch_plugins.workloads.score_objectives import SCORES

NONE = OPERATIONS.index("none")

BEST = {"cifar10": 6111, "cifar100": 9930, "imagenet16-120": 857}
"""The benchmark's most accurate networks; on CIFAR-10 the first of two equal ones."""

MEASURED_NOTE = "test accuracy of the table given: an oracle"

DATA_SET = Parameter("dataset", tuple(DATA_SETS), "cifar10", doc="images and classes")


class Cells(NetworkSpace):
    """The networks, whatever is known of their accuracies.

    Args:
        dataset: images and classes.
        batch: images in one run.
    """

    scores: tuple[str, ...] = ("skip",)

    def __init__(self, dataset: str = "cifar10", batch: int = 1) -> None:
        self.dataset, self.batch = dataset, batch
        self._data = DATA_SETS[dataset]

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
        """The benchmark's most accurate network; on CIFAR-10 number 6111, one of two."""
        return self.space.decode(self.row(BEST[self.dataset]))

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
        layers = [self._parts.stem]
        for stage in range(len(STAGES)):
            layers += self._parts.reductions[stage]
            found = [self._parts.edges.get((stage, e, int(op))) for e, op in enumerate(row)]
            layers += [layer for layer in found if layer is not None]
            layers += self._sums(stage, row)
        layers += [self._parts.mean, self._parts.classifier]
        source = "Dong and Yang, ICLR 2020, Figure 1"
        name = f"nasbench201-{cell_text(row)}"
        flow = dataflow(row, self._data.pixels, self._data.classes, self.batch)
        return Network(name, tuple(layers), (), source, self._parameters(row), dataflow=flow)

    def _parameters(self, row: Rows) -> int:
        last = STAGES[-1][0]
        total = STEM_PARAMETERS + REDUCTION_PARAMETERS + 2 * last
        for stage, (channels, _) in enumerate(STAGES):
            for edge, choice in enumerate(row):
                layer = self._parts.edges.get((stage, edge, int(choice)))
                if layer is not None and layer.einsum.macs:
                    total += CELLS * normed(layer.einsum, channels)
        return total + (last + 1) * self._data.classes

    def score(self, name: str, rows: Rows) -> FloatArray:
        """Return what follows from cells, float64[n], of rows int64[n, 6].

        Args:
            name: `skip`, `macs_m` or `params_m`: millions of multiply-accumulates as the benchmark
                counts them, with one a class for the classifier's bias, and of parameters.
            rows: cells.
        """
        if name == "skip":
            return skip_score(rows)
        if name == "macs_m":
            layers, counts = self.counts(rows)
            macs = counts @ np.array([layer.macs for layer in layers])
            return np.asarray((macs + self._data.classes) / 1e6)
        if name == "params_m":
            return np.array([self._parameters(row) for row in rows]) / 1e6
        raise UnknownNameError("score", name, (*self.scores, "macs_m", "params_m"))

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
    def _parts(self) -> Parts:
        return Parts.make(self._data, self.batch)


def additions(rows: Rows) -> IntArray:
    """Return how often a cell adds, int64[n], of rows int64[n, 6]: once less than edges reach."""
    sums = np.zeros(len(rows), dtype=np.int64)
    for node in (2, 3):
        edges = [e for e, (_, b) in enumerate(EDGES) if b == node]
        sums += np.maximum((rows[:, edges] != NONE).sum(axis=1) - 1, 0)
    return sums


class NasBench201(Cells):
    """The space of cells; accuracies are a table's, or predicted.

    Args:
        dataset: images and classes.
        batch: images in one run.
        table: the benchmark's files, several joined by `+`; empty for none.
    """

    options = ParameterSpace((DATA_SET, BATCH, TABLE))
    accuracy_is = PREDICTED

    def __init__(self, dataset: str = "cifar10", batch: int = 1, table: str = "") -> None:
        super().__init__(dataset, batch)
        self._model = predicted_accuracy(dataset)
        self.measured = MeasuredCells.read(table, dataset) if table else None
        known = () if self.measured is None else self.measured.columns
        self.scores = ("skip", *(name for name in known if name != ACCURACY))
        self.accuracy_note = MEASURED_NOTE if ACCURACY in known else self._model.note

    def accuracy(self, rows: Rows) -> FloatArray:
        """Return the accuracy in per cent, float64[n], measured where the table has the network."""
        known = self._known(rows)
        return np.where(np.isnan(known), self._predicted[codes(rows)], known)

    def origins(self, rows: Rows) -> tuple[str, ...]:
        """Return where the accuracy of each row comes from."""
        return tuple(PREDICTED if lost else MEASURED for lost in np.isnan(self._known(rows)))

    def remark(self, row: Rows) -> str:
        """Return the accuracy's origin, and its error where it is predicted."""
        (origin,) = self.origins(row[None])
        return f"{origin}, {MEASURED_NOTE if origin == MEASURED else self._model.note}"

    def score(self, name: str, rows: Rows) -> FloatArray:
        """Return a column of the table, float64[n], of rows int64[n, 6]; NaN where it has none.

        Raises:
            CosearchError: it would be in the benchmark's files, and none was given.
            UnknownNameError: there is no such score.
        """
        if self.measured is not None and name in self.measured.columns and name != ACCURACY:
            return self.measured.columns[name][self.index(rows)]
        if name not in self.scores and (hint := self.missing(name)):
            raise CosearchError(f"{name} is not known of {self.dataset}'s networks", hint)
        return super().score(name, rows)

    def missing(self, name: str) -> str:
        """Return which file to pass so that a score is known; empty where none would help."""
        if name in self.scores or name not in {*SCORES, *DEVICES}:
            return ""
        column = name if name in DEVICES else f"{name}_{self._data.suffix}"
        of = "" if self.dataset == "cifar10" else f"dataset={self.dataset},"
        if name in DEVICES and of:
            return "devices ran the networks of dataset=cifar10 alone"
        return (
            f"it is read from the benchmark's table: nasbench201:{of}table=FILE, comma-separated "
            f"values with columns index and {column}"
        )

    def measured_rows(self) -> Rows:
        """Return the networks that every file of the table has, int64[n, 6]; none without one."""
        indices = np.arange(0) if self.measured is None else self.measured.indices
        return rows_by_index()[indices]

    def latency_ms(self, device: str, rows: Rows) -> FloatArray:
        """Return milliseconds of the CIFAR-10 network, float64[n].

        Args:
            device: `eyeriss` or `fpga` (model estimates), `raspi4` or `pixel3` (measured).
            rows: cells, int64[n, 6].
        """
        devices = {column.removesuffix("_ms"): column for column in DEVICES}
        if device not in devices:
            raise UnknownNameError("device", device, devices)
        return self.score(devices[device], rows)

    def _known(self, rows: Rows) -> FloatArray:
        if self.measured is None or ACCURACY not in self.measured.columns:
            return np.full(len(rows), np.nan)
        return self.measured.columns[ACCURACY][self.index(rows)]

    @cached_property
    def _predicted(self) -> FloatArray:
        """By code."""
        rows = self.space.unrank(np.arange(SIZE))
        found = np.empty(SIZE)
        found[codes(rows)] = self._model.of(rows)
        return found


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
