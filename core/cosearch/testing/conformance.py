"""What every strategy must do, whoever wrote it.

Each check is a function of a strategy class and its options, and raises ConformanceError.
"""

from __future__ import annotations

import inspect
import pickle
import random
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from cosearch.errors import CosearchError
from cosearch.search.strategy import Strategy
from cosearch.testing.problems import PROBLEMS, TINY, TWO_OBJECTIVES, Problem, problem
from cosearch.testing.trace import Options, run, trace, trace_elsewhere
from cosearch.typing import Rows

Check = Callable[[type[Strategy], Options], None]


class ConformanceError(AssertionError):
    """A strategy broke its contract; the message says which part."""


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ConformanceError(message)


def _make(target: type[Strategy], options: Options, task: Problem, seed: int = 0) -> Strategy:
    return target(task.space, np.random.default_rng(seed), **options)


def _check_rows(rows: Rows, most: int, task: Problem) -> None:
    space, where = task.space, f"on {task.name!r}: ask({most}) returned"
    _require(np.asarray(rows).dtype == np.int64, f"{where} no int64 array")
    _require(rows.ndim == 2 and rows.shape[1] == len(space.names), f"{where} shape {rows.shape}")
    _require(len(rows) <= most, f"{where} {len(rows)} rows")
    inside = (rows >= 0) & (rows < space.cardinalities)
    _require(bool(inside.all()), f"{where} a row outside the space")
    _require(bool(space.feasible(rows).all()), f"{where} a row that breaks a known constraint")


