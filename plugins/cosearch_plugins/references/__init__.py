"""Reference data that models are validated against, by the layout of their files."""

from __future__ import annotations

from collections.abc import Iterable

from cosearch.registry.registration import Registration, hookimpl

_HERE = "cosearch_plugins.references"


@hookimpl
def cosearch_references() -> Iterable[Registration]:
    """Return the reference data whose layout is known."""
    return (
        Registration(
            "timeloop",
            f"{_HERE}.timeloop:Timeloop",
            "Timeloop's figures: archs.json and points_*.jsonl",
        ),
        Registration(
            "dosa",
            f"{_HERE}.dosa:Dosa",
            "DOSA's Timeloop points of Gemmini-like machines, as CSV",
        ),
    )
