"""Words at DRAM of the best mapping, fused and not, against AccelForge's FFM (see the data)."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import gemm
from cosearch.workload.link import Link
from cosearch.workload.network import Layer, Network
from cosearch_plugins.mappers.fused.mapper import FusedMapper

DATA = Path(__file__).parents[3] / "data" / "accelforge" / "fused_words.csv"
POINTS = list(csv.DictReader(DATA.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("point", POINTS, ids=lambda p: f"{p['m']}x{p['k']}-{p['kilobytes']}")
def test_words_at_dram_are_those_of_ffm(point: dict[str, str]) -> None:
    m, k, words = int(point["m"]), int(point["k"]), int(float(point["kilobytes"]) * 1024)
    machine = SpatialAccelerator(
        Architecture(
            "one multiplier",
            (
                Memory("buffer", words, AccessEnergy.uniform(1.0)),
                Memory("dram", None, AccessEnergy.uniform(100.0), is_dram=True),
            ),
            Compute(1.0),
        )
    )
    pair = (Layer(gemm("first", M=m, N=k, K=k)), Layer(gemm("second", M=m, N=k, K=k)))
    energy = next(o for o in OBJECTIVES if o.name == "energy")
    network = Network("pair", pair, links=(Link(0, 1, "Inputs", (0, 1)),))
    alone = FusedMapper().fuse(machine, network, energy, Budget(), 1)
    assert alone.outermost_words == int(point["unfused"])
    found = FusedMapper().fuse(machine, network, energy, Budget(), 2)
    assert found.outermost_words == int(point["fused"])
    assert found.gap == 0
