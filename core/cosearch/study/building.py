"""From names, as users write them, to what they stand for; from settings to a problem."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attrs import evolve

from cosearch.answers import no_text, shown
from cosearch.errors import (
    CosearchError,
    Infeasible,
    InputError,
    PluginError,
    UnknownNameError,
    broken,
    expanded,
    pass_on,
)
from cosearch.machine.building import build, network_for
from cosearch.machine.hardware import HardwareModel
from cosearch.mapping.mapper import Mapper
from cosearch.mapping.strategy_mapper import StrategyMapper
from cosearch.origin import origin
from cosearch.registry.registry import Named, Registry, split_spec
from cosearch.search.objective import Constraint, Objective
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.study.fusing import refuse_unfusing
from cosearch.study.problem import Problem
from cosearch.study.scheme import Scheme
from cosearch.trials.spec import StudySpec
from cosearch.typing import Configuration, Value
from cosearch.workload.network import ESTIMATED, MEASURED, PREDICTED, NetworkSpace
from cosearch.workload.source import resolve

MACHINE_FILES = (".yaml", ".yml", ".json")
"""Suffixes by which a text names a file even where there is none."""

NETWORK, MACHINE = "network", "machine"
"""The groups of parameters where both are searched."""

FUSING = "fused"
"""The mapper asked to fuse layers where nobody names one."""

FALLBACK_MAPPERS = ("evolutionary", "random")
"""The default mapper where the one a machine names is not installed; shown like any other."""


def make_hardware(text: str, registry: Registry) -> HardwareModel:
    """Return the hardware model of a name with options, or the one machine in a file."""
    if names_a_file(text, registry):
        return _in_file(text, registry)
    named: Named[HardwareModel] = registry.find("hardware_models", text)
    model: HardwareModel = _made(named, "hardware model")
    return model


def canonical_hardware(text: str, registry: Registry) -> str:
    """Return `name:key=value,...` with checked options in order; a file stays as it is named."""
    if names_a_file(text, registry):
        return text
    return registry.find("hardware_models", text).spec


def names_a_file(text: str, registry: Registry) -> bool:
    """Return whether `NAME:key=value,...` names a machine file; a registered name goes first."""
    name = text.partition(":")[0].strip()
    if name in registry.entries["hardware_models"]:
        return False
    return name.lower().endswith(MACHINE_FILES) or expanded(name).is_file()


def _in_file(text: str, registry: Registry) -> HardwareModel:
    """Return the machine of a file, by whichever plugin reads it."""
    name, options = split_spec(text)
    path = expanded(name)
    model: HardwareModel | None = registry.manager.hook.cosearch_read_hardware(
        path=path, options=options, registry=registry
    )
    if model is None:
        raise InputError(name, ["no plugin reads a machine from this kind of file"])
    return model


def make_strategy(text: str, registry: Registry) -> Named[Strategy]:
    """Return a strategy's class with its options."""
    named: Named[Strategy] = registry.find("strategies", text)
    return named


def make_mapper(text: str, registry: Registry) -> Mapper:
    """Return the mapper of a name with options; every strategy's name is a mapper's too."""
    name = text.partition(":")[0].strip()
    if name in registry.entries["mappers"]:
        found: Named[Mapper] = registry.find("mappers", text)
        mapper: Mapper = _made(found, "mapper")
        return mapper
    if name in registry.entries["strategies"]:
        return StrategyMapper(make_strategy(text, registry))
    known = (*registry.entries["mappers"], *registry.entries["strategies"])
    raise UnknownNameError("mapper", name, known)


def canonical_mapper(text: str, registry: Registry) -> str:
    """Return `name:key=value,...` with checked options in order."""
    kind = "mappers" if text.partition(":")[0].strip() in registry.entries["mappers"] else None
    if kind is None:
        make_mapper(text, registry)
    return registry.find(kind or "strategies", text).spec


def default_mapper(model: HardwareModel, registry: Registry) -> str:
    """Return the mapper that a family's machines are searched with unless another is named."""
    known = {*registry.entries["mappers"], *registry.entries["strategies"]}
    try:
        wanted = build(model, model.baseline).default_mapper
    except Infeasible:
        wanted = FALLBACK_MAPPERS[0]
    for name in (wanted, *FALLBACK_MAPPERS):
        if name in known:
            return name
    raise UnknownNameError("mapper", wanted, known)


