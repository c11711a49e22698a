"""The mapper that proves which layers of a network run together, and how."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cosearch.errors import CosearchError
from cosearch.lately import Lately
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.fused import FusedMapping
from cosearch.mapping.mapper import Budget
from cosearch.mapping.traffic import LeastTraffic
from cosearch.search.objective import Objective
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Network
from cosearch_plugins.mappers.exact.mapper import NODES, PERFECT, ExactMapper

if TYPE_CHECKING:
    from cosearch_plugins.mappers.fused.body import Body
    from cosearch_plugins.mappers.fused.group import GroupSearch


class FusedMapper(ExactMapper):
    """Maps layers as the exact mapper does, and networks in groups that run together.

    A group's intermediates stay in the second outermost memory. What is searched: which layers of a
    chain are a group, the loops outside it, what is held on chip meanwhile, and the mapping of
    every member; see `docs/fusion.md`. The options are those of the exact mapper; `seconds` is the
    time of a whole network here.
    """

    fuses: ClassVar[bool] = True

    def __init__(
        self,
        bypass: str = "open",
        nodes: int = NODES,
        seconds: float = 0.0,
        imperfect: str = PERFECT,
    ) -> None:
        super().__init__(bypass, nodes, seconds, imperfect)
        self._known: Lately[tuple[object, ...], Body] | None = None
        self._running: GroupSearch | None = None

    def floor_in_groups(self, accelerator: Accelerator, layer: Einsum) -> tuple[float, float]:
        """Return what multiplying alone takes: all else may stay on chip."""
        if not isinstance(accelerator, SpatialAccelerator):
            return 0.0, 0.0
        from cosearch_plugins.mappers.fused.chain import multiplying

        return multiplying(accelerator.architecture, (layer,))

    def least_traffic(
        self,
        accelerator: Accelerator,
        network: Network,
        budget: Budget,
        most: int,
    ) -> LeastTraffic | None:
        """Return how few words pass the outermost memory in groups; see the contract."""
        if most == 1 or self.resizes or not isinstance(accelerator, SpatialAccelerator):
            return super().least_traffic(accelerator, network, budget, most)
        from cosearch_plugins.mappers.fused.traffic import least_traffic

        words = accelerator.architecture.levels[-2].entries
        return least_traffic(self, accelerator, network, words, most, budget)

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
        from cosearch_plugins.mappers.exact.solve import Limits
        from cosearch_plugins.mappers.fused.bodies import Bodies
        from cosearch_plugins.mappers.fused.network import fuser

        if not isinstance(accelerator, SpatialAccelerator):
            raise CosearchError(
                f"layers are fused on loop-nest machines (a SpatialAccelerator); "
                f"{accelerator.name!r} has a model of its own",
                "leave out --fuse",
            )
        if len(accelerator.architecture.levels) < 2:
            raise CosearchError(
                "layers are fused in a memory inside the outermost one, and this machine has one",
                "leave out --fuse",
            )
        if self.resizes:
            raise CosearchError(
                "layers of a group are not rounded up",
                "leave out imperfect=..., or --fuse",
            )
        limits = [s for s in (budget.seconds, self.seconds or None) if s is not None]
        deadline = time.perf_counter() + min(limits) if limits else np.inf
        alone = ExactMapper(self.bypass, self.nodes) if self.seconds else self
        bodies = Bodies(
            accelerator,
            open_bypass=self.bypass == "open",
            limits=Limits.starting(0.0, nodes=self.nodes or None),
            memory=self._memory(),
        )
        made = fuser(accelerator, alone, most, deadline, Budget(), bodies)
        self._running = made.search
        try:
            return made.map(network, objective)
        finally:
            self._running = None

    def hurry(self) -> None:
        """End the search of groups that runs now, as if its time were over."""
        if self._running is None:
            raise KeyboardInterrupt
        self._running.deadline = -np.inf

    def _memory(self) -> Lately[tuple[object, ...], Body]:
        """Return the bodies searched so far, on whatever machine."""
        from cosearch_plugins.mappers.fused.bodies import REMEMBERED

        if self._known is None:
            self._known = Lately(REMEMBERED)
        return self._known
