"""How groups of layers look that were priced from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cosearch.cli.output import Output, table
from cosearch.formats.groups import FileGroup, GroupFile
from cosearch.loopnest.group_text import group_nest
from cosearch.loopnest.model.fused import GroupCost
from cosearch.quantities import added, energy, whole

COLUMNS = ("member", "level", "tensor", ">reads", ">fills", ">updates", ">energy|pJ")


def show(output: Output, file: GroupFile, costs: Sequence[GroupCost]) -> None:
    """Print each group's nest, words and costs, and the sums."""
    for found, cost in zip(file.groups, costs, strict=True):
        runs = f"{found.runs} runs" if found.runs > 1 else ""
        output.title(" -> ".join(found.names), runs)
        nest = group_nest(file.architecture, found.group, found.names)
        output.show(*(f"  {line}" for line in nest))
        output.show(
            f"  {energy(cost.energy_pj)} ({cost.energy_pj:,.3f} pJ), {whole(cost.cycles)} cycles, "
            f"{whole(cost.outermost_words)} words at {file.architecture.levels[-1].name}"
        )
        if len(file.architecture.levels) > 1:
            level = file.architecture.levels[-2]
            output.show(f"  {whole(cost.room)} words of {level.name} at the fullest moment")
        output.show(table(COLUMNS, _rows(file, found, cost)), "")
    pj, cycles = _sums(file, costs)
    output.show(
        f"all runs: {energy(pj)} ({pj!r} pJ), {whole(cycles)} cycles, EDP {pj * cycles:.6e}"
    )


def _rows(file: GroupFile, found: FileGroup, cost: GroupCost) -> Iterator[tuple[str, ...]]:
    """Yield what each tensor does, in all bodies together, words per instance."""
    for name, member in zip(found.names, cost.members, strict=True):
        for memory, level in zip(file.architecture.levels, member.levels, strict=True):
            for t in level:
                counts = (whole(n) for n in (t.reads, t.fills, t.updates))
                yield name, memory.name, t.tensor, *counts, f"{t.energy_pj:,.1f}"


def _sums(file: GroupFile, costs: Sequence[GroupCost]) -> tuple[float, float]:
    pairs = list(zip(file.groups, costs, strict=True))
    return (
        added(found.runs * cost.energy_pj for found, cost in pairs),
        added(found.runs * cost.cycles for found, cost in pairs),
    )


def facts(file: GroupFile, costs: Sequence[GroupCost]) -> dict[str, object]:
    """Return the costs for JSON."""
    pj, cycles = _sums(file, costs)
    return {
        "machine": file.architecture.name,
        "energy_pj": pj,
        "cycles": cycles,
        "groups": [
            {
                "layers": list(found.names),
                "runs": found.runs,
                "energy_pj": cost.energy_pj,
                "cycles": cost.cycles,
                "room": cost.room,
                "outermost_words": cost.outermost_words,
                "members": list(cost.members),
            }
            for found, cost in zip(file.groups, costs, strict=True)
        ],
    }
