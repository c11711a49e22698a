"""`cosearch sweep`: what a parameter is worth, with the best mappings at each of its values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from cosearch.cli.options import JsonOption, WorkloadArgument
from cosearch.cli.session import MACHINE, session_of
from cosearch.cli.settings import Given, takes_settings
from cosearch.errors import CosearchError
from cosearch.trials.spec import FOR_ONE_MACHINE
from cosearch.typing import Value

FEW = 2
"""Parameters that a table and a chart can show."""

TO = ".."
"""Between the ends of a range, `16..128:16`."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep", rich_help_panel=MACHINE)(sweep_command)


@takes_settings(FOR_ONE_MACHINE)
def sweep_command(
    ctx: typer.Context,
    workload: WorkloadArgument,
    parameters: Annotated[
        list[str],
        typer.Argument(
            metavar="PARAMETER[=VALUES]...",
            show_default=False,
            help="One or two: buffer_kb=32,64,128 or buffer_kb=32..128:16; all choices without =.",
        ),
    ],
    given: Given,
    workers: Annotated[
        int, typer.Option("--workers", min=1, metavar="N", help="Layers mapped at once.")
    ] = 1,
    json: JsonOption = False,
) -> None:
    """Show what a parameter of a machine is worth: every value with the best mappings it allows.

    Values may lie between the choices of a search where the model can build such a machine. All
    other parameters are the baseline's, or as --set has them.

    Examples:
        cosearch sweep resnet18 -H gemmini scratchpad_kb
        cosearch sweep resnet18 -H gemmini accumulator_kb=8..64:8 -o latency
        cosearch sweep bert-base -H gemmini pe_dim=8,16,32 scratchpad_kb=32,128
    """
    from rich.progress import Progress

    from cosearch.api.sweep import sweep
    from cosearch_plugins.sweeps.text import facts, show

    session = session_of(ctx)
    values = _values(parameters)
    with Progress(
        console=session.output.errors, transient=True, disable=not session.output.live
    ) as bar:
        task = bar.add_task("machines", total=None)
        found = sweep(
            workload,
            values=values,
            workers=workers,
            registry=session.registry,
            finished=lambda _: bar.advance(task),
            **given,
        )
    if json:
        session.output.json(facts(found))
    else:
        show(session.output, found)
    if not any(point.found for point in found.points):
        raise typer.Exit(1)


def _values(texts: Iterable[str]) -> dict[str, list[Value]]:
    """Return values by parameter as text; none for a parameter without."""
    values: dict[str, list[Value]] = {}
    for text in texts:
        name, equals, tried = (part.strip() for part in text.partition("="))
        if not name or (equals and not tried):
            raise CosearchError(f"{text!r} is not PARAMETER=VALUES", "such as buffer_kb=32,64,128")
        if name in values:
            raise CosearchError(f"the parameter {name!r} is named twice")
        values[name] = (
            [v for part in tried.split(",") for v in _range(part.strip())] if tried else []
        )
    if len(values) > FEW:
        raise CosearchError(
            f"{len(values)} parameters are too many for a table",
            "sweep two, or search them all: cosearch run",
        )
    return values


def _range(text: str) -> list[Value]:
    """Return `16..64:16` as its whole numbers, anything else as it is."""
    if TO not in text:
        return [text]
    ends, _, step = text.partition(":")
    first, _, last = ends.partition(TO)
    try:
        start, stop, by = int(first), int(last), int(step or 1)
    except ValueError:
        raise CosearchError(
            f"{text!r} is no range of whole numbers", "such as 16..128:16"
        ) from None
    if by < 1 or stop < start:
        raise CosearchError(f"{text!r} has no values", "such as 16..128:16")
    return list(range(start, stop + 1, by))
