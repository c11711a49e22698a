"""Search mappings on one proxy machine, then hardware over those mappings alone.

B. Lu, Z. Yan, Y. Shi, S. Ren, *A Semi-Decoupled Approach to Fast and Optimal Hardware-Software
Co-Design of Neural Accelerators*, arXiv 2203.13921, 2022: what is good on one machine is good on
others, so a small set that is good on a proxy nearly always holds what is best elsewhere. How far
that holds is told by the rank correlation between the machines, which reports print.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.mapping.mapper import Budget, Mapped, Mapper, Unmappable
from cosearch.mapping.priced import mapping_losses, priced
from cosearch.search.objective import Objective, pareto_front
from cosearch.search.parameters import ParameterSpace, Space
from cosearch.search.ranking import spearman
from cosearch.search.seeds import stream
from cosearch.study.problem import Problem
from cosearch.study.scheme import Agreement, Findings, Scheme
from cosearch.trials.trial import Trial
from cosearch.typing import Rows, Value
from cosearch.workload.einsum import Einsum

if TYPE_CHECKING:
    from cosearch.loopnest.mapping import Mapping

CANDIDATES = 64
"""Mappings of a layer that are kept at most."""

OTHERS = 4
"""Machines beside the best that the set is checked on, spread over the trials."""

SAMPLES = 4_000
"""Neighbours of the best mapping, and mappings at random, that are priced to choose from."""


@frozen(eq=False)
class Candidates:
    """Mappings of one layer found on the proxy machine.

    Attributes:
        rows: int64[n, d], points of the proxy's mapspace.
        space: the proxy's mapspace.
    """

    rows: Rows
    space: Space


class SemiDecoupled(Scheme):
    """Mappings found on the baseline machine, then hardware over those alone."""

    def mapper(self, mapper: Mapper, hardware: HardwareModel) -> Mapper:
        """Return a mapper that is bound to what the study's finds on the baseline."""
        return ProxyMapper(mapper, build(hardware, hardware.baseline))

    def findings(self, problem: Problem, trials: Sequence[Trial], *, exhausted: bool) -> Findings:  # noqa: ARG002
        """Return how alike the best machine and others that were tried rank the mappings."""
        feasible = [trial for trial in trials if trial.ok]
        best = min(feasible, key=lambda trial: (trial.merit, trial.number), default=None)
        if best is None or not isinstance(problem.mapper, ProxyMapper):
            return Findings()
        others = [t for t in feasible if t.outcome.accelerator != best.outcome.accelerator]
        spread = others[:: max(1, len(others) // OTHERS)][:OTHERS]
        machines = [problem.machine(trial.configuration) for trial in (best, *spread)]
        layers = [layer.einsum for layer in problem.network_of(best.configuration).unique]
        found = agreement(
            problem.mapper, machines, layers, problem.mapper_objective, problem.spec.mapper_budget
        )
        return Findings(agreement=found)


class ProxyMapper(Mapper):
    """Chooses each layer's mapping from a set that was found on another machine.

    Args:
        inner: finds the best mapping on the proxy.
        proxy: the machine that the set is found on.
    """

    uses_rng: ClassVar[bool] = False

    def __init__(self, inner: Mapper, proxy: Accelerator) -> None:
        if inner.resizes:
            raise CosearchError(
                "the scheme semi-decoupled carries mappings of layers at their own sizes",
                "leave out the mapper's option imperfect",
            )
        self.inner, self.proxy = inner, proxy
        self.bound_to = f"proxy {proxy.key}"
        self._known: dict[tuple[str, str], Candidates] = {}

    def map(
        self,
        accelerator: Accelerator,
        layer: Einsum,
        objective: Objective,
        budget: Budget,
        rng: np.random.Generator,  # noqa: ARG002 - the set depends on the layer alone
    ) -> Mapped:
        """Return the best of the proxy's mappings on this machine; it proves nothing."""
        started = time.perf_counter()
        rows = self._carried(accelerator, layer, objective, budget)
        if len(rows) == 0:
            raise Unmappable(f"layer {layer.name!r}: no mapping of the proxy exists here", {}, 0)
        costs = priced(accelerator, layer, rows)
        losses = mapping_losses(objective, accelerator, costs)
        best = int(np.argmin(losses))
        if not np.isfinite(losses[best]):
            raise Unmappable(
                f"layer {layer.name!r}: none of the proxy's {len(rows)} mappings can be run",
                {"proxy": float(costs.excess.min())},
                len(rows),
            )
        return Mapped(
            rows[best],
            float(costs.energy_pj[best]),
            float(costs.cycles[best]),
            evaluations=len(rows),
            seconds=time.perf_counter() - started,
            mapper="proxy",
        )

    def _carried(
        self, accelerator: Accelerator, layer: Einsum, objective: Objective, budget: Budget
    ) -> Rows:
        found = self.candidates(layer, objective, budget)
        return carried(found, accelerator.mapspace(layer))

    def candidates(self, layer: Einsum, objective: Objective, budget: Budget) -> Candidates:
        """Return the proxy's set for a layer: its Pareto front of energy and cycles, and near it.

        Starts from the inner mapper's best, its neighbours, and mappings at random.
        """
        key = (layer.key, objective.name)
        if key not in self._known:
            rng = stream(0, "proxy", self.proxy.key, layer.key)
            best = self.inner.map(self.proxy, layer, objective, budget, rng)
            space = self.proxy.mapspace(layer)
            near = np.repeat(best.row[None, :], SAMPLES, axis=0)
            for _ in range(4):
                steps = rng.random(SAMPLES) < 0.6
                near[steps] = space.perturb(near[steps], rng)
            anywhere, _ = space.sample_feasible(SAMPLES, rng, 50 * SAMPLES)
            rows = np.unique(np.concatenate([best.row[None, :], near, anywhere]), axis=0)
            costs = priced(self.proxy, layer, rows)
            order = np.argsort(mapping_losses(objective, self.proxy, costs), kind="stable")
            ranked = rows[order[: 8 * CANDIDATES]]
            self._known[key] = Candidates(self._spread(layer, ranked, objective), space)
        return self._known[key]

    def _spread(self, layer: Einsum, ranked: Rows, objective: Objective) -> Rows:
        """Return the front of energy and cycles first, then the best of the rest."""
        costs = priced(self.proxy, layer, ranked)
        ranked = ranked[costs.feasible]
        costs = priced(self.proxy, layer, ranked)
        front = pareto_front(np.stack([costs.energy_pj, costs.cycles], axis=1))
        order = np.lexsort((mapping_losses(objective, self.proxy, costs), ~front))
        return ranked[order[:CANDIDATES]]


def carried(candidates: Candidates, there: Space) -> Rows:
    """Return the candidates as rows of another machine's mapspace; those it lacks are left out."""
    rows = [row for c in candidates.rows if (row := _row(candidates.space, c, there)) is not None]
    if not rows:
        return np.zeros((0, len(there.names)), dtype=np.int64)
    return np.unique(np.array(rows, dtype=np.int64), axis=0)


def _row(here: Space, row: Rows, there: Space) -> Rows | None:
    """Return the same mapping in another space, or None where it does not exist."""
    try:
        if isinstance(here, ParameterSpace) and isinstance(there, ParameterSpace):
            values: dict[str, Value] = here.decode(row)
            return there.index(values)
        mapping: Mapping = here.mapping_of(row)  # type: ignore[attr-defined]
        found: Rows = there.row_of(mapping)  # type: ignore[attr-defined]
    except CosearchError:
        return None
    return found


def rank_correlation(
    mapper: ProxyMapper,
    accelerator: Accelerator,
    layers: Sequence[Einsum],
    objective: Objective,
    budget: Budget,
) -> float:
    """Return the mean over layers of the rank correlation of the candidates' losses.

    Between the proxy and another machine, over the candidates that run on both; layers with fewer
    than three of them are left out, and NaN is returned where none is left.
    """
    found = []
    for layer in layers:
        candidates = mapper.candidates(layer, objective, budget)
        space = accelerator.mapspace(layer)
        pairs = [(c, _row(candidates.space, c, space)) for c in candidates.rows]
        both = [(c, row) for c, row in pairs if row is not None]
        if len(both) < 3:
            continue
        here = _losses(mapper.proxy, layer, objective, np.array([c for c, _ in both]))
        there = _losses(accelerator, layer, objective, np.array([row for _, row in both]))
        known = np.isfinite(here) & np.isfinite(there)
        if known.sum() >= 3:
            found.append(spearman(here[known], there[known]))
    return float(np.mean(found)) if found else float("nan")


def agreement(
    mapper: ProxyMapper,
    machines: Sequence[Accelerator],
    layers: Sequence[Einsum],
    objective: Objective,
    budget: Budget,
) -> Agreement | None:
    """Return what the scheme's validity rests on; None where no machine can be compared.

    Args:
        mapper: of the study.
        machines: the best first.
        layers: of the network.
        objective: of the mappings.
        budget: of the inner mapper, a layer.
    """
    found = [rank_correlation(mapper, m, layers, objective, budget) for m in machines]
    known = [value for value in found if not np.isnan(value)]
    if not known or np.isnan(found[0]):
        return None
    return Agreement(found[0], float(np.mean(known)), min(known), len(known))


def _losses(machine: Accelerator, layer: Einsum, objective: Objective, rows: Rows) -> np.ndarray:
    return mapping_losses(objective, machine, priced(machine, layer, rows))
