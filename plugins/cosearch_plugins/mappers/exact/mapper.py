"""The mapper that proves its mapping best: a front of the search beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cosearch.errors import CosearchError
from cosearch.lately import Lately
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Budget, Mapped, Mapper, Unmappable
from cosearch.mapping.recent import Recent
from cosearch.mapping.traffic import LeastTraffic
from cosearch.search.objective import Objective
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import IntArray
from cosearch.workload.einsum import Einsum

if TYPE_CHECKING:
    from cosearch.loopnest.space.mapspace import MapSpace
    from cosearch.workload.network import Network
    from cosearch_plugins.mappers.exact.arrays import Aim
    from cosearch_plugins.mappers.exact.problem import OrderTables
    from cosearch_plugins.mappers.exact.solve import Certificate, Limits, Solver

NODES = 10_000_000
"""Of a layer's search, unless said otherwise: several seconds. Most layers need a thousandth."""

PERFECT = "none"
"""Every factor divides the layer."""

_SAMPLES = 4096
"""Random mappings tried where a time limit leaves none: a few milliseconds."""

_CLIMBS, _NEIGHBOURS = 32, 256
"""Steps from there, and mappings tried at each: a few milliseconds more."""


_SLOW_SAMPLES, _SLOW_CLIMBS, _SLOW_NEIGHBOURS = 256, 4, 32
"""The same for layers that only the reference model prices, a millisecond a mapping."""

_SOLVERS = 32
"""Layers whose tables are kept: a network is searched in several directions, layer by layer."""


