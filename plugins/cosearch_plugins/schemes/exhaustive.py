"""Enumerate a hardware space, most promising bound first, and so prove the best design.

Every design gets a bound that no mapping of it can beat (see `Accelerator.floor`). Designs are
evaluated in the order of their bounds; once the next bound is no better than the best design found,
all the rest are proven worse. The proof is as good as the mapper's: of a mapper that proves
nothing, it says that no design is better *with the mappings that it finds*.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError, Infeasible
from cosearch.machine.building import build
from cosearch.registry.registry import Named
from cosearch.search.parameters import ParameterSpace, Space
from cosearch.search.strategy import Strategy
from cosearch.study.problem import Problem
from cosearch.study.pruning import unproven
from cosearch.study.scheme import Findings, Scheme
from cosearch.trials.trial import Trial
from cosearch.typing import BoolArray, FloatArray, Rows

LIMIT = 200_000
"""Rows of the largest hardware space that is enumerated."""


class Exhaustive(Scheme):
    """Every design, most promising bound first, so that the best one is proven."""

    enumerates: ClassVar[bool] = True

    def strategy(
        self,
        problem: Problem,
        space: Space,  # noqa: ARG002 - of which all is tried, or ruled out
        named: Named[Strategy],  # noqa: ARG002 - nobody else proposes
        rng: np.random.Generator,
    ) -> Strategy:
        """Return the enumeration of the space."""
        return BoundedEnumeration(problem.space, rng, bounded(problem))

    def findings(self, problem: Problem, trials: Sequence[Trial], *, exhausted: bool) -> Findings:
        """Return how far from the best of the space the best found can be."""
        return Findings(hardware_gap=unproven(problem, trials) if exhausted else None)


@frozen(eq=False)
class Bounded:
    """The designs that can be built, most promising first.

    Attributes:
        rows: int64[n, d].
        bounds: float64[n], ascending: losses that the designs cannot beat.
    """

    rows: Rows
    bounds: FloatArray


class BoundedEnumeration(Strategy):
    """Asks for designs in the order of their bounds, until the rest are proven worse.

    Args:
        space: of the hardware.
        rng: not used: nothing is left to chance.
        designs: of the whole space.
    """

    def __init__(self, space: ParameterSpace, rng: np.random.Generator, designs: Bounded) -> None:
        super().__init__(space, rng)
        self.designs = designs
        self._asked, self._best = 0, np.inf

    def ask(self, n: int) -> Rows:
        """Return the next designs; none when all others are proven worse."""
        first = self._asked
        last = int(np.searchsorted(self.designs.bounds, self._best, side="left"))
        self._asked = max(first, min(first + n, last))
        return self.designs.rows[first : self._asked]

    def tell(
        self,
        rows: Rows,  # noqa: ARG002
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,  # noqa: ARG002
    ) -> None:
        """Remember the best loss."""
        found = losses[feasible, 0]
        self._best = min(self._best, float(found.min(initial=np.inf)))

    @property
    def when_exhausted(self) -> str:  # type: ignore[override]
        """What it means that nothing is left to ask for."""
        if not np.isfinite(self._best):
            return "no design of the whole space is feasible,"
        return "every other design is proven worse,"

    @property
    def gap(self) -> float:
        """How far below the best found a design not asked for could still be, relative."""
        left = self.designs.bounds[self._asked :]
        if len(left) == 0 or left[0] >= self._best:
            return 0.0
        return 1.0 - float(left[0]) / self._best if np.isfinite(self._best) else 1.0


def bounded(problem: Problem) -> Bounded:
    """Return every design of a study's space that can be built, with its bound.

    Raises:
        CosearchError: the space is too large, or the objective has no bound.
    """
    space, objective = problem.space, problem.objectives[0]
    if space.size > LIMIT:
        raise CosearchError(
            f"{problem.hardware.name!r} has {space.size:,} designs, more than are enumerated "
            f"({LIMIT:,})",
            "fix some of its parameters with --set name=value",
        )
    if len(problem.objectives) > 1 or not objective.monotone:
        raise CosearchError(
            f"the objective {', '.join(o.name for o in problem.objectives)} has no bound",
            "`exhaustive` proves one of edp, energy, latency and ed2p",
        )
    grid = np.indices(tuple(int(c) for c in space.cardinalities)).reshape(len(space.names), -1).T
    rows = grid[space.feasible(grid)].astype(np.int64)
    found = [(row, bound) for row in rows if (bound := _bound(problem, row)) is not None]
    order = sorted(range(len(found)), key=lambda i: (found[i][1], i))
    if not order:
        return Bounded(rows[:0], np.zeros(0))
    return Bounded(np.array([found[i][0] for i in order]), np.array([found[i][1] for i in order]))


def _bound(problem: Problem, row: Rows) -> float | None:
    """Return what a network on a design cannot beat, or None where it cannot be built."""
    configuration = problem.space.decode(row)
    try:
        machine = build(problem.hardware, configuration)
    except Infeasible:
        return None
    energy = cycles = 0.0
    for layer in problem.network_of(configuration).unique:
        floor = problem.floor(machine, layer.einsum)
        energy += layer.count * floor[0]
        cycles += layer.count * floor[1]
    columns = {"energy_pj": np.array([energy]), "cycles": np.array([cycles])}
    return float(problem.objectives[0].of(columns)[0])
