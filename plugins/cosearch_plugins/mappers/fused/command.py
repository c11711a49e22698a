"""`cosearch least-traffic`: the fewest words that pass the outermost memory, over buffer sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cosearch.cli.options import JsonOption, WorkloadArgument
from cosearch.cli.output import table
from cosearch.cli.session import MACHINE, session_of
from cosearch.errors import CosearchError, Infeasible
from cosearch.quantities import percent, whole

if TYPE_CHECKING:
    from cosearch.loopnest.accelerator import SpatialAccelerator
    from cosearch.mapping.traffic import LeastTraffic

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Of the machine's own buffer, the sizes shown unless others are named."""

BAR = 30
"""Characters of the longest bar."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("least-traffic", rich_help_panel=MACHINE)(least_traffic_command)


def least_traffic_command(
    ctx: typer.Context,
    workload: WorkloadArgument,
    hardware: Annotated[
        str, typer.Option("--hardware", "-H", metavar="NAME", help="A loop-nest machine.")
    ],
    words: Annotated[
        list[int] | None,
        typer.Option(
            "--words",
            min=1,
            metavar="N",
            show_default=False,
            help="A size of the buffer; repeat for more. From a quarter to 4 times its own if "
            "left out.",
        ),
    ] = None,
    fuse_most: Annotated[
        int, typer.Option("--fuse-most", min=1, metavar="N", help="Layers in a group.")
    ] = 4,
    json: JsonOption = False,
) -> None:
    """Prove how few words pass the outermost memory at some buffer sizes: no mapping has fewer.

    Layer by layer, and with layers that run together.

    Examples:
        cosearch least-traffic bert-base -H eyeriss
        cosearch least-traffic resnet18 -H eyeriss --words 16384 --words 65536
    """
    from cosearch.machine.building import build, network_for
    from cosearch.mapping.mapper import Budget
    from cosearch.study.building import make_hardware
    from cosearch.workload.source import resolve
    from cosearch_plugins.mappers.fused.mapper import FusedMapper
    from cosearch_plugins.mappers.fused.traffic import least_traffic

    session = session_of(ctx)
    model = make_hardware(hardware, session.registry)
    machine = _loop_nest(build(model, model.baseline))
    network = network_for(model, resolve(workload, session.registry))
    found: list[LeastTraffic] = []
    for size in words or _sizes(machine):
        try:
            mapper = FusedMapper(nodes=0)
            found.append(least_traffic(mapper, machine, network, size, fuse_most, Budget()))
        except Infeasible as verdict:
            session.output.warn(f"{size:,} words: {verdict.reason}")
    if json:
        session.output.json({"machine": machine.name, "network": network.name, "points": found})
        return
    level, outermost = machine.architecture.levels[-2:]
    session.output.title(
        f"{network.name} on {machine.name}",
        f"fewest words at {outermost.name}; groups of up to {fuse_most} layers",
    )
    columns = (f">{level.name}|words", ">layer by layer", ">in groups", "", "each tensor once is 1")
    session.output.show(table(columns, [_row(point) for point in found]))


def _row(point: LeastTraffic) -> tuple[str, ...]:
    longest = 4.0
    times = point.together / point.once
    bar = "#" * min(BAR, max(1, round(BAR * times / longest)))
    proof = "proven" if point.gap <= 1e-9 else f"within {percent(point.gap)}"
    size = "no end" if point.words is None else whole(point.words)
    return size, whole(point.alone), whole(point.together), f"{times:.3f} {bar}", proof


def _loop_nest(machine: object) -> SpatialAccelerator:
    from cosearch.loopnest.accelerator import SpatialAccelerator

    if not isinstance(machine, SpatialAccelerator):
        raise CosearchError("this machine has a model of its own, not loop nests")
    return machine


def _sizes(machine: SpatialAccelerator) -> list[int]:
    own = machine.architecture.levels[-2].entries
    if own is None:
        raise CosearchError("the machine's buffer has no end", "name sizes with --words")
    return [max(1, int(own * factor)) for factor in FACTORS]
