"""What factors that do not divide a layer gain on an array of 12 x 14, and what proving it takes.

    python benchmarks/imperfect_factors.py                       # AlexNet and two matrix products
    python benchmarks/imperfect_factors.py --network resnet50 --scope spatial
    python benchmarks/imperfect_factors.py --hardware eyeriss    # with the chip's link to DRAM

EDP with perfect factors over EDP with imperfect ones: rounded up and paid for, and with partial
last tiles; `left` is how far below the latter any others of the scope can be. Seconds are CPU time
of one core, the first call (which compiles) left out.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from exact_mapper import eyeriss_like

from cosearch.hooks.discovery import load_registry
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.mapping.mapper import Budget, Mapped
from cosearch.registry.registry import Registry
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import Einsum, conv, gemm
from cosearch.workload.text import run_as
from cosearch_plugins.mappers.exact.mapper import ExactMapper

LIKE = "eyeriss-like"
"""The machine of `exact_mapper.py`: 12 x 14, no limit to DRAM."""


def machine_of(name: str, registry: Registry) -> SpatialAccelerator:
    """Return a machine: a hardware model's baseline, or the one of the other benchmark."""
    if name == LIKE:
        return SpatialAccelerator(eyeriss_like())
    model = registry.find("hardware_models", name).make()
    return model.build(model.baseline)


def mapped(machine: SpatialAccelerator, layer: Einsum, scope: str) -> tuple[Mapped, float]:
    """Return the best mapping for EDP and the CPU seconds it took."""
    mapper = ExactMapper(imperfect=scope)
    started = time.process_time()
    found = mapper.map(machine, layer, OBJECTIVES[0], Budget(), np.random.default_rng(0))
    return found, time.process_time() - started


def edp(found: Mapped) -> float:
    """Return energy times cycles."""
    return found.energy_pj * found.cycles


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hardware", default=LIKE, help="a hardware model with options")
    parser.add_argument("--network", default="alexnet")
    parser.add_argument("--scope", choices=["spatial", "all"], action="append")
    given = parser.parse_args()
    scopes = given.scope or ["spatial", "all"]
    registry = load_registry(third_party=False)
    machine = machine_of(given.hardware, registry)
    network = registry.find("workloads", given.network).make().network()
    products = [gemm(f"{n}^3", M=n, N=n, K=n) for n in (512, 509)]
    layers = [*products, *dict.fromkeys(x.einsum for x in network.products)]
    for scope in ("none", *scopes):
        mapped(machine, gemm(M=15, N=9, K=5), scope)
        mapped(machine, conv(K=5, C=9, P=5, Q=1, R=3), scope)
    print(f"{'layer':20} {'scope':8} {'gain':>6} {'partial':>8} {'left':>7} {'CPU s':>7} proven")
    spent: dict[str, list[float]] = {scope: [] for scope in scopes}
    for layer in layers:
        perfect, seconds = mapped(machine, layer, "none")
        print(f"{layer.name:20} {'none':8} {1:6.3f} {'':8} {'':7} {seconds:7.3f} {perfect.proven}")
        for scope in scopes:
            found, seconds = mapped(machine, layer, scope)
            spent[scope].append(seconds)
            partial, left = "", ""
            if found.partial is not None:
                gain = edp(perfect) / (found.partial.energy_pj * found.partial.cycles)
                partial = f"{gain:.3f}"
                left = "" if found.partial.gap is None else f"{100 * found.partial.gap:.1f} %"
            about = "" if found.sizes is None else run_as(layer, found.sizes)
            print(
                f"{'':20} {scope:8} {edp(perfect) / edp(found):6.3f} {partial:>8} {left:>7} "
                f"{seconds:7.3f} {found.proven} {about}",
                flush=True,
            )
    for scope, times in spent.items():
        print(
            f"{scope}: median {statistics.median(times):.2f} s, worst {max(times):.2f} s, "
            f"{sum(times):.1f} s in all, {len(times)} layers"
        )


if __name__ == "__main__":
    main()
