"""Eyeriss: 168 processing elements with partitioned scratchpads below a global buffer.

The chip: Y.-H. Chen, T. Krishna, J. Emer, V. Sze, JSSC 52(1), 2017, 65 nm. The design space: Z. Shi
et al., *Learned Hardware/Software Co-Design of Neural Accelerators*, arXiv 2010.02075, 2020.
"""

from __future__ import annotations

from typing import ClassVar

from cosearch.errors import Infeasible
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import Constraints
from cosearch.machine.architecture import Architecture, Compute, Memory, Partition
from cosearch.machine.hardware import HardwareModel
from cosearch.machine.technology import UNPRICED, Technology, priced
from cosearch.quantities import added
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration
from cosearch.workload.einsum import Einsum, Role
from cosearch_hardware.dimensions import Dimensions
from cosearch_hardware.eyeriss.dataflow import RULES, Rules, wiring
from cosearch_hardware.eyeriss.space import CHIP_CORE_MM2, Design, design_space
from cosearch_hardware.pricing import AREA, CHIP, TECHNOLOGY
from cosearch_hardware.width import HELD, WIDTH, with_width

CLOCK_MHZ = 200.0
"""Core clock of the measurements, 1 V (JSSC 2017, table V)."""

DRAM_BITS_PER_CYCLE = 19.2
"""A 64-bit link at 60 MHz (JSSC 2017, section VI), in bits a core cycle of 200 MHz."""

BUFFER_HOLDS: dict[str, tuple[frozenset[Role], frozenset[Role]]] = {
    "bypass": (frozenset({"Inputs", "Outputs"}), frozenset()),
    "keep": (frozenset({"Weights", "Inputs", "Outputs"}), frozenset()),
    "open": (frozenset(), frozenset({"Weights", "Inputs", "Outputs"})),
}
"""What the buffer keeps, and what a mapping may choose to keep, by the option `weights`."""


