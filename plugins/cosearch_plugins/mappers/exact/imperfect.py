"""The best mapping with imperfect factors: a layer at every size it may be rounded up to.

What is minimized is the padded price (see `padding`): the certificate holds over all sizes of the
scope. Beside it stands what the winner costs with partial last tiles
(`cosearch.loopnest.model.partial_tiles`), and by how much any other imperfect factors of the same
scope could lower that: every size is searched once more at prices that no mapping of it undercuts
with partial last tiles (see `imperfect_bound`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from attrs import define, evolve, field, frozen

from cosearch.errors import CosearchError, Infeasible
from cosearch.loopnest.model.partial_tiles import partial_cost
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.cost import PartialTiles
from cosearch.workload.einsum import Einsum
from cosearch_plugins.mappers.exact.arrays import MARGIN, Aim
from cosearch_plugins.mappers.exact.imperfect_bound import Shares
from cosearch_plugins.mappers.exact.padding import Scope, Size, padded_sizes
from cosearch_plugins.mappers.exact.problem import OrderTables
from cosearch_plugins.mappers.exact.solve import NO_LIMITS, Certificate, Limits, OutOfTime, Solver

Spaces = Callable[[Einsum], MapSpace]
"""The mapspace of a layer, on one machine; raises Infeasible where it fits nowhere."""


@frozen(eq=False)
class Imperfect:
    """The best mapping of a layer whose dimensions may be rounded up.

    Attributes:
        layer: as it is run, at the size it is rounded up to.
        found: its mapping and its padded price; `proven` and `gap` hold over all sizes.
        partial: with partial last tiles; None where those are not modelled.
        sizes: how many sizes there are, the layer's own included.
        narrowed: whether open choices of what to keep were left out of the search.
    """

    layer: Einsum
    found: Certificate
    partial: PartialTiles | None
    sizes: int
    narrowed: bool


def solve_imperfect(
    spaces: Spaces,
    layer: Einsum,
    aim: Aim,
    scope: Scope,
    limits: Limits = NO_LIMITS,
    tables: OrderTables | None = None,
    *,
    open_bypass: bool = True,
    compare: bool = True,
) -> Imperfect:
    """Return the best mapping over all sizes of a scope, the layer's own included.

    Of the fastest mappings, where only cycles count, it is the one of least energy.

    Args:
        spaces: the mapspace of a layer.
        layer: to be mapped.
        aim: what is minimized.
        scope: which factors may be imperfect.
        limits: on the whole search.
        tables: order classes, shared between layers.
        open_bypass: search every choice the space leaves open.
        compare: prove how far below the winner's partial last tiles those of others can be.

    Raises:
        OutOfTime: the deadline passed before the layer was laid out.
        Infeasible: the layer fits nowhere at its own size.
        CosearchError: the layer or the machine is beyond the exact mapper.
    """
    search = _Search(spaces, layer, aim, limits, tables or OrderTables(), open_bypass)
    search.start()
    sizes = padded_sizes(search.own.space.architecture, layer, scope)
    search.minimize(aim, sizes)
    if aim.energy_power == 0 and aim.cycles_power > 0 and search.open_bound == np.inf:
        search.cheapest_of_fastest(sizes)
    partial = search.partial_tiles(sizes, compare=compare and not search.own.narrowed)
    return Imperfect(
        search.best_layer, search.certificate(), partial, 1 + len(sizes), search.own.narrowed
    )


@define
class _Search:
    """The incumbent, and the least that what was left open could still cost.

    `cheapest` says that no equally good mapping of less energy was left open.
    """

    spaces: Spaces
    layer: Einsum
    aim: Aim
    limits: Limits
    tables: OrderTables
    open_bypass: bool
    own: Solver = field(init=False)
    best: Certificate = field(init=False)
    best_layer: Einsum = field(init=False)
    own_bound: float = field(init=False)
    open_bound: float = field(init=False, default=np.inf)
    cheapest: bool = field(init=False, default=True)
    nodes: int = field(init=False, default=0)
    evaluations: int = field(init=False, default=0)

    def start(self) -> None:
        """Search the layer at its own size."""
        self.own = self._solver(self.layer)
        self.best_layer = self.layer
        self.best = self.own.solve(self.aim, self.limits)
        self._count(self.best)
        self.own_bound = _bound(self.aim, self.best)
        if not self.best.proven:
            self.open_bound = self.own_bound

    def minimize(self, aim: Aim, sizes: Sequence[Size]) -> None:
        """Search all larger sizes for something better, least bound first."""
        bounded = [(aim.value(size.energy_pj, size.cycles), i) for i, size in enumerate(sizes)]
        for bound, i in sorted(bounded):
            value = aim_value(aim, self.best)
            if bound >= value * (1 - MARGIN):
                return
            found = self._try(aim, sizes[i].layer, value)
            if found is None:
                self.open_bound = min(self.open_bound, bound)
                if self._over():
                    return
            elif found.mapping is not None:
                self.best, self.best_layer = found, sizes[i].layer
                if not found.proven:
                    self.open_bound = min(self.open_bound, _bound(aim, found))

    def cheapest_of_fastest(self, sizes: Sequence[Size]) -> None:
        """Take the least energy among the mappings of the fewest cycles, of any size."""
        aim = Aim(1, 0, np.inf, self.best.cycles)
        own = Size(self.layer, 0.0, 0.0)
        for size in (own, *sizes):
            if size.cycles > self.best.cycles or size.energy_pj >= self.best.energy_pj:
                continue
            found = self._try(aim, size.layer, self.best.energy_pj)
            if found is None or not found.proven:
                self.cheapest = False
            if found is not None and found.mapping is not None:
                self.best, self.best_layer = found, size.layer

    def _try(self, aim: Aim, layer: Einsum, below: float) -> Certificate | None:
        """Return what a size adds, or None where the limits ended its search without anything."""
        if self._over():
            return None
        try:
            found = self._solver(layer).solve(aim, self._left(), below)
        except Infeasible:
            return Certificate(None, np.inf, np.inf, True, 0.0, 0, 0, 0.0)
        except OutOfTime:
            return None
        self._count(found)
        return None if found.mapping is None and not found.proven else found

    def certificate(self) -> Certificate:
        """Return the best mapping, and how sure that is over all sizes."""
        value = aim_value(self.aim, self.best)
        proven = self.open_bound >= value * (1 - MARGIN)
        if self.best.mapping is None:
            return evolve(
                self.best,
                proven=self.open_bound == np.inf,
                nodes=self.nodes,
                evaluations=self.evaluations,
            )
        gap = 0.0 if proven else 1 - max(self.open_bound, 0.0) / value
        return evolve(
            self.best,
            proven=proven and self.cheapest,
            gap=gap,
            nodes=self.nodes,
            evaluations=self.evaluations,
        )

    def partial_tiles(self, sizes: Sequence[Size], *, compare: bool) -> PartialTiles | None:
        """Return what the winner costs with partial last tiles, and how near the least that is."""
        if self.best.mapping is None:
            return None
        architecture = self.own.space.architecture
        try:
            price = partial_cost(architecture, self.layer, self.best.mapping)
        except CosearchError:
            return None
        if not compare or self._over():
            return price
        value = self.aim.value(price.energy_pj, price.cycles)
        least = self._least_partial(sizes, value)
        return PartialTiles(price.energy_pj, price.cycles, _gap(least, value))

    def _least_partial(self, sizes: Sequence[Size], value: float) -> float:
        """Return what no mapping of any size undercuts with partial last tiles."""
        least = min(value, self.own_bound)
        bounded = []
        for i, size in enumerate(sizes):
            shares = Shares.of(self.layer, size.layer)
            energy, cycles = shares.least * size.energy_pj, shares.macs * size.cycles
            bounded.append((self.aim.value(energy, cycles), i, shares))
        for bound, i, shares in sorted(bounded, key=lambda entry: entry[:2]):
            if bound >= least * (1 - MARGIN):
                break
            least = min(least, max(bound, self._least_of(sizes[i], shares, least)))
        return least

    def _least_of(self, size: Size, shares: Shares, least: float) -> float:
        """Return what no mapping of a size undercuts, where that is less than the least."""
        if self._over():
            return 0.0
        try:
            solver = self._solver(size.layer)
        except Infeasible:
            return least
        except OutOfTime:
            return 0.0
        slower = shares.macs
        if solver.problem.limited.any():
            slower *= 1 - 1 / max(size.cycles, 1.0)
        power = self.aim.cycles_power
        aim = self.aim.replace(cycles_weight=self.aim.cycles_weight * slower)
        cheaper = solver.repriced(shares.deflated(solver.problem))
        found = cheaper.solve(aim, self._left(), least / slower**power)
        self._count(found)
        if found.mapping is None:
            return least if found.proven else 0.0
        return _bound(aim, found) * slower**power

    def _solver(self, layer: Einsum) -> Solver:
        return Solver(self.spaces(layer), self.tables, self.open_bypass, self.limits)

    def _count(self, found: Certificate) -> None:
        self.nodes += found.nodes
        self.evaluations += found.evaluations

    def _over(self) -> bool:
        return self.nodes >= self.limits.nodes or self.limits.reached(self.evaluations)

    def _left(self) -> Limits:
        return evolve(
            self.limits,
            evaluations=self.limits.evaluations - self.evaluations,
            nodes=self.limits.nodes - self.nodes,
        )


def aim_value(aim: Aim, found: Certificate) -> float:
    """Return what a search minimized; infinite where nothing was found."""
    if found.mapping is None:
        return np.inf
    return aim.value(found.energy_pj, found.cycles)


def _bound(aim: Aim, found: Certificate) -> float:
    """Return what no mapping of that search undercuts."""
    if found.proven:
        return aim_value(aim, found)
    return 0.0 if found.gap is None else aim_value(aim, found) * (1 - found.gap)


def _gap(least: float, value: float) -> float | None:
    if least <= 0:
        return None
    return max(0.0, 1 - least / value)
