"""`cosearch studies`, `rescore` and `export`: what a store holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cosearch.cli.options import STORE, JsonOption, StoreOption
from cosearch.cli.output import as_json, table
from cosearch.cli.session import SEARCH, session_of
from cosearch.quantities import added, counted, digits, loss

if TYPE_CHECKING:
    from cosearch.store.records import Header
    from cosearch.store.store import Store
    from cosearch.trials.trial import Trial

StudyArgument = Annotated[
    str, typer.Argument(metavar="STUDY", help="A name from `cosearch studies`.")
]


class Format(StrEnum):
    """What `export` writes."""

    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("studies", rich_help_panel=SEARCH)(studies_command)
    app.command("rescore", rich_help_panel=SEARCH)(rescore_command)
    app.command("export", rich_help_panel=SEARCH)(export_command)


def studies_command(
    ctx: typer.Context, store: StoreOption = STORE, json: JsonOption = False
) -> None:
    """List the studies of a store, oldest first.

    Examples:
        cosearch studies
        cosearch studies --store lab.db --json
    """
    from cosearch.store.store import Store

    session = session_of(ctx)
    output = session.output
    with Store(store, write=False) as opened:
        studies = [_summary(opened, header) for header in opened.headers()]
    if json:
        output.json(studies)
        return
    if not studies:
        output.show(f"{store} holds no studies yet; `cosearch run` begins one")
        return
    units = {o.name: o.unit for o in session.registry.objectives.values()}
    columns = ("study", "status", ">trials", ">of", "objective", ">best", ">trial", ">seconds")
    output.show(table(columns, (_line(study, units) for study in studies), indent=0))


def _summary(store: Store, header: Header) -> dict[str, Any]:
    known = store.summary(header.name)
    number, losses = known["best"], known["losses"]
    return {
        "study": header.name,
        "status": header.status,
        "note": header.note,
        "trials": known["trials"],
        "spent": known["spent"],
        "budget": header.budget,
        "settings": header.spec,
        "best_trial": number,
        "best_losses": dict(zip(header.spec.objectives, losses, strict=False)),
        "seconds": header.seconds,
        "begun": header.facts.get("begun"),
        "cosearch": header.facts.get("cosearch"),
    }


def _line(study: dict[str, Any], units: Mapping[str, str]) -> tuple[str, ...]:
    limit, number = study["budget"].trials, study["best_trial"]
    return (
        study["study"],
        study["status"],
        f"{study['spent']:.3g}" if study["spent"] % 1 else str(study["trials"]),
        "" if limit is None else str(limit),
        ", ".join(study["settings"].objectives),
        ", ".join(_losses(study["best_losses"], units)),
        "" if number is None else str(number),
        f"{study['seconds']:.1f}",
    )


def _losses(losses: Mapping[str, float], units: Mapping[str, str]) -> Iterator[str]:
    """Yield the best losses, each in its unit where its objective is known."""
    for name, value in losses.items():
        yield loss(value, units[name]) if name in units else digits(value, 4)


def rescore_command(
    ctx: typer.Context, name: StudyArgument, store: StoreOption = STORE, json: JsonOption = False
) -> None:
    """Price a study's best design again, with its stored mappings.

    The machine is built again, the kernel prices every mapping again, to the last digit, and the
    readable reference model explains each. Exit code 1 if anything differs from what is stored.

    Examples:
        cosearch rescore resnet18-eyeriss-bayesian-1d4a
    """
    from cosearch.cli.text import report as report_text
    from cosearch.errors import CosearchError
    from cosearch.store.store import Store
    from cosearch.study.codesign import load_study
    from cosearch.study.report import account, obstacle

    session = session_of(ctx)
    with Store(store, write=False) as opened:
        study = load_study(opened, session.registry, name)
    if study.best is None:
        raise CosearchError(f"the study {name!r} has no best design: {obstacle(study)}")
    design = account(study.problem, study.best)
    if json:
        confirmed = not design.disagreements
        session.output.json({"study": name, "confirmed": confirmed, "design": design})
    else:
        report_text.show_rescored(session.output, study.problem, design)
    for text in design.disagreements:
        session.output.warn(f"not confirmed: {text}")
    raise typer.Exit(1 if design.disagreements else 0)


def export_command(
    ctx: typer.Context,
    name: StudyArgument,
    format_: Annotated[
        Format, typer.Option("--format", "-f", help="A line a trial, or everything.")
    ] = Format.CSV,
    out: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", show_default=False,
                     help="Write to a file; to standard output if left out."),
    ] = None,
    store: StoreOption = STORE,
) -> None:  # fmt: skip
    """Write a study's trials as CSV (a line a trial) or JSON (with every layer's mapping).

    Trial 0 is the baseline.

    Examples:
        cosearch export resnet18-eyeriss-bayesian-1d4a --format csv > trials.csv
        cosearch export resnet18-eyeriss-bayesian-1d4a -f json --output study.json
    """
    from cosearch.store.store import Store

    output = session_of(ctx).output
    with Store(store, write=False) as opened:
        header, trials = opened.header(name), opened.trials(name)
    if format_ is Format.JSON:
        facts = {"study": header.name, "settings": header.spec, "facts": header.facts,
                 "budget": header.budget, "status": header.status, "note": header.note,
                 "seconds": header.seconds, "trials": trials}  # fmt: skip
        text = as_json(facts) + "\n"
    else:
        text = _csv(header, trials)
    if out is None:
        output.write(text)
    else:
        out.write_text(text, encoding="utf-8")
        output.note(f"{counted(len(trials), 'trial')} in {out}")


def _csv(header: Header, trials: list[Trial]) -> str:
    parameters = list(dict.fromkeys(name for trial in trials for name in trial.configuration))
    metrics = list(dict.fromkeys(name for trial in trials for name in trial.outcome.metrics))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        ["trial", "state", "reason", "violation", *parameters, *header.spec.objectives,
         *(name for name in metrics if name not in header.spec.objectives), "evaluations",
         "think_seconds", "seconds", "fidelity"]
    )  # fmt: skip
    for trial in trials:
        writer.writerow(_cells(trial, header, parameters, metrics))
    return buffer.getvalue()


def _cells(
    trial: Trial, header: Header, parameters: list[str], metrics: list[str]
) -> Iterator[object]:
    """Yield the cells of one line; what is unknown is empty."""
    outcome = trial.outcome
    yield from (trial.number, outcome.state, outcome.reason)
    yield "" if outcome.violation is None else outcome.violation
    yield from (trial.configuration.get(name, "") for name in parameters)
    yield from outcome.losses or [""] * len(header.spec.objectives)
    others = (name for name in metrics if name not in header.spec.objectives)
    yield from (outcome.metrics.get(name, "") for name in others)
    yield added(layer.evaluations for layer in outcome.layers)
    yield from (trial.think_seconds, outcome.seconds, trial.fidelity)
