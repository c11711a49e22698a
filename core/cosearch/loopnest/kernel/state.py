"""What the vector machine reads and writes, as bundles of arrays."""

from __future__ import annotations

from cosearch.compiling.bundle import Bools3, Bundle, Counts, Floats, Floats2, Ints, Ints2, Shorts3


class Program(Bundle):
    """Instructions and what they start from.

    Attributes:
        code: int64[n, 12]: what to do, where the result goes, up to 7 operands, 3 immediates.
        numbers: float64[n, 4], further immediates.
        lists: int64[k], operands of instructions that take many.
        constant_register, constant: int64[c], float64[c].
        first, second: registers of the results: energy and cycles, or in a program of checks the
            number of the first broken one (and nothing).
        used: int64[checks + 1], by number of a check the register of what it compared.
        limits: float64[checks + 1], by number of a check what is allowed.
    """

    code: Ints2
    numbers: Floats2
    lists: Ints
    constant_register: Ints
    constant: Floats
    first: int
    second: int
    used: Ints
    limits: Floats


class Registers(Bundle):
    """The state of the machine for up to `LANES` mappings.

    Attributes:
        real: float64[registers, lanes].
        bits: int64[registers, lanes].
        choice: int64[columns, lanes], rows column by column.
        row: int64[lanes], where the results go.
        valid: int64[lanes], the lanes that passed the checks.
    """

    real: Floats2
    bits: Ints2
    choice: Ints2
    row: Ints
    valid: Ints


class Prices(Bundle):
    """Results, one per mapping; see `cosearch.machine.hardware.CostBatch`."""

    energy_pj: Floats
    cycles: Floats
    reason: Ints
    excess: Floats


class Picks(Bundle):
    """Which parts of a struct of arrays are the inputs of a program, in register order.

    Attributes:
        slot, dim: int64[k], of the bounds.
        order_level: int64[o].
        keep_level, keep_tensor: int64[j].
    """

    slot: Ints
    dim: Ints
    order_level: Ints
    keep_level: Ints
    keep_tensor: Ints


class Decoder(Bundle):
    """How a row of a mapspace becomes the inputs of a program.

    Attributes:
        choices: uint64[columns], how many each column has.
        column: int64[e], per loop bound to decode, the column it comes from.
        target: int64[e], the register it goes to.
        start: int64[e], where its table starts.
        scale: float64[e], multiplied by; 0 where the bound is multiplied onto what is there.
        table: float64[...], factors by choice.
        order_column, order_target, order_start: int64[o], the same for orders.
        order_words: int64[...].
        keep_column, keep_target: int64[k], the same for keeping or bypassing.
    """

    choices: Counts
    column: Ints
    target: Ints
    start: Ints
    scale: Floats
    table: Floats
    order_column: Ints
    order_target: Ints
    order_start: Ints
    order_words: Ints
    keep_column: Ints
    keep_target: Ints


class Mappings(Bundle):
    """Mappings as a struct of arrays, see `cosearch.loopnest.kernel.pack.Nests`."""

    bounds: Shorts3
    order: Ints2
    keep: Bools3
