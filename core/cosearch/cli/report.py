"""`cosearch report`: what a study found, in the terminal or as a file."""

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
    to: Annotated[
        Path | None,
        typer.Option(
            "--html",
            "--to",
            metavar="FILE",
            show_default=False,
            help="Write a file instead; its suffix says what, see `cosearch list reporters`.",
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full", show_default=False, help="Every parameter, every layer, every source."
        ),
    ] = False,
    store: StoreOption = STORE,
    json: JsonOption = False,
) -> None:
    """Show what a study found; its best design is priced again, nothing is searched.

    Examples:
        cosearch report resnet18-eyeriss-bayesian-6465c1
        cosearch report resnet18-eyeriss-bayesian-6465c1 --html report.html
    """
    from cosearch.cli.search import commands_after, exit_code, rescore_command
    from cosearch.cli.text import report as report_text
    from cosearch.reporting.reporter import reporter_for, write_whole
    from cosearch.store.store import Store
    from cosearch.study.codesign import load_study
    from cosearch.study.report import report_of
    from cosearch.study.traffic import traffic_of_trial

    session = session_of(ctx)
    with Store(store, write=False) as opened:
        study = load_study(opened, session.registry, name)
        rescore = rescore_command(opened, name, session.registry.files)
        after = commands_after(opened, study, session.registry)
    if to is not None:
        reporter = reporter_for(to, session.registry)
        write_whole(to, reporter.study(study, [f"cosearch resume {name}", rescore]))
        session.output.note(f"wrote {to}")
        return
    report = report_of(study)
    if json:
        session.output.json(report)
    else:
        report_text.show_report(session.output, study.problem, report, after, full=full)
        if full and study.best is not None:
            traffic = traffic_of_trial(study.problem, study.best)
            if traffic is not None:
                session.output.prose(str(traffic), "faint", indent=2)
    raise typer.Exit(exit_code(session.output, report))
