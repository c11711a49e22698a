"""What a VTA configuration is, and why many of them cannot be built.

Sizes are log2, as in VTA's own configuration file. The rules come from the bit fields of its
instructions and micro-operations, in two stacks: `apache` (apache/tvm-vta, commit d4a15f62: C
header and HLS) and `intel` (pasqoc/incubator-tvm-vta, branch il_contrib_0421, commit 66bcb00b:
Chisel, by authors of arXiv 2111.15024 and 2106.09180). A memory deeper than the field that
addresses it cannot be reached, whatever the silicon allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import numpy as np
from attrs import fields, frozen

from cosearch.quantities import added
from cosearch.search.parameters import Rule
from cosearch.typing import BoolArray

LOOP_BITS = 14
SIZE_BITS = 16

Stack: TypeAlias = Literal["apache", "intel"]
Columns = Mapping[str, np.ndarray]


@frozen
class VtaConfiguration:
    """One configuration; every field is log2 except `stack`, `bus_bytes` and `pipelined`.

    Attributes:
        stack: whose instruction set.
        batch, block_in, block_out: the GEMM core multiplies `2^batch x 2^block_in` by `2^block_in x
            2^block_out`; apache's two blocks are the same.
        uop, inp, wgt, acc: bytes of the micro-op, input, weight and accumulator memories.
        bus_bytes: width of the memory port.
        pipelined: one micro-op a cycle; the older core and ALU take several cycles each.
        uop_width: bits of a micro-op, 5 or 6.
        inp_restrict, wgt_restrict, acc_restrict: bits taken off the stride fields of a memory.
        inp_width, wgt_width, acc_width: bits of an element.
    """

    stack: Stack = "apache"
    batch: int = 0
    block_in: int = 4
    block_out: int = 4
    uop: int = 15
    inp: int = 15
    wgt: int = 18
    acc: int = 17
    bus_bytes: int = 8
    pipelined: bool = True
    uop_width: int = 5
    inp_restrict: int = 0
    wgt_restrict: int = 0
    acc_restrict: int = 0
    inp_width: int = 3
    wgt_width: int = 3
    acc_width: int = 5

    @property
    def macs(self) -> int:
        """Multipliers of the GEMM core."""
        return 1 << (self.batch + self.block_in + self.block_out)

    @property
    def lanes(self) -> int:
        """Numbers of one accumulator row, each with an ALU of its own."""
        return 1 << (self.batch + self.block_out)

    @property
    def multiplies(self) -> bool:
        """Whether the ALU has a multiplication (opcode MUL), and so runs depthwise layers."""
        return self.stack == "intel"

    @property
    def uop_bytes(self) -> int:
        """Bytes of a micro-op."""
        return 1 << self.uop_width >> 3

    @property
    def inp_bytes(self) -> int:
        """Bytes of one input element: `batch x block_in` numbers."""
        return 1 << (self.batch + self.block_in + self.inp_width) >> 3

    @property
    def wgt_bytes(self) -> int:
        """Bytes of one weight element: `block_out x block_in` numbers."""
        return 1 << (self.block_in + self.block_out + self.wgt_width) >> 3

    @property
    def acc_bytes(self) -> int:
        """Bytes of one accumulator element: `batch x block_out` numbers."""
        return 1 << (self.batch + self.block_out + self.acc_width) >> 3

    @property
    def out_bytes(self) -> int:
        """Bytes of one output element, its numbers as wide as an input's."""
        return 1 << (self.batch + self.block_out + self.inp_width) >> 3

    @property
    def row_bytes(self) -> dict[str, int]:
        """Bytes of one entry of each memory."""
        return {
            "inp": self.inp_bytes,
            "wgt": self.wgt_bytes,
            "acc": self.acc_bytes,
            "out": self.out_bytes,
            "uop": self.uop_bytes,
        }

    @property
    def depths(self) -> dict[str, int]:
        """Entries of each memory, as powers of two."""
        wide, deep = self.batch + self.block_out, self.batch + self.block_in
        bits = {
            "uop": self.uop_width,
            "inp": deep + self.inp_width,
            "wgt": self.block_in + self.block_out + self.wgt_width,
            "acc": wide + self.acc_width,
        }
        return {name: 1 << (getattr(self, name) - row + 3) for name, row in bits.items()}

    @property
    def strides(self) -> dict[str, int]:
        """What the stride of a GEMM loop in each memory must stay below."""
        restrict = {"inp": self.inp_restrict, "wgt": self.wgt_restrict, "acc": self.acc_restrict}
        depths = self.depths
        return {name: max(1, depths[name] >> bits) for name, bits in restrict.items()}

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The fields as columns of one row, for the rules."""
        names = (field.name for field in fields(VtaConfiguration) if field.name != "stack")
        return {name: np.array([getattr(self, name)]) for name in names}

    @property
    def memory_bytes(self) -> dict[str, int]:
        """Bytes of each memory; the output memory is as deep as the accumulator."""
        out = 1 << (self.acc + self.inp_width - self.acc_width)
        sizes = {name: 1 << getattr(self, name) for name in ("uop", "inp", "wgt", "acc")}
        return {**sizes, "out": out}


def _field(columns: Columns, name: str, default: int) -> np.ndarray:
    return columns.get(name, np.array(default))


def _block(columns: Columns, side: str) -> np.ndarray:
    """Return log2 of a block of channels; a space with one `block` has it on both sides."""
    return columns[f"block_{side}"] if f"block_{side}" in columns else columns["block"]


def log_depths(c: Columns) -> dict[str, np.ndarray]:
    """Return log2 of the entries of each memory, by name."""
    block_in, block_out = _block(c, "in"), _block(c, "out")
    return {
        "uop": c["uop"] - _field(c, "uop_width", 5) + 3,
        "inp": c["inp"] - c["batch"] - block_in - _field(c, "inp_width", 3) + 3,
        "wgt": c["wgt"] - block_in - block_out - _field(c, "wgt_width", 3) + 3,
        "acc": c["acc"] - c["batch"] - block_out - _field(c, "acc_width", 5) + 3,
    }


@frozen
class Limit:
    """A rule of the instruction set as a number that may not exceed another.

    Attributes:
        reason: why a configuration that breaks it cannot be built.
        used: what a configuration takes, from its columns to array[n].
        allowed: what there is.
    """

    reason: str
    used: Callable[[Columns], np.ndarray]
    allowed: int

    def holds(self, columns: Columns) -> BoolArray:
        """Return bool[n]: which configurations meet it."""
        return np.asarray(self.used(columns) <= self.allowed)

    @property
    def rule(self) -> Rule:
        """The limit as a rule of a design space."""
        return Rule(self.reason, self.holds)


def _sum(c: Columns) -> np.ndarray:
    d = log_depths(c)
    return np.asarray(d["acc"] + d["inp"] + d["wgt"])


def _operand_addresses(c: Columns) -> np.ndarray:
    d = log_depths(c)
    return np.asarray(d["acc"] + np.maximum(d["acc"], d["inp"]) + d["wgt"])


def _first_word(c: Columns) -> np.ndarray:
    d = log_depths(c)
    return np.asarray(d["acc"] + d["inp"])


def _narrow_micro_op(c: Columns) -> np.ndarray:
    """Return the bits of three addresses; in 64 bits the weight's has a word of its own."""
    return np.asarray(np.where(_field(c, "uop_width", 5) > 5, 0, _sum(c)))


