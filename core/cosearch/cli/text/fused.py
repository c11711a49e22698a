"""How a network looks that is mapped in groups of layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cosearch.cli.output import Output, table
from cosearch.cli.text.network import certainty
from cosearch.errors import CosearchError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.group_text import group_nest, prefix_loop
from cosearch.loopnest.model.fused import refuse_unfusable
from cosearch.mapping.fused import FusedMapping, FusedRun
from cosearch.mapping.groups import levels_of
from cosearch.quantities import added, counted, energy, loss, whole
from cosearch.study.fusing import Change, GroupReport
from cosearch.workload.network import Network


def show_fused(
    output: Output, network: Network, machine: SpatialAccelerator, found: FusedMapping
) -> None:
    """Print the groups of a network, their nests, and what fusing gains."""
    level, outermost = machine.architecture.levels[-2:]
    columns = (
        "~layers that run together",
        ">runs",
        "~prefix",
        "~held",
        f">room|words of {level.name}",
        f">{outermost.name} words|alone",
        f">{outermost.name} words|together",
        ">energy|",
        ">cycles|",
    )
    groups = [run for run in found.runs if run.fused]
    if groups:
        output.show(table(columns, [_row(run) for run in groups]))
    for run in groups:
        output.show("")
        output.title(" -> ".join(run.layers), f"{run.count} runs" if run.count > 1 else "")
        output.show(
            *(f"  {line}" for line in group_nest(machine.architecture, run.group, run.layers))
        )
    output.show("")
    none = f"no group that was tried is better than its layers alone for {found.objective.name}"
    _show_totals(output, outermost.name, found, _forbidden(network, machine) or none)


def _forbidden(network: Network, machine: SpatialAccelerator) -> str:
    """Return why no layers can run together, if so."""
    try:
        refuse_unfusable(machine.architecture)
    except CosearchError as error:
        return str(error)
    return "" if network.links else f"no layers of {network.name} are linked: nothing can be fused"


def _row(run: FusedRun) -> tuple[str, ...]:
    group = run.group
    prefix = ", ".join(prefix_loop(group, i) for i in range(len(group.prefix)))
    held = ", ".join(f"{h.tensor} of {run.layers[h.member]}" for h in group.held)
    return (
        " -> ".join(run.layers),
        str(run.count),
        prefix or "none",
        held or "none",
        whole(run.cost.room),
        whole(run.unfused_words),
        whole(run.cost.outermost_words),
        energy(run.cost.energy_pj),
        whole(run.cost.cycles),
    )


def _show_totals(output: Output, outermost: str, found: FusedMapping, none: str) -> None:
    unit, name = found.objective.unit, found.objective.name
    rows = [
        (
            "layer by layer",
            energy(found.unfused[0]),
            whole(found.unfused[1]),
            loss(found.unfused_value, unit, 6),
        ),
        (
            "in groups",
            energy(found.energy_pj),
            whole(found.cycles),
            loss(found.value, unit, 6),
        ),
    ]
    output.show(table(("network", ">energy", ">cycles", f">{name}"), rows))
    count = added(run.fused for run in found.runs)
    if not count:
        output.prose(none, indent=2)
    else:
        times = found.unfused_words / max(1, found.outermost_words)
        output.show(
            f"  {found.unfused_value / found.value:.3f} times better in {name}; {times:.2f} times "
            f"fewer {outermost} words than layers of least energy alone"
        )
    told = certainty(found.objective, found.gap)
    output.prose(told.plain, str(told.style), indent=2)
    output.show(
        f"  {found.solves:,} bodies searched, {found.options:,} ways to run a group, "
        f"{found.seconds:.2f} s"
    )


def show_groups(output: Output, groups: Sequence[GroupReport], change: Change | None) -> None:
    """Print the layers of a design that run together, and what fusing changed in its choice."""
    if change is None:
        return
    output.show("")
    output.title("layers that run together", counted(len(groups), "group") if groups else "none")
    columns = (
        "~layers",
        ">runs",
        ">room|words",
        ">outermost words|alone",
        ">outermost words|together",
        ">energy|",
        ">cycles|",
    )
    rows = [
        (
            " -> ".join(group.layers),
            str(group.count),
            whole(group.room),
            whole(group.unfused_words),
            whole(group.outermost_words),
            energy(group.energy_pj),
            whole(group.cycles),
        )
        for group in groups
    ]
    if rows:
        output.show(table(columns, rows))
    output.show(*_changed(change))


def _changed(change: Change) -> Iterator[str]:
    """Yield what fusing changed: the design's own gain, and the design that is best without."""
    for name, value in change.best.items():
        yield (
            f"  {name}: the best design is {change.best_unfused[name] / value:.3f} times better "
            "than with every layer alone"
        )
    if not change.parameters:
        yield "  every layer alone, the same design is the best of those tried"
        return
    told = ", ".join(
        f"{name} {there} instead of {here}" for name, (here, there) in change.parameters.items()
    )
    yield f"  every layer alone, trial {change.number} would be the best: {told}"
    for name, value in change.best.items():
        yield (
            f"  {name}: with layers that run together that one is {change.fused[name] / value:.3f} "
            "times the best"
        )


def facts(machine: SpatialAccelerator, found: FusedMapping) -> dict[str, object]:
    """Return the result for JSON: everything that prices it again."""
    return {
        "machine": machine.name,
        "objective": found.objective.name,
        "value": found.value,
        "energy_pj": found.energy_pj,
        "cycles": found.cycles,
        "outermost_words": found.outermost_words,
        "unfused": {
            "value": found.unfused_value,
            "energy_pj": found.unfused[0],
            "cycles": found.unfused[1],
            "outermost_words": found.unfused_words,
        },
        "gap": found.gap,
        "solves": found.solves,
        "options": found.options,
        "seconds": found.seconds,
        "groups": [_group(run) for run in found.runs],
    }


def _group(run: FusedRun) -> dict[str, object]:
    return {
        "layers": list(run.layers),
        "runs": run.count,
        "energy_pj": run.cost.energy_pj,
        "cycles": run.cost.cycles,
        "room": run.cost.room,
        "outermost_words": run.cost.outermost_words,
        "unfused_outermost_words": run.unfused_words,
        "prefix": [{"bound": p.bound, "dims": list(p.dims)} for p in run.group.prefix],
        "held": [
            {"layer": run.layers[h.member], "tensor": h.tensor, "depth": h.depth}
            for h in run.group.held
        ],
        "mappings": [levels_of(mapping) for mapping in run.group.mappings],
    }
