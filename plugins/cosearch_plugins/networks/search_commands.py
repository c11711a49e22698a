"""`cosearch networks search`, `compose` and `untrained`: scores without a machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import asdict

from cosearch.cli.options import JsonOption
from cosearch.cli.output import table
from cosearch.cli.session import Session, session_of
from cosearch_plugins.networks.options import SeedOption, SpaceArgument, space_of

if TYPE_CHECKING:
    from cosearch.typing import FloatArray
    from cosearch.workload.network import NetworkSpace
    from cosearch_plugins.networks.compose import Composed
    from cosearch_plugins.networks.search import Found


def search_command(
    ctx: typer.Context,
    space: SpaceArgument,
    objective: Annotated[
        str,
        typer.Option(
            "--objective",
            "-o",
            metavar="NAME[,NAME]",
            help="What is known of a network without a machine, such as scores; of several the "
            "sum counts, each over its largest absolute value among the networks met.",
        ),
    ] = "naswot,logsynflow,skip",
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", metavar="NAME", help="Who proposes networks.")
    ] = "freerea",
    networks: Annotated[
        int, typer.Option("--networks", min=1, metavar="N", help="Networks met in each run.")
    ] = 200,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, metavar="N", help="Runs, seeds 0 to N-1.")
    ] = 1,
    json: JsonOption = False,
) -> None:
    """Search networks by scores alone, without a machine and without training any of them.

    Each run ends with the network of the best sum of objectives among all that it met; its accuracy
    is shown, and was not seen by the search unless `error` is an objective.

    Examples:
        cosearch networks search nasbench201 -o error --networks 50
        cosearch networks search nasbench201:table=nasbench201.csv.gz --seeds 10
        cosearch networks search nasbench201:table=scores.csv -o jacov,synflow
    """
    from cosearch_plugins.networks.search import search

    session = session_of(ctx)
    found, named = space_of(session, space), session.registry.find("strategies", strategy)
    aims = [session.registry.objective(name.strip()) for name in objective.split(",")]
    runs = [search(found, aims, named, networks, seed) for seed in range(seeds)]
    if json:
        session.output.json([{**asdict(run), "row": run.row.tolist()} for run in runs])
        return
    _show_runs(session, found, named.spec, runs)


def _show_runs(session: Session, space: NetworkSpace, strategy: str, runs: Sequence[Found]) -> None:
    import numpy as np

    best = np.array([run.accuracy for run in runs])
    session.output.title(
        f"accuracy {best.mean():.2f} % in the mean of {len(runs)} runs",
        f"deviation {best.std():.2f}; {strategy}, {runs[0].met} networks met",
    )
    rows = [(str(r.seed), f"{r.accuracy:.2f}", str(r.step), space.build(r.row).name) for r in runs]
    session.output.show(table((">seed", ">accuracy|%", ">met after", "~network"), rows))
    session.output.note(f"accuracy is {space.remark(runs[0].row)}")


def compose_command(
    ctx: typer.Context,
    space: SpaceArgument,
    test: Annotated[
        list[str] | None,
        typer.Option(
            "--test",
            metavar="SPACE",
            show_default=False,
            help="Test on this space too, such as another data set. May be repeated.",
        ),
    ] = None,
    against: Annotated[
        str, typer.Option("--against", metavar="COLUMN", help="What is to be ranked.")
    ] = "accuracy",
    fit: Annotated[
        int, typer.Option("--fit", min=10, metavar="N", help="Networks fitted to.")
    ] = 80,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, metavar="N", help="Splits, seeds 0 to N-1.")
    ] = 5,
    json: JsonOption = False,
) -> None:
    """Search a formula of training-free scores that ranks networks by their accuracy.

    Genetic programming over the ranks of the space's scores and the MACs. Each seed draws the
    networks that formulas are fitted to; what is printed is the rank correlation on all others. The
    bars beside it, the best score and the best sum of two, are chosen on the same networks.

    Examples:
        cosearch networks compose nasbench201:table=scores.csv
        cosearch networks compose nasbench201:table=a.csv --test nasbench201:dataset=cifar100,table=a.csv
    """  # noqa: E501 - a command is one line
    from cosearch_plugins.networks.compose import compose, inputs_of, ranked

    session = session_of(ctx)
    names = [space, *(test or ())]
    found = [space_of(session, name) for name in names]
    inputs = inputs_of(found[0])
    known = [ranked(n, s, inputs, against) for n, s in zip(names, found, strict=True)]
    runs = [each for seed in range(seeds) for each in compose(known, inputs, fit, seed)]
    if json:
        session.output.json({"inputs": inputs, "spaces": names, "runs": [asdict(r) for r in runs]})
        return
    _show_composed(session, names, runs, fit, len(known[0].accuracy) - fit)


def _show_composed(
    session: Session, names: Sequence[str], runs: Sequence[Composed], fit: int, rest: int
) -> None:
    import numpy as np

    session.output.title(
        "formulas over ranks",
        f"fitted to {fit} networks of {names[0]}; rank correlation on {rest} others",
    )
    columns = (">seed", "by", ">fitted", *(f">tested {i}" for i, _ in enumerate(names, 1)))
    cells = [
        (str(r.seed), r.by, f"{r.fitted:.3f}", *(f"{x:.3f}" for x in r.tested), r.formula)
        for r in runs
    ]
    session.output.show(table((*columns, "~formula"), cells), "")
    for by in dict.fromkeys(r.by for r in runs):
        tested = np.array([r.tested for r in runs if r.by == by])
        told = ", ".join(f"{m:.3f}" for m in np.median(tested, axis=0))
        session.output.show(f"  {by}: median {told}; least {tested.min():.3f}")
    for i, name in enumerate(names, 1):
        session.output.note(f"tested {i}: {name}")


def untrained_command(
    ctx: typer.Context,
    space: Annotated[
        str, typer.Argument(metavar="SPACE", help="`nasbench201`, with options.")
    ] = "nasbench201",
    sample: Annotated[
        int, typer.Option("--sample", min=3, metavar="N", help="Networks drawn at random.")
    ] = 12,
    seed: SeedOption = 0,
    json: JsonOption = False,
) -> None:
    """Compute NASWOT and LogSynflow of untrained networks (extra torch), beside a table's scores.

    The batch is noise, and the weights are PyTorch's own initialisation, so values differ from
    those that FreeREA's authors published; how alike both rank the networks is what counts.

    Examples:
        cosearch networks untrained nasbench201:dataset=imagenet16-120 --sample 30
        cosearch networks untrained nasbench201:table=nasbench201.csv.gz
    """
    from cosearch_plugins.networks.columns import rank_correlation
    from cosearch_plugins.networks.untrained import untrained

    session = session_of(ctx)
    found = untrained(space_of(session, space), sample, seed, session.output.note)
    rho = {n: rank_correlation(g, found.computed[n])[0] for n, g in found.given.items()}
    if json:
        session.output.json({"indices": found.indices, "computed": found.computed, "rank": rho})
        return
    columns: list[str] = [">index"]
    values: list[FloatArray] = []
    for name, computed in found.computed.items():
        for what, column in (("given", found.given.get(name)), ("computed", computed)):
            if column is not None:
                columns.append(f">{name}|{what}")
                values.append(column)
    cells = [
        (str(index), *(f"{column[i]:.6g}" for column in values))
        for i, index in enumerate(found.indices.tolist())
    ]
    session.output.title(f"{len(cells)} untrained networks", "three initialisations each")
    session.output.show(table(columns, cells), "")
    for name, value in rho.items():
        session.output.show(f"  {name}: rank correlation of computed with given {value:.3f}")
