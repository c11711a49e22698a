"""`cosearch networks`: what is known of a space of networks, and searches without a machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cosearch.cli.help import Group
from cosearch.cli.options import JsonOption
from cosearch.cli.output import table
from cosearch.cli.session import SEARCH, Session, session_of
from cosearch_plugins.networks.decouple_command import decouple_command
from cosearch_plugins.networks.options import (
    SampleOption,
    SeedOption,
    SpaceArgument,
    WhereOption,
    space_of,
)
from cosearch_plugins.networks.search_commands import (
    compose_command,
    search_command,
    untrained_command,
)

if TYPE_CHECKING:
    from cosearch.typing import FloatArray
    from cosearch_plugins.networks.columns import Networks
    from cosearch_plugins.networks.costs import Costs


GROUP = """Spaces of networks: ranks of scores, searches without a machine.

Examples:
    cosearch networks search nasbench201 -o error --seeds 3
    cosearch networks ranks --help
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    networks = typer.Typer(cls=Group, help=GROUP, no_args_is_help=True)
    networks.command("ranks")(ranks_command)
    networks.command("search")(search_command)
    networks.command("compose")(compose_command)
    networks.command("decouple")(decouple_command)
    networks.command("untrained")(untrained_command)
    app.add_typer(networks, name="networks", rich_help_panel=SEARCH)


def ranks_command(
    ctx: typer.Context,
    space: SpaceArgument,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="COLUMN",
            show_default=False,
            help="What is to be ranked: accuracy (if left out), or a score such as a latency "
            "measured on a device. May be repeated.",
        ),
    ] = None,
    hardware: Annotated[
        list[str] | None,
        typer.Option(
            "--hardware",
            "-H",
            metavar="NAME",
            show_default=False,
            help="Rank by what the networks cost on the baseline of this model too. May be "
            "repeated.",
        ),
    ] = None,
    cost: Annotated[
        str, typer.Option("--cost", metavar="NAME", help="On a machine: latency, energy or edp.")
    ] = "latency",
    mapper: Annotated[
        str,
        typer.Option(
            "--mapper",
            "-m",
            metavar="NAME",
            show_default=False,
            help="A mapper or a strategy; each machine's own default if left out.",
        ),
    ] = "",
    sample: SampleOption = None,
    where: WhereOption = None,
    seed: SeedOption = 0,
    json: JsonOption = False,
) -> None:
    """Say how alike scores, MACs and modelled costs rank the networks of a space.

    Spearman's rank correlation of each with what was measured: training-free scores with the
    accuracy, or the latency that a machine's model predicts with one measured on a device. MACs are
    always there: what they give, every other score has to beat.

    Examples:
        cosearch networks ranks nasbench201:dataset=cifar100
        cosearch networks ranks nasbench201:table=scores.csv --sample 400
        cosearch networks ranks accel-nasbench:table=anb.csv.gz -H vta --against zcu102_ms
    """
    from cosearch_plugins.networks.columns import Networks, chosen_rows

    session = session_of(ctx)
    found = space_of(session, space)
    networks = Networks.of(found, chosen_rows(found, sample, seed, where or ()))
    targets = against or ["accuracy"]
    costs = _costs(session, networks, hardware or (), cost, mapper)
    ranked = [c for c in ("macs", *found.scores) if c not in targets]
    rows = [_row(c, networks.column(c), networks, targets) for c in ranked]
    rows += [_row(f"{h}: {cost}", c.of(cost), networks, targets) for h, c in costs.items()]
    if json:
        left_out = {name: each.left_out for name, each in costs.items()}
        session.output.json({"space": space, "ranks": rows, "left_out": left_out})
        return
    _show(session, networks, targets, rows, costs)


def _costs(
    session: Session, networks: Networks, hardware: Sequence[str], cost: str, mapper: str
) -> dict[str, Costs]:
    from cosearch_plugins.networks.costs import costs_on, family, task_for

    costs = {}
    for spec in hardware:
        model = family(spec, session.registry)
        session.output.note(f"mapping {len(networks.layers)} layers on {spec}")
        task = task_for(model, session.registry, cost, mapper)
        costs[spec] = costs_on(networks.layers, networks.counts, model, task)
    return costs


def _row(
    name: str, column: FloatArray, networks: Networks, targets: Sequence[str]
) -> dict[str, object]:
    from cosearch_plugins.networks.columns import rank_correlation

    found = {t: rank_correlation(column, networks.column(t)) for t in targets}
    return {
        "by": name,
        "networks": max(n for _, n in found.values()),
        **{target: rho for target, (rho, _) in found.items()},
    }


def _show(
    session: Session,
    networks: Networks,
    targets: Sequence[str],
    rows: Sequence[dict[str, object]],
    costs: dict[str, Costs],
) -> None:
    session.output.title(
        f"{len(networks.rows):,} networks",
        f"Spearman's rank correlation with {', '.join(targets)}",
    )
    cells = [
        (str(r["by"]), str(r["networks"]), *(f"{r[target]:.3f}" for target in targets))
        for r in rows
    ]
    session.output.show(table(("by", ">networks", *(f">{t}" for t in targets)), cells))
    for name, each in costs.items():
        if each.left_out:
            session.output.note(
                f"{name} leaves out {100 * each.left_out:.1f} % of the operations "
                "(what is no product), and prices the rest"
            )
    if "accuracy" in targets and networks.space.accuracy_note:
        origins = " and ".join(sorted(set(networks.space.origins(networks.rows))))
        session.output.note(f"accuracy is {origins}: {networks.space.accuracy_note}")
