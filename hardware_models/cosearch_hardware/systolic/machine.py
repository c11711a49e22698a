"""A systolic array with its memories, priced for batches of tilings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import ClassVar

import numpy as np

from cosearch.errors import Infeasible
from cosearch.machine.cost import Cost, CostBatch
from cosearch.machine.hardware import Accelerator
from cosearch.machine.widths import refuse_wider
from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch.typing import BoolArray, IntArray, Rows
from cosearch.workload.einsum import ROLES, Einsum, Tensor
from cosearch_hardware.gemm_view import gemm_view
from cosearch_hardware.systolic.breakdown import MEMORY_OF, breakdown
from cosearch_hardware.systolic.floor import floor
from cosearch_hardware.systolic.pricing import Array, Prices, footprint, price
from cosearch_hardware.systolic.tiling import ORDERS


class SystolicAccelerator(Accelerator):
    """One concrete systolic array.

    A mapping is the tile held on chip (one divisor a dimension; a filter's width and height stay
    whole) and the order in which tiles are visited.

    Args:
        array: sizes.
        prices: energies.
        area_mm2: of the whole machine; NaN where the source has no areas.
        sources: where the numbers come from, by component.
    """

    default_mapper: ClassVar[str] = "exhaustive"

    def __init__(
        self, array: Array, prices: Prices, area_mm2: float, sources: Mapping[str, str]
    ) -> None:
        self.array, self.prices = array, prices
        self.name = f"systolic {array.rows}x{array.cols} {array.dataflow}"
        self.area_mm2 = area_mm2
        self.clock_mhz = None
        self.sources = sources
        self.sketch = _sketch(array)
        self._spaces = lru_cache(maxsize=64)(self._mapspace)

    @property
    def key(self) -> str:
        """A digest of sizes and energies."""
        text = repr((self.array, self.prices))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def mapspace(self, layer: Einsum) -> ParameterSpace:
        """Return tile sizes and loop orders; raises Infeasible when no tile fits."""
        return self._spaces(layer)

    def _mapspace(self, layer: Einsum) -> ParameterSpace:
        refuse_wider(layer, self.name, {role: self.array.bits(role) for role in ROLES})
        view = gemm_view(layer)
        whole = view.windows
        parameters = [
            Parameter(
                f"tile_{dim}",
                (size,) if dim in whole else divisors(size),
                doc=f"{dim} held on chip at once",
            )
            for dim, size in layer.bounds.items()
        ]
        orders = tuple("<".join(order) for order in ORDERS)
        parameters.append(Parameter("order", orders, doc="tile loops, inner to outer"))
        self._refuse_if_nothing_fits(layer, {d: s for d, s in layer.bounds.items() if d in whole})
        rules = tuple(
            Rule(
                f"half of the {MEMORY_OF[tensor.role]} holds a tile of {tensor.name}",
                partial(self._fits, layer, tensor),
            )
            for tensor in layer.tensors
        )
        return ParameterSpace(tuple(parameters), rules)

    def _fits(self, layer: Einsum, tensor: Tensor, columns: Mapping[str, np.ndarray]) -> BoolArray:
        need = footprint(tensor, _tile(layer, columns)) * self.array.bits(tensor.role)
        return np.asarray(need <= self.array.half(tensor.role))

    def _refuse_if_nothing_fits(self, layer: Einsum, whole: Mapping[str, int]) -> None:
        least = {dim: np.array([whole.get(dim, 1)]) for dim in layer.dims}
        over = {}
        for tensor in layer.tensors:
            bits = int(footprint(tensor, least)[0]) * self.array.bits(tensor.role)
            half = self.array.half(tensor.role)
            if bits > half:
                over[MEMORY_OF[tensor.role]] = bits / half
        if over:
            worst = max(over, key=lambda name: over[name])
            raise Infeasible(
                f"layer {layer.name!r} fits nowhere: its smallest tile takes "
                f"{over[worst]:.2f} times half of the {worst}",
                over,
                f"enlarge the {worst}",
            )

    def evaluate(self, layer: Einsum, rows: Rows) -> CostBatch:
        """Price tilings, int64[n, d]."""
        space = self.mapspace(layer)
        columns = space.columns(rows)
        tile = _tile(layer, columns)
        excess = np.ones(len(rows))
        reason = np.zeros(len(rows), dtype=np.int64)
        for i, tensor in enumerate(layer.tensors, start=1):
            used = footprint(tensor, tile) * self.array.bits(tensor.role)
            ratio = used / self.array.half(tensor.role)
            reason = np.where((reason == 0) & (ratio > 1), i, reason)
            excess = np.where(reason == i, ratio, excess)
        feasible = reason == 0
        view = gemm_view(layer)
        energy = np.full(len(rows), np.inf)
        cycles = np.full(len(rows), np.inf)
        order_of = rows[:, space.names.index("order")]
        for index, order in enumerate(ORDERS):
            these = np.flatnonzero(feasible & (order_of == index))
            if len(these):
                picked = {dim: values[these] for dim, values in tile.items()}
                priced = price(self.array, self.prices, view, picked, order)
                energy[these] = priced.energy_pj
                cycles[these] = priced.traffic.cycles
        reasons = ("feasible", *(rule.reason for rule in space.rules))
        return CostBatch(energy, cycles, feasible, reason, reasons, excess)

    def floor(self, layer: Einsum) -> tuple[float, float]:
        """Return energy (pJ) and cycles that no tiling undercuts."""
        return floor(self.array, self.prices, gemm_view(layer))

    def explain(self, layer: Einsum, row: Rows) -> Cost:
        """Return the breakdown of one tiling, int64[d]."""
        batch = self.evaluate(layer, row[None, :])
        if not batch.feasible[0]:
            reason = batch.reasons[int(batch.reason[0])]
            raise Infeasible(f"broken: {reason}", {"capacity": float(batch.excess[0])})
        space = self.mapspace(layer)
        tile = _tile(layer, space.columns(row[None, :]))
        order = ORDERS[int(row[space.names.index("order")])]
        view = gemm_view(layer)
        priced = price(self.array, self.prices, view, tile, order)
        sizes = {dim: int(values[0]) for dim, values in tile.items()}
        return breakdown(self.array, self.prices, view, sizes, order, priced)


def _sketch(a: Array) -> tuple[str, ...]:
    still = {"ws": "weights", "os": "outputs", "is": "inputs"}[a.dataflow]
    return (
        f"DRAM  {a.dram_bits_per_cycle:g} bits a cycle",
        f"├── weight buffer  {a.weight_kb} KB, double buffered",
        f"├── input buffer   {a.input_kb} KB, double buffered",
        f"├── output buffer  {a.output_kb} KB, double buffered, {a.accumulator_bits} bit",
        f"└── MAC  {a.rows} x {a.cols} = {a.rows * a.cols}, {a.word_bits} bit, {still} stand still",
    )


def divisors(n: int) -> tuple[int, ...]:
    """Return the divisors of n in ascending order."""
    low = [d for d in range(1, int(n**0.5) + 1) if n % d == 0]
    return tuple(sorted({*low, *(n // d for d in low)}))


def _tile(layer: Einsum, columns: Mapping[str, np.ndarray]) -> dict[str, IntArray]:
    return {dim: columns[f"tile_{dim}"] for dim in layer.dims}