def _mapper_for(asked: StudySpec, model: HardwareModel, registry: Registry) -> str:
    return FUSING if asked.fuse else default_mapper(model, registry)


def _made(named: Named[Any], kind: str) -> Any:  # noqa: ANN401 - the class named
    try:
        return named.make()
    except CosearchError:
        raise
    except BaseException as error:
        pass_on(error)
        raise broken(kind, named.name, "its constructor", error, named.target) from error


def make_scheme(text: str, registry: Registry) -> Scheme:
    """Return the scheme of a name with options."""
    named: Named[Scheme] = registry.find("schemes", text)
    scheme: Scheme = _made(named, "scheme")
    return scheme


def problem_of(spec: StudySpec, registry: Registry) -> Problem:
    """Resolve every name, or raise UnknownNameError, InputError or PluginError."""
    hardware = make_hardware(spec.hardware, registry)
    objectives = tuple(registry.objective(name) for name in spec.objectives)
    mapper = make_mapper(spec.mapper, registry)
    scheme = make_scheme(spec.scheme, registry)
    networks = make_networks(spec.workload, registry)
    alone = hardware.space if scheme.finds_networks else design_space(hardware, networks)
    space = restricted(alone, spec.fixed)
    if spec.held:
        space = held(space, hardware.baseline, spec.fixed)
    if networks is None and scheme.finds_networks:
        raise CosearchError(
            f"the scheme {spec.scheme} finds networks, and {spec.workload!r} is a single one",
            "name a space of networks: cosearch list network-spaces",
        )
    if networks is None:
        _refuse_accuracy(spec, objectives)
        network = network_for(hardware, resolve(spec.workload, registry))
    else:
        network = network_for(hardware, networks.build(networks.space.index(networks.baseline)))
        scheme.check_networks(networks, objectives)
    problem = Problem(
        spec,
        hardware,
        scheme.space(hardware, space, network),
        network,
        scheme.mapper(mapper, hardware),
        objectives,
        _mapper_objective(objectives, registry.objectives),
        tuple(Constraint.parse(text, registry.objectives) for text in spec.constraints),
        registry.objectives,
        scheme.mapper_of,
        networks,
        scheme.inside if scheme.finds_networks else None,
    )
    if spec.fuse:
        refuse_unfusing(problem)
    if networks is not None:
        _refuse_missing(problem, networks)
    return problem


def _refuse_missing(problem: Problem, networks: NetworkSpace) -> None:
    """Raise CosearchError where a score is asked for that a file would have to bring."""
    asked = {need for objective in problem.objectives for need in objective.needs}
    for name in sorted(asked | {limit.name for limit in problem.constraints}):
        if hint := networks.missing(name):
            raise CosearchError(f"{name} is not known of {problem.spec.workload}", hint)


def _refuse_accuracy(spec: StudySpec, objectives: Sequence[Objective]) -> None:
    """Raise CosearchError where a single network is to be judged by its accuracy."""
    asked = [o.name for o in objectives if "accuracy" in o.needs]
    asked += [text for text in spec.constraints if re.match(r"(accuracy|error)\b", text)]
    if asked:
        raise CosearchError(
            f"{asked[0]}: no accuracy is known of the network {spec.workload!r}",
            "name a space of networks: cosearch list network-spaces",
        )


def make_networks(text: str, registry: Registry) -> NetworkSpace | None:
    """Return the space of networks that a workload's text names; None for one network."""
    if text.partition(":")[0].strip() not in registry.entries["network_spaces"]:
        return None
    networks: NetworkSpace = registry.made("network_spaces", text)
    _refuse_nonsense(networks)
    return networks


def _refuse_nonsense(networks: NetworkSpace) -> None:
    """Raise PluginError for what a space of networks says of itself that cannot be."""
    who = f"network space {type(networks).__name__!r} {origin(networks)}"
    if networks.accuracy_is not in (MEASURED, PREDICTED, ESTIMATED):
        raise PluginError(f"{who}: accuracy_is is {shown(networks.accuracy_is)}")
    if wrong := no_text(networks.accuracy_note):
        raise PluginError(f"{who}: accuracy_note {wrong}")
    scores: object = networks.scores
    if not isinstance(scores, tuple) or any(map(no_text, scores)):
        raise PluginError(f"{who}: scores are {shown(scores)}, no tuple of texts")
    try:
        networks.space.index(networks.baseline)
    except (CosearchError, ValueError, KeyError) as error:
        if isinstance(error, PluginError):
            raise
        raise PluginError(f"{who}: baseline is no network of its space: {error}") from error


