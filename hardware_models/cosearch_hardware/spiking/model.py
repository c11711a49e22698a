"""Clock-driven spiking networks on an Artix-7, after Spiker (arXiv 2201.06993)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar, Final, cast

from attrs import evolve

from cosearch.errors import Infeasible, InputError
from cosearch.machine.cost import Cost, LevelCost
from cosearch.machine.hardware import NO_ELEMENTWISE
from cosearch.quantities import added
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration, Rows
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer, Network
from cosearch_hardware.one_way import OneWayAccelerator, OneWayModel
from cosearch_hardware.spiking.fabric import DEVICES, Circuit, block_rams, luts
from cosearch_hardware.spiking.places import place, placed_among, stage_of
from cosearch_hardware.spiking.steps import Stage, cycles_of, share_of

SPIKER_PLUS: Final = (Stage(784, 128), Stage(128, 10))
"""The network of Spiker+ for MNIST: 100 steps, weights of 4 and neurons of 6 bits (network.vhd of
its tests, smilies-polito/Spiker, commit 04759506)."""
SPIKER_PLUS_PJ: Final = 180e9 * 780e-6
"""Of an image: 180 mW for 780 us (abstract of arXiv 2401.01141)."""


@lru_cache
def pj_a_lut_and_cycle() -> float:
    """Return the energy with which Spiker+'s network takes what its abstract says."""
    circuit = Circuit(4, 6, "block", inhibition=False)
    cycles = cycles_of(SPIKER_PLUS, 100, inhibition=False)
    return SPIKER_PLUS_PJ / (cycles * added(luts(stage, circuit) for stage in SPIKER_PLUS))


class SpikingAccelerator(OneWayAccelerator):
    """Neurons and weights of every layer on one device.

    Args:
        device: one of `DEVICES`.
        circuit: how neurons are built.
        mhz: clock.
    """

    def __init__(self, device: str, circuit: Circuit, mhz: float) -> None:
        self.device, self.circuit, self.clock_mhz = device, circuit, mhz
        self.name = f"{device}, neurons of {circuit.neuron_bits} and weights of "
        self.name += f"{circuit.weight_bits} bits"
        self.area_mm2 = math.nan
        has = DEVICES[device]
        self.sources: Mapping[str, str] = {
            "device": "AMD, DS180 (Artix-7); UG474 (LUTs), UG953 (shapes of block RAMs)",
            "cycles and circuit": "state machines and data path of smilies-polito/Spiker",
            "energy": "180 mW and 780 us of Spiker+ (abstract of arXiv 2401.01141), by LUTs",
        }
        self.sketch = (
            f"{device}  {has.luts:,} LUTs, {has.block_rams} block RAMs",
            f"└── layer  weights of {circuit.weight_bits} bits, {circuit.memory}; an input a cycle",
            f"    └── neuron  {circuit.neuron_bits} bits, all of a layer at once",
        )

    @property
    def key(self) -> str:
        """A digest of the device, the circuit and the clock."""
        text = repr((self.device, self.circuit, self.clock_mhz))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def taken(self, layer: Einsum) -> dict[str, int]:
        """Return the LUTs and the block RAMs of all layers of the network that a layer is in."""
        _, stages = placed_among(layer)
        return {
            "LUTs": added(luts(stage, self.circuit) for stage in stages),
            "block RAMs": added(block_rams(stage, self.circuit) for stage in stages),
        }

    def mapspace(self, layer: Einsum) -> ParameterSpace:
        """Return the one mapping; raises Infeasible where the network does not fit the device."""
        stage_of(layer)
        has = {"LUTs": DEVICES[self.device].luts, "block RAMs": DEVICES[self.device].block_rams}
        taken = self.taken(layer)
        over = {part: n / has[part] for part, n in taken.items() if n > has[part]}
        if over:
            told = ", ".join(f"{taken[part]:,} {part} of {has[part]:,}" for part in over)
            raise Infeasible(
                f"the network's layers need {told}",
                over,
                "a larger device, fewer bits, or weights in the other kind of memory",
            )
        return super().mapspace(layer)

    def _cycles(self, layer: Einsum) -> int:
        """Return the cycles of the network that a layer is in."""
        steps, (_, stages) = stage_of(layer)[1], placed_among(layer)
        return cycles_of(stages, steps, inhibition=self.circuit.inhibition)

    def floor(self, layer: Einsum) -> tuple[float, float]:
        """Return energy (pJ) and cycles of a layer.

        All layers are busy in every step: cycles are the layer's share of the network's, by the
        lengths of their scans, and energy is that of its LUTs for the whole run.
        """
        whole, (index, stages) = self._cycles(layer), placed_among(layer)
        energy = whole * luts(stage_of(layer)[0], self.circuit) * pj_a_lut_and_cycle()
        return energy, float(share_of(whole, [stage.inputs for stage in stages], index))

    def explain(self, layer: Einsum, row: Rows) -> Cost:  # noqa: ARG002 - there is one
        """Return the breakdown: the shares are those of the whole network on the device."""
        energy, cycles = self.floor(layer)
        whole, (stage, steps) = self._cycles(layer), stage_of(layer)
        taken, has = self.taken(layer), DEVICES[self.device]
        shares = {"LUTs": taken["LUTs"] / has.luts}
        shares["block RAMs"] = taken["block RAMs"] / has.block_rams
        return Cost(
            energy_pj=energy,
            cycles=cycles,
            macs=layer.macs,
            compute_pj=energy,
            levels=tuple(LevelCost(part, 0.0, 0.0, utilization=shares[part]) for part in taken),
            utilization=layer.macs / (whole * stage.neurons),
            bound_by="compute",
            loops=(
                ", ".join(f"{n:,} {part} ({shares[part]:.0%})" for part, n in taken.items())
                + f" of the {self.device} for all layers",
                f"for step in 0..{steps}: where an input spikes ({100 * stage.stirred:.3g} %)",
                f"  for input in 0..{stage.inputs}: {stage.neurons} neurons add its weight",
            ),
        )


