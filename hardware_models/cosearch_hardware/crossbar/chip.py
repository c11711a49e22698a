"""The sizes of a crossbar chip, and what follows from them alone."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from attrs import frozen

Signed: TypeAlias = Literal["offset", "pairs"]


@frozen
class Chip:
    """A chip of crossbar arrays.

    Attributes:
        rows, cols: cells of an array.
        cell_bits: of a weight in one cell; a weight takes several columns.
        signed: `offset` stores weights plus a constant, takes one column more an array for it and
            saves a converter's bit by flipping columns, as ISAAC does; `pairs` takes two columns
            for each.
        dac_bits: of an input driven in one step.
        adc_bits: resolution of a converter.
        adcs: converters of an array.
        arrays: of the chip.
        arrays_per_tile: arrays that share an eDRAM and its bus.
        weight_bits, input_bits: of a weight, and of an input and an output.
        bus_bits: of a tile's bus a cycle, to its arrays in turns of equal length.
        settle: cycles until a read's currents can be converted.
        write: cycles of programming one row.
    """

    rows: int
    cols: int
    cell_bits: int
    signed: Signed
    dac_bits: int
    adc_bits: int
    adcs: int
    arrays: int
    arrays_per_tile: int
    weight_bits: int
    input_bits: int
    bus_bits: int = 256
    settle: int = 120
    write: int = 62

    @property
    def slices(self) -> int:
        """Columns of one weight."""
        return math.ceil(self.weight_bits / self.cell_bits) * (2 if self.signed == "pairs" else 1)

    @property
    def extra(self) -> int:
        """Columns that an array converts beside those of its weights."""
        return 1 if self.signed == "offset" else 0

    @property
    def steps(self) -> int:
        """Steps in which an input is driven, a few bits at a time."""
        return math.ceil(self.input_bits / self.dac_bits)

    def resolved(self, rows: int) -> bool:
        """Return whether a converter tells apart all sums of so many rows.

        ISAAC, section V: `log2(rows) + dac_bits + cell_bits` bits, one less where either is 1,
        and one less for flipped columns.
        """
        need = math.ceil(math.log2(rows)) + self.dac_bits + self.cell_bits
        need -= 1 if min(self.dac_bits, self.cell_bits) == 1 else 0
        return need - self.extra <= self.adc_bits

    @property
    def most_active(self) -> int:
        """The most rows, a power of two or all, that one read may sum; 0 where not even one."""
        return max((rows for rows in self.active_choices), default=0)

    @property
    def active_choices(self) -> tuple[int, ...]:
        """How many rows one read may sum."""
        powers = {2**i for i in range(self.rows.bit_length())} | {self.rows}
        return tuple(sorted(r for r in powers if r <= self.rows and self.resolved(r)))
