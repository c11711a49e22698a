"""Technologies that ship with cosearch: tables and formulas that price components."""

from __future__ import annotations

from cosearch.registry.registration import Registration, hookimpl

_HERE = "cosearch_plugins.technologies"


@hookimpl
def cosearch_technologies() -> list[Registration]:
    """Return the tables that ship with cosearch."""
    return [
        Registration("pat", f"{_HERE}.pat:LinearTable", "Timeloop's linear table (no areas)"),
        Registration(
            "eyeriss-chip",
            f"{_HERE}.eyeriss_chip:EyerissChip",
            "areas of the 65 nm Eyeriss chip (JSSC 2017); energies as in pat",
        ),
        Registration(
            "eyeriss-relative",
            f"{_HERE}.eyeriss_relative:RelativeCosts",
            "relative costs of Eyeriss, ISCA 2016: 1, 6, 200, whatever the size",
        ),
        Registration(
            "horowitz", f"{_HERE}.horowitz:Horowitz", "45 nm, 0.9 V, Horowitz, ISSCC 2014"
        ),
        Registration(
            "scaled", f"{_HERE}.scaled:Scaled", "another technology at another node and voltage"
        ),
        Registration(
            "accelergy", f"{_HERE}.accelergy:AccelergyFile", "tables of Accelergy (ERT, ART)"
        ),
        Registration(
            "accelergy-eyeriss",
            f"{_HERE}.accelergy_eyeriss:AccelergyEyeriss",
            "Eyeriss at 45 nm as Accelergy priced it in 2020 (16-bit MAC alone)",
        ),
        Registration(
            "hwcomponents", f"{_HERE}.hwcomponents:HwComponents", "CACTI and Aladdin (an extra)"
        ),
        Registration("dosa", f"{_HERE}.dosa:DosaTable", "Gemmini's components as DOSA prices them"),
    ]
