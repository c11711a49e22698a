"""Random small chains of layers, machines, groups and mappings: what fused mapping is tested on."""

from __future__ import annotations

import itertools
import random

from attrs import evolve

from cosearch.loopnest.group import FusedGroup, Held, PrefixLoop, joint_dims
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import Einsum, conv, gemm
from cosearch.workload.link import Link

KINDS = ("gemm", "attention", "conv")
"""Of chains: matrix products, batched ones of two activations, and sliding windows."""


def machine_of(pick: random.Random, room: int | None = None) -> Architecture:
    """Return a machine of registers, a buffer and DRAM, its energies whole numbers."""
    x, y = pick.choice(((1, 1), (2, 1), (2, 2)))
    bandwidth = pick.choice((None, 0.25, 0.5, 1.0, 2.0))
    return Architecture(
        "random",
        (
            Memory("registers", pick.choice((3, 4, 6, 12)), _energy(pick, 1), mesh_x=x, mesh_y=y),
            Memory(
                "buffer",
                room or pick.choice((6, 8, 10, 12, 16, 24)),
                _energy(pick, 6),
                write_bandwidth=pick.choice((None, None, 1.0)),
                leak_pj_per_cycle=float(pick.choice((0, 0, 2))),
            ),
            Memory(
                "dram",
                None,
                _energy(pick, pick.choice((20, 100))),
                is_dram=True,
                shared_bandwidth=bandwidth,
                block_size=pick.choice((1, 1, 4)),
            ),
        ),
        Compute(1.0, x, y),
    )


def _energy(pick: random.Random, about: int) -> AccessEnergy:
    return AccessEnergy(*(float(about + pick.randint(0, 1)) for _ in range(3)))


def chain_of(
    pick: random.Random, members: int, kind: str = "", largest: int = 4
) -> tuple[tuple[Einsum, ...], tuple[Link, ...]]:
    """Return layers, each linked to the next.

    Args:
        pick: draws.
        members: how many.
        kind: see `KINDS`; drawn if empty.
        largest: size of a dimension.
    """
    sizes = [n for n in (1, 2, 3, 4, 6) if n <= largest]
    kind = kind or pick.choice(KINDS)
    if kind == "conv":
        return _convs(pick, members)
    rows, batch = pick.choice(sizes), pick.choice((2, 3)) if kind == "attention" else 1
    widths = [pick.choice(sizes) for _ in range(members + 1)]
    layers = tuple(
        gemm(f"layer{i}", M=rows, K=widths[i], N=widths[i + 1], B=batch) for i in range(members)
    )
    axes = tuple(range(len(layers[0].output.axes)))
    whole = (axes[-1],) if kind == "attention" and pick.random() < 0.5 else ()
    written = [pick.random() < 0.3 for _ in range(members - 1)]
    return layers, tuple(Link(i, i + 1, "Inputs", axes, whole, w) for i, w in enumerate(written))


def _convs(pick: random.Random, members: int) -> tuple[tuple[Einsum, ...], tuple[Link, ...]]:
    """Return convolutions along a height, with windows, strides, and channels of their own."""
    layers: list[Einsum] = []
    links = []
    channels = pick.choice((1, 2))
    rows = pick.choice((2, 4, 6))
    for i in range(members):
        window = pick.choice((1, 2, 3)) if i or pick.random() < 0.3 else 1
        depthwise = i > 0 and channels > 1 and pick.random() < 0.4
        out = channels if depthwise else pick.choice((1, 2))
        stride = 2 if i and rows % 2 == 0 and window > 1 and pick.random() < 0.3 else 1
        rows //= stride
        layers.append(
            conv(
                f"layer{i}",
                K=1 if depthwise else out,
                C=1 if depthwise else channels,
                G=channels if depthwise else 1,
                P=1,
                Q=rows,
                S=window,
                stride=(1, stride),
            )
        )
        channels = out
    for i, (a, b) in enumerate(itertools.pairwise(layers)):
        written = pick.random() < 0.3
        links.append(Link(i, i + 1, "Inputs", _channels_first(a, b), written=written))
    return tuple(layers), tuple(links)


def _channels_first(a: Einsum, b: Einsum) -> tuple[int | None, ...]:
    """Return the axes of a link between two convolutions, grouped or not."""
    written, read = len(a.output.axes), len(b.tensors[1].axes)
    inner = {(4, 4): (1,), (4, 5): (1,), (5, 4): (1, None), (5, 5): (1, 2)}[written, read]
    return (0, *inner, read - 2, read - 1)


def group_of(
    pick: random.Random, layers: tuple[Einsum, ...], links: tuple[Link, ...]
) -> FusedGroup:
    """Return a group of these layers with a random prefix and holds, without mappings."""
    joint = list(joint_dims(layers, links))
    pick.shuffle(joint)
    loops, sliding = [], False
    for dims, window in joint:
        factors = [
            f
            for f in (2, 3, 4, 6)
            if all(x.bounds[d] % f == 0 for x, d in zip(layers, dims, strict=True))
        ]
        if factors and pick.random() < 0.8 and not (sliding and window):
            loops.append(PrefixLoop(pick.choice(factors), dims))
            sliding = sliding or window
    group = FusedGroup(layers, links, tuple(loops))
    held = [
        Held(j, tensor.name, pick.randint(0, len(loops)))
        for j, layer in enumerate(layers)
        for tensor in layer.tensors
        if tensor.name not in group.intermediates(j) and pick.random() < 0.4
    ]
    return evolve(group, held=tuple(held))


def mapping_of(
    pick: random.Random, architecture: Architecture, group: FusedGroup, member: int
) -> Mapping:
    """Return a random mapping of a body; it may not fit."""
    body, home = group.cut(member), group.at_home(member)
    parts: list[list[list[Loop]]] = [[[], [], []] for _ in architecture.levels]
    for dim, size in body.bounds.items():
        rest = size
        while rest > 1:
            factor = pick.choice([f for f in range(2, rest + 1) if rest % f == 0])
            rest //= factor
            slots = [(i, 0) for i in range(len(parts))]
            slots += [(1, 1)] * (architecture.compute.mesh_x > 1)
            slots += [(1, 2)] * (architecture.compute.mesh_y > 1)
            level, kind = pick.choice(slots)
            parts[level][kind].append(Loop(dim, factor))
    levels = []
    for i, (memory, loops) in enumerate(zip(architecture.levels, parts, strict=True)):
        for part in loops:
            pick.shuffle(part)
        keep = {t.name for t in body.tensors}
        levels.append(
            LevelMapping(memory.name, keep - home if i + 1 == len(parts) else keep, *loops)
        )
    return Mapping(levels)
