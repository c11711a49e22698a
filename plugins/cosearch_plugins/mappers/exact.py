"""The mapper that proves its mapping best: a front of the search in `cosearch.loopnest.exact`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cosearch.einsum import Einsum
from cosearch.errors import CosearchError
from cosearch.hardware import Accelerator, SpatialAccelerator
from cosearch.mapper import Budget, Mapped, Mapper, Unmappable
from cosearch.objective import Objective
from cosearch.space import Parameter, ParameterSpace

if TYPE_CHECKING:
    from cosearch.loopnest.exact.arrays import Aim
    from cosearch.loopnest.exact.problem import OrderTables
    from cosearch.loopnest.exact.solve import Certificate, Solver
    from cosearch.loopnest.mapspace import MapSpace

_POWERS = {"edp": (1, 1), "energy": (1, 0), "latency": (0, 1), "ed2p": (1, 2)}
"""Objective to the powers of energy and cycles that it multiplies."""


NODES = 10_000_000
"""Of a layer's search, unless said otherwise: several seconds. Most layers need a thousandth."""

_SAMPLES = 4096
"""Random mappings tried where a time limit leaves none: a few milliseconds."""


_SOLVERS = 32
"""Layers whose tables are kept: a network is searched in several directions, layer by layer."""


class ExactMapper(Mapper):
    """Searches all perfect factorizations, loop orders, X/Y splits and open bypass choices.

    Of the fastest mappings it returns the one of least energy. It understands machines that are
    a `SpatialAccelerator`.

    Args:
        bypass: `open` searches what the machine leaves open to keep or bypass; `fixed` keeps it
            all, which proves nothing when there was a choice.
        nodes: partial mappings bounded per layer at most; 0 is without limit. A search that ends
            here ends at the same mapping on every machine.
        seconds: wall-clock time per layer; 0 is without limit. A budget's seconds count too.
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
        )
    )
    uses_rng: ClassVar[bool] = False

    def __init__(self, bypass: str = "open", nodes: int = NODES, seconds: float = 0.0) -> None:
        self.bypass, self.nodes, self.seconds = bypass, nodes, seconds
        self._tables: OrderTables | None = None
        self._solvers: dict[int, Solver] = {}

    def map(
        self,
        accelerator: Accelerator,
        layer: Einsum,
        objective: Objective,
        budget: Budget,
        rng: np.random.Generator,  # noqa: ARG002 - nothing is left to chance
    ) -> Mapped:
        """Return the best mapping, proven unless a limit ended the search first.

        Raises:
            Infeasible: no mapping can be run; Unmappable when the time ended before one was found.
            CosearchError: the machine, the layer or the objective is beyond this mapper; the hint
                names others.
        """
        from cosearch.loopnest.exact.arrays import Aim
        from cosearch.loopnest.exact.solve import Limits

        started = time.perf_counter()
        machine = _spatial(accelerator)
        aim = _aim(objective)
        space = machine.mapspace(layer)
        solver = self._solver(space)
        limits = Limits.starting(
            started, self._allowed(budget), budget.evaluations, self.nodes or None
        )
        found = solver.solve(aim, limits)
        if objective.name == "latency" and found.mapping is not None and found.proven:
            found = found.then(solver.solve(Aim(1, 0, np.inf, found.cycles), limits))
        if found.mapping is None:
            if not found.proven:
                return _sampled(machine, layer, objective, found, started)
            raise Unmappable(f"layer {layer.name!r}: no mapping can be run", {}, found.evaluations)
        certain = found.proven and not solver.narrowed
        return Mapped(
            space.row_of(found.mapping), found.energy_pj, found.cycles, proven=certain,
            gap=None if solver.narrowed else found.gap, evaluations=found.evaluations,
            nodes=found.nodes, seconds=time.perf_counter() - started, mapper="exact",
        )  # fmt: skip

    def _allowed(self, budget: Budget) -> float | None:
        limits = [s for s in (budget.seconds, self.seconds or None) if s is not None]
        return min(limits, default=None)

    def _solver(self, space: MapSpace) -> Solver:
        """Return the solver of a mapspace, its tables still there if it was searched lately."""
        from cosearch.loopnest.exact.solve import Solver

        known = self._solvers.pop(id(space), None)
        if known is None or known.space is not space:
            known = Solver(space, self._order_tables(), open_bypass=self.bypass == "open")
        self._solvers[id(space)] = known
        while len(self._solvers) > _SOLVERS:
            del self._solvers[next(iter(self._solvers))]
        return known

    def _order_tables(self) -> OrderTables:
        from cosearch.loopnest.exact.problem import OrderTables

        if self._tables is None:
            self._tables = OrderTables()
        return self._tables


def _aim(objective: Objective) -> Aim:
    """Return what the search minimizes, or raise CosearchError."""
    from cosearch.loopnest.exact.arrays import Aim

    if objective.weights is not None:
        return Aim.weighted(*objective.weights)
    if objective.name not in _POWERS:
        raise CosearchError(
            f"the exact mapper minimizes {', '.join(_POWERS)} and weighted sums of energy and "
            f"cycles, not {objective.name!r}",
            "name another mapper: -m random, -m annealing",
        )
    return Aim(*_POWERS[objective.name])


def _sampled(
    machine: SpatialAccelerator,
    layer: Einsum,
    objective: Objective,
    found: Certificate,
    started: float,
) -> Mapped:
    """Return the best of some random mappings where the time was too short for a search."""
    rows = machine.mapspace(layer).sample(_SAMPLES, np.random.default_rng(0))
    costs = machine.evaluate(layer, rows)
    losses = objective.of({"energy_pj": costs.energy_pj, "cycles": costs.cycles})
    losses = np.where(costs.feasible, losses, np.inf)
    best = int(np.argmin(losses))
    tried = found.evaluations + _SAMPLES
    if not np.isfinite(losses[best]):
        raise Unmappable(f"layer {layer.name!r}: no mapping was found within the limits", {}, tried)
    cost = machine.explain(layer, rows[best])
    return Mapped(
        rows[best], cost.energy_pj, cost.cycles, evaluations=tried, nodes=found.nodes,
        seconds=time.perf_counter() - started, mapper="exact",
    )  # fmt: skip


def _spatial(accelerator: Accelerator) -> SpatialAccelerator:
    if not isinstance(accelerator, SpatialAccelerator):
        raise CosearchError(
            f"the exact mapper needs a loop-nest machine (a SpatialAccelerator); "
            f"{accelerator.name!r} has a model of its own",
            f"name another mapper: -m {accelerator.default_mapper}",
        )
    return accelerator
