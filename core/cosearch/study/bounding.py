"""What a design costs at least while its layers are mapped one after the other.

A network's loss is a product of powers of two sums over layers, energy**a * cycles**b. By Hölder's
inequality it is no less than (sum of each layer's (energy**a * cycles**b)**(1 / (a+b)))**(a+b), and
of a layer whose search is proven that term is known exactly, of one that waits its floor is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Mapper
from cosearch.mapping.result import LayerResult
from cosearch.quantities import added
from cosearch.search.objective import Objective
from cosearch.search.strategy import Strategy
from cosearch.study.problem import Problem
from cosearch.trials.spec import SCHEME
from cosearch.typing import FloatArray
from cosearch.workload.network import Layer

BEATEN = "the best so far"
"""The limit that a design misses which is proven not to beat the best design before it."""

_ROUNDING = 1e-9
"""By how much a bound has to exceed the best, relative, as costs are added in another order."""


@frozen(eq=False)
class LeastLoss:
    """What a network's loss is at least.

    Attributes:
        powers: of energy and of cycles.
        counts: float64[layers], how often each runs.
        floors: float64[layers, 2], energy (pJ) and cycles that no mapping undercuts.
        exact: whether layers are searched for this very loss.
    """

    powers: tuple[int, int]
    counts: FloatArray
    floors: FloatArray
    exact: bool

    @classmethod
    def of(
        cls,
        objective: Objective,
        searched: Objective,
        mapper: Mapper,
        machine: Accelerator,
        layers: Sequence[Layer],
    ) -> LeastLoss:
        """Return it for the layers of a network on a machine, before any is mapped."""
        if objective.powers is None:
            raise ValueError(f"{objective.name} is no product of powers of energy and cycles")
        floors = [mapper.floor(machine, layer.einsum) for layer in layers]
        return cls(
            objective.powers,
            np.array([layer.count for layer in layers], dtype=np.float64),
            np.array(floors, dtype=np.float64).reshape(-1, 2),
            searched.powers == objective.powers,
        )

    def given(self, found: Sequence[LayerResult]) -> float:
        """Return the least loss once the first layers are mapped."""
        a, b = self.powers
        values = self.floors[:, 0] ** a * self.floors[:, 1] ** b
        for i, result in enumerate(found):
            gap = 0.0 if result.proven else result.gap
            if self.exact and gap is not None:
                proven = result.energy_pj**a * result.cycles**b * (1.0 - gap)
                values[i] = max(values[i], proven)
        terms = self.counts * np.maximum(values, 0.0) ** (1.0 / (a + b))
        return float(added(terms.tolist()) ** (a + b))


def beaten(least: float, best: float) -> bool:
    """Return whether a design that costs at least so much is no better than the best."""
    return least >= best * (1.0 + _ROUNDING)


def refuse_unbounded(problem: Problem, strategy: type[Strategy]) -> None:
    """Raise CosearchError for a study in which designs cannot be left early."""
    if not strategy.blind:
        raise CosearchError(
            f"{problem.spec.strategy} learns from losses, which designs left early do not have",
            "leave out --bound, or search with -s random, -s sobol or -s grid",
        )
    if len(problem.objectives) > 1 or problem.objectives[0].powers is None:
        names = ", ".join(objective.name for objective in problem.objectives)
        raise CosearchError(
            f"{names} has no bound while layers are mapped",
            "leave out --bound, or ask for one of edp, energy, latency, ed2p",
        )
    if problem.spec.fuse or problem.spec.scheme != SCHEME:
        what = "--fuse" if problem.spec.fuse else f"--scheme {problem.spec.scheme}"
        raise CosearchError(f"{what} maps layers another way", "leave out --bound")
