"""The reference model's figures under the names that published data is compared by."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from cosearch.loopnest.mapping import Mapping
from cosearch.loopnest.model.analysis import Analysis, NetworkAnalysis
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.validity import InvalidMapping, Rule
from cosearch.machine.architecture import Architecture
from cosearch.validate.compare import Figures, Rejected
from cosearch.workload.einsum import Einsum

COUNTS = (
    "tile_size",
    "partition_size",
    "instances",
    "reads",
    "fills",
    "updates",
    "temporal_reductions",
    "address_generations",
)


@frozen
class MappedLayer:
    """What a loop-nest model prices."""

    architecture: Architecture
    layer: Einsum
    mapping: Mapping


def reference_model(case: MappedLayer) -> Figures | Rejected:
    """Return every figure of the reference model, or why the mapping is invalid."""
    try:
        return dict(named(analyse(case.architecture, case.layer, case.mapping)))
    except InvalidMapping as invalid:
        return Rejected(reason_of(invalid.rule, invalid.place), str(invalid))


def reason_of(rule: Rule, place: str = "") -> str:
    """Return the class of a rejection: the rule, and the level for those that are of a level."""
    anywhere = rule in {Rule.KEPT_NOWHERE, Rule.FACTORS}
    return rule.value if anywhere else f"{rule.value}: {place}"


def named(analysis: Analysis) -> Iterator[tuple[str, float]]:
    """Yield every figure of an analysis with its name."""
    yield "cycles", analysis.cycles
    yield "energy_pj", analysis.energy_pj
    yield "computes", analysis.computes
    yield "utilized_macs", analysis.macs_used
    yield "utilization", analysis.utilization
    yield "compute_energy_pj", analysis.compute_pj
    for level in analysis.levels:
        yield f"{level.name}/cycles", level.cycles
        yield f"{level.name}/throttling", level.throttling
        yield f"{level.name}/energy_pj", level.energy_pj
        yield f"{level.name}/leakage_energy_pj", level.leakage_pj
        for tensor in level.tensors:
            for count in COUNTS:
                yield f"{level.name}/{tensor.tensor}/{count}", getattr(tensor, count)
            yield f"{level.name}/{tensor.tensor}/energy_pj", tensor.energy_pj
    for network in analysis.networks:
        yield from _network(network)


def _network(network: NetworkAnalysis) -> Iterator[tuple[str, float]]:
    for tensor in network.tensors:
        name = f"below {network.level}/{tensor.tensor}"
        yield f"{name}/fanout", tensor.fanout
        yield f"{name}/multicast_factor", tensor.multicast
        yield f"{name}/ingresses", float(tensor.ingresses)
        for s in tensor.scatters:
            yield f"{name}/words to {s.groups} groups of {s.multicast}", float(s.words)
        yield f"{name}/records", len(tensor.scatters)
        yield f"{name}/spatial_reductions", tensor.spatial_reductions
        yield f"{name}/avg_hops", tensor.average_hops
        yield f"{name}/energy_pj", tensor.energy_pj
        yield f"{name}/link_transfers", tensor.link_transfers
        yield f"{name}/link_transfer_energy_pj", tensor.link_transfer_pj
