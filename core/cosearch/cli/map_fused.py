"""`cosearch map NETWORK --fuse`: which layers run together, and how."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from cosearch.cli.session import Session
from cosearch.errors import CosearchError
from cosearch.loopnest.accelerator import SpatialAccelerator

if TYPE_CHECKING:
    from cosearch.machine.hardware import Accelerator
    from cosearch.mapping.mapper import Budget, Mapper
    from cosearch.search.objective import Objective
    from cosearch.workload.network import Network

FUSING = "fused"
"""The mapper asked where nobody names one."""


def show_fused(
    session: Session,
    mapper: Mapper,
    machine: Accelerator,
    network: Network,
    objective: Objective,
    budget: Budget,
    *,
    most: int,
    json: bool,
) -> None:
    """Fuse a network and show its groups.

    Raises:
        CosearchError: the machine is no loop-nest machine, or the mapper fuses nothing.
    """
    from cosearch.cli.text import fused as fused_text

    if not isinstance(machine, SpatialAccelerator):
        raise CosearchError(
            f"layers are fused on loop-nest machines; {machine.name!r} has a model of its own",
            "leave out --fuse",
        )
    watched = session.output.live and session.output.errors.status("fusing layers")
    with watched or nullcontext():
        found = mapper.fuse(machine, network, objective, budget, most)
    if json:
        session.output.json(fused_text.facts(machine, found))
        return
    session.output.title(
        f"{network.name} on {machine.name}",
        f"groups of up to {most} layers, objective {objective.name}",
    )
    fused_text.show_fused(session.output, machine, found)
