"""One layer of one design: from the cache, or from the mapper and checked."""

from __future__ import annotations

import time
from math import isclose, isfinite
from typing import Protocol, TypeAlias

import numpy as np
from attrs import evolve

from cosearch.errors import CosearchError, Infeasible, PluginError, broken
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Mapped, Unmappable
from cosearch.mapping.priced import priced
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.search.objective import Objective
from cosearch.search.seeds import stream
from cosearch.study.problem import Problem
from cosearch.typing import Rows
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer

CLAIM = 1e-12
"""By how much a mapper's energy may differ from the machine's, relative: rounding, no more."""

Priced: TypeAlias = tuple[str, str, tuple[int, ...], tuple[int, ...] | None, float, float]
"""A machine, a layer, a mapping, the sizes it is for, and its energy and cycles."""

_CONFIRMED: set[Priced] = set()
"""Mappings that this process has priced."""


class Cache(Protocol):
    """Results of mappers, by machine, layer and purpose."""

    def find(self, accelerator: str, layer: str, purpose: str) -> LayerResult | Unmapped | None:
        """Return a result, its name and count being those of whoever stored it, or None."""


class NoCache:
    """Finds nothing."""

    def find(self, accelerator: str, layer: str, purpose: str) -> LayerResult | Unmapped | None:  # noqa: ARG002
        """Return None."""
        return None


def map_layer(
    problem: Problem,
    accelerator: Accelerator,
    layer: Layer,
    cache: Cache,
    objective: Objective | None = None,
) -> LayerResult | Unmapped:
    """Return a layer's result from the cache, or map it.

    Args:
        problem: has the mapper, and what it may spend.
        accelerator: to be mapped onto.
        layer: to be mapped.
        cache: asked first.
        objective: of the mapping; None is the study's.

    Raises:
        PluginError: the mapper or the accelerator broke down, or contradict each other.
    """
    aim = objective or problem.mapper_objective
    einsum, purpose, key = layer.einsum, problem.purpose_of(aim), str(accelerator.key)
    known = cache.find(key, einsum.key, problem.remembered_by(aim))
    if isinstance(known, Unmapped):
        return known
    if known is not None and _still_true(known, accelerator, einsum):
        return evolve(known, name=layer.name, count=layer.count)
    seed = problem.spec.seed if problem.mapper.uses_rng else 0
    rng = stream(seed, "mapper", key, einsum.key, purpose)
    started = time.perf_counter()
    try:
        mapped = problem.mapper.map(accelerator, einsum, aim, problem.spec.mapper_budget, rng)
    except Infeasible as verdict:
        reason, missed = _about(layer, verdict.reason), violation_of(verdict)
        if not isinstance(verdict, Unmappable):  # the machine itself rules the layer out
            return Unmapped(einsum.key, reason, missed, proven=True)
        return Unmapped(einsum.key, reason, missed, verdict.evaluations, verdict.proven)
    except CosearchError:
        raise
    except Exception as error:
        raise broken("mapper", problem.spec.mapper, f"layer {layer.name!r}", error) from error
    checked = _checked(mapped, accelerator, einsum, problem.spec.mapper)
    result = _result(layer, checked, started)
    _CONFIRMED.add(_facts(result, accelerator))
    return result


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
    """Return whether the machine prices a remembered mapping as it did then.

    Once a process: its code stays as it is, and a comparison meets the same designs in many runs.
    """
    facts = _facts(known, accelerator)
    if facts not in _CONFIRMED and _priced_alike(known, accelerator, einsum):
        _CONFIRMED.add(facts)
    return facts in _CONFIRMED


def _facts(found: LayerResult, accelerator: Accelerator) -> Priced:
    key = str(accelerator.key)
    return key, found.key, found.row, found.sizes, found.energy_pj, found.cycles


def _priced_alike(known: LayerResult, accelerator: Accelerator, einsum: Einsum) -> bool:
    row, einsum = np.array(known.row, dtype=np.int64), known.as_run(einsum)
    if not _inside(row, accelerator, einsum):
        return False
    costs = priced(accelerator, einsum, row[None, :])
    then = (known.energy_pj, known.cycles)
    return bool(costs.feasible[0]) and (costs.energy_pj[0], costs.cycles[0]) == then


def _inside(row: Rows, accelerator: Accelerator, einsum: Einsum) -> bool:
    cards = accelerator.mapspace(einsum).cardinalities
    return row.shape == cards.shape and bool(((row >= 0) & (row < cards)).all())


def _checked(mapped: Mapped, accelerator: Accelerator, einsum: Einsum, mapper: str) -> Mapped:
    """Return the mapping with what the machine says it costs.

    A mapper that adds up in another order may differ in the last digits; one that differs by more
    raises PluginError.
    """
    row: Rows = np.asarray(mapped.row, dtype=np.int64)
    einsum = _as_run(mapped, einsum, mapper)
    if not _inside(row, accelerator, einsum):
        raise PluginError(
            f"mapper {mapper!r} returned a row that is not in the mapspace of {einsum.name!r}"
        )
    costs = priced(accelerator, einsum, row[None, :])
    energy, cycles = float(costs.energy_pj[0]), float(costs.cycles[0])
    if not costs.feasible[0]:
        raise PluginError(
            f"mapper {mapper!r} returned a mapping of {einsum.name!r} that the machine cannot run: "
            f"{costs.reasons[costs.reason[0]]}"
        )
    if not (isclose(energy, mapped.energy_pj, rel_tol=CLAIM) and cycles == mapped.cycles):
        raise PluginError(
            f"mapper {mapper!r} claims {mapped.energy_pj:.17g} pJ and {mapped.cycles:.17g} cycles "
            f"for {einsum.name!r}; the machine says {energy:.17g} pJ and {cycles:.17g} cycles"
        )
    return evolve(mapped, energy_pj=energy, cycles=cycles)


def _as_run(mapped: Mapped, einsum: Einsum, mapper: str) -> Einsum:
    """Return the layer as the mapper runs it, or raise PluginError for one that is too small."""
    sizes = mapped.sizes
    if sizes is None:
        return einsum
    smaller = any(n < own for n, own in zip(sizes, einsum.sizes, strict=False))
    if len(sizes) != len(einsum.sizes) or smaller:
        raise PluginError(
            f"mapper {mapper!r} runs {einsum.name!r} at the sizes {sizes}, less than {einsum.sizes}"
        )
    return mapped.as_run(einsum)


def violation_of(verdict: Infeasible) -> float | None:
    """Return by how much a design misses, relative, from the verdict's margins."""
    misses = [m - 1.0 for m in verdict.margins.values() if isfinite(m) and m > 1.0]
    return max(misses) if misses else None


def _about(layer: Layer, reason: str) -> str:
    return reason if layer.name in reason else f"layer {layer.name!r}: {reason}"
