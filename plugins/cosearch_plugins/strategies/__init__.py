"""Search strategies that ship with cosearch."""

from __future__ import annotations

from cosearch.hookspecs import Registration, hookimpl

_HERE = "cosearch_plugins.strategies"


@hookimpl
def cosearch_strategies() -> list[Registration]:
    """Return the built-in strategies."""
    return [
        Registration("random", f"{_HERE}.random:Random", "uniform draws, none twice"),
        Registration(
            "evolutionary",
            f"{_HERE}.evolutionary:Evolutionary",
            "tournament, crossover and mutation; ageing as an option",
        ),
    ]
