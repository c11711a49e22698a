"""The joint table: what every network of a space costs on every machine of a family.

Machines are priced layer by layer, all at once where a hardware model can
(`HardwareModel.price_many`), one by one with the study's mapper where it cannot; the rest is sums.
Each layer is mapped for itself (`--combine layers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError, Infeasible
from cosearch.machine.building import build
from cosearch.machine.hardware import ManyMachines
from cosearch.mapping.layer import search_layer
from cosearch.mapping.result import LayerResult
from cosearch.quantities import added
from cosearch.search.objective import Constraint
from cosearch.search.seeds import stream
from cosearch.study.evaluation import evaluate
from cosearch.study.problem import Problem
from cosearch.typing import BoolArray, FloatArray, Rows, Value
from cosearch.workload.network import Layer
from cosearch_plugins.landscape.classes import Classes

LIMIT = 5_000_000
"""Points of the largest space of machines that is enumerated."""

AT_ONCE = 4_096
"""Machines whose networks are added up at once."""

Progress = Callable[[int, int], None]
"""Called with the machines priced so far and their number."""


@frozen(eq=False)
class Optimum:
    """The best pair of a machine and a network.

    Attributes:
        loss: of the pair.
        machine: its number in the table.
        network: the number of its class.
    """

    loss: float
    machine: int
    network: int


@frozen(eq=False)
class JointTable:
    """Machines that can be built, classes of networks, and what every pair costs.

    Attributes:
        problem: what is searched.
        classes: of networks.
        points: of the space of machines, whether they can be built or not.
        rows: int64[n, d]: the machines that can be built.
        area_mm2: float64[n].
        energy_pj, cycles: float64[n, l]: of each layer at its best mapping; infinite where it
            cannot be run.
    """

    problem: Problem
    classes: Classes
    points: int
    rows: Rows
    area_mm2: FloatArray
    energy_pj: FloatArray
    cycles: FloatArray

    @property
    def machines(self) -> int:
        """How many can be built."""
        return len(self.rows)

    @property
    def run_all(self) -> int:
        """How many machines run every layer of the space."""
        return int(np.isfinite(self.cycles).all(axis=1).sum())

    def losses(self, machines: slice | np.ndarray, classes: Classes) -> FloatArray:
        """Return the objective of some machines with some classes, float64[m, k].

        Limits on anything but the accuracy count: a pair that misses one is infinite.
        """
        energy = classes.sums(self.energy_pj[machines])
        cycles = classes.sums(self.cycles[machines])
        area = np.broadcast_to(self.area_mm2[machines][:, None], cycles.shape)
        accuracy = np.broadcast_to(classes.accuracy[None, :], cycles.shape)
        metrics = {
            "energy_pj": energy,
            "cycles": cycles,
            "area_mm2": area,
            "accuracy": accuracy,
        }
        with np.errstate(invalid="ignore"):
            losses = np.array(self.problem.objectives[0].of(metrics), dtype=np.float64)
            for limit in self.problem.constraints:
                losses[~self._met(limit, metrics)] = np.inf
        return np.where(np.isfinite(cycles), losses, np.inf)

    def _met(self, limit: Constraint, metrics: dict[str, FloatArray]) -> BoolArray:
        value = metrics.get(limit.name)
        value = self.problem.known[limit.name].of(metrics) if value is None else value
        return np.asarray(limit.excess(np.asarray(value)) <= 0)

    def best(self, classes: Classes | None = None) -> Optimum | None:
        """Return the best pair; None where no pair is within the limits.

        Args:
            classes: of networks to choose from; all if left out.
        """
        classes = self.classes if classes is None else classes
        found: Optimum | None = None
        for first in range(0, self.machines, AT_ONCE):
            losses = self.losses(slice(first, first + AT_ONCE), classes)
            if losses.size == 0:
                continue
            m, k = np.unravel_index(int(losses.argmin()), losses.shape)
            loss = float(losses[m, k])
            if np.isfinite(loss) and (found is None or loss < found.loss):
                found = Optimum(loss, first + int(m), int(k))
        return found

    def best_of_each(self) -> FloatArray:
        """Return the least loss of each class over all machines, float64[k]."""
        least = np.full(len(self.classes), np.inf)
        for first in range(0, self.machines, AT_ONCE):
            losses = self.losses(slice(first, first + AT_ONCE), self.classes)
            least = np.minimum(least, losses.min(axis=0, initial=np.inf))
        return least

    def number(self, configuration: dict[str, Value]) -> int | None:
        """Return the number of a machine; None where it cannot be built or is not in the space."""
        space = self.problem.hardware.space
        try:
            row = space.index({k: v for k, v in configuration.items() if k in space.names})
        except (CosearchError, ValueError):
            return None
        at = np.flatnonzero((self.rows == row).all(axis=1))
        return int(at[0]) if len(at) else None

    def configuration(self, found: Optimum, classes: Classes | None = None) -> dict[str, Value]:
        """Return the design of a pair."""
        classes = self.classes if classes is None else classes
        networks = self.problem.networks
        if networks is None:
            raise TypeError("a joint table is of a space of networks")
        machine = self.problem.hardware.space.decode(self.rows[found.machine])
        return {**networks.space.decode(classes.rows[found.network]), **machine}


def joint_table(problem: Problem, progress: Progress | None = None) -> JointTable:
    """Return the joint table of a study's space of networks and machines.

    Args:
        problem: with a space of networks and one objective.
        progress: told while machines are priced one by one.

    Raises:
        CosearchError: a space is too large; or there is no space of networks.
    """
    if problem.networks is None:
        raise CosearchError(
            f"{problem.spec.workload!r} is one network, not a space of them",
            "see: cosearch list network-spaces",
        )
    rows = machines_of(problem)
    classes = Classes.of(problem.networks, problem.hardware)
    found = problem.hardware.price_many(rows, classes.layers, problem.mapper_objective)
    if found is None:
        found = _one_by_one(problem, rows, classes, progress)
    at = np.flatnonzero(found.built)
    return JointTable(
        problem, classes, len(rows), rows[at], found.area_mm2[at], found.energy_pj[at],
        found.cycles[at],
    )  # fmt: skip


def machines_of(problem: Problem) -> Rows:
    """Return every point of the space of machines, int64[n, d], the fixed parameters held.

    Raises:
        CosearchError: there are too many.
    """
    space, fixed = problem.hardware.space, problem.spec.fixed
    free = [
        [p.choices.index(fixed[p.name])] if p.name in fixed else list(range(len(p.choices)))
        for p in space.parameters
    ]
    size = int(np.prod([float(len(choices)) for choices in free]))
    if size > LIMIT:
        raise CosearchError(
            f"{problem.hardware.name!r} has {size:,} machines, more than are priced ({LIMIT:,})",
            "fix some of its parameters with --set name=value",
        )
    grid = np.stack(np.meshgrid(*free, indexing="ij"), axis=-1).reshape(-1, len(free))
    return grid[space.feasible(grid)].astype(np.int64)


def _one_by_one(
    problem: Problem, rows: Rows, classes: Classes, progress: Progress | None
) -> ManyMachines:
    """Price machines with the study's mapper."""
    n, shape = len(rows), (len(rows), len(classes.layers))
    built, area = np.zeros(n, dtype=bool), np.full(n, np.nan)
    energy, cycles = np.full(shape, np.inf), np.full(shape, np.inf)
    for i, row in enumerate(rows):
        try:
            machine = build(problem.hardware, problem.hardware.space.decode(row))
        except Infeasible:
            continue
        built[i], area[i] = True, machine.area_mm2
        for j, einsum in enumerate(classes.layers):
            found = search_layer(problem.task, machine, Layer(einsum))
            if isinstance(found, LayerResult):
                energy[i, j], cycles[i, j] = found.energy_pj, found.cycles
        if progress is not None:
            progress(i + 1, n)
    return ManyMachines(built, area, energy, cycles)


