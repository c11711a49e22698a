"""Differentiable search of a network: architecture logits, Gumbel-softmax, expected cost.

Every choice of a network has logits. With Gumbel noise and a temperature they become soft weights
(Jang, Gu and Poole, *Categorical Reparameterization with Gumbel-Softmax*, ICLR 2017), and the loss
of a soft network is the expectation of the loss over the networks that the weights make:

    E[loss] = sum over networks x of loss(x) * prod over choices e of weight_e(x_e)

which is differentiable in every weight. The loss is the logarithm of what the network costs on the
machine at hand - sums of its layers' proven results - and what it lacks to the accuracy floor. The
accuracy is that of a table: an *oracle*, labelled so, which no real search has.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.quantities import added
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.parts.policy import Adam

SCALES = (0.1, 0.5, 2.5)
"""Differences of losses that count, in units of the logarithm of the cost."""


@frozen
class Relaxation:
    """How logits are found.

    Attributes:
        steps: of gradient descent.
        rate: of learning.
        hot, cold: first and last temperature.
        restarts: searches side by side.
    """

    steps: int = 150
    rate: float = 0.1
    hot: float = 2.0
    cold: float = 0.2
    restarts: int = 8


class GumbelSearch:
    """Finds a network whose loss is small, out of a table of losses.

    Args:
        space: of networks, every one of which may be looked up.
        rng: random stream.
        how: settings.
        enough: bool[size]: which networks by rank meet the limits on them; all if left out.

    Attributes:
        asked: ranks of the networks that were met as they are, not as weights.
    """

    def __init__(
        self,
        space: ParameterSpace,
        rng: np.random.Generator,
        how: Relaxation | None = None,
        enough: BoolArray | None = None,
    ) -> None:
        self.space, self._rng, self.how = space, rng, how or Relaxation()
        self._enough = enough
        self._cards = tuple(int(c) for c in space.cardinalities)
        self.asked: set[int] = set()

    def find(self, losses: FloatArray) -> Rows:
        """Return the best network that the descent met, int64[d].

        Args:
            losses: float64[size] by `Space.rank`, finite; lower is better.
        """
        if losses.shape != (self.space.size,) or not np.isfinite(losses).all():
            raise CosearchError("a relaxed search needs a finite loss of every network")
        how, r = self.how, self.how.restarts
        theta = self._rng.normal(0.0, 0.1, r * added(self._cards))
        adam, best = Adam(len(theta), how.rate), int(self.space.rank(self._drawn(theta))[0])
        for step in range(how.steps):
            heat = how.hot * (how.cold / how.hot) ** (step / max(1, how.steps - 1))
            logits = self._split(theta)
            noisy = [x + self._rng.gumbel(size=x.shape) for x in logits]
            best = self._better(best, np.stack([x.argmax(axis=1) for x in noisy], axis=1), losses)
            weights = [softmax(x / heat) for x in noisy]
            _, slopes = expectation(self._graded(losses, losses[best]), weights)
            gradient = [
                w * (s - (w * s).sum(axis=1, keepdims=True)) / heat
                for w, s in zip(weights, slopes, strict=True)
            ]
            theta = theta - adam.step(np.concatenate([g.ravel() for g in gradient]))
        likeliest = np.stack([x.argmax(axis=1) for x in self._split(theta)], axis=1)
        best = self._better(best, likeliest, losses)
        return np.array(self.space.unrank(np.array([best]))[0])

    def value(self, losses: FloatArray, row: Rows) -> float:
        """Return a network's loss."""
        return float(losses[int(self.space.rank(row[None, :])[0])])

    def meets(self, row: Rows) -> bool:
        """Return whether a network meets the limits."""
        return self._enough is None or bool(self._enough[int(self.space.rank(row[None, :])[0])])

    def blank(self) -> FloatArray:
        """Return one loss for all networks, float64[size]."""
        return np.zeros(self.space.size)

    def _drawn(self, theta: FloatArray) -> Rows:
        """Return a network that is allowed, int64[1, d], the likeliest where it is."""
        row = np.stack([x[:1].argmax(axis=1) for x in self._split(theta)], axis=1)
        return row if self.space.feasible(row)[0] else self.space.sample_feasible(1, self._rng)[0]

    def _better(self, best: int, rows: Rows, losses: FloatArray) -> int:
        """Return the rank of the best of some networks and the best so far."""
        ranks = self.space.rank(rows[self.space.feasible(rows)])
        self.asked.update(ranks.tolist())
        return int(min([best, *ranks.tolist()], key=lambda k: float(losses[k])))

    def _graded(self, losses: FloatArray, best: float) -> FloatArray:
        """Return losses as they count beside the best met, by choices: near ones tell most."""
        above = np.clip(losses - best, -1.0, None)
        graded = np.mean([1.0 - np.exp(-above / scale) for scale in SCALES], axis=0)
        return np.asarray(graded.reshape(self._cards))

    def _split(self, theta: FloatArray) -> list[FloatArray]:
        r, position, parts = self.how.restarts, 0, []
        for c in self._cards:
            parts.append(theta[position : position + r * c].reshape(r, c))
            position += r * c
        return parts


def expectation(
    losses: FloatArray, weights: list[FloatArray]
) -> tuple[FloatArray, list[FloatArray]]:
    """Return the expected loss, float64[r], and its slope in every weight, float64[r, c] each.

    Args:
        losses: float64[c1, ..., cd]: of every network.
        weights: float64[r, c] for each choice, r searches side by side.
    """
    r = len(weights[0])
    inner = [np.broadcast_to(losses[None], (r, *losses.shape))]
    for w in weights[:-1]:
        inner.append(np.einsum("rc,rc...->r...", w, inner[-1]))
    outer = np.ones((r, 1))
    slopes: list[FloatArray] = []
    for k in range(len(weights) - 1, -1, -1):
        part = inner[k].reshape(r, weights[k].shape[1], -1)
        slopes.append(np.einsum("rcm,rm->rc", part, outer))
        outer = np.einsum("rc,rm->rcm", weights[k], outer).reshape(r, -1)
    value = (slopes[-1] * weights[0]).sum(axis=1)
    return np.asarray(value), slopes[::-1]


def softmax(x: FloatArray) -> FloatArray:
    """Return the soft weights of logits, float64[r, c]."""
    p = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))