class ExactMapper(Mapper):
    """Searches all perfect factorizations, loop orders, X/Y splits and open bypass choices.

    Of the fastest mappings it returns the one of least energy. It understands machines that are
    a `SpatialAccelerator`. Equal questions are searched once: machine, layer (but its name),
    objective and limits decide the answer, which is remembered unless a clock ended its search.

    Args:
        bypass: `open` searches what the machine leaves open to keep or bypass; `fixed` keeps it
            all, which proves nothing when there was a choice.
        nodes: partial mappings bounded per layer at most; 0 is without limit. A search that ends
            here ends at the same mapping on every machine.
        seconds: wall-clock time per layer; 0 is without limit. A budget's seconds count too.
        imperfect: which factors need not divide the layer: `none`, `spatial` or `all`. The layer
            is then run, and priced, rounded up; see `cosearch_plugins.mappers.exact.padding.Scope`.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter(
                "bypass", ("open", "fixed"), "open", doc="whether open bypass choices are searched"
            ),
            Parameter(
                "nodes",
                (0, 10**12),
                NODES,
                doc="search nodes per layer, 0 is without limit",
                free=True,
            ),
            Parameter(
                "seconds", (0.0, 1e6), 0.0, "s", "time per layer, 0 is without limit", free=True
            ),
            Parameter(
                "imperfect",
                ("none", "spatial", "all"),
                "none",
                doc="which factors need not divide the layer, which is then run rounded up",
            ),
        )
    )
    uses_rng: ClassVar[bool] = False
    compiled: ClassVar[tuple[str, ...]] = tuple(
        f"cosearch_plugins.mappers.exact.parts:{part}=cosearch_plugins.mappers.exact.solve"
        for part in ("SEARCH", "TABLES", "WINDOWS", "NETWORKS")
    )

    def __init__(
        self,
        bypass: str = "open",
        nodes: int = NODES,
        seconds: float = 0.0,
        imperfect: str = PERFECT,
    ) -> None:
        self.bypass, self.nodes, self.seconds = bypass, nodes, seconds
        self.imperfect, self.resizes = imperfect, imperfect != PERFECT
        self._recent = Recent()
        self._tables: OrderTables | None = None
        self._solvers: Lately[int, Solver] = Lately(_SOLVERS)

    def map(
        self,
        accelerator: Accelerator,
        layer: Einsum,
        objective: Objective,
        budget: Budget,
        rng: np.random.Generator,
    ) -> Mapped:
        """Return the best mapping, proven unless a limit ended the search first.

        Raises:
            Infeasible: no mapping can be run; Unmappable when the time ended before one was found.
            CosearchError: the machine, the layer or the objective is beyond this mapper; the hint
                names others.
        """
        return self.map_knowing(accelerator, layer, objective, budget, rng, ())

    def map_knowing(
        self,
        accelerator: Accelerator,
        layer: Einsum,
        objective: Objective,
        budget: Budget,
        rng: np.random.Generator,  # noqa: ARG002 - nothing is left to chance
        known: Sequence[tuple[float, float]],
    ) -> Mapped:
        """Return the same, sooner where a good mapping's energy (pJ) and cycles are known."""
        machine, aim = _spatial(accelerator), _aim(objective)
        seconds = self._allowed(budget)
        question = (machine.key, layer.key, aim, seconds, budget.evaluations)
        answer = self._recent.find(question)
        if answer is None:
            answer = self._search(machine, layer, objective, budget, known)
            if answer.proven or seconds is None:
                self._recent.keep(question, answer)
        return answer

    def ready(self, accelerator: Accelerator, layer: Einsum) -> None:
        """Compile or load what a search of the layer takes."""
        from cosearch.compiling.parts import prepare
        from cosearch_plugins.mappers.exact import solve  # noqa: F401 - has the parts filled
        from cosearch_plugins.mappers.exact.parts import needed

        prepare(*needed(_spatial(accelerator).architecture, layer))

    def floor(self, accelerator: Accelerator, layer: Einsum) -> tuple[float, float]:
        """Return energy (pJ) and cycles that no mapping of the layer undercuts, at any size."""
        own = accelerator.floor(layer)
        if not self.resizes:
            return own
        from cosearch_plugins.mappers.exact.padding import Scope, padded_sizes

        sizes = padded_sizes(_spatial(accelerator).architecture, layer, Scope(self.imperfect))
        bounds = [own, *((size.energy_pj, size.cycles) for size in sizes)]
        return min(energy for energy, _ in bounds), min(cycles for _, cycles in bounds)

    def least_traffic(
        self,
        accelerator: Accelerator,
        network: Network,
        budget: Budget,
        most: int,
    ) -> LeastTraffic | None:
        """Return how few words pass the outermost memory, within the same limits; see the contract.

        None where layers are rounded up: at other sizes fewer may pass.
        """
        _ = most
        if self.resizes or not isinstance(accelerator, SpatialAccelerator):
            return None
        from cosearch_plugins.mappers.exact.counting import ENERGY, counting_words, each_once

        levels = accelerator.architecture.levels
        if len(levels) < 2:
            return None
        counting = counting_words(accelerator, levels[-2].entries)
        rng, words, least = np.random.default_rng(0), 0.0, 0.0
        for layer in network.unique:
            found = self.map(counting, layer.einsum, ENERGY, budget, rng)
            words += layer.count * found.energy_pj
            least += layer.count * found.energy_pj * (1 - (1 if found.gap is None else found.gap))
        gap = 0.0 if least == words else 1 - least / words
        alone = round(words)
        return LeastTraffic(levels[-2].entries, alone, alone, each_once(network), gap)

    def tight_floor(self, accelerator: Accelerator, layer: Einsum) -> tuple[float, float]:
        """Return the machine's, but where layers may be run rounded up."""
        return self.floor(accelerator, layer) if self.resizes else accelerator.tight_floor(layer)

    def _search(
        self,
        machine: SpatialAccelerator,
        layer: Einsum,
        objective: Objective,
        budget: Budget,
        known: Sequence[tuple[float, float]],
    ) -> Mapped:
        """Return the best mapping of a question not asked lately; compiling is not timed."""
        self.ready(machine, layer)
        started = time.perf_counter()
        limits = self._limits(started, budget)
        if self.resizes:
            return self._rounded_up(machine, layer, objective, limits, started)
        return self._perfect(machine, layer, objective, limits, started, known)

    def _perfect(
        self,
        machine: SpatialAccelerator,
        layer: Einsum,
        objective: Objective,
        limits: Limits,
        started: float,
        known: Sequence[tuple[float, float]],
    ) -> Mapped:
        from cosearch_plugins.mappers.exact.arrays import Aim
        from cosearch_plugins.mappers.exact.solve import NOTHING, OutOfTime

        space = machine.mapspace(layer)
        try:
            solver = self._solver(space, limits)
        except OutOfTime:
            return _sampled(machine, layer, objective, NOTHING, started)
        aim = _aim(objective)
        values = (aim.value(energy, cycles) for energy, cycles in known)
        found = solver.solve(aim, limits, known=min(values, default=np.inf))
        if aim.energy_power == 0 < aim.cycles_power and found.mapping is not None and found.proven:
            found = found.then(solver.solve(Aim(1, 0, np.inf, found.cycles), limits))
        if found.mapping is None:
            return _sampled(machine, layer, objective, found, started)
        certain = found.proven and not solver.narrowed
        return Mapped(
            solver.row_in(space, found.mapping),
            found.energy_pj,
            found.cycles,
            proven=certain,
            gap=None if solver.narrowed else found.gap,
            evaluations=found.evaluations,
            nodes=found.nodes,
            seconds=time.perf_counter() - started,
            mapper="exact",
        )

    def _rounded_up(
        self,
        machine: SpatialAccelerator,
        layer: Einsum,
        objective: Objective,
        limits: Limits,
        started: float,
    ) -> Mapped:
        """Return the best mapping over all sizes that the layer may be rounded up to."""
        from cosearch.loopnest.space.mapspace import MapSpace
        from cosearch_plugins.mappers.exact.imperfect import solve_imperfect
        from cosearch_plugins.mappers.exact.padding import Scope
        from cosearch_plugins.mappers.exact.solve import NOTHING, OutOfTime

        def space_of(run: Einsum) -> MapSpace:
            return MapSpace(machine.architecture, run, machine.constraints_for(run))

        try:
            best = solve_imperfect(
                space_of,
                layer,
                _aim(objective),
                Scope(self.imperfect),
                limits,
                self._order_tables(),
                open_bypass=self.bypass == "open",
                compare=objective.weights is None,
            )
        except OutOfTime:
            return _sampled(machine, layer, objective, NOTHING, started)
        found = best.found
        if found.mapping is None:
            return _sampled(machine, layer, objective, found, started)
        return Mapped(
            machine.mapspace(best.layer).row_of(found.mapping),
            found.energy_pj,
            found.cycles,
            proven=found.proven and not best.narrowed,
            gap=None if best.narrowed else found.gap,
            evaluations=found.evaluations,
            nodes=found.nodes,
            seconds=time.perf_counter() - started,
            mapper="exact",
            sizes=None if best.layer == layer else best.layer.sizes,
            partial=best.partial,
        )

    def _limits(self, started: float, budget: Budget) -> Limits:
        from cosearch_plugins.mappers.exact.solve import Limits

        seconds, evaluations = self._allowed(budget), budget.evaluations
        return Limits.starting(started, seconds, evaluations, self.nodes or None)

    def _allowed(self, budget: Budget) -> float | None:
        limits = [s for s in (budget.seconds, self.seconds or None) if s is not None]
        return min(limits, default=None)

    def _solver(self, space: MapSpace, limits: Limits) -> Solver:
        """Return the solver of a mapspace, its tables still there if it was searched lately.

        Raises OutOfTime where the time ends before they are laid out.
        """
        from cosearch_plugins.mappers.exact.solve import Solver

        known = self._solvers.find(id(space))
        if known is None or known.space is not space:
            open_bypass = self.bypass == "open"
            known = Solver(space, self._order_tables(), open_bypass, limits)
            self._solvers.keep(id(space), known)
        return known

    def _order_tables(self) -> OrderTables:
        from cosearch_plugins.mappers.exact.problem import OrderTables

        if self._tables is None:
            self._tables = OrderTables()
        return self._tables


