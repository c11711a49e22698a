"""How a study's report looks: the best design beside the baseline, layers, where energy goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from attrs import frozen
from rich.text import Text

from cosearch.cli.output import Output, table
from cosearch.cli.text.fused import show_groups
from cosearch.cli.text.network import certainty, show_left_out, show_parts
from cosearch.cli.text.network_found import network_of, show_network
from cosearch.cli.text.sources import show_sources
from cosearch.mapping.network_search import PROVEN
from cosearch.quantities import (
    added,
    counted,
    duration,
    energy,
    loss,
    metric,
    percent,
    ratio,
    si,
    whole,
)
from cosearch.study.headline import headline
from cosearch.study.problem import Problem
from cosearch.study.pruning import LEFT, SWEPT
from cosearch.study.report import DesignReport, LayerReport, StudyReport
from cosearch.study.study import Study
from cosearch.typing import Value

BAR = 30
"""Characters of the longest bar on a terminal of 80 columns; fewer on a narrower one."""

NAMES = {"energy_pj": "energy", "cycles": "cycles", "area_mm2": "area"}
"""Metrics in the comparison, in this order, and what they are called there."""

WIDE = 100
"""Columns from which on layers are described on one screen too."""

LAYERS = 10
"""Layers shown where not all are asked for: those that take most energy."""

FAILURES = 2
"""Reasons of infeasible and failed trials that are shown, the most frequent first."""

MANY = 10**15
"""Designs from which on only their order of magnitude is told."""


def show_head(output: Output, study: Study) -> None:
    """Say what begins, in one line on standard error."""
    spec, done = study.problem.spec, len(study.trials)
    begun = f"resumed after {counted(done, 'trial')}" if done else "a new study"
    size = study.problem.space.size
    designs = counted(size, "design") if size < MANY else f"{size:.1e} designs"
    mappings = (
        "mappings among them" if study.scheme.names_mappings else f"{spec.mapper} for mappings"
    )
    output.note(
        f"{study.name}: {_what(study)} on {spec.hardware}, {spec.strategy} over "
        f"{designs}, {mappings}, "
        f"{', '.join(spec.objectives)}, seed {spec.seed}; {begun}"
    )


def _what(study: Study) -> str:
    """Return the network that is run, or the space of networks that is searched too."""
    problem = study.problem
    if problem.networks is None:
        return problem.network.name
    return f"{problem.networks.space.size:,} networks of {problem.spec.workload}"


def show_interrupted(output: Output, study: Study, resume: str) -> None:
    """Print the best so far and how to go on."""
    best = study.best
    output.title(f"{study.name}: interrupted", f"stored: {counted(len(study.trials), 'trial')}")
    if best is None:
        output.show("  no feasible design yet")
    else:
        for objective, value in zip(study.problem.objectives, best.outcome.losses, strict=True):
            output.show(f"  best {objective.name}: {loss(value, objective.unit)}")
        parameters = study.problem.parameters_of(best.configuration)
        output.show(f"  trial {best.number}: {_values(parameters)}")
    output.show(f"  continue: {resume}")


@frozen
class Next:
    """Commands that go on from a report, ready to be pasted; one that is empty is not shown.

    Attributes:
        full: everything in the terminal.
        page: everything in a browser, with what is missing for it.
        rescore, resume: the best design priced again; the study continued.
    """

    full: str
    page: str = ""
    rescore: str = ""
    resume: str = ""


def show_report(
    output: Output, problem: Problem, report: StudyReport, after: Next, *, full: bool = False
) -> None:
    """Print what a study found, on one screen or in full.

    Args:
        output: to print on.
        problem: that was searched.
        report: what was found.
        after: commands to go on with.
        full: every parameter, layer and source, not the foremost alone.
    """
    output.title(report.study, _about(report))
    if report.obstacle:
        output.prose(report.obstacle, "warn", indent=2)
    if told := headline(report):
        output.prose(told, "good" if _better(problem, report) else "warn", indent=2)
    if report.best is not None:
        _show_comparison(output, problem, report, report.best, full=full)
        show_network(output, problem, report)
        if report.front:
            _show_front(output, problem, report)
        _show_certainty(output, problem, report.best)
        _show_best_of_all(output, problem, report)
        show_parts(output, report.best.networks)
        _show_layers(output, report.best, full=full)
        show_groups(output, report.best.groups, report.change)
        show_left_out(output, network_of(problem, report))
        _show_energy(output, report.best, report.baseline)
        _show_sources(output, report.best, "" if full else after.full)
    if report.agreement is not None:
        output.show("")
        output.prose(str(report.agreement), indent=2)
    _show_reasons(output, "infeasible", report.refusals, "faint")
    _show_reasons(output, "failed", report.failures, "warn")
    _show_next(output, report, after)


def _show_reasons(output: Output, what: str, reasons: Mapping[str, int], style: str) -> None:
    """Print the most frequent kinds of reasons; those of a kind differ in numbers alone."""
    kinds: dict[str, tuple[int, str]] = {}
    for reason, count in reasons.items():
        kind = re.sub(r"\d[\d.,]*(e[-+]?\d+)?", "#", reason)
        before, first = kinds.get(kind, (0, reason))
        kinds[kind] = (before + count, first)
    for count, reason in sorted(kinds.values(), key=lambda item: -item[0])[:FAILURES]:
        output.prose(f"{count} {what}: {reason}", style, indent=2)


def _show_next(output: Output, report: StudyReport, after: Next) -> None:
    commands = {"charts and mappings": after.page, "the same numbers again": after.rescore}
    told = {} if report.best is None else commands
    rows = [(what, command) for what, command in told.items() if command]
    rows += [("search on", after.resume)] if after.resume else []
    if rows:
        output.show("")
        output.title("next")
    for what, command in rows:
        output.show(Text.assemble("  ", (f"{what}: ", "faint"), command))


def _better(problem: Problem, report: StudyReport) -> bool:
    return any(report.equal.get(objective.name, 0.0) > 1 for objective in problem.objectives)


def _show_certainty(output: Output, problem: Problem, best: DesignReport) -> None:
    """Say how far from the best on this machine the choice of mappings can be."""
    gap = best.metrics.get("mapping_gap")
    if gap is not None:
        told = certainty(problem.mapper_objective, gap, " on this machine")
        output.prose(told.plain, str(told.style), indent=2)


def _show_best_of_all(output: Output, problem: Problem, report: StudyReport) -> None:
    """Say how far below the best design found another of the space can be."""
    left = report.facts.get(LEFT)
    if left:
        output.show(
            f"  pruned: {left['no_better']:,} designs that are proven no better than one found "
            f"before, {left['impossible']:,} that cannot be built within the limits"
        )
        if left.get("trials") == report.trials and not {"designs", "least"} & {*left}:
            output.prose(
                f"not proven: more than {SWEPT:,} machines are not gone through at the end, and "
                f"{left.get('unknown', 'nothing is known of many at once')}; hold some parameters "
                "with --set, or use --scheme exhaustive",
                "warn",
                indent=2,
            )
    gap = report.hardware_gap
    if gap is None or problem.space.size == 1:
        return
    told = f"proven: no other of the {problem.space.size:,} designs"
    if gap <= PROVEN:
        output.prose(f"{told} is better", "good", indent=2)
    else:
        output.prose(f"{told} is better by more than {percent(gap)}", "warn", indent=2)


def _about(report: StudyReport) -> str:
    parts = [report.note, f"{duration(report.seconds)}", counted(report.evaluations, "evaluation")]
    if report.infeasible:
        parts.append(f"{percent(report.infeasible / report.trials)} infeasible")
    if report.failed:
        parts.append(f"{report.failed} failed")
    return ", ".join(part for part in parts if part)


def _show_comparison(
    output: Output, problem: Problem, report: StudyReport, best: DesignReport, *, full: bool
) -> None:
    output.show("")
    output.title("best design", f"trial {best.number}, beside the baseline")
    base = report.baseline
    there: Mapping[str, Value] = base.configuration if base else problem.baseline
    rows: list[tuple[str | Text, ...]] = []
    same = [name for name, value in best.configuration.items() if value == there.get(name)]
    for name, value in best.configuration.items():
        unit = problem.hardware.space[name].unit
        mark = Text("same" if name in same else "", style="faint")
        if full or name not in same:
            here = f"{name} {unit}".strip()
            rows.append((here, str(value), str(there.get(name, "")), mark))
    for name, here, other in _results(problem, best, base):
        better = _ratio(report.improvement.get(name))
        rows.append((NAMES.get(name, name), here, other, better))
    output.show(table(("", ">best", ">baseline", ">baseline / best"), rows))
    if same and not full:
        kept = ", ".join(f"{name} {there[name]}" for name in same)
        output.prose(f"as in the baseline: {kept}", "faint", indent=2)


def _results(
    problem: Problem, best: DesignReport, base: DesignReport | None
) -> Iterator[tuple[str, str, str]]:
    """Yield name, value of the best and of the baseline, objectives first."""
    for objective in problem.objectives:
        name, unit = objective.name, objective.unit
        if name in ("energy", "latency", "area"):
            continue
        other = base.losses.get(name) if base else None
        yield name, loss(best.losses[name], unit), "-" if other is None else loss(other, unit)
    for name in NAMES:
        if name in best.metrics:
            other = base.metrics.get(name) if base else None
            there = "-" if other is None else _metric(name, other)
            yield name, _metric(name, best.metrics[name]), there


def _metric(name: str, value: float) -> str:
    return whole(value) if name == "cycles" else metric(name, value)


def _ratio(value: float | None) -> Text:
    if value is None:
        return Text("")
    style = "good" if value > 1 else "bad" if value < 1 else ""
    return Text(ratio(value), style=style)


def _show_front(output: Output, problem: Problem, report: StudyReport) -> None:
    names = [objective.name for objective in problem.objectives]
    rows = [
        (
            str(point.number),
            *(loss(point.losses[o.name], o.unit) for o in problem.objectives),
            _values(point.configuration),
        )
        for point in report.front
    ]
    output.show("")
    output.title(
        "Pareto front", f"{counted(len(rows), 'design')} that no other beats in every objective"
    )
    output.show(table(("trial", *(f">{name}" for name in names), "~design"), rows))
    if report.hypervolume is not None:
        corner = ", ".join(
            f"{name} {loss(report.reference[name], o.unit)}"
            for name, o in zip(names, problem.objectives, strict=True)
        )
        dominated = f"the front dominates {percent(report.hypervolume)} of the box up to {corner}"
        output.prose(f"hypervolume: {dominated}", "faint", indent=2)


def _show_layers(output: Output, design: DesignReport, *, full: bool) -> None:
    alone_pj = added(x.energy_pj * x.count for x in design.layers)
    total = alone_pj if design.groups else design.metrics.get("energy_pj", 0.0)
    heaviest = sorted(design.layers, key=lambda x: -x.energy_pj * x.count)
    shown = heaviest if full or len(heaviest) <= LAYERS + 1 else heaviest[:LAYERS]
    proven = all(layer.proven for layer in design.layers)
    alone = ", each alone" if design.groups else ""
    output.show("")
    output.title(
        "layers",
        f"energy, cycles and multipliers in use of one run each{alone}"
        + ("; every mapping is proven optimal" if proven else ""),
    )
    dropped = set() if full or output.console.width >= WIDE else {"~what"}
    dropped |= {"optimal"} if proven else set()
    kept = [i for i, name in enumerate(COLUMNS) if name not in dropped]
    rows = [_layer_row(layer, total) for layer in design.layers if layer in shown]
    output.show(table([COLUMNS[i] for i in kept], [[row[i] for i in kept] for row in rows]))
    rest = [layer for layer in design.layers if layer not in shown]
    if rest:
        share = added(x.energy_pj * x.count for x in rest) / total if total else 0.0
        told = f"and {counted(len(rest), 'more layer')} with {percent(share)} of the energy"
        output.prose(told, "faint", indent=2)


COLUMNS = (
    "layer",
    "~what",
    ">runs",
    ">energy|uJ",
    ">share|%",
    ">latency|cycles",
    ">in use|%",
    "bound by",
    "optimal",
)


def _layer_row(layer: LayerReport, total: float) -> tuple[str, ...]:
    share = layer.energy_pj * layer.count / total if total else 0.0
    return (
        layer.name,
        layer.about,
        str(layer.count),
        f"{layer.energy_pj / 1e6:,.2f}",
        f"{100 * share:.1f}",
        whole(layer.cycles),
        f"{100 * layer.utilization:.1f}",
        layer.bound_by,
        _proof(layer),
    )


def _proof(layer: LayerReport) -> str:
    if layer.proven:
        return "proven"
    return "not proven" if layer.gap is None else f"gap {percent(layer.gap)}"


def _show_energy(output: Output, best: DesignReport, base: DesignReport | None) -> None:
    """Draw a bar for each part of the machine, the baseline's share beside it."""
    total = added(best.energy_by_part.values())
    if not total:
        return
    longest = max(best.energy_by_part.values())
    length = max(5, min(BAR, output.console.width - 50))
    before = base.energy_by_part if base else {}
    rows: list[tuple[str | Text, ...]] = []
    for part, pj in sorted(best.energy_by_part.items(), key=lambda item: -item[1]):
        bar = Text("#" * round(length * pj / longest), style="name")
        other = energy(before[part]) if part in before else "-"
        rows.append((part, energy(pj), f"{100 * pj / total:.1f}", bar, other))
    output.show("")
    output.title("where the energy goes", f"{energy(total)} a run of the network")
    output.show(table(("", ">energy", ">%", "", ">baseline"), rows))


