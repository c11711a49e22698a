"""Designs leave a space before a trial is spent: no better than the best found, or impossible.

A floor is what a design cannot cost less than, whatever mapping it is given. It is found without
mapping anything, so a search may look at many floors for one trial. What is pruned is kept with
the floor that ruled it out, so that it can be checked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from attrs import frozen

from cosearch.search.objective import pareto_front
from cosearch.search.space import Space
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows

DRAWS_EACH = 100
"""Raw draws that looking at one floor counts as: a limit on draws is one on time."""


@frozen
class Floor:
    """What is known of a design before anything is mapped onto it.

    Attributes:
        losses: that it cannot undercut, one an objective; minus infinity where nothing is known.
            Empty where it cannot be built, or breaks a limit with certainty.
        reason: why not; empty where it can be.
    """

    losses: tuple[float, ...] = ()
    reason: str = ""


@frozen
class Pruned:
    """A design that left the space.

    Attributes:
        row: point of the space that floors are of.
        floor: that ruled it out.
        after: trials that had ended by then; the best of these undercuts it, or equals it.
    """

    row: tuple[int, ...]
    floor: Floor
    after: int


class Floors(ABC):
    """The floors of a space's points, each found once, and what they are compared with.

    Args:
        columns: of a row that decide its floor; all where None.
        by_losses: whether floors rule out; otherwise only what cannot be built leaves.
        settles: whether one trial settles all rows that share a floor.
    """

    def __init__(
        self,
        columns: Sequence[int] | None = None,
        *,
        by_losses: bool = True,
        settles: bool = True,
    ) -> None:
        self._columns = None if columns is None else np.array(columns, dtype=np.int64)
        self._by_losses, self._settles = by_losses, settles
        self._known: dict[bytes, Floor] = {}
        self._gone: dict[bytes, Pruned] = {}
        self._tried: set[bytes] = set()
        self._unsaid: list[Pruned] = []
        self._best: FloatArray | None = None
        self._trials = 0

    @abstractmethod
    def _find(self, row: Rows) -> Floor:
        """Return the floor of one row, int64[k], of the deciding columns."""

    @property
    def found(self) -> int:
        """Floors found so far."""
        return len(self._known)

    @property
    def gone(self) -> list[Pruned]:
        """What has left, in the order of leaving."""
        return list(self._gone.values())

    def new(self) -> list[Pruned]:
        """Return what has left since this was asked last."""
        said, self._unsaid = self._unsaid, []
        return said

    def learn(
        self, rows: Rows, losses: FloatArray, feasible: BoolArray, trials: int | None = None
    ) -> None:
        """Take in results in full.

        Args:
            rows: int64[n, d].
            losses: float64[n, m].
            feasible: bool[n].
            trials: that came to an end with them; n where not given.
        """
        self._trials += len(rows) if trials is None else trials
        self._tried.update(self._own(row).tobytes() for row in rows)
        found = np.asarray(losses, dtype=np.float64)[feasible]
        if len(found):
            every = found if self._best is None else np.concatenate([self._best, found])
            every = np.unique(every, axis=0)
            self._best = every[pareto_front(every)]

    def open(self, rows: Rows) -> BoolArray:
        """Return bool[n]: which rows may still be better than what was found."""
        return np.array([self._open(self._own(row)) for row in rows], dtype=bool)

    def least(self, rows: Rows) -> FloatArray:
        """Return float64[n, m]: losses that rows cannot undercut; infinite where impossible."""
        floors = [self.at(self._own(row)) for row in rows]
        m = max((len(floor.losses) for floor in floors), default=1)
        return np.array([floor.losses or (np.inf,) * m for floor in floors]).reshape(len(rows), m)

    def at(self, own: Rows) -> Floor:
        """Return the floor of one row, int64[k], of the deciding columns."""
        key = own.tobytes()
        floor = self._known.get(key)
        if floor is None:
            floor = self._known[key] = self._find(own)
        return floor

    def is_left(self, own: Rows) -> bool:
        """Return whether a row, int64[k], of these columns is neither tried nor ruled out.

        Where it is ruled out it does not leave with that.
        """
        tried = self._settles and own.tobytes() in self._tried
        return not tried and not self._ruled_out(self.at(own))

    def _open(self, own: Rows) -> bool:
        key = own.tobytes()
        if key in self._gone:
            return False
        floor = self.at(own)
        if not self._ruled_out(floor):
            return True
        if key not in self._tried:
            self._gone[key] = Pruned(tuple(own.tolist()), floor, self._trials)
            self._unsaid.append(self._gone[key])
        return False

    def _own(self, row: Rows) -> Rows:
        return row if self._columns is None else row[self._columns]

    def _ruled_out(self, floor: Floor) -> bool:
        if floor.reason:
            return True
        if self._best is None or not self._by_losses:
            return False
        return bool((self._best <= np.array(floor.losses)).all(axis=1).any())


class PrunedSpace(Space):
    """A space that points leave as better ones are found.

    Args:
        whole: the space with its own known constraints.
        floors: say which points have left.
    """

    def __init__(self, whole: Space, floors: Floors) -> None:
        self.whole, self.floors = whole, floors

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each column."""
        return self.whole.names

    @property
    def cardinalities(self) -> IntArray:
        """int64[d]."""
        return self.whole.cardinalities

    @property
    def ordered(self) -> BoolArray:
        """bool[d]."""
        return self.whole.ordered

    def sample(self, n: int, rng: np.random.Generator) -> Rows:
        """Return n rows, constraints ignored."""
        return self.whole.sample(n, rng)

    def stated(self, rows: Rows) -> BoolArray:
        """Return bool[n]: which rows meet the space's own constraints, whether they left or not."""
        return self.whole.feasible(rows)

    def feasible(self, rows: Rows) -> BoolArray:
        """Return bool[n]: which rows meet the space's own constraints and have not left."""
        met = np.array(self.whole.feasible(rows), dtype=bool)
        met[met] = self.floors.open(rows[met])
        return met

    def sample_feasible(
        self, n: int, rng: np.random.Generator, max_draws: int = 1_000_000
    ) -> tuple[Rows, int]:
        """Draw rows until n are found; each floor that is looked at counts as some draws too."""
        kept, missing, draws = [self.whole.sample(0, rng)], n, 0
        while missing > 0 and draws < max_draws:
            rows, raw = self.whole.sample_feasible(max(missing, 8), rng, max_draws - draws)
            if len(rows) == 0:
                return np.concatenate(kept), draws + raw
            before = self.floors.found
            rows = rows[self.floors.open(rows)][:missing]
            draws += raw + DRAWS_EACH * (self.floors.found - before)
            missing -= len(rows)
            kept.append(rows)
        return np.concatenate(kept), draws

    def least(self, rows: Rows) -> FloatArray | None:
        """Return float64[n, m]: the rows' floors; infinite where one is impossible."""
        return self.floors.least(rows)

    def allowed(self, rows: Rows, column: int) -> BoolArray:
        """Return bool[n, c]: which choices keep rows clear of the space's own constraints."""
        return self.whole.allowed(rows, column)

    def perturb(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Return one neighbour of each row."""
        return self.whole.perturb(rows, rng)

    def crossover(self, a: Rows, b: Rows, rng: np.random.Generator) -> Rows:
        """Return one child of each pair of rows."""
        return self.whole.crossover(a, b, rng)

    def encode(self, rows: Rows) -> FloatArray:
        """Return float64[n, e], as the whole space has it."""
        return self.whole.encode(rows)

    def features(self, rows: Rows) -> FloatArray:
        """Return float64[n, f], as the whole space has it."""
        return self.whole.features(rows)
