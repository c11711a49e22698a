"""The instructions of the vector machine, and how they are laid out."""

from __future__ import annotations

from enum import IntEnum

LANES = 256
"""Mappings that an instruction works on: long enough to hide its overhead, few enough for the
registers of a program to stay in the second-level cache."""

OPERANDS = 7
IMMEDIATES = 3
WIDTH = 2 + OPERANDS + IMMEDIATES
"""Whole numbers of an instruction: opcode, result, operands, immediates."""


class Op(IntEnum):
    """What an instruction does; arithmetic first, then sliding windows, then costs."""

    MUL2 = 1
    MUL3 = 2
    MUL4 = 3
    ADD = 4
    LINEAR = 5
    LINEAR2 = 6
    GATE = 7
    PICK = 8
    SELECT = 9
    GATE_INSIDE = 10
    TICK_OUTSIDE = 11
    TURNS = 12
    INSIDE = 13
    SHIFT = 14
    LEAD = 15
    STAY = 16
    CREDIT = 17
    ALONG = 18
    GONE = 19
    FIRST = 20
    PLACES = 21
    SHARE = 22
    BLOCKS = 23
    ACCESS = 24
    ACCESS_KEPT = 25
    DEMAND = 26
    WAIT = 27
    LEAK = 28
    BROKEN = 29
    TRAVEL = 30
    WALK = 31
    MOST = 32


class Travel(IntEnum):
    """What TRAVEL is asked for."""

    ENERGY = 0
    SCALED = 1
    GROUPS = 2
