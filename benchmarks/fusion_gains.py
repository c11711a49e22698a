"""Where fusing layers changes the answer: EDP of networks on three machines at three buffer sizes.

    python benchmarks/fusion_gains.py                      # all
    python benchmarks/fusion_gains.py bert gpt2 -m tpu     # what has these in its name
    python benchmarks/fusion_gains.py resnet --seconds 60  # a line at most so long

Printed is a table for docs/fusion.md: EDP layer by layer over EDP in groups, both with the best
mappings, how many times fewer words pass DRAM, and how far from proven the groups are. Under each
network and machine stand the buffer sizes that are best for EDP times area with and without
fusing, and what it costs to choose the wrong one: among equal areas the larger EDP decides.

Machines: `eyeriss` (the chip's dataflow, buffers of 28, 56 and 108 KB), `gemmini` (scratchpads of
64, 128 and 512 KB; its sums live in accumulators and pass the scratchpad, so that nothing can be
fused there), `tpu` (the 128x128 array of `benchmarks/fusion.py`, 1, 4 and 16 million words; no
source for its area, so that sizes are not ranked).
"""

from __future__ import annotations

import argparse
import math

from attrs import frozen
from fusion import machine as synthetic

import cosearch
from cosearch.errors import Infeasible
from cosearch.hooks.discovery import load_registry
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.mapping.fused import FusedMapping
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import Objective
from cosearch.workload.network import Network
from cosearch.workload.source import resolve
from cosearch_plugins.mappers.fused.mapper import FusedMapper

NETWORKS = (
    "resnet18",
    "resnet50",
    "mobilenetv2",
    "bert-base:sequence=512",
    "vit-b16",
    "gpt2",
    "llama",
    "llama:phase=decode",
)

BUFFERS = {"eyeriss": (28, 56, 108), "gemmini": (64, 128, 512), "tpu": (1024, 4096, 16384)}
"""KB; of `tpu` thousands (1024) of words."""

PARAMETER = {"eyeriss": "buffer_kb", "gemmini": "scratchpad_kb"}


@frozen
class Point:
    """A network on a machine with a buffer."""

    buffer: int
    area_mm2: float
    found: FusedMapping

    def merit(self, *, fused: bool) -> float:
        """EDP times area."""
        return (self.found.value if fused else self.found.unfused_value) * self.area_mm2


def build(name: str, size: int) -> SpatialAccelerator:
    """Return a machine with a buffer."""
    if name == "tpu":
        return synthetic("tpu", size)
    model = cosearch.hardware(name)
    made = model.build({**model.baseline, PARAMETER[name]: size})
    assert isinstance(made, SpatialAccelerator)
    return made


def line(spec: str, name: str, point: Point) -> str:
    """Return a row of the table."""
    found = point.found
    gain = found.unfused_value / found.value
    groups = sum(run.count for run in found.runs if run.fused)
    words = found.unfused_words / max(1, found.outermost_words)
    proof = "proven" if found.gap <= 1e-9 else f"gap {100 * found.gap:.1f} %"
    return (
        f"| {spec} | {name} | {point.buffer} | {gain:.3f} | {words:.2f} | {groups} | {proof} | "
        f"{found.seconds:.0f} |"
    )


def verdict(points: list[Point]) -> str:
    """Return which buffer is best with and without fusing."""
    if len(points) < 2 or not all(math.isfinite(p.area_mm2) and p.area_mm2 for p in points):
        return ""
    alone = min(points, key=lambda p: p.merit(fused=False))
    together = min(points, key=lambda p: p.merit(fused=True))
    if alone is together:
        return f"best for EDP times area: {together.buffer} with and without fusing"
    wrong = alone.merit(fused=True) / together.merit(fused=True)
    return (
        f"best for EDP times area: {alone.buffer} layer by layer, {together.buffer} in groups; "
        f"the first is {wrong:.3f} times worse then"
    )


def fuse(
    network: Network, accelerator: SpatialAccelerator, edp: Objective, seconds: float
) -> FusedMapping:
    """Return the best groups, or the best found in time."""
    return FusedMapper(seconds=seconds).fuse(accelerator, network, edp, Budget(), 4)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*")
    parser.add_argument("-m", "--machine", action="append")
    parser.add_argument("--seconds", type=float, default=0.0)
    given = parser.parse_args()
    registry = load_registry()
    edp = registry.objective("edp")
    print("| network | machine | buffer | EDP gain | words fewer | groups | proof | s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for spec in NETWORKS:
        if given.networks and not any(name in spec for name in given.networks):
            continue
        network = resolve(spec, registry).priced(lambda e: "not priced" if e.operation else "")
        for name, sizes in BUFFERS.items():
            if given.machine and name not in given.machine:
                continue
            points = []
            for size in sizes:
                try:
                    made = build(name, size)
                    found = fuse(network, made, edp, given.seconds)
                except Infeasible as verdict_:
                    print(f"| {spec} | {name} | {size} | does not fit: {verdict_} |", flush=True)
                    continue
                points.append(Point(size, made.area_mm2 if name != "tpu" else math.nan, found))
                print(line(spec, name, points[-1]), flush=True)
            if told := verdict(points):
                print(f"| | {name} | | {told} |", flush=True)


if __name__ == "__main__":
    main()
