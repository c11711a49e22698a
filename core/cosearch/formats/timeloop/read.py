"""Timeloop's input files together: a machine, a problem and a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from cosearch.errors import InputError
from cosearch.formats.spec import Specification
from cosearch.formats.timeloop.architecture import architecture_of
from cosearch.formats.timeloop.mapping import mapping_of
from cosearch.formats.timeloop.problem import problem_of
from cosearch.formats.timeloop.tables import read_area_table, read_energy_table
from cosearch.formats.timeloop.yaml import read_timeloop_yaml
from cosearch.formats.yaml_source import YamlDocument

PARTS = ("architecture", "problem", "mapping")

ELSEWHERE = ("mapper", "mapspace", "components", "compound_components", "variables", "globals")
"""Parts of Timeloop's input that do not bear on the cost of a given mapping."""


@frozen
class TimeloopInput:
    """What the files say.

    Attributes:
        specification: the mapped layer.
        notes: what the files hold and this model has no use for, each with its file.
    """

    specification: Specification
    notes: tuple[str, ...]


def read_timeloop(
    paths: Sequence[Path], ert: Path | None = None, art: Path | None = None
) -> TimeloopInput:
    """Read a machine, a problem and a mapping from one or more files, in any order.

    Args:
        paths: the files; each holds one or more of `architecture`, `problem` and `mapping`.
        ert: Accelergy's energy reference table.
        art: Accelergy's area reference table.

    Raises:
        InputError: with everything in a file that is wrong or not understood.
    """
    parts, notes = _parts(paths)
    energies = read_energy_table(ert) if ert else None
    areas = read_area_table(art) if art else None
    machine = architecture_of(parts["architecture"], energies, areas)
    problem = problem_of(parts["problem"])
    mapping = mapping_of(parts["mapping"], machine.architecture, problem.layer, machine.fanouts)
    notes += [f"{parts['architecture'].source}: {note}" for note in machine.notes]
    notes += [f"{parts['problem'].source}: {note}" for note in problem.notes]
    files = tuple(str(path) for path in (*paths, ert, art) if path)
    specification = Specification(machine.architecture, problem.layer, mapping, files)
    return TimeloopInput(specification, tuple(notes))


def _parts(paths: Sequence[Path]) -> tuple[dict[str, YamlDocument], list[str]]:
    parts: dict[str, YamlDocument] = {}
    notes: list[str] = []
    for path in paths:
        document = read_timeloop_yaml(path)
        names = list(document.data) if isinstance(document.data, dict) else []
        for name in ("problem" if n in ("prob", "shape") else str(n) for n in names):
            if name in parts and parts[name] is not document:
                raise InputError(
                    str(path), [f"has a part {name!r}, and so has {parts[name].source}"]
                )
            if name in PARTS:
                parts[name] = document
            elif name not in ("instance", "version") or "problem" not in parts:
                known = "does not bear on a given mapping" if name in ELSEWHERE else "is not used"
                notes.append(f"{path}: the part {name!r} {known}")
    missing = [f"no file has the part {name!r}" for name in PARTS if name not in parts]
    if missing:
        raise InputError(" ".join(map(str, paths)), missing)
    return parts, notes
