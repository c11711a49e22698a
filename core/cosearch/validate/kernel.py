"""The compiled kernel against the reference model, on the points of any loop-nest data.

The kernel knows one order of a level's spatial loops, that of the layer's dimensions; mappings are
brought into it first. What must be equal, to the last bit, are energy, cycles, and the first rule
that an invalid mapping breaks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve

from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.validity import InvalidMapping, Rule
from cosearch.validate.compare import Figure, Figures, Point, Rejected
from cosearch.validate.figures import MappedLayer
from cosearch.validate.reference import Section
from cosearch.workload.einsum import Einsum

if TYPE_CHECKING:
    from cosearch.loopnest.kernel.pack import Nests

UNKNOWN_TO_THE_KERNEL = (Rule.FACTORS, Rule.KEPT_NOWHERE)
"""Rules that no point of a mapspace can break."""


def against_kernel(section: Section) -> Section | None:
    """Return a section that compares the kernel with the reference on the same cases.

    Returns:
        None where the kernel can price none of them: it does not know link transfers.
    """
    from cosearch.loopnest.kernel.pack import inexact

    points = []
    for point in section.points:
        case: MappedLayer = evolve(point.case, mapping=_in_order(point.case))
        if inexact(case.architecture, case.layer) is None and _is_a_nest(case.mapping):
            expected = _expected(case)
            if expected is not None:
                points.append(Point(point.id, point.source, case, expected))
    if not points:
        return None
    found = _priced([point.case for point in points])
    numbered = [Point(p.id, p.source, i, p.expected) for i, p in enumerate(points)]
    return Section(f"kernel = reference: {section.name}", numbered, found.__getitem__)


def _expected(case: MappedLayer) -> dict[str, Figure] | Rejected | None:
    try:
        analysis = analyse(case.architecture, case.layer, case.mapping)
    except InvalidMapping as invalid:
        if invalid.rule in UNKNOWN_TO_THE_KERNEL:
            return None
        return Rejected(f"{invalid.place}: {invalid.rule.value}", str(invalid))
    return {
        "cycles": Figure("cycles", analysis.cycles),
        "energy_pj": Figure("energy", analysis.energy_pj),
    }


def _priced(cases: Sequence[MappedLayer]) -> list[Figures | Rejected]:
    """Price all cases, those of one layer on one machine in one batch."""
    from cosearch.loopnest.kernel.nests import NestPricer

    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, case in enumerate(cases):
        alike[case.architecture.key, case.layer.key].append(i)
    out: list[Any] = [None] * len(cases)
    for together in alike.values():
        first = cases[together[0]]
        pricer = NestPricer(first.architecture, first.layer)
        batch = pricer.price(_nests(first.layer, [cases[i].mapping for i in together]))
        for row, i in enumerate(together):
            if batch.feasible[row]:
                energy, cycles = float(batch.energy_pj[row]), float(batch.cycles[row])
                out[i] = {"cycles": cycles, "energy_pj": energy}
            else:
                reason = batch.reasons[int(batch.reason[row])]
                out[i] = Rejected(reason.partition(" (")[0])
    return out


def _nests(layer: Einsum, mappings: Sequence[Mapping]) -> Nests:
    """Return mappings as the struct of arrays that the kernel prices."""
    from cosearch.loopnest.kernel.pack import Nests, order_word
    from cosearch.loopnest.slots import turning_dims

    dims = turning_dims(layer)
    levels, n = len(mappings[0].levels), len(mappings)
    bounds = np.ones((3 * levels, len(dims), n), dtype=np.int32)
    order = np.zeros((levels, n), dtype=np.int64)
    keep = np.zeros((levels, len(layer.tensors), n), dtype=bool)
    for column, mapping in enumerate(mappings):
        for level, entry in enumerate(mapping.levels):
            for kind, loops in enumerate((entry.spatial_x, entry.spatial_y, entry.temporal)):
                for loop in loops:
                    bounds[3 * level + kind, dims.index(loop.dim), column] = loop.bound
            inside = [dims.index(loop.dim) for loop in entry.temporal]
            rest = [d for d in range(len(dims)) if d not in inside]
            order[level, column] = order_word((*inside, *rest))
            keep[level, :, column] = [t.name in entry.keep for t in layer.tensors]
    return Nests(bounds, order, keep)


def _in_order(case: MappedLayer) -> Mapping:
    dims = case.layer.dims

    def turning(loops: tuple[Loop, ...]) -> tuple[Loop, ...]:
        return tuple(loop for loop in loops if loop.bound > 1)

    def spread(loops: tuple[Loop, ...]) -> tuple[Loop, ...]:
        return tuple(sorted(turning(loops), key=lambda loop: dims.index(loop.dim)))

    return Mapping(
        tuple(
            LevelMapping(
                e.level, e.keep, turning(e.temporal), spread(e.spatial_x), spread(e.spatial_y)
            )
            for e in case.mapping.levels
        )
    )


def _is_a_nest(mapping: Mapping) -> bool:
    """Whether no dimension stands twice in one list of loops."""
    lists = [x for e in mapping.levels for x in (e.temporal, e.spatial_x, e.spatial_y)]
    return all(len({loop.dim for loop in loops}) == len(loops) for loops in lists)
