"""Differentiable search of a network that is a sum of independent parts, of a space of any size.

A space too large to enumerate has no table of losses. Where its networks are sums over groups of
choices (`cosearch_plugins.landscape.separable`), the expectation of energy, cycles and of what
lacks to the ceiling of the accuracy over the networks that Gumbel-softmax weights make is a sum
over the groups too, and the loss

    p log E[energy] + q log E[cycles] + multiplier E[lacking]

is differentiable in every weight, as in FBNet (Wu et al., CVPR 2019), whose latency is a sum of
looked-up blocks. Each search has a multiplier of its own, which grows while the network that its
logits make likeliest lacks too much, and shrinks while it does not. The accuracy is that of the
space's fitted model.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.quantities import added
from cosearch.search.parameters import ParameterSpace
from cosearch.study.problem import Problem
from cosearch.typing import FloatArray, IntArray, Rows
from cosearch_plugins.landscape.separable import Separable
from cosearch_plugins.schemes.rhnas.networks import Relaxation, softmax
from cosearch_plugins.strategies.parts.policy import Adam

PACE = 0.1
"""By how much, as a logarithm, a multiplier moves in a step."""

SHORT = 10.0
"""What lacks beyond the budget weighs, in units of the logarithm of the cost: both are logarithms,
and a network just above the floor must not be outweighed by a cheap one below it."""


@frozen(eq=False)
class LayerCosts:
    """What layers cost on a machine.

    Attributes:
        energy_pj, cycles: float64[l]; infinite where a layer cannot be run.
        area_mm2: of the machine.
    """

    energy_pj: FloatArray
    cycles: FloatArray
    area_mm2: float


@frozen(eq=False)
class _Priced:
    """Energy and cycles of what every network runs, float64[2], and of choices, float64[2, c]."""

    fixed: FloatArray
    groups: list[FloatArray]


class PartsSearch:
    """Finds a network by gradients through the sums of its parts.

    Args:
        space: of networks.
        powers: of energy and cycles in what is made small.
        floor: least accuracy, per cent; None is none.
        rng: random stream.
        how: settings.
    """

    def __init__(
        self,
        space: Separable,
        powers: tuple[float, float],
        floor: float | None,
        rng: np.random.Generator,
        how: Relaxation | None = None,
    ) -> None:
        self.space, self.powers, self._rng, self.how = space, powers, rng, how or Relaxation()
        self._budget = np.inf
        if floor is not None:
            left = space.model.ceiling - floor
            self._budget = np.log(left) - space.model.intercept if left > 0 else -np.inf
        self._cards = [len(group.choices) for group in space.groups]
        self._work = np.array([float(layer.operations) for layer in space.layers])

    @classmethod
    def of(cls, problem: Problem, rng: np.random.Generator) -> PartsSearch:
        """Return the search of a study's space of networks.

        Raises:
            CosearchError: the objective is no product of energy and cycles, or a limit on networks
                is none on the accuracy from below.
        """
        powers, floors = problem.objectives[0].powers, []
        for limit in problem.constraints:
            if limit.name == "accuracy" and not limit.at_most:
                floors.append(limit.limit)
            elif limit.name != "area_mm2":
                raise CosearchError(
                    f"the scheme rhnas cannot keep a limit on {limit.name} in a space of parts",
                    "limit the accuracy from below, and the area",
                )
        if powers is None:
            raise CosearchError(
                f"{problem.objectives[0].name} is no product of energy and cycles, as the scheme "
                "rhnas needs for a space of parts"
            )
        space = Separable.of(problem.networks)
        return cls(space, powers, max(floors, default=None), rng)

    @property
    def networks(self) -> ParameterSpace:
        """The space of networks."""
        return self.space.networks.space

    def describe(self, row: Rows) -> FloatArray:
        """Return each layer's share of a network's work, float64[l]."""
        work = self.space.counts_of(row) * self._work
        return np.asarray(work / max(float(work.sum()), 1.0))

    def blank(self) -> LayerCosts:
        """Return the same costs for all layers' operations: no machine is known."""
        return LayerCosts(self._work, self._work, 1.0)

    def meets(self, row: Rows) -> bool:
        """Return whether a network is accurate enough by the fitted model."""
        return self._lacking(self._picks(row)) <= self._budget + 1e-12

    def value(self, costs: LayerCosts, row: Rows) -> float:
        """Return a network's loss; very dear, but finite, where the machine cannot run it."""
        return self._value(self._priced(costs), self._picks(row))

    def find(self, costs: LayerCosts) -> Rows:
        """Return the best network that the descent met, int64[d]."""
        how, priced = self.how, self._priced(costs)
        theta = self._rng.normal(0.0, 0.1, how.restarts * added(self._cards))
        adam, best = Adam(len(theta), how.rate), self._best(priced, None, self._split(theta))
        multiplier = np.ones(how.restarts)
        for step in range(how.steps):
            heat = how.hot * (how.cold / how.hot) ** (step / max(1, how.steps - 1))
            logits = self._split(theta)
            noisy = [x + self._rng.gumbel(size=x.shape) for x in logits]
            both = [np.concatenate(pair) for pair in zip(noisy, logits, strict=True)]
            best = self._best(priced, best, both)
            weights = [softmax(x / heat) for x in noisy]
            gradient = [
                w * (s - (w * s).sum(axis=1, keepdims=True)) / heat
                for w, s in zip(weights, self._slopes(priced, weights, multiplier), strict=True)
            ]
            multiplier = multiplier * np.exp(PACE * self._short(logits))
            theta = theta - adam.step(np.concatenate([g.ravel() for g in gradient]))
        return self._row(self._best(priced, best, self._split(theta)))

    def _short(self, logits: list[FloatArray]) -> FloatArray:
        """Return 1 where the likeliest network lacks too much, -1 where not, float64[r]."""
        likeliest = np.stack([x.argmax(axis=1) for x in logits], axis=1)
        return np.array([1.0 if self._lacking(k) > self._budget else -1.0 for k in likeliest])

    def _slopes(
        self, priced: _Priced, weights: list[FloatArray], multiplier: FloatArray
    ) -> list[FloatArray]:
        """Return the slope of the loss in every weight, float64[r, c] each."""
        groups = self.space.groups
        total = np.asarray(
            priced.fixed[:, None]
            + added(costs @ w.T for costs, w in zip(priced.groups, weights, strict=True))
        )
        p, q = self.powers
        return [
            p * costs[0] / total[0][:, None] + q * costs[1] / total[1][:, None]
            + multiplier[:, None] * group.lacking
            for costs, group in zip(priced.groups, groups, strict=True)
        ]  # fmt: skip

    def _best(self, priced: _Priced, best: IntArray | None, logits: list[FloatArray]) -> IntArray:
        """Return the best of what is met, one choice of each group, int64[g]."""
        met = np.stack([x.argmax(axis=1) for x in logits], axis=1)
        every = [*met] if best is None else [best, *met]
        return min(every, key=lambda picks: self._value(priced, picks))

    def _value(self, priced: _Priced, picks: IntArray) -> float:
        total = priced.fixed + added(
            costs[:, k] for costs, k in zip(priced.groups, picks.tolist(), strict=True)
        )
        with np.errstate(divide="ignore"):
            logs = float(np.dot(self.powers, np.log(total)))
        return logs + SHORT * max(0.0, self._lacking(picks) - self._budget)

    def _lacking(self, picks: IntArray) -> float:
        parts = zip(self.space.groups, picks.tolist(), strict=True)
        return float(added(float(group.lacking[k]) for group, k in parts))

    def _priced(self, costs: LayerCosts) -> _Priced:
        """Return costs by choice; a layer that cannot be run is very dear: slopes stay finite."""
        both = np.stack([costs.energy_pj, costs.cycles])
        most = np.where(np.isfinite(both), both, 0.0).sum(axis=1, keepdims=True)
        both = np.where(np.isfinite(both), both, 1e3 * (most + 1.0))
        return _Priced(
            both @ self.space.always, [both @ group.counts.T for group in self.space.groups]
        )

    def _split(self, theta: FloatArray) -> list[FloatArray]:
        r = self.how.restarts
        ends = np.cumsum([r * c for c in self._cards])[:-1]
        parts = zip(np.split(theta, ends), self._cards, strict=True)
        return [part.reshape(r, c) for part, c in parts]

    def _picks(self, row: Rows) -> IntArray:
        """Return the choice of each group, int64[g], of a network."""
        found = [
            np.flatnonzero((group.choices == row[group.columns]).all(axis=1))[0]
            for group in self.space.groups
        ]
        return np.array(found, dtype=np.int64)

    def _row(self, picks: IntArray) -> Rows:
        row = self.networks.index(self.space.networks.baseline)
        for group, k in zip(self.space.groups, picks.tolist(), strict=True):
            row[group.columns] = group.choices[k]
        return row
