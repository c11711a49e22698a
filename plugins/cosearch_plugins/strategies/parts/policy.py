"""A policy that writes a row column by column, and its gradient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import frozen

from cosearch.search.parameters import Space
from cosearch.typing import BoolArray, FloatArray, Rows


@frozen(eq=False)
class Episode:
    """What the policy thinks of given rows.

    Attributes:
        log_probability: float64[n, d], of each choice given the choices before it.
        states: float64[d, n, h], the hidden state before each choice.
        probabilities: per column, float64[n, c].
    """

    log_probability: FloatArray
    states: FloatArray
    probabilities: tuple[FloatArray, ...]


class Autoregressive:
    """One score for every choice of every column, given the choices before it.

    The state before column j is s_j = tanh(a_j + sum of E_k[x_k] over k < j); the scores are
    b_j + s_j U_j. Additive states make an episode of d choices cost d small matrix products.

    Source: the additive state is that of NADE, Larochelle and Murray, AISTATS 2011.
    """

    def __init__(self, space: Space, hidden: int, rng: np.random.Generator) -> None:
        self._space = space
        self._cards = [int(c) for c in space.cardinalities]
        shapes = [
            shape for c in self._cards for shape in ((hidden,), (c, hidden), (hidden, c), (c,))
        ]
        sizes = [int(np.prod(shape)) for shape in shapes]
        self.theta = np.zeros(sum(sizes))
        self._shapes = shapes
        for start, embed, read, bias in self._columns(self.theta):
            start[:] = rng.normal(0.0, 0.1, start.shape)
            embed[:] = rng.normal(0.0, 0.3, embed.shape)
            read[:] = rng.normal(0.0, 0.02, read.shape)
            bias[:] = 0.0

    def _columns(self, flat: FloatArray) -> Iterator[tuple[FloatArray, ...]]:
        """Yield each column's a[h], E[c, h], U[h, c] and b[c] as views of a flat vector."""
        position, views = 0, []
        for shape in self._shapes:
            size = int(np.prod(shape))
            views.append(flat[position : position + size].reshape(shape))
            position += size
        return (tuple(views[i : i + 4]) for i in range(0, len(views), 4))

    def masks(self, rows: Rows) -> tuple[BoolArray, ...]:
        """Return per column the choices, bool[n, c], that were allowed when rows were written."""
        return tuple(self._space.allowed(rows, j) for j in range(len(self._cards)))

    def scores(self, rows: Rows) -> tuple[FloatArray, tuple[FloatArray, ...]]:
        """Return the states, float64[d, n, h], and per column the scores, float64[n, c], of rows.

        Args:
            rows: int64[n, d].
        """
        n, total = len(rows), np.zeros((len(rows), 1))
        states, scores = [], []
        for j, (start, embed, read, bias) in enumerate(self._columns(self.theta)):
            state = np.broadcast_to(np.tanh(start + total), (n, len(start)))
            states.append(state)
            scores.append(state @ read + bias)
            total = total + embed[rows[:, j]]
        return np.array(states), tuple(scores)

    def pulled_back(
        self, rows: Rows, states: FloatArray, d_scores: Sequence[FloatArray]
    ) -> FloatArray:
        """Return the gradient, float64, as long as `theta`, of what has one in the scores.

        Args:
            rows: int64[n, d].
            states: as `scores` returned them.
            d_scores: per column, float64[n, c].
        """
        flat = np.zeros_like(self.theta)
        later = np.zeros((len(rows), 1))
        columns = list(zip(self._columns(self.theta), self._columns(flat), strict=True))
        for j in range(len(columns) - 1, -1, -1):
            (_, _, read, _), (d_start, d_embed, d_read, d_bias) = columns[j]
            d_logits, state = d_scores[j], states[j]
            np.add.at(d_embed, rows[:, j], np.broadcast_to(later, state.shape))
            d_read += state.T @ d_logits
            d_bias += d_logits.sum(axis=0)
            d_state = (d_logits @ read.T) * (1.0 - state**2)
            d_start += d_state.sum(axis=0)
            later = later + d_state
        return flat


class Policy(Autoregressive):
    """An autoregressive distribution over rows.

    A choice is drawn from the softmax of its column's scores, over the choices that known
    constraints allow. It starts nearly uniform.
    """

    def sample(self, n: int, temperature: float, rng: np.random.Generator) -> Rows:
        """Draw rows, int64[n, d]; choices that no feasible row has are masked.

        A temperature above 1 flattens every choice, below 1 sharpens it.
        """
        rows = np.zeros((n, len(self._cards)), dtype=np.int64)
        total = np.zeros((n, 1))
        for j, (start, embed, read, bias) in enumerate(self._columns(self.theta)):
            logits = np.tanh(start + total) @ read + bias
            p = softmax(logits / temperature, self._space.allowed(rows, j))
            below = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
            rows[:, j] = np.minimum(below, self._cards[j] - 1)
            total = total + embed[rows[:, j]]
        return rows

    def read(self, rows: Rows, masks: Sequence[BoolArray]) -> Episode:
        """Return the probabilities of rows, int64[n, d]."""
        which, logs, probabilities = np.arange(len(rows)), np.zeros(rows.shape), []
        states, scores = self.scores(rows)
        for j, (logits, mask) in enumerate(zip(scores, masks, strict=True)):
            p = softmax(logits, mask)
            logs[:, j] = np.log(np.maximum(p[which, rows[:, j]], 1e-30))
            probabilities.append(p)
        return Episode(logs, states, tuple(probabilities))

    def gradient(
        self, rows: Rows, episode: Episode, weight: FloatArray, entropy: float
    ) -> FloatArray:
        """Return the gradient of sum(weight * log probability) + entropy * sum of entropies.

        Args:
            rows: int64[n, d].
            episode: what `read` returned of them.
            weight: float64[n, d].
            entropy: weight of the entropy of each choice.

        Returns:
            float64, as long as `theta`.
        """
        which, d_scores = np.arange(len(rows)), []
        for j, p in enumerate(episode.probabilities):
            log_p = np.log(np.maximum(p, 1e-30))
            surprise = log_p - (p * log_p).sum(axis=1, keepdims=True)
            d_logits = -p * (weight[:, [j]] + entropy * surprise)
            d_logits[which, rows[:, j]] += weight[:, j]
            d_scores.append(d_logits)
        return self.pulled_back(rows, episode.states, d_scores)


class Adam:
    """Adam, ascending. Source: Kingma and Ba, ICLR 2015, algorithm 1."""

    def __init__(self, size: int, rate: float) -> None:
        self._rate, self._steps = rate, 0
        self._first, self._second = np.zeros(size), np.zeros(size)

    def step(self, gradient: FloatArray) -> FloatArray:
        """Return what to add to the parameters."""
        self._steps += 1
        self._first = 0.9 * self._first + 0.1 * gradient
        self._second = 0.999 * self._second + 0.001 * gradient**2
        first = self._first / (1 - 0.9**self._steps)
        second = self._second / (1 - 0.999**self._steps)
        return np.asarray(self._rate * first / (np.sqrt(second) + 1e-8))


def softmax(logits: FloatArray, allowed: BoolArray) -> FloatArray:
    """Return probabilities over the allowed choices; over all of them in a dead end."""
    possible = allowed | ~allowed.any(axis=1, keepdims=True)
    logits = np.where(possible, logits, -np.inf)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))
