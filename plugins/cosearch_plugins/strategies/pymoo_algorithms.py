"""pymoo's evolutionary algorithms as strategies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from cosearch.errors import MissingExtraError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import Rows
from cosearch_plugins.strategies.parts.foreign import Generations, Result

_ALGORITHMS = ("nsga2", "age", "de")


class Pymoo(Generations):
    """An algorithm of pymoo proposes generations; columns are integers to it.

    Rows are random until a population of results is there, from which it starts. Algorithms that
    cannot be pickled are left out (GA, NSGA-III, SMS-EMOA; with one loss, nsga2 is a genetic
    algorithm too, and `optuna:sampler=nsga3` stands in for the second). Needs the extra `pymoo`.

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
        self._algorithm: Any = None
        self._born: Any = None

    def _begin(self, objectives: int) -> None:
        """Wait: it starts from a population of results."""

    def _next(self) -> tuple[Rows, Any] | None:
        return super()._next() if len(self._results) >= self._size else None

    def _generation(self) -> Rows:
        if self._algorithm is None:
            recent = list(self._results)[-self._size :]
            started = np.array([np.frombuffer(key, dtype=np.int64) for key in recent])
            m = 1 if self._worst is None else len(self._worst)
            self._algorithm = _algorithm(self._name, self._size, started)
            self._algorithm.setup(_problem(self.space, m), termination=_never(), seed=self._seed)
        with _quiet():
            self._born = self._algorithm.ask()
        if self._born is None or len(self._born) == 0:
            self._algorithm = None
            return np.zeros((0, len(self.space.names)), dtype=np.int64)
        x = np.rint(np.asarray(self._born.get("X"), dtype=np.float64))
        return np.clip(x, 0, self.space.cardinalities - 1).astype(np.int64)

    def _finish(self, results: Sequence[Result]) -> None:
        self._born.set("F", np.array([result.losses for result in results]))
        self._born.set("G", np.array([[result.missed] for result in results]))
        with _quiet():
            self._algorithm.tell(infills=self._born)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings of overflows and deprecations within pymoo off the screen."""
    import warnings

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


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
