"""How a sweep looks: a table of machines and a chart of what they cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.text import Text

from cosearch.api.sweep import Sweep, SweepPoint
from cosearch.cli.output import Output, table
from cosearch.compare.chart import LETTERS, chart
from cosearch.quantities import added, digits, energy, loss, percent, ratio, whole
from cosearch.study.headline import times
from cosearch.typing import Value

WIDEST = 72
MARGIN = 20
"""Columns of the chart at most, and those left to its labels."""


def show(output: Output, found: Sweep) -> None:
    """Print the table, the best of it, and the chart where there are two values or more."""
    output.title(found.title, "the best mappings at each value; gain: baseline over this")
    output.show(table(_columns(found), [_row(found, point) for point in found.points]))
    if all(point.found and point.found.proven for point in found.points):
        output.prose("every machine's mappings are proven best", "good", indent=2)
    for reason in dict.fromkeys(point.reason for point in found.points if point.reason):
        output.prose(f"cannot be built or run: {reason}", "faint", indent=2)
    _show_best(output, found)
    lines = _chart(found, max(min(output.console.width - MARGIN, WIDEST), 20))
    if lines:
        output.show("")
        output.title(_name(found), f"of one run, against {next(iter(_names(found)))}")
        for line in lines:
            output.show(line)


def facts(found: Sweep) -> dict[str, object]:
    """Return everything as plain data."""
    return {
        "workload": found.workload,
        "hardware": found.hardware,
        "objective": found.objective.name,
        "baseline": found.baseline.record(),
        "points": found.records(),
    }


def _names(found: Sweep) -> tuple[str, ...]:
    return tuple(found.baseline.configuration)


def _name(found: Sweep) -> str:
    name = found.objective.name
    return name.upper() if name.startswith("ed") else name


def _columns(found: Sweep) -> list[str]:
    costs = [">energy", ">cycles", ">area|mm2", ">in use|%"]
    own = [] if found.objective.name in ("energy", "latency") else [f">{_name(found)}"]
    return [*(f">{name}" for name in _names(found)), *own, ">gain", *costs]


def _row(found: Sweep, point: SweepPoint) -> list[str | Text]:
    values: list[str | Text] = [str(value) for value in point.configuration.values()]
    if point.found is None:
        before = _columns(found)[len(values) :].index(">gain")
        after = len(_columns(found)) - len(values) - before - 1
        return [*values, *["-"] * before, Text("infeasible", style="warn"), *["-"] * after]
    result, objective = point.found, found.objective
    own = (
        []
        if objective.name in ("energy", "latency")
        else [loss(point.loss(objective), objective.unit)]
    )
    used = added(x.count * x.cost.macs for x in result.layers)
    room = added(
        x.count * x.cost.macs / x.cost.utilization for x in result.layers if x.cost.utilization
    )
    is_baseline = point.configuration == found.baseline.configuration
    return [
        *values,
        *own,
        Text("baseline", style="faint") if is_baseline else _better(found, point),
        energy(result.energy_pj),
        whole(result.cycles),
        digits(result.machine.area_mm2),
        f"{100 * used / room:.1f}" if room else "-",
    ]


def _better(found: Sweep, point: SweepPoint) -> Text:
    base, here = found.baseline.loss(found.objective), point.loss(found.objective)
    if not (math.isfinite(base) and here > 0):
        return Text("-")
    better = base / here
    return Text(ratio(better), style="good" if better > 1 else "bad" if better < 1 else "")


def _show_best(output: Output, found: Sweep) -> None:
    """Name the best point, with what it costs in area beside the baseline."""
    objective = found.objective
    ran = [point for point in found.points if point.found is not None]
    if not ran:
        return
    best = min(ran, key=lambda point: point.loss(objective))
    told = ", ".join(f"{name} {value}" for name, value in best.configuration.items())
    line = f"best: {told}, {loss(best.loss(objective), objective.unit)}"
    base = found.baseline.found
    if base is not None and best.found is not None:
        line += (
            f", {times(found.baseline.loss(objective) / best.loss(objective))} than the baseline"
        )
        share = best.found.machine.area_mm2 / base.machine.area_mm2
        if math.isfinite(share):
            line += f", on {percent(share)} of its area"
    output.prose(line, indent=2)


def _chart(found: Sweep, width: int) -> list[str]:
    """Return the chart: the first parameter across, a letter for each value of the second."""
    names = _names(found)
    across = list(dict.fromkeys(point.configuration[names[0]] for point in found.points))
    if len(across) < 2 or len(found.points) - added(p.found is None for p in found.points) < 2:
        return []
    groups = _groups(found, names)
    places = {value: i * (width - 1) // (len(across) - 1) for i, value in enumerate(across)}
    marks = [
        [
            (places[point.configuration[names[0]]], point.loss(found.objective))
            for point in points
            if point.found is not None
        ]
        for points in groups.values()
    ]
    lines = chart(marks, width, lambda value: loss(value, found.objective.unit))
    lines.append(
        _axis([str(value) for value in across], list(places.values()), lines[-1].index("+"))
    )
    if len(names) > 1:
        told = ", ".join(
            f"{letter}: {names[1]} {v}" for letter, v in zip(LETTERS, groups, strict=False)
        )
        lines.append(told)
    return lines


def _groups(found: Sweep, names: Sequence[str]) -> dict[Value | None, list[SweepPoint]]:
    groups: dict[Value | None, list[SweepPoint]] = {}
    for point in found.points:
        groups.setdefault(point.configuration[names[1]] if len(names) > 1 else None, []).append(
            point
        )
    return groups


def _axis(labels: Sequence[str], places: Sequence[int], margin: int) -> str:
    """Return the labels below the chart, those that would run into another left out."""
    line = " " * (margin + 1)
    for label, place in zip(labels, places, strict=True):
        start = max(
            margin + 1 + place - (len(label) - 1 if place == places[-1] else len(label) // 2), 0
        )
        if start > len(line.rstrip()) or not line.strip():
            line = line.rstrip().ljust(start) + label
    return line
