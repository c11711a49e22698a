"""A machine: its memories as a tree, what they cost and who says so, and its design space."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from rich.console import RenderableType
from rich.text import Text
from rich.tree import Tree

from cosearch.cli.output import table
from cosearch.cli.session import Session
from cosearch.cli.show_plugin import (
    facts_of,
    heading,
    options_of,
    parameter_facts,
    parameter_table,
    show_options,
    size_of,
)
from cosearch.cli.text.sources import show_sources
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.machine.building import build
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.quantities import digits, percent
from cosearch.registry.registry import Named
from cosearch.search.parameters import ParameterSpace
from cosearch.study.building import make_hardware, names_a_file
from cosearch.typing import Value
from cosearch.workload.elementwise import ADD, MULTIPLY, POOLING, pointwise, pool

DRAWS = 20_000
"""Random designs from which the share that meets the rules is estimated."""


def show(session: Session, spec: str, given: Mapping[str, str], *, json: bool) -> None:
    """Show a hardware model: the machine of one configuration, and all there could be.

    A file describes one machine, with nothing to choose.
    """
    if names_a_file(spec, session.registry):
        _show_file(session, spec, given, json=json)
        return
    named: Named[HardwareModel] = session.registry.find("hardware_models", spec)
    model = make_hardware(spec, session.registry)
    configuration = {**model.baseline, **model.space.parse(given)}
    accelerator = build(model, configuration)
    facts = facts_of(session.registry, "hardware_models", named)
    if json:
        session.output.json(
            {
                **facts,
                "options": options_of(named),
                "configuration": configuration,
                "machine": machine_facts(accelerator),
                "space": _space_facts(model.space),
            }
        )
        return
    heading(session, facts)
    session.output.show("")
    _show_machine(session, accelerator, chosen=given)
    _show_elementwise(session, model)
    _show_space(session, model.space, configuration)
    session.output.show("")
    show_options(session, named)


def _show_file(session: Session, spec: str, given: Mapping[str, str], *, json: bool) -> None:
    """Show the one machine in a file, and what the file says of mappings."""
    model = make_hardware(spec, session.registry)
    model.space.parse(given)
    machine = build(model, model.baseline)
    notes, said = model.notes, model.said_of_mappings
    if json:
        session.output.json(
            {
                "name": model.name,
                "spec": spec,
                "machine": machine_facts(machine),
                "constraints": said,
                "notes": notes,
            }
        )
        return
    for note in notes:
        session.output.warn(note)
    session.output.title(spec, "a machine in a file")
    session.output.show("")
    _show_machine(session, machine, chosen=given)
    if said:
        session.output.title("constraints", "in the words of the problem they were written for")
        for line in said:
            session.output.show(f"  {line}")


def _show_machine(session: Session, machine: Accelerator, chosen: Mapping[str, str]) -> None:
    which = ", ".join(f"{k}={v}" for k, v in chosen.items()) or "baseline"
    about = [f"{digits(machine.area_mm2)} mm2" if np.isfinite(machine.area_mm2) else "no area"]
    if machine.clock_mhz is not None:
        about.append(f"{digits(machine.clock_mhz)} MHz")
    session.output.title(f"machine ({which})", ", ".join(about))
    architecture = getattr(machine, "architecture", None)
    if isinstance(architecture, Architecture):
        session.output.show(tree_of(architecture), "", _energies(architecture))
    for line in machine.sketch:
        session.output.show(line)
    session.output.show("")
    if machine.sources:
        show_sources(session.output, machine.sources)
        session.output.show("")


def _show_elementwise(session: Session, model: HardwareModel) -> None:
    """Say what the model does with layers that have no multiply-accumulates."""
    layers = [
        *(pool(name, name, C=1, P=1, Q=1, R=2, S=2) for name in POOLING),
        *(pointwise(name, name, C=1, P=1, Q=1, operands=("NCPQ",)) for name in (ADD, MULTIPLY)),
        pointwise("activations", "swish", C=1, P=1, Q=1),
    ]
    told: dict[str, list[str]] = {}
    for layer in layers:
        told.setdefault(model.left_out(layer), []).append(layer.name)
    for reason, names in told.items():
        verdict = f"left out, for {reason}" if reason else "priced"
        session.output.prose(f"element-wise work: {', '.join(names)}: {verdict}", "faint")
    session.output.show("")


def tree_of(architecture: Architecture) -> Tree:
    """Return the machine drawn from the outermost memory down to the multipliers."""
    outer, *inner = reversed(architecture.levels)
    root = node = Tree(_memory(outer), guide_style="faint")
    for memory in inner:
        node = node.add(_memory(memory))
    compute = architecture.compute
    mesh = _mesh(compute.mesh_x, compute.mesh_y)
    node.add(Text.assemble((compute.name, "name"), f"  {mesh}, {_operands(compute)}"))
    return root


def _operands(compute: Compute) -> str:
    """Return the widths of what is multiplied: `8 bit`, or `1 to 8 by 1 to 8 bit`."""
    if not compute.modes:
        return f"{compute.word_bits} bit"
    sides = ({m.weights for m in compute.modes}, {m.inputs for m in compute.modes})
    told = (f"{min(s)} to {max(s)}" if len(s) > 1 else str(*s) for s in sides)
    return f"{' by '.join(told)} bit"


def _memory(memory: Memory) -> Text:
    parts = [_mesh(memory.mesh_x, memory.mesh_y)] if memory.instances > 1 else []
    each = "each " if memory.instances > 1 else ""
    if memory.partitions:
        held = [f"{role} {part.entries:,}" for role, part in memory.partitions.items()]
        if _shared(memory):
            size = "unlimited" if memory.entries is None else f"{memory.entries:,}"
            held.insert(0, f"{' '.join(_shared(memory))} {size}")
        parts.append(f"{each}{', '.join(held)} words")
    elif memory.entries is None:
        parts.append("unlimited")
    else:
        parts.append(f"{each}{memory.entries:,} words")
    text = Text.assemble((memory.name, "name"), f"  {', '.join(parts)}")
    text.append(f"  {'; '.join(filter(None, (_tensors(memory), _stored(memory))))}", style="faint")
    return text


def _stored(memory: Memory) -> str:
    """Return the widths that a memory, or its parts, store elements in."""
    packs = {*memory.packs, *(bits for p in memory.partitions.values() for bits in p.packs)}
    return f"stores {' or '.join(map(str, sorted(packs)))} bit" if packs else ""


def _shared(memory: Memory) -> list[str]:
    """Return the roles that a memory holds and has no partition for."""
    return sorted((memory.keeps | memory.may_keep) - set(memory.partitions))


def _tensors(memory: Memory) -> str:
    keeps, may = sorted(memory.keeps), sorted(memory.may_keep - memory.keeps)
    told = [f"keeps {' '.join(keeps)}"] if keeps else []
    return "; ".join(told + ([f"may keep {' '.join(may)}"] if may else []))


def _mesh(x: int, y: int) -> str:
    return f"{x} x {y} = {x * y}" if y > 1 else str(x)


def _energies(architecture: Architecture) -> RenderableType:
    """Return what every memory costs, inner to outer reversed, as drawn above."""
    rows: list[tuple[str, ...]] = []
    for memory in reversed(architecture.levels):
        rows.append(_costs(memory, memory.name, memory.energy, area=True))
        if memory.partitions and not _shared(memory):
            rows[-1] = (*rows[-1][:3], "", "", "", *rows[-1][6:])
        rows += [
            _costs(memory, f"  {role}", part.energy, area=False, bits=part.word_bits)
            for role, part in memory.partitions.items()
        ]
    unit = architecture.compute
    area = digits(unit.instances * unit.area_um2 / 1e6)
    rows.append((unit.name, str(unit.word_bits), "1", digits(unit.energy_pj), "", "", "", "", area))
    return table(
        (
            "",
            ">word|bits",
            ">access|words",
            ">read|pJ",
            ">fill|pJ",
            ">update|pJ",
            ">bandwidth|words/cycle",
            ">leakage|pJ/cycle",
            ">area|mm2",
        ),
        rows,
    )


def _costs(
    memory: Memory, name: str, energy: AccessEnergy, *, area: bool, bits: int | None = None
) -> tuple[str, ...]:
    pj = (digits(energy.read), digits(energy.fill), digits(energy.update))
    if not area:
        return (name, str(bits or ""), "", *pj, "", "", "")
    return (
        name,
        str(memory.word_bits),
        str(memory.block_size),
        *pj,
        _bandwidth(memory),
        digits(memory.leak_pj_per_cycle),
        digits(memory.instances * memory.area_um2 / 1e6) if memory.area_um2 else "-",
    )


def _bandwidth(memory: Memory) -> str:
    parts = [
        f"{digits(words)}{mark}"
        for words, mark in (
            (memory.read_bandwidth, " read"),
            (memory.write_bandwidth, " write"),
            (memory.shared_bandwidth, ""),
        )
        if words is not None
    ]
    return ", ".join(parts) or "-"


def _show_space(session: Session, space: ParameterSpace, values: Mapping[str, Value]) -> None:
    share = _feasible_share(space)
    about = "1 design" if space.size == 1 else f"{size_of(space)} designs"
    if share < 1:
        about += f", about {percent(share)} of them meet the rules"
    session.output.title("design space", about)
    session.output.show(parameter_table(space, dict(values)))
    if space.rules:
        session.output.show("")
        session.output.title("rules", "a design that breaks one cannot be built:")
        for rule in space.rules:
            session.output.prose(rule.reason, indent=2)


def _feasible_share(space: ParameterSpace) -> float:
    if not space.rules:
        return 1.0
    rows = space.sample(DRAWS, np.random.default_rng(0))
    return float(space.feasible(rows).mean())


def machine_facts(machine: Accelerator) -> dict[str, object]:
    """Return a machine for JSON."""
    architecture = getattr(machine, "architecture", None)
    facts: dict[str, object] = {
        "name": machine.name,
        "key": machine.key,
        "area_mm2": machine.area_mm2,
        "clock_mhz": machine.clock_mhz,
        "default_mapper": machine.default_mapper,
        "sources": machine.sources,
    }
    if isinstance(architecture, Architecture):
        facts |= {"levels": architecture.levels, "compute": architecture.compute}
    return facts


def _space_facts(space: ParameterSpace) -> dict[str, object]:
    return {
        "size": space.size,
        "parameters": [parameter_facts(p) for p in space.parameters],
        "rules": [rule.reason for rule in space.rules],
        "feasible_share": _feasible_share(space),
    }
