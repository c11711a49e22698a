"""The loop: machines for the network at hand, then a network for the machine at hand, in turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np

from cosearch.search.parameters import ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.schemes.rhnas.machines import Archipelago, Settings
from cosearch_plugins.schemes.rhnas.networks import GumbelSearch

Losses: TypeAlias = Callable[[Rows], FloatArray | None]
"""A machine, int64[d], to the loss of every network on it, float64[size] by rank, what it lacks to
the floor among it; None where the machine cannot be built or run."""

Describe: TypeAlias = Callable[[Rows], FloatArray]
"""A network, int64[d], to the numbers that the machine's policy is conditioned on."""


class Relaxed(Protocol):
    """A differentiable search of a network."""

    def find(self, losses: FloatArray) -> Rows:
        """Return a network, int64[d], given the loss of every one by rank."""

    def value(self, losses: FloatArray, row: Rows) -> float:
        """Return what a network is worth; lower is better."""


class AlternatingSearch(Strategy):
    """Reinforcement learning proposes machines, a relaxed search the network, in turns.

    Args:
        space: networks and machines, in two groups of columns.
        rng: random stream.
        networks: the space of networks, its columns first.
        machines: the space of machines.
        losses_on: of every network on a machine.
        describe: a network.
        first: the machine to begin from, int64[d].
        settings: of the agent.
        patience: designs without a better one after which the search ends; 0 is never.
        relaxed: finds networks; None is by a table of losses.
    """

    def __init__(
        self,
        space: ParameterSpace,
        rng: np.random.Generator,
        networks: ParameterSpace,
        machines: ParameterSpace,
        losses_on: Losses,
        describe: Describe,
        first: Rows,
        settings: Settings,
        patience: int = 0,
        relaxed: Relaxed | None = None,
    ) -> None:
        super().__init__(space, rng)
        self._d = len(networks.names)
        self._networks, self._losses_on, self._describe = networks, losses_on, describe
        self._relaxed = relaxed or GumbelSearch(networks, rng)
        features = len(describe(np.zeros(self._d, dtype=np.int64)))
        self._agent = Archipelago(machines, features, rng, settings)
        self._machine, self._patience = first, patience
        self._network: Rows | None = None
        self._best, self._since, self._asked, self._proposed = np.inf, 0, 0, 0
        self._queue: list[Rows] = []
        self._better = False
        self.turns = 0
        self.when_exhausted = f"neither machine nor network got better in {patience} designs"

    def ask(self, n: int) -> Rows:
        """Return pairs of the network at hand and new machines, or a new network first."""
        if self._patience and self._since >= self._patience:
            return np.zeros((0, len(self.space.names)), dtype=np.int64)
        if self._network is None:
            self._begin()
        found, self._queue = self._queue[:n], self._queue[n:]
        network = self._network
        if network is None or len(found) == n:
            return np.array(found).reshape(len(found), -1)
        machines = self._agent.ask(n - len(found), self._describe(network))
        pairs = [np.concatenate([network, machine]) for machine in machines]
        self._proposed += len(pairs)
        return np.array([*found, *pairs], dtype=np.int64).reshape(-1, len(self.space.names))

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Learn; a better machine has its network looked for again, once in a batch."""
        told = self.checked(rows, losses, feasible, violations)
        mine = np.ones(len(told.rows), dtype=bool)
        if self._network is not None:
            mine = (told.rows[:, : self._d] == self._network).all(axis=1)
        self._take(told.rows[mine], told.loss[mine], told.feasible[mine])
        self._since += len(told.rows)
        self._asked += len(told.rows)
        if self._better and self._asked >= self._agent.settings.batch:
            self._asked = 0
            self._find_network()

    def _take(self, rows: Rows, losses: FloatArray, feasible: BoolArray) -> None:
        feasible = feasible & np.isfinite(losses)
        if feasible.any():
            least = int(np.where(feasible, losses, np.inf).argmin())
            if losses[least] < self._best:
                if np.isfinite(self._best):
                    self._agent.rebase(self._best / float(losses[least]))
                self._best, self._since, self._better = float(losses[least]), 0, True
                self._machine = rows[least, self._d :].copy()
        best = self._best if np.isfinite(self._best) else 1.0
        self._agent.tell(rows[:, self._d :], losses, feasible, best)

    def _begin(self) -> None:
        """Find the first machine's network; that pair is the first design."""
        self._find_network()
        if self._network is not None:
            self._agent.begin(self._machine)
            self._queue.append(np.concatenate([self._network, self._machine]))

    def _find_network(self) -> None:
        """Look for the network of the best machine; a better one is at hand from now on."""
        self._better = False
        losses = self._losses_on(self._machine)
        if losses is None:
            losses = np.zeros(self._networks.size)
        found = self._relaxed.find(losses)
        if self._network is not None:
            value = self._relaxed.value
            if value(losses, found) >= value(losses, self._network):
                return
        self.turns += 1
        if self._network is not None:
            self._best = np.inf
            self._queue.append(np.concatenate([found, self._machine]))
        self._network = found

    @property
    def statistics(self) -> dict[str, float]:
        """How many machines it proposed, and how often it turned to another network."""
        return {"proposed": float(self._proposed), "networks": float(self.turns)}
