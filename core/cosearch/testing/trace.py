"""What a strategy asks for, in this process or in another one.

`python -m cosearch.testing.trace` reads one JSON request from its standard input.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping

import numpy as np

from cosearch.search.strategy import Strategy
from cosearch.testing.problems import Problem, problem
from cosearch.typing import Rows, Value

Options = Mapping[str, Value]


def run(strategy: Strategy, task: Problem, rounds: int, batch: int) -> list[Rows]:
    """Ask, judge and tell `rounds` times; return what was asked, int64[m, d] a round."""
    asked: list[Rows] = []
    for _ in range(rounds):
        rows = strategy.ask(batch)
        asked.append(rows.copy())
        strategy.tell(rows, *task.answer(rows))
    return asked


def trace(target: type[Strategy], options: Options, task: Problem, seed: int) -> list[list[int]]:
    """Return the rows a new strategy asks for on a problem, in batches of 6."""
    strategy = target(task.space, np.random.default_rng(seed), **options)
    return [row for rows in run(strategy, task, task.rounds, batch=6) for row in rows.tolist()]


def trace_elsewhere(
    target: type[Strategy], options: Options, names: list[str], seed: int
) -> list[list[list[int]]]:
    """Return the traces on the named problems, made in another process with another hash seed."""
    request = {
        "target": f"{target.__module__}:{target.__qualname__}",
        "options": dict(options),
        "problems": names,
        "seed": seed,
    }
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "cosearch.testing.trace"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the other process failed:\n{done.stderr}")
    traces: list[list[list[int]]] = json.loads(done.stdout.splitlines()[-1])
    return traces


def _main() -> None:
    request = json.load(sys.stdin)
    module, _, name = request["target"].partition(":")
    target = getattr(importlib.import_module(module), name)
    traces = [
        trace(target, request["options"], problem(name), request["seed"])
        for name in request["problems"]
    ]
    sys.stdout.write(json.dumps(traces) + "\n")


if __name__ == "__main__":
    _main()
