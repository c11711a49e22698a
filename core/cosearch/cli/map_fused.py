"""`cosearch map NETWORK --fuse`: which layers run together, and how."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cosearch.cli.errors import INTERRUPTED
from cosearch.cli.interruption import Interruption, ending_early
from cosearch.cli.session import Session
from cosearch.errors import CosearchError
from cosearch.quantities import counted

if TYPE_CHECKING:
    from cosearch.loopnest.accelerator import SpatialAccelerator
    from cosearch.machine.hardware import Accelerator
    from cosearch.mapping.fused import FusedMapping
    from cosearch.mapping.traffic import Traffic
    from cosearch.registry.registry import Registry
    from cosearch.reporting.reporter import Reporter
    from cosearch.study.problem import Problem

FILES = (".yaml", ".yml")
"""Of machine and groups."""


def show_fused(
    session: Session, problem: Problem, machine: Accelerator, *, out: Path | None, json: bool
) -> None:
    """Fuse a network and show its groups.

    Args:
        session: the command's.
        problem: what is mapped, by whom.
        machine: to be mapped onto.
        out: a file for machine and groups, see `cosearch.formats.groups`, or for a page of them;
            None is none.
        json: whether to show it as JSON.

    Raises:
        CosearchError: the machine is no loop-nest machine, the mapper fuses nothing, or nothing
            writes groups to such a file.
    """
    from cosearch.cli.text import fused as fused_text
    from cosearch.cli.text.network import show_left_out
    from cosearch.loopnest.accelerator import SpatialAccelerator
    from cosearch.machine.widths import mixed

    if not isinstance(machine, SpatialAccelerator):
        raise CosearchError(
            f"layers are fused on loop-nest machines; {machine.name!r} has a model of its own",
            "leave out --fuse",
        )
    reporter = None if out is None else _reporter(out, session.registry)
    network, objective, spec = problem.network, problem.mapper_objective, problem.spec
    told = "fusing layers; Ctrl-C ends with the best found"
    watched = session.output.errors.status(told) if session.output.live else None
    with watched or nullcontext():
        with ending_early(problem.mapper.hurry) as came:
            budget = spec.mapper_budget
            found = problem.mapper.fuse(machine, network, objective, budget, spec.fuse_most)
        traffic, stopped = None, "the best found until then"
        if not came:
            traffic, stopped = _traffic(problem, machine, found)
    if out is not None:
        _write(session, out, reporter, f"{network.name} on {machine.name}", machine, found)
    if json:
        session.output.json({**fused_text.facts(machine, found), "traffic": traffic})
    else:
        session.output.title(
            f"{network.name} on {machine.name}",
            f"groups of up to {counted(spec.fuse_most, 'layer')}, objective {objective.name}",
        )
        fused_text.show_fused(session.output, network, machine, found)
        if traffic is not None:
            session.output.prose(str(traffic), "faint", indent=2)
        apart = [x.name for x in network.products if mixed(machine.architecture, x.einsum)]
        if apart:
            told = "groups are counted in words, and their tensors are not one word wide each"
            told = f"not tried in a group: {', '.join(apart)}: {told}"
            session.output.prose(told, "warn", indent=2)
        show_left_out(session.output, network)
    if stopped:
        session.output.warn(f"stopped: {stopped}")
        raise typer.Exit(INTERRUPTED)


def _traffic(
    problem: Problem, machine: Accelerator, found: FusedMapping
) -> tuple[Traffic | None, str]:
    """Return words at the outermost memory beside the fewest, and what Ctrl-C cost, if it came."""
    from cosearch.study.traffic import traffic_of

    try:
        with Interruption():
            return traffic_of(problem, machine, found.outermost_words), ""
    except KeyboardInterrupt:
        return None, "the least traffic is left out"


def _reporter(out: Path, registry: Registry) -> Reporter | None:
    """Return who draws groups in files of this suffix; None: they are for `cosearch evaluate`.

    Raises:
        CosearchError: nobody does, and it is no suffix of a file of groups.
    """
    from cosearch.reporting.reporter import Reporter, reporter_for

    suffix = out.suffix.lower()
    if suffix in FILES:
        return None
    if suffix.lstrip(".") in registry.names("reporters"):
        reporter = reporter_for(out, registry)
        if type(reporter).groups is not Reporter.groups:
            return reporter
    known = f"{', '.join(FILES)} for `cosearch evaluate`, .html for a page"
    raise CosearchError(
        f"{out}: groups of layers are not written as {suffix or 'no suffix'!r}", known
    )


def _write(
    session: Session,
    out: Path,
    reporter: Reporter | None,
    title: str,
    machine: SpatialAccelerator,
    found: FusedMapping,
) -> None:
    """Write groups to a file: a page, or to be priced again."""
    from cosearch.formats.groups import groups_text
    from cosearch.reporting.reporter import write_whole

    if reporter is not None:
        write_whole(out, reporter.groups(title, machine, found))
        session.output.note(f"wrote {out}")
        return
    write_whole(out, groups_text(machine.architecture, found.runs))
    session.output.note(f"price it again: cosearch evaluate {out}")
