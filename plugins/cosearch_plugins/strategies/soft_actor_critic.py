"""Discrete soft actor-critic: a policy that is paid for staying undecided, and two critics."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np

from cosearch.quantities import added
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.parts.policy import Adam, Autoregressive, softmax
from cosearch_plugins.strategies.policy_gradient import PolicyGradient

_COLDEST, _WARMEST = 1e-3, 10.0
"""Between these lies the temperature, in units of the best design's reward."""


class SoftActorCritic(PolicyGradient):
    """Soft actor-critic for discrete actions; a design is an episode, each column an action.

    The state is the choices made so far; the reward comes with the last choice:
    exp(-sharpness log(loss / best)) of a feasible design, minus the penalty of another. Every
    `batch` designs the critics and the policy take steps on episodes drawn from all that were ever
    told. Critics learn what the state to come is worth to the policy, its entropy included, by the
    lower of two slowly following copies; the temperature is driven to a wanted entropy, a share of
    that of an even draw.

    Source: Christodoulou, Soft Actor-Critic for Discrete Action Settings, arXiv:1910.07207.
    """

    options = ParameterSpace(
        (
            Parameter("batch", (1, 4, 8, 16, 32, 4096), 8, free=True,
                      doc="designs between two rounds of updates"),
            Parameter("rate", (0.0001, 0.003, 0.01, 0.03, 1.0), 0.01, free=True,
                      doc="learning rate of policy, critics and temperature"),
            Parameter("steps", (1, 4, 8, 16, 512), 16, free=True, doc="updates a round"),
            Parameter("replay", (1, 32, 64, 128, 4096), 64, free=True,
                      doc="episodes that an update looks at"),
            Parameter("follow", (0.001, 0.01, 0.05, 0.1, 1.0), 0.05, free=True,
                      doc="how fast the critics' copies follow them"),
            Parameter("undecided", (0.0, 0.1, 0.3, 0.5, 0.98), 0.3, free=True,
                      doc="wanted entropy, over that of an even draw"),
            Parameter("penalty", (0.0, 0.5, 1.0, 2.0, 10.0), 0.5, free=True,
                      doc="by how much an infeasible design's reward is below 0"),
            Parameter("sharpness", (0.3, 1.0, 3.0, 10.0), 3.0, free=True,
                      doc="how fast the reward falls as the cost rises above the best"),
            Parameter("explore", (0.0, 0.05, 0.1, 0.25, 1.0), 0.05, free=True,
                      doc="share of designs drawn at random, whatever the policy thinks"),
            Parameter("hidden", (1, 8, 16, 32, 512), 16, free=True,
                      doc="size of the policy's and the critics' state"),
        )
    )  # fmt: skip

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        batch: int = 8,
        rate: float = 0.01,
        steps: int = 16,
        replay: int = 64,
        follow: float = 0.05,
        undecided: float = 0.3,
        penalty: float = 0.5,
        sharpness: float = 3.0,
        explore: float = 0.05,
        hidden: int = 16,
    ) -> None:
        super().__init__(space, rng, batch, rate, 0.0, penalty, hidden, sharpness, explore)
        self._steps, self._replay, self._follow = steps, replay, follow
        self._undecided, self._rate = undecided, rate
        self._critics = [Autoregressive(space, hidden, rng) for _ in range(2)]
        self._copies = [_copied(critic) for critic in self._critics]
        self._learners = [Adam(len(critic.theta), rate) for critic in self._critics]
        self._log_temperature = float(np.log(0.1))

    def _rewards(self, n: int) -> FloatArray:
        """Return the reward, float64[n], of each of the first n trials among themselves."""
        usable = self._history.usable[:n]
        rewards = np.full(n, -self._penalty)
        if usable.any():
            loss = self._history.loss[:n][usable]
            least = float(loss.min())
            above = np.log(loss / least) if least > 0 else (loss - least) / max(abs(least), 1.0)
            rewards[usable] = np.exp(-self._sharpness * above)
        return rewards

    def _learn(self, rows: Rows, masks: Sequence[BoolArray], advantages: FloatArray) -> None:
        """Take steps on episodes of all that was told; what came last is among it."""
        del rows, masks, advantages
        rewards = self._rewards(len(self._history))
        for _ in range(self._steps):
            drawn = self.rng.integers(len(rewards), size=min(self._replay, len(rewards)))
            episodes = self._history.rows[drawn]
            self._step(episodes, self._policy.masks(episodes), rewards[drawn])

    def _step(self, rows: Rows, masks: Sequence[BoolArray], rewards: FloatArray) -> None:
        temperature = float(np.exp(self._log_temperature))
        states, scores = self._policy.scores(rows)
        chances = [softmax(s, mask) for s, mask in zip(scores, masks, strict=True)]
        logs = [np.log(np.maximum(p, 1e-30)) for p in chances]
        targets = self._targets(rows, chances, logs, rewards, temperature)
        values = [self._criticised(i, rows, targets) for i in range(2)]
        d_scores = []
        for p, log_p, *both in zip(chances, logs, *values, strict=True):
            worth = np.minimum(*both) - temperature * log_p
            d_scores.append(p * (worth - (p * worth).sum(axis=1, keepdims=True)))
        gradient = self._policy.pulled_back(rows, states, d_scores)
        self._policy.theta += self._adam.step(gradient / len(rows))
        self._follow_critics()
        self._warm(chances, logs, masks)

    def _targets(
        self,
        rows: Rows,
        chances: Sequence[FloatArray],
        logs: Sequence[FloatArray],
        rewards: FloatArray,
        temperature: float,
    ) -> FloatArray:
        """Return what each choice made is worth, float64[n, d]: the state it leads to."""
        copies = [each.scores(rows)[1] for each in self._copies]
        worth = [
            (p * (np.minimum(one, two) - temperature * log_p)).sum(axis=1)
            for p, log_p, one, two in zip(chances, logs, *copies, strict=True)
        ]
        return np.stack([*worth[1:], rewards], axis=1)

    def _criticised(self, i: int, rows: Rows, targets: FloatArray) -> tuple[FloatArray, ...]:
        """Take a critic's step towards the targets; return what it thought before it."""
        critic, which = self._critics[i], np.arange(len(rows))
        states, values = critic.scores(rows)
        d_values = []
        for j, value in enumerate(values):
            d_value = np.zeros_like(value)
            d_value[which, rows[:, j]] = targets[:, j] - value[which, rows[:, j]]
            d_values.append(d_value)
        gradient = critic.pulled_back(rows, states, d_values)
        critic.theta += self._learners[i].step(gradient / len(rows))
        return values

    def _follow_critics(self) -> None:
        for each, critic in zip(self._copies, self._critics, strict=True):
            each.theta += self._follow * (critic.theta - each.theta)

    def _warm(
        self, chances: Sequence[FloatArray], logs: Sequence[FloatArray], masks: Sequence[BoolArray]
    ) -> None:
        """Raise the temperature where the policy is more decided than wanted, else lower it."""
        entropy = added(
            float(-(p * log_p).sum(axis=1).mean()) for p, log_p in zip(chances, logs, strict=True)
        )
        even = added(float(np.log(np.maximum(m.sum(axis=1), 1)).mean()) for m in masks)
        push = self._rate * float(np.clip(self._undecided * even - entropy, -1.0, 1.0))
        warmer = self._log_temperature + push
        self._log_temperature = float(np.clip(warmer, np.log(_COLDEST), np.log(_WARMEST)))


def _copied(critic: Autoregressive) -> Autoregressive:
    """Return a critic of the same scores that learns apart."""
    made = copy(critic)
    made.theta = critic.theta.copy()
    return made
