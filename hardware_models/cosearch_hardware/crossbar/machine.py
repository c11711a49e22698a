"""A chip of crossbars, priced for batches of cuts."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

import numpy as np

from cosearch.errors import Infeasible
from cosearch.machine.cost import Cost, CostBatch, LevelCost
from cosearch.machine.hardware import Accelerator
from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch.typing import BoolArray, Rows
from cosearch.workload.einsum import Einsum
from cosearch_hardware.crossbar.chip import Chip
from cosearch_hardware.crossbar.cut import Cut, cut, energy, parts
from cosearch_hardware.crossbar.pricing import (
    CLOCK_MHZ,
    SOURCE,
    WRITE_PJ,
    WRITE_SOURCE,
    Prices,
    area_mm2,
)
from cosearch_hardware.gemm_view import GemmView, gemm_view


class CrossbarAccelerator(Accelerator):
    """One concrete chip.

    A mapping says how many rows a read sums, how many matrices of a grouped layer share an array,
    and how many copies of the weights there are.

    Args:
        chip: sizes.
        prices: energies of events.
        streamed: whether weights are programmed before each layer (and cost time and energy), or
            lie in cells from an earlier time, where a layer's weights must then all fit.
        area: of all tiles, mm2; without it, by the paper's table.
        source: of energies and areas.
    """

    default_mapper: ClassVar[str] = "exhaustive"

    def __init__(
        self,
        chip: Chip,
        prices: Prices,
        *,
        streamed: bool,
        area: float | None = None,
        source: str = SOURCE,
    ) -> None:
        self.chip, self.prices, self.streamed = chip, prices, streamed
        self.name = f"crossbar, {chip.arrays} arrays of {chip.rows}x{chip.cols}"
        self.area_mm2 = area_mm2(chip) if area is None else area
        self.clock_mhz = CLOCK_MHZ
        self.sources: Mapping[str, str] = {
            "energies and areas": source,
            "traffic of eDRAM, bus and router": "hwcomponents-library 1.0.58, after the same table",
            "programming": "50.88 ns a row: PipeLayer, HPCA 2017; "
            + (WRITE_SOURCE if prices.write == WRITE_PJ else "energy as the user states it"),
        }
        self.sketch = _sketch(chip)
        self._spaces = lru_cache(maxsize=64)(self._mapspace)

    @property
    def key(self) -> str:
        """A digest of sizes and energies."""
        text = repr((self.chip, self.prices, self.streamed))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def mapspace(self, layer: Einsum) -> ParameterSpace:
        """Return rows a read, matrices an array and copies; raises Infeasible if none fits."""
        return self._spaces(layer)

    def _mapspace(self, layer: Einsum) -> ParameterSpace:
        view, chip = gemm_view(layer), self.chip
        least = self._least_arrays(view)
        if not self.streamed and least > chip.arrays:
            raise Infeasible(
                f"layer {layer.name!r} needs {least} arrays for its weights, of {chip.arrays}",
                {"arrays": least / chip.arrays},
                "more arrays, or weights=streamed, which programs them in turns",
            )
        most = max(chip.arrays // least, 1)
        return ParameterSpace(
            (
                Parameter("active_rows", chip.active_choices, doc="rows that one read sums"),
                Parameter("packed", range(1, self._most_packed(view) + 1), doc="matrices an array"),
                Parameter("copies", _copies(view.size("M"), most), doc="of all weights"),
            ),
            (Rule(f"{chip.arrays} arrays hold the weights", lambda c: self._holds(view, c)),),
        )

    def _most_packed(self, view: GemmView) -> int:
        rows = self.chip.rows // view.size("K")
        cols = self.chip.cols // (view.size("N") * self.chip.slices)
        return max(min(view.size("B"), rows, cols), 1)

    def _least_arrays(self, view: GemmView) -> int:
        packed = np.arange(1, self._most_packed(view) + 1)
        ones = np.ones_like(packed)
        tried = {"active_rows": ones, "copies": ones, "packed": packed}
        return int(cut(self.chip, view, tried).arrays.min())

    def _holds(self, view: GemmView, columns: Mapping[str, np.ndarray]) -> BoolArray:
        fits = cut(self.chip, view, columns).passes == 1
        once = columns["copies"] == 1
        return np.asarray(fits | once if self.streamed else fits)

    def evaluate(self, layer: Einsum, rows: Rows) -> CostBatch:
        """Price cuts, int64[n, 3]."""
        view, space = gemm_view(layer), self.mapspace(layer)
        of = cut(self.chip, view, space.columns(rows))
        feasible = space.feasible(rows)
        spent = energy(self.chip, self.prices, view, of, streamed=self.streamed)
        cycles = of.cycles(self.chip, streamed=self.streamed)
        return CostBatch(
            np.where(feasible, spent, np.inf),
            np.where(feasible, cycles, np.inf),
            feasible,
            np.where(feasible, 0, 1),
            ("feasible", space.rules[0].reason),
            np.where(feasible, 1.0, of.arrays / self.chip.arrays),
        )

    def floor(self, layer: Einsum) -> tuple[float, float]:
        """Return the energy of cells and least conversions, and the cycles of full arrays."""
        view, chip = gemm_view(layer), self.chip
        M, N, K, B = (view.size(g) for g in ("M", "N", "K", "B"))
        reads = M * B * chip.steps * math.ceil(K / chip.most_active)
        columns = N * chip.slices
        cells = M * B * chip.steps * K * columns
        spent = cells * self.prices.cell + reads * columns * self.prices.convert
        return spent, cells / (chip.arrays * chip.most_active * chip.cols) * chip.settle

    def explain(self, layer: Einsum, row: Rows) -> Cost:
        """Return the breakdown of one cut, int64[3]."""
        space = self.mapspace(layer)
        if space.broken(row):
            raise Infeasible(f"broken: {space.broken(row)[0]}")
        view = gemm_view(layer)
        of = cut(self.chip, view, space.columns(row[None, :]))
        spent = parts(self.chip, self.prices, view, of, streamed=self.streamed)
        cycles = float(of.cycles(self.chip, streamed=self.streamed)[0])
        total = energy(self.chip, self.prices, view, of, streamed=self.streamed)
        return Cost(
            energy_pj=float(total[0]),
            cycles=cycles,
            macs=layer.macs,
            compute_pj=float(spent["arrays"][0]),
            levels=tuple(self._level(name, float(pj[0]), of) for name, pj in spent.items())[1:],
            utilization=layer.macs / (cycles * self._macs_a_cycle),
            bound_by=_slowest(of),
            loops=_loops(self.chip, of, space.decode(row)),
        )

    def _level(self, name: str, pj: float, of: Cut) -> LevelCost:
        stages = {"converters": of.compute, "bus": of.load + of.store}
        each = float((stages[name] * of.vectors * of.passes)[0]) if name in stages else 0.0
        return LevelCost(name, each, pj)

    @property
    def _macs_a_cycle(self) -> float:
        chip = self.chip
        weights = chip.rows * (chip.cols // chip.slices)
        reads = chip.steps * math.ceil(chip.rows / chip.most_active)
        step = max(chip.settle, math.ceil((chip.cols + chip.extra) / chip.adcs))
        return chip.arrays * weights / (reads * step)


def _copies(vectors: int, most: int) -> tuple[int, ...]:
    """Return the numbers of copies that differ in time: the least for each number of turns."""
    turns = {-(-vectors // c) for c in range(1, min(most, math.isqrt(vectors) + 1) + 1)}
    turns |= set(range(1, math.isqrt(vectors) + 2))
    return tuple(sorted(c for c in {-(-vectors // t) for t in turns} if c <= most))


def _slowest(of: Cut) -> str:
    stages = {"converters": of.compute, "bus, inputs": of.load, "bus, outputs": of.store}
    return max(stages, key=lambda name: int(stages[name][0]))


def _loops(chip: Chip, of: Cut, chosen: Mapping[str, object]) -> tuple[str, ...]:
    lines = []
    if int(of.passes[0]) > 1:
        lines.append(f"for pass in 0..{of.passes[0]}: program {chip.arrays} arrays")
    lines.append(f"{'  ' * len(lines)}for vector in 0..{of.vectors[0]}")
    turns = int(of.compute[0])
    lines.append(f"{'  ' * len(lines)}for step in 0..{chip.steps}: read in {turns // chip.steps}")
    spread = f"{of.arrays[0]} arrays, {chosen['copies']} copies, {chosen['packed']} matrices each"
    lines.append(f"{'  ' * len(lines)}{spread}, {chosen['active_rows']} rows a read")
    return tuple(lines)


def _sketch(chip: Chip) -> tuple[str, ...]:
    tiles = math.ceil(chip.arrays / chip.arrays_per_tile)
    return (
        f"network  {tiles} tiles",
        f"└── tile  eDRAM, bus of {chip.bus_bits} bits, {chip.arrays_per_tile} arrays",
        f"    └── array  {chip.rows} x {chip.cols} cells of {chip.cell_bits} bit",
        f"        ├── drivers  {chip.rows}, {chip.dac_bits} bit a step",
        f"        └── converters  {chip.adcs} of {chip.adc_bits} bit, {CLOCK_MHZ:g} MS/s",
    )
