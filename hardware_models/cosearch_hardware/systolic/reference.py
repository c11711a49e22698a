"""SCALE-Sim's published rows as reference data for `cosearch validate scalesim`.

Its documented habits are corrected for: reported cycles are a zero-based index, one less than the
rows of the demand matrices; with outputs stationary the printed output writes count
`folds * (rows + columns)` too many; a convolution's output size is rounded up, so it is taken from
the row as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from attrs import frozen

from cosearch.errors import InputError
from cosearch.validate.compare import Figure, Figures, Point
from cosearch.validate.files import csv_header, csv_rows, reading
from cosearch.validate.reference import Reference, Section
from cosearch.workload.einsum import Einsum, conv, gemm
from cosearch_hardware.gemm_view import gemm_view
from cosearch_hardware.systolic.folds import Dataflow, Folded, fold

Row = Mapping[str, str]

COLUMNS = frozenset((
    "layer", "kind", "array_rows", "array_cols", "dataflow", "M", "N", "K", "num_filters",
    "channels", "filt_h", "filt_w", "ofmap_h", "ofmap_w", "demand_rows", "report_total_cycles",
))  # fmt: skip
"""What a file of rows has at least."""

SRAM = {
    "sram_ifmap_reads": "input reads",
    "sram_filter_reads": "weight reads",
    "sram_ofmap_writes": "output writes",
}
"""Columns of SRAM counts, and what they count."""

DATAFLOWS: dict[str, Dataflow] = {"ws": "ws", "os": "os", "is": "is"}


@frozen
class FoldedLayer:
    """A layer on an array.

    Attributes:
        layer: as an einsum.
        rows, cols: of the array.
        dataflow: what stands still.
    """

    layer: Einsum
    rows: int
    cols: int
    dataflow: Dataflow

    def fold(self) -> Folded:
        """Lay the layer onto the array."""
        view = gemm_view(self.layer)
        sizes = (np.array([view.size(group)]) for group in ("M", "N", "K"))
        return fold(self.dataflow, self.rows, self.cols, *sizes)


class ScaleSim(Reference):
    """Every CSV file with the columns of SCALE-Sim's rows."""

    def read(self, path: Path) -> tuple[Section, ...]:
        """Read a directory, or one file of rows."""
        files = [path] if path.is_file() else sorted([*path.glob("*.csv"), *path.glob("*.csv.gz")])
        if not path.exists():
            raise InputError(str(path), ["there is no such directory"])
        points = [
            _point(row, f"{file}:{line}")
            for file in files
            if csv_header(file) >= COLUMNS
            for line, row in csv_rows(file)
        ]
        if not points:
            wanted = " ".join(sorted(COLUMNS))
            raise InputError(str(path), [f"holds no rows: a CSV file with the columns {wanted}"])
        return (Section("SCALE-Sim", points, model, {"sram_exact": "counts_exact"}),)


def model(case: FoldedLayer) -> Figures:
    """Return the model's figures."""
    found = case.fold()
    cycles = int(found.cycles[0])
    macs = case.layer.macs
    return {
        "cycles": cycles,
        "reported cycles": cycles - 1,
        "input reads": int(found.input_reads[0]),
        "weight reads": int(found.weight_reads[0]),
        "output writes": int(found.output_writes[0]),
        "MACs": macs,
        "mapping efficiency %": 100 * float(found.mapping_efficiency(case.rows, case.cols)[0]),
        "utilization %": 100 * macs / ((cycles - 1) * case.rows * case.cols),
    }


def _point(row: Row, source: str) -> Point[FoldedLayer]:
    with reading(source):
        case = FoldedLayer(
            _layer(row), int(row["array_rows"]), int(row["array_cols"]), DATAFLOWS[row["dataflow"]]
        )
        name = f"{row['layer']} {case.rows}x{case.cols} {case.dataflow}"
        return Point(name, source, case, _figures(row, case))


def _layer(row: Row) -> Einsum:
    if row["kind"] != "conv":
        return gemm(row["layer"], M=int(row["M"]), N=int(row["N"]), K=int(row["K"]))
    return conv(
        row["layer"], K=int(row["num_filters"]), C=int(row["channels"]), P=int(row["ofmap_w"]),
        Q=int(row["ofmap_h"]), R=int(row["filt_w"]), S=int(row["filt_h"]),
        stride=(int(row["stride"]), int(row["stride"])),
    )  # fmt: skip


def _figures(row: Row, case: FoldedLayer) -> dict[str, Figure]:
    """Return what the row publishes; empty fields are left out."""
    figures: dict[str, Figure] = {}
    for column, name in (("demand_rows", "cycles"), ("report_total_cycles", "reported cycles")):
        if row[column]:
            figures[name] = Figure("cycles", int(row[column]))
    for column, name in SRAM.items():
        if row.get(column):
            figures[name] = Figure("count", int(row[column]))
    if row.get("macs"):
        figures["MACs"] = Figure("count", int(row["macs"]))
    if "output writes" in figures and case.dataflow == "os":
        found = case.fold()
        overcount = int(found.folds_rows[0] * found.folds_cols[0]) * (case.rows + case.cols)
        printed = int(figures["output writes"].value)
        figures["output writes"] = Figure("count", printed - overcount)
    for column, name in (("mapping_eff_pct", "mapping efficiency %"),
                         ("overall_util_pct", "utilization %")):  # fmt: skip
        if row.get(column):
            value = float(row[column])
            figures[name] = Figure("ratio", value, 1e-9 * max(value, 1.0))
    return figures
