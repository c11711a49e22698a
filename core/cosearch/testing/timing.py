"""How long a strategy thinks, as its history grows."""

from __future__ import annotations

import statistics
import time

import numpy as np
from attrs import frozen

from cosearch.search.strategy import Strategy
from cosearch.testing.problems import PROBLEMS, Problem
from cosearch.testing.trace import Options


@frozen
class AskTime:
    """The CPU time of proposing one design.

    Attributes:
        history: trials told before.
        ask_ms: median milliseconds of `ask(1)`.
        tell_ms: median milliseconds of `tell` of one trial.
        worst_ms: the slowest `ask(1)` but the first, which may have fitted hyperparameters.
        first_ms: the first, to which all trials are new.
    """

    history: int
    ask_ms: float
    tell_ms: float
    worst_ms: float
    first_ms: float


def ask_times(
    target: type[Strategy],
    options: Options,
    task: Problem = PROBLEMS[0],
    histories: tuple[int, ...] = (10, 100, 1000),
    repeats: int = 9,
    seed: int = 0,
) -> list[AskTime]:
    """Measure ask and tell after so many trials, each told from random rows of the problem.

    Times depend on the machine: report them, don't assert them.
    """
    measured = []
    for history in histories:
        rng = np.random.default_rng(seed)
        strategy = target(task.space, np.random.default_rng(seed), **options)
        rows, _ = task.space.sample_feasible(history, rng)
        strategy.tell(rows, *task.answer(rows))
        ask_ms, tell_ms = [], []
        for _ in range(repeats):
            started = time.process_time()
            asked = strategy.ask(1)
            ask_ms.append((time.process_time() - started) * 1e3)
            answer = task.answer(asked)
            started = time.process_time()
            strategy.tell(asked, *answer)
            tell_ms.append((time.process_time() - started) * 1e3)
        medians = statistics.median(ask_ms), statistics.median(tell_ms)
        measured.append(AskTime(history, *medians, max(ask_ms[1:], default=0.0), ask_ms[0]))
    return measured
