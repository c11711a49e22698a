"""Searches of a tabulated problem at equal budgets: what each finds, and what it proposes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from attrs import frozen

from cosearch.registry.registry import Registry
from cosearch.search.strategy import Strategy
from cosearch.typing import FloatArray, Rows
from cosearch_plugins.papers.rhnas.problems import Tabulated
from cosearch_plugins.schemes.rhnas.machines import Settings
from cosearch_plugins.schemes.rhnas.networks import GumbelSearch
from cosearch_plugins.schemes.rhnas.scheme import NetworkTable
from cosearch_plugins.schemes.rhnas.search import AlternatingSearch

BATCH = 4
"""Designs that every search proposes at once, as a study does by itself."""


@frozen
class Found:
    """What one search came to.

    Attributes:
        loss: of the best design within the floor; infinite where there is none.
        built: share of the machines proposed that can be built.
    """

    loss: float
    built: float


@frozen
class Score:
    """What a contender came to over all seeds.

    Attributes:
        name: of the contender.
        what: `machine` for the baseline's network, or `both`.
        losses: one a seed.
        built: median share of proposals that can be built.
        optimum: the least loss there is.
    """

    name: str
    what: str
    losses: tuple[float, ...]
    built: float
    optimum: float

    @property
    def regrets(self) -> tuple[float, float, float]:
        """Median, least and greatest distance from the optimum, relative."""
        found = np.array(self.losses) / self.optimum - 1.0
        return float(np.median(found)), float(found.min()), float(found.max())


Ask: TypeAlias = Callable[[Rows], tuple[FloatArray, np.ndarray, np.ndarray]]
"""Rows to losses, float64[n, 1], which of them count, and which machines can be built, bool[n]."""

Run: TypeAlias = Callable[[Registry, Tabulated, int, int], Found]
"""A registry, a problem, a seed and a number of designs, to what a search finds."""


def _played(strategy: Strategy, trials: int, ask: Ask) -> Found:
    """Return what a strategy finds of a problem that answers losses, what counts, what is built."""
    best, built, done = np.inf, 0, 0
    while done < trials:
        rows = strategy.ask(min(BATCH, trials - done))
        if len(rows) == 0:
            break
        losses, counts, can = ask(rows)
        strategy.tell(rows, np.where(counts[:, None], losses, np.inf), counts)
        best = min(best, float(losses[counts, 0].min(initial=np.inf)))
        built, done = built + int(can.sum()), done + len(rows)
    return Found(best, built / max(done, 1))


def over_machines(spec: str, *, inside: bool) -> Run:
    """Return a search of machines, for the baseline's network or each with its best network."""

    def run(registry: Registry, problem: Tabulated, seed: int, trials: int) -> Found:
        network, _ = problem.baseline
        losses = problem.best_of_machines if inside else problem.of_machines(network)
        named = registry.find("strategies", spec)
        strategy = named.make(problem.machines, np.random.default_rng(seed))

        def ask(rows: Rows) -> tuple[FloatArray, np.ndarray, np.ndarray]:
            found = losses[problem.machines.rank(rows)]
            return found[:, None], np.isfinite(found), np.isfinite(found)

        return _played(strategy, trials, ask)

    return run


def over_both(spec: str) -> Run:
    """Return a search of networks and machines in one row."""

    def run(registry: Registry, problem: Tabulated, seed: int, trials: int) -> Found:
        named = registry.find("strategies", spec)
        strategy = named.make(problem.both, np.random.default_rng(seed))
        return _played(strategy, trials, problem.answer)

    return run


def loop(settings: Settings | None = None) -> Run:
    """Return the loop of the scheme `rhnas`."""

    def run(registry: Registry, problem: Tabulated, seed: int, trials: int) -> Found:
        del registry
        return _played(loop_of(problem, seed, settings or Settings()), trials, problem.answer)

    return run


def loop_of(problem: Tabulated, seed: int, settings: Settings) -> AlternatingSearch:
    """Return the loop, from the default machine."""
    networks = problem.table.problem.networks
    if networks is None:
        raise TypeError("a joint table is of a space of networks")
    lack = np.maximum(problem.floor - problem.accuracy, 0.0)
    counts = problem.network_counts.astype(np.int64)
    table = NetworkTable(networks, problem.table.classes.layers, counts, lack)

    def losses_on(machine: Rows) -> FloatArray | None:
        costs = problem.costs(machine)
        if costs is None:
            return None
        return table.losses(*costs, problem.table.problem.objectives[0], 1.0)

    return AlternatingSearch(
        problem.both, np.random.default_rng(seed), problem.networks, problem.machines,
        losses_on, table.describe, problem.baseline[1], settings,
    )  # fmt: skip


