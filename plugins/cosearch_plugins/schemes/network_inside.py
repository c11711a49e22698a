"""Hardware by the strategy; for each machine the best network of the whole space, exactly.

A machine is mapped once, every layer that any network of the space may run. What a network costs
is a sum over these results, so all networks are priced in one matrix product and the best that
meets the limits is known, not searched for. It is the bar for every loop over both: a strategy
that proposes networks cannot do better on the machines it tries.

Where mappings are chosen for the whole network (`--combine network`), layers' own best mappings
bound every network's cost from below; networks are mapped together in the order of that bound until
the next cannot be better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from attrs import evolve, frozen

from cosearch.errors import CosearchError
from cosearch.mapping.layer import Cache
from cosearch.mapping.network import NetworkResult, choose, map_layers
from cosearch.mapping.network_search import Product
from cosearch.mapping.result import LayerResult
from cosearch.mapping.threads import ThreadPool
from cosearch.quantities import added
from cosearch.search.objective import Objective
from cosearch.study.evaluation import infeasible, scored
from cosearch.study.problem import Problem
from cosearch.study.scheme import Scheme
from cosearch.trials.trial import Outcome
from cosearch.typing import BoolArray, FloatArray, Value
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer, NetworkSpace
from cosearch_plugins.landscape.cheapest import cheapest_network
from cosearch_plugins.landscape.classes import LIMIT, Classes
from cosearch_plugins.landscape.separable import Separable
from cosearch_plugins.workloads.searched_space import SearchedSpace

MOST = 64
"""Networks that are mapped together on one machine at most, before the gap is told instead."""


class NetworkInside(Scheme):
    """Machines outside; inside, every network of the space, by sums of its layers."""

    finds_networks: ClassVar[bool] = True

    def __init__(self) -> None:
        self._known: tuple[NetworkSpace, Classes] | None = None
        self._parts: Separable | None = None

    def check_networks(self, networks: NetworkSpace, objectives: Sequence[Objective]) -> None:
        """Raise CosearchError for objectives that sums over layers do not decide."""
        del networks
        if len(objectives) > 1 or not {"energy_pj", "cycles"} & set(objectives[0].needs):
            raise CosearchError(
                "the scheme network-inside finds one network a machine, by energy and cycles: not "
                f"for {', '.join(o.name for o in objectives)}",
                "limit the accuracy instead: --constraint 'accuracy>=94'",
            )

    def inside(
        self, problem: Problem, pool: ThreadPool, partial: Outcome, cache: Cache | None
    ) -> Outcome:
        """Return what a machine is worth with its best network."""
        if self._separable(problem) is not None:
            return self._of_parts(problem, pool, partial, cache)
        classes = self._classes(problem)
        if len(classes) == 0:
            return infeasible(partial, "no network of the space is as accurate", None)
        layers = [Layer(einsum) for einsum in classes.layers]
        found = list(map_layers(pool, layers, cache))
        mapped = {x.key: x for x in found if isinstance(x, LayerResult)}
        costs = [mapped.get(einsum.key) for einsum in classes.layers]
        priced = _Priced.of(problem, classes, costs, partial.metrics)
        if not priced.possible.any():
            reason = next((x.reason for x in found if not isinstance(x, LayerResult)), "")
            return infeasible(partial, reason or "every network misses a limit", None)
        chosen = _Best(problem, pool, cache, priced).found()
        return _outcome(problem, partial, mapped, chosen)

    def _separable(self, problem: Problem) -> Separable | None:
        """Return the parts of a space that is too large to enumerate; None for a small one."""
        networks = problem.networks
        if networks is None or networks.space.size <= LIMIT:
            return None
        if not isinstance(networks, SearchedSpace):
            return None
        if self._parts is None or self._parts.networks is not networks:
            self._parts = Separable.of(networks)
        return self._parts

    def _of_parts(
        self, problem: Problem, pool: ThreadPool, partial: Outcome, cache: Cache | None
    ) -> Outcome:
        """Return what a machine is worth with the best network of a space of parts."""
        space = self._separable(problem)
        if space is None:
            raise TypeError("the space has no parts")
        floor, powers = _floor(problem), problem.objectives[0].powers
        if powers is None:
            raise CosearchError(
                f"{problem.objectives[0].name} is no product of energy and cycles: a space of "
                f"{space.networks.space.size:.3g} networks has no exact best by it"
            )
        costs, mapped, reason = _mapped(problem, pool, space.layers, cache)
        found = cheapest_network(space, *costs, powers, floor)
        if found is None:
            return infeasible(partial, reason or "no network of the space is as accurate", None)
        counts = space.counts_of(found.row).tolist()
        layers = [Layer(e, n) for e, n in zip(space.layers, counts, strict=True) if n]
        mine = [layer for layer in layers if layer.einsum.key in mapped]
        own = [evolve(mapped[layer.einsum.key], count=layer.count) for layer in mine]
        result = choose(pool, mine, own, cache)
        gap = None
        if result.gap is not None and (0 in powers or pool.task.combine == "layers"):
            gap = 1.0 - (1.0 - found.gap) * (1.0 - result.gap)
        configuration = space.networks.space.decode(found.row)
        accuracy = float(space.networks.accuracy(found.row[None])[0])
        return _outcome(problem, partial, mapped, _Chosen(configuration, accuracy, result, gap))

    def _classes(self, problem: Problem) -> Classes:
        if problem.networks is None:
            raise TypeError("the scheme network-inside searches a space of networks")
        if self._known is None or self._known[0] is not problem.networks:
            every = Classes.of(problem.networks, problem.hardware)
            self._known = problem.networks, every.within(problem.constraints)
        return self._known[1]


def _floor(problem: Problem) -> float | None:
    """Return the least accuracy of a problem without other limits on networks."""
    floor: float | None = None
    for limit in problem.constraints:
        if limit.name == "accuracy" and not limit.at_most:
            found = limit.limit
            floor = found if floor is None else max(floor, found)
        elif limit.name != "area_mm2":
            raise CosearchError(
                f"of a space of parts the best network within {limit.name} is not known exactly",
                "limit the accuracy from below, and the area",
            )
    return floor


def _mapped(
    problem: Problem, pool: ThreadPool, layers: Sequence[Einsum], cache: Cache | None
) -> tuple[tuple[FloatArray, FloatArray], dict[str, LayerResult], str]:
    """Return energy and cycles of each layer, float64[l], the results, and why one has none.

    What the machine leaves out costs nothing.
    """
    priced = [einsum for einsum in layers if not problem.hardware.left_out(einsum)]
    found = list(map_layers(pool, [Layer(einsum) for einsum in priced], cache))
    mapped = {x.key: x for x in found if isinstance(x, LayerResult)}
    free = {einsum.key for einsum in layers} - {einsum.key for einsum in priced}
    energy, cycles = (
        np.array([
            getattr(mapped[e.key], name) if e.key in mapped else 0.0 if e.key in free else np.inf
            for e in layers
        ])
        for name in ("energy_pj", "cycles")
    )  # fmt: skip
    reason = next((x.reason for x in found if not isinstance(x, LayerResult)), "")
    return (energy, cycles), mapped, reason


@frozen(eq=False)
class _Priced:
    """Every class of networks on one machine, each layer at its own best mapping.

    Attributes:
        classes: of networks.
        costs: each layer's result; None where it cannot be run.
        losses: float64[k].
        bounds: float64[k]: losses that no choice of mappings undercuts.
        possible: bool[k]: the machine runs it, within every limit.
    """

    classes: Classes
    costs: Sequence[LayerResult | None]
    losses: FloatArray
    bounds: FloatArray
    possible: BoolArray

    @classmethod
    def of(
        cls,
        problem: Problem,
        classes: Classes,
        costs: Sequence[LayerResult | None],
        machine: Mapping[str, float],
    ) -> _Priced:
        energy, cycles = (
            classes.sums(np.array([np.inf if x is None else getattr(x, name) for x in costs]))
            for name in ("energy_pj", "cycles")
        )
        possible = np.isfinite(cycles)
        fixed = {name: np.full(len(cycles), value) for name, value in machine.items()}
        metrics = {**fixed, "energy_pj": energy, "cycles": cycles, "accuracy": classes.accuracy}
        objective = problem.objectives[0]
        with np.errstate(invalid="ignore"):
            losses = np.asarray(objective.of(metrics), dtype=np.float64)
            for limit in problem.constraints:
                value = metrics.get(limit.name)
                value = problem.known[limit.name].of(metrics) if value is None else value
                possible &= limit.excess(np.asarray(value)) <= 0
        bounds = _bounds(problem.mapper_objective, objective, classes, costs, losses)
        return cls(classes, costs, losses, bounds, possible)


def _bounds(
    aim: Objective,
    objective: Objective,
    classes: Classes,
    costs: Sequence[LayerResult | None],
    losses: FloatArray,
) -> FloatArray:
    """Return what no choice of mappings of a network undercuts, float64[k]; 0 if nothing is proven.

    Layers' own best mappings bound a product by the inequality of Hoelder, see
    `cosearch.mapping.network_search.Product.alone`.
    """
    if objective is not aim or aim.powers is None or any(x and x.gap is None for x in costs):
        return np.zeros(len(losses))
    if 0 in aim.powers:
        return losses * (1 - max((x.gap or 0.0 for x in costs if x), default=0.0))
    product = Product(*aim.powers)
    alone = [0.0 if x is None else (1 - (x.gap or 0.0)) * product.of(x.energy_pj, x.cycles)
             for x in costs]  # fmt: skip
    return np.array([product.alone(alone, counts.tolist()) for counts in classes.counts])


@frozen(eq=False)
class _Chosen:
    """The network found for a machine.

    Attributes:
        configuration: its parameters.
        accuracy: in per cent.
        result: its mappings.
        gap: how far below its loss another network of the space can be, relative; None where
            nothing is proven.
    """

    configuration: Mapping[str, Value]
    accuracy: float
    result: NetworkResult
    gap: float | None


class _Best:
    """Maps networks together, the most promising bound first, until no other can be better."""

    def __init__(
        self, problem: Problem, pool: ThreadPool, cache: Cache | None, priced: _Priced
    ) -> None:
        self.problem, self.pool, self.cache, self.priced = problem, pool, cache, priced

    def found(self) -> _Chosen:
        """Return the best network."""
        priced, together = self.priced, self._together
        losses = np.where(priced.possible, priced.losses, np.inf)
        first = int(losses.argmin())
        best, value = first, float(losses[first])
        result = self._mapped(first)
        if not together:
            return self._chosen(best, result, result.gap)
        value = min(value, self._value(result))
        order = np.argsort(np.where(priced.possible, priced.bounds, np.inf), kind="stable")
        tried = 0
        for k in order.tolist():
            if not priced.possible[k] or priced.bounds[k] >= value or tried == MOST:
                break
            tried += 1
            if k != first:
                other = self._mapped(k)
                if self._value(other) < value:
                    best, result, value = k, other, self._value(other)
        return self._chosen(best, result, self._gap(order[tried:], result, value))

    @property
    def _together(self) -> bool:
        task = self.pool.task
        return bool(task.combine == "network" and self.priced.bounds.any() and
                    0 not in (task.objective.powers or (0,)))  # fmt: skip

    def _gap(self, left: np.ndarray, result: NetworkResult, value: float) -> float | None:
        open_ = [k for k in left.tolist() if self.priced.possible[k]]
        least = min((float(self.priced.bounds[k]) for k in open_), default=value)
        gap = max(0.0, 1.0 - least / value)
        return None if result.gap is None else max(gap, result.gap)

    def _value(self, result: NetworkResult) -> float:
        return result.value

    def _mapped(self, k: int) -> NetworkResult:
        """Return the mappings of a class's network chosen together."""
        counts = self.priced.classes.counts[k]
        layers, own = [], []
        for einsum, count, cost in zip(
            self.priced.classes.layers, counts.tolist(), self.priced.costs, strict=True
        ):
            if count and cost is not None:
                layers.append(Layer(einsum, count))
                own.append(evolve(cost, count=count))
        return choose(self.pool, layers, own, self.cache)

    def _chosen(self, k: int, result: NetworkResult, gap: float | None) -> _Chosen:
        classes, networks = self.priced.classes, self.problem.networks
        if networks is None:
            raise TypeError("there is no space of networks")
        configuration = networks.space.decode(classes.rows[k])
        return _Chosen(configuration, float(classes.accuracy[k]), result, gap)


def _outcome(
    problem: Problem, partial: Outcome, mapped: Mapping[str, LayerResult], chosen: _Chosen
) -> Outcome:
    """Return the outcome: the network's layers, then the others that were mapped, run never."""
    mine = {x.key: x for x in chosen.result.layers}
    network = problem.network_of(chosen.configuration)
    names = {layer.einsum.key: layer.name for layer in network.unique}
    layers = [evolve(mine[key], name=name) for key, name in names.items()]
    layers += [evolve(x, count=0) for key, x in mapped.items() if key not in mine]
    gap = {} if chosen.gap is None else {"mapping_gap": chosen.gap}
    metrics = {
        "energy_pj": added(x.energy_pj * x.count for x in layers),
        "cycles": added(x.cycles * x.count for x in layers),
        **partial.metrics,
        "accuracy": chosen.accuracy,
        **gap,
    }
    found = evolve(
        partial,
        layers=tuple(layers),
        metrics=metrics,
        network=chosen.configuration,
        searched=chosen.result.searched,
    )
    return scored(problem, found)
