"""A model against published figures, point by point.

A point is a case that the model can be given and the figures that somebody else measured or
computed for it, or the verdict that the case is invalid. Nothing here knows what a case is, so a
plugin's own model and own data can be compared in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, Literal, TypeAlias, TypeVar

from attrs import field, frozen

from cosearch.quantities import added

Case = TypeVar("Case")

Kind: TypeAlias = Literal["count", "cycles", "energy", "ratio"]
"""What a figure is: a whole number of words or operations; cycles; energy; or derived from them."""

KINDS: tuple[Kind, ...] = ("count", "cycles", "energy", "ratio")

PLURALS: Mapping[Kind, str] = {
    "count": "counts",
    "cycles": "cycles",
    "energy": "energy",
    "ratio": "ratios",
}
"""A kind as scores name it: `counts_exact`."""


@frozen
class Figure:
    """A published number.

    Attributes:
        kind: of number.
        value: as published.
        tolerance: how far a right model may be off: 0 for whole numbers, else at least half a
            unit of the last digit published.
        rounding: half a unit of the last digit published.
    """

    kind: Kind
    value: float
    tolerance: float = 0.0
    rounding: float = 0.0


@frozen
class Rejected:
    """The verdict that a case is invalid.

    Attributes:
        reason: its class, such as `capacity of ifmap_spad`; compared word for word.
        detail: in full, for people.
    """

    reason: str
    detail: str = field(default="", eq=False)


Figures: TypeAlias = Mapping[str, float]
"""What a model computed, by the names of the published figures; it may hold more than those."""


@frozen
class Point(Generic[Case]):
    """A case and what is known of it.

    Attributes:
        id: of the point in its data.
        source: file and line.
        case: what the model is given.
        expected: published figures by name, such as `shared_glb/Inputs/reads`, or the rejection.
    """

    id: str
    source: str
    case: Case
    expected: Mapping[str, Figure] | Rejected


@frozen
class Difference:
    """A figure that differs, or is missing (not a number)."""

    name: str
    kind: Kind
    expected: float
    found: float


@frozen
class Comparison:
    """What came of one point.

    Attributes:
        id, source: of the point.
        kinds: the kinds of figures compared; empty for a point that is invalid.
        differences: figures that differ.
        off_last_digit: energies within their tolerance but not equal to the last digit published.
        expected, found: rejections, None where the case was accepted.
        table: every figure as (name, published, found), kept only where something differs.
    """

    id: str
    source: str
    kinds: frozenset[Kind]
    differences: tuple[Difference, ...] = ()
    off_last_digit: int = 0
    expected: Rejected | None = None
    found: Rejected | None = None
    table: tuple[tuple[str, float, float], ...] = ()

    def agrees(self, *kinds: Kind) -> bool:
        """Whether figures of these kinds were compared and all are equal."""
        differing = {d.kind for d in self.differences}
        return bool(self.kinds.intersection(kinds)) and differing.isdisjoint(kinds)

    @property
    def agreed(self) -> bool:
        """Whether everything published was found, or the same reason for a rejection."""
        return not self.differences and self.expected == self.found


@frozen
class Report:
    """A model's score on a set of points.

    Attributes:
        name: of the set.
        comparisons: one a point, in order.
    """

    name: str
    comparisons: tuple[Comparison, ...]

    @property
    def valid(self) -> tuple[Comparison, ...]:
        """The points that have figures."""
        return tuple(c for c in self.comparisons if c.expected is None)

    @property
    def invalid(self) -> tuple[Comparison, ...]:
        """The points that must be rejected."""
        return tuple(c for c in self.comparisons if c.expected is not None)

    @property
    def differing(self) -> tuple[Comparison, ...]:
        """The points on which the model and the data do not agree."""
        return tuple(c for c in self.comparisons if not c.agreed)

    @property
    def agreed(self) -> bool:
        """Whether there is a point at all, and all agree."""
        return bool(self.comparisons) and not self.differing

    def compared(self, kind: Kind) -> int:
        """Return how many valid points have a figure of this kind."""
        return sum(kind in c.kinds for c in self.valid)

    def exact(self, kind: Kind) -> int:
        """Return for how many valid points every figure of this kind agrees."""
        return added(c.agrees(kind) for c in self.valid)

    @property
    def summary(self) -> dict[str, int]:
        """The scores by name, as `cosearch validate --json` prints them."""
        exact = {"points": len(self.valid)}
        for kind in KINDS:
            exact[f"{PLURALS[kind]}_compared"] = self.compared(kind)
            exact[f"{PLURALS[kind]}_exact"] = self.exact(kind)
        exact["energy_to_last_digit"] = added(
            c.agrees("energy") and not c.off_last_digit for c in self.valid
        )
        exact["invalid_points"] = len(self.invalid)
        exact["invalid_agreed"] = added(c.agreed for c in self.invalid)
        return exact


def validate(
    points: Iterable[Point[Case]], model: Callable[[Case], Figures | Rejected], name: str = ""
) -> Report:
    """Compare a model with published figures.

    Args:
        points: cases and what is known of them.
        model: from a case to figures by name, or a rejection. Figures that no point mentions are
            not looked at; one that is mentioned and missing counts as different.
        name: of the set, for people.
    """
    return Report(name, tuple(compare(point, model(point.case)) for point in points))


def compare(point: Point[Case], found: Figures | Rejected) -> Comparison:
    """Compare what a model found with what is known of one point."""
    if isinstance(point.expected, Rejected):
        rejected = found if isinstance(found, Rejected) else None
        return Comparison(
            point.id, point.source, frozenset(), expected=point.expected, found=rejected
        )
    kinds = frozenset(figure.kind for figure in point.expected.values())
    if isinstance(found, Rejected):
        missing = tuple(
            Difference(name, f.kind, f.value, math.nan) for name, f in point.expected.items()
        )
        return Comparison(point.id, point.source, kinds, missing, found=found)
    return _compare_figures(point, point.expected, kinds, found)


def _compare_figures(
    point: Point[Case], expected: Mapping[str, Figure], kinds: frozenset[Kind], found: Figures
) -> Comparison:
    differences = []
    off = 0
    for name, figure in expected.items():
        value = found.get(name, math.nan)
        error = abs(value - figure.value)
        if not error <= figure.tolerance:
            differences.append(Difference(name, figure.kind, figure.value, value))
        elif figure.kind == "energy" and error > figure.rounding:
            off += 1
    table = tuple((n, f.value, found.get(n, math.nan)) for n, f in expected.items())
    return Comparison(
        point.id, point.source, kinds, tuple(differences), off, table=table if differences else ()
    )
