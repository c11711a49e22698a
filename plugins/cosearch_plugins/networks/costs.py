"""What networks cost on a machine, as sums over the layers that they share."""

from __future__ import annotations

import math

import numpy as np
from attrs import frozen

from cosearch.machine.building import build
from cosearch.machine.hardware import HardwareModel
from cosearch.mapping.layer import Cache
from cosearch.mapping.network import map_layers
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.mapping.task import LAYERS, MappingTask
from cosearch.mapping.threads import ThreadPool
from cosearch.registry.registry import Registry
from cosearch.study.building import canonical_mapper, default_mapper, make_hardware, make_mapper
from cosearch.typing import FloatArray, IntArray
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer


@frozen(eq=False)
class Costs:
    """Of networks on one machine, every layer at its own best mapping.

    Attributes:
        energy_pj, cycles: float64[n]; not a number where a layer has no mapping.
        layers: different layers that were mapped.
        left_out: the share of the operations of all networks that the machine does not price.
    """

    energy_pj: FloatArray
    cycles: FloatArray
    layers: int
    left_out: float

    @property
    def edp(self) -> FloatArray:
        """Energy-delay product in pJ x cycles, float64[n]."""
        return np.asarray(self.energy_pj * self.cycles)

    def of(self, metric: str) -> FloatArray:
        """Return `latency`, `energy` or `edp`, float64[n]."""
        return {"latency": self.cycles, "energy": self.energy_pj, "edp": self.edp}[metric]


def costs_on(
    layers: tuple[Einsum, ...],
    counts: IntArray,
    hardware: HardwareModel,
    task: MappingTask,
    cache: Cache | None = None,
) -> Costs:
    """Return what networks cost on the baseline machine of a family.

    Args:
        layers: different ones.
        counts: int64[n, l]: how often each network runs each layer (`NetworkSpace.counts`).
        hardware: the family.
        task: what is asked of the mapper.
        cache: asked first.
    """
    machine = build(hardware, hardware.baseline)
    used = [j for j in np.flatnonzero(counts.any(axis=0)) if not hardware.left_out(layers[j])]
    found = map_layers(ThreadPool.alone(task, machine), [Layer(layers[j]) for j in used], cache)
    table = np.array([_cost(result) for result in found]).reshape(len(used), 2)
    kept = counts[:, used]
    lacking = (kept[:, np.isnan(table[:, 0])] > 0).any(axis=1)
    energy, cycles = (np.where(lacking, np.nan, kept @ np.nan_to_num(c)) for c in table.T)
    work = counts.sum(axis=0) * np.array([layer.operations for layer in layers], dtype=np.float64)
    return Costs(energy, cycles, len(used), 1.0 - float(work[used].sum() / work.sum()))


def task_for(hardware: HardwareModel, registry: Registry, metric: str, mapper: str) -> MappingTask:
    """Return what is asked of a family's mapper, every layer by itself.

    Args:
        hardware: the family.
        registry: of plugins.
        metric: an objective.
        mapper: its name; the family's own if empty.
    """
    name = canonical_mapper(mapper or default_mapper(hardware, registry), registry)
    return MappingTask(
        make_mapper(name, registry), name, registry.objective(metric), combine=LAYERS
    )


def family(spec: str, registry: Registry) -> HardwareModel:
    """Return the hardware model of a name with options."""
    return make_hardware(spec, registry)


def _cost(result: LayerResult | Unmapped) -> tuple[float, float]:
    if isinstance(result, Unmapped):
        return math.nan, math.nan
    return result.energy_pj, result.cycles
