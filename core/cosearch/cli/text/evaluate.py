"""How the breakdown of one mapping looks: the nest, the counts, the cycles, the energy."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cosearch.cli.output import Output, table
from cosearch.formats.spec import Specification
from cosearch.loopnest.model.analysis import Analysis, LevelAnalysis
from cosearch.loopnest.text import loop_nest
from cosearch.machine.architecture import Memory
from cosearch.machine.widths import stored
from cosearch.quantities import added, digits, energy, loss, percent, si, whole
from cosearch.workload.text import with_widths

Row = tuple[str, ...]

MEMORIES: Row = (
    "level",
    "tensor",
    ">tile",
    ">instances",
    ">reads",
    ">fills",
    ">updates",
    ">energy|pJ",
)
CYCLES: Row = ("level", ">cycles", ">speed|%", ">in use|%", ">leakage|pJ")
NETWORKS: Row = (
    "below",
    "tensor",
    ">children",
    ">shared by",
    ">words",
    ">hops a word",
    ">energy|pJ",
)
ENERGIES: Row = ("", ">energy|pJ", ">share|%")


def show(output: Output, specification: Specification, analysis: Analysis) -> None:
    """Print everything that the cost model knows of a mapped layer."""
    machine, layer = specification.architecture, specification.layer
    output.title(f"{layer.name} on {machine.name}", with_widths(layer))
    output.show("", *(f"  {line}" for line in _nest(specification)), "")
    _show_totals(output, specification, analysis)
    for title, about, columns, rows in (
        ("memories", "words per instance, energy of all", MEMORIES, _tensor_rows(analysis)),
        ("cycles", f"{analysis.steps:,} steps", CYCLES, _level_rows(specification, analysis)),
        ("networks", "words per instance, energy of all", NETWORKS, _network_rows(analysis)),
        ("energy", "", ENERGIES, _energy_rows(specification, analysis)),
    ):
        if lines := list(rows):
            output.show("")
            output.title(title, about)
            output.show(table(columns, lines))


def _show_totals(output: Output, specification: Specification, analysis: Analysis) -> None:
    multipliers = specification.architecture.compute.instances
    known = math.isfinite(analysis.energy_pj)
    output.show(
        f"  {energy(analysis.energy_pj)} ({analysis.energy_pj:,.3f} pJ), "
        f"{whole(analysis.cycles)} cycles, "
        f"EDP {loss(analysis.energy_pj * analysis.cycles, 'pJ*cycles', 5)}"
        if known
        else f"  energy unknown, {whole(analysis.cycles)} cycles",
        f"  {si(analysis.computes, 'MACs')} on {analysis.macs_used:,} of {multipliers:,} "
        f"multipliers, {percent(analysis.utilization)} of their time; "
        f"bound by {bound_by(analysis)}",
        f"  {digits(analysis.area_mm2, 4)} mm2",
    )


def bound_by(analysis: Analysis) -> str:
    """Return the level that decides the cycles, or `compute`."""
    slowest = max(analysis.levels, key=lambda level: level.cycles)
    return slowest.name if slowest.cycles > analysis.busy else "compute"


def facts(
    specification: Specification, analysis: Analysis, notes: tuple[str, ...]
) -> dict[str, object]:
    """Return what `--json` prints."""
    return {
        "feasible": True,
        "architecture": specification.architecture.name,
        "layer": specification.layer.name,
        "sources": specification.sources,
        "energy_pj": analysis.energy_pj,
        "cycles": analysis.cycles,
        "edp": analysis.energy_pj * analysis.cycles,
        "area_mm2": analysis.area_mm2,
        "macs": analysis.computes,
        "multipliers_used": analysis.macs_used,
        "utilization": analysis.utilization,
        "bound_by": bound_by(analysis),
        "compute_pj": analysis.compute_pj,
        "levels": analysis.levels,
        "networks": [
            {
                "level": network.level,
                "energy_pj": network.energy_pj,
                "tensors": [
                    {
                        "tensor": tensor.tensor,
                        "fanout": tensor.fanout,
                        "multicast": tensor.multicast,
                        "ingresses": float(tensor.ingresses),
                        "average_hops": tensor.average_hops,
                        "spatial_reductions": tensor.spatial_reductions,
                        "link_transfers": tensor.link_transfers,
                        "energy_pj": tensor.energy_pj,
                        "link_transfer_pj": tensor.link_transfer_pj,
                    }
                    for tensor in network.tensors
                ],
            }
            for network in analysis.networks
        ],
        "loops": _nest(specification),
        "notes": notes,
    }


def _nest(specification: Specification) -> tuple[str, ...]:
    return loop_nest(specification.architecture, specification.layer, specification.mapping)


def _tensor_rows(analysis: Analysis) -> Iterator[Row]:
    for level in reversed(analysis.levels):
        for i, tensor in enumerate(level.tensors):
            yield (
                level.name if i == 0 else "",
                tensor.tensor,
                f"{tensor.tile_size:,}",
                f"{tensor.instances:,}",
                f"{tensor.reads:,}",
                f"{tensor.fills:,}",
                f"{tensor.updates:,}",
                _pj(tensor.energy_pj),
            )


def _level_rows(specification: Specification, analysis: Analysis) -> Iterator[Row]:
    memories = specification.architecture.levels
    for memory, level in reversed(list(zip(memories, analysis.levels, strict=True))):
        tiles = _bits_kept(specification, memory, level) * memory.multiple_buffering
        parts = memory.partitions.values()
        room = (memory.entries or 0) * memory.word_bits
        room += added(p.entries * (p.word_bits or memory.word_bits) for p in parts)
        used = f"{100 * tiles / room:.1f}" if room else "unlimited" if tiles else ""
        speed = f"{100 * level.throttling:.1f}"
        yield level.name, f"{level.cycles:,}", speed, used, _pj(level.leakage_pj)


def _bits_kept(specification: Specification, memory: Memory, level: LevelAnalysis) -> float:
    """Return the bits of one instance that tiles take."""
    machine, bits = specification.architecture, 0.0
    for tensor in specification.layer.tensors:
        part = memory.partitions.get(tensor.role)
        word = (part.word_bits if part else None) or memory.word_bits
        words = stored(machine, memory, tensor).words
        bits += added(t.tile_size * words * word for t in level.tensors if t.tensor == tensor.name)
    return bits


def _network_rows(analysis: Analysis) -> Iterator[Row]:
    for network in reversed(analysis.networks):
        shown = [t for t in network.tensors if t.fanout > 1 or t.energy_pj or t.link_transfers]
        for i, tensor in enumerate(shown):
            yield (
                network.level if i == 0 else "",
                tensor.tensor,
                f"{tensor.fanout:,}",
                f"{tensor.multicast:,}",
                f"{float(tensor.ingresses):,.10g}",
                f"{tensor.average_hops:,.3f}",
                _pj(tensor.energy_pj + tensor.link_transfer_pj),
            )


def _energy_rows(specification: Specification, analysis: Analysis) -> list[Row]:
    parts = {specification.architecture.compute.name: analysis.compute_pj}
    for level, network in zip(analysis.levels, analysis.networks, strict=True):
        parts[level.name] = level.energy_pj
        parts[f"network below {level.name}"] = network.energy_pj
    total = analysis.energy_pj or 1.0
    rows = [(name, _pj(pj), _share(pj / total)) for name, pj in parts.items() if pj]
    return [*rows, ("all", _pj(analysis.energy_pj), "")]


def _pj(energy_pj: float) -> str:
    return f"{energy_pj:,.3f}" if math.isfinite(energy_pj) else "unknown"


def _share(part: float) -> str:
    return f"{100 * part:.1f}" if math.isfinite(part) else ""
