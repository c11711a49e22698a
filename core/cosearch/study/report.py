"""What a study found, as facts: the best design beside the baseline, every number checked.

Nothing is reported that the readable reference model does not confirm: the stored design is built
again, its stored mappings are priced again by the kernel (to the last digit) and explained by the
reference model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from attrs import frozen

from cosearch.errors import Infeasible, PluginError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.building import build
from cosearch.machine.cost import Cost, PartialTiles
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.claim import account_of, agree
from cosearch.mapping.layer import Cache
from cosearch.mapping.priced import priced
from cosearch.mapping.result import LayerResult
from cosearch.quantities import added
from cosearch.search.hypervolume import dominated_share, reference_point
from cosearch.study.computation import baseline_computing, changes
from cosearch.study.fusing import (
    UNFUSED,
    Change,
    GroupReport,
    change,
    energy_by_part,
    group_disagreements,
    group_reports,
)
from cosearch.study.network_report import NetworkFound, network_found
from cosearch.study.problem import Problem
from cosearch.study.recombination import Recombined, recombined
from cosearch.study.scheme import Agreement
from cosearch.study.study import Study
from cosearch.trials.trial import State, Trial
from cosearch.typing import Value
from cosearch.workload.mix import PartCost, cost_of_parts
from cosearch.workload.network import Layer
from cosearch.workload.text import run_as, with_widths

ROUNDING = 1e-9
"""By how much the reference model's energy may differ from the kernel's, relative: it adds up in
another order. Cycles are whole numbers and must be equal."""


NOT_COMPARED = ("clock_mhz", "mapping_gap", "accuracy")
"""Metrics of which less is not better."""


@frozen
class LayerReport:
    """One unique layer on the design.

    Attributes:
        name, about: of the layer, about in words.
        count: how often the network runs it.
        macs, energy_pj, cycles: of one run.
        utilization: of the multipliers, 0 to 1.
        bound_by: what decides the cycles.
        proven, gap: how far from the optimum the mapping can be.
        mapper: what found it.
        row: the mapping as a point of the mapspace.
        loops: the mapping as an indented loop nest.
        energy_by_part: where the energy of one run goes, pJ.
        sizes: of the layer as it is run, where it was rounded up.
        partial: what the mapping costs with partial last tiles, where the mapper asked.
    """

    name: str
    about: str
    count: int
    macs: int
    energy_pj: float
    cycles: float
    utilization: float
    bound_by: str
    proven: bool
    gap: float | None
    mapper: str
    row: tuple[int, ...]
    loops: tuple[str, ...]
    energy_by_part: Mapping[str, float]
    sizes: tuple[int, ...] | None = None
    partial: PartialTiles | None = None


@frozen
class DesignReport:
    """A design, priced again.

    Attributes:
        number: of the trial; 0 is the baseline.
        configuration: the hardware parameters.
        losses: by objective.
        metrics: `energy_pj`, `cycles`, `area_mm2`, `clock_mhz` and `mapping_gap` (see `Outcome`),
            those that are known.
        layers: unique layers.
        energy_by_part: where the energy of the whole network goes, pJ.
        sources: where each number comes from, by component.
        networks: what one run of each network costs, where several share the machine.
        disagreements: stored numbers that the models do not confirm; empty if all is well.
        groups: layers that run together. What `layers` says is of each alone.
    """

    number: int
    configuration: Mapping[str, Value]
    losses: Mapping[str, float]
    metrics: Mapping[str, float]
    layers: tuple[LayerReport, ...]
    energy_by_part: Mapping[str, float]
    sources: Mapping[str, str]
    networks: tuple[PartCost, ...]
    disagreements: tuple[str, ...]
    groups: tuple[GroupReport, ...] = ()


@frozen
class Point:
    """A trial in a list: number, configuration and losses by objective."""

    number: int
    configuration: Mapping[str, Value]
    losses: Mapping[str, float]


@frozen
class StudyReport:
    """A study, as `--json` prints it.

    Attributes:
        study, settings, facts, budget: what was asked, with versions.
        status, note: how it ended.
        seconds: over all sessions.
        trials, infeasible, failed: how many, of the strategy's own.
        evaluations: mappings priced.
        best: the best design; None where none is feasible.
        baseline: what it is compared with; None where it cannot be built or run.
        improvement: baseline over best, by objective and metric; above 1 is better.
        changed: what the best design computes otherwise than the baseline, in words; its parameters
            that are said to change the computation, such as the width of words.
        equal: as `improvement`, over a baseline that computes what the best design does.
        front: the designs that no other dominates, with several objectives.
        hypervolume: share of the box between zero and `reference` that the front dominates; None
            with one objective, or no front.
        reference: by objective, beyond the worst of the front, see `cosearch.search.hypervolume`.
        obstacle: why there is no best design, or no baseline.
        failures: how often each reason made a trial fail.
        refusals: how often each reason made a trial infeasible.
        notes: what observers did wrong.
        spent: whole trials that the trials come to.
        agreement: how alike machines rank the mappings found on the baseline, which the scheme
            semi-decoupled rests on; None under another scheme, or with nothing to compare.
        network: the network found, where networks were searched.
        recombined: the best pair of a machine and a network that the trials met, each in some
            trial, known for nothing; None where networks were not searched.
        hardware_gap: how far below the best another design of the whole space can be at most,
            relative; None where the scheme is not exhaustive, or has not ended by itself.
        change: what fusing layers changed in the choice of the design; None without fusing.
    """

    study: str
    settings: Mapping[str, Any]
    facts: Mapping[str, Any]
    budget: Mapping[str, float | None]
    status: str
    note: str
    seconds: float
    trials: int
    infeasible: int
    failed: int
    evaluations: int
    best: DesignReport | None
    baseline: DesignReport | None
    improvement: Mapping[str, float]
    changed: tuple[str, ...]
    equal: Mapping[str, float]
    front: tuple[Point, ...]
    hypervolume: float | None
    reference: Mapping[str, float]
    obstacle: str
    failures: Mapping[str, int]
    refusals: Mapping[str, int]
    notes: tuple[str, ...]
    spent: float
    agreement: Agreement | None = None
    hardware_gap: float | None = None
    network: NetworkFound | None = None
    recombined: Recombined | None = None
    change: Change | None = None


def report_of(study: Study, cache: Cache | None = None) -> StudyReport:
    """Return the report of a study, its best design and the baseline priced again.

    Args:
        study: with its trials.
        cache: results of mappers, where a report needs pairs that no trial tried.
    """
    problem, header, fused = study.problem, study.header, study.problem.spec.fuse
    hypervolume, reference = _dominated(study)
    best = None if study.best is None else account(problem, study.best)
    has_baseline = study.baseline is not None and bool(study.baseline.outcome.metrics.get("cycles"))
    baseline = account(problem, study.baseline) if study.baseline and has_baseline else None
    findings = study.findings
    changed = changes(problem, study.best.configuration) if study.best and baseline else ()
    comparable = baseline
    if study.best and changed:
        there = baseline_computing(problem, study.best.configuration, cache)
        comparable = account(problem, there) if there.outcome.metrics.get("cycles") else None
    return StudyReport(
        study=study.name,
        settings=_settings(study),
        facts=header.facts,
        budget={
            "trials": header.budget.trials,
            "evaluations": header.budget.evaluations,
            "seconds": header.budget.seconds,
        },
        status=header.status,
        note=header.note,
        seconds=header.seconds,
        trials=len(study.trials),
        infeasible=study.count(State.INFEASIBLE),
        failed=study.count(State.FAILED),
        evaluations=study.evaluations,
        best=best,
        baseline=baseline,
        improvement=_improvement(best, baseline),
        changed=changed,
        equal=_improvement(best, comparable),
        front=tuple(_point(problem, t) for t in study.front) if len(problem.objectives) > 1 else (),
        hypervolume=hypervolume,
        reference=reference,
        obstacle=obstacle(study),
        failures=_reasons(study, State.FAILED),
        refusals=_reasons(study, State.INFEASIBLE),
        notes=tuple(study.notes),
        spent=study.spent,
        agreement=findings.agreement,
        hardware_gap=findings.hardware_gap,
        network=network_found(problem, study.best, study.baseline, cache) if study.best else None,
        recombined=None if problem.networks is None else _recombined(study),
        change=change(problem, study.feasible, study.best) if study.best and fused else None,
    )


def account(problem: Problem, trial: Trial) -> DesignReport:
    """Return a stored design priced again by the kernel and explained by the reference model.

    What they do not confirm is in `disagreements`.
    """
    wrong: list[str] = []
    layers: list[LayerReport] = []
    parts: dict[str, float] = {}
    sources: Mapping[str, str] = {}
    problem = problem.for_design(trial.complete)
    groups: tuple[GroupReport, ...] = ()
    try:
        machine = build(problem.hardware, trial.configuration)
        sources = dict(machine.sources)
        if str(machine.key) != trial.outcome.accelerator:
            wrong.append("the machine is another one now: a model or a table has changed")
        by_key = {layer.einsum.key: layer for layer in problem.network.unique}
        for result in (found for found in trial.outcome.layers if found.count):
            layer = by_key[result.key]
            run = result.as_run(layer.einsum)
            cost = account_of(machine, run, result.row)
            wrong += _disagreements(machine, layer, result, cost)
            wrong += _partial_disagreements(machine, layer, result)
            layers.append(_layer_report(layer, result, cost))
            for part, pj in _parts(cost):
                parts[part] = parts.get(part, 0.0) + pj * layer.count
        wrong += group_disagreements(machine, problem.network, trial.outcome)
        if trial.outcome.groups and isinstance(machine, SpatialAccelerator):
            parts = energy_by_part(machine, problem.network, trial.outcome.groups)
        groups = tuple(group_reports(machine, problem.network, trial.outcome.groups))
    except Infeasible as verdict:
        wrong.append(f"the design is not feasible any more: {verdict}")
    except PluginError as error:
        wrong.append(str(error))
    wrong += _wrong_sums(trial, layers)
    return DesignReport(
        trial.number,
        problem.parameters_of(trial.configuration),
        _losses(problem, trial),
        trial.outcome.metrics,
        tuple(layers),
        parts,
        sources,
        _networks(problem, trial),
        tuple(wrong),
        groups,
    )


def _networks(problem: Problem, trial: Trial) -> tuple[PartCost, ...]:
    """Return the cost of each part of a mix, where every layer is mapped."""
    costs = {x.key: (x.energy_pj, x.cycles) for x in trial.outcome.layers}
    alone = not trial.outcome.groups
    if not alone or any(layer.einsum.key not in costs for layer in problem.network.unique):
        return ()
    return cost_of_parts(problem.network, costs)


def obstacle(study: Study) -> str:
    """Return why there is no best design, or why the baseline has no cost; empty if both exist."""
    if study.best is None and study.trials:
        nearest = study.nearest
        if nearest is None:
            reasons = _reasons(study, State.FAILED) or _reasons(study, State.INFEASIBLE)
            why = next(iter(reasons), "no whole design was tried")
            return f"no design is feasible: {why}"
        violation = nearest.outcome.violation or 0.0
        return (
            f"no design is feasible; trial {nearest.number} misses by least "
            f"({100 * violation:.3g} %): {nearest.outcome.reason}"
        )
    if study.baseline is not None and not study.baseline.ok:
        return f"the baseline is {study.baseline.outcome.state}: {study.baseline.outcome.reason}"
    return "" if study.trials else "no trial has ended yet"


def _disagreements(
    machine: Accelerator, layer: Layer, result: LayerResult, cost: Cost
) -> Iterator[str]:
    """Yield how kernel and reference model differ from what is stored."""
    rows = np.array([result.row], dtype=np.int64)
    costs = priced(machine, result.as_run(layer.einsum), rows)
    energy, cycles = float(costs.energy_pj[0]), float(costs.cycles[0])
    stored = f"stored are {result.energy_pj!r} pJ and {result.cycles!r} cycles"
    if (energy, cycles) != (result.energy_pj, result.cycles):
        yield f"{layer.name}: the kernel says {energy!r} pJ and {cycles!r} cycles; {stored}"
    if not agree((cost.energy_pj, cost.cycles), (result.energy_pj, result.cycles)):
        said = f"{cost.energy_pj!r} pJ and {cost.cycles!r} cycles"
        yield f"{layer.name}: the reference model says {said}; {stored}"


def _partial_disagreements(
    machine: Accelerator, layer: Layer, result: LayerResult
) -> Iterator[str]:
    """Yield how the model of partial last tiles differs from what is stored."""
    if result.partial is None or not isinstance(machine, SpatialAccelerator):
        return
    from cosearch.loopnest.model.partial_tiles import partial_cost

    mapping = machine.mapspace(result.as_run(layer.einsum)).mapping_of(np.array(result.row))
    found = partial_cost(machine.architecture, layer.einsum, mapping)
    then = (result.partial.energy_pj, result.partial.cycles)
    if not agree((found.energy_pj, found.cycles), then):
        yield (
            f"{layer.name}: with partial last tiles the model says {found.energy_pj!r} pJ and "
            f"{found.cycles!r} cycles; stored are {result.partial.energy_pj!r} pJ and "
            f"{result.partial.cycles!r} cycles"
        )


def _wrong_sums(trial: Trial, layers: list[LayerReport]) -> Iterator[str]:
    metrics = trial.outcome.metrics
    for name, unfused in UNFUSED.items():
        total = added(getattr(layer, name) * layer.count for layer in layers)
        known = unfused if unfused in metrics else name
        if known in metrics and total != metrics[known]:
            yield f"the network's {known} is {total!r}; stored is {metrics[known]!r}"


def _layer_report(layer: Layer, result: LayerResult, cost: Cost) -> LayerReport:
    return LayerReport(
        layer.name,
        _about(layer, result),
        layer.count,
        layer.einsum.macs,
        result.energy_pj,
        result.cycles,
        cost.utilization,
        cost.bound_by,
        result.proven,
        result.gap,
        result.mapper,
        result.row,
        cost.loops,
        dict(_parts(cost)),
        result.sizes,
        result.partial,
    )


def _about(layer: Layer, result: LayerResult) -> str:
    about = with_widths(layer.einsum)
    return about if result.sizes is None else f"{about}, {run_as(layer.einsum, result.sizes)}"


def _parts(cost: Cost) -> Iterator[tuple[str, float]]:
    """Yield where a layer's energy goes; the parts sum up to all of it."""
    rest = cost.energy_pj - cost.compute_pj
    yield "compute", cost.compute_pj
    for level in cost.levels:
        yield level.name, level.energy_pj
        rest -= level.energy_pj
        if level.network_pj:
            yield f"network below {level.name}", level.network_pj
            rest -= level.network_pj
    if abs(rest) > ROUNDING * cost.energy_pj:
        yield "other", rest


