"""What fusing layers gains, and how long the proof takes.

    python benchmarks/fusion.py              # all
    python benchmarks/fusion.py bert llama   # networks with these in their names

Two machines of round numbers, which stand for no chip: energies a word of 1 (multiply-accumulate
and register), 6 (buffer) and 200 (DRAM), in the proportions of the technology `eyeriss-relative`.
`edge` has 16x16 units with 64 words each and 16 words a cycle from DRAM, `tpu` 128x128 with 3 words
and 256. EDP gains are over the best mapping layer by layer, proven as well. Times are CPU seconds
of this process, its compiled code loaded before.
"""

from __future__ import annotations

import sys
import time

from cosearch.hooks.discovery import Registry, load_registry
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.mapping.fused import FusedRun
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import Objective
from cosearch.workload.network import Network
from cosearch.workload.source import resolve
from cosearch_plugins.mappers.fused.mapper import FusedMapper
from cosearch_plugins.workloads.attention import block, tokens
from cosearch_plugins.workloads.builder import NetworkBuilder
from cosearch_plugins.workloads.transformers import HEADS, INNER, WIDTH

KILO = 1024

MACHINES = {"edge": (16, 64, 16.0), "tpu": (128, 3, 256.0)}
"""Side of the array, words in each unit, words a cycle from DRAM."""

BLOCK = "bert-block:sequence=512"
"""One of BERT-base's twelve equal blocks, by itself."""

CASES: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    (BLOCK, "edge", (128,)),
    ("bert-base:sequence=512", "edge", (32, 128, 512)),
    ("bert-base:sequence=512", "tpu", (1024, 4096)),
    ("llama", "tpu", (1024, 4096)),
    ("llama:phase=decode", "tpu", (1024, 4096)),
    ("resnet18", "edge", (32, 128, 512)),
    ("resnet50", "edge", (32, 128, 512)),
    ("mobilenetv2", "edge", (32, 128, 512)),
    ("vit-b16", "edge", (32, 128, 512)),
    ("gpt2", "edge", (128, 512)),
)
"""Network, machine, and buffers in thousands (1024) of words."""


def machine(name: str, kilowords: int) -> SpatialAccelerator:
    """Return one of the two machines with a buffer."""
    side, words, bandwidth = MACHINES[name]
    return SpatialAccelerator(
        Architecture(
            f"{name} {kilowords} K words",
            (
                Memory("registers", words, AccessEnergy.uniform(1.0), mesh_x=side, mesh_y=side),
                Memory("buffer", kilowords * KILO, AccessEnergy.uniform(6.0)),
                Memory(
                    "dram",
                    None,
                    AccessEnergy.uniform(200.0),
                    is_dram=True,
                    shared_bandwidth=bandwidth,
                ),
            ),
            Compute(1.0, side, side),
        )
    )


def main(wanted: list[str]) -> None:
    """Fuse the networks named, or all, and print a line each."""
    registry = load_registry()
    edp = registry.objective("edp")
    line(BLOCK, named(BLOCK, registry), machine("edge", 32), edp)  # loads what is compiled
    print(
        f"{'network':24} {'machine':18} {'EDP gain':>8} {'cycles':>6} {'words':>6} {'gap':>8} "
        f"{'solves':>6} {'CPU s':>7}  groups"
    )
    for spec, where, buffers in CASES:
        if not wanted or any(name in spec for name in wanted):
            network = named(spec, registry)
            for kilowords in buffers:
                print(line(spec, network, machine(where, kilowords), edp), flush=True)


def named(spec: str, registry: Registry) -> Network:
    """Return the layers that multiply of a network of the library, or of the block."""
    if spec != BLOCK:
        return _priced(resolve(spec, registry))
    net = NetworkBuilder(spec, 1, "as in bert-base")
    block(net, "layer0", net.given(tokens(512, WIDTH)), heads=HEADS, inner=INNER)
    return _priced(net.network())


def _priced(network: Network) -> Network:
    return network.priced(lambda e: "not priced" if e.operation else "")


def line(spec: str, network: Network, accelerator: SpatialAccelerator, edp: Objective) -> str:
    """Return what fusing one network on one machine gains."""
    begun = time.process_time()
    found = FusedMapper(nodes=0).fuse(accelerator, network, edp, Budget(), 4)
    spent = time.process_time() - begun
    groups = [in_short(run) for run in found.runs if run.fused]
    words = found.unfused_words / found.outermost_words
    return (
        f"{spec:24} {accelerator.name:18} {found.unfused_value / found.value:8.3f} "
        f"{found.unfused[1] / found.cycles:6.3f} {words:6.2f} "
        f"{found.gap:8.1e} {found.solves:6} {spent:7.1f}  {'; '.join(groups) or 'none'}"
    )


def in_short(run: FusedRun) -> str:
    """Return how many groups of how many layers under which loops: `12 x 2 (4 P)`."""
    loops = ", ".join(f"{loop.bound} {loop.dims[0]}" for loop in run.group.prefix)
    return f"{run.count} x {len(run.layers)} ({loops})"


if __name__ == "__main__":
    main(sys.argv[1:])
