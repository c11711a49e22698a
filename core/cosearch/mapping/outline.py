"""What is known of a layer's mappings after a few searches: some of them, and where none can lie.

A search for the least `a * energy + b * cycles` finds one mapping and proves a line that no mapping
lies below. Some such lines bound energy and cycles of *all* mappings by a convex polygon. Its
corners are optimistic mappings: where one is a mapping that was found, nothing is left to gain.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from attrs import define, field

from cosearch.mapping.network_front import Front
from cosearch.typing import BoolArray, FloatArray

Weights: TypeAlias = tuple[float, float]
"""What a pJ and what a cycle count in a weighted sum, none negative."""

ROUNDING = 1e-13
"""Relative, of a line at a corner: corners are where lines meet, and lines meet at flat angles."""

SAME = 1e-11
"""Corner and mapping closer than this, relative, are one: proofs hold to 1e-12, before rounding."""


@define(eq=False)
class Outline:
    """One layer's mappings, as far as known.

    Args:
        floor: energy (pJ) and cycles that no mapping undercuts, each on its own.
    """

    floor: tuple[float, float]
    _points: list[tuple[float, float]] = field(init=False, factory=list)
    _lines: list[tuple[float, float, float]] = field(init=False)
    _corners: Front | None = field(init=False, default=None)
    _found: Front | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        energy, cycles = self.floor
        self._lines = [(0.0, 1.0, cycles), (1.0, 0.0, energy)]

    def add(self, energy_pj: float, cycles: float, weights: Weights, least: float) -> None:
        """Take in a mapping found, and the line that was proven with it.

        Args:
            energy_pj: of the mapping.
            cycles: of the mapping.
            weights: of the line.
            least: the weighted sum that no mapping undercuts.
        """
        self._points.append((energy_pj, cycles))
        self._lines.append((*weights, least))
        self._corners = self._found = None

    @property
    def points(self) -> Front:
        """The mappings found, in the order of finding."""
        if self._found is None:
            self._found = _front(np.array(self._points, dtype=np.float64).reshape(-1, 2))
        return self._found

    def corners(self) -> Front:
        """Return the optimistic mappings; those that were found are exactly as found."""
        if self._corners is None:
            self._corners = self._find_corners()
        return self._corners

    def _find_corners(self) -> Front:
        corners = self._meetings()
        for point in np.array(self._points, dtype=np.float64).reshape(-1, 2):
            corners[(np.abs(corners - point) <= SAME * point).all(axis=1)] = point
        return _front(corners)

    def loose(self, weights: Weights) -> float:
        """Return how far the best mapping found may be above the best, as a weighted sum.

        0 where they are the same but for rounding.
        """
        best = float((self.points.sums(weights)).min())
        gap = best - float(self.corners().sums(weights).min())
        return gap if gap > SAME * best else 0.0

    def edge(self, weights: Weights) -> Weights | None:
        """Return the direction of the edge between the mappings beside the best corner.

        They are mappings on the two lines that meet in the corner which is best in some direction;
        None where a line has none.
        """
        corners = self.corners()
        best = int(np.argmin(corners.sums(weights)))
        corner = (float(corners.energy_pj[best]), float(corners.cycles[best]))
        faster, slower = self._beside(corner, -1), self._beside(corner, 1)
        if faster is None or slower is None:
            return None
        return slower[1] - faster[1], faster[0] - slower[0]

    def asked(self, weights: Weights) -> bool:
        """Return whether a line of that direction is known."""
        across = [(weights[0] * b, weights[1] * a) for a, b, _ in self._lines[2:]]
        return any(abs(x - y) <= ROUNDING * (x + y) for x, y in across)

    def _beside(self, corner: tuple[float, float], side: int) -> tuple[float, float] | None:
        """Return the nearest mapping on a line through the corner, faster (-1) or slower (1)."""
        near = [
            p for p in self._points if side * (p[1] - corner[1]) > 0 and self._joined(corner, p)
        ]
        return min(near, key=lambda p: side * p[1], default=None)

    def _joined(self, corner: tuple[float, float], point: tuple[float, float]) -> bool:
        """Return whether a line goes through the corner and the mapping."""
        for a, b, least in self._lines:
            sums = a * corner[0] + b * corner[1], a * point[0] + b * point[1]
            if all(abs(s - least) <= SAME * least for s in sums):
                return True
        return False

    def _meetings(self) -> FloatArray:
        """Return where two lines meet on or above all others, float64[n, 2]."""
        lines = np.array(self._lines, dtype=np.float64)
        i, j = np.triu_indices(len(lines), 1)
        a, b, least = lines.T
        turn = a[i] * b[j] - a[j] * b[i]
        with np.errstate(divide="ignore", invalid="ignore"):
            energy = (least[i] * b[j] - least[j] * b[i]) / turn
            cycles = (a[i] * least[j] - a[j] * least[i]) / turn
        met = np.isfinite(energy) & np.isfinite(cycles)
        corners = np.stack([energy, cycles], axis=1)[met]
        above: BoolArray = (corners @ lines[:, :2].T >= least * (1 - ROUNDING)).all(axis=1)
        met_above: FloatArray = corners[above]
        return met_above


def _front(points: FloatArray) -> Front:
    return Front(points[:, 0], points[:, 1])
