"""A network split between two devices: the first layers here, a tensor over a link, the rest there.

The problem of SAC-d (arXiv 2201.02968) and IoVT (arXiv 2411.00838), of both of which the abstracts
are known here; devices are rooflines (`cosearch_hardware.roofline`), the link is a rate and an
energy a bit. A design chooses both devices, the cut and the bits of what is sent, so that a small
space is searched exactly by going through it. What fewer bits do to accuracy is not modelled.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar, cast

from attrs import evolve, frozen

from cosearch.errors import InputError
from cosearch.machine.cost import Cost, LevelCost
from cosearch.quantities import added
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration, Rows
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer, Network
from cosearch_hardware.one_way import OneWayAccelerator, OneWayModel, moving
from cosearch_hardware.roofline import CLOCK_MHZ, DEVICES, RooflineAccelerator

DEVICE, SERVER, LINK, SEND = "device", "server", "link", "send"


@frozen
class Radio:
    """A link between two devices.

    Attributes:
        mbps: rates of the channel, 10^6 bits a second, each as likely as the others.
        latency_ms: of a message.
        pj_per_bit: that the sender's radio spends, beside the device's power meanwhile.
        bits: of a number that is sent.
    """

    mbps: tuple[float, ...]
    latency_ms: float
    pj_per_bit: float
    bits: int

    def nanoseconds(self, words: int) -> float:
        """Return the time of so many numbers, in the mean over the channel's rates."""
        bits = words * self.bits
        return self.latency_ms * 1e6 + added(bits / r * 1e3 for r in self.mbps) / len(self.mbps)


class SplitAccelerator(OneWayAccelerator):
    """Two devices and a link; cycles are nanoseconds. A layer's place says who runs it.

    Args:
        device: where the data are.
        server: at the other end.
        radio: between them.
        counted: whose energy counts: `both`, or that of the `device` and its radio.
    """

    def __init__(
        self, device: RooflineAccelerator, server: RooflineAccelerator, radio: Radio, counted: str
    ) -> None:
        self.parts = {DEVICE: device, SERVER: server}
        self.radio, self.counted = radio, counted
        self.name = f"{device.name} and {server.name} at {_rates(radio.mbps)} Mbit/s"
        self.area_mm2 = math.nan
        self.clock_mhz = CLOCK_MHZ
        self.sources: Mapping[str, str] = {
            DEVICE: device.device.source,
            SERVER: server.device.source,
            LINK: "rate, latency and energy are as the user states them",
        }
        self.sketch = (
            f"device  {device.name}",
            f"└── link  {_rates(radio.mbps)} Mbit/s, {radio.bits} bits a number",
            f"    └── server  {server.name}",
        )

    @property
    def key(self) -> str:
        """A digest of both devices and the link."""
        text = repr((*(part.key for part in self.parts.values()), self.radio, self.counted))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def floor(self, layer: Einsum) -> tuple[float, float]:
        """Return energy (pJ) and nanoseconds of a layer at its place; the device's without one."""
        if layer.place == LINK:
            words = layer.words(layer.output)
            time = float(math.ceil(self.radio.nanoseconds(words)))
            on = time * self.parts[DEVICE].device.watts * 1e3
            return on + words * self.radio.bits * self.radio.pj_per_bit, time
        energy, time = self.parts[layer.place or DEVICE].floor(layer)
        free = layer.place == SERVER and self.counted == DEVICE
        return 0.0 if free else energy, time

    def explain(self, layer: Einsum, row: Rows) -> Cost:
        """Return the breakdown of a layer at its place."""
        energy, cycles = self.floor(layer)
        if layer.place == LINK:
            link = LevelCost(LINK, cycles, energy)
            sent = (f"send {layer.words(layer.output)} numbers of {self.radio.bits} bits",)
            return Cost(energy, cycles, 0, 0.0, (link,), 0.0, LINK, sent)
        place = layer.place or DEVICE
        cost = self.parts[place].explain(layer, row)
        scale = energy / cost.energy_pj
        memory = evolve(cost.levels[0], name=f"{place}'s memory", energy_pj=0.0)
        core = cost.compute_pj * scale
        return evolve(
            cost,
            energy_pj=energy,
            compute_pj=core,
            levels=(evolve(memory, energy_pj=energy - core),),
            loops=(f"on the {place}: {cost.loops[0]}",),
        )


