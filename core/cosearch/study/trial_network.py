"""All layers of one design, their mappings chosen for the network's objective."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from cosearch.machine.hardware import Accelerator
from cosearch.mapping.layer import Cache, map_layer
from cosearch.mapping.result import LayerResult, Searched
from cosearch.mapping.together import NetworkMapping, gap_alone, map_together
from cosearch.search.objective import Objective
from cosearch.study.problem import Problem
from cosearch.trials.spec import NETWORK
from cosearch.workload.network import Layer


@frozen(eq=False)
class NetworkResult:
    """The mappings chosen.

    Attributes:
        layers: one result each, in order.
        gap: how far below the network's objective another choice can be at most, relative; None
            where nothing is proven.
        searched: all that was found for it; empty where each layer was searched once.
    """

    layers: tuple[LayerResult, ...]
    gap: float | None
    searched: tuple[Searched, ...] = ()


def choose(
    problem: Problem,
    accelerator: Accelerator,
    layers: Sequence[Layer],
    first: Sequence[LayerResult],
    cache: Cache,
) -> NetworkResult:
    """Return the choice of mappings for the network, given each layer's own best."""
    objective, counts = problem.mapper_objective, [layer.count for layer in layers]
    if problem.spec.combine != NETWORK:
        return NetworkResult(tuple(first), gap_alone(objective, counts, first))
    searched = [Searched(problem.cache_purpose, result) for result in first]

    def search(asked: Sequence[tuple[int, Objective]]) -> list[LayerResult | None]:
        results = []
        for number, aim in asked:
            result = map_layer(problem, accelerator, layers[number], cache, aim)
            results.append(result if isinstance(result, LayerResult) else None)
            if isinstance(result, LayerResult):
                searched.append(Searched(problem.remembered_by(aim), result))
        return results

    floors = [problem.mapper.floor(accelerator, layer.einsum) for layer in layers]
    mapping = map_together(objective, counts, floors, first, search)
    further = len(searched) > len(first)
    return NetworkResult(_charged(mapping), mapping.gap, tuple(searched) if further else ())


def _charged(mapping: NetworkMapping[LayerResult]) -> tuple[LayerResult, ...]:
    """Return the results chosen, each with the work of all searches of its layer."""
    return tuple(
        evolve(
            chosen,
            evaluations=sum(x.evaluations for x in found),
            nodes=sum(x.nodes for x in found),
            seconds=sum(x.seconds for x in found),
        )
        for chosen, found in zip(mapping.chosen, mapping.found, strict=True)
    )
