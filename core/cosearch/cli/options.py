"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from attrs import fields

from cosearch.trials.setting import KEY
from cosearch.trials.spec import StudySpec

TRIALS = 50
"""Designs of a study when no budget is named."""

WorkloadArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="WORKLOAD",
        help=fields(StudySpec).workload.metadata[KEY].about,
        show_default=False,
    ),
]

StoreOption: TypeAlias = Annotated[
    Path, typer.Option("--store", metavar="FILE", help="The SQLite file that keeps studies.")
]

STORE = Path("cosearch.db")
"""Default of `--store`."""

TrialsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--trials",
        min=1,
        metavar="N",
        show_default=False,
        help=f"Designs to try; {TRIALS} if no budget is named, all if exhaustive.",
    ),
]

EvaluationsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--evaluations",
        min=1,
        metavar="N",
        show_default=False,
        help="Mappings to price over all designs; the batch that reaches it is finished.",
    ),
]

SecondsOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--seconds",
        min=0.0,
        metavar="S",
        show_default=False,
        help="Wall-clock time at most; one worker and Dask finish designs under way.",
    ),
]

NetworksOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--networks",
        min=1,
        metavar="N",
        show_default=False,
        help="Networks whose accuracy is asked for, where networks are searched; the batch that "
        "reaches it is finished.",
    ),
]

RunsAtOnceOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        metavar="N",
        show_default=False,
        help="Runs at once; all processors if left out. Same result.",
    ),
]

JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON.", show_default=False)
]

RulesOption = Annotated[
    str | None,
    typer.Option(
        "--rules",
        metavar="RULES",
        show_default=False,
        help="Counting rules, joined by +: only_innermost_loop_slides, first_fill_is_counted, "
        "geometric_halo, link_transfers, or timeloop_2022. Replaces the machine's own.",
    ),
]
