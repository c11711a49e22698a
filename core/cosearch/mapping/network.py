"""The best mapping of each layer of a network on one fixed machine, checked by its model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError, Infeasible, PluginError, broken
from cosearch.machine.cost import Cost
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Mapped
from cosearch.mapping.rejection import Rejections, sampled
from cosearch.mapping.threads import Crew, Hand
from cosearch.mapping.together import NetworkMapping, gap_alone, map_together
from cosearch.search.objective import Objective
from cosearch.search.seeds import stream
from cosearch.study.problem import Problem
from cosearch.trials.spec import NETWORK
from cosearch.workload.network import Layer

CLAIM = 1e-9
"""By how much a mapper's energy may differ from the machine's, relative: the account adds up in
another order, no more."""


@frozen(eq=False)
class LayerMapping:
    """A layer and its mapping, or the reason why it has none.

    Attributes:
        layer: with its count.
        mapped: what the mapper found; None when the layer fits nowhere.
        cost: the machine's own account of it.
        verdict: why the layer fits nowhere.
        rejections: why random mappings of it are invalid; None where it fits nowhere.
    """

    layer: Layer
    mapped: Mapped | None = None
    cost: Cost | None = None
    verdict: Infeasible | None = None
    rejections: Rejections | None = None


@frozen(eq=False)
class NetworkChoice:
    """A mapping for every layer of a network.

    Attributes:
        objective: of the network.
        own: each layer's own best mapping, in order of execution.
        layers: the mappings chosen together.
        gap: how far below their objective another choice can be at most, relative; None where
            nothing is proven.
        alone: the same for the layers' own best mappings.
    """

    objective: Objective
    own: tuple[LayerMapping, ...]
    layers: tuple[LayerMapping, ...]
    gap: float | None
    alone: float | None

    @property
    def changed(self) -> list[int]:
        """The numbers of the layers whose mapping is not their own best."""
        pairs = zip(self.own, self.layers, strict=True)
        return [i for i, (own, chosen) in enumerate(pairs) if own is not chosen]

    @property
    def energy_pj(self) -> float:
        """Of the network, runs counted."""
        return _sums(self.layers)[0]

    @property
    def cycles(self) -> float:
        """Of the network, runs counted."""
        return _sums(self.layers)[1]

    @property
    def value(self) -> float:
        """The network's objective."""
        return _value(self.objective, self.layers)

    @property
    def own_value(self) -> float:
        """The network's objective with each layer's own best mapping."""
        return _value(self.objective, self.own)


def map_layers(
    problem: Problem, accelerator: Accelerator, others: Sequence[Hand] = ()
) -> Iterator[LayerMapping]:
    """Yield each unique layer as it is mapped, in order of execution.

    The random stream is the one a study of the same settings would use, so a study finds the same
    mappings.

    Args:
        problem: what is mapped, by whom.
        accelerator: to be mapped onto.
        others: who helps; the results are the same.

    Raises:
        PluginError: the mapper broke down, or the machine does not confirm what it claims.
    """
    crew = Crew.of(problem, accelerator, others)
    yield from crew.each(_own_best, problem.network.unique)


def choose_for_network(
    problem: Problem,
    accelerator: Accelerator,
    found: Sequence[LayerMapping],
    others: Sequence[Hand] = (),
) -> NetworkChoice:
    """Return the mappings that are best for the network, given each layer's own best.

    Args:
        problem: what is mapped, by whom.
        accelerator: to be mapped onto.
        found: every unique layer, none without a mapping.
        others: who helps; the results are the same.
    """
    first = [result.mapped for result in found if result.mapped is not None]
    layers = [result.layer for result in found]
    mapping = _together(Crew.of(problem, accelerator, others), layers, first)
    chosen = tuple(
        own if mapped is own.mapped else _explained(accelerator, own, mapped)
        for own, mapped in zip(found, mapping.chosen, strict=True)
    )
    objective = problem.mapper_objective
    return NetworkChoice(objective, tuple(found), chosen, mapping.gap, mapping.alone)


def _sums(layers: Sequence[LayerMapping]) -> tuple[float, float]:
    costs = [(r.layer.count, r.cost) for r in layers if r.cost is not None]
    return sum(n * c.energy_pj for n, c in costs), sum(n * c.cycles for n, c in costs)


def _value(objective: Objective, layers: Sequence[LayerMapping]) -> float:
    energy, cycles = _sums(layers)
    columns = {"energy_pj": np.array([energy]), "cycles": np.array([cycles])}
    return float(objective.of(columns)[0])


def _together(
    crew: Crew, layers: Sequence[Layer], first: Sequence[Mapped]
) -> NetworkMapping[Mapped]:
    problem, machine = crew.hands[0].problem, crew.hands[0].machine
    objective, counts = problem.mapper_objective, [layer.count for layer in layers]
    if problem.spec.combine != NETWORK:
        return NetworkMapping.of_layers(first, gap_alone(objective, counts, first))

    def search(asked: Sequence[tuple[int, Objective]]) -> list[Mapped | None]:
        return list(crew.each(answer, asked))

    def answer(hand: Hand, asked: tuple[int, Objective]) -> Mapped | None:
        try:
            return _mapped(hand, layers[asked[0]], asked[1])
        except Infeasible:
            return None

    floors = [problem.mapper.floor(machine, layer.einsum) for layer in layers]
    return map_together(objective, counts, floors, first, search)


def _own_best(hand: Hand, layer: Layer) -> LayerMapping:
    """Return a layer's best mapping for the objective itself."""
    try:
        mapped = _mapped(hand, layer, hand.problem.mapper_objective)
    except Infeasible as verdict:
        return LayerMapping(layer, verdict=verdict)
    why = sampled(hand.machine, layer.einsum, stream(0, "rejections", layer.einsum.key))
    return LayerMapping(layer, mapped, _confirmed(hand.machine, layer, mapped), rejections=why)


def _explained(machine: Accelerator, own: LayerMapping, mapped: Mapped) -> LayerMapping:
    """Return another mapping of a layer, accounted for."""
    cost = _confirmed(machine, own.layer, mapped)
    return LayerMapping(own.layer, mapped, cost, rejections=own.rejections)


def _mapped(hand: Hand, layer: Layer, objective: Objective) -> Mapped:
    problem, machine = hand.problem, hand.machine
    purpose = ("mapper", str(machine.key), layer.einsum.key, problem.purpose_of(objective))
    rng = stream(problem.spec.seed if problem.mapper.uses_rng else 0, *purpose)
    try:
        return problem.mapper.map(machine, layer.einsum, objective, problem.spec.mapper_budget, rng)
    except CosearchError:
        raise
    except Exception as error:
        raise broken("mapper", problem.spec.mapper, f"layer {layer.name!r}", error) from error


def _confirmed(accelerator: Accelerator, layer: Layer, mapped: Mapped) -> Cost:
    """Return the machine's account of a mapping, or raise PluginError when the two disagree."""
    run = mapped.as_run(layer.einsum)
    cost = accelerator.explain(run, np.asarray(mapped.row, dtype=np.int64))
    same = isclose(cost.energy_pj, mapped.energy_pj, rel_tol=CLAIM)
    if not (same and cost.cycles == mapped.cycles):
        raise PluginError(
            f"mapper {mapped.mapper!r} claims {mapped.energy_pj:.17g} pJ and {mapped.cycles:.17g} "
            f"cycles for {layer.name!r}; the model of the machine says {cost.energy_pj:.17g} pJ "
            f"and {cost.cycles:.17g} cycles"
        )
    return cost
