"""Searches of a tabulated problem at equal budgets: what each finds, and what it proposes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from attrs import frozen

from cosearch.registry.registry import Registry
from cosearch.search.parameters import ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.papers.rhnas.problems import Tabulated
from cosearch_plugins.schemes.rhnas.machines import Settings
from cosearch_plugins.schemes.rhnas.search import AlternatingSearch, Relaxed

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


Ask: TypeAlias = Callable[[Rows], tuple[FloatArray, BoolArray, BoolArray]]
"""Rows to losses, float64[n, 1], which of them count, and which machines can be built, bool[n]."""


class Pairs(Protocol):
    """A problem whose every pair of a network and a machine is priced at once."""

    @property
    def networks(self) -> ParameterSpace:
        """The space of networks."""

    @property
    def machines(self) -> ParameterSpace:
        """The space of machines, no rule known."""

    @property
    def both(self) -> ParameterSpace:
        """Networks and machines."""

    @property
    def baseline(self) -> tuple[Rows, Rows]:
        """The default network and machine, int64[d] each."""

    @property
    def optimum(self) -> float:
        """The least loss of all pairs."""

    @property
    def machine_optimum(self) -> float:
        """The least loss of the default network."""

    def answer(self, rows: Rows) -> tuple[FloatArray, BoolArray, BoolArray]:
        """Return losses of pairs, float64[n, 1], whether they count, and whether they are built."""

    def alone(self, network: Rows, machines: Rows) -> FloatArray:
        """Return the loss of one network, int64[d], on machines, float64[n]."""

    def inside(self, machines: Rows) -> FloatArray:
        """Return what machines are worth with their best networks, float64[n]."""

    def accurate(self, network: Rows) -> bool:
        """Return whether a network, int64[d], is above the floor."""

    def relaxed(self, rng: np.random.Generator) -> Relaxed[Any]:
        """Return a differentiable search of the network."""

    def costs_on(self, machine: Rows) -> Any:  # noqa: ANN401 - what the relaxed search takes
        """Return the costs of networks on a machine, int64[d]; None where it cannot be built."""

    def describe(self, network: Rows) -> FloatArray:
        """Return the numbers that a policy over machines is conditioned on."""


Run: TypeAlias = Callable[[Registry, Any, int, int], Found]
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

    def run(registry: Registry, problem: Pairs, seed: int, trials: int) -> Found:
        network, _ = problem.baseline
        named = registry.find("strategies", spec)
        strategy = named.make(problem.machines, np.random.default_rng(seed))

        def ask(rows: Rows) -> tuple[FloatArray, BoolArray, BoolArray]:
            found = problem.inside(rows) if inside else problem.alone(network, rows)
            return found[:, None], np.isfinite(found), np.isfinite(found)

        return _played(strategy, trials, ask)

    return run


def over_both(spec: str) -> Run:
    """Return a search of networks and machines in one row."""

    def run(registry: Registry, problem: Pairs, seed: int, trials: int) -> Found:
        named = registry.find("strategies", spec)
        strategy = named.make(problem.both, np.random.default_rng(seed))
        return _played(strategy, trials, problem.answer)

    return run


def loop(settings: Settings | None = None) -> Run:
    """Return the loop of the scheme `rhnas`."""

    def run(registry: Registry, problem: Pairs, seed: int, trials: int) -> Found:
        del registry
        return _played(loop_of(problem, seed, settings or Settings()), trials, problem.answer)

    return run


def loop_of(problem: Pairs, seed: int, settings: Settings) -> AlternatingSearch[Any]:
    """Return the loop, from the default machine."""
    rng = np.random.default_rng(seed)
    return AlternatingSearch(
        problem.both, rng, problem.networks, problem.machines, problem.costs_on, problem.describe,
        problem.baseline[1], settings, problem.relaxed(rng),
    )  # fmt: skip


def network_then_machine(spec: str) -> Run:
    """Return a relaxed search of the network on the default machine, then one of the machine."""

    def run(registry: Registry, problem: Pairs, seed: int, trials: int) -> Found:
        rng = np.random.default_rng(seed)
        network = problem.relaxed(rng).find(problem.costs_on(problem.baseline[1]))
        accurate = problem.accurate(network)
        strategy = registry.find("strategies", spec).make(problem.machines, rng)

        def ask(rows: Rows) -> tuple[FloatArray, BoolArray, BoolArray]:
            found = problem.alone(network, rows)
            built = np.isfinite(found)
            return found[:, None], built & accurate, built

        return _played(strategy, trials, ask)

    return run


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
        sums: whether it also searches spaces of networks that are too large to enumerate.
    """

    name: str
    what: str
    run: Run
    sums: bool = True


CONTENDERS = (
    Contender("random", "machine", over_machines("random", inside=False)),
    Contender("evolutionary", "machine", over_machines("evolutionary", inside=False)),
    Contender("ppo", "machine", over_machines("ppo", inside=False)),
    Contender("random", "both", over_both("random")),
    Contender("random, recombined", "both", recombined_random, sums=False),
    Contender("evolutionary", "both", over_both("evolutionary")),
    Contender("network, then ppo", "both", network_then_machine("ppo")),
    Contender("network, then evolutionary", "both", network_then_machine("evolutionary")),
    Contender("network-inside, random", "both", over_machines("random", inside=True)),
    Contender("network-inside, evolutionary", "both", over_machines("evolutionary", inside=True)),
    Contender("rhnas", "both", loop()),
    Contender("rhnas without parents", "both", loop(Settings(fresh=1.0))),
)


def score(
    registry: Registry, problem: Pairs, contender: Contender, seeds: Sequence[int], trials: int
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
    return scored(problem, contender, found)


def scored(problem: Pairs, contender: Contender, found: Sequence[Found]) -> Score:
    """Return what a contender came to, of what it found from each seed."""
    optimum = problem.optimum if contender.what == "both" else problem.machine_optimum
    built = float(np.median([f.built for f in found]))
    return Score(contender.name, contender.what, tuple(f.loss for f in found), built, optimum)
