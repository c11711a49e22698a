"""Objectives that a network has without any machine: its size, its memory."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from cosearch.search.objective import Objective
from cosearch.workload.network import Network


@frozen(kw_only=True)
class NetworkObjective(Objective):
    """A number of a network: an objective, and a metric of its own name for limits.

    It is known before anything is built or mapped, so that a network beyond a limit costs nothing.

    Attributes:
        measure: the number; NaN where it is not known of a network.
        told: what `show workload` says of it, in one line; empty for nothing.
    """

    measure: Callable[[Network], float] = field(eq=False)
    told: Callable[[Network], str] = field(eq=False, default=lambda _: "")


def network_objective(
    name: str,
    unit: str,
    measure: Callable[[Network], float],
    summary: str,
    told: Callable[[Network], str] = lambda _: "",
) -> NetworkObjective:
    """Return the objective that makes a number of the network small.

    Args:
        name: as users write it.
        unit: of the number.
        measure: a network's number; NaN where it is not known.
        summary: one line.
        told: what `show workload` says of it.
    """
    return NetworkObjective(
        name=name,
        unit=unit,
        of=lambda metrics: metrics[name],
        summary=summary,
        needs=(name,),
        measure=measure,
        told=told,
    )
