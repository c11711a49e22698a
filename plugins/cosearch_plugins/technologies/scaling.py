"""Energy and area from one CMOS node and supply voltage to another.

A. Stillmaker, B. Baas, *Scaling equations for the accurate prediction of CMOS device performance
from 180 nm to 7 nm*, Integration 58, 2017, pages 74-81. The coefficients were taken from the copy
in Accelergy's `hwcomponents` (MIT licence); the paper's corrigendum confirms the 65 nm ones.
"""

from __future__ import annotations

from cosearch.errors import CosearchError

ENERGY_POLYNOMIAL: dict[int, tuple[float, float, float]] = {
    130: (7.171, -6.709, 2.904),
    90: (4.762, -4.781, 2.092),
    65: (3.755, -4.398, 1.975),
    45: (1.103, -0.362, 0.2767),
    32: (0.9559, -0.7823, 0.471),
    20: (0.373, -0.1582, 0.04104),
    16: (0.2958, -0.1241, 0.03024),
    14: (0.2363, -0.09675, 0.02239),
    10: (0.2068, -0.09311, 0.02375),
    7: (0.1776, -0.09097, 0.02447),
}
"""Node, nm, to the coefficients of V^2, V and 1 of the energy factor (table 5)."""

AREA_FROM_65_NM: dict[int, float] = {
    130: 4.3, 90: 1.9, 65: 1.0, 45: 0.66, 32: 0.31, 20: 0.14, 16: 0.13, 14: 0.12, 10: 0.068,
    7: 0.039,
}  # fmt: skip
"""Node, nm, to the area of what takes 1 at 65 nm (table 1)."""

NODES = tuple(sorted(ENERGY_POLYNOMIAL))

SOURCE = "scaled by Stillmaker & Baas, Integration 58 (2017), tables 1 and 5"


def energy_factor(node_nm: int, voltage: float) -> float:
    """Return the energy factor `a V^2 + b V + c` of a node; only ratios of it mean anything.

    Raises:
        CosearchError: the node has no coefficients, or the voltage is outside 0.5 to 1.4 V.
    """
    if node_nm not in ENERGY_POLYNOMIAL:
        raise CosearchError(f"there are no scaling equations for {node_nm} nm", _known())
    if not 0.5 <= voltage <= 1.4:
        raise CosearchError(f"{voltage:g} V is outside the 0.5 to 1.4 V of the scaling equations")
    a, b, c = ENERGY_POLYNOMIAL[node_nm]
    return a * voltage**2 + b * voltage + c


def energy_ratio(of: tuple[int, float], to: tuple[int, float]) -> float:
    """Return by what energies at one (node in nm, voltage) are multiplied to hold at another."""
    return energy_factor(*to) / energy_factor(*of)


def area_ratio(of_nm: int, to_nm: int) -> float:
    """Return by what areas at one node are multiplied to hold at another."""
    for node in (of_nm, to_nm):
        if node not in AREA_FROM_65_NM:
            raise CosearchError(f"there are no scaling equations for {node} nm", _known())
    return AREA_FROM_65_NM[to_nm] / AREA_FROM_65_NM[of_nm]


def _known() -> str:
    return "there are for " + ", ".join(map(str, NODES)) + " nm"
