"""How many bits a tensor's element takes, and what that is in words and blocks of a memory.

A layer may state the width of a tensor, and a machine that of a role that layers leave open. Where
neither does, an element is a word of whichever memory holds it. A memory counts bits: it has room
for `entries * word_bits` of them, one access moves `block_size * word_bits`, and so on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from attrs import evolve, frozen

from cosearch.errors import Infeasible
from cosearch.machine.architecture import Architecture, Memory, Mode
from cosearch.workload.einsum import Einsum, Role, Tensor


@frozen
class Stored:
    """An element of a tensor in a memory.

    Attributes:
        bits: as it is stored there. Where words are not shared between elements, 1.
        word_bits: of the word it is counted in, the memory's or its partition's. Where words are
            not shared between elements, how many of them a word holds.
        block_size: words of one access.
    """

    bits: int
    word_bits: int
    block_size: int

    @property
    def words(self) -> float:
        """Words that an element takes; 1.0 where it is as wide as a word."""
        return self.bits / self.word_bits

    @property
    def blocks(self) -> tuple[int, int]:
        """So many elements, second, take so many blocks, first: a fraction in lowest terms."""
        block = self.word_bits * self.block_size
        common = math.gcd(self.bits, block)
        return self.bits // common, block // common

    def accesses(self, elements: int) -> int:
        """Return the blocks that hold so many elements, one after the other without gaps."""
        many, few = self.blocks
        return -(-elements * many // few)


def bits_of(architecture: Architecture, tensor: Tensor) -> int | None:
    """Return the bits of a tensor's element; None is a word of the memory that holds it."""
    return architecture.widths.get(tensor.role) if tensor.bits is None else tensor.bits


def stored(architecture: Architecture, memory: Memory, tensor: Tensor) -> Stored:
    """Return how a memory of a machine stores a tensor.

    A memory that lists what it packs stores an element in the least listed width that holds it,
    one wider than all of them in several pieces of the widest; others store every width as it is.
    Where elements keep to whole words, narrow ones are as many to a word as fit, and a wide one
    takes as many words as it needs.
    """
    part = memory.partitions.get(tensor.role)
    word = (part.word_bits if part else None) or memory.word_bits
    bits = bits_of(architecture, tensor)
    if bits is None:
        bits = word
    elif packs := (part and part.packs) or memory.packs:
        widest = max(packs)
        holding = [width for width in packs if width >= bits]
        bits = min(holding, default=-(-bits // widest) * widest)
    if memory.whole_words:
        return Stored(max(1, -(-bits // word)), max(1, word // bits), memory.block_size)
    return Stored(bits, word, memory.block_size)


@frozen
class Room:
    """What tensors that share a memory, or a partition of it, take of it.

    Attributes:
        role: whose partition; None for what the others share.
        unit: what the numbers count: `words`, or `bits` where elements are not as wide as words,
            or the `parts` of a word that hold one element each.
        limit: how many there are to fill.
        takes: by tensor of the layer, what an element takes; 0 of tensors kept elsewhere.
    """

    role: Role | None
    unit: str
    limit: int
    takes: tuple[int, ...]


def rooms(architecture: Architecture, memory: Memory, layer: Einsum) -> Iterator[Room]:
    """Yield the rooms of one instance of a memory, each partition and then what is shared."""
    parts: list[tuple[Role | None, int | None]] = [
        (role, int(part.entries / memory.multiple_buffering))
        for role, part in memory.partitions.items()
    ]
    for role, entries in [*parts, (None, memory.usable_entries)]:
        if entries is None:
            continue
        here = [(t.role if t.role in memory.partitions else None) == role for t in layer.tensors]
        elements = [
            stored(architecture, memory, t)
            for t, own in zip(layer.tensors, here, strict=True)
            if own
        ]
        plain = all(each.bits == each.word_bits for each in elements)
        word = 1 if plain else math.lcm(*(each.word_bits for each in elements))
        takes = iter(1 if plain else each.bits * (word // each.word_bits) for each in elements)
        unit = "words" if word == 1 else "parts" if memory.whole_words else "bits"
        yield Room(role, unit, entries * word, tuple(next(takes) if own else 0 for own in here))


def refuse_wider(layer: Einsum, machine: str, bits: Mapping[Role, int]) -> None:
    """Raise Infeasible where a layer states wider elements than a machine of fixed widths has.

    For machines that are no `SpatialAccelerator`; narrower elements are stored as wide as these.

    Args:
        layer: to be run.
        machine: its name.
        bits: of an element, by role.
    """
    for tensor in layer.tensors:
        own = bits.get(tensor.role)
        if own is not None and tensor.bits is not None and tensor.bits > own:
            raise Infeasible(
                f"layer {layer.name!r}: {tensor.name} has elements of {tensor.bits} bits, "
                f"{machine!r} has {tensor.role.lower()} of {own}",
                {f"bits of {tensor.role.lower()}": tensor.bits / own},
            )


def unpacked(architecture: Architecture) -> Architecture:
    """Return a machine whose memories store every width as it is."""
    levels = [
        evolve(m, packs=(), partitions={r: evolve(p, packs=()) for r, p in m.partitions.items()})
        for m in architecture.levels
    ]
    return evolve(architecture, levels=levels)


def mixed(architecture: Architecture, layer: Einsum) -> bool:
    """Whether any tensor takes other than one word of any memory, or a step more than a cycle."""
    every = (stored(architecture, m, t) for m in architecture.levels for t in layer.tensors)
    return any(s.bits != s.word_bits for s in every) or mode(architecture, layer).cycles != 1


def mode(architecture: Architecture, layer: Einsum) -> Mode:
    """Return how the multipliers work on a layer: the fastest way, of these the cheapest.

    Raises:
        Infeasible: they take no operands as wide as the layer's.
    """
    unit = architecture.compute
    asked = {role: _widest(architecture, layer, role) for role in ("Weights", "Inputs")}
    weights, inputs = (unit.word_bits if bits is None else bits for bits in asked.values())
    if not unit.modes:
        plain = Mode(unit.word_bits, unit.word_bits, unit.energy_pj)
        if all(bits is None or bits <= unit.word_bits for bits in asked.values()):
            return plain
        raise _too_wide(architecture, layer, weights, inputs, [plain])
    fitting = [m for m in unit.modes if m.weights >= weights and m.inputs >= inputs]
    if not fitting:
        raise _too_wide(architecture, layer, weights, inputs, list(unit.modes))
    return min(fitting, key=lambda m: (m.cycles, m.energy_pj))


def _widest(architecture: Architecture, layer: Einsum, role: Role) -> int | None:
    stated = [bits_of(architecture, t) for t in layer.operands if t.role == role]
    return max((bits for bits in stated if bits is not None), default=None)


def _too_wide(
    architecture: Architecture, layer: Einsum, weights: int, inputs: int, modes: list[Mode]
) -> Infeasible:
    takes = ", ".join(sorted({f"{m.weights} x {m.inputs}" for m in modes}))
    widest = max(m.weights * m.inputs for m in modes)
    return Infeasible(
        f"layer {layer.name!r}: {architecture.compute.name} of {architecture.name!r} multiplies "
        f"weights and inputs of {takes} bits, not of {weights} x {inputs}",
        {f"{architecture.compute.name}: bits": math.sqrt(weights * inputs / widest)},
        "state narrower tensors, or wider multipliers (compute: word_bits, modes)",
    )
