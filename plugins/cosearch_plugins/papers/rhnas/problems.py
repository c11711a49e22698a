"""Problems of a reading as tables: asking them costs nothing, and the best is known."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from attrs import evolve, frozen

from cosearch.registry.registry import Registry
from cosearch.search.parameters import ParameterSpace
from cosearch.study.building import MACHINE, NETWORK, grouped
from cosearch.study.problem import Problem
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows
from cosearch_plugins.landscape.classes import Classes
from cosearch_plugins.landscape.table import JointTable, joint_table
from cosearch_plugins.papers.rhnas.readings import NETWORKS, Reading, problem_of
from cosearch_plugins.schemes.rhnas.networks import GumbelSearch
from cosearch_plugins.schemes.rhnas.scheme import NetworkTable

PROBES = 6
"""Pairs that are built and mapped again when a table is read from a file."""


def tables_of(
    registry: Registry,
    reading: Reading,
    objectives: Sequence[str],
    folder: Path,
    note: Callable[[str], None],
    networks: str = NETWORKS,
    *,
    trusted: bool = False,
) -> dict[str, JointTable]:
    """Return a reading's joint table for each objective; what is simulated is shared by all.

    Args:
        registry: knows the names.
        reading: which machines.
        objectives: by name.
        folder: where tables are kept; one is used again where a few of its pairs still hold.
        note: told what takes long.
        networks: the space of networks, with its options.
        trusted: whether a table in the folder was looked at just before.
    """
    area = _default_area(registry, reading, objectives[0])
    problems = [problem_of(registry, reading, name, area, networks) for name in objectives]
    family = problems[0].hardware
    return {
        name: _table_of(evolve(problem, hardware=family), reading, folder, note, trusted=trusted)
        for name, problem in zip(objectives, problems, strict=True)
    }


def _table_of(
    problem: Problem,
    reading: Reading,
    folder: Path,
    note: Callable[[str], None],
    *,
    trusted: bool,
) -> JointTable:
    objective = problem.objectives[0].name
    classes = Classes.of(problem.networks, problem.hardware) if problem.networks else None
    spec = evolve(problem.spec, workload=NETWORKS)  # costs do not hang on whose accuracies they are
    facts = repr((spec.to_json(), classes and [layer.key for layer in classes.layers]))
    file = folder / f"rhnas-{hashlib.sha256(facts.encode()).hexdigest()[:12]}.npz"
    if file.exists() and classes is not None:
        with np.load(file, allow_pickle=False) as kept:
            known = JointTable(problem, classes, int(kept["points"]), *(
                kept[name] for name in ("rows", "area", "energy", "cycles")
            ))  # fmt: skip
        if trusted or _holds(known):
            return known
    note(f"pricing every machine of {reading.name} for {objective}")
    table = joint_table(problem)
    keep(
        file, points=np.array(table.points), rows=table.rows, area=table.area_mm2,
        energy=table.energy_pj, cycles=table.cycles,
    )  # fmt: skip
    return table


def keep(file: Path, **arrays: Any) -> None:  # noqa: ANN401 - as numpy takes them
    """Write arrays into a file, which is there whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("wb") as out:
            np.savez_compressed(out, **arrays)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _default_area(registry: Registry, reading: Reading, objective: str) -> float:
    if not reading.area:
        return 0.0
    problem = problem_of(registry, reading, objective)
    return float(problem.machine(problem.baseline).area_mm2)


def _holds(table: JointTable) -> bool:
    from cosearch_plugins.landscape.table import differences

    return not any(differences(table, PROBES))


def limited(table: JointTable, reading: Reading) -> JointTable:
    """Return a table with the machines that a reading's area and port allow."""
    allowed = np.ones(table.machines, dtype=bool)
    if reading.area:
        problem = table.problem
        default = float(problem.machine(problem.baseline).area_mm2)
        allowed &= table.area_mm2 <= reading.area * default * (1 + 1e-9)
    if reading.bus:
        at = list(table.problem.hardware.space.names).index("bus_bytes")
        choices = np.array(table.problem.hardware.space.parameters[at].choices)
        allowed &= choices[table.rows[:, at]] <= reading.bus
    kept = np.flatnonzero(allowed)
    return evolve(
        table, rows=table.rows[kept], area_mm2=table.area_mm2[kept],
        energy_pj=table.energy_pj[kept], cycles=table.cycles[kept],
    )  # fmt: skip