def _improvement(best: DesignReport | None, baseline: DesignReport | None) -> dict[str, float]:
    if best is None or baseline is None:
        return {}
    pairs = [(best.losses, baseline.losses), (best.metrics, baseline.metrics)]
    return {
        name: there[name] / value
        for here, there in pairs
        for name, value in here.items()
        if name in there and name not in NOT_COMPARED and value
    }


def _losses(problem: Problem, trial: Trial) -> dict[str, float]:
    """Return the losses by objective, also of a baseline that breaks a constraint."""
    metrics = trial.outcome.metrics
    columns = {name: np.array([value]) for name, value in metrics.items()}
    return {
        objective.name: float(np.asarray(objective.of(columns)).reshape(-1)[0])
        for objective in problem.objectives
        if all(name in columns for name in objective.needs)
    }


def _dominated(study: Study) -> tuple[float | None, dict[str, float]]:
    """Return the hypervolume of the front, as a share, and its reference point by objective."""
    names = [objective.name for objective in study.problem.objectives]
    if len(names) == 1 or not study.front:
        return None, {}
    losses = np.array([trial.outcome.losses for trial in study.front])
    reference = reference_point(losses)
    corner = dict(zip(names, reference.tolist(), strict=True))
    return dominated_share(losses, reference), corner


def _point(problem: Problem, trial: Trial) -> Point:
    chosen = problem.network_parameters(trial.complete)
    design = {**chosen, **problem.parameters_of(trial.configuration)}
    return Point(trial.number, design, _losses(problem, trial))


def _settings(study: Study) -> dict[str, Any]:
    from attrs import asdict

    return asdict(study.header.spec)


def _recombined(study: Study) -> Recombined | None:
    return recombined(study.problem, [t for t in (study.baseline, *study.in_order) if t])


def _reasons(study: Study, state: State) -> dict[str, int]:
    """Return the reasons of trials that ended so, the most frequent first."""
    counts: dict[str, int] = {}
    if not study.count(state):
        return counts
    for trial in study.in_order:
        if trial.outcome.state is state:
            counts[trial.outcome.reason] = counts.get(trial.outcome.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
