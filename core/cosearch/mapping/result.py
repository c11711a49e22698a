"""What mapping a layer gave, as the JSON-able facts that the store keeps."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from cosearch.errors import printable
from cosearch.machine.cost import PartialTiles
from cosearch.workload.einsum import Einsum

NAMED = "the design"
"""What found a mapping that is part of the design, and was not searched for."""


@frozen
class LayerResult:
    """The mapping found for one unique layer of the network.

    Attributes:
        name: of the layer where it first appears.
        key: digest of the layer.
        count: how often the network runs it.
        row: point of the accelerator's mapspace.
        energy_pj, cycles: of one run of the layer.
        proven: whether no mapping is better, for what it was searched for: the study's objective,
            or a weighted sum of energy and cycles where that is better for the network.
        gap: proven relative distance to the optimum at most; None where nothing is proven.
        evaluations: mappings priced to find it.
        nodes: search nodes expanded.
        seconds: spent.
        rejections: how many candidates each reason ruled out.
        mapper: what found it.
        sizes: of the layer as it is run, where the mapper rounded it up; `row` and the costs are
            those of the layer at these sizes.
        partial: what the mapping costs with partial last tiles; None where no mapper asked.
    """

    name: str
    key: str
    count: int
    row: tuple[int, ...]
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


@frozen
class Unmapped:
    """A layer for which no mapping was found: as much a result as a mapping is.

    Attributes:
        key: digest of the layer.
        reason: why, in words.
        violation: by how much the nearest miss misses, relative; None where unknown.
        evaluations: mappings priced in vain.
        proven: whether there is none at all.
        margins: used over allowed of each rule that was broken, where known.
        hint: what to do instead; empty where unknown.
    """

    key: str
    reason: str = field(converter=printable)
    violation: float | None = None
    evaluations: int = 0
    proven: bool = False
    margins: Mapping[str, float] = field(factory=dict)
    hint: str = ""


@frozen
class Searched:
    """A result to be remembered.

    Attributes:
        purpose: what it is remembered by, besides the machine and the layer.
        result: as it was found.
    """

    purpose: str
    result: LayerResult
