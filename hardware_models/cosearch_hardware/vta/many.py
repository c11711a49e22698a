"""The best schedules of layers on many VTAs at once.

Sizes of memories decide which schedules may run and what an access costs, not how long a schedule
takes: that hangs on the core (blocks, port, pace) alone. So each schedule is simulated once for
each core, and a machine's best one is looked up among those that its memories hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np
from attrs import fields, frozen

from cosearch.errors import Infeasible
from cosearch.machine.hardware import ManyMachines
from cosearch.quantities import added
from cosearch.search.objective import Objective
from cosearch.typing import BoolArray, FloatArray, IntArray
from cosearch.workload.einsum import Einsum
from cosearch_hardware.vta.isa import VtaConfiguration
from cosearch_hardware.vta.machine import VtaAccelerator
from cosearch_hardware.vta.pricing import Counts, Prices, energies
from cosearch_hardware.vta.work import AluWork, GemmWork, Work

Core: TypeAlias = tuple[object, ...]

AT_A_TIME = 16
"""Schedules that are simulated before it is seen which others they rule out."""

AT_ONCE = 256
"""Machines of one core that are priced at once."""


@frozen(eq=False)
class Schedules:
    """Every schedule of a layer on one core, the fastest first.

    Attributes:
        work: of the layer, on some machine with that core.
        needs: what each takes, by limit, int64[r].
        cycles: int64[r].
        counts: what each does.
    """

    work: Work
    needs: dict[str, IntArray]
    cycles: IntArray
    counts: Counts

    @classmethod
    def of(cls, machines: Machines, layer: Einsum) -> Schedules | None:
        """Return the schedules that may be best on some of the machines; None where none is run.

        Equally fast ones stand in the order of what the mapper `exhaustive` tries first.
        """
        machine = machines.members[0]
        try:
            work = machine.work(layer)
        except Infeasible:
            return None
        columns = _all_columns(work)
        table, needs = work.table(columns), work.needs(columns)
        least, counts = work.least(table, machine.memory_latency), work.counts(columns, table)
        room = machines.room(type(work))
        fit = np.all([n <= room[name].max() for name, n in needs.items()], axis=0)
        clipped = np.array([np.maximum(n, room[name].min()) for name, n in needs.items()])
        cycles = _simulated(
            work, machine, table, np.where(fit, least, -1), [*clipped, *_work(counts)]
        )
        tried = np.flatnonzero(cycles >= 0)
        kept = tried[np.lexsort((tried, least[tried], cycles[tried]))]
        chosen = {name: values[kept] for name, values in columns.items()}
        return cls(
            work,
            {name: n[kept] for name, n in needs.items()},
            cycles[kept],
            work.counts(chosen, table[kept]),
        )

    def fit(self, machines: Machines) -> BoolArray:
        """Return bool[m, r]: which schedules each machine's memories and fields hold."""
        room = machines.room(type(self.work))
        ok = np.ones((len(machines.members), len(self.cycles)), dtype=bool)
        for name, need in self.needs.items():
            ok &= need[None, :] <= room[name]
        return ok

    def best(self, machines: Machines, objective: Objective) -> tuple[FloatArray, FloatArray]:
        """Return energy and cycles of each machine's best schedule, float64[m] each."""
        ok = self.fit(machines)
        energy = self._energy(machines)
        cycles = np.broadcast_to(self.cycles.astype(np.float64), energy.shape)
        metrics = {"energy_pj": energy, "cycles": cycles, **machines.fixed}
        losses = np.array(objective.of(metrics), dtype=np.float64)
        losses[~ok] = np.inf
        chosen = losses.argmin(axis=1)
        which = np.arange(len(machines.members))
        none = ~ok[which, chosen]
        found = energy[which, chosen], cycles[which, chosen]
        return tuple(np.where(none, np.inf, values) for values in found)  # type: ignore[return-value]

    def _energy(self, machines: Machines) -> FloatArray:
        parts = energies(machines.members[0].configuration, machines.prices, self.counts)
        shape = (len(machines.members), len(self.cycles))
        return np.asarray(np.broadcast_to(added(parts.values()), shape))


def _work(counts: Counts) -> list[IntArray]:
    """Return all that energy grows with, int64[r] each."""
    single = [counts.gemms, counts.resets, counts.tensor, counts.immediate, counts.outputs]
    return [*single, *counts.moved.values(), *counts.passed.values()]


