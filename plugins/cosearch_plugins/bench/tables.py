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
from typing import TypeAlias

import numpy as np
from attrs import asdict, field, frozen

from cosearch.errors import CosearchError
from cosearch.registry.registry import Registry
from cosearch.search.limits import Limits
from cosearch.search.objective import pareto_front
from cosearch.search.parameters import Space
from cosearch.search.pruning import Floor, Floors
from cosearch.study.codesign import plan
from cosearch.study.evaluation import evaluate
from cosearch.study.problem import Problem
from cosearch.study.pruning import floor_of
from cosearch.trials.trial import State
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch.workload.einsum import Einsum
from cosearch.workload.source import resolve
from cosearch_plugins.bench.mapspaces import five_levels, priced_mappings

PROBES = 8
"""Designs priced again to see whether a table still holds: costs may have changed since."""

SHIPPED = Path(__file__).parent / "data"
"""Tables that come with the package, made by `cosearch bench-optimizers --tables`."""

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

    def space(self, registry: Registry) -> Space:
        """Return the machines."""
        return self.problem(registry).space

    def make(self, registry: Registry, progress: Progress | None = None) -> Table:
        """Price every machine."""
        return make_table(self, self.problem(registry), progress)

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


@frozen
class MappingTask:
    """All mappings of one layer on the machine of five levels.

    Attributes:
        name: in tables and on the command line.
        workload: one layer.
        hardware: of what machine, in words.
        objective: always EDP.
    """

    name: str
    workload: str
    hardware: str = "five levels of memory"
    objective: str = "edp"

    @property
    def digest(self) -> str:
        """Of everything that decides the table."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def space(self, registry: Registry) -> Space:
        """Return the mapspace."""
        return five_levels().mapspace(self._layer(registry))

    def make(self, registry: Registry, progress: Progress | None = None) -> Table:  # noqa: ARG002
        """Price every mapping."""
        machine, layer = five_levels(), self._layer(registry)
        space = machine.mapspace(layer)
        losses, violations = priced_mappings(machine, layer, space)
        return Table(self, space, losses, violations, np.zeros((space.size, 0)))

    def _layer(self, registry: Registry) -> Einsum:
        return resolve(self.workload, registry).layers[0].einsum


AnyTask: TypeAlias = Task | MappingTask


class TableFloors(Floors):
    """Floors that a table has."""

    def __init__(self, table: Table, *, by_losses: bool = True) -> None:
        super().__init__(by_losses=by_losses)
        self.table = table

    def _find(self, row: Rows) -> Floor:
        floor = self.table.floors[self.table.space.rank(row[None, :])[0]]
        impossible = bool(np.isinf(floor).all())
        return Floor(reason="impossible") if impossible else Floor(tuple(floor.tolist()))


@frozen(eq=False)
class Table:
    """What every design of a space is worth.

    Attributes:
        task: what it is a table of.
        space: to search; designs are found by `Space.rank`.
        losses: float64[size, m]; infinite where not feasible.
        violations: float64[size, k]: by how much each limit is missed, NaN where unknown.
        floors: float64[size, m]: what losses cannot undercut, infinite where building alone says
            that a design is impossible; no columns where there are no floors.
    """

    task: AnyTask
    space: Space
    losses: FloatArray
    violations: FloatArray
    floors: FloatArray

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
    def digest(self) -> str:
        """Of what every design is worth."""
        told = self.losses.tobytes() + self.violations.tobytes() + self.floors.tobytes()
        return hashlib.sha256(told).hexdigest()[:12]

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


def floors_of(table: Table, pruned: str) -> TableFloors | None:
    """Return the floors of a table for one race: all, what `+build` needs, or none."""
    if not pruned or table.floors.shape[1] == 0:
        return None
    return TableFloors(table, by_losses=pruned == "+prune")


def file_of(task: AnyTask, folder: Path | None = None) -> Path:
    """Return where a task's table is kept, in a folder or as shipped."""
    return (folder or SHIPPED) / f"{task.name}-{task.digest}.npz"


