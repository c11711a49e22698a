"""Timeloop's input files together: a machine, a problem and a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

from cosearch.errors import InputError
from cosearch.formats.spec import ReadLayer, Specification
from cosearch.formats.yaml_source import YamlDocument
from cosearch.loopnest.breaches import breaches
from cosearch.loopnest.mapping import LevelMapping
from cosearch.loopnest.mapping import Mapping as Nest
from cosearch.machine.architecture import Architecture, CostRules, Link, Memory
from cosearch.machine.technology import Technology
from cosearch_plugins.formats.timeloop.architecture import (
    TimeloopMachine,
    architecture_of,
    with_technology,
)
from cosearch_plugins.formats.timeloop.constraints import (
    PARTS as CONSTRAINTS,
)
from cosearch_plugins.formats.timeloop.constraints import (
    placed,
    read_constraints,
    understood,
)
from cosearch_plugins.formats.timeloop.mapping import mapping_of
from cosearch_plugins.formats.timeloop.problem import problem_of
from cosearch_plugins.formats.timeloop.sparse import PART as SPARSE_PART
from cosearch_plugins.formats.timeloop.sparse import SPARSE, compressing, with_room
from cosearch_plugins.formats.timeloop.tables import (
    EnergyTable,
    area_table_of,
    energy_table_of,
    read_area_table,
    read_energy_table,
)
from cosearch_plugins.formats.timeloop.yaml import read_timeloop_yaml

PARTS = ("architecture", "problem", "mapping")

SPELLINGS: Mapping[str, str] = {"arch": "architecture", "prob": "problem", "shape": "problem"}
"""Older names of parts."""

ELSEWHERE = (
    "mapper",
    "mapspace",
    "components",
    "compound_components",
    "variables",
    "globals",
)
"""Parts of Timeloop's input that do not bear on the cost of a given mapping."""

TABLES = ("ERT", "ART", "ERT_summary", "ART_summary")
"""Accelergy's tables, where they stand in the same file."""


def read_timeloop(
    paths: Sequence[Path],
    ert: Path | None = None,
    art: Path | None = None,
    technology: Technology | None = None,
    rules: CostRules | None = None,
) -> ReadLayer:
    """Read a machine, a problem and a mapping from one or more files, in any order.

    Args:
        paths: the files; each holds one or more of `architecture`, `problem` and `mapping`.
        ert: Accelergy's energy reference table.
        art: Accelergy's area reference table.
        technology: prices what no file prices.
        rules: how things are counted; Timeloop's of 2025 if None.

    Raises:
        InputError: with everything in a file that is wrong or not understood.
    """
    documents = [read_timeloop_yaml(path) for path in paths]
    parts, notes = _parts(documents)
    energies, areas = tables(documents, ert, art)
    machine = architecture_of(parts["architecture"], energies, areas)
    if technology is not None:
        machine = with_technology(machine, technology)
    if rules is not None:
        machine = evolve(machine, architecture=evolve(machine.architecture, rules=rules))
    problem = problem_of(parts["problem"])
    mapping = mapping_of(
        parts["mapping"],
        machine.architecture,
        problem.layer,
        machine.fanouts,
        machine.passing,
        machine.disabled,
    )
    notes += [f"{parts['architecture'].source}: {note}" for note in machine.told]
    notes += [f"{parts['problem'].source}: {note}" for note in problem.notes]
    notes += [f"{parts['mapping'].source}: {note}" for note in mapping.notes]
    files = tuple(str(path) for path in (*paths, ert, art) if path)
    architecture, nest = _without_idle(machine.architecture, mapping.mapping)
    specification = Specification(architecture, problem.layer, nest, files)
    notes += _broken(documents, machine, specification)
    apart = [d for d in documents if d is not parts["architecture"] and _has(d, SPARSE_PART)]
    notes += [f"{document.source}: {SPARSE}" for document in apart]
    compressed = {*machine.compressing, *(name for d in apart for name in compressing(d))}
    specification, roomy = with_room(specification, compressed)
    notes += [f"{parts['architecture'].source}: {note}" for note in roomy]
    return ReadLayer(specification, tuple(notes), machine.unpriced)


