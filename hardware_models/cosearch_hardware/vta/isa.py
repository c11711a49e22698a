"""What a VTA configuration is, and why many of them cannot be built.

Sizes are log2, as in VTA's own configuration file. The rules come from the bit fields of its
instructions and micro-operations (apache/tvm-vta, `hw_spec.h`): a memory deeper than the field that
addresses it cannot be reached, whatever the silicon allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from attrs import frozen

from cosearch.search.parameters import Rule
from cosearch.typing import BoolArray

UOP_BYTES = 4
LOOP_BITS = 14
SIZE_BITS = 16

Columns = Mapping[str, np.ndarray]


@frozen
class VtaConfiguration:
    """One configuration; every field is log2 except `bus_bytes` and `pipelined`.

    Attributes:
        batch, block: the GEMM core multiplies `2^batch x 2^block` by `2^block x 2^block`.
        uop, inp, wgt, acc: bytes of the micro-op, input, weight and accumulator memories.
        bus_bytes: width of the memory port.
        pipelined: one micro-op a cycle; the older core takes four cycles each.
        inp_width, wgt_width, acc_width: bits of an element.
    """

    batch: int = 0
    block: int = 4
    uop: int = 15
    inp: int = 15
    wgt: int = 18
    acc: int = 17
    bus_bytes: int = 8
    pipelined: bool = True
    inp_width: int = 3
    wgt_width: int = 3
    acc_width: int = 5

    @property
    def macs(self) -> int:
        """Multipliers of the GEMM core."""
        return 1 << (self.batch + 2 * self.block)

    @property
    def inp_bytes(self) -> int:
        """Bytes of one input element: `batch x block` numbers."""
        return 1 << (self.batch + self.block + self.inp_width) >> 3

    @property
    def wgt_bytes(self) -> int:
        """Bytes of one weight element: `block x block` numbers."""
        return 1 << (2 * self.block + self.wgt_width) >> 3

    @property
    def acc_bytes(self) -> int:
        """Bytes of one accumulator element: `batch x block` numbers."""
        return 1 << (self.batch + self.block + self.acc_width) >> 3

    @property
    def out_bytes(self) -> int:
        """Bytes of one output element, as wide as an input."""
        return self.inp_bytes

    @property
    def depths(self) -> dict[str, int]:
        """Entries of each memory, as powers of two."""
        return {name: 1 << int(d[0]) for name, d in log_depths(self.columns).items()}

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The fields as columns of one row, for the rules."""
        names = (
            "batch",
            "block",
            "uop",
            "inp",
            "wgt",
            "acc",
            "bus_bytes",
            "pipelined",
            "inp_width",
            "wgt_width",
            "acc_width",
        )
        return {name: np.array([getattr(self, name)]) for name in names}

    @property
    def memory_bytes(self) -> dict[str, int]:
        """Bytes of each memory; the output memory is as deep as the accumulator."""
        out = 1 << (self.acc + self.inp_width - self.acc_width)
        sizes = {name: 1 << getattr(self, name) for name in ("uop", "inp", "wgt", "acc")}
        return {**sizes, "out": out}


def _width(columns: Columns, name: str, default: int) -> np.ndarray:
    return columns.get(name, np.array(default))


def log_depths(c: Columns) -> dict[str, np.ndarray]:
    """Return log2 of the entries of each memory, by name."""
    tensor = c["batch"] + c["block"]
    return {
        "uop": c["uop"] - 2,
        "inp": c["inp"] - tensor - _width(c, "inp_width", 3) + 3,
        "wgt": c["wgt"] - 2 * c["block"] - _width(c, "wgt_width", 3) + 3,
        "acc": c["acc"] - tensor - _width(c, "acc_width", 5) + 3,
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


def _operand_addresses(c: Columns) -> np.ndarray:
    d = log_depths(c)
    return np.asarray(d["acc"] + np.maximum(d["acc"], d["inp"]) + d["wgt"])


def _strides(c: Columns) -> np.ndarray:
    d = log_depths(c)
    return np.asarray(2 * (d["acc"] + d["inp"] + d["wgt"]))


def _deepest(c: Columns) -> np.ndarray:
    return np.asarray(np.max([*log_depths(c).values()], axis=0))


def _bus_over_row(c: Columns) -> np.ndarray:
    row = 2.0 ** (c["batch"] + c["block"] + _width(c, "inp_width", 3) - 3)
    return np.asarray(c["bus_bytes"] / row)


def _entries_missing(c: Columns) -> np.ndarray:
    return np.asarray(2.0 ** (1 - np.min([*log_depths(c).values()], axis=0)))


LIMITS: tuple[Limit, ...] = (
    Limit("a micro-op addresses accumulator, input and weight in 32 bits", _operand_addresses, 32),
    Limit(
        "the instruction's low word has 64 bits: 37 and two micro-op addresses",
        lambda c: np.asarray(37 + 2 * log_depths(c)["uop"]),
        64,
    ),
    Limit("the GEMM instruction's high word has 64 bits for six strides", _strides, 64),
    Limit(
        "the ALU instruction's high word has 64 bits: 20 and four accumulator addresses",
        lambda c: np.asarray(4 * log_depths(c)["acc"] + 20),
        64,
    ),
    Limit("memory instructions address 2^16 entries: 16 bits", _deepest, SIZE_BITS),
    Limit("an input row is at least as wide as the memory bus", _bus_over_row, 1),
    Limit("every memory holds two entries, one for each virtual thread", _entries_missing, 1),
)
"""What the instruction set's bit fields allow."""

ISA_RULES: tuple[Rule, ...] = tuple(Rule(limit.reason, limit.holds) for limit in LIMITS)
"""Known before anything is synthesized; each says why."""
