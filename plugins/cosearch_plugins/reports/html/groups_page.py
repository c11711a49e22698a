"""A page of layers that run together on one machine: their figures, schedules and loops."""

from __future__ import annotations

from collections.abc import Iterator

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.group_text import group_nest
from cosearch.mapping.fused import FusedMapping, FusedRun
from cosearch.quantities import counted, energy, loss, whole
from cosearch_plugins.reports.html.nest_svg import nest_svg
from cosearch_plugins.reports.html.page import Section, folded, page, table
from cosearch_plugins.reports.html.schedule_svg import schedule_svg


def groups_page(title: str, machine: SpatialAccelerator, found: FusedMapping) -> str:
    """Return the page of a network mapped in groups; raises MissingExtraError without plotly."""
    groups = [run for run in found.runs if run.fused]
    aim = found.objective
    about = (
        f"{counted(len(groups), 'group')}; {aim.name} {loss(found.value, aim.unit, 6)}, layer by "
        f"layer {loss(found.unfused_value, aim.unit, 6)}"
    )
    sections = [Section("What runs", "one run of each", _table(found)), *_drawn(machine, groups)]
    return page(title, about, sections)


def _table(found: FusedMapping) -> str:
    columns = ("layers", "runs", "words in use", "outermost words", "alone", "energy", "cycles")
    rows = [
        (
            " -> ".join(run.layers),
            str(run.count),
            whole(run.cost.room),
            whole(run.cost.outermost_words),
            whole(run.unfused_words),
            energy(run.cost.energy_pj),
            whole(run.cost.cycles),
        )
        for run in found.runs
    ]
    return table(columns, rows)


def _drawn(machine: SpatialAccelerator, groups: list[FusedRun]) -> Iterator[Section]:
    """Yield each group: what is live while each member runs, and its loops."""
    architecture = machine.architecture
    for run in groups:
        nest = nest_svg(group_nest(architecture, run.group, run.layers))
        yield Section(
            " -> ".join(run.layers),
            f"{counted(run.count, 'run')}; what is live in {architecture.levels[-2].name} while "
            "each member runs",
            schedule_svg(architecture, run.group, run.layers) + folded("loops", nest),
        )
