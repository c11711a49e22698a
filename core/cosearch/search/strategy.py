"""The contract of a search strategy: two verbs on any space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.search.parameters import ParameterSpace, Space
from cosearch.typing import BoolArray, FloatArray, Rows

Answer = tuple[FloatArray, BoolArray, FloatArray]
"""What a strategy is told of rows: losses, feasible, violations, as `Strategy.tell` has them."""


@frozen(eq=False)
class Told:
    """What a strategy was told, checked and copied.

    Attributes:
        rows: int64[n, d].
        losses: float64[n, m]; infinite where not feasible.
        feasible: bool[n].
        violations: float64[n, k], as `Strategy.tell` has them; k is 0 where nothing is known.
    """

    rows: Rows
    losses: FloatArray
    feasible: BoolArray
    violations: FloatArray

    @property
    def violation(self) -> FloatArray:
        """float64[n]: all misses together: 0 where feasible, infinite where not and none is known.

        Source: Deb, An Efficient Constraint Handling Method for Genetic Algorithms, 2000, eq. 4.
        """
        missed = np.nan_to_num(np.maximum(self.violations, 0.0), nan=0.0, posinf=np.inf)
        total = missed.sum(axis=1)
        return np.where(self.feasible, 0.0, np.where(total > 0, total, np.inf))

    @property
    def loss(self) -> FloatArray:
        """float64[n]: the first loss; infinite where not feasible."""
        return self.losses[:, 0]


class Strategy(ABC):
    """Proposes points of a space and learns from their losses.

    The order of calls: `ask(n)`, evaluate, `tell(...)`, and again. `tell` may also bring points
    that were never asked for (a warm start), before or between asks. A strategy knows nothing of
    accelerators. It takes randomness from `rng` alone, so one seed gives one trace, in any
    process; it can be pickled between calls and continues identically. A row that was asked or
    told is not asked again (`cosearch.search.unseen` keeps count).

    Attributes:
        options: what the constructor takes as keywords, as a space, so that every contender can
            be tuned on equal terms before it is compared.
        multi_objective: whether `tell` takes more than one column of losses; an instance whose
            options rule that out says so itself.
        at_once: rows to ask it for at once, where evaluations are so cheap that the caller does not
            mind; fewer, for one that learns much from every row.
        blind: whether what it proposes hangs neither on losses nor on when it is told of them, so
            that it may be asked on while what it asked for is evaluated.
        when_exhausted: what it means that `ask` returns nothing, for the study's last note.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(())
    multi_objective: bool = False
    at_once: int = 100
    blind: ClassVar[bool] = False
    when_exhausted: str = "the strategy found no further design"

    def __init_subclass__(cls, **named: object) -> None:
        """Take back what a parent says of its own `ask` and `tell`, where they are others here."""
        super().__init_subclass__(**named)
        if {"ask", "tell"} & vars(cls).keys() and "blind" not in vars(cls):
            cls.blind = False

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        self.space = space
        self.rng = rng

    @abstractmethod
    def ask(self, n: int) -> Rows:
        """Return int64[m, d] with 1 <= m <= n points that meet the known constraints.

        Fewer than n (even 0) only when the space holds no more points the strategy can find.
        """

    @abstractmethod
    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Learn.

        Args:
            rows: int64[n, d]; left as they are.
            losses: float64[n, m], lower is better; infinite is allowed, NaN is refused. Where not
                feasible it means nothing.
            feasible: bool[n]: whether the design could be built and run, within every limit.
            violations: float64[n, k]: by how much each limit is missed, relative: above 0 it is
                missed, at most 0 it is met, with so much to spare; NaN where unknown. A limit
                keeps its column throughout a search, and later calls may bring more columns; an
                infeasible row may have none above 0. None: nothing is known.
        """

    @property
    def statistics(self) -> Mapping[str, float]:
        """What the search itself spent, by name, such as raw draws; for reports."""
        return {}

    def checked(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> Told:
        """Return copies of what `tell` was given, or raise CosearchError if it cannot be so."""
        rows = np.array(rows, dtype=np.int64)
        losses = np.array(losses, dtype=np.float64)
        feasible = np.array(feasible, dtype=bool)
        losses = losses[:, None] if losses.ndim == 1 else losses
        name, d = type(self).__name__, len(self.space.names)
        if rows.shape != (len(losses), d) or feasible.shape != (len(losses),):
            raise CosearchError(
                f"{name} was told rows {rows.shape}, losses {losses.shape} and feasible "
                f"{feasible.shape}; it needs (n, {d}), (n, m) and (n,)"
            )
        if ((rows < 0) | (rows >= self.space.cardinalities)).any():
            raise CosearchError(f"{name} was told a row that is outside its space")
        if losses.shape[1] != 1 and not self.multi_objective:
            raise CosearchError(
                f"{name} takes one objective and was told {losses.shape[1]} losses",
                "use a strategy for several objectives, such as nsga2",
            )
        missed = np.array(np.zeros((len(rows), 0)) if violations is None else violations)
        if missed.ndim != 2 or len(missed) != len(rows):
            raise CosearchError(
                f"{name} was told violations {missed.shape} of {len(rows)} rows; it needs (n, k)"
            )
        losses[~feasible] = np.inf
        if np.isnan(losses).any():
            raise CosearchError(
                f"{name} was told a loss that is not a number",
                "tell infinity, or feasible=False, for a design that has no loss",
            )
        return Told(rows, losses, feasible, missed.astype(np.float64))


class MultiFidelity(Strategy):
    """A strategy that may have designs judged cheaply before they are judged in full.

    A fidelity is the share of a full evaluation, in (0, 1]: of a network's layers, of a mapper's
    budget, whatever the caller can make cheaper. Losses are compared within a fidelity only. A
    caller that knows fidelities uses `ask_at` and `tell_at`; another one uses `ask` and `tell`,
    and all is judged in full.
    """

    @abstractmethod
    def ask_at(self, n: int) -> tuple[Rows, FloatArray]:
        """Return int64[m, d] and the fidelity, float64[m], to judge each row at.

        A row is asked again only at a higher fidelity than before.
        """

    @abstractmethod
    def tell_at(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        fidelity: FloatArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Learn what rows are worth at the fidelities, float64[n], they were judged at."""

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Learn what rows are worth in full."""
        self.tell_at(rows, losses, feasible, np.ones(len(rows)), violations)
