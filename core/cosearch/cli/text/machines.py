"""How machines look side by side, each with its best mappings."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.text import Text

from cosearch.api.machines import Contestant
from cosearch.cli.output import Output, table
from cosearch.quantities import digits, duration, energy, loss, percent, ratio, whole


def show(output: Output, contestants: Sequence[Contestant]) -> None:
    """Print a table for each workload, and what its machines do not have in common."""
    for i, workload in enumerate(dict.fromkeys(c.workload for c in contestants)):
        if i:
            output.show("")
        own = [c for c in contestants if c.workload == workload]
        output.title(workload, "the best mappings on each machine as it stands, no search")
        columns = ("machine", ">energy", ">cycles", ">time", ">EDP", ">area|mm2", ">words|bits",
                   ">EDP at equal area", ">against the best", "mappings")  # fmt: skip
        best = min((c.scaled_edp for c in own if math.isfinite(c.scaled_edp)), default=math.nan)
        output.show(table(columns, [_row(c, best) for c in own]))
        for c in own:
            if c.found is None:
                output.prose(f"{c.hardware}: {c.reason}", "warn", indent=2)
        _show_differences(output, own)


def _row(c: Contestant, best: float) -> list[str | Text]:
    if c.found is None:
        return [c.hardware, *["-"] * 8, Text("cannot be run", style="warn")]
    found, machine = c.found, c.found.machine
    time = found.cycles / machine.clock_mhz * 1e-6 if machine.clock_mhz else math.nan
    return [
        c.hardware,
        energy(found.energy_pj),
        whole(found.cycles),
        "-" if math.isnan(time) else duration(time),
        loss(found.edp, "pJ*cycles"),
        digits(machine.area_mm2) if math.isfinite(machine.area_mm2) else "-",
        "-" if c.word_bits is None else str(c.word_bits),
        loss(c.scaled_edp, "pJ*cycles") if math.isfinite(c.scaled_edp) else "-",
        ratio(c.scaled_edp / best) if math.isfinite(c.scaled_edp) else "-",
        _proof(c),
    ]


def _proof(c: Contestant) -> str:
    found = c.found
    if found is None or found.gap is None:
        return "not proven"
    return "proven best" if found.proven else f"gap {percent(found.gap)}"


def _show_differences(output: Output, own: Sequence[Contestant]) -> None:
    """Say what keeps the machines from being compared as they stand."""
    bits = {c.word_bits for c in own if c.found is not None}
    if len(bits - {None}) > 1:
        output.prose("words differ in width: the machines do not compute the same", "warn", 2)
    elif None in bits:
        output.prose("not every model says how wide its words are", "faint", 2)
    ran = [c.found for c in own if c.found is not None]
    layers = {tuple(sorted((x.name, x.count) for x in found.layers)) for found in ran}
    if len(layers) > 1:
        output.prose("the machines leave out different layers of the network", "warn", 2)
    output.prose(
        "at equal area: as many copies as fit the area of the largest, each on inputs of its own; "
        "energies of different technologies are not converted",
        "faint",
        2,
    )
