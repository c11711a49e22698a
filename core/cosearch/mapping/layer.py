"""One layer on one machine: from the cache, or from the mapper and checked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import isfinite
from typing import Protocol

import numpy as np
from attrs import evolve

from cosearch.errors import CosearchError, Infeasible, broken, pass_on
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.claim import confirmed, price_of
from cosearch.mapping.mapper import Mapped, Unmappable
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.mapping.task import MappingTask
from cosearch.search.objective import Objective
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer


class Cache(Protocol):
    """Results of mappers, by machine, layer and purpose."""

    def find(self, accelerator: str, layer: str, purpose: str) -> LayerResult | Unmapped | None:
        """Return a result, its name and count being those of whoever stored it, or None."""


class NoCache:
    """Finds nothing."""

    def find(self, accelerator: str, layer: str, purpose: str) -> LayerResult | Unmapped | None:  # noqa: ARG002
        """Return None."""
        return None


def remembered(
    task: MappingTask,
    accelerator: Accelerator,
    layer: Layer,
    cache: Cache,
    objective: Objective | None = None,
) -> LayerResult | Unmapped | None:
    """Return what the cache has of a layer, where the machine still prices it alike; or None.

    Args:
        task: what the result is for.
        accelerator: mapped onto.
        layer: mapped.
        cache: asked, unless nothing that the mapper finds is worth remembering.
        objective: of the mapping; None is the task's.
    """
    purpose = task.remembered_by(objective)
    if not purpose:
        return None
    known = cache.find(str(accelerator.key), layer.einsum.key, purpose)
    if known is None or isinstance(known, Unmapped):
        return known
    if not _still_true(known, accelerator, layer.einsum):
        return None
    return evolve(known, name=layer.name, count=layer.count)


def search_layer(
    task: MappingTask,
    accelerator: Accelerator,
    layer: Layer,
    objective: Objective | None = None,
    known: Sequence[LayerResult] = (),
) -> LayerResult | Unmapped:
    """Return what the mapper finds for a layer, checked.

    Args:
        task: has the mapper, and what it may spend.
        accelerator: to be mapped onto.
        layer: to be mapped.
        objective: of the mapping; None is the task's.
        known: what was found for the layer on this machine with other objectives.

    Raises:
        PluginError: the mapper or the accelerator broke down, or contradict each other.
    """
    aim, einsum = objective or task.objective, layer.einsum
    rng = task.rng(str(accelerator.key), einsum.key, aim)
    try:
        task.mapper.ready(accelerator, einsum)
        started = time.perf_counter()
        costs = [(x.energy_pj, x.cycles) for x in known if x.sizes is None]
        mapped = task.mapper.map_knowing(accelerator, einsum, aim, task.budget, rng, costs)
    except Infeasible as verdict:
        return _unmapped(layer, verdict)
    except CosearchError:
        raise
    except BaseException as error:
        pass_on(error)
        raise broken("mapper", task.name, f"layer {layer.name!r}", error, task.mapper) from error
    return _result(layer, confirmed(mapped, accelerator, einsum, task.name), started)


def _unmapped(layer: Layer, verdict: Infeasible) -> Unmapped:
    """Return a verdict as a result; where no mapper searched, the machine itself rules it out."""
    evaluations, proven = 0, True
    if isinstance(verdict, Unmappable):
        evaluations, proven = verdict.evaluations, verdict.proven
    return Unmapped(
        layer.einsum.key,
        _about(layer, verdict.reason),
        violation_of(verdict),
        evaluations,
        proven,
        {rule: float(miss) for rule, miss in verdict.margins.items() if isfinite(miss)},
        verdict.hint,
    )


def _result(layer: Layer, mapped: Mapped, started: float) -> LayerResult:
    return LayerResult(
        layer.name,
        layer.einsum.key,
        layer.count,
        tuple(int(i) for i in mapped.row),
        float(mapped.energy_pj),
        float(mapped.cycles),
        bool(mapped.proven),
        None if mapped.gap is None else float(mapped.gap),
        int(mapped.evaluations),
        int(mapped.nodes),
        time.perf_counter() - started,
        {str(k): int(v) for k, v in mapped.rejections.items()},
        mapped.mapper,
        None if mapped.sizes is None else tuple(int(n) for n in mapped.sizes),
        mapped.partial,
    )


def _still_true(known: LayerResult, accelerator: Accelerator, einsum: Einsum) -> bool:
    """Return whether the machine prices a remembered mapping as it did then."""
    row = np.array(known.row, dtype=np.int64)
    now = price_of(accelerator, known.as_run(einsum), row)
    return now == (known.energy_pj, known.cycles)


def violation_of(verdict: Infeasible) -> float | None:
    """Return by how much a design misses, relative, from the verdict's margins."""
    misses = [m - 1.0 for m in verdict.margins.values() if isfinite(m) and m > 1.0]
    return max(misses) if misses else None


def _about(layer: Layer, reason: str) -> str:
    return reason if layer.name in reason else f"layer {layer.name!r}: {reason}"
