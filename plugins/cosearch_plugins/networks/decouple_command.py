"""`cosearch networks decouple`: what semi-decoupled search loses, against exhaustion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import asdict

from cosearch.cli.options import JsonOption
from cosearch.cli.output import table
from cosearch.cli.session import Session, session_of
from cosearch_plugins.networks.options import SpaceArgument, space_of

if TYPE_CHECKING:
    from cosearch_plugins.networks.decoupled import Verdict


def decouple_command(
    ctx: typer.Context,
    space: SpaceArgument,
    device: Annotated[
        list[str] | None,
        typer.Option(
            "--device",
            metavar="SCORE",
            show_default=False,
            help="A score: a latency (or ..._fps) on a device; two at least. May be repeated.",
        ),
    ] = None,
    hardware: Annotated[
        str,
        typer.Option(
            "--hardware",
            "-H",
            metavar="NAME",
            show_default=False,
            help="In place of devices: all machines of a family, its baseline the proxy.",
        ),
    ] = "",
    cost: Annotated[
        str, typer.Option("--cost", metavar="NAME", help="On machines: latency, energy or edp.")
    ] = "latency",
    floor: Annotated[
        list[float] | None,
        typer.Option(
            "--floor",
            metavar="PERCENT",
            show_default=False,
            help="Least accuracy; may be repeated. No floor if left out.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say where networks that are Pareto-optimal on one proxy serve other devices, and where not.

    Every network is known on every device (or machine), so the loss against exhaustion is exact.
    The rank correlation beside it says beforehand whether to trust the scheme
    `semi-decoupled-networks`.

    Examples:
        cosearch networks decouple nasbench201:table=FILE --device eyeriss_ms --device raspi4_ms
        cosearch networks decouple nasbench201 -H vta:stack=apache --floor 94 --floor 93.5
    """
    from cosearch_plugins.networks.decoupled import between_devices, on_machines

    session = session_of(ctx)
    floors: list[float | None] = [*floor] if floor else [None]
    if hardware:
        from cosearch.study.codesign import plan
        from cosearch_plugins.landscape.table import joint_table

        settings = {"objective": cost, "combine": "layers"}
        found = on_machines(
            joint_table(plan(session.registry, space, hardware, "random", **settings)), floors
        )
    else:
        found = between_devices(space_of(session, space), device or (), floors)
    if json:
        session.output.json([{**asdict(v), "loss": v.loss} for v in found])
        return
    _show(session, found)


def _show(session: Session, found: Sequence[Verdict]) -> None:
    session.output.title(
        "semi-decoupled against exhaustion",
        f"{found[0].networks:,} networks; what the proxy's Pareto networks lose on the target",
    )
    columns = (
        *("proxy", ">kept", "target", ">rank|correlation", ">floor|%"),
        *(">optimum", ">found", ">loss|%"),
    )
    cells = [
        (
            v.proxy,
            str(v.kept),
            v.target,
            f"{v.rank:.3f}",
            "-" if v.floor is None else f"{v.floor:g}",
            f"{v.best:.6g}",
            f"{v.found:.6g}",
            f"{100 * v.loss:.2f}",
        )
        for v in found
    ]
    session.output.show(table(columns, cells))
