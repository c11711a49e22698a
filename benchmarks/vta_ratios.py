"""VTA's published ratios beside the model's own, on ResNet-18.

Published (Banerjee et al., arXiv 2111.15024, abstract): pipelining (core and ALU) brings 4.9x fewer
cycles on ResNet-18 with the default configuration; across the configurable space a further 11.5x at
12x area; a memory port of 8 to 64 bytes.

    python benchmarks/vta_ratios.py [--designs 300] [--seed 0] [--stack intel]

The best design is looked for by steps: from the default, and from random designs, to the fastest
neighbour within the area, one parameter up or down, until none is faster.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from attrs import define, field
from rich.console import Console
from rich.table import Table

from cosearch.errors import Infeasible
from cosearch.hooks.discovery import load_registry
from cosearch.machine.building import network_for
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.typing import Rows
from cosearch.workload.network import Network
from cosearch_hardware.vta.machine import VtaAccelerator
from cosearch_hardware.vta.model import Vta
from cosearch_hardware.vta.work import GemmWork
from cosearch_plugins.mappers.exhaustive import Exhaustive

LATENCY = next(o for o in OBJECTIVES if o.name == "latency")
PIPELINED, FASTER, LARGER = 4.9, 11.5, 12.0


def cycles(accelerator: VtaAccelerator, network: Network, *, core_only: bool = False) -> float:
    """Return the cycles of a network, every layer's schedule proven fastest."""
    rng = np.random.default_rng(0)
    return sum(
        layer.count * Exhaustive().map(accelerator, layer.einsum, LATENCY, Budget(), rng).cycles
        for layer in network.unique
        if not core_only or isinstance(accelerator.work(layer.einsum), GemmWork)
    )


@define
class Search:
    """Designs within an area, each priced once, until so many were."""

    model: Vta
    network: Network
    most_mm2: float
    left: int
    found: dict[tuple[int, ...], float] = field(factory=dict)

    def price(self, row: Rows) -> float:
        """Return a design's cycles; infinite where it cannot be built, run or afforded."""
        key = tuple(int(i) for i in row)
        if key not in self.found and self.left > 0:
            self.found[key] = self._price(row)
        return self.found.get(key, np.inf)

    def _price(self, row: Rows) -> float:
        configuration = {**self.model.space.decode(row), "gemm": "pipelined"}
        try:
            machine = self.model.build(configuration)
            if machine.area_mm2 > self.most_mm2:
                return np.inf
            self.left -= 1
            return cycles(machine, self.network)
        except Infeasible:
            return np.inf

    def climb(self, row: Rows) -> None:
        """Go to the fastest neighbour until none is faster."""
        here = self.price(row)
        while self.left > 0:
            near = list(self._neighbours(row))
            costs = [self.price(other) for other in near]
            if min(costs) >= here:
                return
            here, row = min(costs), near[int(np.argmin(costs))]

    def _neighbours(self, row: Rows) -> Iterator[Rows]:
        cards = self.model.space.cardinalities
        for i in range(len(row)):
            for step in (-1, 1):
                if 0 <= row[i] + step < cards[i]:
                    other = row.copy()
                    other[i] += step
                    yield other


def main() -> None:
    """Print both ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--designs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stack", choices=["intel", "apache"], default="intel")
    options = parser.parse_args()
    model = Vta(options.stack, "asic", area_limit_mm2=10_000.0)
    resnet18 = load_registry().find("workloads", "resnet18").make().network()
    network = network_for(model, resnet18)
    default = model.build({**model.baseline, "bus_bytes": 8})
    older = model.build({**model.baseline, "bus_bytes": 8, "gemm": "unpipelined"})
    base, slow = cycles(default, network), cycles(older, network)
    core = cycles(older, network, core_only=True) / cycles(default, network, core_only=True)
    search = Search(model, network, LARGER * default.area_mm2, options.designs)
    search.climb(model.space.index({**model.baseline, "bus_bytes": 8}))
    starts, _ = model.space.sample_feasible(options.designs, np.random.default_rng(options.seed))
    for start in starts:
        search.climb(start)
    row = min(search.found, key=lambda key: search.found[key])
    best = model.build({**model.space.decode(np.array(row)), "gemm": "pipelined"})
    table = Table("ResNet-18", "published", "modelled", box=None)
    table.add_row("cycles, unpipelined / pipelined", f"{PIPELINED}", f"{slow / base:.2f}")
    table.add_row("  layers of the core alone", "", f"{core:.2f}")
    table.add_row(
        f"cycles, default / best within {LARGER:g}x area",
        f"{FASTER}",
        f"{base / search.found[row]:.2f}",
    )
    table.add_row("its area / default", f"{LARGER:g}", f"{best.area_mm2 / default.area_mm2:.2f}")
    console = Console()
    console.print(table)
    console.print(f"default {base:,.0f} cycles; best of {len(search.found)}: {best.configuration}")


if __name__ == "__main__":
    main()