class Split(OneWayModel):
    """Two devices and a link that share a chain of layers.

    Args:
        mbps: rate of the link in Mbit/s; several, as `5/20/80`, for a channel that fades between
            them: the time is the mean of theirs.
        latency_ms: of a message.
        pj_per_bit: energy of the radio, beside the device's power while it sends.
        least_bits: fewest bits of a number that is sent; fewer than 32 change what is computed.
        cuts: cut points: after every so many equal parts of the layers.
        counted: whose energy counts, `both` devices' or the `device`'s with its radio.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("mbps", ("20", "5/20/80"), unit="Mbit/s", doc="of the link", free=True),
            Parameter("latency_ms", (0.0, 1e4), 0.0, "ms", "of a message", free=True),
            Parameter("pj_per_bit", (0.0, 1e9), 0.0, "pJ", "of sending a bit", free=True),
            Parameter("least_bits", (32, 16, 8, 4), 32, "bits", "of a number that is sent"),
            Parameter("cuts", (1, 1000), 20, "", "points at which to cut", free=True),
            Parameter("counted", ("both", DEVICE), doc="whose energy counts"),
        )
    )

    def __init__(
        self,
        mbps: str = "20",
        latency_ms: float = 0.0,
        pj_per_bit: float = 0.0,
        least_bits: int = 32,
        cuts: int = 20,
        counted: str = "both",
    ) -> None:
        self._mbps, self._latency_ms, self._pj_per_bit = _parsed(mbps), latency_ms, pj_per_bit
        self._cuts, self._counted = cuts, counted
        bits = tuple(b for b in (32, 16, 8, 4) if b >= least_bits)
        self._space = ParameterSpace(
            (
                Parameter("device", tuple(DEVICES), "raspberry-pi-4", doc="where the data are"),
                Parameter("server", tuple(DEVICES), "rtx-3090", doc="at the other end"),
                Parameter("cut", range(cuts + 1), cuts, f"/{cuts}", "of the layers on the device"),
                Parameter("bits", bits, 32, "bits", "of a number that is sent"),
            )
        )
        self._placed = lru_cache(maxsize=256)(_split)

    @property
    def name(self) -> str:
        """As users write it."""
        return "split"

    def placed(self, network: Network, configuration: Configuration) -> Network:
        """Return the network with each layer's place and the tensor that is sent."""
        cut = cast("int", self._space.complete(configuration)["cut"])
        return self._placed(network, round(cut * len(network.layers) / self._cuts))

    def build(self, configuration: Configuration) -> SplitAccelerator:
        """Return the two devices and their link."""
        values = self.check(configuration)
        device, server = cast("str", values["device"]), cast("str", values["server"])
        bits = cast("int", values["bits"])
        return SplitAccelerator(
            RooflineAccelerator(device, DEVICES[device]),
            RooflineAccelerator(server, DEVICES[server]),
            Radio(self._mbps, self._latency_ms, self._pj_per_bit, bits),
            self._counted,
        )


def _split(network: Network, here: int) -> Network:
    """Return a chain with its first layers on the device and the others on the server."""
    refuse_branches(network)
    layers = [
        evolve(layer, einsum=evolve(layer.einsum, place=DEVICE if i < here else SERVER))
        for i, layer in enumerate(network.layers)
    ]
    if here < len(layers):
        einsum = network.layers[max(here - 1, 0)].einsum
        tensor = einsum.output if here else next(t for t in einsum.tensors if t.role == "Inputs")
        sent = moving(SEND, SEND, einsum.words(tensor), LINK)
        layers.insert(here, Layer(sent))
    return evolve(network, layers=tuple(layers), links=())


def refuse_branches(network: Network) -> None:
    """Raise InputError for a network in which more than one tensor may cross a cut."""
    for layer in network.layers:
        operands = [t for t in layer.einsum.operands if t.role == "Inputs"]
        if len(operands) > 1:
            told = f"layer {layer.name!r} reads {len(operands)} tensors of earlier layers: which "
            raise InputError(
                network.name,
                [f"{told}tensors cross a cut is known of a chain alone"],
                "a chain is, for example, alexnet or vgg16",
            )


def _parsed(text: str) -> tuple[float, ...]:
    try:
        rates = tuple(float(part) for part in text.split("/"))
    except ValueError:
        rates = ()
    if not rates or not all(math.isfinite(r) and r > 0 for r in rates):
        raise InputError(
            f"mbps={text}", ["is no rate above 0, nor several as in 5/20/80"], "in Mbit/s"
        )
    return rates


def _rates(mbps: tuple[float, ...]) -> str:
    return "/".join(f"{rate:g}" for rate in mbps)
