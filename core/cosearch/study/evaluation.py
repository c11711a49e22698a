"""One design from configuration to outcome; whatever a plugin does, an outcome comes back."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import closing

import numpy as np
from attrs import evolve

from cosearch.errors import CosearchError, Infeasible, PluginError, pass_on, text_of
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.layer import Cache, violation_of
from cosearch.mapping.network import choose, map_layers
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.mapping.threads import ThreadPool
from cosearch.quantities import added
from cosearch.search.objective import Constraint
from cosearch.study.bounding import BEATEN, LeastLoss, beaten
from cosearch.study.fusing import fused
from cosearch.study.problem import Problem
from cosearch.trials.fidelity import WHOLE, layers_at, scale
from cosearch.trials.trial import Outcome, State
from cosearch.typing import Value
from cosearch.workload.mix import cost_of_parts, geomean_edp
from cosearch.workload.network import Layer

MAPPING = "a layer's mapping"
"""The limit that a design misses on which a layer finds no mapping."""


def evaluate(
    problem: Problem,
    configuration: Mapping[str, Value],
    cache: Cache | None = None,
    fidelity: float = WHOLE,
    best: float = math.inf,
) -> Outcome:
    """Return what a design is worth: build it, map every unique layer, add up, score.

    Below full fidelity only the heaviest layers are mapped, and metrics are estimates. A design
    that is proven to cost more than `best` is mapped no further. Never raises for what a plugin
    does: that is an outcome with a reason.
    """
    started = time.perf_counter()
    partial = Outcome(State.FAILED)
    try:
        problem = problem.for_design(configuration)
        if network := problem.known_of_network(configuration):
            _refuse_unknown(network)
            partial, _ = _limited(problem, evolve(partial, metrics=network), early=True)
        accelerator = problem.machine(configuration)
        known = {**partial.metrics, **_fixed(accelerator)}
        partial = evolve(partial, accelerator=str(accelerator.key), metrics=known)
        partial, limits_missed = _limited(problem, partial, early=True)
        if limits_missed:
            outcome = _constrained(partial, limits_missed)
        else:
            pool = problem.pool(accelerator, configuration)
            if problem.inside is not None and not problem.network_parameters(configuration):
                outcome = problem.inside(problem, pool, partial, cache)
            else:
                layers = layers_at(problem.network, fidelity)
                outcome = _mapped(problem, pool, partial, layers, cache, best)
    except Infeasible as verdict:
        margins = {rule: m - 1.0 for rule, m in verdict.margins.items() if math.isfinite(m)}
        partial = evolve(partial, violations={**partial.violations, **margins})
        outcome = infeasible(partial, verdict.reason, violation_of(verdict))
    except BaseException as error:
        pass_on(error)
        outcome = evolve(partial, reason=_fault(error))
    return evolve(outcome, seconds=time.perf_counter() - started)


def _refuse_unknown(network: Mapping[str, float]) -> None:
    """Raise Infeasible for a network of which something that is asked for is not known."""
    for name, value in network.items():
        if not math.isfinite(value):
            told = "not known" if math.isnan(value) else str(value)
            raise Infeasible(f"{name} of this network is {told}")


def _mapped(
    problem: Problem,
    pool: ThreadPool,
    partial: Outcome,
    layers: Sequence[Layer],
    cache: Cache | None,
    best: float,
) -> Outcome:
    found: list[LayerResult] = []
    least = None
    if best < math.inf and layers == problem.network.unique:
        aims = problem.objectives[0], problem.mapper_objective
        least = LeastLoss.of(*aims, problem.mapper, pool.machine, layers)
        if beaten(least.given(()), best):
            return _beaten(partial, least.given(()), best)
    with closing(map_layers(pool, layers, cache)) as results:
        for result in results:
            if isinstance(result, Unmapped):
                return _unmapped(evolve(partial, layers=tuple(found)), result)
            found.append(result)
            if least is not None and beaten(least.given(found), best):
                return _beaten(evolve(partial, layers=tuple(found)), least.given(found), best)
    whole = layers == problem.network.unique
    chosen = choose(pool, layers, found, cache) if whole and problem.mapper.remembered else None
    mapped = tuple(found) if chosen is None else chosen.layers
    gap = None if chosen is None else chosen.gap
    share = scale(problem.network, layers)
    metrics = {
        "energy_pj": share * added(x.energy_pj * x.count for x in mapped),
        "cycles": share * added(x.cycles * x.count for x in mapped),
        **partial.metrics,
        **({} if gap is None else {"mapping_gap": gap}),
    }
    searched = () if chosen is None else chosen.searched
    partial = evolve(partial, layers=mapped, searched=searched, metrics=metrics)
    if problem.spec.fuse and whole:
        partial = fused(problem, pool.machine, partial)
        metrics = dict(partial.metrics)
    if any("geomean_edp" in objective.needs for objective in problem.objectives):
        metrics["geomean_edp"] = _geomean_edp(problem, partial, metrics)
        partial = evolve(partial, metrics=metrics)
    return scored(problem, partial)


def _geomean_edp(problem: Problem, partial: Outcome, metrics: Mapping[str, float]) -> float:
    """Return the networks' mean EDP; of one network, or of an estimate, the EDP of all."""
    costs = {x.key: (x.energy_pj, x.cycles) for x in partial.layers}
    parts = problem.network.parts
    if not parts or len(costs) < len(problem.network.unique):
        return metrics["energy_pj"] * metrics["cycles"]
    return geomean_edp(cost_of_parts(problem.network, costs))


