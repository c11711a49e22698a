"""Gemmini as DOSA searched it: a weight-stationary array with a scratchpad and an accumulator.

Hong, Huang, Dinh, Subedar, Shao, *DOSA: Differentiable Model-Based One-Loop Search for DNN
Accelerators*, MICRO 2023, and the Timeloop architecture in its artifact (`ucb-bar/dosa`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import cattrs
import numpy as np
from attrs import evolve, frozen

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import Constraints, LevelConstraint
from cosearch.machine.architecture import Architecture, Compute, CostRules, Memory
from cosearch.machine.cost import Cost, CostBatch
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.machine.technology import UNPRICED, Technology, priced
from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch.typing import Configuration, FloatArray, Rows
from cosearch.workload.einsum import Einsum
from cosearch_hardware.dimensions import Dimensions
from cosearch_hardware.gemmini import rtl as gemmini_rtl
from cosearch_hardware.pricing import AREA
from cosearch_hardware.stationary import NOTHING, spread, weights_rest
from cosearch_plugins.technologies.dosa import DosaTable

if TYPE_CHECKING:
    from cosearch.loopnest.space.mapspace import MapSpace

DOSA: Technology = DosaTable()

WORD_BITS, SUM_BITS = 8, 32
"""Words, and partial sums in the accumulator."""

WIDTHS = (
    "operands of 8 bits, sums of 32: GemminiConfigs.defaultConfig of ucb-bar/gemmini (inputType "
    "SInt(8.W), accType SInt(32.W)); narrower elements are stored as wide as these"
)

DRAM_BLOCK_WORDS, DRAM_WORDS_PER_CYCLE = 64, 8
"""DRAM moves blocks of 64 words, 8 words a cycle (DOSA's Timeloop architecture)."""

COUNTS = {
    "2025": CostRules(first_fill_is_counted=True),
    "2022": CostRules.timeloop_2022(),
}
"""By the option `counts`. Both count the first visit of a partial sum as a fill, as DOSA's do."""

_POWERS_OF_TWO = tuple(2**n for n in range(12))

RULES_OF_RTL = (
    Rule(
        f"the RTL fit covers arrays of up to {gemmini_rtl.LARGEST_ARRAY} x "
        f"{gemmini_rtl.LARGEST_ARRAY} only",
        lambda c: c["pe_dim"] <= gemmini_rtl.LARGEST_ARRAY,
    ),
)


@frozen
class Design:
    """One configuration.

    Attributes:
        pe_dim: multipliers in a row and in a column.
        scratchpad_kb: of weights and inputs together.
        accumulator_kb: of all columns together.
    """

    pe_dim: int
    scratchpad_kb: int
    accumulator_kb: int


class Gemmini(HardwareModel):
    """A square array: columns carry output channels, rows input channels.

    Weights rest in a register of each PE; every column has an accumulator of its own; one
    scratchpad feeds the array.

    Args:
        latency: `timeloop` is the loop-nest model, exact against DOSA's Timeloop points; `rtl` is
            fitted to FireSim runs (and then no mapping is proven best).
        counts: `2022` credits sliding windows as the Timeloop that made DOSA's points did, which
            is exact against them; `2025` as Timeloop has since, which never counts more words and
            is what the exact mapper proves optima under.
        technology: prices energies.
        area: prices areas; None is the same.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("latency", ("timeloop", "rtl"), doc="loop-nest model, or fitted to RTL runs"),
            Parameter(
                "counts", ("2025", "2022"), doc="whose sliding windows: Timeloop's of a year"
            ),
            Parameter(
                "technology",
                ("dosa", "pat"),
                free=True,
                doc="prices energies",
                plugin="technologies",
            ),
            AREA,
        )
    )

    def __init__(
        self,
        latency: str = "timeloop",
        counts: str = "2025",
        technology: Technology = DOSA,
        area: Technology | None = None,
    ) -> None:
        self._rules = COUNTS[counts]
        self._rtl = latency == "rtl"
        self._energy, self._area = technology, area or technology

    @property
    def name(self) -> str:
        """As users write it."""
        return "gemmini"

    @property
    def space(self) -> ParameterSpace:
        """DOSA's hardware space: 2^1 to 2^7 PEs a side, memories of 2^0 to 2^11 KB."""
        return ParameterSpace(
            (
                Parameter("pe_dim", _POWERS_OF_TWO[1:8], 16, "PEs", "side of the array"),
                Parameter(
                    "scratchpad_kb", _POWERS_OF_TWO, 128, "KB", "weights and inputs", free=True
                ),
                Parameter(
                    "accumulator_kb", _POWERS_OF_TWO, 32, "KB", "32-bit partial sums", free=True
                ),
            ),
            RULES_OF_RTL if self._rtl else (),
        )

    def build(self, configuration: Configuration) -> GemminiAccelerator | RtlGemmini:
        """Return the machine, or raise Infeasible."""
        design = cattrs.structure(self.check(configuration), Design)
        architecture = machine(
            design.pe_dim,
            accumulator_words=design.accumulator_kb * 8192 // (SUM_BITS * design.pe_dim),
            scratchpad_rows=design.scratchpad_kb * 8192 // (WORD_BITS * design.pe_dim),
            rules=self._rules,
        )
        architecture = priced(architecture, self._energy, self._area, kinds={"register": "regfile"})
        nest = GemminiAccelerator(architecture)
        return RtlGemmini(nest) if self._rtl else nest


def machine(
    pe_dim: int,
    *,
    accumulator_words: int,
    scratchpad_rows: int,
    rules: CostRules,
) -> Architecture:
    """Return DOSA's Timeloop architecture, unpriced.

    Args:
        pe_dim: multipliers in a row and in a column.
        accumulator_words: 32-bit words of each column.
        scratchpad_rows: rows of `pe_dim` words.
        rules: whose way of counting is followed.
    """
    register = Memory(
        "register",
        1,
        UNPRICED,
        WORD_BITS,
        mesh_x=pe_dim,
        mesh_y=pe_dim,
        keeps={"Weights"},
        packs=(WORD_BITS,),
    )
    accumulator = Memory(
        "accumulator",
        accumulator_words,
        UNPRICED,
        SUM_BITS,
        mesh_x=pe_dim,
        shared_bandwidth=2,
        keeps={"Outputs"},
        packs=(SUM_BITS,),
    )
    scratchpad = Memory(
        "scratchpad",
        scratchpad_rows * pe_dim,
        UNPRICED,
        WORD_BITS,
        block_size=pe_dim,
        shared_bandwidth=2 * pe_dim,
        keeps={"Weights", "Inputs"},
        packs=(WORD_BITS,),
    )
    dram = Memory(
        "DRAM",
        None,
        UNPRICED,
        WORD_BITS,
        block_size=DRAM_BLOCK_WORDS,
        shared_bandwidth=DRAM_WORDS_PER_CYCLE,
        is_dram=True,
        packs=(WORD_BITS, SUM_BITS),
    )
    return Architecture(
        "gemmini",
        (register, accumulator, scratchpad, dram),
        Compute(0.0, pe_dim, pe_dim, WORD_BITS),
        rules=rules,
        sources={
            "bandwidths": "DOSA's Timeloop architecture: 2 words a cycle a column, 2 rows a cycle, "
            "8 words a cycle of DRAM",
            "clock": "none stated",
            "widths": WIDTHS,
        },
    )


class GemminiAccelerator(SpatialAccelerator):
    """Gemmini with the loops that its dataflow has."""

    packs_by_class: ClassVar[bool] = True

    def constraints_for(self, layer: Einsum) -> Constraints:
        """Return DOSA's mapspace: columns carry output channels, rows input channels.

        A register sees nothing but output columns pass (or rows of a matrix), and the scratchpad
        has no loop in time of its own.
        """
        dims = Dimensions.of(layer)
        return {
            "register": weights_rest(layer, dims.output_width | dims.streamed),
            "accumulator": spread(NOTHING, dims.reduced),
            "scratchpad": LevelConstraint(
                temporal=dict.fromkeys(layer.dims, 1), x_dims=dims.produced, y_dims=NOTHING
            ),
        }


class RtlGemmini(Accelerator):
    """Gemmini whose cycles are those of its RTL, as far as the fit goes.

    Energies, area and mapspace are those of the loop-nest model. It is no `SpatialAccelerator`:
    what the exact mapper proves holds for the loop-nest model's cycles, not for these.

    Args:
        nest: the machine by the loop-nest model.
    """

    default_mapper: ClassVar[str] = "evolutionary"

    def __init__(self, nest: GemminiAccelerator) -> None:
        self.nest = nest
        self.architecture = nest.architecture
        self.name, self.area_mm2, self.clock_mhz = nest.name, nest.area_mm2, nest.clock_mhz
        self.sources = {**nest.sources, "cycles": gemmini_rtl.SOURCE}

    @property
    def key(self) -> str:
        """Tells it from the machine of the loop-nest model."""
        return f"rtl-{self.nest.key}"

    def mapspace(self, layer: Einsum) -> MapSpace:
        """Return the mapspace of the loop-nest model."""
        return self.nest.mapspace(layer)

    def evaluate(self, layer: Einsum, rows: Rows) -> CostBatch:
        """Return energies by the loop-nest model, and cycles by the fit."""
        costs = self.nest.evaluate(layer, rows)
        fitted = gemmini_rtl.cycles(gemmini_rtl.terms(self._tiling(layer, rows)))
        return evolve(costs, cycles=np.where(costs.feasible, fitted, np.inf))

    def explain(self, layer: Einsum, row: Rows) -> Cost:
        """Return the loop-nest model's breakdown with the cycles of the fit."""
        cost = self.nest.explain(layer, row)
        counts = gemmini_rtl.terms(self._tiling(layer, row[None, :]))
        cycles = float(gemmini_rtl.cycles(counts)[0])
        largest = int(np.argmax(counts[0] * np.array(gemmini_rtl.WEIGHTS)))
        macs_at_best = cycles * self.architecture.compute.instances
        return evolve(
            cost,
            cycles=cycles,
            bound_by=f"{gemmini_rtl.TERMS[largest]} (RTL fit)",
            utilization=cost.macs / macs_at_best,
        )

    def _tiling(self, layer: Einsum, rows: Rows) -> gemmini_rtl.Tiling:
        """Return the tiles that the DRAM loops of rows, int64[n, d], cut the layer into."""
        space = self.mapspace(layer)
        trips = space.factors(rows)[:, -1, :]
        dims = Dimensions.of(layer)

        def whole(group: frozenset[str]) -> FloatArray:
            return np.full(len(rows), float(np.prod([layer.bounds[d] for d in group])))

        def tile(group: frozenset[str]) -> FloatArray:
            columns = [j for j, dim in enumerate(space.dims) if dim in group]
            return np.asarray(whole(group) / trips[:, columns].prod(axis=1))

        width = dims.output_width or dims.streamed
        strides = dict(
            term
            for t in layer.operands
            for axis in t.axes
            if len(axis.terms) > 1
            for term in axis.terms
        )
        again = dims.separate | (dims.streamed if dims.output_width else frozenset())
        return gemmini_rtl.Tiling(
            p=tile(width),
            q=tile(dims.output_height),
            r=tile(dims.filter_width),
            s=tile(dims.filter_height),
            c=tile(dims.reduced),
            k=tile(dims.produced),
            P=whole(width),
            Q=whole(dims.output_height),
            R=whole(dims.filter_width),
            S=whole(dims.filter_height),
            C=whole(dims.reduced),
            K=whole(dims.produced),
            stride_x=_stride(strides, dims.output_width, len(rows)),
            stride_y=_stride(strides, dims.output_height, len(rows)),
            array=np.full(len(rows), float(self.architecture.compute.mesh_x)),
            repeats=whole(again),
        )


def _stride(strides: dict[str, int], group: frozenset[str], n: int) -> FloatArray:
    return np.full(n, float(max((strides.get(dim, 1) for dim in group), default=1)))