class Eyeriss(HardwareModel):
    """Three levels: one partitioned scratchpad a PE, global buffers, DRAM.

    The three scratchpads of a PE are one level with a part for each tensor, so that they share a
    tile, as they do under row-stationary rules: no loop runs between them. Filters go from DRAM
    straight to the scratchpads, as on the chip (JSSC 2017, section III: the buffer is for input
    rows and partial sums).

    Args:
        pes: processing elements, of one design.
        resources: `iso` spends exactly the chip's PEs and local words and at most its buffer and
            bus; `within` may also leave local words out; `free` chooses every size, under an area
            limit.
        buffers: `one` global buffer, or a `mesh` of them (the space of arXiv 2010.02075; two
            levels then spread loops, and proofs of the exact mapper take far longer).
        mapping: `open` leaves loops to the mapper; `row-stationary` prescribes the chip's, and
            `timeloop-rows` what Timeloop's own Eyeriss prescribes, which is stricter.
        word_bits: whether the width of words is `held` as on the chip, or a `search` chooses it.
        weights: whether filters `bypass` the buffer, are kept, or the mapper may choose for
            every tensor (`open`).
        dram_bits: a core cycle, of the link to DRAM; of the board, so no choice of the search. 0
            is without limit.
        technology: prices energies.
        area: prices areas; None is the same.
        area_limit_mm2: of a design with free resources.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("pes", (168, 256), doc="processing elements"),
            Parameter(
                "resources",
                ("iso", "within", "free"),
                doc="the chip's resources, at most those, or free sizes",
            ),
            Parameter("buffers", ("one", "mesh"), doc="one global buffer, or a mesh of them"),
            Parameter("mapping", ("open", *RULES), doc="rules for the loops"),
            WIDTH,
            Parameter("weights", ("bypass", "keep", "open"), doc="filters in the global buffer"),
            Parameter(
                "dram_bits",
                (0.0, 1024.0),
                DRAM_BITS_PER_CYCLE,
                "bits/cycle",
                "link to DRAM, 0 is without limit",
                free=True,
            ),
            TECHNOLOGY,
            AREA,
            Parameter(
                "area_limit_mm2",
                (0.5, 1000.0),
                CHIP_CORE_MM2,
                "mm2",
                "largest area of a design with free resources",
                free=True,
            ),
        )
    )

    def __init__(
        self,
        pes: int = 168,
        resources: str = "iso",
        buffers: str = "one",
        mapping: str = "open",
        word_bits: str = HELD,
        weights: str = "bypass",
        dram_bits: float = DRAM_BITS_PER_CYCLE,
        technology: Technology = CHIP,
        area: Technology | None = None,
        area_limit_mm2: float = CHIP_CORE_MM2,
    ) -> None:
        space = design_space(pes, resources, fixed=mapping != "open", mesh=buffers == "mesh")
        self._space = with_width(space, word_bits)
        self._pes = pes
        self._rules = RULES.get(mapping)
        self._weights, self._dram_bits = weights, dram_bits
        self._energy, self._area = technology, area or technology
        self._area_limit_mm2 = area_limit_mm2 if resources == "free" else None

    @property
    def name(self) -> str:
        """As users write it."""
        return "eyeriss"

    @property
    def space(self) -> ParameterSpace:
        """The design space."""
        return self._space

    def build(self, configuration: Configuration) -> EyerissAccelerator:
        """Return the machine, or raise Infeasible."""
        design = Design.of(self.check(configuration), self._pes)
        architecture = self._architecture(design)
        limit = self._area_limit_mm2
        if limit is not None and architecture.area_mm2 > limit:
            raise Infeasible(
                f"area {architecture.area_mm2:.2f} mm2 is over the limit of {limit:g} mm2",
                {"area_mm2": architecture.area_mm2 / limit},
            )
        return EyerissAccelerator(architecture, design, self._rules)

    def _architecture(self, design: Design) -> Architecture:
        bits = design.word_bits
        keeps, may_keep = BUFFER_HOLDS[self._weights]
        parts = {role: Partition(words, UNPRICED) for role, words in design.scratchpads.items()}
        scratchpads = Memory(
            "scratchpads",
            added(design.scratchpads.values()),
            UNPRICED,
            word_bits=bits,
            packs=(bits,),
            mesh_x=design.pe_x,
            mesh_y=design.pe_y,
            partitions=parts,
        )
        buffers = design.buffer_x * design.buffer_y
        buffer = Memory(
            "buffer",
            design.buffer_kb * 8192 // (bits * buffers),
            UNPRICED,
            word_bits=bits,
            packs=(bits,),
            block_size=design.buffer_block,
            mesh_x=design.buffer_x,
            mesh_y=design.buffer_y,
            shared_bandwidth=design.bus_words / buffers,
            keeps=keeps,
            may_keep=may_keep,
        )
        dram = Memory(
            "DRAM",
            None,
            UNPRICED,
            word_bits=bits,
            packs=(bits,),
            is_dram=True,
            shared_bandwidth=self._dram_bits / bits if self._dram_bits else None,
        )
        machine = Architecture(
            "eyeriss",
            (scratchpads, buffer, dram),
            Compute(0.0, design.pe_x, design.pe_y, bits),
            CLOCK_MHZ,
            sources=SOURCES,
        )
        return priced(
            machine,
            self._energy,
            self._area,
            kinds={"scratchpads": "regfile"},
            ganged={"buffer": design.buffer_cluster},
        )


SOURCES = {
    "clock": "200 MHz, JSSC 52(1) 2017, table V",
    "buffer bandwidth": "buses of 16 bits for inputs and 64 bits each way for partial sums: 9 "
    "words a cycle, JSSC 52(1) 2017, section V",
    "DRAM bandwidth": "64-bit link at 60 MHz, JSSC 52(1) 2017, section VI (unless set otherwise)",
    "network": "no energy: a word on the array's buses is free",
    "word width": "16 bits, JSSC 52(1) 2017; narrower elements are stored as whole words; what "
    "narrower words do to accuracy is not modelled; --set word_bits=16 holds the chip's",
}


class EyerissAccelerator(SpatialAccelerator):
    """An Eyeriss with the dataflow its wiring allows.

    Args:
        architecture: memories, fanout and multipliers.
        design: the configuration it was built from.
        rules: that hold on top.
    """

    packs_by_class: ClassVar[bool] = True

    def __init__(self, architecture: Architecture, design: Design, rules: Rules | None) -> None:
        super().__init__(architecture)
        self.design = design
        self._rules = rules

    @property
    def key(self) -> str:
        """Tells dataflows on the same memories apart."""
        rules = self._rules.__name__ if self._rules else None
        flow = f"{self.design.filter_width}-{self.design.filter_height}-{rules}"
        return f"{super().key}-{flow}"

    def constraints_for(self, layer: Einsum) -> Constraints:
        """Return where filter rows and columns may go, by the layer's own dimensions."""
        dims = Dimensions.of(layer)
        return self._rules(dims) if self._rules else wiring(layer, dims, self.design)
