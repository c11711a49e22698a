"""What the commands of `cosearch networks` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cosearch.cli.session import Session

if TYPE_CHECKING:
    from cosearch.workload.network import NetworkSpace

SpaceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPACE",
        show_default=False,
        help="A name from `cosearch list network-spaces`, with options.",
    ),
]
SampleOption = Annotated[
    int | None,
    typer.Option(
        "--sample",
        min=3,
        metavar="N",
        show_default=False,
        help="Networks drawn at random; all that were measured (or all of a small space) if left "
        "out.",
    ),
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, metavar="K", help="One seed, one result.")
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="NAME=VALUE",
        show_default=False,
        help="Only networks with this choice; 'excite*=0' is one for every such parameter. May be "
        "repeated.",
    ),
]


def space_of(session: Session, spec: str) -> NetworkSpace:
    """Return a network space by its name with options."""
    space: NetworkSpace = session.registry.find("network_spaces", spec).make()
    return space
