"""The best mappings for a whole network, from few searches of single layers, and the proof.

What is minimized is `E**a * T**b` of the network's energy E and cycles T, which are sums over its
layers. The layers' own best mappings do not give the best sums, but two facts make these cheap:

- by the inequality of Cauchy, Schwarz and Hoelder, no choice is below `(sum_i n_i * v_i**(1/s))**s`
  with `s = a + b` and `v_i` the best of layer i alone: a bound for nothing;
- the best sums are a corner of the convex hull of all sums (see `network_front`), and what is best
  there in some direction is, layer by layer, best in that direction.

So layers are searched for weighted sums of energy and cycles. From the searches so far, every layer
has an outline; the best sum of mappings found is what can be had, the best sum of the outlines'
corners is what could still be. Where the second is better, its direction is searched next, in the
layers whose outlines are loose there, until both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from attrs import define, field, frozen

from cosearch.mapping.network_front import Combination, Front, best_combination
from cosearch.mapping.outline import Outline, Weights
from cosearch.quantities import added

PROVEN = 1e-11
"""Of a relative gap: layers are proven to 1e-12 each, and sums and products round."""

ROUNDS = 40
"""Directions searched at most; five to ten are usual."""


@frozen
class Question:
    """A layer, by its number, and the direction it is to be searched in."""

    layer: int
    weights: Weights


@frozen
class Answer:
    """A mapping found for a layer.

    Attributes:
        energy_pj, cycles: of one run.
        gap: how far below its value, relative, another mapping's can be at most; None where nothing
            is known.
        weights: of the sum that a first answer is the best for; None of one for the product.
    """

    energy_pj: float
    cycles: float
    gap: float | None = 0.0
    weights: Weights | None = None

    @property
    def proven(self) -> bool:
        """Whether there is no better mapping, but for rounding."""
        return self.gap is not None and self.gap <= PROVEN


Ask: TypeAlias = Callable[[Sequence[Question]], Sequence[Answer]]
"""Answers several questions, in their order."""


@frozen(eq=False)
class Product:
    """`energy**a * cycles**b` with whole a and b; tangents need both to be at least 1."""

    a: int
    b: int

    def of(self, energy_pj: float, cycles: float) -> float:
        """Return the value."""
        value: float = energy_pj**self.a * cycles**self.b
        return value

    def tangent(self, energy_pj: float, cycles: float) -> Weights:
        """Return the direction in which it grows fastest at a point, scaled."""
        return self.a * cycles, self.b * energy_pj

    def least_sum(self, value: float, weights: Weights) -> float:
        """Return the least weighted sum where the product has a value: on a tangent."""
        ratio = self.b * weights[0] / (self.a * weights[1])  # cycles over energy
        energy: float = (value / ratio**self.b) ** (1 / self.degree)
        return weights[0] * energy + weights[1] * ratio * energy

    @property
    def degree(self) -> int:
        """The sum of the powers."""
        return self.a + self.b

    def alone(self, values: Sequence[float], counts: Sequence[int]) -> float:
        """Return what no sum is below when each layer's own product is not below a value."""
        power = 1 / self.degree
        total: float = added(n * v**power for n, v in zip(counts, values, strict=True))
        bound: float = total**self.degree
        return bound


@frozen(eq=False)
class Agreed:
    """The best choice for the network, and what is known about how good it is.

    Attributes:
        combination: for each layer an index into its answers, those given first included.
        value: of the product.
        bound: no choice is below.
        rounds: directions searched.
    """

    combination: Combination
    value: float
    bound: float
    rounds: int

    @property
    def gap(self) -> float:
        """How far below the value another choice can be at most, relative."""
        return max(0.0, 1.0 - self.bound / self.value) if self.value > 0 else 0.0

    @property
    def proven(self) -> bool:
        """Whether no choice is better, but for rounding."""
        return self.gap <= PROVEN


