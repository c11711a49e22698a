"""The fewest words at the outermost memory, whatever is minimized: a line beside what is found."""

from __future__ import annotations

import math

from attrs import frozen

from cosearch.machine.cost import Cost
from cosearch.quantities import added, whole


@frozen
class LeastTraffic:
    """The fewest words at the outermost memory for one run of a network.

    Attributes:
        words: of the buffer below; None where it has no end.
        alone: layer by layer.
        together: in groups.
        once: each tensor once, layer by layer: with no buffer fewer.
        gap: how far below `together` the fewest can be at most, relative.
    """

    words: int | None
    alone: int
    together: int
    once: int
    gap: float

    @property
    def least(self) -> int:
        """No mappings pass fewer words."""
        return math.ceil(self.together * (1 - self.gap))


@frozen
class Traffic:
    """Words at the outermost memory in one run of a network, beside the fewest there can be.

    Attributes:
        memory: its name.
        moved: by the mappings found.
        fewest: of any.
        fused: whether layers may run together.
    """

    memory: str
    moved: int
    fewest: LeastTraffic
    fused: bool

    def __str__(self) -> str:
        """The reference line."""
        how = "no groups or mappings pass" if self.fused else "no mappings, layer by layer, pass"
        times = self.moved / max(1, self.fewest.least)
        return (
            f"{self.memory}: {whole(self.moved)} words, {times:.3f} times the least; proven: {how} "
            f"fewer than {whole(self.fewest.least)}"
        )


def outermost_words(cost: Cost) -> int:
    """Return the words that a mapping passes to and from the outermost memory."""
    tensors = cost.levels[-1].tensors
    return added(t.instances * (t.reads + t.fills + t.updates) for t in tensors)
