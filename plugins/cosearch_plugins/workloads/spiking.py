"""Fully connected spiking networks: one product a layer, its rows the time steps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

from attrs import evolve

from cosearch.errors import InputError
from cosearch.quantities import added
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.workload.einsum import Einsum, gemm
from cosearch.workload.network import Layer, Network, Workload
from cosearch_plugins.workloads.options import BATCH

T = TypeVar("T", int, float)
UNKNOWN = "unknown"
SIZES = {"spiker": "784-400", "spiker-plus": "784-128-10"}
SOURCE = (
    "784-400: arXiv 2201.06993 (abstract: 400 neurons; MNIST has 784 pixels); 784-128-10: "
    "network.vhd in the tests of smilies-polito/Spiker, commit 04759506"
)


class SpikingMlp(Workload):
    """Layers of spiking neurons, each with all spikes of the layer before as inputs.

    Args:
        batch: samples, one after the other.
        sizes: inputs and neurons of each layer, as `784-128-10`; or `spiker` or `spiker-plus`.
        steps: time steps of a run. The test bench of Spiker has 30, that of Spiker+ 100.
        density: share of lines that spike in a step: of the inputs, and of each layer's outputs, as
            `0.1/0.02`; one number stands for all. It is data of a trained network: unknown unless
            you state it, and a machine then takes every step to bring spikes.
    """

    options = ParameterSpace(
        (
            BATCH,
            Parameter("sizes", (*SIZES, "784-100-10"), doc="of the layers", free=True),
            Parameter("steps", (1, 2**20), 30, doc="time steps of a run", free=True),
            Parameter("density", (UNKNOWN, "0.1", "0.1/0.02"), doc="of spikes", free=True),
        )
    )

    def __init__(
        self, batch: int = 1, sizes: str = "spiker", steps: int = 30, density: str = UNKNOWN
    ) -> None:
        self.sizes = _numbers(SIZES.get(sizes, sizes), "sizes", "-", int)
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise InputError(f"sizes={sizes}", ["needs inputs and neurons, as 784-400"])
        known = None if density == UNKNOWN else _numbers(density, "density", "/", float)
        self.density = _spread(known, len(self.sizes), density)
        self.steps, self.rows = steps, steps * batch

    def network(self) -> Network:
        """Return the network; inputs and outputs are spikes of one bit."""
        shapes = tuple(zip(pairwise(self.sizes), pairwise(self.density), strict=True))
        layers = tuple(
            Layer(_layer(f"layer{i}", (self.rows, n, k), before, after))
            for i, ((k, n), (before, after)) in enumerate(shapes)
        )
        weights = added(k * n for k, n in pairwise(self.sizes))
        name = f"spiking-mlp {'-'.join(map(str, self.sizes))}, {self.steps} steps"
        return Network(name, layers, source=SOURCE, parameters=weights)


def _layer(
    name: str, sizes: tuple[int, int, int], before: float | None, after: float | None
) -> Einsum:
    steps, neurons, inputs = sizes
    einsum = gemm(name, M=steps, N=neurons, K=inputs).with_bits({"Inputs": 1, "Outputs": 1})
    shares = {"Inputs": before, "Outputs": after}
    tensors = tuple(evolve(t, density=shares.get(t.role)) for t in einsum.tensors)
    return evolve(einsum, tensors=tensors)


def _numbers(text: str, name: str, between: str, kind: Callable[[str], T]) -> tuple[T, ...]:
    try:
        return tuple(kind(part) for part in text.split(between))
    except ValueError:
        raise InputError(f"{name}={text}", [f"is no number, nor several with {between}"]) from None


def _spread(known: tuple[float, ...] | None, tensors: int, text: str) -> tuple[float | None, ...]:
    if known is None:
        return (None,) * tensors
    if len(known) not in (1, tensors) or not all(0 <= share <= 1 for share in known):
        raise InputError(
            f"density={text}",
            [f"is neither one share from 0 to 1 nor {tensors}, of inputs and layers"],
        )
    return known * tensors if len(known) == 1 else known
