"""The crossbar chip as a hardware model: its design space."""

from __future__ import annotations

from typing import ClassVar, cast

from cosearch.errors import CosearchError, Infeasible
from cosearch.machine.hardware import HardwareModel
from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch.typing import Configuration
from cosearch_hardware.crossbar import library
from cosearch_hardware.crossbar.chip import Chip, Signed
from cosearch_hardware.crossbar.machine import CrossbarAccelerator
from cosearch_hardware.crossbar.pricing import (
    ISAAC,
    NODE_NM,
    SOURCE,
    WRITE_PJ,
    area_mm2,
    prices,
)


class Crossbar(HardwareModel):
    """Arrays of resistive cells that multiply where the weights are, after ISAAC (ISCA 2016).

    Inputs are driven bit by bit, columns add up currents, shared converters read them. The baseline
    is ISAAC's chip: 168 tiles of 96 arrays of 128 x 128 cells of 2 bits, 16-bit numbers.

    Args:
        weights: `resident`: programmed before the run, each layer's must fit; `streamed`: each
            layer's are programmed before it runs, in turns where they do not fit. Layers are mapped
            one by one: that all layers of a network are resident together is not checked.
        write_pj: energy of programming a cell. ISAAC states none: by default a reset and a set
            pulse of NVSim's resistive cell; 0 leaves programming unpriced.
        prices: `isaac`: the paper's table; `hwcomponents`: an extra that scales its parts to
            `node_nm`.
        node_nm: process; the paper's table is of 32 nm alone.

    Raises:
        CosearchError: another node than the paper's, with its prices.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("weights", ("resident", "streamed"), doc="when cells are programmed"),
            Parameter("write_pj", (0.0, 1e6), WRITE_PJ, "pJ", "of programming a cell", free=True),
            Parameter("prices", ("isaac", "hwcomponents"), doc="the paper's table, or an extra"),
            Parameter("node_nm", (7, 180), NODE_NM, "nm", "process of hwcomponents", free=True),
        )
    )

    def __init__(
        self,
        weights: str = "resident",
        write_pj: float = WRITE_PJ,
        prices: str = "isaac",
        node_nm: int = NODE_NM,
    ) -> None:
        if prices == "isaac" and node_nm != NODE_NM:
            raise CosearchError(
                f"the prices of ISAAC's table are of {NODE_NM} nm, not of {node_nm} nm",
                "add prices=hwcomponents, an extra that scales them",
            )
        self._streamed, self._write_pj = weights == "streamed", write_pj
        self._parts = ISAAC if prices == "isaac" else library.parts(node_nm)
        self._source = SOURCE if prices == "isaac" else library.source(node_nm)
        self._space = ParameterSpace(
            (
                Parameter("rows", (32, 64, 128, 256, 512), 128, "cells", "of an array"),
                Parameter("cols", (32, 64, 128, 256, 512), 128, "cells", "of an array"),
                Parameter("cell_bits", (1, 2, 4), 2, "bits", "of a weight in a cell"),
                Parameter("signed", ("offset", "pairs"), doc="how weights below zero are stored"),
                Parameter("dac_bits", (1, 2, 4), 1, "bits", "of an input driven in a step"),
                Parameter("adc_bits", (4, 5, 6, 7, 8, 9, 10), 8, "bits", "of a converter"),
                Parameter("adcs", (1, 2, 4, 8), 1, "", "converters of an array"),
                Parameter("arrays", (168, 672, 2688, 8064, 16128), 16128, "", "of the chip"),
                Parameter("arrays_per_tile", (24, 48, 96), 96, "", "that share eDRAM and bus"),
                Parameter("weight_bits", (4, 8, 16), 16, "bits", "of a weight"),
                Parameter("input_bits", (4, 8, 16), 16, "bits", "of inputs and outputs"),
            ),
            (
                Rule(
                    "an array's columns hold at least one weight",
                    lambda c: (
                        -(-c["weight_bits"] // c["cell_bits"]) * (1 + (c["signed"] == "pairs"))
                        <= c["cols"]
                    ),
                ),
            ),
        )

    @property
    def name(self) -> str:
        """As users write it."""
        return "crossbar"

    @property
    def space(self) -> ParameterSpace:
        """The design space."""
        return self._space

    def build(self, configuration: Configuration) -> CrossbarAccelerator:
        """Return the chip; raises Infeasible where its converters cannot tell one row's sums."""
        values = self.check(configuration)
        sizes = {name: int(cast("int", v)) for name, v in values.items() if name != "signed"}
        chip = Chip(signed=cast("Signed", values["signed"]), **sizes)
        if not chip.most_active:
            need = chip.cell_bits + chip.dac_bits
            raise Infeasible(
                f"a converter of {chip.adc_bits} bits cannot tell apart what one row sums",
                {"adc_bits": need / chip.adc_bits},
                "more adc_bits, or fewer cell_bits or dac_bits",
            )
        return CrossbarAccelerator(
            chip,
            prices(chip, self._write_pj, self._parts),
            streamed=self._streamed,
            area=area_mm2(chip, self._parts),
            source=self._source,
        )
