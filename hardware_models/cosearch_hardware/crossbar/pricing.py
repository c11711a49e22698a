"""What the parts of a crossbar chip cost: table I of ISAAC, as energies an event.

Shafiee et al., *ISAAC: a convolutional neural network accelerator with in-situ analog arithmetic
in crossbars*, ISCA 2016, table I: 32 nm, arrays of 128 x 128 cells of 2 bits, read in 100 ns, eight
of them with eight converters of 1.2 GS/s in a unit, twelve units in a tile. Powers become energies
by the rate at which a part is busy when everything is; those of eDRAM, bus and router need an
assumption on traffic, and are as `hwcomponents-library` 1.0.58 derives them from the same table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from cosearch_hardware.crossbar.chip import Chip

SOURCE: Final = "ISAAC (ISCA 2016), table I, 32 nm"
NODE_NM: Final = 32
CLOCK_MHZ: Final = 1200.0
"""A cycle is one conversion of an ADC: 1.2 GS/s."""
READ_NS: Final = 100.0
WRITE_PJ: Final = 1.2
"""Of a cell: a reset and a set pulse of 2 V for 10 ns, 0.6 pJ each, of the resistive cell that
comes with NVSim (Dong et al., IEEE TCAD 2012; `nvsim_RRAM.cell` of hwcomponents-neurosim 1.0.43).
Cells of several bits take several pulses to write and verify; how many has no source here."""
WRITE_SOURCE: Final = "a reset and a set of 0.6 pJ each: NVSim's resistive cell (TCAD 2012)"
_CELLS, _ARRAYS, _RATE = 128 * 128, 8, 1.2e9
_STEPS = 1e9 / READ_NS

UNIT_MW: Final[Mapping[str, float]] = {
    "converters": 16.0, "drivers": 4.0, "sample and hold": 0.01, "arrays": 2.4,
    "shift and add": 0.2, "input register": 1.24, "output register": 0.23,
}  # fmt: skip
UNIT_MM2: Final[Mapping[str, float]] = {
    "converters": 0.0096, "drivers": 0.00017, "sample and hold": 0.00004, "arrays": 0.0002,
    "shift and add": 0.00024, "input register": 0.0021, "output register": 0.00077,
}  # fmt: skip
TILE_MW: Final[Mapping[str, float]] = {
    "eDRAM": 20.7, "bus": 7.0, "router": 10.5, "sigmoid": 0.52, "shift and add": 0.05,
    "max pool": 0.4, "output register": 1.68,
}  # fmt: skip
TILE_MM2: Final[Mapping[str, float]] = {
    "eDRAM": 0.083, "bus": 0.090, "router": 0.03775, "sigmoid": 0.0006, "shift and add": 0.00006,
    "max pool": 0.00024, "output register": 0.0032,
}  # fmt: skip
"""A unit has 8 arrays and 8 converters, a tile 12 units; the router is shared by four tiles."""


def _pj(part: str, rate: float) -> float:
    """Return the energy, pJ, of one of the events that a unit's part sees at a rate a second."""
    return UNIT_MW[part] * 1e-3 / rate * 1e12


@frozen
class Part:
    """What a part costs: pJ an event, mm2 of its area."""

    pj: float
    mm2: float


@frozen
class Parts:
    """The parts of ISAAC that other sources price too.

    Attributes:
        converter: of 8 bits, a conversion.
        driver: of one row, a step.
        adder: shift and add of an array of 128 columns, a conversion.
        memory, bus, router: of a tile, a bit.
    """

    converter: Part
    driver: Part
    adder: Part
    memory: Part
    bus: Part
    router: Part


ISAAC: Final = Parts(
    Part(_pj("converters", _ARRAYS * _RATE), UNIT_MM2["converters"] / _ARRAYS),
    Part(_pj("drivers", _ARRAYS * 128 * _STEPS), UNIT_MM2["drivers"] / _ARRAYS / 128),
    Part(_pj("shift and add", _ARRAYS * _RATE), UNIT_MM2["shift and add"] / _ARRAYS),
    Part(20.45 / 256, TILE_MM2["eDRAM"]),
    Part(0.054, TILE_MM2["bus"]),
    Part(20.74 / 256, TILE_MM2["router"]),
)


@frozen
class Prices:
    """Energies in pJ: of an event, or of a bit moved.

    Attributes:
        convert: an analog-to-digital conversion, with its sample and hold, shift and add, and
            output register.
        drive: of one row for one step, its input register included.
        cell: one cell read.
        memory, bus, router: a bit to or from a tile's eDRAM, on its bus, on the network.
        write: one cell programmed; 0 leaves it unpriced.
    """

    convert: float
    drive: float
    cell: float
    memory: float
    bus: float
    router: float
    write: float


def prices(chip: Chip, write_pj: float = WRITE_PJ, parts: Parts = ISAAC) -> Prices:
    """Return the energies of a chip's events.

    Args:
        chip: its sizes; a converter's energy doubles with each bit of resolution
            (after Murmann's bound for converters limited by noise and matching).
        write_pj: of programming one cell.
        parts: what those cost that have several sources.
    """
    conversions = _ARRAYS * _RATE
    around = (
        _pj("sample and hold", conversions) + parts.adder.pj + _pj("output register", conversions)
    )
    return Prices(
        convert=parts.converter.pj * 2.0 ** (chip.adc_bits - 8) + around,
        drive=parts.driver.pj + _pj("input register", _ARRAYS * 128 * _STEPS),
        cell=_pj("arrays", _ARRAYS * _CELLS * _STEPS),
        memory=parts.memory.pj,
        bus=parts.bus.pj,
        router=parts.router.pj,
        write=write_pj,
    )


def area_mm2(chip: Chip, parts: Parts = ISAAC) -> float:
    """Return the area of a chip's tiles, mm2; links to other chips are not in it."""
    array = (
        parts.converter.mm2 * chip.adcs * 2.0 ** (chip.adc_bits - 8)
        + UNIT_MM2["arrays"] / _ARRAYS * chip.rows * chip.cols / _CELLS
        + (parts.driver.mm2 + UNIT_MM2["input register"] / _ARRAYS / 128) * chip.rows
        + parts.adder.mm2 * chip.cols / 128
        + (UNIT_MM2["sample and hold"] + UNIT_MM2["output register"]) / _ARRAYS * chip.cols / 128
    )
    shared = ("eDRAM", "bus", "router")
    rest = math.fsum(mm2 for part, mm2 in TILE_MM2.items() if part not in shared)
    tiles = math.ceil(chip.arrays / chip.arrays_per_tile)
    tile = parts.memory.mm2 + parts.bus.mm2 + parts.router.mm2 + rest
    return chip.arrays * array + tiles * tile
