"""The ImageNet reading: once-for-all's networks on machines that the intel stack's script lists.

The networks are 2.2e19, so there is no table of them. Every layer that any of them runs is mapped
on every machine; the best network above a floor is then a knapsack for each machine
(`cosearch_plugins.landscape.cheapest`), and so the best pair is known up to the knapsack's gap.
Machines: those of the design-space script of the stack by authors of the paper (log2 of block in
and out, and data memories of 2^15 to 2^18 bytes), batch 1, with its product of the core asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from attrs import evolve, frozen

from cosearch.machine.hardware import ManyMachines
from cosearch.registry.registry import Registry
from cosearch.search.parameters import ParameterSpace
from cosearch.search.seeds import stream
from cosearch.study.building import MACHINE, NETWORK, grouped
from cosearch.study.codesign import plan
from cosearch.study.problem import Problem
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.landscape.cheapest import Cheapest, cheapest_network
from cosearch_plugins.landscape.separable import Separable
from cosearch_plugins.landscape.table import machines_of
from cosearch_plugins.papers.rhnas.problems import PROBES, keep
from cosearch_plugins.schemes.rhnas.parts import LayerCosts, PartsSearch

NETWORKS = "ofa-mobilenetv3"
HARDWARE = "vta:stack=intel,rules=hidden,device=pynq"
FIXED = {
    "gemm": "pipelined", "batch": 0, "uop": 15, "uop_width": 5,
    "inp_restrict": 0, "wgt_restrict": 0, "acc_restrict": 0,
}  # fmt: skip
MEMORIES = range(15, 19)
"""Log2 of the bytes of each data memory, in the script."""

FREE = ("block_in", "block_out", "inp", "wgt", "acc", "bus_bytes")

PROBED_LAYERS = 12
"""Layers that are mapped again on a few machines when a table is read from a file."""

FLOORS_BELOW = (0.0, 1.0, 2.0)
"""Points of predicted accuracy below the default network's."""


@frozen
class ImageReading:
    """A set of machines of a Zynq-7020 with a default, for ImageNet.

    Attributes:
        name: for people.
        macs: log2 of the core's products.
        bus: widest memory port, bytes; 0 is any.
    """

    name: str
    macs: int
    bus: int = 0

    @property
    def about(self) -> str:
        """Return what is allowed and what the default is, in words."""
        wide = f", a port of at most {self.bus} bytes" if self.bus else ""
        return (
            f"batch 1; the default VTA with a port of 8 bytes; {2**self.macs:,} products a cycle, "
            f"data memories of 32 to 256 KB; a Zynq-7020's resources{wide}"
        )


IMAGE_READINGS = (
    ImageReading("pynq, 256 MACs, port <= 8 bytes", 8, bus=8),
    ImageReading("pynq, 256 MACs", 8),
)


@frozen(eq=False)
class ImageTable:
    """Every machine of a reading with what every layer costs on it.

    Attributes:
        problem: the study.
        space: of networks, as sums of parts.
        rows: int64[m, d], of the hardware's space: the machines that can be built.
        area_mm2: float64[m].
        energy_pj, cycles: float64[m, l]; 0 for what the machine leaves out.
    """

    problem: Problem
    space: Separable
    rows: Rows
    area_mm2: FloatArray
    energy_pj: FloatArray
    cycles: FloatArray

    def only(self, kept: BoolArray) -> ImageTable:
        """Return the table of some of the machines."""
        return evolve(
            self, rows=self.rows[kept], area_mm2=self.area_mm2[kept],
            energy_pj=self.energy_pj[kept], cycles=self.cycles[kept],
        )  # fmt: skip

    @property
    def powers(self) -> tuple[float, float]:
        """Of energy and cycles in the objective."""
        found = self.problem.objectives[0].powers
        if found is None:
            raise TypeError("the objective is no product of energy and cycles")
        return found

    def network_on(self, machine: int, floor: float) -> Cheapest | None:
        """Return the best network above a floor on a machine."""
        costs = self.energy_pj[machine], self.cycles[machine]
        return cheapest_network(self.space, *costs, self.powers, floor)

    def losses_of(self, network: Rows) -> FloatArray:
        """Return the loss of a network, int64[d], on every machine, float64[m]."""
        counts = self.space.counts_of(network).astype(np.float64)
        return self.value(self.energy_pj @ counts, self.cycles @ counts)

    def value(self, energy: FloatArray, cycles: FloatArray) -> FloatArray:
        """Return losses of energies and cycles."""
        return np.asarray(energy ** self.powers[0] * cycles ** self.powers[1])

    @cached_property
    def default(self) -> tuple[int, Rows]:
        """The number of the default machine, and the default network."""
        space = self.problem.hardware.space
        row = space.index({k: v for k, v in self.problem.baseline.items() if k in space.names})
        at = np.flatnonzero((self.rows == row).all(axis=1))
        networks = self.space.networks
        return int(at[0]), networks.space.index(networks.baseline)

    @property
    def default_accuracy(self) -> float:
        """Of the default network, predicted, per cent."""
        return float(self.space.networks.accuracy(self.default[1][None])[0])


