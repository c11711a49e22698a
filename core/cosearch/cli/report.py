"""`cosearch report`: what a study found, in the terminal or as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cosearch.cli.options import STORE, JsonOption, StoreOption
from cosearch.cli.session import SEARCH, session_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report", rich_help_panel=SEARCH)(report_command)


def report_command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="STUDY", help="From `cosearch studies`.")],
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE.html",
            show_default=False,
            help="Write one self-contained page: charts, roofline, mappings.",
        ),
    ] = None,
    store: StoreOption = STORE,
    json: JsonOption = False,
) -> None:
    """Show what a study found; its best design is priced again, nothing is searched.

    Examples:
        cosearch report resnet18-eyeriss-evolutionary-6465c1
        cosearch report resnet18-eyeriss-evolutionary-6465c1 --html report.html
    """
    from cosearch.cli.search import exit_code, rescore_command
    from cosearch.cli.text import report as report_text
    from cosearch.store.store import Store
    from cosearch.study.codesign import load_study
    from cosearch.study.report import report_of

    session = session_of(ctx)
    with Store(store, write=False) as opened:
        study = load_study(opened, session.registry, name)
        rescore = rescore_command(opened, name, session.registry.files)
    if html is not None:
        from cosearch.html.page import write_page
        from cosearch.html.study_page import study_page

        write_page(html, study_page(study, [f"cosearch resume {name}", rescore]))
        session.output.note(f"wrote {html}")
        return
    report = report_of(study)
    if json:
        session.output.json(report)
    else:
        report_text.show_report(session.output, study.problem, report, rescore)
    raise typer.Exit(exit_code(session.output, report))
