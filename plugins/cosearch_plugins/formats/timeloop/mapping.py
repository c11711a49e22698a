"""Timeloop's mapping files.

A mapping is a list of directives, in any order, each with a target level: `temporal` and `spatial`
ones have factors and a permutation, inner to outer; the first `split` dimensions of a spatial
permutation run along X, the others along Y. `datatype` (or `dataspace`, `bypass`) ones keep tensors
or let them pass; what no directive mentions is kept. A factor 0 is the rest of its dimension.
"""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence

from attrs import define, field

from cosearch.formats.fields import Fields, Problems
from cosearch.formats.yaml_source import Place, YamlDocument
from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.machine.architecture import Architecture
from cosearch.workload.einsum import Einsum
from cosearch.workload.language import same_dimension
from cosearch_plugins.formats.timeloop.directives import (
    KEEPING,
    LOOPING,
    Directive,
    read_directives,
    tensors_named,
)
from cosearch_plugins.formats.timeloop.words import REST, permuted


@define
class _Level:
    """What the directives so far say of one level."""

    temporal: list[Loop] = field(factory=list)
    spatial_x: list[Loop] = field(factory=list)
    spatial_y: list[Loop] = field(factory=list)
    kept: dict[str, bool] = field(factory=dict)


@define
class TimeloopMapping:
    """What a mapping file says.

    Attributes:
        mapping: the loops.
        notes: what the file holds and this model has no use for.
    """

    mapping: Mapping
    notes: tuple[str, ...] = ()


def mapping_of(
    document: YamlDocument,
    architecture: Architecture,
    layer: Einsum,
    fanouts: AbstractMapping[str, str] | None = None,
    passing: frozenset[str] = frozenset(),
    disabled: Sequence[str] = (),
) -> TimeloopMapping:
    """Return the mapping in a document that has a `mapping`.

    Args:
        document: the file.
        architecture: names the levels.
        layer: names the dimensions and the tensors.
        fanouts: further names of targets of spatial directives, and the levels they stand for.
        passing: levels that keep nothing unless a directive says so.
        disabled: components that are switched off.

    Raises:
        InputError: with everything that is wrong or not understood, each with its line.
    """
    problems = Problems(document)
    top = Fields(problems, (), document.data)
    directives = read_directives(problems, ("mapping",), top.data.get("mapping"))
    reader = _Reader(problems, architecture, layer, fanouts or {}, tuple(disabled))
    reader.refuse_residuals(directives)
    for directive in directives:
        reader.take(directive)
    reader.fill_rests()
    problems.raise_if_any()
    return TimeloopMapping(reader.mapping(passing), tuple(dict.fromkeys(reader.notes)))


