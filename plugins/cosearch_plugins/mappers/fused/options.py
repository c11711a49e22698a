"""How a group may run: prefixes, and what is held under each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cached_property
from typing import TypeAlias

from attrs import evolve, frozen

from cosearch.loopnest.group import FusedGroup, Held, PrefixLoop, joint_dims, slides
from cosearch.loopnest.model.fused import held_words, home_room, written_through
from cosearch.loopnest.model.reference import access_energy
from cosearch.machine.architecture import Architecture
from cosearch.machine.widths import stored
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum, Tensor
from cosearch.workload.link import Link
from cosearch_plugins.mappers.fused.bodies import UNLIMITED

THROUGH = -1
"""Depth of an intermediate that is written outside as well, for others read it too."""


@frozen
class Choice:
    """One way to have a tensor: streamed (no depth), held, or written through.

    Attributes:
        member, tensor: whose and which.
        depth: of the hold, None, or `THROUGH`.
        room: words of its tile; 0 where it is streamed.
        read, write: words at the outermost level, of all bodies.
        energy_pj: of moving them to the fusion level: all of a held tensor's, and the least of a
            streamed one's.
    """

    member: int
    tensor: str
    depth: int | None
    room: int
    read: float
    write: float
    energy_pj: float


@frozen(eq=False)
class Option:
    """A prefix and what is held.

    Attributes:
        group: without mappings.
        choices: one a tensor that is no intermediate.
        room: of each member, words left for what is streamed.
        bodies: of each member.
    """

    group: FusedGroup
    choices: tuple[Choice, ...]
    room: tuple[int, ...]
    bodies: tuple[Einsum, ...]

    @property
    def held_pj(self) -> float:
        """Energy of moving what is held."""
        return added(c.energy_pj for c in self.choices if c.depth is not None)


def prefixes(layers: tuple[Einsum, ...], links: tuple[Link, ...]) -> Iterator[FusedGroup]:
    """Yield a group for every prefix: each set of joint dimensions, divisors and orders.

    Windows slide along one of its loops at most. Coarse prefixes come first.
    """
    joint = list(joint_dims(layers, links))
    factors = []
    for dims, _ in joint:
        sizes = [layer.bounds[d] for layer, d in zip(layers, dims, strict=True)]
        most = math.gcd(*sizes)
        factors.append([f for f in range(1, most + 1) if most % f == 0])
    for bounds in sorted(itertools.product(*factors), key=lambda b: (math.prod(b), b)):
        loops = [
            (PrefixLoop(f, dims), window)
            for f, (dims, window) in zip(bounds, joint, strict=True)
            if f > 1
        ]
        if added(window for _, window in loops) <= 1:
            for order in itertools.permutations([loop for loop, _ in loops]):
                yield FusedGroup(layers, links, order)


@frozen(eq=False)
class Cut:
    """A prefix, and what may be held under it.

    Attributes:
        group: without holds and mappings.
        ways: for each tensor that is no intermediate, to stream it or to hold it.
        free: of each member, words left beside its intermediates.
    """

    group: FusedGroup
    ways: tuple[tuple[Choice, ...], ...]
    free: tuple[int, ...]

    @cached_property
    def bodies(self) -> tuple[Einsum, ...]:
        """The body of each member."""
        return tuple(self.group.cut(j) for j in range(len(self.group.layers)))

    def of_member(self, member: int) -> list[tuple[Choice, ...]]:
        """Return every choice of what a member holds."""
        return list(itertools.product(*(w for w in self.ways if w and w[0].member == member)))

    def option(self, choices: tuple[Choice, ...]) -> Option:
        """Return the option of some choices of all members, in order."""
        taken = added(c.room for c in choices)
        held = tuple(
            Held(c.member, c.tensor, c.depth) for c in choices if c.depth not in {None, THROUGH}
        )
        group = FusedGroup(self.group.layers, self.group.links, self.group.prefix, held)
        room = tuple(words - taken for words in self.free)
        return Option(group, choices, room, self.bodies)


Known: TypeAlias = dict[tuple[int, str, tuple[PrefixLoop, ...]], Choice]
"""Tensors held, by member, name and the loops outside the tile."""


def cuts(
    architecture: Architecture,
    layers: tuple[Einsum, ...],
    links: tuple[Link, ...],
    kept: tuple[frozenset[str], ...],
) -> Iterator[Cut]:
    """Yield every prefix that leaves room, with what may be held under it.

    Args:
        architecture: the machine.
        layers: members.
        links: between them.
        kept: of each member the tensors that the fusion level must keep: only they are held.
    """
    room = architecture.levels[-2].usable_entries
    most = UNLIMITED if room is None else room
    known: Known = {}
    for group in prefixes(layers, links):
        free = tuple(most - home_room(group, j) for j in range(len(layers)))
        if min(free) < 0:
            continue
        least = min(free)
        ways = tuple(
            tuple(c for c in choices if c.room <= least)
            for choices in _all_choices(architecture, group, kept, known)
        )
        yield Cut(group, ways, free)


def once(
    architecture: Architecture, group: FusedGroup, kept: tuple[frozenset[str], ...]
) -> list[Choice]:
    """Return what passes the outermost level at least, whatever the prefix: each tensor once.

    Args:
        architecture: the machine.
        group: without a prefix.
        kept: see `cuts`.
    """
    return [way for ways in _all_choices(architecture, group, kept, {}) for way in ways]


def _all_choices(
    architecture: Architecture, group: FusedGroup, kept: tuple[frozenset[str], ...], known: Known
) -> Iterator[Iterator[Choice]]:
    """Yield the ways to have each tensor that passes the outermost level."""
    for j, layer in enumerate(group.layers):
        for name, words in written_through(group, j).items():
            energy = _moving(architecture, layer.output, words)
            yield iter([Choice(j, name, THROUGH, 0, *words, energy)])
        for tensor in layer.tensors:
            if tensor.name not in group.intermediates(j):
                yield _choices(architecture, group, j, tensor, kept[j], known)


def _choices(
    architecture: Architecture,
    group: FusedGroup,
    member: int,
    tensor: Tensor,
    kept: frozenset[str],
    known: Known,
) -> Iterator[Choice]:
    """Yield the streamed tensor, and it held at depths that none better in words and room beats."""
    streamed = _streamed(architecture, group, member, tensor)
    if tensor.name not in kept:
        yield evolve(streamed, energy_pj=0.0)
        return
    yield streamed
    held: list[Choice] = []
    for depth in range(len(group.prefix) + 1):
        if not _worth(group, member, tensor, depth):
            continue
        head = (member, tensor.name, group.prefix[:depth])
        if head not in known:
            known[head] = _hold(architecture, group, member, tensor, depth)
        hold = known[head]
        if all(c.room > hold.room or c.read > hold.read or c.write > hold.write for c in held):
            held.append(hold)
    yield from (
        a
        for a in held
        if not any(
            b is not a and b.room <= a.room and b.read <= a.read and b.write <= a.write
            for b in held
        )
    )


def _hold(
    architecture: Architecture, group: FusedGroup, member: int, tensor: Tensor, depth: int
) -> Choice:
    """Return a tensor held under the first loops of a prefix, on which alone it depends."""
    hold = Held(member, tensor.name, depth)
    room = tensor.footprint(group.inside(member, depth))
    read, write = _words(architecture, group, hold, tensor, room)
    energy = _moving(architecture, tensor, (read, write))
    return Choice(member, tensor.name, depth, room, read, write, energy)


def _words(
    architecture: Architecture, group: FusedGroup, held: Held, tensor: Tensor, room: int
) -> tuple[int, int]:
    """Return what `held_words` does, at once where the innermost loop moves tiles apart."""
    dims = [loop.dims[held.member] for loop in group.prefix[: held.depth]]
    plain = not any(slides(group.layers[held.member], tensor, dim) for dim in dims)
    if not plain or architecture.rules.first_fill_is_counted:
        return held_words(architecture, group, held)
    came = room * math.prod(loop.bound for loop in group.prefix[: held.depth])
    if tensor.role != "Outputs":
        return came, 0
    return came - tensor.footprint(group.layers[held.member].bounds), came


def _worth(group: FusedGroup, member: int, tensor: Tensor, depth: int) -> bool:
    """Return whether another depth, or streaming, is not at least as good anyway.

    A loop that does not move the tensor may as well be inside; under all loops a tile is new in
    every body, as it is when streamed, unless it slides.
    """
    if depth:
        dim = group.prefix[depth - 1].dims[member]
        if dim not in tensor.dims:
            return False
        if depth == len(group.prefix):
            return slides(group.layers[member], tensor, dim)
    return depth < len(group.prefix)


def _streamed(architecture: Architecture, group: FusedGroup, member: int, tensor: Tensor) -> Choice:
    """Return the streamed tensor, its words a bound: each once a body, none that slide."""
    bodies = group.bodies
    plain = all(len(axis.terms) == 1 and axis.terms[0][1] == 1 for axis in tensor.axes)
    words = float(tensor.footprint(group.inside(member)) * bodies) if plain else 0.0
    if tensor.role != "Outputs":
        return Choice(member, tensor.name, None, 0, words, 0.0, _word(architecture, tensor) * words)
    again = words * (1 - 1 / group.visits(member))
    outermost = architecture.levels[-1]
    energy = (
        outermost.energy
        if tensor.role not in outermost.partitions
        else (outermost.partitions[tensor.role].energy)
    )
    pj = (words * energy.update + again * energy.read) / outermost.block_size
    return Choice(member, tensor.name, None, 0, again, words, pj)


def _word(architecture: Architecture, tensor: Tensor) -> float:
    """Return the least energy of a word of an operand that comes from the outermost level."""
    level, outermost = architecture.levels[-2:]
    part = outermost.partitions.get(tensor.role)
    energy = (part.energy if part else outermost.energy).read / outermost.block_size
    return energy + level.energy.fill / level.block_size


def _moving(architecture: Architecture, tensor: Tensor, words: tuple[int, int]) -> float:
    """Return the energy of moving the words of a held tensor, read and written outside."""
    level, outermost = architecture.levels[-2:]
    read, write = words
    outside = stored(architecture, outermost, tensor)
    return access_energy(outermost, tensor, 1, (read, 0, write), outside) + access_energy(
        level, tensor, 1, (0, read, 0), stored(architecture, level, tensor)
    )
