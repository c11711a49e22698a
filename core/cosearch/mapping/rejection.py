"""Why mappings are invalid: how many each rule rejects, the nearest miss, and what to relax."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen

from cosearch.loopnest.validity import Rule
from cosearch.machine.cost import CostBatch
from cosearch.machine.hardware import Accelerator
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum

SAMPLED = 1_000
"""Random mappings looked at to tell why mappings of a layer are invalid."""

SHOWN = 3
"""Reasons that are told in one line."""

RELAX = {
    Rule.INSTANCES.value: "enlarge the mesh, or lower the spatial factors above {place}",
    Rule.SPATIAL_X.value: "widen the mesh along X, or lower the X factors above {place}",
    Rule.SPATIAL_Y.value: "widen the mesh along Y, or lower the Y factors above {place}",
    Rule.CAPACITY.value: "enlarge {place}, or let a tensor bypass it",
}
"""Rule to what would let more mappings through."""


@frozen
class Miss:
    """How near the mappings that a rule rejects come to meeting it.

    Attributes:
        reason: the rule and where it applies, such as `buffer: tiles exceed the capacity`.
        count: mappings whose first broken rule it is.
        nearest: the smallest ratio of used to allowed among them (> 1).
    """

    reason: str
    count: int
    nearest: float

    @property
    def relax(self) -> str:
        """What would let more mappings through; empty for a reason of another model."""
        place, _, rule = self.reason.partition(": ")
        for name, advice in RELAX.items():
            if rule.startswith(name):
                return advice.format(place=place)
        return ""


@frozen
class Rejections:
    """What was rejected of a number of mappings.

    Attributes:
        seen: mappings looked at.
        misses: by reason, most frequent first.
    """

    seen: int = 0
    misses: tuple[Miss, ...] = ()

    @classmethod
    def of(cls, costs: CostBatch) -> Rejections:
        """Count a priced batch."""
        if not costs.reason.any():
            return cls(len(costs.feasible))
        count = np.bincount(costs.reason, minlength=len(costs.reasons))
        nearest = np.full(len(costs.reasons), np.inf)
        np.minimum.at(nearest, costs.reason, costs.excess)
        rejecting = [int(code) for code in np.flatnonzero(count) if code]
        misses = [Miss(costs.reasons[c], int(count[c]), float(nearest[c])) for c in rejecting]
        return cls(len(costs.feasible), _ranked(misses))

    def __add__(self, other: Rejections) -> Rejections:
        """Return the rejections of both."""
        joined: dict[str, Miss] = {}
        for miss in self.misses + other.misses:
            known = joined.get(miss.reason, Miss(miss.reason, 0, np.inf))
            count, nearest = known.count + miss.count, min(known.nearest, miss.nearest)
            joined[miss.reason] = Miss(miss.reason, count, nearest)
        return Rejections(self.seen + other.seen, _ranked(list(joined.values())))

    @property
    def rejected(self) -> int:
        """Mappings rejected, for any reason."""
        return added(miss.count for miss in self.misses)

    @property
    def counts(self) -> Mapping[str, int]:
        """Reason to count."""
        return {miss.reason: miss.count for miss in self.misses}

    @property
    def nearest(self) -> Miss | None:
        """The rule that some mapping missed by the least; None where nothing was rejected."""
        return min(self.misses, key=lambda miss: miss.nearest, default=None)

    @property
    def in_short(self) -> str:
        """The story in one line, the most frequent reasons only."""
        told = ", ".join(f"{m.count:,} {m.reason}" for m in self.misses[:SHOWN])
        nearest = self.nearest
        near = "" if nearest is None else f"; the nearest miss is {_over(nearest.nearest)}"
        relax = f"; {nearest.relax}" if nearest is not None and nearest.relax else ""
        return (
            f"of {self.seen:,} random mappings {self.rejected:,} are invalid: {told}{near}{relax}"
        )

    def lines(self) -> tuple[str, ...]:
        """Return the story in sentences: how many, for which reasons, how near, what to do."""
        if not self.misses:
            return (f"all {self.seen:,} mappings fit",)
        out = [f"{self.rejected:,} of {self.seen:,} mappings rejected:"]
        out += [
            f"  {miss.count} ({100 * miss.count / self.seen:.1f} %) {miss.reason}, "
            f"the nearest {_over(miss.nearest)}"
            for miss in self.misses
        ]
        nearest = self.nearest
        if nearest is not None and nearest.relax:
            out.append(f"to let more through: {nearest.relax}")
        return tuple(out)


def sampled(accelerator: Accelerator, layer: Einsum, rng: np.random.Generator) -> Rejections:
    """Return why random mappings of a layer are invalid on a machine, known constraints ignored."""
    rows = accelerator.mapspace(layer).sample(SAMPLED, rng)
    return Rejections.of(accelerator.screen(layer, rows))


def _over(excess: float) -> str:
    if not np.isfinite(excess):
        return "where there is no room at all"
    if excess < 2:
        return f"by {100 * (excess - 1):.2g} %"
    return f"by a factor of {excess:.3g}"


def _ranked(misses: list[Miss]) -> tuple[Miss, ...]:
    return tuple(sorted(misses, key=lambda miss: (-miss.count, miss.reason)))
