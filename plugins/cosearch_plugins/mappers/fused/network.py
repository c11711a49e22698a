"""The best groups of a whole network for its own objective, proven."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import isclose

import numpy as np
from attrs import define, field

from cosearch.errors import CosearchError, PluginError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.group import FusedGroup
from cosearch.loopnest.model.fused import group_cost
from cosearch.mapping.fused import FusedMapping, FusedRun, value_of
from cosearch.mapping.mapper import Budget, Mapped
from cosearch.mapping.network_search import Answer, NetworkSearch, Product, Question
from cosearch.mapping.outline import Weights
from cosearch.mapping.together import map_together
from cosearch.quantities import added
from cosearch.search.objective import Objective, weighted_sum
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Network
from cosearch_plugins.mappers.exact.mapper import ExactMapper
from cosearch_plugins.mappers.fused.bodies import Bodies
from cosearch_plugins.mappers.fused.chain import CLAIM, Chain, ChainFound, ChainSearch, multiplying
from cosearch_plugins.mappers.fused.group import GroupFound, GroupSearch
from cosearch_plugins.mappers.fused.items import Item, items_of
from cosearch_plugins.mappers.fused.rounds import Found, Sums, in_rounds


@define(eq=False)
class NetworkFuser:
    """Fuses one network on one machine.

    Args:
        machine: to be mapped onto.
        exact: maps layers alone.
        search: of groups.
        most: layers in a group.
        budget: of layers alone.

    Attributes:
        chains: searches chains of layers for weighted sums.
    """

    machine: SpatialAccelerator
    exact: ExactMapper
    search: GroupSearch
    most: int
    budget: Budget
    chains: ChainSearch = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.chains = ChainSearch(self.search, self._alone, self.most)

    def map(self, network: Network, objective: Objective) -> FusedMapping:
        """Return the best groups for an objective.

        Raises:
            Infeasible: a layer fits nowhere.
            CosearchError: the objective is no product of powers of energy and cycles.
            PluginError: the model does not confirm what was found.
        """
        started = time.perf_counter()
        if objective.powers is None:
            raise CosearchError(
                f"fused mapping minimizes products of powers of energy and cycles, not "
                f"{objective.name!r}",
                "for example: -o edp, -o energy, -o latency",
            )
        items = items_of(network)
        own, chosen_alone = self._unfused(network, objective)
        together = _sums(network, chosen_alone)
        chosen, gap = self._chosen(items, objective, own, together)
        if gap > 0:
            chosen, gap = self._or_alone(items, chosen, objective, chosen_alone, gap)
        return self._result(items, chosen, objective, together, gap, started)

    def _or_alone(
        self,
        items: list[Item],
        chosen: list[ChainFound],
        objective: Objective,
        alone: dict[str, Mapped],
        gap: float,
    ) -> Found:
        """Return every layer alone where a limit left the groups behind that, and the gap."""
        chains = [_each_alone(self._as_group, item.chain, alone) for item in items]
        ours, theirs = (value_of(objective, _total(items, c)) for c in (chosen, chains))
        return (chosen, gap) if ours <= theirs else (chains, 1 - (1 - gap) * ours / theirs)

    def _unfused(
        self, network: Network, objective: Objective
    ) -> tuple[dict[str, Mapped], dict[str, Mapped]]:
        """Return each layer's own best mapping, and those with the best sums, by layer."""
        layers = network.unique
        first = [self._mapped(layer.einsum, objective) for layer in layers]
        counts = [layer.count for layer in layers]
        floors = [self.exact.floor(self.machine, layer.einsum) for layer in layers]

        def search(asked: Sequence[tuple[int, Objective]]) -> list[Mapped | None]:
            return [self._mapped(layers[i].einsum, aim) for i, aim in asked]

        best = map_together(objective, counts, floors, first, search).chosen
        keys = [layer.einsum.key for layer in layers]
        return dict(zip(keys, first, strict=True)), dict(zip(keys, best, strict=True))

    def _mapped(self, layer: Einsum, objective: Objective) -> Mapped:
        rng = np.random.default_rng(0)
        return self.exact.map(self.machine, layer, objective, self.budget, rng)

    def _alone(self, layer: Einsum, weights: Weights) -> GroupFound:
        mapped = self._mapped(layer, weighted_sum(*weights))
        return self._as_group(layer, mapped, weights)

    def _as_group(self, layer: Einsum, mapped: Mapped, weights: Weights) -> GroupFound:
        value = weights[0] * mapped.energy_pj + weights[1] * mapped.cycles
        mapping = self.machine.mapspace(layer).mapping_of(mapped.row)
        group = FusedGroup((layer,), mappings=(mapping,))
        least = 0.0 if mapped.gap is None else (1 - mapped.gap) * value
        return GroupFound(group, mapped.energy_pj, mapped.cycles, value, least)

    def _chosen(
        self,
        items: list[Item],
        objective: Objective,
        own: dict[str, Mapped],
        unfused: Sums,
    ) -> Found:
        """Return the best chains for an objective, or the best found in time, and the gap."""
        a, b = objective.powers or (1, 0)

        def once(sums: Sums) -> Found:
            if a and b:
                return self._together(items, Product(a, b), own, sums)
            return self._one_sum(items, (float(a > 0), float(b > 0)))

        def judged(found: list[ChainFound]) -> tuple[float, Sums]:
            sums = _total(items, found)
            return value_of(objective, sums), sums

        groups = added(len(item.chain.layers) * self.most for item in items)
        return in_rounds(self.search, groups, once, judged, unfused)

    def _one_sum(self, items: list[Item], weights: Weights) -> Found:
        """Return the chains that are the best for a weighted sum, and the gap."""
        chosen = [self.chains.best(item.chain, weights) for item in items]
        total = added(i.count * _sum(c, weights) for i, c in zip(items, chosen, strict=True))
        least = added(i.count * c.least for i, c in zip(items, chosen, strict=True))
        return chosen, 0.0 if all(c.gap == 0 for c in chosen) else 1 - least / total

    def _together(
        self,
        items: list[Item],
        product: Product,
        own: dict[str, Mapped],
        sums: Sums,
    ) -> Found:
        """Return the chains chosen together for a product, first near some sums, and the gap."""
        tangent = product.tangent(*sums)
        found: list[list[ChainFound]] = []
        first = []
        for item in items:
            if len(item.chain.layers) == 1:
                layer = item.chain.layers[0]
                mapped = own[layer.key]
                alone = self._as_group(layer, mapped, tangent)
                groups = () if alone.group is None else (alone.group,)
                begun = ChainFound(groups, mapped.energy_pj, mapped.cycles, alone.least, 0.0)
                first.append(Answer(mapped.energy_pj, mapped.cycles, mapped.gap))
            else:
                begun = self.chains.best(item.chain, tangent)
                first.append(Answer(begun.energy_pj, begun.cycles, begun.gap, tangent))
            found.append([begun])

        def ask(questions: Sequence[Question]) -> list[Answer]:
            answers = []
            for question in questions:
                best = self.chains.best(items[question.layer].chain, question.weights)
                found[question.layer].append(best)
                answers.append(Answer(best.energy_pj, best.cycles, best.gap))
            return answers

        counts = [item.count for item in items]
        floors = [self._floor(item.chain) for item in items]
        agreed = NetworkSearch(product, counts, ask).run(first, floors)
        choice = zip(found, agreed.combination.choice, strict=True)
        return [answers[k] for answers, k in choice], 0.0 if agreed.proven else agreed.gap

    def _floor(self, chain: Chain) -> tuple[float, float]:
        """Return energy (pJ) and cycles that no groups of a chain undercut: multiplying alone."""
        if len(chain.layers) == 1:
            return self.exact.floor(self.machine, chain.layers[0])
        return multiplying(self.machine.architecture, chain.layers)

    def _result(
        self,
        items: list[Item],
        chosen: list[ChainFound],
        objective: Objective,
        unfused: tuple[float, float],
        gap: float,
        started: float,
    ) -> FusedMapping:
        runs = []
        for item, found in zip(items, chosen, strict=True):
            at = 0
            for group in found.groups:
                part = slice(at, at + len(group.layers))
                runs.append(self._run(item, part, group))
                at = part.stop
            claimed = (found.energy_pj, found.cycles)
            self._confirm(item, runs[-len(found.groups) :], claimed)
        result = FusedMapping(
            objective,
            tuple(runs),
            unfused,
            gap,
            time.perf_counter() - started,
            self.search.bodies.solves,
            self.search.entries,
        )
        if value_of(objective, unfused) < result.value * (1 - CLAIM):
            raise PluginError("fused mapping found less than mapping layer by layer")
        return result

    def _run(self, item: Item, part: slice, group: FusedGroup) -> FusedRun:
        architecture = self.machine.architecture
        cost = group_cost(architecture, group)
        words = cost.outermost_words
        if len(group.layers) > 1:
            words = 0
            for layer in group.layers:
                best = self._alone(layer, (1.0, 0.0)).group
                words += 0 if best is None else group_cost(architecture, best).outermost_words
        names, places = item.names[part], item.places[part]
        return FusedRun(names, places, item.count, group, cost, words)

    def _confirm(self, item: Item, runs: list[FusedRun], claimed: tuple[float, float]) -> None:
        """Raise PluginError where the readable model prices groups otherwise."""
        energy = added(run.cost.energy_pj for run in runs)
        cycles = added(run.cost.cycles for run in runs)
        if not (isclose(energy, claimed[0], rel_tol=CLAIM) and cycles == claimed[1]):
            raise PluginError(
                f"the fused mapper claims {claimed[0]:.17g} pJ and {claimed[1]:.17g} cycles for "
                f"{' '.join(item.names)}; the model says {energy:.17g} pJ and {cycles} cycles"
            )