def options_are_declared(target: type[Strategy], options: Options) -> None:
    """The constructor takes what `options` declares, with the same defaults, and no more."""
    target.options.complete(options)
    taken = {
        name: parameter.default
        for name, parameter in inspect.signature(target.__init__).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    _require(
        taken == target.options.defaults,
        f"the constructor takes {taken}, the options declare {target.options.defaults}",
    )


def asks_are_well_formed(target: type[Strategy], options: Options) -> None:
    """Shapes, types, bounds and known constraints hold for any batch size, on every problem."""
    for task in PROBLEMS:
        strategy = _make(target, options, task)
        for size in (1, 7, 2, 13)[: task.rounds]:
            rows = strategy.ask(size)
            _check_rows(rows, size, task)
            strategy.tell(rows, *task.answer(rows))


def nothing_is_asked_twice(target: type[Strategy], options: Options) -> None:
    """No row comes back, and a small space is searched to its end and then known to be empty."""
    for task in (problem("smooth"), problem("constant")):
        rows = np.concatenate(run(_make(target, options, task), task, 12, batch=8))
        _require(len(np.unique(rows, axis=0)) == len(rows), f"on {task.name!r}: a row twice")
    task = problem("tiny space")
    strategy = _make(target, options, task)
    total = int(TINY.feasible(TINY.unrank(np.arange(TINY.size))).sum())
    asked = np.concatenate(run(strategy, task, total + 1, batch=1))
    _require(len(np.unique(asked, axis=0)) == len(asked), "in a small space: a row twice")
    _require(len(asked) == total, f"asked {len(asked)} of the {total} rows of a small space")
    _require(len(strategy.ask(3)) == 0, "asked for more rows than a small space has")


def a_seed_gives_one_trace(target: type[Strategy], options: Options) -> None:
    """The same seed asks for the same rows, also when nothing distinguishes them."""
    for task in PROBLEMS:
        first, second = (trace(target, options, task, seed=3) for _ in range(2))
        _require(first == second, f"on {task.name!r}: two runs from one seed differ")


def another_process_agrees(target: type[Strategy], options: Options) -> None:
    """The trace does not depend on the process: hash seeds, addresses, global state."""
    names = ["unknown constraint", "limits", "constant", "some infinite", "large space"]
    try:
        elsewhere = trace_elsewhere(target, options, names, seed=3)
    except RuntimeError as error:
        raise ConformanceError(f"{target.__qualname__} is not to be had there: {error}") from None
    for name, theirs in zip(names, elsewhere, strict=True):
        ours = trace(target, options, problem(name), seed=3)
        _require(ours == theirs, f"on {name!r}: another process asks for other rows")


def global_randomness_is_left_alone(target: type[Strategy], options: Options) -> None:
    """Nothing is drawn from, or seeded in, the generators of numpy and the standard library."""
    task = problem("unknown constraint")
    before = random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    run(_make(target, options, task), task, 4, batch=8)
    after = random.getstate(), np.random.get_state()[1]  # type: ignore[index]  # noqa: NPY002
    _require(before[0] == after[0], "the standard library's global generator was used")
    _require(bool((before[1] == after[1]).all()), "numpy's global generator was used")


def a_pickle_continues(target: type[Strategy], options: Options) -> None:
    """Pickled in the middle, also with asks outstanding, it goes on exactly as the original."""
    for task in (problem("unknown constraint"), problem("large space")):
        strategy = _make(target, options, task)
        run(strategy, task, 5, batch=8)
        outstanding = strategy.ask(3)
        copy = pickle.loads(pickle.dumps(strategy))  # noqa: S301 - its own bytes
        traces = []
        for each in (strategy, copy):
            each.tell(outstanding, *task.judge(outstanding))
            traces.append(np.concatenate(run(each, task, 4, batch=8)).tolist())
        _require(traces[0] == traces[1], f"on {task.name!r}: a pickled copy continues differently")


def strangers_are_welcome(target: type[Strategy], options: Options) -> None:
    """Points it never asked for may be told, before the first ask and between asks."""
    task = problem("unknown constraint")
    rng = np.random.default_rng(5)
    strategy = _make(target, options, task)
    told = []
    for n in (0, 40, 5):
        rows, _ = task.space.sample_feasible(n, rng)
        strategy.tell(rows, *task.judge(rows))
        told.append(rows)
        asked = strategy.ask(8)
        _check_rows(asked, 8, task)
        everything = np.concatenate([*told, asked])
        distinct = len(np.unique(np.concatenate(told), axis=0)) + len(asked)
        _require(len(np.unique(everything, axis=0)) == distinct, "asked for a row it was told")
        strategy.tell(asked, *task.judge(asked))
        told.append(asked)


def batches_need_not_be_answered_in_order(target: type[Strategy], options: Options) -> None:
    """Several asks may be outstanding, and their results may arrive in pieces, in any order."""
    task = problem("limits")
    strategy = _make(target, options, task)
    rng = np.random.default_rng(7)
    for _ in range(4):
        asked = np.concatenate([strategy.ask(n) for n in (5, 1, 9)])
        _require(len(asked) == 15, "asked too few while its space holds more")
        _require(len(np.unique(asked, axis=0)) == 15, "asked for a row that is being evaluated")
        for part in np.array_split(asked[rng.permutation(15)], 4):
            strategy.tell(part, *task.answer(part))


def a_blind_one_asks_alike_untold(target: type[Strategy], options: Options) -> None:
    """Declared `blind`, it asks for the same rows whether and whatever it is told between asks."""
    task = problem("limits")
    if not target.blind:
        return
    traces = []
    for told in (True, False):
        strategy = _make(target, options, task)
        asked = []
        for n in (5, 1, 9, 8, 8, 8):
            asked.append(strategy.ask(n))
            if told:
                strategy.tell(asked[-1], *task.answer(asked[-1]))
        traces.append(np.concatenate(asked).tolist())
    _require(traces[0] == traces[1], "is declared blind, and asks otherwise once it is told")


def told_arrays_are_left_alone(target: type[Strategy], options: Options) -> None:
    """`tell` neither changes its arguments nor keeps them; `ask` gives its rows away."""
    task = problem("unknown constraint")
    traces = []
    for spoil in (False, True):
        strategy = _make(target, options, task)
        asked = []
        for _ in range(6):
            rows = strategy.ask(8)
            asked.append(rows.copy())
            given = (rows, *task.judge(rows))
            copies = [array.copy() for array in given]
            strategy.tell(*given)
            same = all(np.array_equal(a, b) for a, b in zip(given, copies, strict=True))
            _require(same, "tell changed its arguments")
            if spoil:
                for array in given:
                    array[...] = 0
        traces.append(np.concatenate(asked).tolist())
    _require(traces[0] == traces[1], "changing told arrays afterwards changes what is asked")


def nonsense_is_refused(target: type[Strategy], options: Options) -> None:
    """A loss that is not a number, a wrong shape or a row outside the space: CosearchError."""
    task = problem("smooth")
    rows, _ = task.space.sample_feasible(3, np.random.default_rng(0))
    losses, feasible = task.judge(rows)
    outside = rows.copy()
    outside[0, 0] = task.space.cardinalities[0]
    bad = np.where(np.arange(3)[:, None] == 1, np.nan, losses)
    for what, given in {
        "a loss that is not a number": (rows, bad, feasible),
        "fewer losses than rows": (rows, losses[:2], feasible),
        "a row outside the space": (outside, losses, feasible),
    }.items():
        try:
            _make(target, options, task).tell(*given)
        except CosearchError:
            continue
        raise ConformanceError(f"{what} was not refused with a CosearchError")


def violations_are_welcome(target: type[Strategy], options: Options) -> None:
    """It takes by how much limits are missed: none, some unknown, and more limits as they are met.

    They are left alone, and of a wrong shape they are refused.
    """
    task = problem("limits")
    strategy = _make(target, options, task)
    for round_ in range(6):
        rows = strategy.ask(8)
        _check_rows(rows, 8, task)
        losses, feasible, violations = task.answer(rows)
        known = violations[:, : round_ // 2].copy()
        strategy.tell(rows, losses, feasible, known)
        same = np.array_equal(known, violations[:, : round_ // 2], equal_nan=True)
        _require(same, "tell changed the violations")
    rows = strategy.ask(2)
    try:
        strategy.tell(rows, *task.judge(rows), np.zeros((len(rows) + 1, 2)))
    except CosearchError:
        return
    raise ConformanceError("violations of other rows were not refused with a CosearchError")


def several_objectives(target: type[Strategy], options: Options) -> None:
    """Two losses are searched where `multi_objective` says so, and refused where not."""
    task = TWO_OBJECTIVES
    strategy = _make(target, options, task)
    rows, _ = task.space.sample_feasible(8, np.random.default_rng(0))
    if strategy.multi_objective:
        strategy.tell(rows, *task.judge(rows))
        for asked in run(strategy, task, 6, batch=8):
            _check_rows(asked, 8, task)
        return
    try:
        strategy.tell(rows, *task.judge(rows))
    except CosearchError:
        return
    raise ConformanceError("two losses were neither declared nor refused")


CHECKS: tuple[Check, ...] = (
    options_are_declared,
    asks_are_well_formed,
    nothing_is_asked_twice,
    a_seed_gives_one_trace,
    another_process_agrees,
    global_randomness_is_left_alone,
    a_pickle_continues,
    strangers_are_welcome,
    batches_need_not_be_answered_in_order,
    a_blind_one_asks_alike_untold,
    told_arrays_are_left_alone,
    nonsense_is_refused,
    violations_are_welcome,
    several_objectives,
)


def check_strategy(target: type[Strategy], options: Options | None = None) -> None:
    """Run every check on a strategy class; raises ConformanceError at the first that fails.

    Args:
        target: an importable class (one of the checks imports it in another process).
        options: given to its constructor.
    """
    for check in CHECKS:
        check(target, options or {})


class StrategyConformance:
    """The checks as tests: subclass it in a pytest file and name the strategy.

    Attributes:
        strategy: the class, importable.
        strategy_options: given to its constructor.
    """

    strategy: ClassVar[type[Strategy]]
    strategy_options: ClassVar[Options] = {}


def _as_test(check: Check) -> Callable[[StrategyConformance], None]:
    def test(self: StrategyConformance) -> None:
        check(self.strategy, self.strategy_options)

    test.__name__ = f"test_{check.__name__}"
    test.__doc__ = check.__doc__
    return test


for _check in CHECKS:
    setattr(StrategyConformance, f"test_{_check.__name__}", _as_test(_check))
