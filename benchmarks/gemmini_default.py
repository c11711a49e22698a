"""Gemmini's default machine on DOSA's four networks, mapped by the exact mapper.

    python benchmarks/gemmini_default.py

Energy-delay products, uJ * cycles, of 16 x 16 PEs with a scratchpad of 128 KB and an accumulator of
32 KB, beside what DOSA's artifact notes for it. Every layer gets its mapping of least EDP; a
network's EDP is the product of the sums over layers, each with its count.

The exact mapper proves optima under Timeloop's counts of 2025. Those never count more words than
Timeloop of 2022 did, which made DOSA's figures: the column `2022` prices the same mappings as that
tool counted, so what is best under its counts lies between the two columns.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
from attrs import evolve, frozen

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.model.reference import cost
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import Einsum, conv
from cosearch_hardware.gemmini.model import COUNTS, Gemmini
from cosearch_plugins.mappers.exact.mapper import ExactMapper

WORKLOADS = Path(__file__).parents[1] / "tests/data/gemmini/workloads"

ARTIFACT = {"resnet50": 2.502e11, "bert": 9.086e9, "retinanet": 1.465e11, "unet": 2.522e14}
"""A comment in the code of DOSA's artifact (MICRO 2023), for this machine."""

RANDOM_SEARCH = {
    "resnet50": (2.26e11, 2.17e11),
    "bert": (6.37e9, 5.98e9),
    "retinanet": (1.30e11, 1.19e11),
    "unet": (2.37e14, 2.21e14),
}
"""The best of 10^4 and of 10^6 random mappings a layer, priced as Timeloop of 2022 did."""

SECONDS_A_LAYER = 60.0
EDP = OBJECTIVES[0]


@frozen
class Total:
    """Sums over the layers of a network; energies in uJ."""

    energy_uj: float = 0.0
    cycles: float = 0.0
    energy_2022_uj: float = 0.0
    cycles_2022: float = 0.0
    layers: int = 0
    proven: int = 0
    seconds: float = 0.0


def layers(network: str) -> list[tuple[Einsum, int]]:
    """Return the unique layers of a network with their counts."""
    with (WORKLOADS / f"{network}.csv").open() as lines:
        return [
            (
                conv(
                    row["layer"],
                    **{dim: int(row[dim]) for dim in ("N", "K", "C", "P", "Q", "R", "S")},
                    stride=(int(row["Wstride"]), int(row["Hstride"])),
                ),
                int(row["count"]),
            )
            for row in csv.DictReader(lines)
        ]


def mapped(machine: SpatialAccelerator, network: str) -> Total:
    """Return what a network costs, each layer mapped for least EDP."""
    mapper, total = ExactMapper(), Total()
    of_2022 = evolve(machine.architecture, rules=COUNTS["2022"])
    for layer, count in layers(network):
        started = time.perf_counter()
        found = mapper.map(
            machine, layer, EDP, Budget(seconds=SECONDS_A_LAYER), np.random.default_rng(0)
        )
        old = cost(of_2022, layer, machine.mapspace(layer).mapping_of(found.row))
        total = Total(
            total.energy_uj + count * found.energy_pj / 1e6,
            total.cycles + count * found.cycles,
            total.energy_2022_uj + count * old.energy_pj / 1e6,
            total.cycles_2022 + count * old.cycles,
            total.layers + 1,
            total.proven + found.proven,
            total.seconds + time.perf_counter() - started,
        )
    return total


def main() -> None:
    """Print the table."""
    model = Gemmini()
    machine = model.build(model.baseline)
    assert isinstance(machine, SpatialAccelerator)
    print("| network | exact | 2022 | artifact | random 10^4 | 10^6 | proven | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for network, artifact in ARTIFACT.items():
        total = mapped(machine, network)
        few, many = RANDOM_SEARCH[network]
        print(
            f"| {network} | {total.energy_uj * total.cycles:.3e} "
            f"| {total.energy_2022_uj * total.cycles_2022:.3e} | {artifact:.3e} "
            f"| {few:.2e} | {many:.2e} | {total.proven} of {total.layers} "
            f"| {total.seconds:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
