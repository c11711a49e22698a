"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from cosearch.errors import CosearchError

WorkloadArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="WORKLOAD",
        help="A name from `cosearch list workloads`, `name:key=value,...`, or a file.",
        show_default=False,
    ),
]

HardwareOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--hardware",
        "-H",
        metavar="NAME",
        help="A hardware model from `cosearch list hardware`.",
        show_default=False,
    ),
]

SetOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        show_default=False,
        help="Fix a parameter of the hardware model; may be repeated.",
    ),
]

StrategyOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--strategy", "-s", metavar="NAME", help="A strategy from `cosearch list strategies`."
    ),
]

MapperOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--mapper",
        "-m",
        metavar="NAME",
        show_default=False,
        help="A mapper or a strategy; the machine's own default if left out.",
    ),
]

ObjectiveOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--objective",
        "-o",
        metavar="NAME",
        help="What to make small; see `cosearch list objectives`.",
    ),
]

MapperTrialsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--mapper-trials",
        min=1,
        metavar="N",
        show_default=False,
        help="Mappings priced per layer at most, for mappers that sample.",
    ),
]

SecondsOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--seconds", min=0.0, metavar="S", show_default=False, help="Wall-clock time at most."
    ),
]

SeedOption: TypeAlias = Annotated[
    int, typer.Option("--seed", min=0, metavar="K", help="One seed, one result.")
]

ConstraintOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint",
        metavar="'NAME<=X'",
        show_default=False,
        help="A limit on the result, such as 'area_mm2<=10'; may be repeated.",
    ),
]

CombineOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--combine",
        metavar="HOW",
        help="How layers' mappings are chosen: for the whole `network`, or `layers` alone, faster.",
    ),
]

StoreOption: TypeAlias = Annotated[
    Path, typer.Option("--store", metavar="FILE", help="The SQLite file that keeps studies.")
]

STORE = Path("cosearch.db")
"""Default of `--store`."""

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


def settings(texts: Iterable[str] | None) -> dict[str, str]:
    """Return `--set name=value` options by name; raises CosearchError for one without `=`."""
    given: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            raise CosearchError(f"--set {text!r} is not NAME=VALUE", "for example: --set mesh_x=16")
        if given.setdefault(name, value) != value:
            raise CosearchError(f"--set gives {name} twice: {given[name]} and {value}")
    return given


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
