"""AccelForge's workloads: a cascade of einsums over ranks.

    workload:
      rank_sizes: {M: 128, N0: 64, N1: 64}
      bits_per_value: {All: 8}
      einsums:
      - name: Matmul
        tensor_accesses:
        - {name: T0, projection: [m, n0]}
        - {name: W0, projection: [n0, n1]}
        - {name: T1, projection: [m, n1], output: True}

Source: AccelForge's guide, `docs/source/guide/spec/workload.rst`, and its examples. Products of two
tensors make layers; copies, softmax and other semirings are left out and counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cosearch.errors import InputError
from cosearch.formats.fields import ANYTHING, Fields, Problems
from cosearch.formats.yaml_source import Place, YamlDocument
from cosearch.workload.einsum import Einsum
from cosearch.workload.language import MAX_SIZE, parse_einsum, same_dimension
from cosearch.workload.network import Layer, Network, Unmodelled
from cosearch_plugins.readers import operations as count
from cosearch_plugins.readers.accelforge.accesses import Access, access, concise, is_width
from cosearch_plugins.readers.canonical import canonical, letters_of
from cosearch_plugins.readers.linking import Follower

_BOUNDS = re.compile(r"\s*(\d{1,12})\s*<=\s*(\w+)\s*(<=?)\s*(\d{1,12})\s*")
_DIMENSION = re.compile(r"[A-Za-z_]\w*")


def is_accelforge(document: YamlDocument) -> bool:
    """Return whether a document holds a cascade of einsums."""
    data = document.data
    inside = data.get("workload") if isinstance(data, dict) else None
    return isinstance(inside, dict) and "einsums" in inside


def read_accelforge(document: YamlDocument, path: Path) -> Network:
    """Return the network in an AccelForge workload.

    Raises:
        InputError: with everything that is wrong, each with its line.
    """
    problems = Problems(document)
    fields = Fields(problems, ("workload",), document.data["workload"])
    reader = _Reader(problems, fields)
    reader.cascade(fields)
    problems.raise_if_any("sizes are whole numbers here: expressions have to be worked out before")
    links = reader.follower.links(())
    return Network(path.stem, tuple(reader.layers), tuple(reader.notes), str(path), links=links)


def _letter(index: str, letters: Mapping[str, str]) -> str:
    """Return the axis that an index is: of a window, the one it slides along."""
    names = _DIMENSION.findall(index)
    slid = [letters[name] for name in names if letters.get(name) in ("P", "Q")]
    found = slid if len(names) > 1 else [letters.get(name, "") for name in names]
    return found[0] if len(found) == 1 else ""


def _flat(items: Iterable[tuple[Place, Any]]) -> Iterator[tuple[Place, Any]]:
    """Yield what stands in lists, and in lists within them: a cascade may be put together."""
    for place, item in items:
        if isinstance(item, list):
            yield from _flat(((*place, i), inner) for i, inner in enumerate(item))
        else:
            yield place, item


class _Reader:
    """Reads einsums one by one, and collects layers and what is left out."""

    def __init__(self, problems: Problems, workload: Fields) -> None:
        self.problems = problems
        self.layers: list[Layer] = []
        self.notes: list[Unmodelled] = []
        self.ranks = self._ranks(workload)
        self.bounds = self._bounds(workload)
        self.bits = self._widths(workload)
        self.repeats = self._count(workload)
        self.made: set[str] = set()
        self.follower = Follower(self.layers)
        self.ranks_of: dict[str, tuple[str, ...]] = {}

    def _ranks(self, workload: Fields) -> dict[str, int]:
        given = workload.get("rank_sizes", ANYTHING, None) or {}
        place = (*workload.place, "rank_sizes")
        if not isinstance(given, Mapping):
            self.problems.add(place, "is not a mapping of ranks to sizes")
            return {}
        for rank, size in given.items():
            if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_SIZE:
                self.problems.add((*place, str(rank)), f"{size!r} is not a whole number from 1")
        return {str(rank): size for rank, size in given.items() if isinstance(size, int)}

    def _bounds(self, fields: Fields) -> dict[str, int]:
        """Return the sizes of rank variables that an iteration space states, `0 <= m < 64`."""
        given = fields.get("iteration_space_shape", ANYTHING, None) or []
        texts = list(given.values()) if isinstance(given, Mapping) else given
        found: dict[str, int] = {}
        for text in texts if isinstance(texts, list) else [texts]:
            match = _BOUNDS.fullmatch(str(text))
            if match is None:
                place = (*fields.place, "iteration_space_shape")
                self.problems.add(place, f"{text!r} is not bounds such as 0 <= m < 64")
                continue
            found[match[2]] = int(match[4]) - int(match[1]) + (match[3] == "<=")
        return found

    def _widths(self, workload: Fields) -> dict[str, int]:
        """Return the bits of an element by tensor; those of `All` go for every other one."""
        given = workload.get("bits_per_value", ANYTHING, None) or {}
        items = given.items() if isinstance(given, Mapping) else [("All", given)]
        named = {str(name): bits for name, bits in items}
        found = {n: b for n, b in named.items() if is_width(b) and _DIMENSION.fullmatch(n)}
        for name, bits in named.items():
            if name not in found:
                reason = f"bits_per_value {name}: {bits} is no width of one tensor, nor of all"
                self.notes.append(Unmodelled(f"bits.{name}", "AccelForge", 0, reason))
        return found

    def _count(self, fields: Fields) -> int:
        value = fields.get("n_instances", ANYTHING, 1)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        self.problems.add((*fields.place, "n_instances"), f"{value!r} is not a whole number from 1")
        return 1

    def cascade(self, workload: Fields) -> None:
        for place, item in _flat(workload.items("einsums")):
            data = {"einsum": item} if isinstance(item, str) else item
            self._einsum(Fields(self.problems, place, data), place)
        workload.get("persistent_tensors", ANYTHING, None)
        for name in workload.left:
            reason = f"{name} has no meaning for the cost model"
            self.notes.append(Unmodelled(f"workload.{name}", "AccelForge", 0, reason))

    def _einsum(self, fields: Fields, place: Place) -> None:
        try:
            accesses = self._accesses(fields)
        except ValueError as error:
            self.problems.add(place, str(error))
            return
        results = [a for a in accesses if a.output]
        if len(results) != 1:
            self.problems.add(place, f"writes {len(results)} tensors: exactly one is needed")
            return
        result, operands = results[0], [a for a in accesses if not a.output]
        name = str(fields.get("name", ANYTHING, result.name))
        sizes = self._sizes(place, accesses, self.bounds | self._bounds(fields))
        repeats = self.repeats * self._count(fields)
        self.made.add(result.name)
        if sizes is None:
            return
        reason = self._why_not(fields, operands)
        if reason is not None:
            operations = 0 if reason == count.MOVES_DATA_REASON else math.prod(sizes.values())
            item = Unmodelled(name, "AccelForge", operations * repeats, reason)
            self.notes.append(item)
            self.follower.unknown([a.name for a in operands], [result.name])
            return
        self._layer(place, name, result, operands, sizes, repeats, self._weights(fields, operands))

    def _accesses(self, fields: Fields) -> list[Access]:
        line = fields.get("einsum", ANYTHING, None)
        given = fields.get("tensor_accesses", ANYTHING, None) or []
        if line is not None:
            return list(concise(str(line)).accesses)
        if not isinstance(given, list) or not all(isinstance(item, Mapping) for item in given):
            raise ValueError("tensor_accesses is not a list of tensors")
        return [access(item) for item in given]

    def _why_not(self, fields: Fields, operands: list[Access]) -> str | None:
        """Return why an einsum makes no layer, or None."""
        copies = fields.get("is_copy_operation", ANYTHING, False) is True
        semiring = [fields.get(key, ANYTHING, None) for key in ("map_op", "reduce_op")]
        if copies:
            return count.MOVES_DATA_REASON
        if len(operands) < 2:
            return count.ELEMENTWISE_REASON
        if semiring[0] not in (None, "mul", "multiply") or semiring[1] not in (None, "add", "sum"):
            return f"a product of {semiring[0]} and {semiring[1]}: counted, not priced"
        return None if len(operands) == 2 else count.OTHER_FORM_REASON

    def _sizes(
        self, place: Place, accesses: list[Access], bounds: Mapping[str, int]
    ) -> dict[str, int] | None:
        """Return the size of every rank variable: the least of the ranks it stands alone in."""
        known: dict[str, int] = dict(bounds)
        for rank, index in (pair for a in accesses for pair in a.indices.items()):
            if _DIMENSION.fullmatch(index) and rank in self.ranks and index not in bounds:
                known[index] = min(known.get(index, MAX_SIZE), self.ranks[rank])
        used = dict.fromkeys(
            name for a in accesses for i in a.indices.values() for name in _DIMENSION.findall(i)
        )
        for name in used:
            if name not in known and name.upper() in self.ranks:
                known[name] = self.ranks[name.upper()]
        missing = [name for name in used if name not in known]
        if missing:
            self.problems.add(place, f"no size is known for {', '.join(missing)}")
            return None
        return {name: known[name] for name in used}

    def _weights(self, fields: Fields, operands: list[Access]) -> str:
        """Return the operand in the role of the weights.

        What the einsum itself calls so; else the one operand that no einsum of the cascade makes,
        for an intermediate tensor is the input; else a name that begins with W or F; else the
        second.
        """
        renames = fields.get("renames", ANYTHING, None)
        renamed = {str(k): str(v) for k, v in renames.items()} if isinstance(renames, dict) else {}
        names = [operand.name for operand in operands]
        called = {operand.alias: operand.name for operand in operands if operand.alias} | renamed
        if called.get("weight") in names:
            return called["weight"]
        if called.get("input") in names:
            return next(name for name in names if name != called["input"])
        outside = [name for name in names if name not in self.made]
        if len(outside) == 1:
            return outside[0]
        begin = [name for name in names if name[0] in "WwFf"]
        return begin[0] if len(begin) == 1 else names[-1]

    def _layer(
        self,
        place: Place,
        name: str,
        result: Access,
        operands: list[Access],
        sizes: dict[str, int],
        repeats: int,
        weights: str,
    ) -> None:
        tensors = [f"{a.name}[{','.join(a.indices.values())}]" for a in (result, *operands)]
        text = f"{tensors[0]} += {' * '.join(tensors[1:])}"
        try:
            einsum = parse_einsum(text, sizes, name=name, weights=weights)
            accessed = (result, *operands)
            bits = {a.name: self.bits.get(a.name, self.bits.get("All")) for a in accessed}
            stated = {a.name: a.bits for a in accessed if a.bits is not None}
            einsum = einsum.with_bits(bits | stated)
        except InputError as error:
            for problem in error.problems:
                self.problems.add(place, problem)
            return
        self.layers.append(Layer(canonical(einsum), repeats))
        self._link(einsum, result, operands, sizes)

    def _link(
        self, einsum: Einsum, result: Access, operands: list[Access], sizes: Mapping[str, int]
    ) -> None:
        """Note what the last layer reads and writes; ranks tell which axis is which."""
        number, letters = len(self.layers) - 1, letters_of(einsum)
        known = {i: letters.get(same_dimension(i, einsum.dims) or i, "") for i in sizes}
        roles = {tensor.name: tensor.role for tensor in einsum.operands}
        names = [a.name for a in operands]
        for a in operands:
            ranks = self.ranks_of.get(a.name, ())
            if set(ranks) != set(a.indices) or names.count(a.name) > 1:
                self.follower.lost([a.name])
                continue
            found = tuple(_letter(a.indices[rank], known) for rank in ranks)
            self.follower.read(a.name, number, roles.get(a.name, ""), found)
        self.ranks_of[result.name] = tuple(result.indices)
        indices = result.indices.values()
        shape = tuple(sizes.get(index, 0) for index in indices)
        self.follower.wrote(result.name, number, shape, tuple(known.get(i, "") for i in indices))
