"""DOSA's published Timeloop points of Gemmini-like machines, as CSV.

Source: the artifact of *DOSA: Differentiable Model-Based One-Loop Search for DNN Accelerators*
(Hong et al., MICRO 2023). Its points were made by a Timeloop of 2022, so the architecture asks for
`CostRules.timeloop_2022()`. Energies are published in microjoules with six digits after the point;
those of the configurations that were also run as RTL with six digits in all.

The artifact publishes cycles and energy. Access counts are those of a file that has them by `id`,
and for every other point those of the closed form that accompanies the data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen

from cosearch.errors import InputError
from cosearch.loopnest.mapping import LevelMapping, Loop
from cosearch.loopnest.mapping import Mapping as LoopMapping
from cosearch.loopnest.validity import refuse_misfits
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, CostRules, Memory
from cosearch.validate.compare import Figure, Figures, Point, Rejected
from cosearch.validate.figures import MappedLayer, reference_model
from cosearch.validate.files import csv_header, csv_rows, reading
from cosearch.validate.reference import Reference, Section
from cosearch.workload.einsum import Einsum, conv
from cosearch_plugins.references.dosa_counts import access_counts

Row = Mapping[str, str]

LEVELS = ("register", "accumulator", "scratchpad", "DRAM")
"""L0 to L3 of DOSA's mapping strings."""

TENSORS = {"W": "Weights", "I": "Inputs", "O": "Outputs"}

HALF_A_DIGIT_UJ = 0.5e-6
"""Half a unit of the sixth digit after the point."""

CASE = frozenset(
    (*"RSPQCKN", "id", "pe_dim", "acc_depth", "sp_depth", "Wstride", "Hstride", "mapping")
)
"""Columns that say what was run."""


@frozen
class Layout:
    """A kind of file, by its columns.

    Attributes:
        name: of the points in it.
        cycles, energy: columns of Timeloop's figures; rows that leave them empty are no points.
        significant: digits of an energy; None where it has six after the point.
        counted: whether the ids are those of the file of access counts.
    """

    name: str
    cycles: str
    energy: str
    significant: int | None = None
    counted: bool = False


LAYOUTS = (
    Layout("DOSA", "cycles", "energy_uJ", counted=True),
    Layout("DOSA, machines also run as RTL", "timeloop_cycles", "timeloop_energy_uJ", 6),
)

ACCESS_COUNTS: Mapping[str, tuple[str, ...]] = {
    "macs": ("computes",),
    "acc_o_update": ("accumulator/Outputs/updates", "accumulator/Outputs/instances"),
    "acc_o_read": ("accumulator/Outputs/reads", "accumulator/Outputs/instances"),
    "acc_o_fill": ("accumulator/Outputs/fills", "accumulator/Outputs/instances"),
    "reg_w_fill": ("register/Weights/fills", "register/Weights/instances"),
    "sp_i_read": ("scratchpad/Inputs/reads",),
    "sp_w_read": ("scratchpad/Weights/reads",),
    "sp_i_fill": ("scratchpad/Inputs/fills",),
    "sp_w_fill": ("scratchpad/Weights/fills",),
    "dram_i_read": ("DRAM/Inputs/reads",),
    "dram_w_read": ("DRAM/Weights/reads",),
    "dram_o_read": ("DRAM/Outputs/reads",),
    "dram_o_update": ("DRAM/Outputs/updates",),
}
"""Columns of the file of access counts: the figures whose product each is."""


class Dosa(Reference):
    """Every CSV file with the columns of points; access counts where a file has them by `id`."""

    def read(self, path: Path) -> tuple[Section, ...]:
        """Read a directory, or one file of points."""
        files = _files(path)
        counts = dict(_access_counts(files))
        sections = [
            Section(layout.name, list(_points(files, layout, counts)), model) for layout in LAYOUTS
        ]
        found = tuple(section for section in sections if section.points)
        if not found:
            wanted = " ".join([*sorted(CASE), LAYOUTS[0].cycles, LAYOUTS[0].energy])
            raise InputError(str(path), [f"holds no points: a file with the columns {wanted}"])
        return found


def model(case: MappedLayer) -> Figures | Rejected:
    """Return the reference model's figures, with the totals that DOSA's files have."""
    found = reference_model(case)
    if isinstance(found, Rejected):
        return found
    totals = {"energy_uJ": found["energy_pj"] / 1e6}
    for column, factors in ACCESS_COUNTS.items():
        totals[column] = math.prod(found.get(factor, math.nan) for factor in factors)
    return {**found, **totals}


def sram_pj(depth: int, width_bits: int) -> float:
    """Return the energy of one access, pJ: Timeloop's linear formula (PAT) that the points follow.

    One unit per 16 bits at 0.5 KB, six at 100 KB.
    """
    kilobytes = depth * width_bits / 8192
    return (1 + (5 / 99.5) * (kilobytes - 0.5)) * width_bits / 16


