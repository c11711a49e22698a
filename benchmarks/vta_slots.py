"""What a memory port in slots costs on VTA: the table of docs/hardware/vta.md.

    python benchmarks/vta_slots.py

Least cycles of ResNet-18's products on the baseline, every layer mapped for its least time, over
those of a port on demand.
"""

from __future__ import annotations

import numpy as np

from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget
from cosearch.quantities import added
from cosearch_hardware.vta.model import Vta
from cosearch_plugins.mappers.exhaustive import Exhaustive

TABLES, CYCLES = ("LCS", "LLCS", "LLLCS"), (8, 64, 512)


def main() -> None:
    """Print the table."""
    registry = load_registry(third_party=False)
    network = registry.find("workloads", "resnet18").make().network()
    latency = registry.objective("latency")

    def cycles(model: Vta) -> float:
        machine, mapper = model.build({}), Exhaustive()
        rng = np.random.default_rng(0)
        return added(
            mapper.map(machine, layer.einsum, latency, Budget(), rng).cycles * layer.count
            for layer in network.unique
            if not layer.einsum.operation
        )

    on_demand = cycles(Vta())
    print(f"on demand: {on_demand:,.0f} cycles")
    for table in TABLES:
        shares = [cycles(Vta(slots=table, slot_cycles=n)) / on_demand for n in CYCLES]
        print(table, *(f"{n}: {share:.3f}" for n, share in zip(CYCLES, shares, strict=True)))


if __name__ == "__main__":
    main()
