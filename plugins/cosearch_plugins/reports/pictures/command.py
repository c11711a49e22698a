"""`cosearch plot`: one picture of a study, for a paper or a slide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cosearch.cli.options import STORE, StoreOption
from cosearch.cli.session import SEARCH, session_of
from cosearch.errors import CosearchError, UnknownNameError

KINDS = ("convergence", "front", "energy", "layers", "roofline")
SUFFIXES = (".svg", ".png", ".pdf")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plot", rich_help_panel=SEARCH)(plot_command)


def plot_command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="STUDY", help="From `cosearch studies`.")],
    what: Annotated[
        str, typer.Option("--what", metavar="KIND", help=f"One of: {', '.join(KINDS)}.")
    ] = "convergence",
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            show_default=False,
            help="A .svg, .png or .pdf; STUDY-KIND.svg if left out.",
        ),
    ] = None,
    store: StoreOption = STORE,
) -> None:
    """Draw one picture of a study: how it converged, its front, energy, layers, or the roofline.

    Examples:
        cosearch plot resnet18-gemmini-evolutionary-1d4a --what energy -o energy.pdf
        cosearch plot resnet18-gemmini-evolutionary-1d4a --what roofline -o roofline.png
    """
    from cosearch.reporting.reporter import write_whole
    from cosearch.store.store import Store
    from cosearch.study.codesign import load_study
    from cosearch_plugins.reports.pictures.draw import picture

    session = session_of(ctx)
    path = out or Path(f"{name}-{what}.svg")
    if what not in KINDS:
        raise UnknownNameError("picture", what, KINDS)
    if path.suffix.lower() not in SUFFIXES:
        raise CosearchError(f"{path}: pictures are {', '.join(SUFFIXES)}", "name one of them")
    with Store(store, write=False) as opened:
        study = load_study(opened, session.registry, name)
    write_whole(path, picture(study, what, path.suffix.lower().lstrip(".")))
    session.output.note(f"wrote {path}")
