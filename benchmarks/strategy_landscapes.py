"""Spaces whose optimum is known: small hardware spaces in full, mapspaces by the exact mapper."""

from __future__ import annotations

import hashlib
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from attrs import frozen

from cosearch.errors import Infeasible
from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.mapping.mapper import Budget
from cosearch.registry.registry import Registry
from cosearch.search.parameters import Space
from cosearch.study.building import make_hardware, make_mapper, restricted
from cosearch.typing import BoolArray, FloatArray, Rows, Value
from cosearch.workload.source import resolve

LAYER = "resnet18", "layer2.0.conv2"
"""A 3x3 convolution, 128 to 128 channels, 28x28."""


@frozen
class HardwareCase:
    """A hardware space small enough to try every design.

    Attributes:
        name: in the table.
        hardware: a model with options.
        fixed: parameters held, so that the space is small.
        mapper: None is the machine's own.
    """

    name: str
    hardware: str
    fixed: Mapping[str, Value]
    mapper: str | None = None


@frozen
class MapCase:
    """A mapspace, of which the exact mapper knows the best.

    Attributes:
        name: in the table.
        hardware: a model with options, at its baseline.
        workload, layer: what to map.
    """

    name: str
    hardware: str
    workload: str
    layer: str


HARDWARE = (
    HardwareCase("gemmini", "gemmini", {}),
    HardwareCase(
        "systolic", "systolic",
        {"weight_kb": 64, "output_kb": 64, "word_bits": 8, "accumulator_bits": 32,
         "dram_bits_per_cycle": 64},
    ),
    HardwareCase(
        "eyeriss", "eyeriss:resources=free",
        {"spad_inputs": 12, "spad_weights": 224, "spad_outputs": 24, "buffer_kb": 108,
         "buffer_block": 4, "bus_words": 9, "word_bits": 16},
    ),
    HardwareCase("vta", "vta:stack=apache,rules=hidden", {"bus_bytes": 8, "gemm": "pipelined"}),
)  # fmt: skip

MAPSPACES = (
    MapCase("eyeriss/conv3x3", "eyeriss", "resnet18", "layer2.0.conv2"),
    MapCase("eyeriss/conv7x7", "eyeriss", "resnet18", "conv1"),
    MapCase("eyeriss/dqn-k2", "eyeriss", "shi2020-dqn", "DQN-K2"),
    MapCase("gemmini/conv3x3", "gemmini", "resnet18", "layer2.0.conv2"),
    MapCase("gemmini/conv1x1", "gemmini", "resnet50", "layer1.0.conv3"),
    MapCase("systolic/conv3x3", "systolic", "resnet18", "layer2.0.conv2"),
)


@frozen(eq=False)
class Landscape:
    """A space, what its points are worth, and the best of them.

    Attributes:
        name: in the table.
        kind: `hardware` or `mapspace`.
        space: to search.
        judge: from rows to losses float64[n, 1], energy-delay products, and feasible bool[n].
        best: the least loss there is.
        proof: how that is known.
        feasible_share: of rows that meet the known constraints; NaN where not counted.
    """

    name: str
    kind: str
    space: Space
    judge: Callable[[Rows], tuple[FloatArray, BoolArray]]
    best: float
    proof: str
    feasible_share: float


def landscapes(registry: Registry, names: tuple[str, ...]) -> Iterator[Landscape]:
    """Yield the named landscapes, or all."""
    for hardware in HARDWARE:
        if not names or hardware.name in names:
            yield hardware_landscape(hardware, registry)
    for mapspace in MAPSPACES:
        if not names or mapspace.name in names:
            yield mapspace_landscape(mapspace, registry)


def hardware_landscape(case: HardwareCase, registry: Registry) -> Landscape:
    """Evaluate every design, or take them from the last time if a sample of them still holds."""
    model = make_hardware(case.hardware, registry)
    space = restricted(model.space, case.fixed)
    rows = space.unrank(np.arange(space.size))
    known = np.flatnonzero(space.feasible(rows))
    file = _cache(case)

    def loss_of(number: int) -> float:
        return _design_loss(model, space.decode(rows[number]), case, registry)

    losses = np.load(file, allow_pickle=False) if file.exists() else np.zeros(0)
    probes = np.random.default_rng(0).choice(known, size=40)
    if len(losses) != len(rows) or any(losses[i] != loss_of(i) for i in probes):
        losses = np.full(len(rows), np.inf)
        losses[known] = [loss_of(i) for i in known]
        np.save(file, losses)

    def judge(rows: Rows) -> tuple[FloatArray, BoolArray]:
        found = losses[space.rank(rows)]
        return found[:, None].copy(), np.isfinite(found)

    share = float(np.isfinite(losses).sum() / len(known))
    tried = f"trying all {len(known)} designs"
    return Landscape(case.name, "hardware", space, judge, float(losses.min()), tried, share)


def _cache(case: HardwareCase) -> Path:
    """Return where a case's losses are kept; another case of the same name has another file."""
    text = repr((case.hardware, sorted(case.fixed.items()), case.mapper, LAYER))
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"cosearch-landscape-{case.name}-{digest}.npy"


def _design_loss(
    model: HardwareModel, configuration: Mapping[str, Value], case: HardwareCase, registry: Registry
) -> float:
    """Return the energy-delay product of the layer's best mapping; infinite if infeasible."""
    try:
        machine = build(model, configuration)
        return _best_of(machine, LAYER, case.mapper, registry)
    except Infeasible:
        return math.inf


def _best_of(
    machine: Accelerator, layer: tuple[str, str], mapper: str | None, registry: Registry
) -> float:
    finder = make_mapper(mapper or machine.default_mapper, registry)
    einsum = _einsum(*layer, registry)
    rng = np.random.default_rng(0)
    found = finder.map(machine, einsum, registry.objective("edp"), Budget(), rng)
    if not found.proven:
        raise SystemExit(f"{machine.name}: the best mapping of {layer[1]} is not proven")
    return found.energy_pj * found.cycles


def _einsum(workload: str, layer: str, registry: Registry):  # noqa: ANN202
    network = resolve(workload, registry)
    return next(entry.einsum for entry in network.layers if entry.name == layer)


def mapspace_landscape(case: MapCase, registry: Registry) -> Landscape:
    """Find the best mapping exactly, and judge others by the machine's batched model."""
    model = make_hardware(case.hardware, registry)
    machine = build(model, model.baseline)
    layer = _einsum(case.workload, case.layer, registry)
    space = machine.mapspace(layer)

    def judge(rows: Rows) -> tuple[FloatArray, BoolArray]:
        batch = machine.evaluate(layer, rows)
        return (batch.energy_pj * batch.cycles)[:, None], batch.feasible

    started = time.perf_counter()
    best = _best_of(machine, (case.workload, case.layer), None, registry)
    proof = f"the {machine.default_mapper} mapper in {time.perf_counter() - started:.2f} s, proven"
    rows = space.sample(20_000, np.random.default_rng(0))
    share = float(judge(rows)[1].mean())
    return Landscape(case.name, "mapspace", space, judge, best, proof, share)
