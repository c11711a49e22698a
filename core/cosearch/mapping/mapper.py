"""The contract of a mapper: it finds a mapping of one layer on one machine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from attrs import field, frozen

from cosearch.errors import CosearchError, Infeasible
from cosearch.machine.cost import PartialTiles
from cosearch.machine.hardware import Accelerator
from cosearch.search.objective import Objective
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import Rows
from cosearch.workload.einsum import Einsum

if TYPE_CHECKING:
    from cosearch.mapping.fused import FusedMapping
    from cosearch.mapping.traffic import LeastTraffic
    from cosearch.workload.network import Network


@frozen
class Budget:
    """How much a search may spend; None is without limit. Counted alike for every strategy.

    Attributes:
        trials: designs proposed (or mappings, for a mapper).
        evaluations: mappings priced, over all trials.
        seconds: wall-clock time.
        networks: different networks whose accuracy is asked for, in a study that searches networks.
    """

    trials: int | None = None
    evaluations: int | None = None
    seconds: float | None = None
    networks: int | None = None


@frozen(eq=False)
class Mapped:
    """The mapping that a mapper found for a layer.

    Attributes:
        row: int64[d], a point of the accelerator's mapspace.
        energy_pj, cycles: what it costs.
        proven: whether no mapping of the space is better by more than 1e-12 relative.
        gap: proven relative distance to the optimum at most; None where nothing is proven.
        evaluations: mappings priced.
        nodes: search nodes expanded, for mappers that search a tree.
        seconds: spent.
        rejections: how many candidates each reason ruled out.
        mapper: the name of what found it.
        sizes: of the layer as it is run, where the mapper rounded it up; `row` and the costs are
            those of the layer at these sizes.
        partial: what the mapping costs with partial last tiles; None where no mapper asked.
    """

    row: Rows
    energy_pj: float
    cycles: float
    proven: bool = False
    gap: float | None = None
    evaluations: int = 0
    nodes: int = 0
    seconds: float = 0.0
    rejections: Mapping[str, int] = field(factory=dict)
    mapper: str = ""
    sizes: tuple[int, ...] | None = None
    partial: PartialTiles | None = None

    def as_run(self, layer: Einsum) -> Einsum:
        """Return the layer at the sizes at which it is run."""
        return layer.resized(self.sizes)


class Unmappable(Infeasible):
    """No mapping of a layer was found that the machine can run.

    Attributes:
        evaluations: mappings priced in vain.
        proven: whether there is none at all.
    """

    def __init__(
        self,
        reason: str,
        margins: Mapping[str, float] | None = None,
        evaluations: int = 0,
        hint: str = "",
        *,
        proven: bool = False,
    ) -> None:
        self.evaluations, self.proven = evaluations, proven
        super().__init__(reason, margins, hint)


class Mapper(ABC):
    """A plugin that maps layers; its constructor takes the declared options.

    Attributes:
        options: what the constructor takes as keywords.
        uses_rng: whether the result depends on `rng`; one that does not is shared by studies of
            different seeds.
        compiled: parts of compiled code that it needs, for `cosearch warmup`: the addresses of
            `cosearch.compiling.parts.found`.
        bound_to: what a result depends on besides the machine, the layer, the objective and the
            options; empty for most.
        remembered: whether a result is worth keeping for other studies.
        resizes: whether it may run layers at larger sizes than their own.
        fuses: whether it finds groups of layers that run together.
        rests_on: classes of other plugins that decide a result, such as a strategy's.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(())
    uses_rng: ClassVar[bool] = True
    compiled: ClassVar[tuple[str, ...]] = ()
    bound_to: str = ""
    remembered: ClassVar[bool] = True
    resizes: bool = False
    fuses: ClassVar[bool] = False
    rests_on: tuple[type, ...] = ()

    @abstractmethod
    def map(
        self,
        accelerator: Accelerator,
        layer: Einsum,
        objective: Objective,
        budget: Budget,
        rng: np.random.Generator,
    ) -> Mapped:
        """Return the best mapping found within the budget.

        Raises:
            Infeasible: no mapping was found that the machine can run; the reason says which
                level overflowed, and the margins by how much the nearest miss did. A mapper that
                priced mappings in vain raises the subclass Unmappable, which says how many.
        """

    def map_knowing(
        self,
        accelerator: Accelerator,
        layer: Einsum,
        objective: Objective,
        budget: Budget,
        rng: np.random.Generator,
        known: Sequence[tuple[float, float]],
    ) -> Mapped:
        """Return what `map` returns, in less time where a mapper can make use of what is known.

        Args:
            accelerator: to be mapped onto.
            layer: to be mapped.
            objective: of the mapping.
            budget: what may be spent.
            rng: see `map`.
            known: energy (pJ) and cycles of mappings of the layer found for other objectives.
        """
        _ = known
        return self.map(accelerator, layer, objective, budget, rng)

    def ready(self, accelerator: Accelerator, layer: Einsum) -> None:  # noqa: B027 - nothing to do
        """Do what is done once an installation or a process, such as compiling.

        Called before `map`, whose time is then the search's own. Raises what `map` raises.

        Args:
            accelerator: to be mapped onto.
            layer: to be mapped.
        """

    def fuse(
        self,
        accelerator: Accelerator,
        network: Network,
        objective: Objective,
        budget: Budget,
        most: int,
    ) -> FusedMapping:
        """Return the best way to run a network in groups of layers that run together.

        Args:
            accelerator: to be mapped onto.
            network: its links say what may stay on chip.
            objective: of the network.
            budget: of the whole network.
            most: layers in a group.

        Raises:
            CosearchError: this mapper runs every layer alone, as most do.
        """
        _ = accelerator, network, objective, budget, most
        raise CosearchError(
            f"{type(self).__name__} runs every layer alone and proves nothing of groups",
            "fuse with the mapper that does: -m fused",
        )

    def hurry(self) -> None:
        """End a `fuse` that runs now, from a handler of signals: soon, with the best found."""
        raise KeyboardInterrupt

    def least_traffic(
        self,
        accelerator: Accelerator,
        network: Network,
        budget: Budget,
        most: int,
    ) -> LeastTraffic | None:
        """Return how few words the mappings this mapper may find pass the outermost memory.

        Args:
            accelerator: mapped onto.
            network: mapped.
            budget: of the answer.
            most: layers that run together.

        Returns:
            What is proven, for whatever objective; None where nothing is, as of most mappers.
        """
        _ = accelerator, network, budget, most
        return None

    def floor(self, accelerator: Accelerator, layer: Einsum) -> tuple[float, float]:
        """Return energy (pJ) and cycles that no mapping this mapper may find undercuts.

        The machine's own bounds, unless the mapper runs layers at other sizes.
        """
        return accelerator.floor(layer)

    def tight_floor(self, accelerator: Accelerator, layer: Einsum) -> tuple[float, float]:
        """Return a higher floor where one is known, for searches that rule out whole machines.

        Of a mapper with a floor of its own, which may find what a machine's own does not bound,
        that floor.
        """
        own = type(self).floor is not Mapper.floor
        return self.floor(accelerator, layer) if own else accelerator.tight_floor(layer)

    def floor_in_groups(self, accelerator: Accelerator, layer: Einsum) -> tuple[float, float]:  # noqa: ARG002
        """Return the same of a layer that may run together with others; zero if nobody knows."""
        return 0.0, 0.0
