"""Timeloop's constraints on mappings, as what a search on one layer has to keep to.

`architecture_constraints` and `mapspace_constraints` are lists of directives like those of a
mapping. Their words (dimensions, tensors) are those of a problem, so they are kept as written and
understood once for every layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from attrs import define, evolve, field, frozen

from cosearch.errors import InputError
from cosearch.formats.fields import Problems
from cosearch.formats.yaml_source import YamlDocument
from cosearch.loopnest.mapping import UNCONSTRAINED, Constraints, LevelConstraint
from cosearch.machine.architecture import Architecture
from cosearch.workload.einsum import Einsum
from cosearch.workload.language import same_dimension
from cosearch_plugins.formats.timeloop.directives import (
    BUSY,
    KEEPING,
    Directive,
    read_directives,
    tensors_named,
)
from cosearch_plugins.formats.timeloop.words import REST, permuted

PARTS = ("architecture_constraints", "arch_constraints", "mapspace_constraints", "mapspace")
"""What Timeloop calls the part, now and in its first versions."""

NESTED = ("arch", "architecture")
"""Parts that may have a list `constraints` inside."""


@frozen
class Constrained:
    """A directive, and the level of the machine that it speaks of."""

    level: str
    directive: Directive


@frozen
class Understood:
    """What constraints say of one layer.

    Attributes:
        constraints: by level.
        notes: what of them is not followed, with file and line.
    """

    constraints: Constraints
    notes: tuple[str, ...]


def has_constraints(document: YamlDocument) -> bool:
    """Return whether a document has a part with constraints."""
    data = document.data if isinstance(document.data, dict) else {}
    return any(data.get(part) for part in PARTS) or any(
        isinstance(data.get(part), dict) and data[part].get("constraints") for part in NESTED
    )


def read_constraints(documents: Iterable[YamlDocument]) -> tuple[Directive, ...]:
    """Return the directives in all constraint parts of documents.

    Raises:
        InputError: with everything that is wrong in a document, each with its line.
    """
    found: list[Directive] = []
    for document in documents:
        data = document.data if isinstance(document.data, dict) else {}
        problems = Problems(document)
        for part in PARTS:
            if data.get(part):
                found += read_directives(problems, (part,), data[part])
        for part in NESTED:
            inner = data[part].get("constraints") if isinstance(data.get(part), dict) else None
            if isinstance(inner, list):
                found += read_directives(problems, (part, "constraints"), inner)
        problems.raise_if_any()
    return tuple(found)


def placed(
    directives: Iterable[Directive],
    architecture: Architecture,
    fanouts: Mapping[str, str],
    disabled: Sequence[str] = (),
) -> tuple[Constrained, ...]:
    """Return the directives with the level that each speaks of.

    Args:
        directives: as read.
        architecture: whose levels are meant; a number counts from the innermost, 0.
        fanouts: further names of targets of spatial directives, and the levels they stand for.
        disabled: components that are switched off, and their constraints with them.

    Raises:
        InputError: a target is no level of the machine.
    """
    levels = [memory.name for memory in architecture.levels]
    out: list[Constrained] = []
    for directive in directives:
        target = directive.target
        if isinstance(target, int):
            target = levels[target] if 0 <= target < len(levels) else str(target)
        if directive.spatial:
            target = fanouts.get(target, target)
        if target in disabled:
            continue
        if directive.kind in BUSY:
            target = levels[0]
        if target not in levels:
            known = " ".join([*levels, *fanouts])
            problem = f"there is no level {directive.target!r}; there are: {known}"
            raise InputError(directive.where, [problem])
        out.append(Constrained(target, directive))
    return tuple(out)


def understood(
    placed: Sequence[Constrained], architecture: Architecture, layer: Einsum
) -> Understood:
    """Return what constraints say of one layer.

    Raises:
        InputError: a tensor is named that the layer does not have, or two directives disagree.
    """
    reader = _Reader(architecture, layer)
    for item in placed:
        reader.take(item.level, item.directive)
    return reader.result(placed)


@define
class _Reader:
    """Collects what directives say of one layer."""

    architecture: Architecture
    layer: Einsum
    rules: dict[str, LevelConstraint] = field(factory=dict)
    notes: list[str] = field(factory=list)

    def take(self, level: str, directive: Directive) -> None:
        self.notes += [f"{directive.where}: {text}" for text in directive.ignored]
        rule = self.rules.get(level, UNCONSTRAINED)
        if directive.kind in KEEPING:
            rule = self._keeping(rule, directive)
        elif directive.kind in BUSY:
            rule = evolve(rule, least_multipliers=self._least(directive))
        elif directive.spatial:
            rule = self._spatial(rule, directive)
        elif directive.kind == "temporal":
            rule = self._temporal(rule, directive)
        self.rules[level] = rule

    def result(self, placed: Sequence[Constrained]) -> Understood:
        """Return everything, factors that stand for the rest of a dimension worked out."""
        rests = [
            (item.level, "spatial" if item.directive.spatial else "temporal", dim)
            for item in placed
            for dim, bound in self._fixed(item.directive).items()
            if bound == REST
        ]
        for level, kind, dim in rests:
            others = [
                bound
                for rule in self.rules.values()
                for factors in (rule.temporal, rule.spatial)
                if (bound := factors.get(dim, 1)) != REST
            ]
            size, taken = self.layer.bounds[dim], math.prod(others)
            if [r[2] for r in rests].count(dim) > 1 and size > 1:
                text = f"two factors 0 stand for the rest of {dim}"
                raise InputError(f"constraint on {level}", [text])
            rest = size // taken if size % taken == 0 else size
            rule = self.rules[level]
            if kind == "spatial":
                self.rules[level] = evolve(rule, spatial={**rule.spatial, dim: rest})
            else:
                self.rules[level] = evolve(rule, temporal={**rule.temporal, dim: rest})
        return Understood(self.rules, tuple(dict.fromkeys(self.notes)))

    # -- loops

    def _temporal(self, rule: LevelConstraint, directive: Directive) -> LevelConstraint:
        fixed = self._merged(rule.temporal, self._fixed(directive), directive)
        most = {**rule.temporal_most, **self._most(directive)}
        order = self._order(directive)
        if order and rule.order is not None and rule.order != order:
            raise InputError(directive.where, ["another directive has a permutation too"])
        return evolve(rule, temporal=fixed, temporal_most=most, order=order or rule.order)

    def _spatial(self, rule: LevelConstraint, directive: Directive) -> LevelConstraint:
        fixed = self._merged(rule.spatial, self._fixed(directive), directive)
        most = {**rule.spatial_most, **self._most(directive)}
        rule = evolve(rule, spatial=fixed, spatial_most=most)
        return self._divided(rule, directive)

    def _divided(self, rule: LevelConstraint, directive: Directive) -> LevelConstraint:
        """Return the rule with what may be spread along X and along Y.

        The first `split` dimensions of the permutation, those of one step included, run along X;
        dimensions that it does not name stand behind it.
        """
        order, split, dims = self._order(directive), directive.split, self.layer.dims
        if split is None:
            if len(order) > 1:
                self._leave(directive, "the permutation of spatial loops, for there is no split")
            return rule
        if split >= len(dims):
            return evolve(rule, x_dims=frozenset(dims), y_dims=frozenset())
        if split > len(order):
            self._leave(directive, f"the split at {split} among the dimensions not permuted")
            return evolve(rule, x_dims=None, y_dims=frozenset(dims) - frozenset(order))
        x = frozenset(order[:split])
        return evolve(rule, x_dims=x, y_dims=frozenset(dims) - x)

    def _fixed(self, directive: Directive) -> dict[str, int]:
        """Return the prescribed factors by dimension; REST where the file writes 0."""
        dims, bounds = self.layer.dims, self.layer.bounds
        given = [f for f in directive.factors if f.sign == "="]
        fixed: dict[str, int] = {}
        for factor in given:
            dim = same_dimension(factor.dim, dims)
            if dim is not None:
                fixed[dim] = min(factor.bound, bounds[dim])
        named = {same_dimension(f.dim, dims) for f in directive.factors}
        if directive.only:
            fixed |= {dim: 1 for dim in dims if dim not in named}
        for tensor in self._tensors(directive.still, directive):
            own = next(t for t in self.layer.tensors if t.name == tensor)
            fixed |= {dim: 1 for dim in own.dims if dim not in named}
        return fixed

    def _most(self, directive: Directive) -> dict[str, int]:
        dims = [
            (same_dimension(f.dim, self.layer.dims), f) for f in directive.factors if f.sign == "<="
        ]
        return {dim: max(1, f.bound) for dim, f in dims if dim is not None}

    def _merged(
        self, known: Mapping[str, int], new: Mapping[str, int], directive: Directive
    ) -> dict[str, int]:
        self._note_strange(directive)
        for dim, bound in new.items():
            if known.get(dim, bound) != bound:
                text = f"{dim}={bound}, and another directive says {dim}={known[dim]}"
                raise InputError(directive.where, [text])
        return {**known, **new}

    def _note_strange(self, directive: Directive) -> None:
        """Note factors that speak of dimensions which the layer does not have."""
        for factor in directive.factors:
            dim = same_dimension(factor.dim, self.layer.dims)
            if dim is None and not (factor.sign == "=" and factor.bound in (0, 1)):
                self._leave(directive, f"{factor.text}, for the layer has no such dimension")
            elif dim is not None and factor.sign == "=" and factor.bound > self.layer.bounds[dim]:
                size = self.layer.bounds[dim]
                self.notes.append(
                    f"{directive.where}: {self.layer.name}: {factor.text} is more than its size; "
                    f"taken as {size}, as Timeloop does"
                )

    def _order(self, directive: Directive) -> tuple[str, ...]:
        words = permuted(directive.permutation, self.layer.dims)
        dims = [same_dimension(word, self.layer.dims) for word in words]
        known = [dim for dim in dims if dim is not None]
        if len(set(known)) < len(known):
            raise InputError(directive.where, [f"{directive.permutation!r} names one twice"])
        return tuple(known)

    def _leave(self, directive: Directive, what: str) -> None:
        self.notes.append(f"{directive.where}: {self.layer.name}: not followed: {what}")

    # -- tensors and multipliers

    def _keeping(self, rule: LevelConstraint, directive: Directive) -> LevelConstraint:
        everything = {tensor.name for tensor in self.layer.tensors}
        keep = set(self._tensors(directive.keep, directive))
        bypass = set(self._tensors(directive.bypass, directive))
        if directive.keep_only is not None:
            only = set(self._tensors(directive.keep_only, directive))
            keep, bypass = keep | only, bypass | (everything - only)
        if directive.bypass_only is not None:
            only = set(self._tensors(directive.bypass_only, directive))
            keep, bypass = keep | (everything - only), bypass | only
        both = sorted((keep | rule.keep) & (bypass | rule.bypass))
        if both:
            raise InputError(directive.where, [f"{' '.join(both)} is kept and bypassed"])
        return evolve(rule, keep=rule.keep | keep, bypass=rule.bypass | bypass)

    def _tensors(self, words: Sequence[str], directive: Directive) -> list[str]:
        known, strange = tensors_named(words, self.layer)
        if strange:
            names = " ".join(tensor.name for tensor in self.layer.tensors)
            raise InputError(
                directive.where,
                [f"{' '.join(strange)}: layer {self.layer.name!r} has the tensors {names}"],
            )
        return known

    def _least(self, directive: Directive) -> int:
        """Return how many multipliers a least utilization asks for.

        It counts the fanouts of all levels together (Timeloop, `Uber::MinParallelism`).
        """
        levels = range(len(self.architecture.levels))
        all_of_them = math.prod(math.prod(self.architecture.fanout(i)) for i in levels)
        return math.ceil((directive.least or 0.0) * all_of_them - 1e-9)
