"""`cosearch reproduce`: a published study, run again beside what it reported."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cosearch.cli.options import JsonOption, RunsAtOnceOption
from cosearch.cli.output import Output
from cosearch.cli.session import SEARCH, session_of
from cosearch.errors import UnknownNameError
from cosearch.quantities import added, duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cosearch.cli.session import Session
    from cosearch.registry.registry import Registry
    from cosearch_plugins.papers.shi2020.runs import Plan

PAPERS = ("shi2020", "rhnas", "field")


ModelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME",
        show_default=False,
        help="A model of the paper; all if left out. May be repeated.",
    ),
]
ContenderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--contender",
        metavar="NAME",
        show_default=False,
        help="A row of the table, such as 'BO x exact'; all if left out. May be repeated.",
    ),
]
SettingOption = Annotated[
    str,
    typer.Option(
        "--setting",
        metavar="NAME",
        help="Prices and resources: timeloop, linear or board.",
    ),
]
AblationsOption = Annotated[
    bool,
    typer.Option(
        "--ablations",
        help="Also exchange kernel, acquisition and features.",
        show_default=False,
    ),
]
SensitivityOption = Annotated[
    bool,
    typer.Option(
        "--sensitivity",
        help="Instead: what the figures hang on, BO x exact with other prices and rules.",
        show_default=False,
    ),
]


SeedsOption = Annotated[
    int | None,
    typer.Option(
        "--seeds", min=1, metavar="N", show_default="10; 3 with --quick", help="Runs of each."
    ),
]
TrialsOfOption = Annotated[
    int | None,
    typer.Option(
        "--trials",
        min=1,
        metavar="N",
        show_default="50; 1000 for rhnas",
        help="Designs of a run.",
    ),
]
QuickOption = Annotated[
    bool,
    typer.Option("--quick", help="rhnas: one board, three seeds.", show_default=False),
]
PageOption = Annotated[
    Path, typer.Option("--page", metavar="FILE", help="rhnas: the page to write, Markdown.")
]
TablesOption = Annotated[
    Path | None,
    typer.Option(
        "--tables",
        metavar="DIR",
        show_default=False,
        help="rhnas: where complete tables are kept; the user's cache if none is named.",
    ),
]
TableOption = Annotated[
    str,
    typer.Option(
        "--table",
        metavar="FILE",
        show_default=False,
        help="rhnas: NAS-Bench-201's accuracies, columns index and acc_c10; predicted if left out.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reproduce", rich_help_panel=SEARCH)(reproduce_command)


def reproduce_command(
    ctx: typer.Context,
    paper: Annotated[str, typer.Argument(metavar="PAPER", help=f"One of: {', '.join(PAPERS)}.")],
    model: ModelOption = None,
    contender: ContenderOption = None,
    setting: SettingOption = "timeloop",
    seeds: SeedsOption = None,
    trials: TrialsOfOption = None,
    mapper_trials: Annotated[
        int, typer.Option("--mapper-trials", min=1, metavar="N", help="Mappings of each layer.")
    ] = 250,
    ablations: AblationsOption = False,
    sensitivity: SensitivityOption = False,
    stored: Annotated[
        bool,
        typer.Option("--stored", help="Run nothing: show what has ended.", show_default=False),
    ] = False,
    workers: RunsAtOnceOption = None,
    store: Annotated[
        Path, typer.Option("--store", metavar="FILE", help="SQLite file of the studies.")
    ] = Path("shi2020.db"),
    quick: QuickOption = False,
    page: PageOption = Path("rhnas.md"),
    tables: TablesOption = None,
    table: TableOption = "",
    json: JsonOption = False,
) -> None:
    """Run a published co-design study again, beside the figures it reported.

    `rhnas` (arXiv 2106.09180, known by its abstract alone) writes a page: exact optima of networks
    and machines under stated readings, and what searches reach. --quick takes one board and three
    seeds. `field` computes figures of the systems around the two papers beside what they published,
    in a minute. The rest is about `shi2020` (arXiv 2010.02075).

    Of one processor a run takes 5 to 20 s with exact mappings or random search, 10 to 60 s of
    BO x BO, and minutes of boosted trees or Matern kernels; there are 10 runs a contender and
    model. Every design is stored as it ends: interrupt it, and the same command goes on from
    there.

    Examples:
        cosearch reproduce rhnas --quick
        cosearch reproduce rhnas --table nasbench201.csv.gz
        cosearch reproduce field
        cosearch reproduce shi2020 --contender "BO x exact"
        cosearch reproduce shi2020 --model shi2020-dqn --seeds 3 --ablations
        cosearch reproduce shi2020 --sensitivity --model shi2020-dqn --seeds 3
    """
    from cosearch_plugins.papers.shi2020 import runs as shi2020
    from cosearch_plugins.papers.shi2020 import tables as shown
    from cosearch_plugins.papers.shi2020.setting import SETTINGS, VARIANTS

    session = session_of(ctx)
    _known("paper", (paper,), PAPERS)
    if paper == "rhnas":
        _rhnas(
            session, page, tables, quick=quick, seeds=seeds, trials=trials, table=table, json=json,
            workers=workers or os.cpu_count() or 1,
        )  # fmt: skip
        return
    if paper == "field":
        _field(session, json=json)
        return
    seeds, trials = seeds or 10, trials or 50
    _known("model of the paper", model or (), shi2020.MODELS)
    _known("setting", (setting,), tuple(SETTINGS))
    _known("contender", contender or (), tuple(c.name for c in shi2020.CONTENDERS))
    wanted = contender or [c.name for c in shi2020.CONTENDERS if ablations or not c.ablation]
    if sensitivity:
        wanted = ["BO x exact"]
    plans = [
        shi2020.Plan(
            tuple(model or shi2020.MODELS),
            tuple(c for c in shi2020.CONTENDERS if c.name in wanted),
            seeds,
            trials,
            mapper_trials,
            priced,
        )
        for priced in (VARIANTS if sensitivity else (SETTINGS[setting],))
    ]
    if not stored:
        _run(session.output, session.registry, plans, store, workers or os.cpu_count() or 1)
    found = shown.findings(session.registry, plans, store)
    if json:
        session.output.json([finding.facts() for finding in found])
    elif sensitivity:
        shown.show_variants(session.output, found)
    else:
        shown.show_contenders(session.output, found)


def _known(kind: str, names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UnknownNameError(kind, name, known)


def _run(
    output: Output, registry: Registry, plans: Sequence[Plan], store: Path, workers: int
) -> None:
    """Run what is missing, saying how long it takes."""
    from cosearch_plugins.papers.shi2020.runs import run_missing

    total = added(len(p.models) * len(p.contenders) * p.seeds for p in plans)
    started, done = time.monotonic(), 0

    def finished(_: object) -> None:
        nonlocal done
        done += 1
        left = (time.monotonic() - started) / done * (total - done)
        output.note(f"{done} of {total} runs, about {duration(left)} left")

    try:
        for design in plans:
            run_missing(registry, design, store, workers, finished)
    except KeyboardInterrupt:
        again = shlex.join(["cosearch", *sys.argv[1:]])
        output.note(f"stopped; every design that ended is stored. Go on: {again}")
        raise


def _field(session: Session, *, json: bool) -> None:
    """Show the figures of the systems around the two papers."""
    from attrs import asdict

    from cosearch.cli.tables import table
    from cosearch_plugins.papers.field import figures

    found = list(figures(session.registry))
    if json:
        session.output.json([asdict(figure) for figure in found])
        return
    rows = [(f.plugin, f.what, f.published or "-", f.here) for f in found]
    why = [(f.plugin, f.system, f.gap) for f in found]
    shown = dict.fromkeys((f.plugin, f.command) for f in found)
    session.output.show(
        table(("plugin", "what", "published", ">here"), rows),
        "",
        table(("plugin", "system", "~why they differ, what is not known"), why),
        "",
        table(("plugin", "~command that shows it"), list(shown)),
    )


def _rhnas(
    session: Session,
    page: Path,
    tables: Path | None,
    *,
    quick: bool,
    seeds: int | None,
    trials: int | None,
    table: str,
    json: bool,
    workers: int,
) -> None:
    """Hold the claim of arXiv 2106.09180 to exact optima, and write the page."""
    from attrs import asdict

    from cosearch_plugins.papers.rhnas.page import page_of
    from cosearch_plugins.papers.rhnas.reproduce import reproduce

    folder = tables or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / (
        "cosearch/tables"
    )
    found = reproduce(
        session.registry,
        folder,
        session.output.note,
        quick=quick,
        seeds=seeds or (3 if quick else 10),
        trials=trials or 1_000,
        table=table,
        workers=workers,
    )
    text = page_of(found)
    page.write_text(text, encoding="utf-8")
    if json:
        session.output.json(asdict(found))
        return
    session.output.show(text, f"this page is {page}")
