"""How many designs a strategy tries before it has the fastest split of a network over a link."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from cosearch.quantities import added
from cosearch.registry.registry import Registry
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import FloatArray, Rows
from cosearch_plugins.workloads.early_exits import EarlyExits, Exit

EXITS = (Exit("conv3"), Exit("conv4"), Exit("conv5"), Exit("end"))
"""Any of them may answer: no accuracy of exits is known, so that the time alone counts."""

MACHINE = "split:mbps=20/80/320,cuts=11,least_bits=8"
CHOSEN = ("server", "cut", "bits")
BATCH = 4


class SplitRace:
    """Exit, server, cut and bits of AlexNet whose data are on a Raspberry Pi 4.

    Args:
        registry: of the machine and the strategies.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._model = registry.find("hardware_models", MACHINE).make()
        self._networks = EarlyExits(exits=EXITS)
        kept = (self._model.space[name] for name in CHOSEN)
        self.space = ParameterSpace((*self._networks.space.parameters, *kept))

    @cached_property
    def nanoseconds(self) -> FloatArray:
        """Every design's time: one axis a column of the space."""
        shape = tuple(int(c) for c in self.space.cardinalities)
        built = [self._networks.build(np.array([i])) for i in range(shape[0])]
        times = np.zeros(shape)
        for where in np.ndindex(*shape):
            design = self.space.decode(np.array(where))
            chosen = {name: design[name] for name in CHOSEN}
            machine = self._model.build(chosen)
            layers = self._model.placed(built[where[0]], chosen).layers
            times[where] = added(machine.floor(x.einsum)[1] * x.count for x in layers)
        return times

    def loss(self, rows: Rows) -> FloatArray:
        """Return the time of designs, float64[n], of rows int64[n, 4]."""
        return np.asarray(self.nanoseconds[tuple(rows.T)])

    def designs(self, strategy: str, seed: int) -> int:
        """Return how many designs a strategy tries until it has the fastest of all."""
        searching = self._registry.find("strategies", strategy).make(
            self.space, np.random.default_rng(seed)
        )
        best, tried = float(self.nanoseconds.min()), 0
        while len(rows := searching.ask(BATCH)):
            losses = self.loss(rows)
            tried += len(rows)
            if losses.min() <= best:
                return tried
            searching.tell(rows, losses[:, None], np.ones(len(rows), dtype=bool))
        raise RuntimeError(f"{strategy} left designs out")

    def median(self, strategy: str, seeds: Sequence[int]) -> float:
        """Return the median over seeds."""
        return float(np.median([self.designs(strategy, seed) for seed in seeds]))
