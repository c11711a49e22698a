"""The mapper that proves which layers of a network run together, and how."""

from __future__ import annotations

import time

import numpy as np

from cosearch.errors import CosearchError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.fused import FusedMapping
from cosearch.mapping.mapper import Budget, Mapped
from cosearch.search.objective import Objective
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Network
from cosearch_plugins.mappers.exact.mapper import ExactMapper


class FusedMapper(ExactMapper):
    """Maps layers as the exact mapper does, and networks in groups that run together.

    A group's intermediates stay in the second outermost memory. What is searched: which layers of a
    chain are a group, the loops outside it, what is held on chip meanwhile, and the mapping of
    every member; see `docs/fusion.md`. The options are those of the exact mapper; `seconds` is the
    time of a whole network here.
    """

    def map(
        self,
        accelerator: Accelerator,
        layer: Einsum,
        objective: Objective,
        budget: Budget,
        rng: np.random.Generator,
    ) -> Mapped:
        """Return the best mapping of one layer, as the exact mapper does."""
        return super().map(accelerator, layer, objective, budget, rng)

    def fuse(
        self,
        accelerator: Accelerator,
        network: Network,
        objective: Objective,
        budget: Budget,
        most: int,
    ) -> FusedMapping:
        """Return the best way to run a network in groups of layers, proven but for the gap.

        Raises:
            Infeasible: a layer fits nowhere.
            CosearchError: the machine, a layer or the objective is beyond this mapper.
        """
        from cosearch_plugins.mappers.fused.network import fuser

        if not isinstance(accelerator, SpatialAccelerator):
            raise CosearchError(
                f"layers are fused on loop-nest machines (a SpatialAccelerator); "
                f"{accelerator.name!r} has a model of its own",
                "leave out --fuse",
            )
        if self.resizes:
            raise CosearchError(
                "layers of a group are not rounded up",
                "leave out imperfect=..., or --fuse",
            )
        limits = [s for s in (budget.seconds, self.seconds or None) if s is not None]
        deadline = time.perf_counter() + min(limits) if limits else np.inf
        alone = ExactMapper(self.bypass, self.nodes)
        return fuser(accelerator, alone, most, deadline, Budget()).map(network, objective)
