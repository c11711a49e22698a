"""Technologies that ship with cosearch: tables and formulas that price components."""

from __future__ import annotations

from cosearch.hookspecs import Registration, hookimpl

_HERE = "cosearch_plugins.technologies"


@hookimpl
def cosearch_technologies() -> list[Registration]:
    """Return the tables that ship with cosearch."""
    return [
        Registration("pat", f"{_HERE}.pat:LinearTable", "Timeloop's linear table (no areas)"),
        Registration(
            "eyeriss-chip", f"{_HERE}.eyeriss_chip:EyerissChip",
            "areas of the 65 nm Eyeriss chip (JSSC 2017); energies as in pat",
        ),
        Registration("dosa", f"{_HERE}.dosa:DosaTable", "Gemmini's components as DOSA prices them"),
    ]  # fmt: skip