@frozen(eq=False)
class Tabulated:
    """A reading with a floor, whose every pair of a network and a machine is known.

    Attributes:
        name: for people.
        table: of the reading.
        floor: least accuracy, per cent.
    """

    name: str
    table: JointTable
    floor: float

    @cached_property
    def networks(self) -> ParameterSpace:
        """The space of networks."""
        if self.table.problem.networks is None:
            raise TypeError("a joint table is of a space of networks")
        return self.table.problem.networks.space

    @cached_property
    def machines(self) -> ParameterSpace:
        """The space of machines, no rule known, what is fixed left out."""
        space, fixed = self.table.problem.hardware.space, self.table.problem.spec.fixed
        return ParameterSpace(tuple(p for p in space.parameters if p.name not in fixed))

    @cached_property
    def both(self) -> ParameterSpace:
        """Networks and machines."""
        return grouped(self.networks, NETWORK).beside(grouped(self.machines, MACHINE))

    @cached_property
    def _numbers(self) -> IntArray:
        """int64[size]: of each machine by rank, its number in the table; -1 if not buildable."""
        fixed = self.table.problem.spec.fixed
        names = self.table.problem.hardware.space.names
        free = [j for j, name in enumerate(names) if name not in fixed]
        numbers = np.full(self.machines.size, -1, dtype=np.int64)
        numbers[self.machines.rank(self.table.rows[:, free])] = np.arange(len(self.table.rows))
        return numbers

    @cached_property
    def _network_counts(self) -> tuple[FloatArray, FloatArray]:
        """float64[size, l], float64[size]: layers of every network by rank, and its accuracy."""
        networks = self.table.problem.networks
        if networks is None:
            raise TypeError("a joint table is of a space of networks")
        rows = self.networks.unrank(np.arange(self.networks.size))
        layers, counts = networks.counts(rows)
        at = [layers.index(layer) for layer in self.table.classes.layers]
        return counts[:, at].astype(np.float64), networks.accuracy(rows)

    @property
    def network_counts(self) -> FloatArray:
        """float64[size, l]: how often every network by rank runs each layer."""
        return self._network_counts[0]

    @property
    def accuracy(self) -> FloatArray:
        """float64[size]: of every network by rank."""
        return self._network_counts[1]

    def costs(self, machine: Rows) -> tuple[FloatArray, FloatArray] | None:
        """Return energy and cycles of the layers, float64[l], on a machine, int64[d]; or None."""
        number = int(self._numbers[int(self.machines.rank(machine[None, :])[0])])
        if number < 0:
            return None
        return self.table.energy_pj[number], self.table.cycles[number]

    def losses(self, networks: Rows, machines: Rows) -> FloatArray:
        """Return the loss of pairs, float64[n]; infinite where not buildable or not run."""
        numbers = self._numbers[self.machines.rank(machines)]
        counts = self._network_counts[0][self.networks.rank(networks)]
        at = np.maximum(numbers, 0)
        runs = counts > 0
        energy, cycles = (
            np.where(runs, costs[at], 0.0) * counts
            for costs in (self.table.energy_pj, self.table.cycles)
        )
        metrics = {"energy_pj": energy.sum(axis=1), "cycles": cycles.sum(axis=1)}
        losses = np.asarray(self.table.problem.objectives[0].of(metrics), dtype=np.float64)
        return np.where((numbers >= 0) & np.isfinite(metrics["cycles"]), losses, np.inf)

    def answer(self, rows: Rows) -> tuple[FloatArray, BoolArray, BoolArray]:
        """Return losses of pairs, float64[n, 1], whether they count, and whether they are built."""
        d = len(self.networks.names)
        losses = self.losses(rows[:, :d], rows[:, d:])
        accurate = self.accuracy[self.networks.rank(rows[:, :d])] >= self.floor
        built = self._numbers[self.machines.rank(rows[:, d:])] >= 0
        return losses[:, None], np.isfinite(losses) & accurate, built

    def of_machines(self, network: Rows) -> FloatArray:
        """Return the loss of one network on every machine by rank, float64[size]."""
        losses = np.full(self.machines.size, np.inf)
        known = np.flatnonzero(self._numbers >= 0)
        rows = self.machines.unrank(known)
        losses[known] = self.losses(np.repeat(network[None, :], len(rows), axis=0), rows)
        return losses

    def alone(self, network: Rows, machines: Rows) -> FloatArray:
        """Return the loss of one network, int64[d], on machines, float64[n]."""
        return self.losses(np.repeat(network[None, :], len(machines), axis=0), machines)

    def inside(self, machines: Rows) -> FloatArray:
        """Return what machines are worth with their best networks, float64[n]."""
        return self.best_of_machines[self.machines.rank(machines)]

    def accurate(self, network: Rows) -> bool:
        """Return whether a network, int64[d], is above the floor."""
        return bool(self.accuracy[int(self.networks.rank(network[None, :])[0])] >= self.floor)

    @cached_property
    def _of_networks(self) -> NetworkTable:
        networks = self.table.problem.networks
        if networks is None:
            raise TypeError("a joint table is of a space of networks")
        lack = np.maximum(self.floor - self.accuracy, 0.0)
        counts = self.network_counts.astype(np.int64)
        return NetworkTable(networks, self.table.classes.layers, counts, lack)

    def relaxed(self, rng: np.random.Generator) -> GumbelSearch:
        """Return the differentiable search of the network."""
        return GumbelSearch(self.networks, rng, enough=self._of_networks.lack <= 0)

    def costs_on(self, machine: Rows) -> FloatArray | None:
        """Return the loss of every network on a machine, float64[size]; None if not buildable."""
        costs = self.costs(machine)
        if costs is None:
            return None
        return self._of_networks.losses(*costs, self.table.problem.objectives[0], 1.0)

    def describe(self, network: Rows) -> FloatArray:
        """Return each layer's share of a network's work, float64[l]."""
        return self._of_networks.describe(network)

    @cached_property
    def machine_optimum(self) -> float:
        """The least loss of the baseline's network."""
        return float(self.of_machines(self.baseline[0]).min())

    @cached_property
    def best_of_machines(self) -> FloatArray:
        """float64[size]: of every machine by rank, with its best network that is accurate."""
        classes = self.table.classes
        allowed = classes.only(np.flatnonzero(classes.accuracy >= self.floor))
        losses = np.full(self.machines.size, np.inf)
        known = np.flatnonzero(self._numbers >= 0)
        for first in range(0, len(known), 4096):
            some = known[first : first + 4096]
            losses[some] = self.table.losses(self._numbers[some], allowed).min(axis=1)
        return losses

    @cached_property
    def optimum(self) -> float:
        """The least loss of all pairs."""
        return float(self.best_of_machines.min())

    @cached_property
    def baseline(self) -> tuple[Rows, Rows]:
        """The baseline's network and machine, int64[d] each."""
        problem = self.table.problem
        networks = problem.networks
        if networks is None:
            raise TypeError("a joint table is of a space of networks")
        machine = {k: v for k, v in problem.baseline.items() if k in self.machines.names}
        return self.networks.index(networks.baseline), self.machines.index(machine)
