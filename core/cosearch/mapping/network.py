"""The layers of a network on one machine: each one's own best mapping, then the best together."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from attrs import evolve, frozen

from cosearch.mapping.account import LayerAccount, account_of
from cosearch.mapping.layer import Cache, NoCache, remembered, search_layer
from cosearch.mapping.result import LayerResult, Searched, Unmapped
from cosearch.mapping.task import NETWORK
from cosearch.mapping.threads import ThreadPool, Worker
from cosearch.mapping.together import NetworkMapping, gap_alone, map_together
from cosearch.quantities import added
from cosearch.search.objective import Objective
from cosearch.workload.network import Layer


@frozen(eq=False)
class NetworkResult:
    """A mapping for every layer of a network.

    Attributes:
        objective: of the network.
        own: each layer's own best mapping, in order of execution.
        layers: the mappings chosen, each with the work of all searches of its layer.
        gap: how far below their objective another choice can be at most, relative; None where
            nothing is proven.
        alone: the same for the layers' own best mappings.
        searched: all that was found for it; empty where each layer was searched once.
    """

    objective: Objective
    own: tuple[LayerResult, ...]
    layers: tuple[LayerResult, ...]
    gap: float | None
    alone: float | None
    searched: tuple[Searched, ...] = ()

    @property
    def changed(self) -> list[int]:
        """The numbers of the layers whose mapping is not their own best."""
        pairs = enumerate(zip(self.own, self.layers, strict=True))
        return [i for i, (own, chosen) in pairs if _place(own) != _place(chosen)]

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
    pool: ThreadPool, layers: Sequence[Layer], cache: Cache | None = None
) -> Generator[LayerResult | Unmapped, None, None]:
    """Yield each layer's result for the task's own objective as it is there, in order.

    Args:
        pool: who maps what onto which machine; the results do not depend on how many threads.
        layers: to be mapped.
        cache: asked first.

    Raises:
        PluginError: the mapper or the machine broke down, or contradict each other.
    """
    yield from pool.map(_answer, _own_questions(pool, layers, cache))


def account_layers(
    pool: ThreadPool, layers: Sequence[Layer], cache: Cache | None = None
) -> Generator[LayerAccount, None, None]:
    """Yield each layer's result explained by the reference model; otherwise as `map_layers`."""

    def account(worker: Worker, question: _Question) -> LayerAccount:
        return account_of(worker.machine, question.layer, _answer(worker, question))

    yield from pool.map(account, _own_questions(pool, layers, cache))


def choose(
    pool: ThreadPool,
    layers: Sequence[Layer],
    own: Sequence[LayerResult],
    cache: Cache | None = None,
) -> NetworkResult:
    """Return the mappings that are best for the network, given each layer's own best.

    Args:
        pool: who maps what onto which machine.
        layers: of the network.
        own: of each layer.
        cache: asked first.

    Raises:
        PluginError: the mapper or the machine broke down, or contradict each other.
    """
    task, counts = pool.task, [layer.count for layer in layers]
    if task.combine != NETWORK:
        gap = gap_alone(task.objective, counts, own)
        return NetworkResult(task.objective, tuple(own), tuple(own), gap, gap)
    searched = [Searched(task.remembered_by(), result) for result in own]
    found_for = [[result] for result in own]

    def search(asked: Sequence[tuple[int, Objective]]) -> list[LayerResult | None]:
        questions = _questions(pool, [(layers[i], aim, found_for[i]) for i, aim in asked], cache)
        results = list(pool.map(_answer, questions))
        for (i, aim), result in zip(asked, results, strict=True):
            if isinstance(result, LayerResult):
                searched.append(Searched(task.remembered_by(aim), result))
                found_for[i].append(result)
        return [result if isinstance(result, LayerResult) else None for result in results]

    floors = [task.mapper.floor(pool.machine, layer.einsum) for layer in layers]
    found = map_together(task.objective, counts, floors, own, search)
    further = tuple(searched) if len(searched) > len(own) else ()
    return NetworkResult(
        task.objective, tuple(own), _charged(found), found.gap, found.alone, further
    )


@frozen(eq=False)
class _Question:
    """What a mapping is wanted for, what was found for other objectives, and a known answer."""

    layer: Layer
    objective: Objective
    others: Sequence[LayerResult]
    known: LayerResult | Unmapped | None


def _questions(
    pool: ThreadPool,
    asked: Sequence[tuple[Layer, Objective, Sequence[LayerResult]]],
    cache: Cache | None,
) -> list[_Question]:
    """Look up what is known: in the thread that asks, as a cache may belong to it."""
    store, task, machine = cache or NoCache(), pool.task, pool.machine
    return [
        _Question(x, aim, tuple(others), remembered(task, machine, x, store, aim))
        for x, aim, others in asked
    ]


def _own_questions(
    pool: ThreadPool, layers: Sequence[Layer], cache: Cache | None
) -> list[_Question]:
    return _questions(pool, [(layer, pool.task.objective, ()) for layer in layers], cache)


def _answer(worker: Worker, question: _Question) -> LayerResult | Unmapped:
    if question.known is not None:
        return question.known
    return search_layer(
        worker.task, worker.machine, question.layer, question.objective, question.others
    )


def _charged(mapping: NetworkMapping[LayerResult]) -> tuple[LayerResult, ...]:
    """Return the results chosen, each with the work of all searches of its layer."""
    return tuple(
        chosen
        if len(found) == 1
        else evolve(
            chosen,
            evaluations=added(x.evaluations for x in found),
            nodes=added(x.nodes for x in found),
            seconds=added(x.seconds for x in found),
        )
        for chosen, found in zip(mapping.chosen, mapping.found, strict=True)
    )


def _place(result: LayerResult) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Return the mapping itself: a row, and the sizes it is for."""
    return result.row, result.sizes


def _sums(layers: Sequence[LayerResult]) -> tuple[float, float]:
    return added(x.count * x.energy_pj for x in layers), added(x.count * x.cycles for x in layers)


def _value(objective: Objective, layers: Sequence[LayerResult]) -> float:
    energy, cycles = _sums(layers)
    columns = {"energy_pj": np.array([energy]), "cycles": np.array([cycles])}
    return float(objective.of(columns)[0])
