"""The best schedules of layers on many VTAs at once.

Sizes of memories decide which schedules may run and what an access costs, not how long a schedule
takes: that hangs on the core (blocks, port, pace) alone. So each schedule is simulated once for
each core, and a machine's best one is looked up among those that its memories hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from attrs import evolve, fields, frozen

from cosearch.errors import Infeasible
from cosearch.machine.hardware import ManyMachines
from cosearch.quantities import added
from cosearch.search.objective import Objective
from cosearch.typing import BoolArray, FloatArray, IntArray
from cosearch.workload.einsum import Einsum
from cosearch_hardware.vta.isa import VtaConfiguration
from cosearch_hardware.vta.machine import VtaAccelerator
from cosearch_hardware.vta.pricing import Counts, Prices, energies
from cosearch_hardware.vta.work import Work

Core: TypeAlias = tuple[object, ...]

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
    def of(cls, machine: VtaAccelerator, layer: Einsum) -> Schedules | None:
        """Return the schedules on a machine's core; None where none is ever run.

        Equally fast ones stand in the order of what the mapper `exhaustive` tries first.
        """
        try:
            work = machine.work(layer)
        except Infeasible:
            return None
        columns = _all_columns(work)
        delay, table = machine.memory_latency, work.table(columns)
        least, needs = work.least(table, delay), work.needs(columns)
        possible = np.ones(len(table), dtype=bool)
        for name, most in work.room(_largest(machine.configuration)).items():
            if name in needs:
                possible &= needs[name] <= most
        tried = np.flatnonzero(possible)
        cycles = work.cycles(table[tried], delay, machine.slots)
        kept = tried[np.lexsort((tried, least[tried], cycles))]
        chosen = {name: values[kept] for name, values in columns.items()}
        table = table[kept]
        return cls(
            work,
            {name: n[kept] for name, n in needs.items()},
            np.sort(cycles),
            work.counts(chosen, table),
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

    def room(self, kind: type[Work]) -> dict[str, IntArray]:
        """Return what the machines have of each limit of a kind of work, int64[m, 1]."""
        if kind not in self._rooms:
            rooms = [kind.room(m.configuration) for m in self.members]
            self._rooms[kind] = {
                name: np.array([[room[name]] for room in rooms]) for name in rooms[0]
            }
        return self._rooms[kind]


def _all_columns(work: Work) -> dict[str, np.ndarray]:
    """Return every mapping of a layer as columns, the last parameter moving fastest."""
    choices = [np.asarray(p.choices) for p in work.parameters]
    grid = np.indices([len(c) for c in choices]).reshape(len(choices), -1)
    return {p.name: c[i] for p, c, i in zip(work.parameters, choices, grid, strict=True)}


def _largest(c: VtaConfiguration) -> VtaConfiguration:
    """Return the core with memories as deep as any instruction can address."""
    return evolve(c, uop=40, inp=40, wgt=40, acc=40, inp_restrict=0, wgt_restrict=0, acc_restrict=0)


def price_many(
    n: int,
    buildable: Iterable[tuple[int, VtaAccelerator]],
    layers: Sequence[Einsum],
    objective: Objective,
    known: dict[tuple[object, str], Schedules | None],
) -> ManyMachines:
    """Return what the best schedules of layers cost on machines, see `HardwareModel.price_many`.

    Args:
        n: points, of which some can be built.
        buildable: their numbers and machines.
        layers: each to be mapped for itself.
        objective: of each mapping.
        known: schedules by core and layer; what is found is added.
    """
    shape = (n, len(layers))
    built, area = np.zeros(n, dtype=bool), np.full(n, np.nan)
    energy, cycles = np.full(shape, np.inf), np.full(shape, np.inf)
    cores: dict[Core, list[tuple[int, VtaAccelerator]]] = {}
    for i, machine in buildable:
        built[i], area[i] = True, machine.area_mm2
        cores.setdefault(_core(machine.configuration), []).append((i, machine))
    for core, members in cores.items():
        for first in range(0, len(members), AT_ONCE):
            at = [i for i, _ in members[first : first + AT_ONCE]]
            machines = Machines([machine for _, machine in members[first : first + AT_ONCE]])
            for j, layer in enumerate(layers):
                if (core, layer.key) not in known:
                    known[core, layer.key] = Schedules.of(members[0][1], layer)
                found = known[core, layer.key]
                if found is not None and len(found.cycles):
                    energy[at, j], cycles[at, j] = found.best(machines, objective)
    return ManyMachines(built, area, energy, cycles)


def _core(c: VtaConfiguration) -> Core:
    """Return what the cycles of a schedule depend on."""
    return (c.batch, c.block_in, c.block_out, c.bus_bytes, c.pipelined, c.uop_width)
