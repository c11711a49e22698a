"""Cycles and SRAM accesses of a matrix multiplication on an R x C systolic array.

The formulas are those that SCALE-Sim 3.0.0 obeys on every published row: one operand (or the
outputs) stands still in the array while the others stream through; a problem larger than the array
is cut into folds, run one after the other, and an edge fold is charged in full. SCALE-Sim prints
`cycles - 1` (a zero-based index) and, with outputs stationary, adds `folds * (R + C)` to its output
writes (a counting bug); neither is repeated here.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import frozen

from cosearch.typing import IntArray

Dataflow: TypeAlias = Literal["ws", "os", "is"]


@frozen(eq=False)
class Folded:
    """A multiplication laid onto the array; every field is int64[n].

    Attributes:
        folds_rows, folds_cols: how often the array is filled along its rows and columns.
        cycles: from the first operand in to the last result out.
        input_reads, weight_reads: words read from SRAM.
        output_writes: words written to SRAM, partial sums included.
        mapped: `S_R * S_C`, the array cells that all folds together put to use.
    """

    folds_rows: IntArray
    folds_cols: IntArray
    cycles: IntArray
    input_reads: IntArray
    weight_reads: IntArray
    output_writes: IntArray
    mapped: IntArray

    def mapping_efficiency(self, rows: int, cols: int) -> IntArray:
        """Return float64[n]: the share of array cells in use, averaged over the folds."""
        return self.mapped / (self.folds_rows * self.folds_cols * (rows * cols))


def fold(dataflow: Dataflow, rows: int, cols: int, M: IntArray, N: IntArray, K: IntArray) -> Folded:
    """Lay `M x K` times `K x N` (int64[n] each) onto the array."""
    across_rows, across_cols, stream = {
        "os": (M, N, K),
        "ws": (K, N, M),
        "is": (K, M, N),
    }[dataflow]
    folds_rows = -(-across_rows // rows)
    folds_cols = -(-across_cols // cols)
    fill = rows if dataflow == "os" else 2 * rows
    mapped = across_rows * across_cols
    through_rows = folds_cols * across_rows * stream
    through_cols = folds_rows * across_cols * stream
    inputs, weights, outputs = {
        "os": (through_rows, through_cols, mapped),
        "ws": (through_rows, mapped, through_cols),
        "is": (mapped, through_rows, through_cols),
    }[dataflow]
    return Folded(
        folds_rows=folds_rows,
        folds_cols=folds_cols,
        cycles=folds_rows * folds_cols * (fill + cols + stream - 2),
        input_reads=inputs,
        weight_reads=weights,
        output_writes=outputs,
        mapped=mapped,
    )