def scored(problem: Problem, partial: Outcome) -> Outcome:
    """Return the outcome of a design whose metrics are all known: its losses, or limits missed.

    Args:
        problem: has objectives and constraints.
        partial: has the metrics.

    Raises:
        PluginError: an objective or a limit needs what is not known, or is not a number.
    """
    partial, missed = _limited(problem, partial, early=False)
    if missed:
        return _constrained(partial, missed)
    columns = {name: np.array([value]) for name, value in partial.metrics.items()}
    losses = []
    for objective in problem.objectives:
        lacking = [name for name in objective.needs if name not in columns]
        if lacking:
            raise PluginError(
                f"objective {objective.name!r} needs {', '.join(lacking)}, which "
                f"{problem.hardware.name!r} does not have"
            )
        loss = float(np.asarray(objective.of(columns)).reshape(-1)[0])
        if not math.isfinite(loss):
            raise PluginError(f"objective {objective.name!r} is {loss}")
        losses.append(loss)
    return evolve(partial, state=State.OK, losses=tuple(losses))


def _limited(
    problem: Problem, partial: Outcome, *, early: bool
) -> tuple[Outcome, list[tuple[Constraint, float, float]]]:
    """Return the outcome with its distances from the study's limits, and the limits missed.

    Args:
        problem: has the constraints.
        partial: has the metrics known so far.
        early: look only at what is known before mapping, such as the area; otherwise a constraint
            on something unknown raises PluginError.

    Returns:
        The outcome, and (constraint, value, violation) of each limit missed.
    """
    if not problem.constraints:
        return partial, []
    missed, distances = [], {}
    for constraint in problem.constraints:
        value = _value(problem, constraint.name, partial.metrics)
        if value is None and not early:
            raise PluginError(
                f"constraint {constraint} limits something that {problem.hardware.name!r} "
                "does not have"
            )
        if value is not None:
            excess = float(constraint.excess(np.array([value]))[0])
            distances[str(constraint)] = excess
            if excess > 0:
                missed.append((constraint, value, excess))
    return evolve(partial, violations={**partial.violations, **distances}), missed


def _value(problem: Problem, name: str, metrics: Mapping[str, float]) -> float | None:
    """Return a metric or an objective, or None where it is not known."""
    if name in metrics:
        return metrics[name]
    objective = problem.known.get(name)
    if objective is None or not all(need in metrics for need in objective.needs):
        return None
    columns = {key: np.array([value]) for key, value in metrics.items()}
    return float(np.asarray(objective.of(columns)).reshape(-1)[0])


def _constrained(partial: Outcome, missed: list[tuple[Constraint, float, float]]) -> Outcome:
    texts = [f"{c.name} is {value:.6g}, not {str(c)[len(c.name) :]}" for c, value, _ in missed]
    return infeasible(partial, "; ".join(texts), added(v for _, _, v in missed))


def _unmapped(partial: Outcome, result: Unmapped) -> Outcome:
    known = {} if result.violation is None else {MAPPING: result.violation}
    partial = evolve(partial, unmapped=result, violations={**partial.violations, **known})
    return infeasible(partial, result.reason, result.violation)


def _beaten(partial: Outcome, least: float, best: float) -> Outcome:
    excess = least / best - 1.0
    partial = evolve(partial, violations={**partial.violations, BEATEN: excess})
    return infeasible(partial, "left early: proven not to beat the best before it", excess)


def infeasible(partial: Outcome, reason: str, violation: float | None) -> Outcome:
    """Return the outcome of a design that cannot be had, why, and by how much it misses."""
    return evolve(partial, state=State.INFEASIBLE, reason=reason, violation=violation)


def _fixed(accelerator: Accelerator) -> dict[str, float]:
    """Return the metrics that no mapping changes; those the model does not have are left out."""
    metrics = {}
    if math.isfinite(accelerator.area_mm2):
        metrics["area_mm2"] = float(accelerator.area_mm2)
    if accelerator.clock_mhz is not None:
        metrics["clock_mhz"] = float(accelerator.clock_mhz)
    return metrics


def _fault(error: BaseException) -> str:
    if isinstance(error, CosearchError):
        return f"{error} ({error.hint})" if error.hint else str(error)
    return f"{type(error).__name__}: {text_of(error)}"
