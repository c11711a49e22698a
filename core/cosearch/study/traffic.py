"""Words at the outermost memory on a design, beside the fewest of any mappings."""

from __future__ import annotations

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.claim import account_of
from cosearch.mapping.result import LayerResult
from cosearch.mapping.traffic import Traffic, outermost_words
from cosearch.quantities import added
from cosearch.study.problem import Problem
from cosearch.trials.trial import Trial


def traffic_of(problem: Problem, machine: Accelerator, moved: int) -> Traffic | None:
    """Return the words that mappings pass beside the fewest; None where nothing is proven.

    Args:
        problem: whose network is mapped, and by whom.
        machine: mapped onto.
        moved: words that its mappings pass.
    """
    spec = problem.spec
    if not isinstance(machine, SpatialAccelerator):
        return None
    most = spec.fuse_most if spec.fuse else 1
    fewest = problem.mapper.least_traffic(machine, problem.network, spec.mapper_budget, most)
    if fewest is None:
        return None
    return Traffic(machine.architecture.levels[-1].name, moved, fewest, spec.fuse)


def traffic_of_trial(problem: Problem, trial: Trial) -> Traffic | None:
    """Return the same of a stored design."""
    problem = problem.for_design(trial.complete)
    machine = build(problem.hardware, trial.configuration)
    found = trial.outcome
    if found.groups:
        moved = added(group.count * group.outermost_words for group in found.groups)
        return traffic_of(problem, machine, moved)
    return traffic_of_layers(problem, machine, found.layers)


def traffic_of_layers(
    problem: Problem, machine: Accelerator, results: tuple[LayerResult, ...]
) -> Traffic | None:
    """Return the same of a network mapped layer by layer; other machines are not explained."""
    if not isinstance(machine, SpatialAccelerator):
        return None
    by_key = {layer.einsum.key: layer for layer in problem.network.unique}
    words = 0
    for result in results:
        layer = by_key[result.key]
        cost = account_of(machine, result.as_run(layer.einsum), result.row)
        words += layer.count * outermost_words(cost)
    return traffic_of(problem, machine, words)
