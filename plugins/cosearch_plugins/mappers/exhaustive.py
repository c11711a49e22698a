"""Try every mapping of a space small enough, best bound first, and so prove the best one."""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np
from attrs import define

from cosearch.errors import CosearchError
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Budget, Mapped, Mapper, Unmappable
from cosearch.mapping.priced import affordable, mapping_losses, priced
from cosearch.search.objective import Objective
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import FloatArray, IntArray, Rows
from cosearch.workload.einsum import Einsum

CHUNK = 65_536
FIRST_BATCH, LARGEST_BATCH = 64, 4_096
"""Small at first: after a few of the most promising, the bounds rule out the rest. With a limit of
time one mapping comes first: its price may take seconds where a machine simulates a huge layer."""


@define
class _Best:
    """The best mapping so far."""

    loss: float = np.inf
    row: Rows | None = None
    energy_pj: float = np.inf
    cycles: float = np.inf
    evaluations: int = 0


class Exhaustive(Mapper):
    """Enumerates the mapspace; skips what a machine's bounds rule out.

    Args:
        limit: rows of the largest space it takes on.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (Parameter("limit", (1_000, 100_000_000), 20_000_000, "rows", free=True),)
    )

    def __init__(self, limit: int = 20_000_000) -> None:
        self.limit = limit

    def map(
        self,
        accelerator: Accelerator,
        layer: Einsum,
        objective: Objective,
        budget: Budget,
        rng: np.random.Generator,  # noqa: ARG002 - nothing is left to chance
    ) -> Mapped:
        """Return the best mapping, proven unless the time ended first."""
        started = time.perf_counter()
        space = accelerator.mapspace(layer)
        if space.size > self.limit:
            raise CosearchError(
                f"layer {layer.name!r} has {space.size:.3g} mappings, more than `exhaustive` "
                f"takes on ({self.limit})",
                "name another mapper (-m random, -m evolutionary), or raise exhaustive:limit=",
            )
        indices, bounds = _candidates(accelerator, layer, objective, space)
        order = np.argsort(bounds, kind="stable")
        best, proven_to = _Best(), np.inf
        first, batch = 0, FIRST_BATCH if budget.seconds is None else 1
        while first < len(order):
            these = order[first : first + batch]
            if bounds[these[0]] >= best.loss:
                break
            late = budget.seconds is not None and time.perf_counter() - started > budget.seconds
            if late and best.row is not None:
                proven_to = float(bounds[these[0]])
                break
            rows = rows_at(space, indices[these])
            if budget.seconds is not None:
                left, some = budget.seconds - time.perf_counter() + started, best.row is not None
                rows = rows[: affordable(accelerator, layer, rows, max(left, 0.0), some=some)]
            if not len(rows):
                proven_to = float(bounds[these[0]])
                break
            _improve(best, accelerator, layer, objective, rows)
            first, batch = first + len(rows), min(2 * batch, LARGEST_BATCH)
        if best.row is None:
            raise Unmappable(
                f"layer {layer.name!r}: none of {space.size} mappings can be run",
                {},
                space.size,
                proven=True,
            )
        proven = proven_to >= best.loss
        return Mapped(
            best.row,
            best.energy_pj,
            best.cycles,
            proven=proven,
            gap=0.0 if proven else 1 - max(proven_to, 0.0) / best.loss,
            evaluations=best.evaluations,
            nodes=len(indices),
            seconds=time.perf_counter() - started,
            mapper="exhaustive",
        )


def rows_at(space: Space, indices: IntArray) -> Rows:
    """Return the rows, int64[n, d], at positions int64[n] of a space's enumeration."""
    if not len(space.names):
        return np.zeros((len(indices), 0), dtype=np.int64)
    columns = np.unravel_index(indices, tuple(int(c) for c in space.cardinalities))
    return np.stack(columns, axis=1).astype(np.int64)


def _candidates(
    accelerator: Accelerator, layer: Einsum, objective: Objective, space: Space
) -> tuple[IntArray, FloatArray]:
    """Return the positions of all rows that meet the known constraints, and their bounds."""
    kept: list[IntArray] = []
    bounds: list[FloatArray] = []
    for first in range(0, space.size, CHUNK):
        indices = np.arange(first, min(first + CHUNK, space.size))
        rows = rows_at(space, indices)
        feasible = space.feasible(rows)
        indices, rows = indices[feasible], rows[feasible]
        kept.append(indices)
        bounds.append(_loss_bounds(accelerator, layer, objective, rows))
    return np.concatenate(kept), np.concatenate(bounds)


def _loss_bounds(
    accelerator: Accelerator, layer: Einsum, objective: Objective, rows: Rows
) -> FloatArray:
    """Return float64[n] that no loss undercuts; an objective may fall as cycles rise."""
    if not objective.monotone:
        return np.full(len(rows), -np.inf)
    energy, cycles = accelerator.bounds(layer, rows)
    return np.asarray(objective.bound({"energy_pj": energy, "cycles": cycles}), dtype=np.float64)


def _improve(
    best: _Best, accelerator: Accelerator, layer: Einsum, objective: Objective, rows: Rows
) -> None:
    costs = priced(accelerator, layer, rows)
    losses = mapping_losses(objective, accelerator, costs)
    best.evaluations += len(rows)
    i = int(np.argmin(losses))
    if losses[i] < best.loss:
        best.loss, best.row = float(losses[i]), rows[i].copy()
        best.energy_pj, best.cycles = float(costs.energy_pj[i]), float(costs.cycles[i])
