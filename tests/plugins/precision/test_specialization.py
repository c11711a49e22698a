"""Each machine is best served by its own policy, and policies differ (HAQ's specialization)."""

import numpy as np

from cosearch.mapping.mapper import Budget
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import conv
from cosearch.workload.network import Layer
from cosearch_hardware.bit_serial import BitSerial
from cosearch_plugins.mappers.exact.mapper import ExactMapper
from cosearch_plugins.precision.costs import priced_by
from cosearch_plugins.precision.knapsack import cheapest
from cosearch_plugins.workloads.mixed_precision import noise_of

LATENCY = next(o for o in OBJECTIVES if o.name == "latency")
WIDTHS = (2, 8)
MACHINES = (  # the first waits for its few units, the second for DRAM
    {"rows": 2, "columns": 2, "lanes": 16, "dram_bits": 256},
    {"rows": 16, "columns": 16, "lanes": 16, "dram_bits": 16},
)
LAYERS = (
    Layer(conv("depthwise", G=16, K=1, C=1, P=8, Q=8, R=3, S=3)),
    Layer(conv("expand", K=96, C=16, P=8, Q=8)),
    Layer(conv("fc", K=128, C=256, P=1, Q=1)),
)


def costs_on(machine):
    """Return the cycles of each layer, float64[l, 9], by the pairs of widths."""
    accelerator, mapper = BitSerial().build(machine), ExactMapper()

    def cycles(einsum):
        rng = np.random.default_rng(0)
        return mapper.map(accelerator, einsum, LATENCY, Budget(), rng).cycles

    table = priced_by(LAYERS, 8, cycles, WIDTHS)
    return table[:, WIDTHS][:, :, WIDTHS].reshape(len(LAYERS), -1)


def test_the_smallest_of_every_column_is_on_the_diagonal():
    each = noise_of(np.array(WIDTHS))
    noise = np.tile(np.add.outer(each, each).ravel(), (len(LAYERS), 1))
    tables = [costs_on(machine) for machine in MACHINES]
    policies = [cheapest(table, noise, 5000)[1] for table in tables]
    layers = np.arange(len(LAYERS))
    latency = np.array([[t[layers, policy].sum() for t in tables] for policy in policies])
    assert (latency.min(axis=0) == latency.diagonal()).all()
    assert len({tuple(policy) for policy in policies}) == len(MACHINES)
    assert (latency > latency.diagonal()[None, :]).sum() == len(MACHINES)
