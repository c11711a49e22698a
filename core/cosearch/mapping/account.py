"""One mapped layer accounted for: by the reference model, and by why other mappings are invalid."""

from __future__ import annotations

from attrs import frozen

from cosearch.machine.cost import Cost
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.claim import explained
from cosearch.mapping.rejection import Rejections, sampled
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.search.seeds import stream
from cosearch.workload.network import Layer


@frozen(eq=False)
class LayerAccount:
    """A layer and its mapping, explained.

    Attributes:
        layer: with its count.
        result: its mapping; None where it has none.
        cost: the reference model's account of the mapping.
        verdict: why the layer has no mapping.
        rejections: why random mappings of it are invalid.
    """

    layer: Layer
    result: LayerResult | None = None
    cost: Cost | None = None
    verdict: Unmapped | None = None
    rejections: Rejections | None = None


def account_of(machine: Accelerator, layer: Layer, found: LayerResult | Unmapped) -> LayerAccount:
    """Return the account of a result.

    Raises:
        PluginError: the reference model contradicts the machine's price.
    """
    if isinstance(found, Unmapped):
        return LayerAccount(layer, verdict=found)
    rng = stream(0, "rejections", layer.einsum.key)
    cost = explained(found, machine, layer.einsum)
    return LayerAccount(layer, found, cost, rejections=sampled(machine, layer.einsum, rng))
