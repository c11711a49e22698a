"""A network's mappings chosen together, for the network's own objective, and the proven gap.

Every layer is mapped for the objective itself first. Where that proves how good it is, layers are
searched in further directions until the choice is the best for the network (see
`cosearch.mapping.network_search`). A mapper that proves nothing is asked once a layer: what it may
price is its budget, and no bound would say when to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeAlias, TypeVar

from attrs import define, evolve, frozen

from cosearch.mapping.network_search import Answer, NetworkSearch, Product, Question
from cosearch.quantities import added
from cosearch.search.objective import Objective, weighted_sum


class Costed(Protocol):
    """A mapping found for a layer: `LayerResult` and `Mapped` are."""

    @property
    def energy_pj(self) -> float:
        """Of one run."""

    @property
    def cycles(self) -> float:
        """Of one run."""

    @property
    def gap(self) -> float | None:
        """Proven relative distance to the optimum at most; None where nothing is proven."""


F = TypeVar("F", bound=Costed)

Search: TypeAlias = Callable[[Sequence[tuple[int, Objective]]], Sequence[F | None]]
"""Maps layers, by number, for objectives; None where no mapping is found."""


@frozen(eq=False)
class NetworkMapping(Generic[F]):
    """A mapping for every layer.

    Attributes:
        chosen: one a layer.
        found: for each layer all that were found, its own best first.
        gap: how far below the network's objective another choice can be at most, relative; None
            where nothing is proven.
        alone: the same of the layers' own best mappings.
    """

    chosen: tuple[F, ...]
    found: tuple[tuple[F, ...], ...]
    gap: float | None = None
    alone: float | None = None

    @classmethod
    def of_layers(cls, first: Sequence[F], gap: float | None) -> NetworkMapping[F]:
        """Return the layers' own best mappings."""
        return cls(tuple(first), tuple((found,) for found in first), gap, gap)


def gap_alone(objective: Objective, counts: Sequence[int], first: Sequence[Costed]) -> float | None:
    """Return how far the layers' own best mappings can be from the network's best, relative.

    Args:
        objective: of the network, for which the layers were mapped too.
        counts: how often each layer runs.
        first: each layer's best mapping.
    """
    if objective.powers is None or any(x.gap is None for x in first):
        return None
    product = Product(*objective.powers)
    values = [product.of(x.energy_pj, x.cycles) for x in first]
    bounds = [(1 - (x.gap or 0.0)) * value for x, value in zip(first, values, strict=True)]
    energy = added(n * x.energy_pj for n, x in zip(counts, first, strict=True))
    cycles = added(n * x.cycles for n, x in zip(counts, first, strict=True))
    value = product.of(energy, cycles)
    return max(0.0, 1 - product.alone(bounds, counts) / value) if value > 0 else 0.0


def map_together(
    objective: Objective,
    counts: Sequence[int],
    floors: Sequence[tuple[float, float]],
    first: Sequence[F],
    search: Search[F],
) -> NetworkMapping[F]:
    """Return the best choice of mappings for the network's objective, with the gap proven.

    Args:
        objective: of the network, for which the layers were mapped too.
        counts: how often each layer runs.
        floors: energy (pJ) and cycles that no mapping of a layer undercuts.
        first: each layer's best mapping.
        search: finds further ones.
    """
    alone = gap_alone(objective, counts, first)
    if alone is None or objective.powers is None or 0 in objective.powers:
        return NetworkMapping.of_layers(first, alone)
    asked = _Asked(search, [[found] for found in first])
    product = Product(*objective.powers)
    agreed = NetworkSearch(product, counts, asked).run([_answer(x) for x in first], floors)
    choice = zip(asked.found, agreed.combination.choice, strict=True)
    return NetworkMapping(
        tuple(found[k] for found, k in choice), tuple(map(tuple, asked.found)), agreed.gap, alone
    )


@define(eq=False)
class _Asked(Generic[F]):
    """Answers questions by searches, and keeps what they found."""

    search: Search[F]
    found: list[list[F]]

    def __call__(self, questions: Sequence[Question]) -> list[Answer]:
        results = self.search([(q.layer, weighted_sum(*q.weights)) for q in questions])
        answers = []
        for question, result in zip(questions, results, strict=True):
            known = self.found[question.layer]
            known.append(known[0] if result is None else result)
            answer = _answer(known[-1])
            answers.append(answer if result is not None else evolve(answer, gap=None))
        return answers


def _answer(found: Costed) -> Answer:
    return Answer(found.energy_pj, found.cycles, found.gap)