def network_then_machine(spec: str) -> Run:
    """Return a relaxed search of the network on the default machine, then one of the machine."""

    def run(registry: Registry, problem: Tabulated, seed: int, trials: int) -> Found:
        rng = np.random.default_rng(seed)
        network = relaxed_network(problem, rng)
        losses = problem.of_machines(network)
        if problem.accuracy[problem.networks.rank(network[None, :])[0]] < problem.floor:
            losses = np.full_like(losses, np.inf)
        strategy = registry.find("strategies", spec).make(problem.machines, rng)

        def ask(rows: Rows) -> tuple[FloatArray, np.ndarray, np.ndarray]:
            found = losses[problem.machines.rank(rows)]
            return found[:, None], np.isfinite(found), np.isfinite(found)

        return _played(strategy, trials, ask)

    return run


def relaxed_network(problem: Tabulated, rng: np.random.Generator) -> Rows:
    """Return the network that a relaxed search finds for the default machine."""
    costs = problem.costs(problem.baseline[1])
    networks = problem.table.problem.networks
    if costs is None or networks is None:
        raise TypeError("the default machine is not in the table")
    lack = np.maximum(problem.floor - problem.accuracy, 0.0)
    counts = problem.network_counts.astype(np.int64)
    table = NetworkTable(networks, problem.table.classes.layers, counts, lack)
    losses = table.losses(*costs, problem.table.problem.objectives[0], 1.0)
    return GumbelSearch(problem.networks, rng).find(losses)


def recombined_random(registry: Registry, problem: Tabulated, seed: int, trials: int) -> Found:
    """Return the best of random networks x random machines, every pair of them."""
    del registry
    rng = np.random.default_rng(seed)
    machines, networks = problem.machines.sample(trials, rng), problem.networks.sample(trials, rng)
    known = np.isfinite(problem.best_of_machines[problem.machines.rank(machines)])
    accurate = problem.accuracy[problem.networks.rank(networks)] >= problem.floor
    best = np.inf
    for network in networks[accurate]:
        kept = machines[known]
        losses = problem.losses(np.repeat(network[None, :], len(kept), axis=0), kept)
        best = min(best, float(losses.min(initial=np.inf)))
    return Found(best, float(known.mean()))


@frozen
class Contender:
    """A search with a name.

    Attributes:
        name: in the table.
        what: `machine` for the baseline's network, or `both`.
        run: the search.
    """

    name: str
    what: str
    run: Run


CONTENDERS = (
    Contender("random", "machine", over_machines("random", inside=False)),
    Contender("evolutionary", "machine", over_machines("evolutionary", inside=False)),
    Contender("ppo", "machine", over_machines("ppo", inside=False)),
    Contender("random", "both", over_both("random")),
    Contender("random, recombined", "both", recombined_random),
    Contender("evolutionary", "both", over_both("evolutionary")),
    Contender("network, then ppo", "both", network_then_machine("ppo")),
    Contender("network, then evolutionary", "both", network_then_machine("evolutionary")),
    Contender("network-inside, random", "both", over_machines("random", inside=True)),
    Contender("network-inside, evolutionary", "both", over_machines("evolutionary", inside=True)),
    Contender("rhnas", "both", loop()),
    Contender("rhnas without parents", "both", loop(Settings(fresh=1.0))),
)


def score(
    registry: Registry, problem: Tabulated, contender: Contender, seeds: Sequence[int], trials: int
) -> Score:
    """Return what a contender comes to on a problem from every seed.

    Args:
        registry: knows strategies.
        problem: with its optimum.
        contender: the search.
        seeds: one a run.
        trials: designs of each run.
    """
    found = [contender.run(registry, problem, seed, trials) for seed in seeds]
    if contender.what == "both":
        optimum = problem.optimum
    else:
        optimum = float(problem.of_machines(problem.baseline[0]).min())
    built = float(np.median([f.built for f in found]))
    return Score(contender.name, contender.what, tuple(f.loss for f in found), built, optimum)
