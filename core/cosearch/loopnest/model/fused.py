"""What a fused group costs, readable: a strict generalization of the model of one layer.

A body is priced as a layer of its size, but for these:

- a tensor at home in the second outermost level has neither fills there nor words outside;
- a held tensor comes as often as its tile changes under the first loops of the prefix, as the
  model of one layer counts it, and its words are a constant demand on the two levels;
- a result at home that others read too is written outside once, a constant demand likewise;
- of the bodies that add to one result only the first finds nothing there: the credit for first
  visits counts once in as many, at every level;
- blocks are rounded up once, on the words of all bodies together;
- a member takes as many cycles as its bodies, each of them a whole number; members add up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from attrs import evolve, frozen

from cosearch.errors import CosearchError, Infeasible
from cosearch.loopnest.group import FusedGroup, Held, refuse_ill_formed
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.model.analysis import Analysis, TensorCounts
from cosearch.loopnest.model.delivery import delivered
from cosearch.loopnest.model.reference import access_energy, analyse, throttling
from cosearch.loopnest.nest import Nest
from cosearch.machine.architecture import Architecture, Memory, Partition
from cosearch.machine.widths import mixed, stored
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum, Role
from cosearch.workload.link import operand_of


@frozen
class TensorWords:
    """What a tensor does at a level over all bodies: words per used instance."""

    tensor: str
    reads: int
    fills: int
    updates: int
    energy_pj: float


@frozen
class MemberCost:
    """What one member of a group costs, all its bodies together.

    Attributes:
        energy_pj: held words included.
        cycles: of all bodies.
        room: words of the fusion level that are in use while it runs.
        levels: by level, inner to outer, the tensors it moves there.
    """

    energy_pj: float
    cycles: int
    room: int
    levels: tuple[tuple[TensorWords, ...], ...]

    @property
    def outermost_words(self) -> int:
        """Words that pass to and from the outermost level."""
        return added(t.reads + t.fills + t.updates for t in self.levels[-1])


@frozen
class GroupCost:
    """What a group costs."""

    members: tuple[MemberCost, ...]

    @property
    def energy_pj(self) -> float:
        """Of all members."""
        return added(m.energy_pj for m in self.members)

    @property
    def cycles(self) -> int:
        """Of all members, one after the other."""
        return added(m.cycles for m in self.members)

    @property
    def room(self) -> int:
        """Words in use at the fullest moment."""
        return max(m.room for m in self.members)

    @property
    def outermost_words(self) -> int:
        """Words that pass to and from the outermost level."""
        return added(m.outermost_words for m in self.members)


def refuse_unfusable(architecture: Architecture, layers: Iterable[Einsum] = ()) -> None:
    """Raise CosearchError where no tensor can stay in the second outermost level between layers.

    Args:
        architecture: the machine.
        layers: to be fused on it.
    """
    for layer in layers:
        if mixed(architecture, layer):
            raise CosearchError(
                f"nothing can be fused with layer {layer.name!r}: a fused group is counted in "
                "words, and its tensors are not one word wide, or a step takes several cycles"
            )
    if len(architecture.levels) < 2:
        raise CosearchError(f"{architecture.name!r} has no level to keep a tensor in")
    level, outermost = architecture.levels[-2:]
    link = outermost.network_below
    for broken, why in (
        (level.instances != 1 or outermost.instances != 1, "there is more than one"),
        (bool(level.partitions), "it is partitioned by role"),
        ("Outputs" not in level.keeps | level.may_keep, "it keeps no results"),
        (link.hop_pj != 0 or link.router_pj != 0, "words to it pass a network that costs energy"),
        (architecture.rules.link_transfers, "neighbours hand on words"),
    ):
        if broken:
            raise CosearchError(
                f"nothing can be fused in {level.name} of {architecture.name!r}: {why}"
            )


def held_words(architecture: Architecture, group: FusedGroup, held: Held) -> tuple[int, int]:
    """Return the words of a held tensor that are read, and written, at the outermost level.

    A result is written each time its tile changes, and read again but for the first time.
    """
    layer, tensor = group.layers[held.member], group.tensor(held)
    inside = group.cut(held.member, held.depth)
    outer = [
        Loop(loop.dims[held.member], loop.bound) for loop in reversed(group.prefix[: held.depth])
    ]
    whole = [Loop(dim, size) for dim, size in inside.bounds.items()]
    nest = Nest.of(
        layer, Mapping((LevelMapping("home", (), whole), LevelMapping("outermost", (), outer)))
    )
    came = delivered(nest, tensor, 0, architecture.rules)
    if tensor.role != "Outputs":
        return came, 0
    again = came if architecture.rules.first_fill_is_counted else came - layer.words(tensor)
    return again, came


def held_room(group: FusedGroup) -> int:
    """Return the words of all held tiles."""
    return added(group.tensor(h).footprint(group.inside(h.member, h.depth)) for h in group.held)


def home_room(group: FusedGroup, member: int) -> int:
    """Return the words that are at home while a member runs: held tiles and intermediates.

    Of an intermediate, the tile that is written or the one that is read, whichever is larger (it
    has padding); of one under a sliding window also the rows that later parts read again.
    """
    words = held_room(group)
    for link in group.links:
        window = group.window(link)
        if member in (link.producer, link.consumer):
            writer = group.layers[link.producer].output
            reader = operand_of(group.layers[link.consumer], link.operand)
            written = writer.footprint(group.inside(link.producer))
            words += max(written, reader.footprint(group.inside(link.consumer)))
            words += window.words * (window.inside - 1)
        else:
            words += window.words * window.inside
    return words


def body_architecture(architecture: Architecture, group: FusedGroup, member: int) -> Architecture:
    """Return the machine as a body finds it: room for what is streamed, and for what is at home.

    Raises:
        Infeasible: what is at home leaves no room.
        CosearchError: a streamed tensor has the role of one at home.
    """
    level = architecture.levels[-2]
    home, body = group.at_home(member), group.cut(member)
    entries = level.entries
    if level.usable_entries is not None:
        room = level.usable_entries - home_room(group, member)
        if room < 0:
            raise Infeasible(
                f"what is at home in {level.name} takes {home_room(group, member)} words of "
                f"{level.usable_entries}",
                {level.name: home_room(group, member) / max(1, level.usable_entries)},
            )
        entries = math.ceil(room * level.multiple_buffering)
    return evolve(
        architecture,
        levels=(
            *architecture.levels[:-2],
            evolve(level, entries=entries, partitions=_aside(level, body, home)),
            architecture.levels[-1],
        ),
    )


def _aside(level: Memory, body: Einsum, home: frozenset[str]) -> dict[Role, Partition]:
    """Return a part of a level for each role at home, as large as its tensors."""
    roles = {t.role for t in body.tensors if t.name in home}
    for tensor in body.tensors:
        if tensor.role in roles and tensor.name not in home:
            raise CosearchError(
                f"{tensor.name!r} of {body.name!r} is streamed, and another tensor of its role "
                "is at home"
            )
    words = {r: added(body.words(t) for t in body.tensors if t.role == r) for r in roles}
    return {
        r: Partition(math.ceil(n * level.multiple_buffering), level.energy)
        for r, n in words.items()
    }


def group_cost(architecture: Architecture, group: FusedGroup) -> GroupCost:
    """Return what a group costs.

    Raises:
        InvalidMapping: which rule the mapping of a body breaks first, and by how much.
        Infeasible: what is at home does not fit.
        CosearchError: prefix, holds, mappings or machine do not go together.
    """
    if len(group.layers) > 1 or group.prefix or group.held:
        refuse_unfusable(architecture, group.layers)
        refuse_ill_formed(group)
    return GroupCost(tuple(member_cost(architecture, group, j) for j in range(len(group.layers))))


def member_cost(
    architecture: Architecture, group: FusedGroup, member: int, found: Analysis | None = None
) -> MemberCost:
    """Return what one member of a group costs; see `group_cost`.

    Args:
        architecture: the machine.
        group: with mappings.
        member: which.
        found: the breakdown of its body, where it is known that it can be run.
    """
    body, mapping = group.cut(member), group.mappings[member]
    if found is None:
        if len(group.layers) > 1 or group.held:
            architecture = body_architecture(architecture, group, member)
            _refuse_misplaced(architecture, group, member)
        found = analyse(architecture, body, mapping)
    held = {h.tensor: held_words(architecture, group, h) for h in group.held if h.member == member}
    held.update(written_through(group, member))
    cycles = group.bodies * max(found.busy, *_waits(architecture, group, member, found, held))
    energy = group.bodies * found.compute_pj
    nest, levels = Nest.of(body, mapping), []
    for i, memory in enumerate(architecture.levels):
        moved = tuple(_moved(architecture, group, member, found, i, held))
        levels.append(moved)
        accesses = 0.0
        for tensor in moved:
            accesses += tensor.energy_pj
        energy += accesses + memory.leak_pj_per_cycle * cycles * nest.instances(i)
        energy += group.bodies * found.networks[i].energy_pj
    return MemberCost(energy, cycles, _room(group, member, found), tuple(levels))


def _refuse_misplaced(architecture: Architecture, group: FusedGroup, member: int) -> None:
    """Raise CosearchError where a mapping keeps a tensor at home outside, or another not."""
    home, (level, outermost) = group.at_home(member), group.mappings[member].levels[-2:]
    for tensor in group.layers[member].tensors:
        here = tensor.name in home
        if (tensor.name in outermost.keep) == here or (here and tensor.name not in level.keep):
            place = level.level if here else outermost.level
            raise CosearchError(
                f"{tensor.name!r} of {group.layers[member].name!r} has to be kept in {place} of "
                f"{architecture.name!r} as its outermost level"
            )


def _room(group: FusedGroup, member: int, found: Analysis) -> int:
    """Return the words in use in the second outermost level while a member runs."""
    if len(found.levels) < 2:
        return 0
    home = group.at_home(member)
    streamed = added(t.tile_size for t in found.levels[-2].tensors if t.tensor not in home)
    return home_room(group, member) + streamed


def _waits(
    architecture: Architecture,
    group: FusedGroup,
    member: int,
    found: Analysis,
    held: dict[str, tuple[int, int]],
) -> Iterator[int]:
    """Yield the cycles of a body that each level needs."""
    top = len(architecture.levels) - 1
    visits = group.visits(member)
    for i, (memory, level) in enumerate(zip(architecture.levels, found.levels, strict=True)):
        demands = []
        if held and i >= top - 1:
            demands.append(held_demand(group, list(held.values()), outermost=i == top))
        for tensor in level.tensors:
            reads, fills = tensor.reads, tensor.fills
            if tensor.updates and visits > 1:
                first, filled = _first_visits(architecture, found, i, tensor)
                demands.append(
                    (
                        reads + first - first / visits,
                        fills + filled - filled / visits + tensor.updates,
                    )
                )
            else:
                demands.append(tensor.moved)
        yield math.ceil(found.busy / throttling(memory, demands, found.busy))


def written_through(group: FusedGroup, member: int) -> dict[str, tuple[int, int]]:
    """Return the words read and written outside of the result at home, where others read it too.

    It is final in each body, so that it is written once; as with every result, only what arrives
    outside is counted.
    """
    layer = group.layers[member]
    if not any(link.producer == member and link.written for link in group.links):
        return {}
    return {layer.output.name: (0, layer.words(layer.output))}


def held_demand(
    group: FusedGroup, held: list[tuple[int, int]], *, outermost: bool
) -> tuple[float, float]:
    """Return the words of held tensors that one body reads and writes at a level."""
    reads, writes = added(r for r, _ in held), added(w for _, w in held)
    return (
        (reads / group.bodies, writes / group.bodies) if outermost else (0.0, reads / group.bodies)
    )


def _first_visits(
    architecture: Architecture, found: Analysis, level: int, result: TensorCounts
) -> tuple[int, int]:
    """Return the words of a result that a level was credited for: not read, and not filled."""
    outside = any(
        t.tensor == result.tensor for upper in found.levels[level + 1 :] for t in upper.tensors
    )
    credited = outside and not architecture.rules.first_fill_is_counted
    return result.partition_size, result.partition_size if credited else 0


def _moved(
    architecture: Architecture,
    group: FusedGroup,
    member: int,
    found: Analysis,
    level: int,
    held: dict[str, tuple[int, int]],
) -> Iterator[TensorWords]:
    """Yield what the tensors of a member do at a level, over all bodies, in the layer's order."""
    memory, top = architecture.levels[level], len(architecture.levels) - 1
    bodies, visits = group.bodies, group.visits(member)
    kept = {t.tensor: t for t in found.levels[level].tensors}
    for tensor in group.layers[member].tensors:
        counts = kept.get(tensor.name)
        here = held.get(tensor.name) if level >= top - 1 else None
        if counts is None and here is None:
            continue
        reads = fills = updates = 0
        if counts is not None:
            reads, fills, updates = (
                bodies * n for n in (counts.reads, counts.fills, counts.updates)
            )
            if tensor.role == "Outputs":
                first, filled = _first_visits(architecture, found, level, counts)
                reads += first * (bodies - bodies // visits)
                fills += filled * (bodies - bodies // visits)
        if here is not None:
            reads, updates = (
                (reads + here[0], updates + here[1]) if level == top else (reads, updates)
            )
            fills += here[0] if level < top else 0
        instances = counts.instances if counts is not None else 1
        element = stored(architecture, memory, tensor)
        energy = access_energy(memory, tensor, instances, (reads, fills, updates), element)
        yield TensorWords(tensor.name, reads, fills, updates, energy)
