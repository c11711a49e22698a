"""A policy that edits machines: a good one, and what is run on it, to a better one.

An episode starts from a parent, one of the best machines met (or none), and writes a whole row
column by column; staying with the parent's value is one more choice whose weight is learned for
each column. So the policy learns which changes keep a machine buildable and make it cheaper *for
the network at hand*, and a search that starts anew from several good machines does not settle in
the first basin. It is conditioned on the network by its share of work in each layer.

Sources: the additive autoregressive state is that of `cosearch_plugins.strategies.parts.policy`
(NADE, Larochelle and Murray, AISTATS 2011); proximal policy optimization, Schulman et al.,
arXiv:1707.06347, equation 7; episodes from archived states are the idea of Go-Explore, Ecoffet et
al., Nature 590, 2021.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from cosearch.search.parameters import Space
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows
from cosearch_plugins.strategies.parts.policy import Adam

NOBODY = -1
"""The parent of an episode that starts from nothing, in every column."""


@frozen(eq=False)
class Episodes:
    """Rows that a policy wrote, and from what.

    Attributes:
        parents: int64[n, d]; NOBODY where there was none.
        rows: int64[n, d].
        context: float64[f], of the network at hand.
        masks: per column the choices, bool[n, c], that known constraints allowed.
    """

    parents: Rows
    rows: Rows
    context: FloatArray
    masks: tuple[BoolArray, ...]


@frozen(eq=False)
class _Read:
    """What a policy makes of episodes: log probabilities, states and probabilities by column."""

    log_probability: FloatArray
    states: tuple[FloatArray, ...]
    probabilities: tuple[FloatArray, ...]


class EditPolicy:
    """An autoregressive distribution over rows, given a parent and a context.

    The state before column j is s_j = tanh(a_j + W f + sum of P_k[parent_k] + sum of E_k[x_k] over
    k < j); choices are drawn from softmax(b_j + s_j U_j + k_j [choice = parent_j]).

    Args:
        space: of machines.
        features: numbers of a context.
        hidden: size of the state.
        stay: the first weight of the parent's choice.
        rng: for the first parameters.
    """

    def __init__(
        self, space: Space, features: int, hidden: int, stay: float, rng: np.random.Generator
    ) -> None:
        self._space = space
        self._cards = [int(c) for c in space.cardinalities]
        self._shapes: list[tuple[int, ...]] = [(features, hidden)]
        for c in self._cards:
            self._shapes += [(hidden,), (c, hidden), (c, hidden), (hidden, c), (c,), (1,)]
        sizes = [int(np.prod(shape)) for shape in self._shapes]
        self._ends = np.cumsum(sizes).tolist()
        self.theta = np.zeros(self._ends[-1])
        view, columns = self._views(self.theta)
        view[:] = rng.normal(0.0, 0.1, view.shape)
        for start, embed, parent, read, _, keep in columns:
            start[:] = rng.normal(0.0, 0.1, start.shape)
            embed[:] = rng.normal(0.0, 0.2, embed.shape)
            parent[:] = rng.normal(0.0, 0.2, parent.shape)
            read[:] = rng.normal(0.0, 0.02, read.shape)
            keep[:] = stay

    def _views(self, flat: FloatArray) -> tuple[FloatArray, list[tuple[FloatArray, ...]]]:
        """Return W[f, h] and each column's a[h], E, P[c, h], U[h, c], b[c], k[1] as views."""
        views, begin = [], 0
        for shape, end in zip(self._shapes, self._ends, strict=True):
            views.append(flat[begin:end].reshape(shape))
            begin = end
        return views[0], [tuple(views[i : i + 6]) for i in range(1, len(views), 6)]

    def write(
        self, parents: Rows, context: FloatArray, heat: float, rng: np.random.Generator
    ) -> Episodes:
        """Return an episode from each parent, int64[n, d]; heat above 1 flattens every choice."""
        n, d = parents.shape
        rows: Rows = np.zeros((n, d), dtype=np.int64)
        columns = self._views(self.theta)[1]
        total = self._base(parents, context)
        masks = []
        for j, (start, embed, _, read, bias, keep) in enumerate(columns):
            masks.append(self._space.allowed(rows, j))
            logits = np.tanh(start + total) @ read + bias + self._stays(parents, j) * keep
            p = _softmax(logits / heat, masks[-1])
            below = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
            rows[:, j] = np.minimum(below, self._cards[j] - 1)
            total = total + embed[rows[:, j]]
        return Episodes(parents, rows, context, tuple(masks))

    def _base(self, parents: Rows, context: FloatArray) -> FloatArray:
        view, columns = self._views(self.theta)
        total = np.repeat((context @ view)[None, :], len(parents), axis=0)
        for j, (_, _, parent, *_) in enumerate(columns):
            known = parents[:, j] != NOBODY
            total[known] += parent[parents[known, j]]
        return total

    def _stays(self, parents: Rows, j: int) -> FloatArray:
        return np.asarray(parents[:, [j]] == np.arange(self._cards[j]), dtype=np.float64)

    def read(self, e: Episodes) -> _Read:
        """Return the probabilities of episodes."""
        n, which = len(e.rows), np.arange(len(e.rows))
        total = self._base(e.parents, e.context)
        logs, states, probabilities = np.zeros(e.rows.shape), [], []
        for j, (start, embed, _, read, bias, keep) in enumerate(self._views(self.theta)[1]):
            states.append(np.tanh(start + total))
            logits = states[-1] @ read + bias + self._stays(e.parents, j) * keep
            p = _softmax(logits, e.masks[j])
            logs[:, j] = np.log(np.maximum(p[which, e.rows[:, j]], 1e-30))
            probabilities.append(p)
            total = total + embed[e.rows[:, j]]
        assert len(logs) == n
        return _Read(logs, tuple(states), tuple(probabilities))

    def gradient(self, e: Episodes, read: _Read, weight: FloatArray, entropy: float) -> FloatArray:
        """Return the gradient of sum(weight * log probability) + entropy * sum of entropies.

        Args:
            e: the episodes.
            read: what `read` returned of them.
            weight: float64[n, d].
            entropy: weight of the entropy of each choice.
        """
        flat = np.zeros_like(self.theta)
        columns = self._views(self.theta)[1]
        d_view, d_columns = self._views(flat)
        which, later = np.arange(len(e.rows)), np.zeros((len(e.rows), d_view.shape[1]))
        for j in range(len(columns) - 1, -1, -1):
            d_start, d_embed, _, d_read, d_bias, d_keep = d_columns[j]
            p, state = read.probabilities[j], read.states[j]
            log_p = np.log(np.maximum(p, 1e-30))
            surprise = log_p - (p * log_p).sum(axis=1, keepdims=True)
            d_logits = -p * (weight[:, [j]] + entropy * surprise)
            d_logits[which, e.rows[:, j]] += weight[:, j]
            np.add.at(d_embed, e.rows[:, j], later)
            d_read += state.T @ d_logits
            d_bias += d_logits.sum(axis=0)
            d_keep += (d_logits * self._stays(e.parents, j)).sum()
            d_state = (d_logits @ columns[j][3].T) * (1.0 - state**2)
            d_start += d_state.sum(axis=0)
            later = later + d_state
        d_view += np.outer(e.context, later.sum(axis=0))
        for j, (_, _, d_parent, *_) in enumerate(d_columns):
            known = e.parents[:, j] != NOBODY
            np.add.at(d_parent, e.parents[known, j], later[known])
        return flat


