"""One machine from a script: `cosearch.map`, `evaluate`, `hardware` and `workload`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen

from cosearch.api.names import Names, Plugins
from cosearch.api.tables import Record, Tabular
from cosearch.errors import CosearchError, Infeasible
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.loopnest.mapping import Mapping as LoopMapping
from cosearch.machine.building import build
from cosearch.machine.cost import Cost
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.mapping.claim import account_of, explained
from cosearch.mapping.fused import FusedRun
from cosearch.mapping.network import choose, map_layers
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.quantities import energy, si
from cosearch.registry.registry import Registry
from cosearch.study.building import canonical, make_hardware, problem_of, threaded
from cosearch.study.problem import Problem
from cosearch.trials.spec import FOR_ONE_MACHINE, StudySpec
from cosearch.typing import Configuration
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Layer, Network, Workload
from cosearch.workload.source import resolve


@frozen(eq=False)
class LayerMapping:
    """The mapping of one layer.

    Attributes:
        name: of the layer.
        count: how often the network runs it.
        energy_pj, cycles: of one run.
        proven: whether no other mapping is better for what it was searched for.
        gap: how far from the optimum it can be at most, relative; None where nothing is proven.
        loops: the mapping as an indented loop nest.
        row: the mapping as a point of the machine's mapspace.
        mapping: as loops, for a machine that is a SpatialAccelerator; else None.
        cost: the reference model's account of one run, level by level.
    """

    name: str
    count: int
    energy_pj: float
    cycles: float
    proven: bool
    gap: float | None
    loops: str
    row: tuple[int, ...]
    mapping: LoopMapping | None
    cost: Cost

    @classmethod
    def of(cls, machine: Accelerator, layer: Layer, found: LayerResult) -> LayerMapping:
        """Return a mapper's result, explained by the reference model."""
        cost = explained(found, machine, layer.einsum)
        mapping = None
        if isinstance(machine, SpatialAccelerator):
            space = machine.mapspace(found.as_run(layer.einsum))
            mapping = space.mapping_of(np.array(found.row, dtype=np.int64))
        return cls(
            layer.name,
            layer.count,
            found.energy_pj,
            found.cycles,
            found.proven,
            found.gap,
            "\n".join(cost.loops),
            found.row,
            mapping,
            cost,
        )


@frozen(eq=False, str=False, repr=False)
class MappingResult(Tabular):
    """Every layer of a workload, mapped onto one machine.

    Attributes:
        workload: its name.
        machine: mapped onto.
        layers: each unique layer.
        energy_pj, cycles: of a run of all layers, counts included.
        gap: how far from the optimum of the objective all together can be at most, relative; None
            where nothing is proven.
        groups: with `fuse=True` how the network is run, layers together or alone; the costs are
            then those of the groups, and what `layers` says is of each alone.
    """

    workload: str
    machine: Accelerator
    layers: tuple[LayerMapping, ...]
    energy_pj: float
    cycles: float
    gap: float | None
    groups: tuple[FusedRun, ...] = ()

    @property
    def edp(self) -> float:
        """Energy times cycles, pJ x cycles."""
        return self.energy_pj * self.cycles

    @property
    def proven(self) -> bool:
        """Whether no other choice of mappings is better for the objective."""
        return self.gap is not None and self.gap <= 1e-12

    @property
    def loops(self) -> str:
        """The loop nest of each layer."""
        return "\n\n".join(f"{layer.name}\n{layer.loops}" for layer in self.layers)

    def records(self) -> list[Record]:
        """Return a dict a layer: name, count, energy, cycles, utilization, proof."""
        return [
            {
                "layer": layer.name,
                "count": layer.count,
                "energy_pj": layer.energy_pj,
                "cycles": layer.cycles,
                "utilization": layer.cost.utilization,
                "bound_by": layer.cost.bound_by,
                "proven": layer.proven,
                "gap": layer.gap,
            }
            for layer in self.layers
        ]

    @property
    def title(self) -> str:
        """What was found, in a line."""
        proof = "proven best" if self.proven else "best of those tried"
        costs = f"{energy(self.energy_pj)}, {si(self.cycles, 'cycles', 4)}"
        return f"{self.workload} on {self.machine.name}: {costs}, {proof}"


def map(  # noqa: A001 - the field's word
    workload: str | Network | Layer | Einsum | Workload | type[Workload],
    hardware: str | HardwareModel | type[HardwareModel] | Accelerator,
    *,
    workers: int = 1,
    registry: Registry | None = None,
    plugins: Plugins = (),
    **settings: Any,  # noqa: ANN401 - checked by StudySpec
) -> MappingResult:
    """Find the best mapping of each layer on one machine.

    Args:
        workload: a name, a path or an einsum, `resnet18:conv1` for one layer; or an object.
        hardware: a machine; or a model by name, as an object or a class, for its baseline.
        workers: layers mapped at once; same result.
        registry: knows the names; loaded if left out.
        plugins: plugin files, or folders of them.
        settings: further ones by name, as `StudySpec` lists them; `fixed` sets parameters.

    Raises:
        Infeasible: the machine cannot be built, or a layer fits nowhere.
        CosearchError: what else is wrong.
    """
    names = Names.of(registry, plugins)
    problem = problem_for(names, workload, hardware, settings, workers)
    return mapped(problem, {**problem.hardware.baseline, **problem.spec.fixed})


