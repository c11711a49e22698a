"""What Timeloop's sparse optimizations mean here, where every layer is priced as dense.

A memory that stores a tensor compressed holds larger tiles than its room for dense words. How much
larger hangs on densities and formats that are not modelled, so its room is not checked where a
given mapping needs more: a file that runs in Timeloop is priced, and the note says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from attrs import evolve

from cosearch.formats.spec import Specification
from cosearch.formats.yaml_source import YamlDocument
from cosearch.loopnest.validity import Rule, violations

PART = "sparse_optimizations"

SPARSE = "sparse optimizations are stated; priced is the dense execution, without them"


def compresses(part: Any) -> bool:  # noqa: ANN401
    """Return whether sparse optimizations of one memory store something compressed."""
    return isinstance(part, dict) and bool(part.get("representation_format"))


def compressing(document: YamlDocument) -> Iterator[str]:
    """Yield the memories that store something compressed, as the part beside a machine says."""
    part = document.data.get(PART) if isinstance(document.data, dict) else None
    targets = part.get("targets") if isinstance(part, dict) else None
    for target in targets if isinstance(targets, list) else []:
        if compresses(target):
            yield str(target.get("name", target.get("target", ""))).partition("[")[0]


def with_room(
    specification: Specification, compressing: Collection[str]
) -> tuple[Specification, list[str]]:
    """Return a specification whose compressing memories have room for their tiles, and notes.

    Args:
        specification: machine, layer and mapping.
        compressing: names of memories that store something compressed.
    """
    s = specification
    full = {
        broken.place: f"{broken.place}: {broken.used} dense words in a room of {broken.allowed}, "
        "which stores them compressed: whether they fit is not checked"
        for broken in violations(s.architecture, s.layer, s.mapping)
        if broken.rule is Rule.CAPACITY and broken.place in compressing
    }
    levels = [evolve(m, entries=None) if m.name in full else m for m in s.architecture.levels]
    return evolve(s, architecture=evolve(s.architecture, levels=levels)), list(full.values())
