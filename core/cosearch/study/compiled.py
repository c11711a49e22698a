"""Compiling before a clock starts: a limit of time is for the search alone."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from cosearch.study.problem import Problem


def compile_first(problem: Problem) -> None:
    """Compile or load, here, what mapping and pricing the baseline's layers takes.

    Workers then find it compiled. Where a plugin fails, the search will say so.
    """
    with suppress(Exception):
        problem = problem.for_design(problem.baseline)
        machine = problem.machine(problem.baseline)
        for layer in problem.network.unique:
            problem.mapper.ready(machine, layer.einsum)
        first = problem.network.unique[0].einsum
        space = machine.mapspace(first)
        machine.screen(first, np.zeros((1, len(space.cardinalities)), dtype=np.int64))
