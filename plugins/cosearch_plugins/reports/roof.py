"""Layers under a machine's roof, as numbers: pages and pictures draw them."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import Memory
from cosearch.machine.building import build
from cosearch.machine.cost import Cost
from cosearch.machine.hardware import Accelerator
from cosearch.quantities import added
from cosearch.study.study import Study
from cosearch.trials.trial import Trial
from cosearch.typing import FloatArray


@frozen(eq=False)
class Roof:
    """A roofline.

    Attributes:
        names: of the layers.
        intensity: float64[layers], multiply-accumulates a DRAM word.
        speed: float64[layers], multiply-accumulates a cycle.
        multipliers: that the machine has.
        words_per_cycle: of DRAM; None is without limit.
    """

    names: tuple[str, ...]
    intensity: FloatArray
    speed: FloatArray
    multipliers: float
    words_per_cycle: float | None


def roof_of(study: Study, trial: Trial) -> Roof | None:
    """Return the roofline of a design; None where its model counts no DRAM words."""
    machine = build(study.problem.hardware, trial.configuration)
    costs = {n: c for n, c in _costs(study, machine, trial).items() if c.macs}
    words = np.array([_dram_words(cost) for cost in costs.values()])
    macs = np.array([float(cost.macs) for cost in costs.values()])
    cycles = np.array([cost.cycles for cost in costs.values()])
    known = words > 0
    if not known.any():
        return None
    first = next(iter(costs.values()))
    bandwidth = None
    if isinstance(machine, SpatialAccelerator):
        bandwidth = _words_per_cycle(machine.architecture.levels[-1])
    return Roof(
        tuple(name for name, k in zip(costs, known, strict=True) if k),
        macs[known] / words[known],
        macs[known] / cycles[known],
        first.macs / (first.cycles * first.utilization),
        bandwidth,
    )


def _costs(study: Study, machine: Accelerator, trial: Trial) -> dict[str, Cost]:
    network = study.problem.network_of(trial.complete)
    layers = {layer.einsum.key: layer for layer in network.unique}
    return {
        result.name: machine.explain(result.as_run(layers[result.key].einsum), np.array(result.row))
        for result in trial.outcome.layers
        if result.count
    }


def _words_per_cycle(memory: Memory) -> float | None:
    """Return what a memory moves at most; None is without limit."""
    if memory.shared_bandwidth is not None:
        return memory.shared_bandwidth
    if memory.read_bandwidth is None or memory.write_bandwidth is None:
        return None
    return memory.read_bandwidth + memory.write_bandwidth


def _dram_words(cost: Cost) -> float:
    outermost = cost.levels[-1]
    return float(added((t.reads + t.fills + t.updates) * t.instances for t in outermost.tensors))
