"""Files of other tools that describe machines and mapped layers: Timeloop's, and specifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cosearch.registry.registration import hookimpl

if TYPE_CHECKING:
    from cosearch.formats.spec import ReadLayer
    from cosearch.machine.architecture import CostRules
    from cosearch.machine.hardware import HardwareModel
    from cosearch.machine.technology import Technology
    from cosearch.registry.registry import Registry

SUFFIXES = (".yaml", ".yml", ".json", ".jinja", ".jinja2", ".j2")


@hookimpl
def cosearch_read_hardware(
    path: Path, options: Mapping[str, str], registry: Registry
) -> HardwareModel | None:
    """Return the machine in a file of Timeloop's, or in a specification."""
    if path.suffix.lower() not in SUFFIXES:
        return None
    from cosearch.registry.registry import join_spec
    from cosearch_plugins.formats.machine_file import MachineFile

    return MachineFile(join_spec(str(path), options), registry)


@hookimpl
def cosearch_read_mapped_layer(
    paths: Sequence[Path],
    tool: str,
    tables: Mapping[str, Path],
    technology: Technology | None,
    rules: CostRules | None,
) -> ReadLayer | None:
    """Return the mapped layer in Timeloop's files."""
    if tool != "timeloop":
        return None
    from cosearch_plugins.formats.timeloop.read import read_timeloop

    return read_timeloop(paths, tables.get("ert"), tables.get("art"), technology, rules)