class Proximal:
    """Proximal policy optimization of an edit policy.

    Args:
        policy: to be improved.
        rate: of learning.
        epochs: steps on each batch.
        clip: how far a choice's probability ratio may leave 1.
        entropy: bonus for staying undecided.
    """

    def __init__(
        self, policy: EditPolicy, rate: float, epochs: int, clip: float, entropy: float
    ) -> None:
        self.policy, self._epochs, self._clip, self._entropy = policy, epochs, clip, entropy
        self._adam = Adam(len(policy.theta), rate)

    def learn(self, batches: Sequence[Episodes], advantages: Sequence[FloatArray]) -> None:
        """Make some steps on episodes with their advantages, float64[n] each."""
        before = [self.policy.read(e).log_probability for e in batches]
        n = sum(len(e.rows) for e in batches)
        for _ in range(self._epochs):
            total = np.zeros_like(self.policy.theta)
            for e, old, gain in zip(batches, before, advantages, strict=True):
                now = self.policy.read(e)
                ratio = np.exp(now.log_probability - old)
                g = gain[:, None]
                open_ = np.where(g > 0, ratio < 1 + self._clip, ratio > 1 - self._clip)
                total += self.policy.gradient(e, now, ratio * g * open_, self._entropy)
            self.policy.theta += self._adam.step(total / n)


def _softmax(logits: FloatArray, allowed: BoolArray) -> FloatArray:
    """Return probabilities over the allowed choices; over all of them in a dead end."""
    possible = allowed | ~allowed.any(axis=1, keepdims=True)
    logits = np.where(possible, logits, -np.inf)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def nobody(n: int, space: Space) -> IntArray:
    """Return n parents that are none, int64[n, d]."""
    return np.full((n, len(space.names)), NOBODY, dtype=np.int64)
