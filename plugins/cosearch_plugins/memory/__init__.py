"""How much memory the activations of a network take at one time, and other sizes of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cosearch.registry.registration import hookimpl

if TYPE_CHECKING:
    from cosearch.search.objective import Objective


@hookimpl
def cosearch_objectives() -> list[Objective]:
    """Return what is known of a network's size without a machine."""
    from cosearch_plugins.memory.objectives import size_objectives

    return size_objectives()
