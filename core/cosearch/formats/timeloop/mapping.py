"""Timeloop's mapping files.

A mapping is a list of directives, in any order, each with a target level: `temporal` and `spatial`
ones have factors and a permutation, inner to outer; the first `split` dimensions of a spatial
permutation run along X, the others along Y. `datatype` (or `dataspace`, `bypass`) ones keep tensors
or let them pass; what no directive mentions is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from typing import Any

from attrs import define, field

from cosearch.formats.fields import ANYTHING, TEXT, Check, Fields, Problems
from cosearch.formats.yaml_source import Place, YamlDocument
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.machine.architecture import Architecture
from cosearch.workload.einsum import Einsum

KEEPING = ("datatype", "dataspace", "bypass")
_FACTOR = re.compile(r"^([A-Za-z_]\w*?)\s*=?\s*(\d+)$")


@define
class _Directives:
    """What the directives so far say of one level."""

    temporal: list[Loop] = field(factory=list)
    spatial_x: list[Loop] = field(factory=list)
    spatial_y: list[Loop] = field(factory=list)
    kept: dict[str, bool] = field(factory=dict)


def mapping_of(
    document: YamlDocument,
    architecture: Architecture,
    layer: Einsum,
    fanouts: AbstractMapping[str, str] | None = None,
) -> Mapping:
    """Return the mapping in a document that has a `mapping`.

    Args:
        document: the file.
        architecture: names the levels.
        layer: names the dimensions and the tensors.
        fanouts: further names of targets of spatial directives, and the levels they stand for.

    Raises:
        InputError: with everything that is wrong or not understood, each with its line.
    """
    problems = Problems(document)
    top = Fields(problems, (), document.data)
    reader = _Reader(problems, architecture, layer, fanouts or {})
    for place, item in top.items("mapping"):
        reader.directive(Fields(problems, place, item))
    problems.raise_if_any()
    return reader.mapping()


class _Reader:
    """Collects directives by level."""

    def __init__(
        self,
        problems: Problems,
        architecture: Architecture,
        layer: Einsum,
        fanouts: AbstractMapping[str, str],
    ) -> None:
        self.problems, self.architecture, self.layer = problems, architecture, layer
        self.fanouts = fanouts
        self.levels = {memory.name: _Directives() for memory in architecture.levels}

    def directive(self, fields: Fields) -> None:
        kind = fields.need("type", TEXT)
        level = self._target(fields, spatial=kind == "spatial")
        if kind in KEEPING:
            self._keeping(fields, level)
        elif kind in ("temporal", "spatial"):
            self._loops(fields, level, kind)
        elif fields.data.get("type") is not None:
            text = f"{kind!r} is not one of temporal, spatial, {', '.join(KEEPING)}"
            self.problems.add((*fields.place, "type"), text)
        fields.refuse_left()

    def mapping(self) -> Mapping:
        names = [tensor.name for tensor in self.layer.tensors]
        stands_for_fanout = set(self.fanouts.values())
        return Mapping(
            tuple(
                LevelMapping(
                    level,
                    frozenset(n for n in names if d.kept.get(n, level not in stands_for_fanout)),
                    tuple(d.temporal),
                    tuple(d.spatial_x),
                    tuple(d.spatial_y),
                )
                for level, d in self.levels.items()
            )
        )

    def _target(self, fields: Fields, *, spatial: bool) -> _Directives:
        name = fields.need("target", TEXT)
        if spatial and name in self.fanouts:
            name = self.fanouts[name]
        if name not in self.levels:
            if "target" in fields:
                known = " ".join([*self.levels, *self.fanouts])
                self.problems.add(
                    (*fields.place, "target"), f"there is no level {name!r}; there are: {known}"
                )
            return _Directives()
        return self.levels[name]

    def _keeping(self, fields: Fields, level: _Directives) -> None:
        names = [tensor.name for tensor in self.layer.tensors]
        for kind, kept in (("keep", True), ("bypass", False)):
            for name in fields.get(kind, NAMES, ()):
                if name not in names:
                    place = (*fields.place, kind)
                    self.problems.add(place, f"{name!r} is not one of {' '.join(names)}")
                level.kept[name] = kept

    def _loops(self, fields: Fields, level: _Directives, kind: str) -> None:
        factors = self._factors((*fields.place, "factors"), fields.get("factors", FACTORS, ()))
        order = self._permutation(fields)
        loops = [Loop(dim, factors[dim]) for dim in order if factors.get(dim, 1) > 1]
        if kind == "temporal":
            level.temporal.extend(loops)
            return
        split = fields.get("split", SPLIT, len(order))
        along_x = set(order[:split])
        level.spatial_x.extend(loop for loop in loops if loop.dim in along_x)
        level.spatial_y.extend(loop for loop in loops if loop.dim not in along_x)

    def _factors(self, place: Place, words: Sequence[str]) -> dict[str, int]:
        factors: dict[str, int] = {}
        for word in words:
            found = _FACTOR.match(word)
            if not found or found[1] not in self.layer.dims or int(found[2]) < 1:
                text = f"{word!r} is no factor of one of {' '.join(self.layer.dims)}, such as "
                self.problems.add(place, f"{text}{self.layer.dims[0]}=2")
            elif found[1] in factors:
                self.problems.add(place, f"{found[1]} has two factors")
            else:
                factors[found[1]] = int(found[2])
        return factors

    def _permutation(self, fields: Fields) -> list[str]:
        """Return all dimensions, inner to outer; those not mentioned come outermost."""
        given = fields.get("permutation", ANYTHING, None) or ()
        dims = self.layer.dims
        words = _words(given) if isinstance(given, str) else list(given)
        if isinstance(given, str) and len(words) == 1 and words[0] not in dims:
            words = list(words[0])
        place = (*fields.place, "permutation")
        for word in words:
            if word not in dims or words.count(word) > 1:
                self.problems.add(place, f"{word!r} is not one of {' '.join(dims)}, each once")
        return [*words, *(dim for dim in dims if dim not in words)]


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", re.sub(r"\s*=\s*", "=", text.strip())) if word]


def _factor_words(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(_words(value))
    if isinstance(value, list):
        return tuple(str(word).replace(" ", "") for word in value)
    raise ValueError(f"{value!r} is not a list of factors")


def _name_list(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(_words(value))
    if isinstance(value, list):
        return tuple(str(word) for word in value)
    raise ValueError(f"{value!r} is not a list of names")


def _split(value: Any) -> int:  # noqa: ANN401
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{value!r} is not a whole number of at least 0")


NOTHING: tuple[str, ...] = ()
FACTORS = Check(_factor_words, NOTHING)
NAMES = Check(_name_list, NOTHING)
SPLIT = Check(_split, 0)