@frozen
class Difference:
    """A pair that the table and the mapper do not agree on.

    Attributes:
        configuration: of the pair.
        table, mapped: its loss.
    """

    configuration: dict[str, Value]
    table: float
    mapped: float


def differences(table: JointTable, pairs: int, seed: int = 0) -> Iterator[Difference | None]:
    """Yield, for each pair of a sample, how the table differs from building and mapping it.

    None where they are equal to 1e-9. Limits do not count.

    Args:
        table: to be checked.
        pairs: how many.
        seed: of the sample.
    """
    rng = stream(seed, "joint table")
    problem, networks = table.problem, table.problem.networks
    if networks is None or table.machines == 0:
        return
    free = _without_limits(problem)
    machines = rng.integers(0, table.machines, size=pairs)
    drawn = networks.space.sample(pairs, rng)
    layers, counts = networks.counts(drawn)
    place = {einsum: j for j, einsum in enumerate(table.classes.layers)}
    for i in range(pairs):
        costs = [
            (count, place[einsum])
            for einsum, count in zip(layers, counts[i].tolist(), strict=True)
            if count and einsum in place
        ]
        m = machines[i]
        energy = added(n * table.energy_pj[m, j] for n, j in costs)
        cycles = added(n * table.cycles[m, j] for n, j in costs)
        machine = problem.hardware.space.decode(table.rows[m])
        pair = {**networks.space.decode(drawn[i]), **machine}
        told = _loss(free, energy, cycles, float(table.area_mm2[m]))
        outcome = evaluate(free, pair)
        mapped = outcome.losses[0] if outcome.ok else np.inf
        same = told == mapped or abs(told - mapped) <= 1e-9 * abs(mapped)
        yield None if same else Difference(pair, told, mapped)


def _without_limits(problem: Problem) -> Problem:
    from attrs import evolve

    spec = evolve(problem.spec, combine="layers", constraints=())
    return evolve(problem, spec=spec, constraints=())


def _loss(problem: Problem, energy: float, cycles: float, area: float) -> float:
    metrics = {"energy_pj": energy, "cycles": cycles, "area_mm2": area}
    if not np.isfinite(cycles):
        return float("inf")
    columns = {name: np.array([value]) for name, value in metrics.items()}
    return float(np.asarray(problem.objectives[0].of(columns)).reshape(-1)[0])
