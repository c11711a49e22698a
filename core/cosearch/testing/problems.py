"""Small problems that have tripped optimizers: ties, infinities, nothing feasible, one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from attrs import frozen

from cosearch.errors import UnknownNameError
from cosearch.search.parameters import Parameter, ParameterSpace, Rule, Space
from cosearch.search.strategy import Answer
from cosearch.typing import BoolArray, FloatArray, Rows

Judge = Callable[[Rows], tuple[FloatArray, BoolArray]]
"""From rows int64[n, d] to losses float64[n, m] and feasible bool[n]."""


@frozen(eq=False)
class Problem:
    """A space and what its points are worth.

    Attributes:
        name: in messages.
        space: to search.
        judge: losses and feasibility of rows.
        rounds: asks worth making in a test.
        misses: from rows to by how much each limit is missed, float64[n, k]; None: nobody says.
    """

    name: str
    space: Space
    judge: Judge
    rounds: int = 8
    misses: Callable[[Rows], FloatArray] | None = None

    def answer(self, rows: Rows) -> Answer:
        """Return what a strategy is told of rows."""
        losses, feasible = self.judge(rows)
        nothing = np.zeros((len(rows), 0))
        return losses, feasible, nothing if self.misses is None else self.misses(rows)


def _fits(columns: Mapping[str, np.ndarray]) -> BoolArray:
    return np.asarray(columns["rows"] * columns["columns"] <= 128)


def _even(columns: Mapping[str, np.ndarray]) -> BoolArray:
    return np.asarray(columns["buffer"] % columns["rows"] == 0)


MACHINE = ParameterSpace(
    (
        Parameter("rows", (1, 2, 4, 8, 16, 32)),
        Parameter("columns", (1, 2, 4, 8, 16, 32)),
        Parameter("buffer", (16, 32, 48, 64, 96, 128, 192, 256)),
        Parameter("dataflow", ("weight", "output", "input", "row")),
        Parameter("shared", (False, True)),
        Parameter("version", (1,)),
    ),
    (Rule("rows times columns exceeds 128", _fits), Rule("the rows do not divide it", _even)),
)
"""2,304 rows, of ordered and unordered columns, one of them of a single choice; two rules."""

TINY = ParameterSpace(
    (Parameter("rows", (1, 2, 16, 32)), Parameter("columns", (1, 2, 4, 8, 16))),
    (Rule("rows times columns exceeds 128", _fits),),
)
"""20 rows, 17 of them meet the rule."""


class _Embedded(ParameterSpace):
    """Encodes each column as a point on a quarter circle, as a space of its own kind may."""

    def encode(self, rows: Rows) -> FloatArray:
        """Return float64[n, 2 d]."""
        angle = rows / self.cardinalities * (np.pi / 2)
        return np.hstack([np.cos(angle), np.sin(angle)])

    def features(self, rows: Rows) -> FloatArray:
        """Return float64[n, 3], one of them the same everywhere."""
        return np.stack([rows.sum(axis=1), rows[:, 0] * rows[:, 1], 0 * rows[:, 0]], axis=1) / 1.0


LARGE = _Embedded(tuple(Parameter(f"p{i}", tuple(range(12))) for i in range(8)))
"""430 million rows, too many to enumerate, with an encoding and features of their own."""

SINGLE = ParameterSpace((Parameter("rows", (8,)), Parameter("columns", (4,))))


def _bowl(rows: Rows) -> FloatArray:
    """Return a positive loss of MACHINE rows with its least value inside the space."""
    target = np.array([3, 3, 5, 3, 1, 0])
    weight = np.array([1.0, 0.7, 0.3, 0.5, 0.2, 0.0])
    return np.asarray(np.exp(((rows - target) ** 2 * weight).sum(axis=1) / 4.0))


def _all(rows: Rows) -> BoolArray:
    return np.ones(len(rows), dtype=bool)


def _smooth(rows: Rows) -> tuple[FloatArray, BoolArray]:
    return _bowl(rows)[:, None], _all(rows)


def _unknown(rows: Rows) -> tuple[FloatArray, BoolArray]:
    return _bowl(rows)[:, None], (rows[:, 0] + rows[:, 2]) % 3 != 0


def _negative(rows: Rows) -> tuple[FloatArray, BoolArray]:
    return np.log(_bowl(rows))[:, None] - 3.0, _all(rows)


def _constant(rows: Rows) -> tuple[FloatArray, BoolArray]:
    return np.ones((len(rows), 1)), _all(rows)


def _tied(rows: Rows) -> tuple[FloatArray, BoolArray]:
    return np.floor(_bowl(rows) / 50.0)[:, None], _all(rows)


def _infeasible(rows: Rows) -> tuple[FloatArray, BoolArray]:
    return np.full((len(rows), 1), np.inf), ~_all(rows)


def _infinite(rows: Rows) -> tuple[FloatArray, BoolArray]:
    loss = np.where(rows[:, 0] % 2 == 0, np.inf, _bowl(rows))
    return loss[:, None], _all(rows)


def _only_infinite(rows: Rows) -> tuple[FloatArray, BoolArray]:
    return np.full((len(rows), 1), np.inf), _all(rows)


def _huge(rows: Rows) -> tuple[FloatArray, BoolArray]:
    return (_bowl(rows) * 1e300)[:, None], _all(rows)


def _far(rows: Rows) -> tuple[FloatArray, BoolArray]:
    loss = np.exp(((rows - 7.0) ** 2).sum(axis=1) / 40.0)
    return loss[:, None], rows[:, 0] >= rows[:, 1]


def _excess(rows: Rows) -> FloatArray:
    """Return by how much two limits are missed; of the second only a miss is ever told."""
    area, width = rows[:, 0] + rows[:, 2] - 7.0, rows[:, 1] - 4.0
    return np.stack([area / 7.0, np.where(width > 0, width / 4.0, np.nan)], axis=1)


def _limited(rows: Rows) -> tuple[FloatArray, BoolArray]:
    return _bowl(rows)[:, None], np.asarray(~(_excess(rows) > 0).any(axis=1))


def _two(rows: Rows) -> tuple[FloatArray, BoolArray]:
    area = (rows + 1.0).prod(axis=1)
    return np.stack([_bowl(rows), area], axis=1), rows[:, 2] != 4


PROBLEMS: tuple[Problem, ...] = (
    Problem("smooth", MACHINE, _smooth),
    Problem("unknown constraint", MACHINE, _unknown),
    Problem("limits", MACHINE, _limited, misses=_excess),
    Problem("negative losses", MACHINE, _negative),
    Problem("constant", MACHINE, _constant),
    Problem("tied", MACHINE, _tied),
    Problem("nothing feasible", MACHINE, _infeasible),
    Problem("some infinite", MACHINE, _infinite),
    Problem("only infinite", MACHINE, _only_infinite),
    Problem("huge losses", MACHINE, _huge),
    Problem("large space", LARGE, _far, rounds=5),
    Problem("tiny space", TINY, _constant, rounds=5),
    Problem("single row", SINGLE, _constant, rounds=1),
)
"""Every strategy is put through these."""

TWO_OBJECTIVES = Problem("two objectives", MACHINE, _two)
"""For strategies that take several objectives."""


def problem(name: str) -> Problem:
    """Return the problem of that name, or raise UnknownNameError."""
    known = {p.name: p for p in (*PROBLEMS, TWO_OBJECTIVES)}
    if name not in known:
        raise UnknownNameError("problem", name, known)
    return known[name]