class Spiking(OneWayModel):
    """An FPGA that runs fully connected spiking layers, all neurons at once, one input a cycle.

    Args:
        inhibition: whether the neurons of a layer hinder each other: own spikes are scanned too.
        mhz: clock; 780 us of 100 steps of 784 inputs are 10 ns a cycle (Spiker+).
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("inhibition", (False, True), doc="neurons of a layer hinder each other"),
            Parameter("mhz", (1.0, 1000.0), 100.0, "MHz", "clock", free=True),
        )
    )

    def __init__(self, *, inhibition: bool = False, mhz: float = 100.0) -> None:
        self._inhibition, self._mhz = inhibition, mhz
        self._space = ParameterSpace(
            (
                Parameter("device", tuple(DEVICES), "xc7a100t", doc="of the Artix-7 family"),
                Parameter("weight_bits", (1, 2, 3, 4, 5, 6, 8), 5, "bits", "of a weight"),
                Parameter("neuron_bits", (6, 8, 10, 12, 16), 16, "bits", "of a potential"),
                Parameter("memory", ("block", "lut"), "block", doc="where weights are"),
            )
        )
        self._placed = lru_cache(maxsize=256)(_placed)

    @property
    def name(self) -> str:
        """As users write it."""
        return "spiking"

    def left_out(self, layer: Einsum) -> str:
        """Return why element-wise work costs nothing here."""
        return NO_ELEMENTWISE if layer.operation else ""

    def placed(self, network: Network, configuration: Configuration) -> Network:  # noqa: ARG002
        """Return the network with each layer told which others stand beside it."""
        return self._placed(network)

    def build(self, configuration: Configuration) -> SpikingAccelerator:
        """Return the device with its neurons."""
        values = self.check(configuration)
        weight, neuron = cast("int", values["weight_bits"]), cast("int", values["neuron_bits"])
        circuit = Circuit(weight, neuron, cast("str", values["memory"]), self._inhibition)
        return SpikingAccelerator(cast("str", values["device"]), circuit, self._mhz)


def _placed(network: Network) -> Network:
    runs = [layer.einsum for layer in network.layers for _ in range(layer.count)]
    try:
        found = [stage_of(einsum) for einsum in runs]
    except Infeasible as refused:
        raise InputError(
            network.name, [refused.reason], "spiking layers are, for example, those of spiking-mlp"
        ) from None
    steps = {n for _, n in found}
    if len(steps) > 1:
        told = " and ".join(str(n) for n in sorted(steps))
        raise InputError(
            network.name, [f"its layers run for {told} time steps: one clock drives all"]
        )
    stages = [stage for stage, _ in found]
    layers = [Layer(evolve(einsum, place=place(i, stages))) for i, einsum in enumerate(runs)]
    return evolve(network, layers=tuple(layers), links=())
