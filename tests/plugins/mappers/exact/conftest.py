"""Random small layers on random small machines, whose every mapping can be tried."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from attrs import evolve, frozen

from cosearch.errors import CosearchError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import LevelConstraint
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    CostRules,
    Link,
    Memory,
    Mode,
    Partition,
)
from cosearch.workload.einsum import ROLES, Axis, Einsum, Tensor, conv, gemm

LARGEST = 60_000
"""Mappings of a case that are still all tried."""


@frozen(eq=False)
class SmallCase:
    """A mapspace and the costs of all its feasible mappings."""

    seed: int
    space: MapSpace
    energy_pj: np.ndarray
    cycles: np.ndarray


@pytest.fixture(scope="session")
def small_case() -> Callable[[int], SmallCase | None]:
    """Return a function from a seed to a case, or None where it is too large or impossible."""
    return _small_case


@pytest.fixture(scope="session")
def odd_case() -> Callable[[int], SmallCase | None]:
    """Return the same of layers with odd axes, other counting rules, or five levels."""
    return _odd_case


def _small_case(seed: int) -> SmallCase | None:
    r = random.Random(seed)
    layer = _layer(r)
    depth = r.choice([2, 3, 3, 3, 4])
    machine = _machine(r, depth, networks=r.random() < 0.4)
    return _all_mappings(seed, r, layer, depth, machine)


def _odd_case(seed: int) -> SmallCase | None:
    r = random.Random(seed)
    rules = r.choice(
        [
            CostRules(),
            CostRules(geometric_halo=True),
            CostRules(only_innermost_loop_slides=True),
            CostRules.timeloop_2022(),
        ]
    )
    depth = r.choice([2, 3, 3, 4, 5])
    layer = _layer(r) if rules != CostRules() and r.random() < 0.5 else _odd_layer(r)
    machine = evolve(_machine(r, depth, networks=r.random() < 0.4), rules=rules)
    return _all_mappings(seed, r, layer, depth, machine)


@pytest.fixture(scope="session")
def flat_case() -> Callable[[int], SmallCase | None]:
    """Return the same of machines of one memory, with room or without limit."""
    return _flat_case


def _flat_case(seed: int) -> SmallCase | None:
    r = random.Random(seed)
    layer = _layer(r) if r.random() < 0.7 else _odd_layer(r)
    (memory,) = _machine(r, 1, networks=False).levels
    memory = evolve(memory, entries=r.choice([None, None, 40, 100]), is_dram=r.random() < 0.5)
    machine = Architecture("flat", (memory,), Compute(1.0, *r.choice([(1, 1), (2, 3), (4, 1)])))
    return _all_mappings(seed, r, layer, 1, machine)


@pytest.fixture(scope="session")
def wide_case() -> Callable[[int], SmallCase | None]:
    """Return the same of tensors of several widths, which memories pack in several ways."""
    return _wide_case


def _wide_case(seed: int) -> SmallCase | None:
    r = random.Random(seed)
    layer = _layer(r) if r.random() < 0.7 else _odd_layer(r)
    depth = r.choice([2, 3, 3, 3, 4])
    bits = {role: r.choice([None, 1, 2, 4, 5, 8, 16, 32]) for role in ROLES}
    machine = _packing(r, _machine(r, depth, networks=r.random() < 0.4))
    return _all_mappings(seed, r, layer.with_bits(bits), depth, machine)


def _packing(r: random.Random, machine: Architecture) -> Architecture:
    """Return the machine with words of several widths, and multipliers that take their time."""
    levels = [
        evolve(m, word_bits=r.choice([4, 8, 16]), packs=r.choice([(), (), (8,), (2, 4, 16)]))
        for m in machine.levels
    ]
    modes = [Mode(r.choice([4, 8]), 16, 2.0, r.choice([1, 2])), Mode(32, 32, 3.0, r.choice([1, 3]))]
    widths = {"Outputs": 16} if r.random() < 0.3 else {}
    return evolve(
        machine, levels=levels, compute=evolve(machine.compute, modes=modes), widths=widths
    )


def _all_mappings(
    seed: int, r: random.Random, layer: Einsum, depth: int, machine: Architecture
) -> SmallCase | None:
    constraints = _constraints(r, layer, depth) if r.random() < 0.4 else {}
    accelerator = SpatialAccelerator(machine, constraints)
    try:
        space = accelerator.mapspace(layer)
    except CosearchError:
        return None
    if space.size > LARGEST:
        return None
    energy, cycles = [], []
    for rows in space.enumerate(16_384):
        costs = accelerator.evaluate(layer, rows)
        energy.append(costs.energy_pj[costs.feasible])
        cycles.append(costs.cycles[costs.feasible])
    return SmallCase(seed, space, np.concatenate(energy), np.concatenate(cycles))


def _layer(r: random.Random) -> Einsum:
    stride = (r.choice([1, 1, 2, 3]), r.choice([1, 1, 2]))
    dilation = (r.choice([1, 1, 2, 3]), r.choice([1, 1, 2]))
    kind = r.choice(["conv", "conv", "conv", "row", "gemm", "batched", "depthwise", "grouped"])
    if kind == "conv":
        return conv(
            K=r.choice([1, 2, 3]),
            C=r.choice([1, 2]),
            P=r.choice([1, 2, 3, 4]),
            Q=r.choice([1, 2]),
            R=r.choice([1, 2, 3]),
            S=r.choice([1, 2]),
            N=r.choice([1, 1, 2]),
            stride=stride,
            dilation=dilation,
        )
    if kind == "row":
        return conv(
            K=r.choice([1, 2]),
            C=r.choice([1, 2]),
            P=r.choice([4, 6, 8, 9]),
            Q=1,
            R=r.choice([2, 3, 4]),
            stride=stride,
            dilation=dilation,
        )
    if kind == "gemm":
        return gemm(M=r.choice([2, 4, 6, 8]), N=r.choice([1, 2, 4, 6]), K=r.choice([2, 3, 4]))
    if kind == "batched":
        return gemm(M=r.choice([2, 4]), N=r.choice([1, 2, 3]), K=r.choice([2, 4]), B=2)
    if kind == "depthwise":
        return conv(
            G=r.choice([2, 4]),
            K=1,
            C=1,
            P=r.choice([2, 4, 6]),
            Q=r.choice([1, 2]),
            R=r.choice([1, 2, 3]),
            S=r.choice([1, 2]),
            stride=stride,
        )
    return conv(
        G=2,
        K=r.choice([1, 2]),
        C=r.choice([1, 2]),
        P=r.choice([1, 2, 4]),
        Q=1,
        R=r.choice([1, 2, 3]),
        stride=stride,
    )


def _odd_layer(r: random.Random) -> Einsum:
    """Three dimensions on one axis, a dimension on two, axes that share some, or small tensors."""
    subscripts = r.choice(
        [
            "W[k,r] * I[p+r+k] -> O[k,p]",
            "W[k,r] * I[k,2*p+r+2*s] -> O[k,p]",
            "W[r,s] * I[p+r,p+s] -> O[p]",
            "W[k,r] * I[p+r,p] -> O[k,p]",
            "W[k,r] * I[k,k+r] -> O[r]",
            "W[k] * I[k,k,p] -> O[p]",
            "W[r,s] * I[2*p+r,q+s,p] -> O[p,q]",
            "W[k,c] * I[c,p] -> O[k,p]",
        ]
    )
    dims = [d for d in "kcpqrs" if d in subscripts]
    sizes = {d: r.choice([1, 2, 2, 3, 4]) for d in dims}
    return _einsum(subscripts, sizes)


def _einsum(text: str, sizes: Mapping[str, int]) -> Einsum:
    inputs, output = text.split(" -> ")
    tensors = []
    for role, part in zip(ROLES, [*inputs.split(" * "), output], strict=True):
        axes = [
            Axis(tuple((t[-1].upper(), int(t[:-2] or 1)) for t in axis.split("+")))
            for axis in part[2:-1].split(",")
        ]
        tensors.append(Tensor(role, role, tuple(axes)))
    names = tuple(d.upper() for d in sizes)
    return Einsum("odd", names, tuple(sizes.values()), tuple(tensors))


def _energy(r: random.Random) -> AccessEnergy:
    """Whole numbers: sums are then exact, and the last digit can be compared."""
    return AccessEnergy(*(float(r.randint(1, 9)) for _ in range(3)))


def _machine(r: random.Random, depth: int, *, networks: bool) -> Architecture:
    fans = [(1, 1)] * depth
    fans[r.randrange(depth)] = r.choice([(2, 1), (2, 2), (3, 1), (4, 2), (1, 4), (2, 3)])
    if r.random() < 0.3:
        fans[r.randrange(depth)] = r.choice([(2, 1), (1, 2), (2, 2)])
    meshes = [(1, 1)]
    for x, y in reversed(fans):
        meshes.append((meshes[-1][0] * x, meshes[-1][1] * y))
    levels = [
        _memory(r, i, meshes[depth - 1 - i], outermost=i == depth - 1, networks=networks)
        for i in range(depth)
    ]
    rules = CostRules(first_fill_is_counted=r.random() < 0.2)
    return Architecture("small", levels, Compute(1.0, *meshes[-1]), rules=rules)


def _memory(
    r: random.Random, level: int, mesh: tuple[int, int], *, outermost: bool, networks: bool
) -> Memory:
    may = [role for role in ROLES if r.random() < 0.25]
    keeps = [role for role in ROLES if role not in may and r.random() < 0.8]
    partitions = {}
    if not outermost and r.random() < 0.3:
        for role in r.sample(ROLES, r.randint(1, 3)):
            partitions[role] = Partition(r.choice([1, 2, 4, 8, 16]), _energy(r))
    bandwidths = [r.choice([None, None, None, 0.25, 0.5, 1.0, 2.0, 4.0]) for _ in range(3)]
    link = Link(float(r.randint(0, 3)), float(r.randint(0, 2))) if networks else Link()
    return Memory(
        f"L{level}",
        None if outermost else r.choice([2, 4, 6, 10, 16, 30, 80, None]),
        _energy(r),
        block_size=r.choice([1, 1, 1, 2, 4]),
        mesh_x=mesh[0],
        mesh_y=mesh[1],
        read_bandwidth=bandwidths[0],
        write_bandwidth=bandwidths[1],
        shared_bandwidth=bandwidths[2],
        multiple_buffering=r.choice([1.0, 1.0, 2.0]),
        leak_pj_per_cycle=r.choice([0.0, 0.0, 0.25, 1.0]),
        is_dram=outermost,
        keeps=ROLES if outermost else keeps,
        may_keep=may,
        partitions=partitions,
        network_below=link,
    )


def _constraints(r: random.Random, layer: Einsum, depth: int) -> Mapping[str, LevelConstraint]:
    rules = {}
    for level in range(depth):
        if r.random() < 0.5:
            continue
        dims = list(layer.dims)
        r.shuffle(dims)
        rules[f"L{level}"] = LevelConstraint(
            order=tuple(dims[: r.randint(1, len(dims))]) if r.random() < 0.4 else None,
            x_dims=frozenset(dims[:3]) if r.random() < 0.3 else None,
            y_dims=frozenset(dims[2:5]) if r.random() < 0.3 else None,
            temporal={dims[0]: r.choice([1, 1, 1, 2])} if r.random() < 0.4 else {},
            spatial={dims[1]: r.choice([1, 1, 2])} if r.random() < 0.2 else {},
        )
    return rules