def image_problem(registry: Registry, objective: str) -> Problem:
    """Return the problem that every reading takes some machines of."""
    return plan(
        registry, NETWORKS, HARDWARE, "random", objective=objective, combine="layers", fixed=FIXED
    )


def image_tables(
    registry: Registry,
    reading: ImageReading,
    objectives: Sequence[str],
    folder: Path,
    note: Callable[[str], None],
    *,
    trusted: bool = False,
) -> dict[str, ImageTable]:
    """Return a reading's table for each objective; what is simulated is shared by all.

    Args:
        registry: knows the names.
        reading: which machines.
        objectives: by name.
        folder: where tables are kept; one is used again where some of its machines still hold.
        note: told what takes long.
        trusted: whether a table in the folder was looked at just before.
    """
    problems = [image_problem(registry, name) for name in objectives]
    hardware = problems[0].hardware
    space = Separable.of(problems[0].networks)
    rows = listed(problems[0], reading)
    return {
        name: _whole(
            _table(evolve(p, hardware=hardware), space, rows, folder, note, trusted=trusted)
        )
        for name, p in zip(objectives, problems, strict=True)
    }


def listed(problem: Problem, reading: ImageReading) -> Rows:
    """Return the machines that the script lists, int64[n, d], buildable or not."""
    rows = machines_of(problem)
    columns = problem.hardware.space.columns(rows)
    macs = columns["block_in"] + columns["block_out"]
    kept = macs == reading.macs
    for name in ("inp", "wgt", "acc"):
        kept &= (columns[name] >= MEMORIES.start) & (columns[name] < MEMORIES.stop)
    if reading.bus:
        kept &= columns["bus_bytes"] <= reading.bus
    return np.asarray(rows[kept])


def _table(
    problem: Problem,
    space: Separable,
    rows: Rows,
    folder: Path,
    note: Callable[[str], None],
    *,
    trusted: bool,
) -> ImageTable:
    priced = [j for j, x in enumerate(space.layers) if not problem.hardware.left_out(x)]
    facts = repr((problem.spec.to_json(), [x.key for x in space.layers], rows.tolist()))
    file = folder / f"rhnas-imagenet-{hashlib.sha256(facts.encode()).hexdigest()[:12]}.npz"
    if file.exists():
        with np.load(file, allow_pickle=False) as kept:
            known = ImageTable(problem, space, *(
                kept[name] for name in ("rows", "area", "energy", "cycles")
            ))  # fmt: skip
        if trusted or _holds(known, rows, priced):
            return known
    note(f"mapping {len(priced)} layers on {len(rows):,} machines for {problem.objectives[0].name}")
    found = _mapped(problem, space, rows, priced)
    at = np.flatnonzero(found.built)
    energy, cycles = np.zeros((2, len(at), len(space.layers)))
    energy[:, priced], cycles[:, priced] = found.energy_pj[at], found.cycles[at]
    table = ImageTable(problem, space, rows[at], found.area_mm2[at], energy, cycles)
    keep(file, rows=table.rows, area=table.area_mm2, energy=energy, cycles=cycles)
    return table


def _mapped(problem: Problem, space: Separable, rows: Rows, layers: Sequence[int]) -> ManyMachines:
    some = [space.layers[j] for j in layers]
    found = problem.hardware.price_many(rows, some, problem.mapper_objective)
    if found is None:
        raise TypeError("the machines of this reading are priced together")
    return found


def _holds(table: ImageTable, rows: Rows, priced: Sequence[int]) -> bool:
    """Return whether some machines, built or not, and some layers on them still come out as kept.

    Args:
        table: as read from its file.
        rows: int64[n, d], of the machines that were priced for it, buildable or not.
        priced: numbers of the layers that are mapped.
    """
    rng = stream(0, "table of images")
    drawn = np.concatenate(
        [each[rng.integers(0, len(each), size=PROBES)] for each in (table.rows, rows)]
    )
    layers = rng.choice(priced, min(len(priced), PROBED_LAYERS), replace=False)
    found = _mapped(table.problem, table.space, drawn, layers.tolist())
    places = {row.tobytes(): i for i, row in enumerate(table.rows)}
    at = np.array([places.get(row.tobytes(), -1) for row in drawn])
    if not np.array_equal(at >= 0, found.built):
        return False
    at = at[found.built]
    pairs = (
        (table.area_mm2[at], found.area_mm2),
        (table.energy_pj[at][:, layers], found.energy_pj),
        (table.cycles[at][:, layers], found.cycles),
    )
    return all(np.allclose(told, new[found.built], rtol=1e-9, atol=0.0) for told, new in pairs)