def _sums(network: Network, mapped: dict[str, Mapped]) -> tuple[float, float]:
    """Return energy (pJ) and cycles of a network whose layers run alone."""
    each = [(layer.count, mapped[layer.einsum.key]) for layer in network.unique]
    return added(n * x.energy_pj for n, x in each), added(n * x.cycles for n, x in each)


def _total(items: list[Item], chosen: list[ChainFound]) -> tuple[float, float]:
    """Return energy (pJ) and cycles of chains."""
    each = list(zip(items, chosen, strict=True))
    return added(i.count * c.energy_pj for i, c in each), added(i.count * c.cycles for i, c in each)


def _each_alone(
    as_group: Callable[[Einsum, Mapped, Weights], GroupFound],
    chain: Chain,
    mapped: dict[str, Mapped],
) -> ChainFound:
    """Return a chain whose layers run alone."""
    found = [as_group(layer, mapped[layer.key], (1.0, 0.0)) for layer in chain.layers]
    energy, cycles = added(f.energy_pj for f in found), added(f.cycles for f in found)
    groups = tuple(f.group for f in found if f.group is not None)
    return ChainFound(groups, energy, cycles, 0.0, 1.0)


def _sum(found: ChainFound, weights: Weights) -> float:
    return weights[0] * found.energy_pj + weights[1] * found.cycles


def fuser(
    machine: SpatialAccelerator,
    exact: ExactMapper,
    most: int,
    deadline: float,
    budget: Budget,
    bodies: Bodies | None = None,
) -> NetworkFuser:
    """Return what fuses networks on a machine until a deadline, by `time.perf_counter`."""
    bodies = bodies or Bodies(machine, open_bypass=exact.bypass == "open")
    return NetworkFuser(machine, exact, GroupSearch(bodies, deadline), most, budget)