def _without_idle(architecture: Architecture, nest: Nest) -> tuple[Architecture, Nest]:
    """Return machine and mapping without levels that store nothing, do nothing and cost nothing.

    How many of them there are then limits nothing: children of the level above are those below.
    """
    pairs = zip(architecture.levels, nest.levels, strict=True)
    kept = [(memory, entry) for memory, entry in pairs if not _idle(memory, entry)]
    levels = [memory for memory, _ in kept]
    return evolve(architecture, levels=levels), Nest([entry for _, entry in kept])


def _idle(memory: Memory, entry: LevelMapping) -> bool:
    costs = memory.leak_pj_per_cycle or memory.network_below != Link()
    loops = entry.temporal or entry.spatial
    return memory.entries == 0 and not (entry.keep or loops or costs)


def tables(
    documents: Sequence[YamlDocument], ert: Path | None, art: Path | None
) -> tuple[EnergyTable | None, dict[str, float] | None]:
    """Return the tables that are named, or else those that stand in the documents."""
    energies = read_energy_table(ert) if ert else None
    areas = read_area_table(art) if art else None
    for document in documents:
        data = document.data if isinstance(document.data, dict) else {}
        if energies is None and any(_holds(data.get(name)) for name in TABLES[::2]):
            energies = energy_table_of(document)
        if areas is None and any(_holds(data.get(name)) for name in TABLES[1::2]):
            areas = area_table_of(document)
    return energies, areas


def _holds(part: Any) -> bool:  # noqa: ANN401
    """Return whether a table has entries."""
    return isinstance(part, dict) and any(part.get(k) for k in ("tables", "table_summary"))


def _broken(
    documents: Sequence[YamlDocument], machine: TimeloopMachine, specification: Specification
) -> Iterator[str]:
    """Yield the constraints that the mapping does not keep to; it is priced all the same."""
    s = specification
    directives = (*machine.directives, *read_constraints(documents))
    known = placed(directives, machine.architecture, machine.fanouts, machine.disabled)
    try:
        found = understood(known, machine.architecture, s.layer)
    except InputError as error:
        yield f"constraints: {error}"
        return
    for breach in breaches(found.constraints, s.architecture, s.layer, s.mapping):
        yield f"the mapping does not keep to a constraint: {breach}"


def _parts(documents: Sequence[YamlDocument]) -> tuple[dict[str, YamlDocument], list[str]]:
    """Return the file of each part, and what is told of all others; empty parts give way."""
    parts: dict[str, YamlDocument] = {}
    notes: list[str] = []
    for document in documents:
        data = document.data if isinstance(document.data, dict) else {}
        for name in dict.fromkeys(SPELLINGS.get(str(n), str(n)) for n in data if _given(data, n)):
            if name in parts and parts[name] is not document:
                raise InputError(
                    document.source, [f"has a part {name!r}, and so has {parts[name].source}"]
                )
            if name in PARTS:
                parts[name] = document
            elif note := _told(name, parts):
                notes.append(f"{document.source}: {note}")
    missing = [f"no file has the part {name!r}" for name in PARTS if name not in parts]
    if missing:
        raise InputError(" ".join(document.source for document in documents), missing)
    return parts, notes


def _has(document: YamlDocument, part: str) -> bool:
    return isinstance(document.data, dict) and bool(document.data.get(part))


def _given(data: Mapping[str, Any], name: str) -> bool:
    return data[name] not in (None, [], {}, "")


def _told(name: str, parts: Mapping[str, YamlDocument]) -> str:
    """Return what is said of a part that is none of the three, if anything is."""
    if name in (*CONSTRAINTS, *TABLES, SPARSE_PART, "dumped_by_timeloop_front_end") or (
        name in ("instance", "version") and "problem" in parts
    ):
        return ""
    known = "does not bear on a given mapping" if name in ELSEWHERE else "is not used"
    return f"the part {name!r} {known}"
