"""Mixed precision held to HAQ's published table, exact optima, and what searches of bits reach.

    python benchmarks/haq.py [--table FILE --policy FILE] [--designs 300] [--seeds 3]

The table is HAQ's of MobileNetV2 (mit-han-lab/haq,
`qmobilenetv2_imagenet100_batch16_latency_table.npy`, as lines of layer, w_bits, a_bits, latency),
the policy its published one (columns policy_w and policy_a, empty for what is not quantised). With
them: what the policy and uniform bits cost, and how near searches come to the least rounding noise
within 0.6 of the cost at 8 bits. Without: each of three machines with the policy that is best for
it and with those of the others, as HAQ's table of specialised policies has it.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.network import Layer
from cosearch_plugins.mappers.exact.mapper import ExactMapper
from cosearch_plugins.precision.costs import priced_by
from cosearch_plugins.precision.knapsack import cheapest
from cosearch_plugins.precision.wall import cost_of
from cosearch_plugins.workloads.mixed_precision import MixedPrecision, noise_of

WALL = 0.6
STRATEGIES = ("random", "evolutionary", "ppo", "reinforce")
MACHINES = (
    ("bit-serial", {"rows": 16, "columns": 16, "lanes": 16, "dram_bits": 16}),
    ("bit-serial", {"rows": 2, "columns": 2, "lanes": 64, "dram_bits": 256}),
    ("bit-fusion", {}),
)
WIDTHS = (2, 4, 8)
NOISE = 6_000
LATENCY = next(o for o in OBJECTIVES if o.name == "latency")


def main() -> None:
    """Print the checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", default="")
    parser.add_argument("--policy", default="")
    parser.add_argument("--designs", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    registry = load_registry()
    if asked.table:
        spec = f"mixed-precision:wall={WALL},table={asked.table}"
        space = registry.find("network_spaces", spec).make()
        published(space, asked.policy)
        raced(registry, space, asked.designs, range(asked.seeds))
        return
    specialised(registry)


def published(space: MixedPrecision, policy: str) -> None:
    """Print what the published policy and uniform bits cost, over 8 bits everywhere."""
    layers = len(space.layers)
    full = cost_of(space.costs, np.full((layers, 2), 8))
    print(f"8 bits everywhere: {full:,.0f}")
    with Path(policy).open(encoding="utf-8") as file:
        rows = [(int(r["policy_w"] or 8), int(r["policy_a"] or 8)) for r in csv.DictReader(file)]
    print(f"published policy: {cost_of(space.costs, np.array(rows)) / full:.4f}")
    for bits in range(7, 1, -1):
        uniform = np.full((layers, 2), bits)
        plain = cost_of(space.costs, uniform) / full
        uniform[[0, -1]] = 8
        print(f"{bits} bits: {cost_of(space.costs, uniform) / full:.4f} ({plain:.4f} plain)")


def raced(registry, space: MixedPrecision, designs: int, seeds: range) -> None:  # noqa: ANN001
    """Print the least noise within the wall, exactly, and what strategies reach."""
    least = least_noise(space)
    print(f"least noise within {WALL} of the cost: {least:,}")
    for name in STRATEGIES:
        found = [best_of(registry, space, name, designs, seed) for seed in seeds]
        shares = ", ".join(f"{100 * (noise / least - 1):.0f}" for noise in found)
        print(f"{name}: {designs} designs, noise above the least, %: {shares}")


def least_noise(space: MixedPrecision) -> int:
    """Return the least noise of any policy within the wall, by bisection over knapsacks."""
    bits = np.arange(space.least, 9)
    costs = space.costs[:, space.least :, space.least :].reshape(len(space.layers), -1).copy()
    costs[[0, -1], :-1] = np.inf
    each = np.tile(np.add.outer(noise_of(bits), noise_of(bits)).ravel(), (len(costs), 1))
    budget = WALL * cost_of(space.costs, np.full((len(costs), 2), 8))
    low, high = int(each.min(axis=1).sum()) - 1, int(each.max(axis=1).sum())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if cheapest(costs, each, middle)[0] <= budget else (middle, high)
    return high


def best_of(registry, space: MixedPrecision, name: str, designs: int, seed: int) -> float:  # noqa: ANN001
    """Return the least noise that a strategy meets; the wall repairs what it proposes."""
    strategy = registry.find("strategies", name).make(space.space, np.random.default_rng(seed))
    best, done = np.inf, 0
    while done < designs:
        rows = strategy.ask(4)
        noise = space.score("noise", rows)
        strategy.tell(rows, noise[:, None], np.ones(len(rows), dtype=bool))
        best, done = min(best, float(noise.min())), done + len(rows)
    return best


def specialised(registry) -> None:  # noqa: ANN001
    """Print the cycles of each machine's best policy on every machine."""
    layers = MixedPrecision().layers
    each = noise_of(np.array(WIDTHS))
    noise = np.tile(np.add.outer(each, each).ravel(), (len(layers), 1))
    tables = [costs_on(registry, name, sizes, layers) for name, sizes in MACHINES]
    policies = [cheapest(table, noise, NOISE)[1] for table in tables]
    at = np.arange(len(layers))
    cycles = np.array([[table[at, policy].sum() for table in tables] for policy in policies])
    print(f"megacycles; policies of least cycles with a noise of at most {NOISE:,}")
    for i, row in enumerate(cycles):
        print(f"policy of machine {i + 1}: " + "  ".join(f"{v / 1e6:10.3f}" for v in row))
    own = (cycles.min(axis=0) == cycles.diagonal()).all()
    print(f"each machine is best served by its own policy: {own}")


def costs_on(registry, name: str, sizes: dict[str, int], layers: tuple[Layer, ...]):  # noqa: ANN001, ANN201
    """Return the cycles of each layer, float64[l, 9], by the pairs of widths."""
    machine, mapper = registry.find("hardware_models", name).make().build(sizes), ExactMapper()

    def cycles(einsum):  # noqa: ANN001, ANN202
        rng = np.random.default_rng(0)
        return mapper.map(machine, einsum, LATENCY, Budget(seconds=5.0), rng).cycles

    table = priced_by(layers, 8, cycles, WIDTHS)
    return table[:, WIDTHS][:, :, WIDTHS].reshape(len(layers), -1)


if __name__ == "__main__":
    main()