def _show_sources(output: Output, design: DesignReport, more: str) -> None:
    if not design.sources:
        output.warn("the hardware model does not say where its numbers come from")
        return
    output.show("")
    if not more:
        show_sources(output, design.sources)
        return
    number = len(set(design.sources.values()))
    told = f"numbers from {number} source{'s' if number > 1 else ''}; all of them and every layer: "
    output.show(Text.assemble("  ", (told, "faint"), more))


def _values(configuration: Mapping[str, Value]) -> str:
    return ", ".join(f"{name}={value}" for name, value in configuration.items())


def show_rescored(output: Output, problem: Problem, design: DesignReport) -> None:
    """Print every number of a design in full, as exact as it is stored."""
    output.title(f"trial {design.number}", _values(design.configuration))
    for objective in problem.objectives:
        if objective.name in design.losses:
            value = design.losses[objective.name]
            output.show(f"  {objective.name} {value!r} {objective.unit}")
    for name, value in design.metrics.items():
        output.show(f"  {name} {value!r}")
    rows = [(x.name, str(x.count), repr(x.energy_pj), repr(x.cycles)) for x in design.layers]
    output.show(table(("layer", ">runs", ">energy|pJ", ">latency|cycles"), rows))
    if not design.disagreements:
        macs = added(layer.macs * layer.count for layer in design.layers)
        layers = counted(len(design.layers), "layer")
        output.show(
            f"  {layers}, {si(macs, 'MACs')}: kernel and reference model agree with what is stored"
        )
