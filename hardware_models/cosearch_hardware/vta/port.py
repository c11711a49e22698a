"""Who may use the memory port when: on demand, or in slots that a table gives away."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from cosearch.errors import InputError
from cosearch.typing import IntArray

QUEUE_OF = {"L": 0, "C": 1, "S": 2}
"""The load, compute and store queue, by letter."""

SHARED = "shared"
"""Of the option `slots`: the port serves who asks first."""


@frozen
class Slots:
    """Who may use the port when.

    Attributes:
        table: a letter for each slot: L, C or S for the load, compute or store queue.
        cycles: of a slot.
    """

    table: str
    cycles: int

    @property
    def owners(self) -> IntArray:
        """int64[n]: the queue of each slot."""
        return np.array([QUEUE_OF[letter] for letter in self.table], dtype=np.int64)

    @classmethod
    def of(cls, table: str, cycles: int) -> Slots:
        """Return the slots of a table that gives each queue one at least, or raise InputError."""
        if set(table) != set(QUEUE_OF):
            raise InputError(
                f"slots={table}",
                ["is no table of slots: each of L, C and S (load, compute, store) at least once"],
                "for example slots=LLCS, or slots=shared for a port on demand",
            )
        return cls(table, cycles)
