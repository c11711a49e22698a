"""The easy way to a machine: declare an architecture, and the loop-nest model does the rest."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from cosearch.errors import Infeasible
from cosearch.lately import Lately
from cosearch.loopnest.mapping import Constraints
from cosearch.machine.architecture import Architecture
from cosearch.machine.cost import Cost, CostBatch
from cosearch.machine.hardware import NO_ELEMENTWISE, Accelerator
from cosearch.machine.widths import unpacked
from cosearch.typing import Rows
from cosearch.workload.einsum import Einsum

if TYPE_CHECKING:
    from cosearch.loopnest.space.mapspace import MapSpace

REMEMBERED_MAPSPACES = 64
"""Mapspaces an accelerator keeps: the layers of a network, without growing for ever."""


class SpatialAccelerator(Accelerator):
    """An architecture of memories, fanout and compute, priced by the loop-nest model.

    Args:
        architecture: the machine.
        constraints: what its dataflow prescribes, by level name.
    """

    default_mapper: ClassVar[str] = "exact"

    packs_by_class: ClassVar[bool] = False
    """Whether all machines of the class pack alike: what is stored under their keys from before
    they said how then stays theirs."""

    def __init__(self, architecture: Architecture, constraints: Constraints | None = None) -> None:
        self.architecture = architecture
        self.constraints: Constraints = dict(constraints or {})
        self.name = architecture.name
        self.area_mm2 = architecture.area_mm2
        self.clock_mhz = architecture.clock_mhz
        self.sources = architecture.sources
        self._mapspaces: Lately[str, MapSpace] = Lately(REMEMBERED_MAPSPACES)

    @property
    def key(self) -> str:
        """A digest of the architecture and of what the dataflow prescribes."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        rules = sorted((level, rule.key) for level, rule in self.constraints.items())
        keyed = unpacked(self.architecture) if self.packs_by_class else self.architecture
        text = repr((type(self).__qualname__, keyed.key, rules))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def mapspace(self, layer: Einsum) -> MapSpace:
        """Return the space of all mappings; the last few are remembered, by layer.

        Raises:
            Infeasible: the layer is element-wise work.
        """
        from cosearch.loopnest.space.mapspace import MapSpace

        if layer.operation:
            raise Infeasible(f"layer {layer.name!r}: {NO_ELEMENTWISE}")
        return self._mapspaces.get(
            layer.key, lambda: MapSpace(self.architecture, layer, self.constraints_for(layer))
        )

    def evaluate(self, layer: Einsum, rows: Rows) -> CostBatch:
        """Price mappings, int64[n, d], with the compiled kernel."""
        return self.mapspace(layer).price(rows)

    def floor(self, layer: Einsum) -> tuple[float, float]:
        """Return energy (pJ) and cycles that no mapping of a layer undercuts."""
        from cosearch.loopnest.model.floor import floor

        return floor(self.architecture, layer, self.constraints_for(layer))

    def tight_floor(self, layer: Einsum) -> tuple[float, float]:
        """Return a higher floor that takes longer."""
        from cosearch.loopnest.model.floor import floor

        return floor(self.architecture, layer, self.constraints_for(layer), tight=True)

    def explain(self, layer: Einsum, row: Rows) -> Cost:
        """Return the breakdown of one mapping; raises Infeasible when it cannot be run."""
        from cosearch.loopnest.model.reference import cost

        return cost(self.architecture, layer, self.mapspace(layer).mapping_of(row))

    def constraints_for(self, layer: Einsum) -> Constraints:  # noqa: ARG002 - subclasses look
        """Return what the dataflow prescribes for one layer: the same for all, unless overridden.

        A dataflow that speaks of filter rows means other dimensions in a convolution than in a
        matrix product; `mapspace` asks here, once a layer.
        """
        return self.constraints
