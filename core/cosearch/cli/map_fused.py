"""`cosearch map NETWORK --fuse`: which layers run together, and how."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from cosearch.cli.session import Session
from cosearch.errors import CosearchError
from cosearch.quantities import counted

if TYPE_CHECKING:
    from cosearch.machine.hardware import Accelerator
    from cosearch.study.problem import Problem


def show_fused(
    session: Session, problem: Problem, machine: Accelerator, *, out: Path | None, json: bool
) -> None:
    """Fuse a network and show its groups.

    Args:
        session: the command's.
        problem: what is mapped, by whom.
        machine: to be mapped onto.
        out: a file for machine and groups, see `cosearch.formats.groups`; None is none.
        json: whether to show it as JSON.

    Raises:
        CosearchError: the machine is no loop-nest machine, or the mapper fuses nothing.
    """
    from cosearch.cli.text import fused as fused_text
    from cosearch.cli.text.network import show_left_out
    from cosearch.formats.groups import groups_text
    from cosearch.loopnest.accelerator import SpatialAccelerator
    from cosearch.machine.widths import mixed
    from cosearch.study.traffic import traffic_of

    if not isinstance(machine, SpatialAccelerator):
        raise CosearchError(
            f"layers are fused on loop-nest machines; {machine.name!r} has a model of its own",
            "leave out --fuse",
        )
    network, objective, spec = problem.network, problem.mapper_objective, problem.spec
    watched = session.output.errors.status("fusing layers") if session.output.live else None
    with watched or nullcontext():
        found = problem.mapper.fuse(
            machine, network, objective, problem.spec.mapper_budget, spec.fuse_most
        )
        traffic = traffic_of(problem, machine, found.outermost_words)
    if out is not None:
        out.write_text(groups_text(machine.architecture, found.runs), encoding="utf-8")
        session.output.note(f"price it again: cosearch evaluate {out}")
    if json:
        session.output.json({**fused_text.facts(machine, found), "traffic": traffic})
        return
    session.output.title(
        f"{network.name} on {machine.name}",
        f"groups of up to {counted(spec.fuse_most, 'layer')}, objective {objective.name}",
    )
    fused_text.show_fused(session.output, machine, found)
    if traffic is not None:
        session.output.prose(str(traffic), "faint", indent=2)
    apart = [x.name for x in network.products if mixed(machine.architecture, x.einsum)]
    if apart:
        session.output.prose(
            f"not tried in a group: {', '.join(apart)}: groups are counted in words, and their "
            "tensors are not one word wide each",
            "warn",
            indent=2,
        )
    show_left_out(session.output, network)