def problem_for(
    names: Names, workload: object, hardware: object, settings: Mapping[str, Any], workers: int = 1
) -> Problem:
    """Return what is asked of one machine, or of several of a family.

    Raises:
        CosearchError: a setting that means nothing for one machine, or several objectives.
    """
    for name in settings:
        if name not in FOR_ONE_MACHINE:
            known = ", ".join(n for n in FOR_ONE_MACHINE if n != "hardware")
            raise CosearchError(f"{name!r} is no setting of one machine", f"there is: {known}")
    given = names.settings(settings)
    asked = StudySpec.of(names.workload(workload), names.hardware(hardware), **given)
    spec = canonical(asked, names.registry)
    if len(spec.objectives) > 1:
        raise CosearchError(f"layers are mapped for one objective, not {len(spec.objectives)}")
    return threaded(problem_of(spec, names.registry), names.registry, workers)


def mapped(problem: Problem, configuration: Configuration) -> MappingResult:
    """Return every layer mapped onto one machine of a family; raises Infeasible."""
    machine = build(problem.hardware, configuration)
    problem = problem.for_design(configuration)
    pool, layers = problem.pool(machine, configuration), problem.network.unique
    own: list[LayerResult] = []
    for result in map_layers(pool, layers):
        if isinstance(result, Unmapped):
            raise Infeasible(result.reason, result.margins, result.hint)
        own.append(result)
    found = choose(pool, layers, own)
    pairs = zip(layers, found.layers, strict=True)
    alone = MappingResult(
        problem.network.name,
        machine,
        tuple(LayerMapping.of(machine, layer, result) for layer, result in pairs),
        found.energy_pj,
        found.cycles,
        found.gap,
    )
    return _fused(problem, alone) if problem.spec.fuse else alone


def _fused(problem: Problem, alone: MappingResult) -> MappingResult:
    spec, aim = problem.spec, problem.mapper_objective
    found = problem.mapper.fuse(
        alone.machine, problem.network, aim, spec.mapper_budget, spec.fuse_most
    )
    costs = found.energy_pj, found.cycles, found.gap
    return MappingResult(alone.workload, alone.machine, alone.layers, *costs, found.runs)


def evaluate(
    layer: str | Einsum | Layer | Network,
    machine: Accelerator,
    mapping: LoopMapping | Sequence[int],
    *,
    registry: Registry | None = None,
    plugins: Plugins = (),
) -> Cost:
    """Price one given mapping of one layer on one machine, with the full breakdown.

    Args:
        layer: `resnet18:conv1`, an einsum with its sizes, or an object.
        machine: what `hardware(...).build(...)` makes.
        mapping: loops, as `map(...).layers[0].mapping` has them, or a row of the mapspace.
        registry: knows the names; loaded if left out.
        plugins: plugin files, or folders of them.

    Raises:
        Infeasible: the machine cannot run it; the reason says which level overflows.
        CosearchError: the workload has several layers, or the machine takes rows alone.
    """
    names = Names.of(registry, plugins)
    network = resolve(names.workload(layer), names.registry)
    if len(network.unique) != 1:
        raise CosearchError(f"{network.name!r} has {len(network.unique)} layers", "name one layer")
    einsum = network.unique[0].einsum
    if not isinstance(mapping, LoopMapping):
        return account_of(machine, einsum, mapping)
    if not isinstance(machine, SpatialAccelerator):
        raise CosearchError(f"{machine.name!r} takes rows of its mapspace, no loop nest")
    from cosearch.loopnest.model.reference import cost
    from cosearch.loopnest.validity import check

    check(machine.architecture, einsum, mapping)
    return cost(machine.architecture, einsum, mapping)


def hardware(
    name: str, *, registry: Registry | None = None, plugins: Plugins = ()
) -> HardwareModel:
    """Return a hardware model: `hardware("eyeriss").build({"pe_x": 12})` is a machine.

    Args:
        name: with options, or a file.
        registry: knows the names; loaded if left out.
        plugins: plugin files, or folders of them.

    Raises:
        UnknownNameError: there is none of that name; near ones are suggested.
    """
    return make_hardware(name, Names.of(registry, plugins).registry)


def workload(name: str, *, registry: Registry | None = None, plugins: Plugins = ()) -> Network:
    """Return the network of a name, a path or an einsum.

    Args:
        name: such as `resnet18:batch=4`, `net.onnx` or `O[m,n] += A[m,k]*B[k,n] ; m=8,n=8,k=8`.
        registry: knows the names; loaded if left out.
        plugins: plugin files, or folders of them.

    Raises:
        UnknownNameError, InputError: what is wrong with it.
    """
    return resolve(name, Names.of(registry, plugins).registry)
