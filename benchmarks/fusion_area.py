"""Buffer against array at the area of the Eyeriss chip: does fusing change which is best?

    python benchmarks/fusion_area.py                              # all
    python benchmarks/fusion_area.py bert --rows area.csv         # kept in a file, where a next
                                                                  # call goes on

Machines: the chip's, but for 9 to 17 columns of its 12 rows of processing elements; what area that
leaves, or takes, is the buffer's. Areas and energies are those of `cosearch show hardware eyeriss`:
a processing element takes as much area as 2.73 KB of buffer, whose words cost more in a larger one.
Printed is a row a machine, EDP layer by layer and in groups, and which is best with and without.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve
from fusion_gains import Point, keep, kept, priced, verdict

import cosearch
from cosearch.hooks.discovery import load_registry
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import Architecture
from cosearch.machine.technology import UNPRICED
from cosearch.machine.technology import priced as at_prices
from cosearch.workload.source import resolve
from cosearch_hardware.eyeriss.model import EyerissAccelerator
from cosearch_hardware.pricing import CHIP

NETWORKS = ("mobilenetv2", "bert-base:sequence=512", "resnet18")
COLUMNS = (9, 10, 12, 14, 16, 17)
AREA = "eyeriss at 12.25 mm2"


def machine(columns: int, kilobytes: int) -> EyerissAccelerator:
    """Return the chip with other columns and another buffer, at its own prices."""
    chip = cosearch.hardware("eyeriss").build({})
    assert isinstance(chip, EyerissAccelerator)
    pads, buffer, dram = chip.architecture.levels
    words = kilobytes * 8192 // buffer.word_bits
    parts = {role: evolve(p, energy=UNPRICED) for role, p in pads.partitions.items()}
    bare = evolve(
        chip.architecture,
        levels=(
            evolve(pads, mesh_x=columns, partitions=parts, energy=UNPRICED, area_um2=0.0),
            evolve(buffer, entries=words, energy=UNPRICED, area_um2=0.0),
            evolve(dram, energy=UNPRICED),
        ),
        compute=evolve(chip.architecture.compute, mesh_x=columns, energy_pj=0.0, area_um2=0.0),
    )
    made: Architecture = at_prices(bare, CHIP, CHIP, kinds={"scratchpads": "regfile"}, ganged={})
    design = evolve(chip.design, pe_x=columns, buffer_kb=kilobytes)
    return EyerissAccelerator(made, design, None)


def kilobytes(columns: int) -> int:
    """Return the largest buffer with which a machine is no larger than the chip, in KB."""
    area = cosearch.hardware("eyeriss").build({}).area_mm2 * (1 + 1e-9)
    least, most = 1, 1024
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (
            (middle, most) if machine(columns, middle).area_mm2 <= area else (least, middle)
        )
    return least


def wanted(networks: list[str]) -> Iterator[Point]:
    """Yield the rows there are to be, without figures."""
    for spec in NETWORKS:
        if not networks or any(name in spec for name in networks):
            yield from (Point(spec, AREA, kilobytes(c), c) for c in COLUMNS)


def line(point: Point) -> str:
    """Return a row of the table."""
    proof = "proven" if point.gap <= 1e-9 else f"gap {100 * point.gap:.1f} %"
    return (
        f"| {point.network} | {point.mesh} x 12 | {point.buffer} | {point.area_mm2:.2f} | "
        f"{point.alone:.4g} | {point.together:.4g} | {point.alone / point.together:.3f} | "
        f"{point.groups} | {proof} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--seconds", type=float, default=0.0, help="of a row")
    parser.add_argument("--rows", type=Path, help="a file that rows are kept in")
    parser.add_argument("--show", action="store_true", help="only what the file has")
    given = parser.parse_args()
    registry, known = load_registry(), {point.key: point for point in kept(given.rows)}
    print("| network | units | KB | mm2 | EDP alone | EDP in groups | gain | groups | proof |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    points: list[Point] = []
    for point in wanted(given.networks):
        found = known.get(point.key)
        if found is None and not given.show:
            network = resolve(point.network, registry).priced(
                lambda e: "not priced" if e.operation else ""
            )
            made: SpatialAccelerator = machine(point.mesh, point.buffer)
            found = priced(point, network, given.seconds, made)
            if given.rows is not None:
                keep(given.rows, found)
        if found is not None:
            points.append(found)
            print(line(found), flush=True)
    print()
    for spec in NETWORKS:
        own = [p for p in points if p.network == spec and not p.misfit]
        if len(own) > 1:
            print(f"- {spec}: {verdict('columns', 'mesh', own, area=False)}")


if __name__ == "__main__":
    main()