def _whole(table: ImageTable) -> ImageTable:
    """Return a table with the machines that run every layer."""
    return table.only(np.asarray(np.isfinite(table.cycles).all(axis=1)))


@frozen
class ImageOptimum:
    """The best pair at a floor, and what parts of it are worth.

    Attributes:
        floor: least accuracy, per cent, predicted.
        default: loss of the default network on the default machine.
        hardware: of the default network on the best machine.
        network: of the best network on the default machine.
        one_after_other: of that network on the best machine for it.
        both: of the best pair.
        gap: how far below it another pair can be, relative.
        area_ratio: of its machine over the default's.
        accuracy: of its network, per cent, predicted.
    """

    floor: float
    default: float
    hardware: float
    network: float
    one_after_other: float
    both: float
    gap: float
    area_ratio: float
    accuracy: float


def optimum_of(table: ImageTable, floor: float) -> ImageOptimum:
    """Return the optimum of a table at a floor that some network reaches.

    Machines are taken in the order of a bound, the least energy and the least cycles of any network
    above the floor; the rest is left when the bound of the next is no better than what is known.
    """
    machine, network = table.default
    alone = table.losses_of(network)
    on_default = _needed(table.network_on(machine, floor))
    order, bounds = _bounds(table, floor)
    best, value, where, least = on_default, np.inf, machine, np.inf
    for m in order.tolist():
        if bounds[m] >= value:
            least = min(least, float(bounds[m]))
            break
        found = _needed(table.network_on(m, floor))
        mine = float(table.value(np.array(found.energy_pj), np.array(found.cycles)))
        least = min(least, mine * (1.0 - found.gap))
        if mine < value:
            best, value, where = found, mine, m
    return ImageOptimum(
        floor,
        float(alone[machine]),
        float(alone.min()),
        float(table.value(np.array(on_default.energy_pj), np.array(on_default.cycles))),
        float(table.losses_of(on_default.row).min()),
        value,
        max(0.0, 1.0 - least / value),
        float(table.area_mm2[where] / table.area_mm2[machine]),
        float(table.space.networks.accuracy(best.row[None])[0]),
    )


def _needed(found: Cheapest | None) -> Cheapest:
    if found is None:
        raise ValueError("no network of the space is above the floor")
    return found


def _bounds(table: ImageTable, floor: float) -> tuple[np.ndarray, FloatArray]:
    """Return an order of machines, one of those with equal costs, and bounds, float64[m]."""
    both = np.concatenate([table.energy_pj * bool(table.powers[0]),
                           table.cycles * bool(table.powers[1])], axis=1)  # fmt: skip
    first = np.unique(both, axis=0, return_index=True)[1]
    kept = [m for m in first.tolist() if not _beaten(both, first, m)]
    bounds = np.full(len(both), np.inf)
    for m in kept:
        bounds[m] = 1.0
        for k, costs in enumerate((table.energy_pj[m], table.cycles[m])):
            if table.powers[k]:
                alone = (1.0, 0.0) if k == 0 else (0.0, 1.0)
                found = _needed(cheapest_network(table.space, costs, costs, alone, floor))
                least = (found.energy_pj if k == 0 else found.cycles) * (1.0 - found.gap)
                bounds[m] *= least ** table.powers[k]
    order = np.array(sorted(kept, key=lambda m: float(bounds[m])), dtype=np.int64)
    return order, bounds


def _beaten(costs: FloatArray, among: np.ndarray, machine: int) -> bool:
    """Return whether another machine is no dearer on any layer (equal ones are left out)."""
    no_dearer = (costs[among] <= costs[machine]).all(axis=1)
    return int(no_dearer.sum()) > 1


