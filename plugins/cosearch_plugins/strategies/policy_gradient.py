"""Reinforcement learning of designs: an episode chooses a row, column by column."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.parts.history import History
from cosearch_plugins.strategies.parts.policy import Adam, Policy

_ATTEMPTS = 16
"""Rounds of episodes before random rows make up what is missing."""

_EPISODES = 64
"""Episodes played a round, at least: they cost nothing beside a design, and most may be known."""

_HEAT = 1.25
"""By how much each round is hotter, so that a policy that has made up its mind looks around."""


_MOST_CURIOUS = 50.0
"""The entropy bonus grows to so many times its option at most."""


def _options(batch: int, rate: float, entropy: float, explore: float) -> tuple[Parameter, ...]:
    return (
        Parameter("batch", (1, 4, 8, 16, 32, 64, 4096), batch, free=True,
                  doc="designs between two updates"),
        Parameter("rate", (0.0001, 0.01, 0.03, 0.05, 0.1, 1.0), rate, free=True,
                  doc="learning rate"),
        Parameter("entropy", (0.0, 0.01, 0.02, 0.05, 0.1, 1.0), entropy, free=True,
                  doc="bonus for staying undecided"),
        Parameter("penalty", (0.0, 0.5, 1.0, 2.0, 10.0), 1.0, free=True,
                  doc="by how much an infeasible design is worse than the worst feasible one"),
        Parameter("sharpness", (0.3, 1.0, 3.0, 10.0), 3.0, free=True,
                  doc="how fast the reward falls as the cost rises above the best"),
        Parameter("explore", (0.0, 0.05, 0.1, 0.25, 1.0), explore, free=True,
                  doc="share of designs drawn at random, whatever the policy thinks"),
        Parameter("hidden", (1, 8, 16, 32, 512), 16, free=True, doc="size of the policy's state"),
    )  # fmt: skip


def _above_the_best(loss: FloatArray) -> FloatArray:
    """Return by how much finite losses, float64[n], are above the least.

    The logarithm of the ratio where losses are positive, in mean absolute steps where not.
    """
    least = float(loss.min())
    if least > 0:
        return np.log(loss / least)
    step = float(np.abs(loss - least).mean())
    return (loss - least) / step if step > 0 else np.zeros_like(loss)


class PolicyGradient(Strategy):
    """What REINFORCE and PPO share: episodes, rewards and the baseline.

    A feasible design is rewarded with 1 - sharpness log(loss / best), so the best so far with 1;
    an infeasible one with the worst of these minus the penalty. A reward by rank gives nearly as
    much for a design better than most as for the best: the policy settles where it was good first.
    """

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        batch: int,
        rate: float,
        entropy: float,
        penalty: float,
        hidden: int,
        sharpness: float,
        explore: float,
    ) -> None:
        super().__init__(space, rng)
        self._explore, self._asked = explore, 0
        self._batch, self._entropy, self._penalty = batch, entropy, penalty
        self._sharpness = sharpness
        self._policy = Policy(space, hidden, rng)
        self._adam = Adam(len(self._policy.theta), rate)
        self._history = History(space)
        self._due: list[int] = []
        self._known = 0  # trials until the end of the batch that is learned from
        self._strange: set[bytes] = set()
        self._curiosity = 1.0
        self._baseline: float | None = None
        self._unseen = Unseen(space)

    def ask(self, n: int) -> Rows:
        """Return up to n unseen episodes that meet the known constraints."""
        found = [self._blind(n)]
        missing = n - len(found[0])
        for attempt in range(_ATTEMPTS):
            if missing == 0:
                break
            rows = self._policy.sample(max(2 * missing, _EPISODES), _HEAT**attempt, self.rng)
            if attempt == 0:
                self._curiosity = self._curious(rows[: 2 * missing], missing)
            fresh = self._unseen.take(rows, missing)
            found.append(fresh)
            missing -= len(fresh)
        found.append(self._unseen.draw(missing, self.rng))
        return np.concatenate(found)

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Remember the trials; learn whenever a batch of them is complete."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        self._history.add(told)
        before = len(self._history) - len(told.rows)
        self._due += [
            before + i for i, row in enumerate(told.rows) if row.tobytes() not in self._strange
        ]
        while len(self._due) >= self._batch:
            batch, self._due = self._due[: self._batch], self._due[self._batch :]
            self._known = batch[-1] + 1
            rewards = self._rewards(self._known)[batch]
            rows = self._history.rows[batch]
            self._learn(rows, self._policy.masks(rows), self._advantages(rewards))

    def _blind(self, n: int) -> Rows:
        """Return those of the next n designs that are drawn at random: all of the first batch.

        A policy that has learned nothing is no even draw of the designs that can be built. Later
        ones are not learned from: they are not the policy's own.
        """
        first = max(0, min(n, self._batch - self._asked)) if self._explore > 0 else 0
        self._asked += n
        rows = self._unseen.draw(first, self.rng)
        later = self._unseen.draw(int(self.rng.binomial(n - first, self._explore)), self.rng)
        self._strange.update(row.tobytes() for row in later)
        return np.concatenate([rows, later])

    def _curious(self, rows: Rows, wanted: int) -> float:
        """Return the factor on the entropy bonus: it rises while episodes repeat themselves."""
        fresh = int((self.space.feasible(rows) & self._unseen.new(rows)).sum())
        return min(_MOST_CURIOUS, max(1.0, self._curiosity * (1.1 if fresh < wanted else 0.9)))

    @abstractmethod
    def _learn(self, rows: Rows, masks: Sequence[BoolArray], advantages: FloatArray) -> None:
        """Update the policy with a batch of rows and their advantages, float64[n]."""

    def _rewards(self, n: int) -> FloatArray:
        """Return the reward, float64[n], of each of the first n trials among themselves."""
        usable = self._history.usable[:n]
        rewards = np.full(n, -self._penalty)
        if not usable.any():
            return rewards
        above = self._sharpness * _above_the_best(self._history.loss[:n][usable])
        rewards[usable] = 1.0 - above
        rewards[~usable] = rewards[usable].min() - self._penalty
        return rewards

    def _advantages(self, rewards: FloatArray) -> FloatArray:
        """Return rewards above a running baseline, float64[n], of about unit size."""
        mean = float(rewards.mean())
        self._baseline = mean if self._baseline is None else 0.7 * self._baseline + 0.3 * mean
        above = rewards - self._baseline
        size = float(np.sqrt((above**2).mean()))
        return above / size if size > 1e-9 else np.zeros_like(above)

    def _ascend(self, rows: Rows, masks: Sequence[BoolArray], weight: FloatArray) -> None:
        episode = self._policy.read(rows, masks)
        gradient = self._policy.gradient(rows, episode, weight, self._entropy * self._curiosity)
        self._policy.theta += self._adam.step(gradient / len(rows))


class Reinforce(PolicyGradient):
    """The likelihood-ratio policy gradient with a moving baseline and an entropy bonus.

    Sources: Williams, Machine Learning 8, 1992; for accelerators: Kao, Jeong and Krishna,
    ConfuciuX, MICRO 2020.
    """

    options = ParameterSpace(_options(batch=8, rate=0.03, entropy=0.05, explore=0.0))

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        batch: int = 8,
        rate: float = 0.03,
        entropy: float = 0.05,
        penalty: float = 1.0,
        hidden: int = 16,
        sharpness: float = 3.0,
        explore: float = 0.0,
    ) -> None:
        how = (batch, rate, entropy, penalty, hidden, sharpness, explore)
        super().__init__(space, rng, *how)

    def _learn(self, rows: Rows, masks: Sequence[BoolArray], advantages: FloatArray) -> None:
        self._ascend(rows, masks, np.broadcast_to(advantages[:, None], rows.shape))


class Ppo(PolicyGradient):
    """Proximal policy optimization: several clipped steps on each batch.

    The first batch is drawn at random, and so is a share of all later designs: a policy that has
    learned nothing yet is no even draw, and one that has made up its mind may be wrong. With every
    batch the policy is also made likelier to write the best designs so far again, each by how far
    its reward is above the baseline: of few designs one good batch teaches little.

    Sources: Schulman et al., Proximal Policy Optimization Algorithms, arXiv:1707.06347, equation 7;
    Oh et al., Self-Imitation Learning, ICML 2018 (arXiv:1806.05635), equation 2.
    """

    options = ParameterSpace(
        (
            *_options(batch=32, rate=0.015, entropy=0.05, explore=0.05),
            Parameter("epochs", (1, 2, 4, 8, 64), 8, free=True, doc="steps on each batch"),
            Parameter("clip", (0.05, 0.1, 0.2, 0.3, 10.0), 0.2, free=True,
                      doc="how far a choice's probability ratio may leave 1"),
            Parameter("imitate", (0, 4, 8, 16, 4096), 8, free=True,
                      doc="best designs so far that are learned from again with each batch"),
        )
    )  # fmt: skip

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        batch: int = 32,
        rate: float = 0.015,
        entropy: float = 0.05,
        penalty: float = 1.0,
        hidden: int = 16,
        sharpness: float = 3.0,
        explore: float = 0.05,
        epochs: int = 8,
        clip: float = 0.2,
        imitate: int = 8,
    ) -> None:
        how = (batch, rate, entropy, penalty, hidden, sharpness, explore)
        super().__init__(space, rng, *how)
        self._epochs, self._clip, self._imitate = epochs, clip, imitate

    def _learn(self, rows: Rows, masks: Sequence[BoolArray], advantages: FloatArray) -> None:
        before = self._policy.read(rows, masks).log_probability
        gain = advantages[:, None]
        for _ in range(self._epochs):
            now = self._policy.read(rows, masks).log_probability
            ratio = np.exp(np.clip(now - before, -20.0, 20.0))
            clipped = np.where(gain > 0, ratio > 1 + self._clip, ratio < 1 - self._clip)
            self._ascend(rows, masks, np.where(clipped, 0.0, ratio * gain))
        self._learn_from_the_best()

    def _learn_from_the_best(self) -> None:
        """Ascend the likelihood of the best designs so far, where they are above the baseline."""
        usable = np.flatnonzero(self._history.usable[: self._known])
        best = usable[np.argsort(self._history.loss[usable], kind="stable")[: self._imitate]]
        above = np.maximum(self._rewards(self._known)[best] - (self._baseline or 0.0), 0.0)
        size = float(np.sqrt((above**2).sum() / max(len(best), 1)))
        if size <= 1e-9:
            return
        rows = self._history.rows[best]
        masks = self._policy.masks(rows)
        weight = np.broadcast_to((above / size)[:, None], rows.shape)
        for _ in range(self._epochs):
            self._ascend(rows, masks, weight)
