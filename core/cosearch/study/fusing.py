"""Layers that run together in the designs of a study: asked for, priced again, told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from attrs import evolve, frozen

from cosearch.errors import CosearchError, Infeasible
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.group_text import group_nest
from cosearch.loopnest.model.fused import group_cost
from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.claim import agree
from cosearch.mapping.groups import GroupResult, results_of
from cosearch.quantities import added
from cosearch.study.problem import Problem
from cosearch.trials.trial import Outcome, Trial
from cosearch.typing import Value
from cosearch.workload.network import Network

UNFUSED = {"energy_pj": "unfused_energy_pj", "cycles": "unfused_cycles"}
"""Metrics of layers that run together, and of the same layers alone."""

ROUNDING = 1e-9
"""By how much sums may differ that were added up in another order, relative."""


def refuse_unfusing(problem: Problem) -> None:
    """Raise CosearchError where `--fuse` is asked of what runs every layer alone."""
    if not problem.for_design(problem.space.defaults).mapper.fuses:
        raise CosearchError(
            f"{problem.spec.mapper} under the scheme {problem.spec.scheme} runs every layer alone",
            "fuse with the mapper that does (-m fused), under the schemes nested or exhaustive",
        )
    if problem.networks is not None:
        raise CosearchError(
            "studies of networks and machines map every layer alone", "leave out --fuse"
        )
    if any("geomean_edp" in o.needs for o in problem.objectives):
        raise CosearchError(
            "geomean_edp is a mean over networks whose layers run alone", "leave out --fuse"
        )
    try:
        machine = build(problem.hardware, problem.hardware.baseline)
    except Infeasible:
        return
    if not isinstance(machine, SpatialAccelerator):
        raise CosearchError(
            f"layers are fused on loop-nest machines; {machine.name!r} has a model of its own",
            "leave out --fuse",
        )


def fused(problem: Problem, machine: Accelerator, alone: Outcome) -> Outcome:
    """Return the outcome with the network run in groups, given it layer by layer."""
    spec = problem.spec
    found = problem.mapper.fuse(
        machine, problem.network, problem.mapper_objective, spec.mapper_budget, spec.fuse_most
    )
    groups = results_of(found)
    metrics = {
        **alone.metrics,
        **{unfused: alone.metrics[name] for name, unfused in UNFUSED.items()},
        **_sums(groups),
        "mapping_gap": found.gap,
    }
    return evolve(alone, metrics=metrics, groups=groups)


def _sums(groups: tuple[GroupResult, ...]) -> dict[str, float]:
    return {name: added(getattr(g, name) * g.count for g in groups) for name in UNFUSED}


@frozen
class GroupReport:
    """A group of several layers on a design.

    Attributes:
        layers: names of its members.
        count: how often the network runs it.
        energy_pj, cycles: of one run.
        room: words of the level they share in use at the fullest moment.
        outermost_words, unfused_words: that pass to and from the outermost level in one run,
            together and each alone.
        loops: prefix and bodies as an indented loop nest.
    """

    layers: tuple[str, ...]
    count: int
    energy_pj: float
    cycles: float
    room: int
    outermost_words: int
    unfused_words: int
    loops: tuple[str, ...]


def energy_by_part(
    machine: SpatialAccelerator, network: Network, groups: tuple[GroupResult, ...]
) -> dict[str, float]:
    """Return where the energy of a network in groups goes, pJ."""
    architecture, parts = machine.architecture, {"compute": 0.0}
    rest = 0.0
    for found in groups:
        group = found.group(network)
        cost = group_cost(architecture, group)
        for member, layer in zip(cost.members, group.layers, strict=True):
            moved = {
                memory.name: added(tensor.energy_pj for tensor in level)
                for memory, level in zip(architecture.levels, member.levels, strict=True)
            }
            moved["compute"] = layer.macs * architecture.compute.energy_pj
            rest += found.count * (member.energy_pj - added(moved.values()))
            for part, pj in moved.items():
                parts[part] = parts.get(part, 0.0) + found.count * pj
    total = added(parts.values())
    return parts if abs(rest) <= ROUNDING * total else {**parts, "networks, leakage": rest}


def group_reports(
    machine: Accelerator, network: Network, groups: tuple[GroupResult, ...]
) -> Iterator[GroupReport]:
    """Yield what is told of the groups of several layers."""
    for found in groups:
        if len(found.layers) > 1 and isinstance(machine, SpatialAccelerator):
            yield GroupReport(
                found.layers,
                found.count,
                found.energy_pj,
                found.cycles,
                found.room,
                found.outermost_words,
                found.unfused_words,
                group_nest(machine.architecture, found.group(network), found.layers),
            )


def group_disagreements(machine: Accelerator, network: Network, outcome: Outcome) -> Iterator[str]:
    """Yield how the reference model differs from what is stored of groups, and sums from both."""
    if not outcome.groups or not isinstance(machine, SpatialAccelerator):
        return
    covered: dict[str, int] = {}
    for found in outcome.groups:
        name = " -> ".join(found.layers)
        cost = group_cost(machine.architecture, found.group(network))
        if not agree((cost.energy_pj, cost.cycles), (found.energy_pj, found.cycles)):
            yield (
                f"{name}: the reference model says {cost.energy_pj!r} pJ and {cost.cycles!r} "
                f"cycles; stored are {found.energy_pj!r} pJ and {found.cycles!r} cycles"
            )
        for place in found.places:
            key = network.layers[place].einsum.key
            covered[key] = covered.get(key, 0) + found.count
    if covered != {layer.einsum.key: layer.count for layer in network.unique}:
        yield "the groups are not the network's layers"
    for metric, total in _sums(outcome.groups).items():
        if not math.isclose(total, outcome.metrics[metric], rel_tol=ROUNDING):
            yield f"the groups' {metric} is {total!r}; stored is {outcome.metrics[metric]!r}"


@frozen
class Change:
    """What fusing layers changed in the choice of a design.

    Attributes:
        number: of the trial that would be best of those tried with every layer alone.
        parameters: that differ: of the best design, and of that trial.
        unfused, fused: that trial's losses by objective, every layer alone and as it is.
        best_unfused, best: the same of the best design.
    """

    number: int
    parameters: Mapping[str, tuple[Value, Value]]
    unfused: Mapping[str, float]
    fused: Mapping[str, float]
    best_unfused: Mapping[str, float]
    best: Mapping[str, float]


def change(problem: Problem, trials: list[Trial], best: Trial) -> Change | None:
    """Return what fusing changed among the feasible trials of a study; None without fusing.

    Of several objectives the product of the losses decides, as it does among fused designs.
    """
    known = [trial for trial in trials if UNFUSED["cycles"] in trial.outcome.metrics]
    if not known or UNFUSED["cycles"] not in best.outcome.metrics:
        return None

    def merit(trial: Trial) -> tuple[float, int]:
        return math.prod(unfused_losses(problem, trial).values()), trial.number

    first = min(known, key=merit)
    here, there = (problem.parameters_of(trial.configuration) for trial in (best, first))
    return Change(
        first.number,
        {name: (value, there[name]) for name, value in here.items() if value != there[name]},
        unfused_losses(problem, first),
        _losses(problem, first.outcome.metrics),
        unfused_losses(problem, best),
        _losses(problem, best.outcome.metrics),
    )


def unfused_losses(problem: Problem, trial: Trial) -> dict[str, float]:
    """Return a design's losses with every layer alone."""
    metrics = dict(trial.outcome.metrics)
    metrics.update({name: metrics[unfused] for name, unfused in UNFUSED.items()})
    return _losses(problem, metrics)


def _losses(problem: Problem, metrics: Mapping[str, float]) -> dict[str, float]:
    columns = {name: np.array([value]) for name, value in metrics.items()}
    return {o.name: float(np.asarray(o.of(columns)).reshape(-1)[0]) for o in problem.objectives}