@define(eq=False)
class NetworkSearch:
    """A search for the best sums.

    Args:
        product: what is minimized.
        counts: how often each layer runs.
        ask: searches layers; one whose search ended without a proof is not asked again.
    """

    product: Product
    counts: Sequence[int]
    ask: Ask
    _outlines: list[Outline] = field(init=False, factory=list)
    _given_up: set[int] = field(init=False, factory=set)

    def run(self, first: Sequence[Answer], floors: Sequence[tuple[float, float]]) -> Agreed:
        """Search until nothing better is left, or nothing more can be asked.

        Args:
            first: each layer's best mapping for the product alone, its gap that of the product; or
                for a weighted sum, which tells less of the product.
            floors: energy (pJ) and cycles that no mapping of a layer undercuts.
        """
        self._outlines = list(map(self._begun, first, floors))
        self._given_up = {i for i, found in enumerate(first) if not found.proven}
        bound, rounds = self._bound_alone(first), 0
        for rounds in range(ROUNDS):
            best = self._best()
            value = self._value(best)
            hoped = self._hoped()
            bound = max(bound, self._value(hoped))
            if bound >= value * (1 - PROVEN):
                break
            near = [] if rounds else self._questions(best, np.inf)
            questions = near or self._questions(hoped, value)
            if not questions:
                break
            self._learn(questions)
        best = self._best()
        value = self._value(best)
        return Agreed(best, value, min(bound, value), rounds)

    def _begun(self, first: Answer, floor: tuple[float, float]) -> Outline:
        """Return the outline of the first answer: of a product's best its tangent is proven too."""
        outline = Outline(floor)
        weights = first.weights or self.product.tangent(first.energy_pj, first.cycles)
        share = 0.0 if first.gap is None else 1 - first.gap
        if first.weights is None:
            share **= 1 / self.product.degree
        least = share * (weights[0] * first.energy_pj + weights[1] * first.cycles)
        outline.add(first.energy_pj, first.cycles, weights, least)
        return outline

    def _bound_alone(self, first: Sequence[Answer]) -> float:
        each = zip(first, self._outlines, strict=True)
        return self.product.alone([self._least(x, outline) for x, outline in each], self.counts)

    def _least(self, first: Answer, outline: Outline) -> float:
        """Return what the product of a layer alone is not below."""
        if first.weights is not None:
            corners = outline.corners()
            products = corners.energy_pj**self.product.a * corners.cycles**self.product.b
            return float(products.min())
        known = 0.0 if first.gap is None else 1 - first.gap
        return known * self.product.of(first.energy_pj, first.cycles)

    def _best(self) -> Combination:
        return self._combined([outline.points for outline in self._outlines])

    def _hoped(self) -> Combination:
        return self._combined([outline.corners() for outline in self._outlines])

    def _combined(self, fronts: Sequence[Front]) -> Combination:
        return best_combination(fronts, self.counts, self.product.a, self.product.b)

    def _value(self, sums: Combination) -> float:
        return self.product.of(sums.energy_pj, sums.cycles)

    def _questions(self, sums: Combination, value: float) -> list[Question]:
        """Return what to ask so that nothing below a value is left in the direction of some sums.

        The loosest layers come first, and no more than are needed if none has a better mapping.
        """
        weights = self.product.tangent(sums.energy_pj, sums.cycles)
        if weights == (0.0, 0.0):
            weights = (1.0, 0.0)
        loose = [(n * o.loose(weights), i) for i, (n, o) in enumerate(self._counted())]
        missing = np.inf
        if min(weights) > 0 and value < np.inf:
            here = weights[0] * sums.energy_pj + weights[1] * sums.cycles
            missing = self.product.least_sum(value, weights) - here
        questions = []
        for gain, layer in sorted(loose, key=lambda item: (-item[0], item[1])):
            if gain <= 0 or missing <= 0:
                break
            question = self._question(layer, weights)
            if question is not None:
                questions.append(question)
                missing -= gain
        return questions

    def _counted(self) -> Iterator[tuple[int, Outline]]:
        return zip(self.counts, self._outlines, strict=True)

    def _question(self, layer: int, weights: Weights) -> Question | None:
        """Return the question that settles an edge, or that goes in a direction not asked yet."""
        outline = self._outlines[layer]
        if layer in self._given_up:
            return None
        for direction in (outline.edge(weights), weights):
            if direction is not None and not outline.asked(direction):
                return Question(layer, direction)
        return None

    def _learn(self, questions: Sequence[Question]) -> None:
        for question, found in zip(questions, self.ask(questions), strict=True):
            a, b = question.weights
            share = 0.0 if found.gap is None else 1 - found.gap
            least = share * (a * found.energy_pj + b * found.cycles)
            outline = self._outlines[question.layer]
            outline.add(found.energy_pj, found.cycles, question.weights, least)
            if not found.proven:
                self._given_up.add(question.layer)
