"""The parts of the search that are compiled side by side."""

from __future__ import annotations

from cosearch.compiling.parts import Part
from cosearch.machine.architecture import Architecture
from cosearch.workload.einsum import Einsum

SEARCH = Part(__name__, "SEARCH", "the exact mapper's search")
TABLES = Part(__name__, "TABLES", "its tables of bounds")
WINDOWS = Part(__name__, "WINDOWS", "its tables of sliding windows")
NETWORKS = Part(__name__, "NETWORKS", "its table of networks")


def needed(architecture: Architecture, layer: Einsum) -> tuple[Part, ...]:
    """Return the parts that mapping a layer on a machine takes."""
    links = [level.network_below for level in architecture.levels]
    costly = any(link.hop_pj or link.router_pj for link in links)
    bounds = layer.bounds
    slides = any(
        sum(bounds[dim] > 1 for dim, _ in axis.terms) > 1
        for tensor in layer.tensors
        for axis in tensor.axes
    )
    return (SEARCH, TABLES, *([WINDOWS] if slides else []), *([NETWORKS] if costly else []))
