"""pymoo's evolutionary algorithms as strategies."""

from __future__ import annotations

from typing import Any

import numpy as np

from cosearch.errors import CosearchError, MissingExtraError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows

_GENERATIONS = 8
"""Generations skipped through in one ask, because all of their rows were known already."""

_ALGORITHMS = ("nsga2", "age", "de")

Result = tuple[FloatArray, float]
"""Losses, float64[m], all finite, and by how much the constraint is missed: 0 or 1."""


class Pymoo(Strategy):
    """An algorithm of pymoo proposes generations; they are handed out as rows are asked for.

    Columns are integers to pymoo. A row it repeats is answered from memory, a row that breaks a
    known constraint is answered as infeasible. Rows are random until a population of results is
    there, from which it starts, and while a generation is being evaluated. Algorithms that cannot
    be pickled are left out (GA, NSGA-III, SMS-EMOA; with one loss, nsga2 is a genetic algorithm
    too, and `optuna:sampler=nsga3` stands in for the second). Needs the extra `pymoo`.

    Source: Blank and Deb, pymoo: Multi-Objective Optimization in Python, IEEE Access 8, 2020.
    """

    multi_objective = True
    options = ParameterSpace(
        (
            Parameter("algorithm", _ALGORITHMS, "nsga2", doc="which; de takes one loss"),
            Parameter(
                "population", (4, 16, 32, 64, 4096), 32, free=True, doc="designs of a generation"
            ),
        )
    )

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        algorithm: str = "nsga2",
        population: int = 32,
    ) -> None:
        super().__init__(space, rng)
        _require_pymoo()
        self.multi_objective = algorithm != "de"
        self._name, self._size = algorithm, population
        self._seed = int(rng.integers(2**31))
        self._unseen = Unseen(space)
        self._results: dict[bytes, Result] = {}
        self._worst: FloatArray | None = None
        self._algorithm: Any = None
        self._generation: Any = None
        self._queue: list[Rows] = []

    def ask(self, n: int) -> Rows:
        """Return rows of the running generation, made up with random ones while it is out."""
        found = [self._unseen.draw(0, self.rng)]
        missing = n
        if self._algorithm is None:
            self._begin()
        for _ in range(_GENERATIONS if self._algorithm is not None else 0):
            self._advance()
            while missing and self._queue:
                rows = self._unseen.take(self._queue.pop(0)[None, :])
                found.append(rows)
                missing -= len(rows)
            if missing == 0:
                break
        found.append(self._unseen.draw(missing, self.rng))
        return np.concatenate(found)

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Remember the results, from which generations are answered."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        for row, loss, ok in zip(told.rows, told.losses, told.feasible, strict=True):
            if self._worst is None:
                self._worst = np.zeros_like(loss)
            if len(self._worst) != len(loss):
                raise CosearchError(
                    f"Pymoo was told {len(self._worst)} losses first and now {len(loss)}"
                )
            usable = bool(ok) and bool(np.isfinite(loss).all())
            if usable:
                self._worst = np.maximum(self._worst, loss)
            self._results[row.tobytes()] = (loss if usable else self._worst, 0.0 if usable else 1.0)

    def _begin(self) -> None:
        """Start from the first results, once there are enough and a choice to make."""
        movable = np.flatnonzero(self.space.cardinalities > 1)
        if self._worst is None or len(self._results) < self._size or len(movable) == 0:
            return
        m = len(self._worst)
        started = [np.frombuffer(key, dtype=np.int64) for key in list(self._results)[-self._size :]]
        self._algorithm = _algorithm(self._name, self._size, np.array(started))
        self._algorithm.setup(_problem(self.space, m), termination=_never(), seed=self._seed)

    def _advance(self) -> None:
        """Answer the running generation if all its results are known, and call the next."""
        import warnings

        if self._queue:
            return
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if self._generation is not None:
                answers = [self._answer(row) for row in self._rows()]
                known = [answer for answer in answers if answer is not None]
                if len(known) < len(answers):
                    return
                self._generation.set("F", np.array([loss for loss, _ in known]))
                self._generation.set("G", np.array([[missed] for _, missed in known]))
                self._algorithm.tell(infills=self._generation)
            self._generation = self._algorithm.ask()
        if self._generation is None or len(self._generation) == 0:
            self._algorithm = self._generation = None
            return
        self._queue = [row for row in self._rows() if self._answer(row) is None]

    def _rows(self) -> Rows:
        x = np.rint(np.asarray(self._generation.get("X"), dtype=np.float64))
        return np.clip(x, 0, self.space.cardinalities - 1).astype(np.int64)

    def _answer(self, row: Rows) -> Result | None:
        """Return what is known of a row without evaluating it."""
        result = self._results.get(row.tobytes())
        if result is None and self._worst is not None and not self.space.feasible(row[None, :])[0]:
            return self._worst, 1.0
        return result


def _require_pymoo() -> None:
    try:
        import pymoo  # noqa: F401
    except ImportError:
        raise MissingExtraError("the strategy pymoo", "pymoo") from None


def _problem(space: Space, objectives: int) -> Any:  # noqa: ANN401 - of an optional package
    from pymoo.core.problem import Problem

    return Problem(
        n_var=len(space.names),
        n_obj=objectives,
        n_ieq_constr=1,
        xl=np.zeros(len(space.names)),
        xu=(space.cardinalities - 1).astype(float),
        vtype=int,
    )


def _never() -> Any:  # noqa: ANN401
    from pymoo.core.termination import NoTermination

    return NoTermination()


def _algorithm(name: str, population: int, rows: Rows) -> Any:  # noqa: ANN401
    """Return an algorithm that starts from rows and keeps to integers."""
    from pymoo.algorithms.moo.age import AGEMOEA
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.algorithms.soo.nonconvex.de import DE
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair

    common = {"pop_size": population, "sampling": rows, "repair": RoundingRepair()}
    if name == "de":
        return DE(**common)
    common |= {
        "crossover": SBX(vtype=float, repair=RoundingRepair()),
        "mutation": PM(vtype=float, repair=RoundingRepair()),
    }
    return (AGEMOEA if name == "age" else NSGA2)(**common)
