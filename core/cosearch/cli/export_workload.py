"""`cosearch export-workload`: a network in the format of another tool."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from cosearch.cli.options import WorkloadArgument
from cosearch.cli.session import LOOK, session_of
from cosearch.errors import CosearchError
from cosearch.quantities import counted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export-workload", rich_help_panel=LOOK)(export_workload_command)


def export_workload_command(
    ctx: typer.Context,
    workload: WorkloadArgument,
    as_: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="FORMAT",
            show_default=False,
            help="A format from `cosearch list workload-formats`.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="PATH",
            show_default=False,
            help="A file, or a new directory where the format has a file a layer; to standard "
            "output if left out.",
        ),
    ] = None,
) -> None:
    """Write a network as another tool reads it, to check one with the other.

    Examples:
        cosearch export-workload resnet18 --as scalesim --output resnet18.csv
        cosearch export-workload mobilenetv2 --as zigzag
        cosearch export-workload bert-base --as timeloop --output bert/
    """
    from cosearch.workload.source import resolve
    from cosearch.workload.writer import products_alone

    session = session_of(ctx)
    writer = session.registry.find("workload_writers", as_).make()
    whole = resolve(workload, session.registry)
    network = products_alone(whole)
    written = writer.write(network)
    if out is None:
        session.output.write("---\n".join(written.files.values()))
    else:
        _save(written.files, out)
        session.output.note(f"{counted(len(network.layers), 'layer')} of {network.name} in {out}")
    for note in written.notes:
        session.output.note(note)
    if network.unmodelled or len(whole.layers) > len(network.layers):
        session.output.note("layers of products are written, what is done beside them is not")


def _save(files: Mapping[str, str], out: Path) -> None:
    """Write one file under the path itself, several into a directory made for them."""
    if len(files) == 1 and not out.is_dir():
        out.write_text(next(iter(files.values())), encoding="utf-8")
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CosearchError(
            f"{out} exists and is no empty directory",
            "name a new directory: the format has a file for each different layer",
        )
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (out / name).write_text(text, encoding="utf-8")