def _simulated(
    work: Work, machine: VtaAccelerator, table: IntArray, least: IntArray, costs: list[IntArray]
) -> IntArray:
    """Return the cycles of schedules, int64[r]; -1 where another is better on every machine.

    A schedule is left out when one that has been simulated is faster than its bound, needs no more
    of any limit that some machine has, and does no more work of any kind.

    Args:
        work: the layer's.
        machine: any of the core's.
        table: of the schedules.
        least: int64[r]: a bound on their cycles; -1 for those that no machine holds.
        costs: what they need and do, int64[r] each.
    """
    cycles = np.full(len(table), -1, dtype=np.int64)
    grid = np.array(costs)
    waiting = np.argsort(least, kind="stable")
    waiting = waiting[least[waiting] >= 0]
    while len(waiting):
        now, waiting = waiting[:AT_A_TIME], waiting[AT_A_TIME:]
        rows = np.ascontiguousarray(table[now])
        cycles[now] = work.cycles(rows, machine.memory_latency, machine.slots)
        for s in now.tolist():
            if len(waiting) == 0:
                break
            worse = (grid[:, [s]] <= grid[:, waiting]).all(axis=0) & (cycles[s] < least[waiting])
            waiting = waiting[~worse]
    return cycles


class Machines:
    """Machines of one core, and what tells them apart as columns.

    Args:
        members: with one core.

    Attributes:
        prices: float64[m, 1] each.
        fixed: area and clock, float64[m, 1] each.
    """

    def __init__(self, members: Sequence[VtaAccelerator]) -> None:
        self.members = members
        columns = {
            f.name: np.array([[getattr(m.prices, f.name)] for m in members]) for f in fields(Prices)
        }
        self.prices = Prices(**columns)  # type: ignore[arg-type]
        clocks = [[np.nan if m.clock_mhz is None else m.clock_mhz] for m in members]
        area = np.array([[m.area_mm2] for m in members])
        self.fixed = {"area_mm2": area, "clock_mhz": np.array(clocks)}
        self._rooms: dict[type[Work], dict[str, IntArray]] = {}

    @cached_property
    def ends(self) -> tuple[object, ...]:
        """The least and the greatest of everything that a kind of work may need."""
        rooms = [self.room(kind) for kind in (GemmWork, AluWork)]
        return tuple(
            (name, int(r.min()), int(r.max())) for room in rooms for name, r in room.items()
        )

    def room(self, kind: type[Work]) -> dict[str, IntArray]:
        """Return what the machines have of each limit of a kind of work, int64[m, 1]."""
        if kind not in self._rooms:
            rooms = [kind.room(m.configuration) for m in self.members]
            self._rooms[kind] = {
                name: np.array([[room[name]] for room in rooms]) for name in rooms[0]
            }
        return self._rooms[kind]


Known: TypeAlias = dict[tuple[object, object, str], Schedules | None]


def _all_columns(work: Work) -> dict[str, np.ndarray]:
    """Return every mapping of a layer as columns, the last parameter moving fastest."""
    choices = [np.asarray(p.choices) for p in work.parameters]
    grid = np.indices([len(c) for c in choices]).reshape(len(choices), -1)
    return {p.name: c[i] for p, c, i in zip(work.parameters, choices, grid, strict=True)}


def price_many(
    n: int,
    buildable: Iterable[tuple[int, VtaAccelerator]],
    layers: Sequence[Einsum],
    objective: Objective,
    known: Known,
) -> ManyMachines:
    """Return what the best schedules of layers cost on machines, see `HardwareModel.price_many`.

    Args:
        n: points, of which some can be built.
        buildable: their numbers and machines.
        layers: each to be mapped for itself.
        objective: of each mapping.
        known: schedules by core, sizes of memories and layer; what is found is added.
    """
    shape = (n, len(layers))
    built, area = np.zeros(n, dtype=bool), np.full(n, np.nan)
    energy, cycles = np.full(shape, np.inf), np.full(shape, np.inf)
    cores: dict[Core, list[tuple[int, VtaAccelerator]]] = {}
    for i, machine in buildable:
        built[i], area[i] = True, machine.area_mm2
        cores.setdefault(_core(machine.configuration), []).append((i, machine))
    for core, members in cores.items():
        every = Machines([machine for _, machine in members])
        for layer in layers:
            if (core, every.ends, layer.key) not in known:
                known[core, every.ends, layer.key] = Schedules.of(every, layer)
        for first in range(0, len(members), AT_ONCE):
            at = [i for i, _ in members[first : first + AT_ONCE]]
            machines = Machines([machine for _, machine in members[first : first + AT_ONCE]])
            for j, layer in enumerate(layers):
                found = known[core, every.ends, layer.key]
                if found is not None and len(found.cycles):
                    energy[at, j], cycles[at, j] = found.best(machines, objective)
    return ManyMachines(built, area, energy, cycles)


def _core(c: VtaConfiguration) -> Core:
    """Return what the cycles of a schedule depend on."""
    return (c.batch, c.block_in, c.block_out, c.bus_bytes, c.pipelined, c.uop_width)