def _aim(objective: Objective) -> Aim:
    """Return what the search minimizes, or raise CosearchError."""
    from cosearch_plugins.mappers.exact.arrays import Aim

    if objective.weights is not None:
        return Aim.weighted(*objective.weights)
    if objective.powers is None:
        raise CosearchError(
            "the exact mapper minimizes weighted sums of energy and cycles and products of their "
            f"powers (edp, energy, latency, ed2p), not {objective.name!r}",
            "name another mapper: -m random, -m annealing; or give the objective its `powers`",
        )
    return Aim.product(*objective.powers)


def _sampled(
    machine: SpatialAccelerator,
    layer: Einsum,
    objective: Objective,
    found: Certificate,
    started: float,
) -> Mapped:
    """Return the best of some thousand mappings where the time was too short for a search.

    Raises Unmappable where the search has proven that there is none, or none was drawn.
    """
    if found.proven:
        raise Unmappable(
            f"layer {layer.name!r}: no mapping can be run", {}, found.evaluations, proven=True
        )
    row, loss, tried = _climbed(machine, layer, objective)
    tried += found.evaluations
    if not np.isfinite(loss):
        raise Unmappable(f"layer {layer.name!r}: no mapping was found within the limits", {}, tried)
    cost = machine.explain(layer, row)
    return Mapped(
        row,
        cost.energy_pj,
        cost.cycles,
        evaluations=tried,
        nodes=found.nodes,
        seconds=time.perf_counter() - started,
        mapper="exact",
    )


def _climbed(
    machine: SpatialAccelerator, layer: Einsum, objective: Objective
) -> tuple[IntArray, float, int]:
    """Return the best row of some thousand, its loss, and how many were tried.

    They are random ones, the one whose every loop is as far outside as may be (its tiles fit where
    any do), and then neighbours of the best. Where only the slow reference model prices the layer,
    there are some hundred.
    """
    from cosearch.loopnest.kernel.pack import inexact

    space, rng = machine.mapspace(layer), np.random.default_rng(0)
    row, best, tried = np.zeros(len(space.cardinalities), dtype=np.int64), np.inf, 0
    slow = inexact(machine.architecture, layer) is not None
    samples, climbs = (_SLOW_SAMPLES, _SLOW_CLIMBS) if slow else (_SAMPLES, _CLIMBS)
    neighbours = _SLOW_NEIGHBOURS if slow else _NEIGHBOURS
    rows = np.concatenate([row[None], space.sample(samples, rng)])
    for _ in range(climbs):
        costs = machine.evaluate(layer, rows)
        losses = objective.of({"energy_pj": costs.energy_pj, "cycles": costs.cycles})
        losses = np.where(costs.feasible, losses, np.inf)
        tried += len(rows)
        if losses.min() < best:
            row, best = rows[int(losses.argmin())], float(losses.min())
        rows = space.perturb(np.repeat(row[None], neighbours, axis=0), rng)
    return row, best, tried


def _spatial(accelerator: Accelerator) -> SpatialAccelerator:
    if not isinstance(accelerator, SpatialAccelerator):
        raise CosearchError(
            f"the exact mapper needs a loop-nest machine (a SpatialAccelerator); "
            f"{accelerator.name!r} has a model of its own",
            f"name another mapper: -m {accelerator.default_mapper}",
        )
    return accelerator
