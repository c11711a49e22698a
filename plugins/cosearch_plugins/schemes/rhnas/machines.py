"""The agent that proposes machines for a network: what can be built, and is cheap.

Rewards: a machine that cannot be built costs `penalty`; one that can is worth the logarithm of what
it saves, over its parent or, without one, over the best machine so far. The rules of what can be
built may be hidden from it altogether.
"""

from __future__ import annotations

import numpy as np
from attrs import define, frozen

from cosearch.search.parameters import Parameter, Space
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, IntArray, Rows
from cosearch_plugins.schemes.rhnas.buildable import Buildable
from cosearch_plugins.schemes.rhnas.edits import EditPolicy, Episodes, Proximal, nobody

ATTEMPTS = 12
"""Rounds of episodes before random machines make up what is missing."""

TRIES = 4
"""Attempts at a choice that count as much as one machine with it that can be built."""

SURPLUS = 4
"""Crossed machines drawn for each that is wanted: what is unlikely to be built is left out."""

HEAT = 1.2
"""By how much each round is hotter: what the policy likes best may be known already."""


@frozen
class Settings:
    """How the agent learns.

    Attributes:
        batch: machines between two updates of the policy.
        rate: of learning.
        epochs, clip, entropy: of proximal policy optimization.
        penalty: of a machine that cannot be built.
        elite: good machines from which episodes start.
        fresh: share of episodes that start from none.
        niche: share of the others that start from the best machine with some choice of some column.
        pioneer: share of machines that are two known ones crossed, with a choice few have.
        early: designs of an agent until which there are niches and pioneers.
        hidden: size of the policy's state.
        stay: first weight of the parent's value in each column.
        islands: agents that begin apart; the one that came farthest goes on.
        apart: designs of each until then.
    """

    batch: int = 16
    rate: float = 0.03
    epochs: int = 6
    clip: float = 0.2
    entropy: float = 0.01
    penalty: float = 1.0
    elite: int = 16
    fresh: float = 0.05
    niche: float = 0.3
    pioneer: float = 0.15
    early: int = 400
    hidden: int = 24
    stay: float = 2.5
    islands: int = 3
    apart: int = 64


OPTIONS = (
    Parameter("batch", (4, 8, 16, 32, 64), 16, free=True, doc="machines between two updates"),
    Parameter("rate", (0.003, 0.01, 0.03, 0.1), 0.03, free=True, doc="learning rate"),
    Parameter("entropy", (0.0, 0.01, 0.05, 0.1), 0.01, free=True, doc="bonus for indecision"),
    Parameter("penalty", (0.3, 1.0, 3.0), 1.0, free=True, doc="of what cannot be built"),
    Parameter("elite", (4, 8, 16, 32, 64), 16, free=True, doc="machines episodes start from"),
    Parameter(
        "fresh", (0.0, 0.05, 0.1, 0.3, 1.0), 0.05, free=True, doc="share of episodes from none"
    ),
    Parameter("islands", (1, 2, 3, 5), 3, free=True, doc="agents that begin apart"),
)


class Pioneers:
    """Machines with choices that few known ones have: else a policy learns to leave them out.

    Args:
        space: of machines.
        rng: random stream.
    """

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        self._space, self._rng = space, rng
        self._tried = [np.zeros(int(c)) for c in space.cardinalities]

    def rows(self, known: Rows, n: int) -> Rows:
        """Return up to n machines, int64[m, d]: two known ones crossed, one choice rare."""
        rows = [self._row(known) for _ in range(n if len(known) else 0)]
        found = np.array(rows, dtype=np.int64).reshape(len(rows), len(self._tried))
        return found[self._space.feasible(found)]

    def _row(self, known: Rows) -> Rows:
        counts = [
            np.bincount(known[:, j], minlength=len(tried)) + tried / TRIES
            for j, tried in enumerate(self._tried)
        ]
        rare = np.array([count.min() for count in counts])
        j = int(self._rng.choice(np.flatnonzero(rare == rare.min())))
        choice = int(self._rng.choice(np.flatnonzero(counts[j] == rare[j])))
        self._tried[j][choice] += 1
        one, other = known[self._rng.integers(0, len(known), size=2)]
        row: Rows = np.where(self._rng.random(len(one)) < 0.5, one, other)
        row[j] = choice
        return row


@define(eq=False)
class _Known:
    """Machines met: rows, and the logarithm of their cost over the best for the same network."""

    rows: Rows
    merit: FloatArray


