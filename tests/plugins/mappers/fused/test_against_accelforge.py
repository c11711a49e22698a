"""Words at DRAM of the best mapping, fused and not, against AccelForge's FFM (see the data)."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import pytest

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import gemm
from cosearch.workload.link import Link
from cosearch.workload.network import Layer, Network
from cosearch_plugins.mappers.fused.mapper import FusedMapper

DATA = Path(__file__).parents[3] / "data" / "accelforge"


Point: TypeAlias = tuple[int, tuple[int, ...], float, int, int]
"""Rows, widths, kilobytes, and words layer by layer and fused."""


def points(*names: str) -> list[Point]:
    out = []
    for name in names:
        text = (DATA / f"{name}.csv").read_text(encoding="utf-8")
        for row in csv.DictReader(text.splitlines()):
            widths = row["widths"].split("-") if "widths" in row else [row["k"]] * 3
            words = int(row["unfused"]), int(row["fused"])
            out.append((int(row["m"]), tuple(map(int, widths)), float(row["kilobytes"]), *words))
    return out


POINTS = points("fused_words", "fused_chains")


def test_there_are_twenty_points_and_fusing_gains_on_all() -> None:
    assert len(POINTS) >= 20
    assert all(fused < unfused for *_, unfused, fused in POINTS)


def words(point: Point) -> tuple[int, int]:
    """Return what is found layer by layer and in groups, proven."""
    rows, widths, kilobytes, *_ = point
    machine = SpatialAccelerator(
        Architecture(
            "one multiplier",
            (
                Memory("buffer", int(kilobytes * 1024), AccessEnergy.uniform(1.0)),
                Memory("dram", None, AccessEnergy.uniform(100.0), is_dram=True),
            ),
            Compute(1.0),
        )
    )
    layers = tuple(
        Layer(gemm(f"l{i}", M=rows, K=k, N=n)) for i, (k, n) in enumerate(pairwise(widths))
    )
    links = tuple(Link(i, i + 1, "Inputs", (0, 1)) for i in range(len(layers) - 1))
    energy = next(o for o in OBJECTIVES if o.name == "energy")
    network = Network("chain", layers, links=links)
    alone = FusedMapper().fuse(machine, network, energy, Budget(), 1)
    found = FusedMapper().fuse(machine, network, energy, Budget(), len(layers))
    assert found.gap == 0
    return alone.outermost_words, found.outermost_words


@pytest.mark.parametrize("point", POINTS, ids=lambda p: f"{p[0]}x{'-'.join(map(str, p[1]))}-{p[2]}")
def test_words_at_dram_are_those_of_ffm(point: Point) -> None:
    assert words(point) == point[3:]


def test_where_ffm_nests_loops_it_passes_fewer_words() -> None:
    """Groups have one prefix for all members: docs/limits.md."""
    found = {point[3:]: words(point) for point in points("nested_chains")}
    assert found == {(12288, 9216): (12288, 10240), (6912, 4352): (6912, 4864)}