@define
class _Reader:
    """Collects directives by level."""

    problems: Problems
    architecture: Architecture
    layer: Einsum
    fanouts: AbstractMapping[str, str]
    disabled: tuple[str, ...]
    levels: dict[str, _Level] = field(init=False)
    notes: list[str] = field(factory=list)
    rests: list[tuple[list[Loop], str, Place]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.levels = {memory.name: _Level() for memory in self.architecture.levels}

    def refuse_residuals(self, directives: Sequence[Directive]) -> None:
        """Note imperfect factors: this model has whole tiles here."""
        for directive in directives:
            for factor in directive.factors:
                if factor.imperfect:
                    text = (
                        f"{factor.text} is a residual factor: the "
                        "last pass is shorter than the others. Only factors that multiply up to "
                        "the dimension are priced here"
                    )
                    self.problems.add((*directive.place, "factors"), text)

    def take(self, directive: Directive) -> None:
        level = self._target(directive)
        self.notes += directive.ignored
        if directive.kind in KEEPING:
            self._keeping(directive, level)
        elif directive.kind in LOOPING:
            self._loops(directive, level)

    def mapping(self, passing: frozenset[str]) -> Mapping:
        names = [tensor.name for tensor in self.layer.tensors]
        nowhere = passing | set(self.fanouts.values())
        return Mapping(
            tuple(
                LevelMapping(
                    level,
                    frozenset(n for n in names if d.kept.get(n, level not in nowhere)),
                    tuple(loop for loop in d.temporal if loop.bound > 1),
                    tuple(loop for loop in d.spatial_x if loop.bound > 1),
                    tuple(loop for loop in d.spatial_y if loop.bound > 1),
                )
                for level, d in self.levels.items()
            )
        )

    def fill_rests(self) -> None:
        """Give every factor 0 what all other factors leave of its dimension."""
        for loops, dim, place in self.rests:
            size, taken = self.layer.bounds[dim], 1
            for level in self.levels.values():
                for loop in (*level.temporal, *level.spatial_x, *level.spatial_y):
                    taken *= loop.bound if loop.dim == dim and loop.bound != REST else 1
            if [other for _, other, _ in self.rests].count(dim) > 1 and size > 1:
                self.problems.add(place, f"two factors 0 stand for the rest of {dim}")
            elif size % taken:
                text = f"the other factors of {dim} multiply up to {taken}, which does not divide "
                self.problems.add(place, f"{text}its size {size}")
            else:
                at = next(i for i, x in enumerate(loops) if x.dim == dim and x.bound == REST)
                loops[at] = Loop(dim, size // taken)

    def _target(self, directive: Directive) -> _Level:
        name = directive.target
        if isinstance(name, int):
            within = 0 <= name < len(self.architecture.levels)
            name = self.architecture.levels[name].name if within else str(name)
        if directive.spatial and name in self.fanouts:
            name = self.fanouts[name]
        if name in self.levels:
            return self.levels[name]
        place = (*directive.place, "target")
        if name in self.disabled:
            self.problems.add(place, f"{name} is switched off (enabled: false) in the architecture")
        elif name:
            known = " ".join([*self.levels, *self.fanouts])
            self.problems.add(place, f"there is no level {name!r}; there are: {known}")
        return _Level()

    def _keeping(self, directive: Directive, level: _Level) -> None:
        names = [tensor.name for tensor in self.layer.tensors]
        for kind, words, kept in (
            ("keep", directive.keep, True),
            ("keep_only", directive.keep_only, True),
            ("bypass", directive.bypass, False),
            ("bypass_only", directive.bypass_only, False),
        ):
            known, strange = tensors_named(words or (), self.layer)
            for name in strange:
                text = f"{name!r} is not one of {' '.join(names)}"
                self.problems.add((*directive.place, kind), text)
            if words is not None and kind.endswith("_only"):
                level.kept |= dict.fromkeys(names, not kept)
            level.kept |= dict.fromkeys(known, kept)

    def _loops(self, directive: Directive, level: _Level) -> None:
        factors = self._factors(directive)
        order = self._permutation(directive)
        loops = [Loop(dim, factors[dim]) for dim in order if factors.get(dim, 1) != 1]
        split = len(order) if directive.split is None else directive.split
        along_x = set(order[:split])
        if directive.kind == "temporal":
            parts = [(level.temporal, loops)]
        else:
            parts = [
                (level.spatial_x, [loop for loop in loops if loop.dim in along_x]),
                (level.spatial_y, [loop for loop in loops if loop.dim not in along_x]),
            ]
        for there, new in parts:
            there.extend(new)
            place = (*directive.place, "factors")
            self.rests += [(there, loop.dim, place) for loop in new if loop.bound == REST]

    def _factors(self, directive: Directive) -> dict[str, int]:
        place, dims = (*directive.place, "factors"), self.layer.dims
        factors: dict[str, int] = {}
        for factor in directive.factors:
            dim = same_dimension(factor.dim, dims)
            if dim is None and factor.bound in (0, 1):
                continue
            if dim is None or factor.sign == "<=":
                text = (
                    f"{factor.text!r} is no factor of one of {' '.join(dims)}, such as {dims[0]}=2"
                )
                self.problems.add(place, text)
            elif dim in factors:
                self.problems.add(place, f"{dim} has two factors")
            else:
                factors[dim] = factor.bound
        return factors

    def _permutation(self, directive: Directive) -> list[str]:
        """Return all dimensions, inner to outer; those not mentioned come outermost."""
        dims = self.layer.dims
        words = permuted(directive.permutation, dims)
        place = (*directive.place, "permutation")
        known = [dim for dim in (same_dimension(word, dims) for word in words) if dim is not None]
        for word in words:
            if same_dimension(word, dims) is None or words.count(word) > 1:
                self.problems.add(place, f"{word!r} is not one of {' '.join(dims)}, each once")
        return [*dict.fromkeys(known), *(dim for dim in dims if dim not in known)]
