"""Devices as rooflines: a peak rate, a memory bandwidth and a power, whichever binds.

A layer takes as long as its multiply-accumulates at the peak rate, or its tensors once through the
memory, whichever is longer (Williams, Waterman, Patterson, *Roofline*, CACM 52(4), 2009). That is
a lower bound of any real run: caches, kernels and frameworks only add to it. Energy is the power
that the vendor states for the whole part, for that time.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import ClassVar, Final, cast

from attrs import frozen

from cosearch.machine.cost import Cost, LevelCost
from cosearch.quantities import added
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration, Rows
from cosearch.workload.einsum import Einsum
from cosearch_hardware.one_way import OneWayAccelerator, OneWayModel

CLOCK_MHZ: Final = 1000.0
"""A cycle here is a nanosecond."""


@frozen
class Device:
    """What a vendor states of a device.

    Attributes:
        gmacs: multiply-accumulates of 32-bit numbers, 10^9 a second, all cores.
        gbytes: memory bandwidth, 10^9 bytes a second.
        watts: of the part.
        source: where the three come from.
    """

    gmacs: float
    gbytes: float
    watts: float
    source: str


DEVICES: Final[Mapping[str, Device]] = {
    "raspberry-pi-4": Device(
        24.0, 12.8, 3.0,
        "4 Cortex-A72 at 1.5 GHz, 4 MACs of 32 bits a cycle each (Arm, Cortex-A72 software "
        "optimization guide); LPDDR4-3200, 32 bits; 600 mA at 5 V, typical of the bare board "
        "(Raspberry Pi documentation, power supplies)",
    ),
    "raspberry-pi-5": Device(
        76.8, 17.1, 4.0,
        "4 Cortex-A76 at 2.4 GHz, 8 MACs of 32 bits a cycle each (Arm, Cortex-A76 software "
        "optimization guide); LPDDR4X-4267, 32 bits; 800 mA at 5 V, typical of the bare board "
        "(Raspberry Pi documentation, power supplies)",
    ),
    "jetson-nano": Device(
        117.9, 25.6, 10.0,
        "NVIDIA Jetson Nano data sheet: 128 Maxwell cores at 921.6 MHz, LPDDR4 64 bits, 10 W mode",
    ),
    "rtx-3090": Device(
        17790.0, 936.2, 350.0,
        "NVIDIA GA102 white paper: 35.58 TFLOPS of 32 bits, 936.2 GB/s, 350 W",
    ),
    "a100": Device(
        9750.0, 1555.0, 400.0,
        "NVIDIA A100 40 GB white paper: 19.5 TFLOPS of 32 bits, 1,555 GB/s, 400 W",
    ),
}  # fmt: skip


class RooflineAccelerator(OneWayAccelerator):
    """One device; cycles are nanoseconds.

    Args:
        name: of the device.
        device: its figures.
        word_bits: of every number.
    """

    def __init__(self, name: str, device: Device, word_bits: int = 32) -> None:
        self.name, self.device, self.word_bits = name, device, word_bits
        self.area_mm2 = math.nan
        self.clock_mhz = CLOCK_MHZ
        self.sources: Mapping[str, str] = {"rates and power": device.source}
        self.sketch = (
            f"memory  {device.gbytes:g} GB/s",
            f"└── cores  {device.gmacs:g} GMAC/s, {device.watts:g} W",
        )

    @property
    def key(self) -> str:
        """A digest of the device's figures."""
        text = repr((self.device, self.word_bits))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def times(self, layer: Einsum) -> tuple[float, float]:
        """Return the nanoseconds that the cores alone and the memory alone would need."""
        words = added(layer.words(tensor) for tensor in layer.tensors)
        moved = words * self.word_bits / 8
        return layer.operations / self.device.gmacs, moved / self.device.gbytes

    def floor(self, layer: Einsum) -> tuple[float, float]:
        """Return energy (pJ) and nanoseconds of a layer."""
        cycles = float(math.ceil(max(self.times(layer))))
        return cycles * self.device.watts * 1e3, cycles

    def explain(self, layer: Einsum, row: Rows) -> Cost:  # noqa: ARG002 - there is one
        """Return the breakdown."""
        energy, cycles = self.floor(layer)
        cores, memory = self.times(layer)
        busy = min(cores / cycles, 1.0)
        return Cost(
            energy_pj=energy,
            cycles=cycles,
            macs=layer.macs,
            compute_pj=energy * busy,
            levels=(LevelCost("memory", math.ceil(memory), energy - energy * busy),),
            utilization=busy,
            bound_by="compute" if cores >= memory else "memory",
            loops=(f"{layer.operations} operations at the roofline",),
        )


class Roofline(OneWayModel):
    """A choice of devices, each as its roofline: what no run on it can beat.

    Args:
        device: that others are compared with.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (Parameter("device", tuple(DEVICES), doc="the baseline"),)
    )

    def __init__(self, device: str = "raspberry-pi-4") -> None:
        self._space = ParameterSpace(
            (Parameter("device", tuple(DEVICES), device, doc="whose figures"),)
        )

    @property
    def name(self) -> str:
        """As users write it."""
        return "roofline"

    def build(self, configuration: Configuration) -> RooflineAccelerator:
        """Return the device."""
        chosen = cast("str", self.check(configuration)["device"])
        return RooflineAccelerator(chosen, DEVICES[chosen])
