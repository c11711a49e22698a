"""The first machine with rough mappings: a figure at hand long before the first proof."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from attrs import frozen

from cosearch.errors import Infeasible
from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.priced import affordable, mapping_losses, priced
from cosearch.search.objective import Objective
from cosearch.study.problem import Problem
from cosearch.workload.einsum import Einsum

MOST_ROWS = 2048
"""Mappings tried of a layer."""

SECONDS = 1.0
"""For all layers, unless not even their first mappings are priced by then."""

FIRST_SECONDS = 1.0
"""That a first mapping may take to price, where a machine says how long it does."""

GivenUp = Callable[[], bool]
"""Whether nobody waits for the answer any more."""


@frozen
class RoughLayer:
    """The best of a few mappings of a layer.

    Attributes:
        energy_pj: of one run.
        cycles: of one run.
    """

    energy_pj: float
    cycles: float


def rough_loss(problem: Problem, given_up: GivenUp = lambda: False) -> float | None:
    """Return the first objective of the baseline, each layer with the best of some mappings.

    No bound and no result: a first idea of its size. None where mappings do not decide the
    objective, the baseline cannot be built, a layer has found no mapping, or it was given up.
    """
    objective, problem = problem.objectives[0], problem.for_design(problem.baseline)
    if not objective.monotone:
        return None
    try:
        machine = build(problem.hardware, problem.baseline)
    except Infeasible:
        return None
    energy = cycles = 0.0
    each = SECONDS / len(problem.network.unique)
    for layer in problem.network.unique:
        rough = rough_layer(machine, layer.einsum, problem.mapper_objective, each, given_up)
        if rough is None:
            return None
        energy += layer.count * rough.energy_pj
        cycles += layer.count * rough.cycles
    sums = {"energy_pj": np.array([energy]), "cycles": np.array([cycles])}
    return float(np.asarray(objective.of(sums)).reshape(-1)[0])


def rough_layer(
    machine: Accelerator,
    layer: Einsum,
    objective: Objective,
    seconds: float,
    given_up: GivenUp = lambda: False,
) -> RoughLayer | None:
    """Return the best of the first mapping and ever more random ones, while the time lasts.

    Raises:
        CosearchError: none can be priced in that time.
    """
    space, rng = machine.mapspace(layer), np.random.default_rng(0)
    started, tried, best, least = time.perf_counter(), 0, None, np.inf
    rows = np.zeros((1, len(space.cardinalities)), dtype=np.int64)
    while tried < MOST_ROWS and not given_up():
        spent, some = time.perf_counter() - started, best is not None
        left = seconds - spent if some else FIRST_SECONDS
        rows = rows[: affordable(machine, layer, rows, max(left, 0.0), some=some)]
        if some and (left <= 0 or len(rows) == 0):
            break
        costs = priced(machine, layer, rows)
        losses = mapping_losses(objective, machine, costs)
        at = int(losses.argmin())
        if losses[at] < least:
            least = float(losses[at])
            best = RoughLayer(float(costs.energy_pj[at]), float(costs.cycles[at]))
        tried += len(rows)
        rows = space.sample(tried, rng)
    return best
