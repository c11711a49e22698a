"""How mappings look: the loop nest, what it costs, what bounds it, and how sure that is."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from rich.text import Text

from cosearch.cli.output import Output, table
from cosearch.cli.text.network import (
    network_facts,
    parts_of,
    show_left_out,
    show_network,
    show_parts,
)
from cosearch.loopnest.mapping import Loop, Mapping
from cosearch.machine.cost import Cost
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.account import LayerAccount
from cosearch.mapping.network import NetworkResult
from cosearch.mapping.rejection import SHOWN
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.mapping.traffic import Traffic
from cosearch.quantities import added, counted, digits, duration, energy, loss, percent, si, whole
from cosearch.study.problem import Problem
from cosearch.workload.network import Layer
from cosearch.workload.text import left_out_by_kind, run_as, with_widths


def show_head(output: Output, problem: Problem, machine: Accelerator) -> None:
    """Print what is mapped onto what, by whom."""
    fixed = ", ".join(f"{name}={value}" for name, value in problem.spec.fixed.items())
    where = f"{problem.spec.hardware} ({fixed or 'baseline'})"
    about = f"mapper {problem.spec.mapper}, objective {problem.mapper_objective.name}"
    if machine.area_mm2 == machine.area_mm2:
        about += f", {digits(machine.area_mm2)} mm2"
    output.title(f"{problem.network.name} on {where}", about)


def show_layer(output: Output, account: LayerAccount, objective: str) -> None:
    """Print one layer: its nest and its cost, or why it fits nowhere."""
    layer, cost, why = account.layer, account.cost, account.rejections
    output.show("")
    runs = f", {layer.count} runs" if layer.count > 1 else ""
    output.title(layer.name, f"{with_widths(layer.einsum)}; {si(layer.einsum.macs, 'MACs')}{runs}")
    if account.verdict is not None:
        _show_misfit(output, account.verdict)
    elif account.result is not None and cost is not None:
        step = 2 if max(map(len, cost.loops), default=0) < output.console.width - 2 else 1
        output.show(*(_styled(line, step) for line in cost.loops))
        _show_cost(output, account.result, cost, objective)
        _show_imperfect(output, layer, account.result, objective)
        if why is not None and why.misses:
            output.prose(why.in_short, "faint", indent=2)


def _show_misfit(output: Output, verdict: Unmapped) -> None:
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


def _show_cost(output: Output, result: LayerResult, cost: Cost, objective: str) -> None:
    edp = cost.energy_pj * cost.cycles
    output.show(
        f"  {energy(cost.energy_pj)}, {whole(cost.cycles)} cycles, EDP {loss(edp, 'pJ*cycles', 5)}"
    )
    output.show(f"  {percent(cost.utilization)} of the multipliers; bound by {cost.bound_by}")
    output.show(f"  energy: {_breakdown(cost)}")
    output.show(_proof(result, objective))


def _show_imperfect(output: Output, layer: Layer, result: LayerResult, objective: str) -> None:
    """Print at which sizes a layer is run, and what partial last tiles would make of that."""
    if result.sizes is not None:
        output.show(f"  {run_as(layer.einsum, result.sizes)}, all priced")
    if result.partial is None:
        return
    partial = result.partial
    if partial.gap is not None or result.sizes is not None:
        edp = partial.energy_pj * partial.cycles
        output.show(
            f"  with partial last tiles: {energy(partial.energy_pj)}, {whole(partial.cycles)} "
            f"cycles, EDP {loss(edp, 'pJ*cycles', 5)}"
        )
    if partial.gap is not None:
        text = f"no other imperfect factors lower that {objective} by more than"
        output.prose(f"{text} {percent(partial.gap)}", "faint", indent=2)


def _breakdown(cost: Cost) -> str:
    parts = {"compute": cost.compute_pj}
    for level in cost.levels:
        parts[level.name] = level.energy_pj
        if level.network_pj:
            parts[f"network below {level.name}"] = level.network_pj
    total = cost.energy_pj or 1.0
    ranked = sorted(parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{name} {percent(pj / total)}" for name, pj in ranked if pj)


def _proof(result: LayerResult, objective: str) -> Text:
    if result.proven:
        text, style = f"proven optimal for {objective}", "good"
    elif result.gap is not None:
        text = f"stopped early: no mapping lowers {objective} by more than {percent(result.gap)}"
        style = "warn"
    else:
        many = counted(result.evaluations, "mapping")
        text, style = f"best of {many}; nothing is proven", "faint"
    work = f"{counted(result.nodes, 'node')}, " if result.nodes else ""
    tail = f" ({work}{counted(result.evaluations, 'evaluation')}, {duration(result.seconds)})"
    out = Text("  ").append(text, style=style).append(tail, style="faint")
    if result.rejections:
        ranked = sorted(result.rejections.items(), key=lambda item: -item[1])[:SHOWN]
        told = ", ".join(f"{count:,} {reason}" for reason, count in ranked)
        out.append(f"\n  rejected: {told}", style="faint")
    return out


def _proof_in_short(result: LayerResult) -> str:
    if result.proven:
        return "proven"
    return "" if result.gap is None else f"gap {percent(result.gap)}"


def show_totals(
    output: Output, problem: Problem, done: Sequence[LayerAccount], choice: NetworkResult | None
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
            _proof_in_short(r.result),
        )
        for r in done
        if r.cost is not None and r.result is not None
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
        show_network(output, choice)
        show_parts(output, parts_of(problem.network, choice))


def _sums(done: Sequence[LayerAccount]) -> tuple[float, float]:
    costed = [(r.layer.count, r.cost) for r in done if r.cost is not None]
    return added(n * c.energy_pj for n, c in costed), added(n * c.cycles for n, c in costed)


def facts(
    problem: Problem,
    machine: Accelerator,
    done: Sequence[LayerAccount],
    choice: NetworkResult | None,
    traffic: Traffic | None,
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
        "network": None if choice is None else network_facts(machine, problem.network, choice),
        "layers": [_layer_facts(machine, account) for account in done],
        "left_out": left_out_by_kind(problem.network),
        "traffic": traffic,
    }


def _layer_facts(machine: Accelerator, account: LayerAccount) -> dict[str, object]:
    layer, result, cost, verdict = account.layer, account.result, account.cost, account.verdict
    out: dict[str, object] = {
        "name": layer.name,
        "count": layer.count,
        "dims": layer.einsum.bounds,
        "macs": layer.einsum.macs,
        "feasible": verdict is None,
    }
    if verdict is not None:
        return out | {"reason": verdict.reason, "margins": verdict.margins, "hint": verdict.hint}
    if result is None or cost is None:
        return out
    return out | {
        "row": result.row,
        "run_as": result.as_run(layer.einsum).bounds,
        "partial_tiles": result.partial,
        "mapping": _mapping_facts(machine, layer, result),
        "loops": cost.loops,
        "energy_pj": cost.energy_pj,
        "cycles": cost.cycles,
        "utilization": cost.utilization,
        "bound_by": cost.bound_by,
        "compute_pj": cost.compute_pj,
        "levels": cost.levels,
        "proven": result.proven,
        "gap": result.gap,
        "mapper": result.mapper,
        "mapper_seconds": result.seconds,
        "nodes": result.nodes,
        "evaluations": result.evaluations,
        "rejections": result.rejections,
        "random_mappings": account.rejections,
    }


def _mapping_facts(
    machine: Accelerator, layer: Layer, result: LayerResult
) -> list[dict[str, object]] | None:
    """Return the mapping level by level, inner to outer; None where the machine has no levels."""
    space = machine.mapspace(result.as_run(layer.einsum))
    mapping_of = getattr(space, "mapping_of", None)
    if mapping_of is None:
        return None
    mapping: Mapping = mapping_of(np.array(result.row, dtype=np.int64))
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
