"""The best way to run a small group, by trying all of them under the readable model: an oracle."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from attrs import evolve, frozen

from cosearch.loopnest.group import FusedGroup, Held, PrefixLoop, joint_dims
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.model.analysis import Analysis
from cosearch.loopnest.model.fused import home_room, member_cost
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.validity import violations
from cosearch.machine.architecture import Architecture
from cosearch.quantities import added
from cosearch.workload.einsum import Einsum
from cosearch.workload.link import Link


@frozen
class Tried:
    """The best of all.

    Attributes:
        value: the weighted sum; infinite where nothing can be run.
        group: with mappings.
        tried: body mappings priced.
    """

    value: float
    group: FusedGroup | None
    tried: int


def every_mapping(architecture: Architecture, body: Einsum, home: frozenset[str]) -> list[Mapping]:
    """Return all mappings of a body that keep every tensor wherever they may, but for home."""
    dims = [(d, n) for d, n in body.bounds.items() if n > 1]
    slots: list[tuple[int, int]] = []
    for level in range(len(architecture.levels)):
        across, down = architecture.fanout(level)
        slots += [(level, 1)] * (across > 1) + [(level, 2)] * (down > 1) + [(level, 0)]
    out = []
    for cuts in itertools.product(*(_cuts(n, len(slots)) for _, n in dims)):
        loops: dict[tuple[int, int], list[Loop]] = {slot: [] for slot in slots}
        for (dim, _), cut in zip(dims, cuts, strict=True):
            for slot, factor in zip(slots, cut, strict=True):
                if factor > 1:
                    loops[slot].append(Loop(dim, factor))
        orders = [
            itertools.permutations(loops[level, 0]) for level in range(1, len(architecture.levels))
        ]
        for order in itertools.product(*orders):
            temporal = (tuple(loops[0, 0]), *order)
            out.append(
                Mapping(
                    [
                        LevelMapping(
                            memory.name,
                            {t.name for t in body.tensors}
                            - (home if i + 1 == len(architecture.levels) else frozenset()),
                            temporal[i],
                            loops.get((i, 1), ()),
                            loops.get((i, 2), ()),
                        )
                        for i, memory in enumerate(architecture.levels)
                    ]
                )
            )
    return out


def _cuts(size: int, slots: int) -> list[tuple[int, ...]]:
    if slots == 1:
        return [(size,)]
    return [
        (f, *rest)
        for f in range(1, size + 1)
        if size % f == 0
        for rest in _cuts(size // f, slots - 1)
    ]


def every_group(layers: tuple[Einsum, ...], links: tuple[Link, ...]) -> Iterator[FusedGroup]:
    """Yield every prefix with every choice of holds, at all depths."""
    joint = list(joint_dims(layers, links))
    sizes = [
        math.gcd(*(x.bounds[d] for x, d in zip(layers, dims, strict=True))) for dims, _ in joint
    ]
    for bounds in itertools.product(*([f for f in range(1, n + 1) if n % f == 0] for n in sizes)):
        cut = [(f, dims, w) for f, (dims, w) in zip(bounds, joint, strict=True) if f > 1]
        if added(w for *_, w in cut) > 1:
            continue
        for order in itertools.permutations(cut):
            prefix = tuple(PrefixLoop(f, dims) for f, dims, _ in order)
            group = FusedGroup(layers, links, prefix)
            places = [
                [None, *(Held(j, t.name, h) for h in range(len(prefix) + 1))]
                for j, layer in enumerate(layers)
                for t in layer.tensors
                if t.name not in group.intermediates(j)
            ]
            for holds in itertools.product(*places):
                yield evolve(group, held=tuple(h for h in holds if h is not None))


def best_group(
    architecture: Architecture,
    layers: tuple[Einsum, ...],
    links: tuple[Link, ...],
    weights: tuple[float, float],
) -> Tried:
    """Return the best of all prefixes, orders, holds and mappings, for a weighted sum."""
    best, winner, tried = math.inf, None, 0
    analyses: dict[tuple[object, ...], list[tuple[Mapping, Analysis]]] = {}
    for group in every_group(layers, links):
        total, chosen = 0.0, []
        for j in range(len(layers)):
            body, home = group.cut(j), group.at_home(j)
            key = (j, body.sizes, home)
            if key not in analyses:
                analyses[key] = list(_analyses(architecture, group, j))
            value, mapping = _best_body(architecture, group, j, analyses[key], weights)
            tried += len(analyses[key])
            total += value
            chosen.append(mapping)
            if total >= best:
                break
        if total < best and len(chosen) == len(layers):
            best = total
            winner = evolve(group, mappings=tuple(m for m in chosen if m is not None))
    return Tried(best, winner, tried)


def _analyses(
    architecture: Architecture, group: FusedGroup, member: int
) -> Iterator[tuple[Mapping, Analysis]]:
    """Yield the mappings of a body that fit but for the fusion level, each with its breakdown."""
    level, body = architecture.levels[-2], group.cut(member)
    roomy = evolve(
        architecture,
        levels=(*architecture.levels[:-2], evolve(level, entries=None), architecture.levels[-1]),
    )
    for mapping in every_mapping(architecture, body, group.at_home(member)):
        if next(violations(roomy, body, mapping), None) is None:
            yield mapping, analyse(roomy, body, mapping)


def _best_body(
    architecture: Architecture,
    group: FusedGroup,
    member: int,
    analyses: list[tuple[Mapping, Analysis]],
    weights: tuple[float, float],
) -> tuple[float, Mapping | None]:
    room = architecture.levels[-2].usable_entries
    home, free = group.at_home(member), home_room(group, member)
    best, winner = math.inf, None
    for mapping, found in analyses:
        streamed = added(t.tile_size for t in found.levels[-2].tensors if t.tensor not in home)
        if room is not None and free + streamed > room:
            continue
        padded = evolve(group, mappings=(mapping,) * len(group.layers))
        cost = member_cost(architecture, padded, member, found)
        value = weights[0] * cost.energy_pj + weights[1] * cost.cycles
        if value < best:
            best, winner = value, mapping
    return best, winner
