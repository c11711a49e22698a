"""What a spiking network takes of an FPGA of Xilinx' 7 series: LUTs and block RAMs.

LUTs are counted from the data path of a neuron and the scan of a layer as smilies-polito/Spiker
generates them (`neuron_datapath`, `multi_input`), with what AMD's UG474 says one LUT does: a 4:1
multiplexer, a bit of a carry chain, 64 bits of ROM. State machines, encoders of inputs and counters
of outputs are not counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from cosearch_hardware.spiking.steps import Stage


@frozen
class Device:
    """What a device has.

    Attributes:
        luts: with 6 inputs.
        block_rams: of 36 Kb.
    """

    luts: int
    block_rams: int


DEVICES: Final[Mapping[str, Device]] = {
    "xc7a35t": Device(20_800, 50),
    "xc7a100t": Device(63_400, 135),
    "xc7a200t": Device(134_600, 365),
}
"""Artix-7 devices (AMD, DS180, table of Artix-7)."""

SHAPES: Final = ((72, 512), (36, 1024), (18, 2048), (9, 4096), (4, 8192), (2, 16384), (1, 32768))
"""Width and depth of a block RAM of 36 Kb (AMD, UG953, BRAM_SINGLE_MACRO)."""
LUT_ROM: Final = 64
"""Bits of ROM in a LUT (AMD, UG474)."""
LUT_DEPTH: Final = 256
"""Words of ROM that a slice's own multiplexers reach (AMD, UG474)."""


@frozen
class Circuit:
    """How neurons are built.

    Attributes:
        weight_bits: of a weight.
        neuron_bits: of a membrane potential.
        memory: of weights, `block` RAM or `lut`s.
        inhibition: whether neurons hinder each other, by one weight for all.
    """

    weight_bits: int
    neuron_bits: int
    memory: str
    inhibition: bool


def multiplexer(inputs: int) -> int:
    """Return the LUTs that select one of so many lines: four for 16:1, one for 4:1."""
    if inputs <= 1:
        return 0
    if inputs <= 16:
        return math.ceil(inputs / 4)
    groups = math.ceil(inputs / 16)
    return 4 * groups + multiplexer(groups)


def any_of(inputs: int) -> int:
    """Return the LUTs that tell whether any of so many lines is set: six lines into one."""
    return max(math.ceil((inputs - 1) / 5), 1)


def luts(stage: Stage, circuit: Circuit) -> int:
    """Return the LUTs of a layer.

    A neuron selects what it adds (threshold, leak, weight, inhibition: 4:1), adds or subtracts it,
    and compares with its threshold: three times its width. A scan selects one input of all, and
    knows whether there is any.
    """
    neurons = 3 * circuit.neuron_bits * stage.neurons
    scans = multiplexer(stage.inputs) + any_of(stage.inputs)
    scans += multiplexer(stage.neurons) + any_of(stage.neurons) if circuit.inhibition else 0
    return neurons + scans + (_rom(stage, circuit) if circuit.memory == "lut" else 0)


def _rom(stage: Stage, circuit: Circuit) -> int:
    width = stage.neurons * circuit.weight_bits
    deep = multiplexer(math.ceil(stage.inputs / LUT_DEPTH))
    return width * (math.ceil(stage.inputs / LUT_ROM) + deep)


def block_rams(stage: Stage, circuit: Circuit) -> int:
    """Return the block RAMs of a layer's weights, none where they lie in LUTs.

    A word holds whole weights, those of one input to several neurons, as Spiker packs them; the
    shape of the RAMs is the one that takes the fewest.
    """
    if circuit.memory == "lut":
        return 0
    needed = []
    for width, depth in SHAPES:
        packed = width // circuit.weight_bits
        if packed:
            needed.append(math.ceil(stage.neurons / packed) * math.ceil(stage.inputs / depth))
    return min(needed)