def architecture(pe_dim: int, accumulator_depth: int, scratchpad_depth: int) -> Architecture:
    """Return the Gemmini-like machine behind a point: energies and bandwidths of DOSA's set-up."""
    uniform = AccessEnergy.uniform
    return Architecture(
        f"gemmini {pe_dim}x{pe_dim}",
        (
            Memory("register", 1, uniform(sram_pj(1, 8)), 8, mesh_x=pe_dim, mesh_y=pe_dim),
            Memory(
                "accumulator",
                accumulator_depth,
                uniform(sram_pj(accumulator_depth, 32)),
                32,
                mesh_x=pe_dim,
                shared_bandwidth=2,
            ),
            Memory(
                "scratchpad",
                scratchpad_depth * pe_dim,
                uniform(sram_pj(scratchpad_depth, 8 * pe_dim)),
                8,
                pe_dim,
                shared_bandwidth=2 * pe_dim,
            ),
            Memory("DRAM", None, uniform(6400.0), 8, 64, shared_bandwidth=8, is_dram=True),
        ),
        Compute(0.5608, pe_dim, pe_dim, 8),
        rules=CostRules.timeloop_2022(),
    )


def mapping(text: str) -> LoopMapping:
    """Read DOSA's notation, `L3[WIO] P28 K8 - L2[WI] K4X - L1[O] C3X - L0[W] P2`.

    Levels and loops are outermost first; `X` marks a spatial loop, which spreads the scratchpad's
    children over columns and the accumulator's over rows.
    """
    parts = [part.split() for part in text.split(" - ")]
    if [head[:2] for head, *_ in parts] != ["L3", "L2", "L1", "L0"]:
        raise ValueError(f"mapping {text!r} has not the levels L3 to L0")
    return LoopMapping(
        tuple(_level(i, head, loops) for i, (head, *loops) in enumerate(reversed(parts)))
    )


@frozen
class _Word:
    loop: Loop
    spatial: bool


def _level(index: int, head: str, words: list[str]) -> LevelMapping:
    loops = [w for w in map(_word, reversed(words)) if w.loop.bound > 1]
    spatial = tuple(w.loop for w in loops if w.spatial)
    columns = index == LEVELS.index("scratchpad")
    return LevelMapping(
        LEVELS[index],
        frozenset(TENSORS[letter] for letter in head[3:-1]),
        temporal=tuple(w.loop for w in loops if not w.spatial),
        spatial_x=spatial if columns else (),
        spatial_y=() if columns else spatial,
    )


def _word(text: str) -> _Word:
    found = re.fullmatch(r"([A-Z])(\d+)(X?)", text)
    if not found:
        raise ValueError(f"{text!r} is no loop")
    return _Word(Loop(found[1], int(found[2])), bool(found[3]))


def _layer(row: Row) -> Einsum:
    K, C, P, Q, R, S, N = (int(row[dim]) for dim in "KCPQRSN")
    stride = int(row["Wstride"]), int(row["Hstride"])
    return conv("layer", K=K, C=C, P=P, Q=Q, R=R, S=S, N=N, stride=stride)


def _points(
    files: list[Path], layout: Layout, counts: Mapping[str, Mapping[str, int]]
) -> Iterator[Point[MappedLayer]]:
    for file in files:
        if csv_header(file) >= {*CASE, layout.cycles, layout.energy}:
            for line, row in csv_rows(file):
                if row[layout.cycles]:
                    known = counts.get(row["id"], {}) if layout.counted else {}
                    yield _point(row, f"{file}:{line}", layout, known)


def _point(row: Row, source: str, layout: Layout, counts: Mapping[str, int]) -> Point[MappedLayer]:
    with reading(source):
        machine = architecture(int(row["pe_dim"]), int(row["acc_depth"]), int(row["sp_depth"]))
        case = MappedLayer(machine, _layer(row), mapping(row["mapping"]))
        refuse_misfits(case.architecture, case.layer, case.mapping)
        stride = int(row["Wstride"]), int(row["Hstride"])
        derived = access_counts(case.layer, case.mapping, stride) or {}
        figures = {name: Figure("count", value) for name, value in {**derived, **counts}.items()}
        figures["cycles"] = Figure("cycles", int(row[layout.cycles]))
        energy = float(row[layout.energy])
        figures["energy_uJ"] = Figure("energy", energy, *(2 * [_rounding(energy, layout)]))
        return Point(row["id"], source, case, figures)


def _rounding(energy_uj: float, layout: Layout) -> float:
    """Return half a unit of an energy's last digit, and a hair for binary fractions."""
    half = HALF_A_DIGIT_UJ
    if layout.significant is not None:
        half = 0.5 * 10.0 ** (math.floor(math.log10(energy_uj)) + 1 - layout.significant)
    return half * (1 + 1e-6)


def _access_counts(files: list[Path]) -> Iterator[tuple[str, dict[str, int]]]:
    for file in files:
        columns = csv_header(file)
        if columns >= {"id", *ACCESS_COUNTS}:
            for line, row in csv_rows(file):
                with reading(f"{file}:{line}"):
                    yield row["id"], {name: int(row[name]) for name in ACCESS_COUNTS}


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(str(path), ["there is no such directory"])
    return sorted([*path.glob("*.csv"), *path.glob("*.csv.gz")])
