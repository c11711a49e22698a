"""Searches of a network space without a machine: what a strategy finds by scores alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.registry.registry import Named
from cosearch.search.objective import Objective
from cosearch.search.strategy import Strategy
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch.workload.network import NetworkSpace
from cosearch_plugins.strategies.freerea import normalised_sum

BATCH = 3
"""Networks proposed before the strategy learns of them, as many as a step of FreeREA breeds."""


@frozen(eq=False)
class Found:
    """What one run chose out of all networks that it met.

    Attributes:
        seed: of the run.
        row: the network, int64[d].
        accuracy: in per cent; the search saw it only where it is an objective.
        met: networks whose scores were asked for.
        step: how many had been met when it was.
    """

    seed: int
    row: Rows
    accuracy: float
    met: int
    step: int


def losses_of(
    space: NetworkSpace, objectives: Sequence[Objective], rows: Rows
) -> tuple[FloatArray, BoolArray]:
    """Return the objectives, float64[n, m], and whether all are known, bool[n].

    Raises:
        CosearchError: an objective needs something that only a machine tells.
    """
    names = {need for objective in objectives for need in objective.needs}
    for name in sorted(names - {"accuracy", *space.scores}):
        raise CosearchError(
            f"nothing of {name!r} is known without a machine",
            space.missing(name) or f"this space has: {', '.join(('accuracy', *space.scores))}",
        )
    metrics = {
        name: space.accuracy(rows) if name == "accuracy" else space.score(name, rows)
        for name in names
    }
    losses = np.stack([np.asarray(o.of(metrics), dtype=np.float64) for o in objectives], axis=1)
    return losses, np.asarray(~np.isnan(losses).any(axis=1))


def search(
    space: NetworkSpace,
    objectives: Sequence[Objective],
    strategy: Named[Strategy],
    networks: int,
    seed: int,
    watch: Callable[[int], None] = lambda _: None,
) -> Found:
    """Run a strategy until so many networks were met; choose by the normalised sum of all met.

    Args:
        space: of networks.
        objectives: of what is known of them without a machine.
        strategy: with its options.
        networks: to be met at most.
        seed: of the strategy.
        watch: told how many have been met.
    """
    asks = strategy.make(space.space, np.random.default_rng(seed))
    rows = np.zeros((0, len(space.space.names)), dtype=np.int64)
    losses = np.zeros((0, len(objectives)))
    while len(rows) < networks:
        asked = asks.ask(min(BATCH, networks - len(rows)))
        if len(asked) == 0:
            break
        found, known = losses_of(space, objectives, asked)
        asks.tell(asked, np.where(known[:, None], found, np.inf), known)
        rows = np.concatenate([rows, asked])
        losses = np.concatenate([losses, np.where(known[:, None], found, np.inf)])
        watch(len(rows))
    best = int(np.argmin(normalised_sum(losses)))
    accuracy = float(space.accuracy(rows[best : best + 1])[0])
    return Found(seed, rows[best], accuracy, len(rows), best + 1)
