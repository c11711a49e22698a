"""Fit straight lines to the 80 areas of Gemmini in DOSA's artifact.

python benchmarks/fit_gemmini_area.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from fit_gemmini_rtl import read

from cosearch_plugins.technologies.dosa import AREA_UM2

AREAS = Path(__file__).parents[1] / "tests/data/gemmini/area_by_arch.csv.gz"


def counts(rows: list[dict[str, str]]) -> np.ndarray:
    """Return float64[n, 5]: how many there are of what `AREA_UM2` names."""
    pes, depth, rows_deep = (
        np.array([float(row[name]) for row in rows]) for name in ("pe_dim", "acc_depth", "sp_depth")
    )
    return np.column_stack([pes**2, pes, pes * depth * 32, np.ones_like(pes), rows_deep * pes * 8])


def fit(work: np.ndarray, area_um2: np.ndarray) -> np.ndarray:
    """Return the least-squares prices, um2, of relative errors."""
    return np.linalg.lstsq(work / area_um2[:, None], np.ones(len(work)), rcond=None)[0]


def main() -> None:
    """Print prices, and errors seen and left out."""
    rows = read(AREAS)
    area = np.array([float(row["area_mm2"]) for row in rows]) * 1e6
    work = counts(rows)
    prices = fit(work, area)
    for (name, ships), found in zip(AREA_UM2.items(), prices, strict=True):
        print(f"{name:<18}{found:>12.4f} um2, shipped {ships:g}")
    shipped = np.abs(work @ np.array(list(AREA_UM2.values())) / area - 1)
    everyone = np.arange(len(rows))
    left_out = np.abs(
        [work[i] @ fit(work[everyone != i], area[everyone != i]) / area[i] - 1 for i in everyone]
    )
    for name, error in (("shipped", shipped), ("each left out", left_out)):
        print(f"{name}: mean error {error.mean():.1%}, worst {error.max():.1%}")


if __name__ == "__main__":
    main()