def design_space(hardware: HardwareModel, networks: NetworkSpace | None) -> ParameterSpace:
    """Return the parameters of machines; of networks and machines in two groups where both vary."""
    if networks is None:
        return hardware.space
    return grouped(networks.space, NETWORK).beside(grouped(hardware.space, MACHINE))


def grouped(space: ParameterSpace, group: str) -> ParameterSpace:
    """Return a space with all its parameters in one group."""
    return evolve(space, parameters=tuple(evolve(p, group=group) for p in space.parameters))


def threaded(problem: Problem, registry: Registry, threads: int) -> Problem:
    """Return the problem with mappers for so many threads that map the layers of one design."""
    if threads == 1:
        return problem
    spec = problem.spec
    scheme = make_scheme(spec.scheme, registry)
    others = [
        scheme.mapper(make_mapper(spec.mapper, registry), problem.hardware)
        for _ in range(threads - 1)
    ]
    return evolve(problem, others=tuple(others))


def held(space: ParameterSpace, baseline: Configuration, given: Collection[str]) -> ParameterSpace:
    """Return the space with all that changes the computation as the baseline has it.

    Args:
        space: to be searched.
        baseline: values by parameter.
        given: names that the user has fixed, however that may be.
    """
    changing = (p for p in space.parameters if p.changes and not p.searched)
    values = {p.name: baseline.get(p.name, p.default) for p in changing if p.name not in given}
    return restricted(space, values)


def restricted(space: ParameterSpace, fixed: Mapping[str, Value]) -> ParameterSpace:
    """Return the space with some parameters fixed; raises InputError for an impossible value."""
    values = {name: space[name].check(value) for name, value in fixed.items()}

    def restrict(parameter: Parameter) -> Parameter:
        if parameter.name not in values:
            return parameter
        value = values[parameter.name]
        return evolve(parameter, choices=(value,), default=value)

    return evolve(space, parameters=tuple(map(restrict, space.parameters)))


def canonical(asked: StudySpec, registry: Registry) -> StudySpec:
    """Return the settings with every name and value checked and in canonical form, none left open.

    Raises:
        UnknownNameError, InputError, PluginError: what is wrong with which of them.
    """
    model = make_hardware(asked.hardware, registry)
    space = design_space(model, make_networks(asked.workload, registry))
    known = registry.objectives
    if len(set(asked.objectives)) != len(asked.objectives):
        raise InputError(f"--objective {','.join(asked.objectives)}", ["names an objective twice"])
    return evolve(
        asked,
        hardware=canonical_hardware(asked.hardware, registry),
        strategy=make_strategy(asked.strategy, registry).spec,
        mapper=canonical_mapper(asked.mapper or _mapper_for(asked, model, registry), registry),
        objectives=tuple(registry.objective(name).name for name in asked.objectives),
        constraints=tuple(
            str(Constraint.parse(_in_numbers(text, model), known)) for text in asked.constraints
        ),
        fixed={name: _value(space[name], value) for name, value in asked.fixed.items()},
        scheme=registry.find("schemes", asked.scheme).spec,
    )


AS_BASELINE = re.compile(r"\s*area_mm2\s*<=\s*baseline\s*")


def _in_numbers(constraint: str, model: HardwareModel) -> str:
    """Return a constraint with the baseline's area, rounded up to six digits, in place of a word.

    Raises:
        Infeasible: the baseline cannot be built.
    """
    if not AS_BASELINE.fullmatch(constraint):
        return constraint
    area = build(model, model.baseline).area_mm2
    if not math.isfinite(area):
        raise CosearchError(f"{model.name!r} has no area to be held to", f"leave out {constraint}")
    step = 10.0 ** (math.floor(math.log10(area)) - 5) if area > 0 else 1.0
    return f"area_mm2<={math.ceil(area / step) * step:.6g}"


def _value(parameter: Parameter, value: Value) -> Value:
    return parameter.parse(value) if isinstance(value, str) else parameter.check(value)


def _mapper_objective(
    objectives: tuple[Objective, ...], known: Mapping[str, Objective]
) -> Objective:
    """Return the objective itself where a mapping decides it, the energy-delay product if not."""
    mine = [o for o in objectives if set(o.needs) <= {"energy_pj", "cycles"}]
    return mine[0] if len(mine) == 1 else known["edp"]
