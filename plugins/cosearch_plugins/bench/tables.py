"""Complete tables of small spaces: what every design is worth, so that the optimum is known.

A table is made once, by pricing every design, and kept in a compressed file. Looking a design up
costs nothing, so a race between strategies measures the strategies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from attrs import asdict, field, frozen

from cosearch.errors import CosearchError
from cosearch.registry.registry import Registry
from cosearch.search.limits import Limits
from cosearch.search.objective import pareto_front
from cosearch.search.parameters import Space
from cosearch.study.codesign import plan
from cosearch.study.evaluation import evaluate
from cosearch.study.problem import Problem
from cosearch.trials.trial import State
from cosearch.typing import BoolArray, FloatArray, Rows

_PROBES = 8
"""Designs priced again when a table is read: costs may have changed since it was made."""

Progress = Callable[[int, int], None]
"""Called with the designs priced so far and their number."""


@frozen
class Task:
    """A problem small enough to try every design.

    Attributes:
        name: in tables and on the command line.
        hardware: a model's name with options.
        workload: a network's name, or one layer.
        fixed: parameters held, and their values, as text.
        objective: one name, or several joined by commas.
    """

    name: str
    hardware: str
    workload: str
    fixed: Mapping[str, str] = field(factory=dict)
    objective: str = "edp"

    @property
    def digest(self) -> str:
        """Of everything that decides the table."""
        facts = asdict(self)
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]

    def problem(self, registry: Registry) -> Problem:
        """Return the study's problem: mappings are chosen layer by layer, and proven best."""
        return plan(
            registry,
            self.workload,
            self.hardware,
            "random",
            objective=self.objective,
            fixed=self.fixed,
            combine="layers",
        )


@frozen(eq=False)
class Table:
    """What every design of a space is worth.

    Attributes:
        task: what it is a table of.
        space: to search; designs are found by `Space.rank`.
        losses: float64[size, m]; infinite where not feasible.
        violations: float64[size, k]: by how much each limit is missed, NaN where unknown.
    """

    task: Task
    space: Space
    losses: FloatArray
    violations: FloatArray

    @property
    def feasible(self) -> BoolArray:
        """bool[size]."""
        return np.asarray(np.isfinite(self.losses).all(axis=1))

    @cached_property
    def best(self) -> FloatArray:
        """float64[m]: the least of each loss."""
        return np.asarray(self.losses.min(axis=0))

    @cached_property
    def front(self) -> FloatArray:
        """float64[f, m]: the losses on the true Pareto front."""
        found = np.unique(self.losses[self.feasible], axis=0)
        return found[pareto_front(found)]

    @cached_property
    def known(self) -> int:
        """How many designs meet the known constraints."""
        return int(self.space.feasible(self.space.unrank(np.arange(self.space.size))).sum())

    def answer(self, rows: Rows) -> tuple[FloatArray, BoolArray, FloatArray]:
        """Return what a strategy is told of rows: losses, feasible, violations; all copies."""
        at = self.space.rank(rows)
        losses = self.losses[at]
        feasible = np.asarray(np.isfinite(losses).all(axis=1))
        return losses, feasible, self.violations[at]


def table_of(
    task: Task, registry: Registry, folder: Path, progress: Progress | None = None
) -> Table:
    """Return a task's table: from its file if a sample of that still holds, or made anew.

    Args:
        task: what to price.
        registry: knows the names.
        folder: where files of tables are kept; made if it does not exist.
        progress: told while a table is made.

    Raises:
        CosearchError: a design broke down; or no design can be built.
    """
    problem = task.problem(registry)
    file = folder / f"{task.name}-{task.digest}.npz"
    table = _read(file, task, problem)
    if table is None or not _holds(table, problem):
        table = make_table(task, problem, progress)
        folder.mkdir(parents=True, exist_ok=True)
        kept = {"losses": table.losses, "violations": table.violations.astype(np.float32)}
        np.savez_compressed(file, **kept)  # type: ignore[arg-type]
    return table


def make_table(task: Task, problem: Problem, progress: Progress | None = None) -> Table:
    """Price every design that meets the known constraints."""
    space, limits = problem.space, Limits()
    rows = space.unrank(np.arange(space.size))
    known = np.flatnonzero(space.feasible(rows))
    losses = np.full((len(rows), len(problem.objectives)), np.inf)
    missed: list[Mapping[str, float]] = []
    for done, i in enumerate(known, 1):
        outcome = evaluate(problem, space.decode(rows[i]))
        if outcome.state is State.FAILED:
            raise CosearchError(f"{task.name}: a design broke down: {outcome.reason}")
        if outcome.ok:
            losses[i] = outcome.losses
        missed.append(outcome.violations)
        if progress is not None:
            progress(done, len(known))
    found = limits.table(missed)
    violations = np.full((len(rows), found.shape[1]), np.nan)
    violations[known] = found
    if not np.isfinite(losses).any():
        raise CosearchError(f"{task.name}: no design can be built")
    return Table(task, space, losses, violations)


def _read(file: Path, task: Task, problem: Problem) -> Table | None:
    """Return the table in a file; None if there is none of this space."""
    if not file.exists():
        return None
    with np.load(file, allow_pickle=False) as kept:
        losses = kept["losses"]
        violations = kept["violations"].astype(np.float64)
    shape = (problem.space.size, len(problem.objectives))
    return Table(task, problem.space, losses, violations) if losses.shape == shape else None


def _holds(table: Table, problem: Problem) -> bool:
    """Return whether a few designs, priced again, are worth what the table says."""
    rng = np.random.default_rng(0)
    good = np.flatnonzero(table.feasible)
    probes = [int(table.losses[:, 0].argmin()), *rng.choice(good, size=_PROBES // 2).tolist()]
    others, _ = table.space.sample_feasible(_PROBES // 2, rng)
    rows = np.concatenate([table.space.unrank(np.array(probes, dtype=np.int64)), others])
    for row, expected in zip(rows, table.answer(rows)[0], strict=True):
        outcome = evaluate(problem, problem.space.decode(row))
        found = outcome.losses if outcome.ok else (np.inf,) * len(expected)
        if not np.allclose(found, expected, rtol=1e-9, atol=0.0):
            return False
    return True
