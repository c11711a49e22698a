"""What each step of a network of NAS-Bench-201 reads and writes, cell by cell."""

from __future__ import annotations

from attrs import frozen

from cosearch.typing import Rows
from cosearch.workload.dataflow import Dataflow
from cosearch_plugins.memory.trace import Trace
from cosearch_plugins.workloads.nasbench201_cells import EDGES, OPERATIONS

CELLS = 5
"""In each stage."""

STAGES = ((16, 1), (32, 2), (64, 4))
"""Channels, and by how much the image has shrunk."""


@frozen
class _Writer:
    """Writes cells of one kind.

    Attributes:
        trace: where the steps go.
        row: operation of each edge.
    """

    trace: Trace
    row: tuple[int, ...]

    def cell(self, name: str, x: int, words: int) -> int:
        """Return what comes out of a cell; a node that nothing reaches is all zeros."""
        nodes: list[int | None] = [x]
        for node in (1, 2, 3):
            total: int | None = None
            for (a, b), choice in zip(EDGES, self.row, strict=True):
                if b != node or nodes[a] is None:
                    continue
                came = self._edge(f"{name}.edge{a}{b}", nodes[a], OPERATIONS[choice], words)
                if came is not None and total is not None:
                    came = self.trace.run(f"{name}.node{b}.add", (total, came), words)
                total = total if came is None else came
            nodes.append(total)
        last = nodes[-1]
        return self.trace.run(f"{name}.zeros", (), words) if last is None else last

    def _edge(self, name: str, x: int | None, operation: str, words: int) -> int | None:
        if operation in ("none", "skip_connect"):
            return None if operation == "none" else x
        return self.trace.run(name, (x,), words)

    def reduction(self, name: str, x: int, narrow: int, words: int) -> int:
        """Return what comes out of the residual block between stages."""
        y = self.trace.run(f"{name}.conv1", (x,), words)
        y = self.trace.run(f"{name}.conv2", (y,), words)
        pooled = self.trace.run(f"{name}.pool", (x,), narrow)
        short = self.trace.run(f"{name}.shortcut", (pooled,), words)
        return self.trace.run(f"{name}.add", (y, short), words)


def dataflow(row: Rows, pixels: int, classes: int, batch: int) -> Dataflow | None:
    """Return the dataflow of the network of a cell.

    A skip is the tensor itself; what no edge reaches is zeros and is not computed, and so is
    what such a node would hand on.

    Args:
        row: operations of the six edges, int64[6].
        pixels: side of the image.
        classes: to tell apart.
        batch: images in one run.
    """
    trace = Trace()
    write = _Writer(trace, tuple(int(choice) for choice in row))

    def words(channels: int, shrunk: int) -> int:
        return batch * channels * (pixels // shrunk) ** 2

    x = trace.run("stem", (trace.given(words(3, 1)),), words(STAGES[0][0], 1))
    for stage, (channels, shrunk) in enumerate(STAGES):
        size = words(channels, shrunk)
        if stage:
            narrow = words(STAGES[stage - 1][0], shrunk)
            x = write.reduction(f"reduction{stage}", x, narrow, size)
        for cell in range(CELLS):
            x = write.cell(f"stage{stage}.cell{cell}", x, size)
    x = trace.run("mean", (x,), batch * STAGES[-1][0])
    return trace.dataflow([trace.run("classifier", (x,), batch * classes)])
