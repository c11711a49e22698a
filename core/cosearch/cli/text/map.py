"""How mappings look: the loop nest, what it costs, what bounds it, and how sure that is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.text import Text

from cosearch.cli.output import Output, table
from cosearch.cli.text.network import (
    network_facts,
    parts_of,
    show_left_out,
    show_network,
    show_parts,
)
from cosearch.errors import Infeasible
from cosearch.loopnest.mapping import Loop, Mapping
from cosearch.machine.cost import Cost
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Mapped
from cosearch.mapping.network import LayerMapping, NetworkChoice
from cosearch.mapping.rejection import SHOWN
from cosearch.quantities import digits, duration, energy, percent, si, whole
from cosearch.study.problem import Problem
from cosearch.workload.text import describe, left_out_by_kind, run_as


def show_head(output: Output, problem: Problem, machine: Accelerator) -> None:
    """Print what is mapped onto what, by whom."""
    fixed = ", ".join(f"{name}={value}" for name, value in problem.spec.fixed.items())
    where = f"{problem.spec.hardware} ({fixed or 'baseline'})"
    about = f"mapper {problem.spec.mapper}, objective {problem.mapper_objective.name}"
    if machine.area_mm2 == machine.area_mm2:
        about += f", {digits(machine.area_mm2)} mm2"
    output.title(f"{problem.network.name} on {where}", about)


def show_layer(output: Output, result: LayerMapping, objective: str) -> None:
    """Print one layer: its nest and its cost, or why it fits nowhere."""
    layer = result.layer
    output.show("")
    runs = f", {layer.count} runs" if layer.count > 1 else ""
    output.title(layer.name, f"{describe(layer.einsum)}; {si(layer.einsum.macs, 'MACs')}{runs}")
    if result.verdict is not None:
        _show_misfit(output, result.verdict)
    elif result.mapped is not None and result.cost is not None:
        step = 2 if max(map(len, result.cost.loops), default=0) < output.console.width - 2 else 1
        output.show(*(_styled(line, step) for line in result.cost.loops))
        _show_cost(output, result.mapped, result.cost, objective)
        _show_imperfect(output, result, objective)
        if result.rejections is not None and result.rejections.misses:
            output.show(Text(f"  {result.rejections.in_short}", style="faint"))


def _show_misfit(output: Output, verdict: Infeasible) -> None:
    output.prose(verdict.reason, "bad", indent=2)
    for rule, margin in verdict.margins.items():
        if margin > 1 and digits(margin) not in verdict.reason:
            output.show(f"  nearest miss: {rule}: {digits(margin)} times what is allowed")
    if verdict.hint:
        output.prose(verdict.hint, "faint", indent=2)


def _styled(line: str, step: int) -> Text:
    """Return a line of a nest, indented by so many columns a loop: memories in colour."""
    body = line.lstrip()
    text = Text(" " * (2 + (len(line) - len(body)) // 2 * step))
    if re.match(r"(parallel-)?for ", body):
        keyword, _, rest = body.partition(" ")
        text.append(keyword, style="good" if keyword != "for" else "")
        return text.append(f" {rest}")
    name, colon, rest = body.partition(":")
    return text.append(name, style="name").append(colon + rest, style="faint")


def _show_cost(output: Output, mapped: Mapped, cost: Cost, objective: str) -> None:
    edp = cost.energy_pj * cost.cycles
    output.show(f"  {energy(cost.energy_pj)}, {whole(cost.cycles)} cycles, EDP {edp:.4e} pJ*cycles")
    output.show(f"  {percent(cost.utilization)} of the multipliers; bound by {cost.bound_by}")
    output.show(f"  energy: {_breakdown(cost)}")
    output.show(_proof(mapped, objective))


def _show_imperfect(output: Output, result: LayerMapping, objective: str) -> None:
    """Print at which sizes a layer is run, and what partial last tiles would make of that."""
    mapped = result.mapped
    if mapped is None:
        return
    if mapped.sizes is not None:
        output.show(f"  {run_as(result.layer.einsum, mapped.sizes)}, all priced")
    if mapped.partial is None:
        return
    partial = mapped.partial
    if partial.gap is not None or mapped.sizes is not None:
        edp = partial.energy_pj * partial.cycles
        output.show(
            f"  with partial last tiles: {energy(partial.energy_pj)}, {whole(partial.cycles)} "
            f"cycles, EDP {edp:.4e} pJ*cycles"
        )
    if partial.gap is not None:
        text = f"no other imperfect factors lower that {objective} by more than"
        output.show(Text(f"  {text} {percent(partial.gap)}", style="faint"))


def _breakdown(cost: Cost) -> str:
    parts = {"compute": cost.compute_pj}
    for level in cost.levels:
        parts[level.name] = level.energy_pj
        if level.network_pj:
            parts[f"network below {level.name}"] = level.network_pj
    total = cost.energy_pj or 1.0
    ranked = sorted(parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{name} {percent(pj / total)}" for name, pj in ranked if pj)


def _proof(mapped: Mapped, objective: str) -> Text:
    if mapped.proven:
        text, style = f"proven optimal for {objective}", "good"
    elif mapped.gap is not None:
        text = f"stopped early: no mapping lowers {objective} by more than {percent(mapped.gap)}"
        style = "warn"
    else:
        text, style = f"best of {mapped.evaluations:,} mappings; nothing is proven", "faint"
    work = f"{mapped.nodes:,} nodes, " if mapped.nodes else ""
    tail = f" ({work}{mapped.evaluations:,} evaluations, {duration(mapped.seconds)})"
    out = Text("  ").append(text, style=style).append(tail, style="faint")
    if mapped.rejections:
        ranked = sorted(mapped.rejections.items(), key=lambda item: -item[1])[:SHOWN]
        told = ", ".join(f"{count:,} {reason}" for reason, count in ranked)
        out.append(f"\n  rejected: {told}", style="faint")
    return out


def _proof_in_short(mapped: Mapped) -> str:
    if mapped.proven:
        return "proven"
    return "" if mapped.gap is None else f"gap {percent(mapped.gap)}"


def show_totals(
    output: Output, problem: Problem, done: Sequence[LayerMapping], choice: NetworkChoice | None
) -> None:
    """Print the sum over the layers, each times its runs, and what is best for the network.

    Args:
        output: to print to.
        problem: what is mapped.
        done: layers, each with its own best mapping.
        choice: for the network; None where a layer is missing.
    """
    rows = [
        (
            r.layer.name,
            str(r.layer.count),
            f"{r.cost.energy_pj / 1e6:,.2f}",
            whole(r.cost.cycles),
            f"{100 * r.cost.utilization:.1f}",
            r.cost.bound_by,
            _proof_in_short(r.mapped),
        )
        for r in done
        if r.cost is not None and r.mapped is not None
    ]
    if len(problem.network.unique) < 2 or not rows:
        show_left_out(output, problem.network)
        return
    pj, cycles = _sums(done)
    complete = len(rows) == len(problem.network.unique)
    rows.append(
        ("all" if complete else "so far", "", f"{pj / 1e6:,.2f}", whole(cycles), "", "", "")
    )
    output.show("")
    output.title("layers", "one run each; the last line adds up all runs")
    columns = (
        "layer",
        ">runs",
        ">energy|uJ",
        ">latency|cycles",
        ">in use|%",
        "bound by",
        "optimal",
    )
    output.show(table(columns, rows))
    show_left_out(output, problem.network)
    if choice is not None:
        show_network(output, problem, choice)
        show_parts(output, parts_of(problem.network, choice))


def _sums(done: Sequence[LayerMapping]) -> tuple[float, float]:
    costed = [(r.layer.count, r.cost) for r in done if r.cost is not None]
    return sum(n * c.energy_pj for n, c in costed), sum(n * c.cycles for n, c in costed)


def facts(
    problem: Problem,
    machine: Accelerator,
    done: Sequence[LayerMapping],
    choice: NetworkChoice | None,
) -> dict[str, object]:
    """Return everything for JSON."""
    pj, cycles = _sums(done)
    complete = len(done) == len(problem.network.unique) and all(r.cost for r in done)
    return {
        "workload": problem.network.name,
        "hardware": problem.spec.hardware,
        "set": problem.spec.fixed,
        "mapper": problem.spec.mapper,
        "objective": problem.mapper_objective.name,
        "seed": problem.spec.seed,
        "area_mm2": machine.area_mm2,
        "complete": complete,
        "energy_pj": pj,
        "cycles": cycles,
        "edp": pj * cycles,
        "network": None if choice is None else network_facts(problem.network, choice),
        "layers": [_layer_facts(machine, result) for result in done],
        "left_out": left_out_by_kind(problem.network),
    }


def _layer_facts(machine: Accelerator, result: LayerMapping) -> dict[str, object]:
    layer, mapped, cost, verdict = result.layer, result.mapped, result.cost, result.verdict
    out: dict[str, object] = {
        "name": layer.name,
        "count": layer.count,
        "dims": layer.einsum.bounds,
        "macs": layer.einsum.macs,
        "feasible": verdict is None,
    }
    if verdict is not None:
        return out | {"reason": verdict.reason, "margins": verdict.margins, "hint": verdict.hint}
    if mapped is None or cost is None:
        return out
    return out | {
        "row": mapped.row,
        "run_as": mapped.as_run(layer.einsum).bounds,
        "partial_tiles": mapped.partial,
        "mapping": _mapping_facts(machine, result),
        "loops": cost.loops,
        "energy_pj": cost.energy_pj,
        "cycles": cost.cycles,
        "utilization": cost.utilization,
        "bound_by": cost.bound_by,
        "compute_pj": cost.compute_pj,
        "levels": cost.levels,
        "proven": mapped.proven,
        "gap": mapped.gap,
        "mapper": mapped.mapper,
        "mapper_seconds": mapped.seconds,
        "nodes": mapped.nodes,
        "evaluations": mapped.evaluations,
        "rejections": mapped.rejections,
        "random_mappings": result.rejections,
    }


def _mapping_facts(machine: Accelerator, result: LayerMapping) -> list[dict[str, object]] | None:
    """Return the mapping level by level, inner to outer; None where the machine has no levels."""
    if result.mapped is None:
        return None
    space = machine.mapspace(result.mapped.as_run(result.layer.einsum))
    mapping_of = getattr(space, "mapping_of", None)
    if mapping_of is None:
        return None
    mapping: Mapping = mapping_of(result.mapped.row)
    return [
        {
            "level": entry.level,
            "keep": entry.keep,
            "temporal": _pairs(entry.temporal),
            "spatial_x": _pairs(entry.spatial_x),
            "spatial_y": _pairs(entry.spatial_y),
        }
        for entry in mapping.levels
    ]


def _pairs(loops: Sequence[Loop]) -> list[tuple[str, int]]:
    return [(loop.dim, loop.bound) for loop in loops]
