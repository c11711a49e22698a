"""Where fusing layers changes the answer: EDP of networks on three machines.

    python benchmarks/fusion_gains.py                            # all
    python benchmarks/fusion_gains.py bert gpt2 -m tpu           # what has these in its name
    python benchmarks/fusion_gains.py --seconds 60 --rows f.csv  # a row at most so long; kept in a
                                                                 # file, where a next call goes on
    python benchmarks/fusion_gains.py --rows f.csv --show        # what the file has

Printed is a table for docs/fusion.md: EDP layer by layer over EDP in groups, both with the best
mappings, how many times fewer words pass DRAM, and how far from proven the groups are. Below it
stands what is best with and without fusing, and what it costs to choose the wrong one: of the
buffers, for EDP times area; of the meshes, for EDP, at equal area (equally many units with equal
memories, and the largest buffer).

Machines: `eyeriss` (the chip's dataflow, buffers of 28, 56 and 108 KB), `gemmini` (scratchpads of
64, 128 and 512 KB; its sums live in accumulators and pass the scratchpad, so that nothing can be
fused there, whatever the mesh), `tpu` (the 128x128 array of `benchmarks/fusion.py`, 1, 4 and 16
million words; no source for its area, so that sizes are not ranked).
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections.abc import Iterator
from pathlib import Path

from attrs import asdict, evolve, fields, frozen
from fusion import machine as synthetic

import cosearch
from cosearch.errors import Infeasible
from cosearch.hooks.discovery import load_registry
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.mapping.mapper import Budget
from cosearch.workload.network import Network
from cosearch.workload.source import resolve
from cosearch_plugins.mappers.fused.mapper import FusedMapper

NETWORKS = (
    "bert-base:sequence=512",
    "gpt2",
    "llama",
    "llama:phase=decode",
    "vit-b16",
    "resnet18",
    "resnet50",
    "mobilenetv2",
)

BUFFERS = {"eyeriss": (28, 56, 108), "gemmini": (64, 128, 512), "tpu": (1024, 4096, 16384)}
"""KB; of `tpu` thousands (1024) of words."""

PARAMETER = {"eyeriss": "buffer_kb", "gemmini": "scratchpad_kb"}

MESHES = {"eyeriss": (14, 8, 12, 21, 28), "gemmini": (16,), "tpu": (128, 64, 256)}
"""Columns of a mesh of 168, 256 and 16,384 units; the first with every buffer."""


@frozen
class Point:
    """A network on a machine.

    Attributes:
        network, machine: as they are named.
        buffer: its size, see `BUFFERS`.
        mesh: its columns.
        area_mm2: of the machine; nan where nobody knows.
        alone, together: EDP of the network, pJ * cycles.
        words_alone, words_together: at DRAM.
        groups: that run together.
        gap: how much less EDP other groups can have at most, relative.
        seconds: spent on the row.
        misfit: why no layer runs.
    """

    network: str
    machine: str
    buffer: int
    mesh: int
    area_mm2: float = math.nan
    alone: float = math.nan
    together: float = math.nan
    words_alone: int = 0
    words_together: int = 0
    groups: int = 0
    gap: float = 0.0
    seconds: float = 0.0
    misfit: str = ""

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What it is of."""
        return self.network, self.machine, self.buffer, self.mesh

    def merit(self, *, fused: bool, area: bool) -> float:
        """EDP, or EDP times area."""
        return (self.together if fused else self.alone) * (self.area_mm2 if area else 1.0)


def wanted(networks: list[str], machines: list[str]) -> Iterator[Point]:
    """Yield the rows there are to be, without figures: all buffers first, then all meshes."""
    chosen = [s for s in NETWORKS if not networks or any(name in s for name in networks)]
    known = [name for name in BUFFERS if not machines or name in machines]
    for name in known:
        for spec in chosen:
            yield from (Point(spec, name, size, MESHES[name][0]) for size in BUFFERS[name])
    for name in known:
        for spec in chosen:
            yield from (Point(spec, name, BUFFERS[name][-1], mesh) for mesh in MESHES[name][1:])


def build(point: Point) -> SpatialAccelerator:
    """Return the machine of a row."""
    if point.machine == "tpu":
        made = synthetic("tpu", point.buffer)
        return _shaped(made, point.mesh)
    model = cosearch.hardware(point.machine)
    sizes = {**model.baseline, PARAMETER[point.machine]: point.buffer}
    if point.machine == "eyeriss":
        sizes["pe_x"] = point.mesh
    found = model.build(sizes)
    assert isinstance(found, SpatialAccelerator)
    return found