class MachineAgent:
    """Proposes machines and learns from what they cost.

    Args:
        space: of machines.
        features: numbers that describe a network.
        rng: random stream.
        settings: of learning.
        buildable: what is known of what can be built; nothing yet if left out.
    """

    def __init__(
        self,
        space: Space,
        features: int,
        rng: np.random.Generator,
        settings: Settings,
        buildable: Buildable | None = None,
    ) -> None:
        self.space, self.settings, self._rng = space, settings, rng
        self._buildable = buildable or Buildable(space, rng)
        self._policy = EditPolicy(space, features, settings.hidden, settings.stay, rng)
        self._learner = Proximal(
            self._policy, settings.rate, settings.epochs, settings.clip, settings.entropy
        )
        self._unseen = Unseen(space)
        self._known = _Known(np.zeros((0, len(space.names)), dtype=np.int64), np.zeros(0))
        self._written: dict[bytes, tuple[Rows, FloatArray]] = {}
        self._waiting: list[tuple[Rows, Rows, FloatArray, float]] = []
        self._pioneers = Pioneers(space, rng)
        self._asked = 0

    def ask(self, n: int, context: FloatArray) -> Rows:
        """Return up to n machines never proposed before, int64[m, d], for a network."""
        found = [np.zeros((0, len(self.space.names)), dtype=np.int64)]
        self._asked += n
        if self._early:
            wanted = int(self._rng.binomial(n, self.settings.pioneer))
            crossed = self._pioneers.rows(self._known.rows, SURPLUS * wanted)
            found.append(self._unseen.take(self._buildable.passed(crossed), wanted))
        missing = n - len(found[-1])
        for attempt in range(ATTEMPTS):
            if missing == 0:
                break
            parents = self._parents(max(2 * missing, 16))
            episodes = self._policy.write(parents, context, HEAT**attempt, self._rng)
            rows = episodes.rows
            if attempt < ATTEMPTS // 2:
                rows = self._buildable.passed(rows)
            fresh = self._unseen.take(rows, missing)
            self._remember(fresh, episodes)
            found.append(fresh)
            missing -= len(fresh)
        if missing:
            found.append(self._unseen.draw(missing, self._rng))
        return np.concatenate(found)

    def _parents(self, n: int) -> Rows:
        """Return parents, int64[n, d].

        Of the best machines by tournaments of two; the best with a choice, each choice of each
        column that was met as likely, so that rare ones keep a line; or none.
        """
        none = nobody(n, self.space)
        order = np.argsort(self._known.merit, kind="stable")[: self.settings.elite]
        if len(order) == 0:
            return none
        drawn = order[self._rng.integers(0, len(order), size=(n, 2)).min(axis=1)]
        niches = self._niches()
        apart = self._rng.random(n) < (self.settings.niche if self._early else 0.0)
        drawn = np.where(apart, niches[self._rng.integers(0, len(niches), size=n)], drawn)
        alone = self._rng.random(n) < self.settings.fresh
        return np.where(alone[:, None], none, self._known.rows[drawn])

    @property
    def _early(self) -> bool:
        return self._asked <= self.settings.early

    def _niches(self) -> IntArray:
        """Return the number of the best machine with each choice met, one a column and choice."""
        order = np.argsort(self._known.merit, kind="stable")
        columns = self._known.rows[order].T
        firsts = [np.unique(column, return_index=True)[1] for column in columns]
        return order[np.concatenate(firsts)]

    def _remember(self, rows: Rows, episodes: Episodes) -> None:
        place = {row.tobytes(): i for i, row in reversed(list(enumerate(episodes.rows)))}
        for row in rows:
            parent = episodes.parents[place[row.tobytes()]]
            self._written[row.tobytes()] = parent, episodes.context

    def tell(self, rows: Rows, losses: FloatArray, feasible: BoolArray, best: float) -> None:
        """Learn what machines cost.

        Args:
            rows: int64[n, d].
            losses: float64[n], positive where feasible.
            feasible: bool[n].
            best: the least cost known for the same network, these among them.
        """
        self._unseen.mark(rows)
        feasible = feasible & np.isfinite(losses)
        self._buildable.learn(rows, feasible)
        merits = np.where(feasible, np.log(np.where(feasible, losses, 1.0) / best), np.inf)
        for row, merit in zip(rows, merits.tolist(), strict=True):
            parent, context = self._written.pop(row.tobytes(), (None, None))
            if parent is not None and context is not None:
                self._waiting.append((parent, row, context, self._reward(parent, merit)))
        self._keep(rows[feasible], merits[feasible])
        if len(self._waiting) >= self.settings.batch:
            self._learn()

    def _reward(self, parent: Rows, merit: float) -> float:
        if not np.isfinite(merit):
            return -self.settings.penalty
        at = np.flatnonzero((self._known.rows == parent).all(axis=1))
        before = float(self._known.merit[at].min()) if len(at) else 0.0
        return float(np.clip(before - merit, -0.5, 1.0))

    def adopt(self, other: MachineAgent) -> None:
        """Take over what another agent met."""
        self._keep(other._known.rows, other._known.merit)

    def _keep(self, rows: Rows, merit: FloatArray) -> None:
        """Add machines; those that were there for another network get the better place."""
        known = self._known
        known.rows, known.merit = (
            np.concatenate([known.rows, rows]), np.concatenate([known.merit, merit]),
        )  # fmt: skip
        _, first = np.unique(known.rows[::-1], axis=0, return_index=True)
        kept = np.sort(len(known.rows) - 1 - first)
        known.rows, known.merit = known.rows[kept], known.merit[kept]

    def rebase(self, factor: float) -> None:
        """Take in that the best machine got better by a factor: all others fall behind."""
        self._known.merit = self._known.merit + np.log(factor)

    def best(self, n: int) -> Rows:
        """Return the best machines met, int64[m, d]."""
        order: IntArray = np.argsort(self._known.merit, kind="stable")[:n]
        return self._known.rows[order]

    @property
    def merit(self) -> float:
        """The logarithm of its best machine's cost over the best of all; infinite without one."""
        return float(self._known.merit.min(initial=np.inf))

    def mark(self, rows: Rows) -> None:
        """Take machines as proposed: another agent has."""
        self._unseen.mark(rows)

    def _learn(self) -> None:
        rewards = np.array([reward for *_, reward in self._waiting])
        gains = rewards - rewards.mean()
        size = float(np.sqrt((gains**2).mean()))
        if size > 1e-9:
            batches, advantages = self._batches(gains / size)
            self._learner.learn(batches, advantages)
        self._waiting = []

    def _batches(self, gains: FloatArray) -> tuple[list[Episodes], list[FloatArray]]:
        """Return the waiting episodes, those of one network together, with their advantages."""
        by_context: dict[bytes, list[int]] = {}
        for i, (_, _, context, _) in enumerate(self._waiting):
            by_context.setdefault(context.tobytes(), []).append(i)
        batches, advantages = [], []
        for at in by_context.values():
            parents = np.array([self._waiting[i][0] for i in at])
            rows = np.array([self._waiting[i][1] for i in at])
            masks = tuple(self.space.allowed(rows, j) for j in range(rows.shape[1]))
            batches.append(Episodes(parents, rows, self._waiting[at[0]][2], masks))
            advantages.append(gains[at])
        return batches, advantages


