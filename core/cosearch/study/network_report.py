"""What a study of networks and machines found of the network, and what each of the two is worth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import evolve, frozen

from cosearch.mapping.layer import Cache
from cosearch.search.objective import Objective
from cosearch.study.evaluation import evaluate
from cosearch.study.problem import Problem
from cosearch.trials.trial import Trial
from cosearch.typing import Value


@frozen
class Ratios:
    """The baseline's loss over another's; above 1 is better.

    Attributes:
        hardware: the machine found with the baseline's network.
        network: the network found on the baseline machine.
        both: the network found on the machine found.

    Each is None where that pair cannot be run.
    """

    hardware: float | None
    network: float | None
    both: float | None


@frozen
class NetworkFound:
    """The network of the best design beside the baseline's.

    Attributes:
        name, baseline: of the two networks.
        configuration: the network's parameters.
        accuracy, baseline_accuracy: in per cent.
        accuracy_is: `measured`, `predicted` or `estimated`, and what is to be said of that.
        ratios: by objective, those that networks and machines both decide.
    """

    name: str
    baseline: str
    configuration: Mapping[str, Value]
    accuracy: float
    baseline_accuracy: float
    accuracy_is: str
    ratios: Mapping[str, Ratios]


def network_found(
    problem: Problem, best: Trial, baseline: Trial | None, cache: Cache | None = None
) -> NetworkFound | None:
    """Return what is to be said of the network of a design; None where no space was searched.

    Two more designs are evaluated for it, outside the study: limits do not count for them.

    Args:
        problem: of the study.
        best: the design.
        baseline: of the study.
        cache: results of mappers that are known.
    """
    configuration = problem.network_parameters(best.complete)
    accuracy = problem.accuracy_of(configuration)
    if problem.networks is None or accuracy is None:
        return None
    return NetworkFound(
        problem.network_of(configuration).name,
        problem.network.name,
        configuration,
        accuracy,
        problem.accuracy_of(problem.baseline) or 0.0,
        problem.networks.remark(problem.networks.space.index(configuration)),
        _ratios(evolve(problem, constraints=()), best, baseline, cache),
    )


def _ratios(
    problem: Problem, best: Trial, baseline: Trial | None, cache: Cache | None
) -> dict[str, Ratios]:
    if baseline is None or "cycles" not in baseline.outcome.metrics:
        return {}
    networks = {**problem.network_parameters(problem.baseline)}
    found = problem.network_parameters(best.complete)
    hardware = {**best.configuration, **networks}
    network = {**problem.baseline, **found}
    metrics = [evaluate(problem, pair, cache).metrics for pair in (hardware, network)]
    metrics.append(best.outcome.metrics)
    return {
        objective.name: Ratios(*(_ratio(objective, baseline.outcome.metrics, m) for m in metrics))
        for objective in problem.objectives
        if {"energy_pj", "cycles"} & set(objective.needs)
    }


def _ratio(
    objective: Objective, before: Mapping[str, float], now: Mapping[str, float]
) -> float | None:
    if not all(name in now and name in before for name in objective.needs):
        return None
    there, here = (
        float(np.asarray(objective.of({k: np.array([v]) for k, v in m.items()})).reshape(-1)[0])
        for m in (before, now)
    )
    return there / here if here else None
