"""Models against published figures: Timeloop's, DOSA's, a plugin's own."""

from __future__ import annotations

from cosearch.hookspecs import Registration

BUILT_IN = (
    Registration(
        "timeloop", "cosearch.validate.timeloop:Timeloop", "archs.json and points_*.jsonl"
    ),
    Registration("dosa", "cosearch.validate.dosa:Dosa", "Gemmini points of Timeloop, as CSV"),
)
"""Reference data whose layout the engine knows; plugins register more."""