@frozen(eq=False)
class ImageProblem:
    """A reading with a floor, whose every pair of a network and a machine is priced by sums.

    Attributes:
        name: for people.
        table: of the reading.
        floor: least accuracy, per cent.
    """

    name: str
    table: ImageTable
    floor: float

    @cached_property
    def machines(self) -> ParameterSpace:
        """The grid of the script's parameters, whose product of the core nothing holds."""
        every = self.table.problem.hardware.space.parameters
        chosen = [p for p in every if p.name in FREE]
        return ParameterSpace(
            tuple(
                evolve(p, choices=tuple(MEMORIES)) if p.name in ("inp", "wgt", "acc") else p
                for p in chosen
            )
        )

    @property
    def networks(self) -> ParameterSpace:
        """The space of networks."""
        return self.table.space.networks.space

    @cached_property
    def both(self) -> ParameterSpace:
        """Networks and machines."""
        return grouped(self.networks, NETWORK).beside(grouped(self.machines, MACHINE))

    @cached_property
    def _numbers(self) -> np.ndarray:
        """int64[size]: of each machine by rank, its number in the table; -1 where it is none."""
        whole, mine = self.table.problem.hardware.space, self.machines
        numbers = np.full(mine.size, -1, dtype=np.int64)
        for i, row in enumerate(self.table.rows):
            values = whole.decode(row)
            numbers[mine.rank(mine.index({k: values[k] for k in mine.names})[None])[0]] = i
        return numbers

    def number(self, machine: Rows) -> int:
        """Return a machine's number in the table, int64[d]; -1 where it cannot be built."""
        return int(self._numbers[int(self.machines.rank(machine[None])[0])])

    @property
    def realizable(self) -> float:
        """Share of the grid's machines that can be built."""
        return float((self._numbers >= 0).mean())

    @cached_property
    def baseline(self) -> tuple[Rows, Rows]:
        """The default network and machine, int64[d] each."""
        number, network = self.table.default
        values = self.table.problem.hardware.space.decode(self.table.rows[number])
        return network, self.machines.index({k: values[k] for k in self.machines.names})

    @cached_property
    def _inside(self) -> dict[int, float]:
        return {}

    def best_on(self, number: int) -> float:
        """Return the loss of the best network above the floor on a machine of the table."""
        if number not in self._inside:
            found = _needed(self.table.network_on(number, self.floor))
            value = self.table.value(np.array(found.energy_pj), np.array(found.cycles))
            self._inside[number] = float(value)
        return self._inside[number]

    def inside(self, machines: Rows) -> FloatArray:
        """Return what machines are worth with their best networks, float64[n]."""
        at = [self.number(row) for row in machines]
        return np.array([self.best_on(k) if k >= 0 else np.inf for k in at])

    def answer(self, rows: Rows) -> tuple[FloatArray, BoolArray, BoolArray]:
        """Return losses of pairs, float64[n, 1], whether they count, and whether they are built."""
        d = len(self.networks.names)
        accurate = self.table.space.networks.accuracy(rows[:, :d]) >= self.floor - 1e-9
        accurate &= self.networks.feasible(rows[:, :d])
        numbers = np.array([self.number(row[d:]) for row in rows], dtype=np.int64)
        losses = np.full(len(rows), np.inf)
        for i in np.flatnonzero((numbers >= 0) & self.networks.feasible(rows[:, :d])):
            counts = self.table.space.counts_of(rows[i, :d])
            k = numbers[i]
            totals = (np.asarray(c[k] @ counts) for c in (self.table.energy_pj, self.table.cycles))
            losses[i] = self.table.value(*totals)
        return losses[:, None], np.isfinite(losses) & accurate, numbers >= 0

    def alone(self, network: Rows, machines: Rows) -> FloatArray:
        """Return the loss of one network, int64[d], on machines, float64[n]."""
        at = np.array([self.number(row) for row in machines], dtype=np.int64)
        return np.where(at >= 0, self.table.losses_of(network)[at], np.inf)

    def accurate(self, network: Rows) -> bool:
        """Return whether a network, int64[d], is above the floor."""
        networks = self.table.space.networks
        return bool(networks.accuracy(network[None])[0] >= self.floor - 1e-9)

    @cached_property
    def optimum(self) -> float:
        """The least loss of all pairs that is known."""
        return optimum_of(self.table, self.floor).both

    @cached_property
    def machine_optimum(self) -> float:
        """The least loss of the default network."""
        return float(self.table.losses_of(self.baseline[0]).min())

    def describe(self, network: Rows) -> FloatArray:
        """Return each layer's share of a network's work, float64[l]."""
        return self._parts.describe(network)

    @cached_property
    def _parts(self) -> PartsSearch:
        return self.relaxed(np.random.default_rng(0))

    def costs_on(self, machine: Rows) -> LayerCosts | None:
        """Return what layers cost on a machine; None where it cannot be built."""
        number = self.number(machine)
        if number < 0:
            return None
        area = float(self.table.area_mm2[number])
        return LayerCosts(self.table.energy_pj[number], self.table.cycles[number], area)

    def relaxed(self, rng: np.random.Generator) -> PartsSearch:
        """Return the differentiable search of a network."""
        return PartsSearch(self.table.space, self.table.powers, self.floor, rng)
