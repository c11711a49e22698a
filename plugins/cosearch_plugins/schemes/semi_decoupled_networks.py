"""Networks found on one proxy machine, then all machines with that small set of networks.

B. Lu, Z. Yan, Y. Shi, S. Ren, *A Semi-Decoupled Approach to Fast and Optimal Hardware-Software
Co-Design of Neural Accelerators*, arXiv 2203.13921, 2022. Where machines rank networks alike, the
networks that are Pareto-optimal on one of them serve all, at N + |P| M evaluations in place of N M.
Whether they do is reported as rank correlations between the proxy and machines that were tried.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cosearch.errors import CosearchError, Infeasible
from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.network import map_layers
from cosearch.mapping.result import LayerResult
from cosearch.mapping.threads import ThreadPool
from cosearch.search.ranking import spearman
from cosearch.study.problem import Problem
from cosearch.study.scheme import Agreement, Findings
from cosearch.trials.trial import Trial
from cosearch.typing import FloatArray
from cosearch.workload.network import Layer, NetworkSpace
from cosearch_plugins.landscape.classes import Classes
from cosearch_plugins.schemes.network_inside import NetworkInside

OTHERS = 4
"""Machines beside the best whose ranks are compared, spread over the trials."""


class SemiDecoupledNetworks(NetworkInside):
    """Networks that are Pareto-optimal on the baseline machine, then machines over those alone.

    Pareto-optimal in accuracy, energy and cycles, every layer at its own best mapping. Every
    network of the space is priced on the baseline, by sums of its layers; on any other machine the
    layers of the kept networks alone are mapped.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kept: tuple[NetworkSpace, Classes] | None = None

    def _classes(self, problem: Problem) -> Classes:
        every = super()._classes(problem)
        if self._kept is None or self._kept[0] is not problem.networks:
            if problem.networks is None:
                raise TypeError("there is no space of networks")
            self._kept = problem.networks, _used(every.only(_front(problem, every)))
        return self._kept[1]

    def findings(self, problem: Problem, trials: Sequence[Trial], *, exhausted: bool) -> Findings:
        """Return how alike the best machine and others that were tried rank all networks."""
        del exhausted
        feasible = [trial for trial in trials if trial.ok]
        best = min(feasible, key=lambda trial: (trial.merit, trial.number), default=None)
        if best is None or problem.networks is None:
            return Findings()
        every = Classes.of(problem.networks, problem.hardware)
        others = [t for t in feasible if t.outcome.accelerator != best.outcome.accelerator]
        spread = others[:: max(1, len(others) // OTHERS)][:OTHERS]
        machines = [problem.machine(trial.configuration) for trial in (best, *spread)]
        here = _losses(problem, every, _proxy(problem))
        found = [correlation(here, _losses(problem, every, machine)) for machine in machines]
        known = [rho for rho in found if not np.isnan(rho)]
        if np.isnan(found[0]):
            return Findings()
        least, mean = min(known), float(np.mean(known))
        return Findings(agreement=Agreement(found[0], mean, least, len(known), "all networks"))


def correlation(here: FloatArray, there: FloatArray) -> float:
    """Return the rank correlation of costs, float64[k] each, of what runs on both machines."""
    both = np.isfinite(here) & np.isfinite(there)
    return spearman(here[both], there[both]) if both.sum() >= 3 else float("nan")


def kept_networks(accuracy: FloatArray, *costs: FloatArray) -> np.ndarray:
    """Return the numbers of the networks that no other dominates, ascending; one of equal ones.

    Args:
        accuracy: float64[k], higher is better.
        costs: float64[k] each, lower is better; infinite for what cannot be run, which is left out.
    """
    table = np.stack(costs, axis=1)
    kept: list[int] = []
    for i in np.lexsort((*table.T, -accuracy)).tolist():
        if np.isfinite(table[i]).all() and not (table[kept] <= table[i]).all(axis=1).any():
            kept.append(i)
    return np.sort(np.array(kept, dtype=np.int64))


def _front(problem: Problem, every: Classes) -> np.ndarray:
    energy, cycles = _costs(problem, every, _proxy(problem))
    return kept_networks(every.accuracy, energy, cycles)


def _used(classes: Classes) -> Classes:
    """Return the classes without the layers that none of them runs."""
    used = np.flatnonzero(classes.counts.any(axis=0))
    layers = tuple(classes.layers[j] for j in used)
    counts = classes.counts[:, used]
    return Classes(layers, counts, classes.rows, classes.accuracy, classes.members)


def _proxy(problem: Problem) -> Accelerator:
    try:
        return build(problem.hardware, {**problem.hardware.baseline, **problem.spec.fixed})
    except Infeasible as verdict:
        raise CosearchError(
            f"the scheme semi-decoupled-networks needs the baseline as a proxy: {verdict.reason}",
            "use the scheme network-inside",
        ) from None


def _costs(
    problem: Problem, classes: Classes, machine: Accelerator
) -> tuple[FloatArray, FloatArray]:
    """Return energy and cycles, float64[k] each, every layer at its own best mapping."""
    layers = [Layer(einsum) for einsum in classes.layers]
    found = list(map_layers(ThreadPool.alone(problem.task, machine), layers))
    table = np.array(
        [(x.energy_pj, x.cycles) if isinstance(x, LayerResult) else (np.inf, np.inf) for x in found]
    ).reshape(len(layers), 2)
    return classes.sums(table[:, 0]), classes.sums(table[:, 1])


def _losses(problem: Problem, classes: Classes, machine: Accelerator) -> FloatArray:
    energy, cycles = _costs(problem, classes, machine)
    with np.errstate(invalid="ignore"):
        found = problem.mapper_objective.of({"energy_pj": energy, "cycles": cycles})
    return np.where(np.isfinite(cycles), found, np.inf)
