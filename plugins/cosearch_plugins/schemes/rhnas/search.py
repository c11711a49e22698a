"""The loop: machines for the network at hand, then a network for the machine at hand, in turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import numpy as np

from cosearch.search.parameters import ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.schemes.rhnas.machines import Archipelago, Settings

Costs = TypeVar("Costs")
"""What is known of all networks on a machine: a loss of each, or costs of their layers."""

LOOKS = 8
"""Searches for a network that meets the limits before one that does not is taken."""


class Relaxed(Protocol[Costs]):
    """A differentiable search of a network."""

    def find(self, costs: Costs) -> Rows:
        """Return a network, int64[d], for the machine of which the costs are."""

    def value(self, costs: Costs, row: Rows) -> float:
        """Return what a network is worth on it; lower is better."""

    def meets(self, row: Rows) -> bool:
        """Return whether a network is known to meet the limits on networks."""

    def blank(self) -> Costs:
        """Return what is known where no machine is: all networks cost the same."""


class AlternatingSearch(Strategy, Generic[Costs]):
    """Reinforcement learning proposes machines, a relaxed search the network, in turns.

    Args:
        space: networks and machines, in two groups of columns.
        rng: random stream.
        networks: the space of networks, its columns first.
        machines: the space of machines.
        costs_on: a machine, int64[d], to the costs of networks on it; None where it cannot be built
            or run.
        describe: a network, int64[d], to the numbers that the machine's policy is conditioned on.
        first: the machine to begin from, int64[d].
        settings: of the agent.
        patience: designs without a better one after which the search ends; 0 is never.
        relaxed: finds networks.
    """

    def __init__(
        self,
        space: ParameterSpace,
        rng: np.random.Generator,
        networks: ParameterSpace,
        machines: ParameterSpace,
        costs_on: Callable[[Rows], Costs | None],
        describe: Callable[[Rows], FloatArray],
        first: Rows,
        settings: Settings,
        relaxed: Relaxed[Costs],
        patience: int = 0,
    ) -> None:
        super().__init__(space, rng)
        self._d = len(networks.names)
        self._costs_on, self._describe, self._relaxed = costs_on, describe, relaxed
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
        costs = self._costs_on(self._machine)
        if costs is None:
            costs = self._relaxed.blank()
        found = self._looked_for(costs)
        if self._network is not None:
            value = self._relaxed.value
            if value(costs, found) >= value(costs, self._network):
                return
        self.turns += 1
        if self._network is not None:
            self._best = np.inf
            self._queue.append(np.concatenate([found, self._machine]))
        self._network = found

    def _looked_for(self, costs: Costs) -> Rows:
        """Return the best network of a search; of several where the first meets no limits."""
        best = self._relaxed.find(costs)
        for _ in range(LOOKS - 1):
            if self._relaxed.meets(best):
                break
            other = self._relaxed.find(costs)
            best = min(best, other, key=lambda row: self._relaxed.value(costs, row))
        return best

    @property
    def statistics(self) -> dict[str, float]:
        """How many machines it proposed, and how often it turned to another network."""
        return {"proposed": float(self._proposed), "networks": float(self.turns)}