class Archipelago:
    """Agents that learn apart until it is seen which came farthest; that one goes on.

    A policy that has learned what can be built keeps to the basin where it learned it. Several that
    begin apart seldom all begin in a bad one.

    Args:
        space: of machines.
        features: numbers that describe a network.
        rng: random stream.
        settings: of learning.
    """

    def __init__(
        self, space: Space, features: int, rng: np.random.Generator, settings: Settings
    ) -> None:
        self.settings = settings
        buildable = Buildable(space, rng)
        self._agents = [
            MachineAgent(space, features, rng, settings, buildable)
            for _ in range(max(1, settings.islands))
        ]
        self._owner: dict[bytes, MachineAgent] = {}
        self._asked = 0

    def ask(self, n: int, context: FloatArray) -> Rows:
        """Return up to n machines never proposed before, int64[m, d], for a network."""
        if self._asked >= self.settings.apart * len(self._agents):
            self._merge()
        agent = self._agents[(self._asked // self.settings.batch) % len(self._agents)]
        rows = agent.ask(n, context)
        self._asked += len(rows)
        for other in self._agents:
            if other is not agent:
                other.mark(rows)
        self._owner |= {row.tobytes(): agent for row in rows}
        return rows

    def _merge(self) -> None:
        first = min(self._agents, key=lambda agent: agent.merit)
        for other in self._agents:
            if other is not first:
                first.adopt(other)
        self._agents = [first]

    def begin(self, row: Rows) -> None:
        """Take a machine, int64[d], as proposed by the first agent: the others begin without it."""
        self.mark(row[None])
        self._owner[row.tobytes()] = self._agents[0]

    def mark(self, rows: Rows) -> None:
        """Take machines as proposed."""
        for agent in self._agents:
            agent.mark(rows)

    def tell(self, rows: Rows, losses: FloatArray, feasible: BoolArray, best: float) -> None:
        """Learn what machines cost, see `MachineAgent.tell`; all learn of a machine of nobody's."""
        owners = [self._owner.pop(row.tobytes(), None) for row in rows]
        for agent in self._agents:
            mine = np.array([owner is None or owner is agent for owner in owners], dtype=bool)
            if mine.any():
                agent.tell(rows[mine], losses[mine], feasible[mine], best)

    def rebase(self, factor: float) -> None:
        """Take in that the best machine of all got better by a factor."""
        for agent in self._agents:
            agent.rebase(factor)