def _low_word(c: Columns) -> np.ndarray:
    return np.asarray(37 + 2 * log_depths(c)["uop"])


def _restricts(c: Columns, *names: str) -> np.ndarray:
    return np.asarray(added(_field(c, f"{name}_restrict", 0) for name in names))


def _strides(c: Columns) -> np.ndarray:
    return np.asarray(2 * (_sum(c) - _restricts(c, "inp", "wgt", "acc")))


def _alu_strides(c: Columns) -> np.ndarray:
    """Return the bits of an ALU instruction whose source fields have the input memory's width."""
    return np.asarray(20 + 2 * (_first_word(c) - _restricts(c, "inp", "acc")))


def _deepest(c: Columns) -> np.ndarray:
    return np.asarray(np.max(np.broadcast_arrays(*log_depths(c).values()), axis=0))


def _bus_over_row(c: Columns) -> np.ndarray:
    row = 2.0 ** (c["batch"] + _block(c, "in") + _field(c, "inp_width", 3) - 3)
    return np.asarray(c["bus_bytes"] / row)


def _micro_op_over_bus(c: Columns) -> np.ndarray:
    return np.asarray(2.0 ** (_field(c, "uop_width", 5) - 3) / c["bus_bytes"])


def _entries_missing(c: Columns) -> np.ndarray:
    shallowest = np.min(np.broadcast_arrays(*log_depths(c).values()), axis=0)
    return np.asarray(2.0 ** (1 - shallowest))


_LOW_WORD = Limit(
    "the instruction's low word has 64 bits: 37 and two micro-op addresses", _low_word, 64
)
_STRIDES = Limit("the GEMM instruction's high word has 64 bits for six strides", _strides, 64)
_DEEPEST = Limit("memory instructions address 2^16 entries: 16 bits", _deepest, SIZE_BITS)
_THREADS = Limit("every memory holds two entries, one for each virtual thread", _entries_missing, 1)

LIMITS: dict[Stack, tuple[Limit, ...]] = {
    "apache": (
        Limit(
            "a micro-op addresses accumulator, input and weight in 32 bits", _operand_addresses, 32
        ),
        _LOW_WORD,
        _STRIDES,
        Limit(
            "the ALU instruction's high word has 64 bits: 20 and four accumulator addresses",
            lambda c: np.asarray(4 * log_depths(c)["acc"] + 20),
            64,
        ),
        _DEEPEST,
        Limit("an input row is at least as wide as the memory bus", _bus_over_row, 1),
        _THREADS,
    ),
    "intel": (
        Limit("a micro-op's first word addresses accumulator and input", _first_word, 32),
        Limit("a 32-bit micro-op addresses accumulator, input and weight", _narrow_micro_op, 32),
        _LOW_WORD,
        _STRIDES,
        Limit(
            "the ALU instruction's high word has 64 bits: 20 and two accumulator and two input "
            "strides",
            _alu_strides,
            64,
        ),
        _DEEPEST,
        Limit("the memory bus is as wide as a micro-op at least", _micro_op_over_bus, 1),
        _THREADS,
    ),
}
"""What the instruction sets' bit fields allow."""

ENUMERATOR: tuple[Limit, ...] = (
    Limit("log depths of input, weight and accumulator memory add up to 32", _sum, 32),
    Limit("every memory has two entries at least", _entries_missing, 1),
)
"""What the intel stack's own design-space script proposes; not the hardware's rule."""