def table_of(
    task: AnyTask, registry: Registry, folder: Path | None = None, progress: Progress | None = None
) -> Table:
    """Return a task's table: as shipped, or from a folder where it is made if it is not there.

    Args:
        task: what to price.
        registry: knows the names.
        folder: where files of tables are kept; made if it does not exist. None: as shipped.
        progress: told while a table is made.

    Raises:
        CosearchError: a design broke down; or no design can be built; or no table is shipped.
    """
    file = file_of(task, folder)
    if not file.exists():
        if folder is None:
            raise CosearchError(f"no table of {task.name!r} is shipped", "make it: --tables DIR")
        table = task.make(registry, progress)
        folder.mkdir(parents=True, exist_ok=True)
        _write(file, table)
    return _read(file, task, task.space(registry))


def _write(file: Path, table: Table) -> None:
    """Keep a table; violations to seven digits, floors rounded down to as many."""
    floors = table.floors.astype(np.float32)
    above = np.isfinite(floors) & (floors.astype(np.float64) > table.floors)
    floors[above] = np.nextafter(floors[above], np.float32(-np.inf))
    np.savez_compressed(
        file,
        losses=table.losses,
        violations=table.violations.astype(np.float32),
        floors=floors,
    )


def _read(file: Path, task: AnyTask, space: Space) -> Table:
    with np.load(file, allow_pickle=False) as kept:
        losses = kept["losses"]
        violations, floors = (kept[name].astype(np.float64) for name in ("violations", "floors"))
    if len(losses) != space.size:
        raise CosearchError(f"{file} is the table of another space", "make it anew: --tables DIR")
    return Table(task, space, losses, violations, floors)


def make_table(task: Task, problem: Problem, progress: Progress | None = None) -> Table:
    """Price every design that meets the known constraints."""
    space, limits = problem.space, Limits()
    rows = space.unrank(np.arange(space.size))
    known = np.flatnonzero(space.feasible(rows))
    losses = np.full((len(rows), len(problem.objectives)), np.inf)
    floors = np.full(losses.shape, np.inf)
    missed: list[Mapping[str, float]] = []
    for done, i in enumerate(known, 1):
        configuration = space.decode(rows[i])
        outcome = evaluate(problem, configuration)
        if outcome.state is State.FAILED:
            raise CosearchError(f"{task.name}: a design broke down: {outcome.reason}")
        if outcome.ok:
            losses[i] = outcome.losses
        if outcome.accelerator:
            floors[i] = floor_of(problem, configuration).losses or np.inf
        missed.append(outcome.violations)
        if progress is not None:
            progress(done, len(known))
    found = limits.table(missed)
    violations = np.full((len(rows), found.shape[1]), np.nan)
    violations[known] = found
    if not np.isfinite(losses).any():
        raise CosearchError(f"{task.name}: no design can be built")
    return Table(task, space, losses, violations, floors)


def disagreements(table: Table, registry: Registry, probes: int = PROBES) -> list[str]:
    """Return what a few designs, priced again, are worth other than a table says.

    Args:
        table: of a task.
        registry: knows the names.
        probes: designs, the best one and others drawn at random, from which as many are feasible.
    """
    if not isinstance(table.task, Task):
        return []
    problem, rng = table.task.problem(registry), np.random.default_rng(0)
    good = np.flatnonzero(table.feasible)
    some = [int(table.losses[:, 0].argmin()), *rng.choice(good, size=probes // 2).tolist()]
    others, _ = table.space.sample_feasible(probes // 2, rng)
    rows = np.concatenate([table.space.unrank(np.array(some, dtype=np.int64)), others])
    wrong = []
    for row, expected in zip(rows, table.answer(rows)[0], strict=True):
        configuration = problem.space.decode(row)
        outcome = evaluate(problem, configuration)
        found = outcome.losses if outcome.ok else (np.inf,) * len(expected)
        if not np.allclose(found, expected, rtol=1e-9, atol=0.0):
            wrong.append(f"{table.task.name}: {configuration} is worth {found}, not {expected}")
    return wrong