def _shaped(made: SpatialAccelerator, columns: int) -> SpatialAccelerator:
    """Return a machine with its units in so many columns."""
    old = made.architecture
    rows = old.compute.mesh_x * old.compute.mesh_y // columns
    registers = evolve(old.levels[0], mesh_x=columns, mesh_y=rows)
    compute = evolve(old.compute, mesh_x=columns, mesh_y=rows)
    return SpatialAccelerator(evolve(old, levels=(registers, *old.levels[1:]), compute=compute))


def priced(
    point: Point, network: Network, seconds: float, made: SpatialAccelerator | None = None
) -> Point:
    """Return a row with its figures: the best groups, or the best found in time."""
    begun = time.perf_counter()
    made = made or build(point)
    edp = load_registry().objective("edp")
    try:
        found = FusedMapper(seconds=seconds).fuse(made, network, edp, Budget(), 4)
    except Infeasible as verdict:
        return evolve(point, misfit=str(verdict))
    return evolve(
        point,
        area_mm2=math.nan if point.machine == "tpu" else made.area_mm2,
        alone=found.unfused_value,
        together=found.value,
        words_alone=found.unfused_words,
        words_together=found.outermost_words,
        groups=sum(run.count for run in found.runs if run.fused),
        gap=found.gap,
        seconds=time.perf_counter() - begun,
    )


def line(point: Point) -> str:
    """Return a row of the table."""
    head = f"| {point.network} | {point.machine} | {point.buffer} | {point.mesh} |"
    if point.misfit:
        return f"{head} does not fit: {point.misfit} | | | | |"
    words = point.words_alone / max(1, point.words_together)
    proof = "proven" if point.gap <= 1e-9 else f"gap {100 * point.gap:.1f} %"
    return (
        f"{head} {point.alone / point.together:.3f} | {words:.2f} | {point.groups} | {proof} | "
        f"{point.seconds:.0f} |"
    )


def verdicts(points: list[Point]) -> Iterator[str]:
    """Yield what is best with and without fusing, of buffers and of meshes."""
    for network in NETWORKS:
        for name, sizes in BUFFERS.items():
            own = [p for p in points if (p.network, p.machine) == (network, name) and not p.misfit]
            buffers = [p for p in own if p.mesh == MESHES[name][0] and p.area_mm2 > 0]
            meshes = [p for p in own if p.buffer == sizes[-1]]
            for what, of, among, area in (
                ("buffer", "buffer", buffers, True),
                (f"mesh at buffer {sizes[-1]}", "mesh", meshes, False),
            ):
                if len(among) > 1:
                    yield f"- {network} on {name}: {verdict(what, of, among, area=area)}"


def verdict(what: str, of: str, points: list[Point], *, area: bool) -> str:
    """Return which of some machines is best with and without fusing."""
    alone = min(points, key=lambda p: p.merit(fused=False, area=area))
    together = min(points, key=lambda p: p.merit(fused=True, area=area))
    aim = "EDP times area" if area else "EDP"
    here, there = getattr(alone, of), getattr(together, of)
    told = f"best {what} of {', '.join(str(getattr(p, of)) for p in points)} for {aim}: {there}"
    if alone is together:
        return f"{told}, with and without fusing"
    wrong = alone.merit(fused=True, area=area) / together.merit(fused=True, area=area)
    return f"{told} in groups, {here} layer by layer, which is {wrong:.3f} times worse then"


def kept(path: Path | None) -> list[Point]:
    """Return the rows of a file."""
    if path is None or not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    as_type = {"int": int, "float": float, "str": str}
    return [
        Point(**{f.name: as_type[str(f.type)](row[f.name]) for f in fields(Point)}) for row in rows
    ]


def keep(path: Path, point: Point) -> None:
    """Append a row to a file."""
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Point)])
        if new:
            writer.writeheader()
        writer.writerow(asdict(point))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*")
    parser.add_argument("-m", "--machine", action="append", default=[])
    parser.add_argument("--seconds", type=float, default=0.0, help="of a row")
    parser.add_argument("--rows", type=Path, help="a file that rows are kept in")
    parser.add_argument("--stop", type=float, default=math.inf, help="begin no row after seconds")
    parser.add_argument("--show", action="store_true", help="only what the file has")
    given = parser.parse_args()
    registry, end = load_registry(), time.perf_counter() + given.stop
    known = {point.key: point for point in kept(given.rows)}
    points = []
    print("| network | machine | buffer | mesh | EDP gain | words fewer | groups | proof | s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for point in wanted(given.networks, given.machine):
        found = known.get(point.key)
        if found is None:
            if given.show or time.perf_counter() > end:
                continue
            network = resolve(point.network, registry).priced(
                lambda e: "not priced" if e.operation else ""
            )
            found = priced(point, network, given.seconds)
            if given.rows is not None:
                keep(given.rows, found)
        points.append(found)
        print(line(found), flush=True)
    print()
    print(*verdicts(points), sep="\n")


if __name__ == "__main__":
    main()
