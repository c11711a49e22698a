"""ZigZag's workloads: a list of layers, each an equation with its dimensions.

    - id: 0
      operator_type: Conv
      equation: O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]
      dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]
      loop_dims: [B, K, C, OY, OX, FY, FX]
      loop_sizes: [1, 64, 3, 112, 112, 7, 7]
      operand_precision: {W: 8, I: 8, O: 16, O_final: 8}
      operand_source: {I: 0, W: 0}

The format is that of ZigZag 3 (`docs/source/workload.rst`, `zigzag/parser/workload_validator.py`).
An operand whose source is the layer itself is constant. Layers become convolutions where they are
some; padding is left out, as everywhere: an input is as large as its outputs need.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from cosearch.errors import InputError
from cosearch.formats.fields import ANYTHING, TEXT, Fields, Problems
from cosearch.formats.yaml_source import Place, YamlDocument
from cosearch.workload.einsum import WIDEST, Einsum
from cosearch.workload.language import parse_einsum
from cosearch.workload.network import Layer, Network, Unmodelled
from cosearch_plugins.readers import operations as count
from cosearch_plugins.readers.canonical import canonical

PRODUCTS = ("Conv", "Conv_downsample", "Gemm", "SConv")
_EQUATION = re.compile(r"\s*(\w+)\s*((?:\[\w*\])+)\s*\+?=\s*(.+)")
_OPERAND = re.compile(r"\s*(\w+)\s*((?:\[\w*\])+)\s*")
_RELATION = re.compile(r"\s*(\w+)\s*=\s*(.+)")


def is_zigzag(document: YamlDocument) -> bool:
    """Return whether a document is a list of layers with equations."""
    data = document.data
    return isinstance(data, list) and any(
        isinstance(item, dict) and "equation" in item for item in data
    )


def read_zigzag(document: YamlDocument, path: Path) -> Network:
    """Return the network in a ZigZag workload.

    Raises:
        InputError: with everything that is wrong, each with its line.
    """
    problems = Problems(document)
    reader = _Reader(problems)
    for i, item in enumerate(document.data):
        reader.layer(Fields(problems, (i,), item), i)
    problems.raise_if_any()
    return Network(path.stem, tuple(reader.layers), tuple(reader.notes), str(path))


class _Reader:
    """Reads layers one by one, collects them, what is left out and notes."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.layers: list[Layer] = []
        self.notes: list[Unmodelled] = []
        self.names: dict[str, int] = {}

    def layer(self, fields: Fields, position: int) -> None:
        number = fields.get("id", ANYTHING, position)
        kind = fields.need("operator_type", TEXT)
        name = self._unique(str(fields.get("name", ANYTHING, None) or f"{kind}_{number}"))
        equation = fields.need("equation", TEXT)
        sizes = self._sizes(fields)
        relations = self._relations(fields)
        weights = self._weights(fields, number)
        if not equation or sizes is None or relations is None:
            return
        bits = self._precisions(fields, name)
        self._note_rest(fields, name)
        if kind not in PRODUCTS or "*" not in equation.partition("=")[2]:
            item = Unmodelled(name, kind, math.prod(sizes.values()), count.ELEMENTWISE_REASON)
            self.notes.append(item)
            return
        einsum = self._einsum(fields.place, name, equation, sizes, relations, weights, bits)
        if einsum is not None:
            self.layers.append(Layer(einsum))

    def _sizes(self, fields: Fields) -> dict[str, int] | None:
        place = (*fields.place, "loop_sizes")
        dims, sizes = fields.need("loop_dims", ANYTHING), fields.need("loop_sizes", ANYTHING)
        if not isinstance(dims, list) or not isinstance(sizes, list) or len(dims) != len(sizes):
            self.problems.add(place, "needs a size for each of loop_dims, in the same order")
            return None
        names = [str(dim).lower() for dim in dims]
        if len(set(names)) != len(names):
            self.problems.add(place, "loop_dims names a dimension twice")
            return None
        wrong = [size for size in sizes if isinstance(size, bool) or not isinstance(size, int)]
        if wrong:
            self.problems.add(place, f"{wrong[0]!r} is not a whole number")
            return None
        return dict(zip(names, sizes, strict=True))

    def _relations(self, fields: Fields) -> dict[str, str] | None:
        """Return what each dimension of an input is in terms of loops, `ix` to `2*ox+1*fx`."""
        given = fields.get("dimension_relations", ANYTHING, None) or []
        matches = [_RELATION.fullmatch(str(text)) for text in given]
        if not isinstance(given, list) or None in matches:
            place = (*fields.place, "dimension_relations")
            self.problems.add(place, "needs relations such as ix=2*ox+1*fx")
            return None
        return {match[1].lower(): match[2].lower() for match in matches if match}

    def _weights(self, fields: Fields, number: object) -> str | None:
        """Return the operand that is constant, where exactly one is."""
        source = fields.get("operand_source", ANYTHING, None)
        constant = fields.get("constant_operands", ANYTHING, None)
        if isinstance(constant, list) and len(constant) == 1:
            return str(constant[0])
        if isinstance(source, dict):
            own = [str(operand) for operand, origin in source.items() if origin == number]
            return own[0] if len(own) == 1 else None
        return None

    def _precisions(self, fields: Fields, name: str) -> dict[str, int]:
        """Return the bits of each operand's elements; results are counted as their sums."""
        given = fields.get("operand_precision", ANYTHING, None) or {}
        place = (*fields.place, "operand_precision")
        if not isinstance(given, dict):
            self.problems.add(place, "is not a mapping of operands to bits")
            return {}
        bits = {str(operand): value for operand, value in given.items()}
        for operand, value in bits.items():
            if type(value) is not int or not 0 <= value <= WIDEST:
                self.problems.add((*place, operand), f"{value!r} is not a number of bits")
        final, sums = bits.pop("O_final", None), bits.get("O")
        if final is not None and final != sums:
            reason = f"O_final {final}: results leave the chip as wide as their sums, {sums} bits"
            self.notes.append(Unmodelled(f"{name}.precision", "ZigZag", 0, reason))
        return {o: v for o, v in bits.items() if type(v) is int and 1 <= v <= WIDEST}

    def _note_rest(self, fields: Fields, name: str) -> None:
        """Name what the layer says and the cost model has no use for."""
        for field in ("pr_loop_dims", "pr_loop_sizes", "padding"):
            fields.get(field, ANYTHING, None)
        for field in fields.left:
            dense = ": the layer is priced as dense" if _is_sparsity(field) else ""
            reason = f"{field} {fields.data[field]}{dense or ' has no meaning for the cost model'}"
            self.notes.append(Unmodelled(f"{name}.{field}", "ZigZag", 0, reason))

    def _einsum(
        self,
        place: Place,
        name: str,
        equation: str,
        sizes: dict[str, int],
        relations: dict[str, str],
        weights: str | None,
        bits: dict[str, int],
    ) -> Einsum | None:
        try:
            text, operands = _rewritten(equation, relations)
            named = [operand for operand in operands if operand.upper().startswith("W")]
            constant = weights if weights in operands else None
            role = named[0] if named else constant
            return canonical(parse_einsum(text, sizes, name=name, weights=role).with_bits(bits))
        except (InputError, ValueError) as error:
            told = error.problems if isinstance(error, InputError) else (str(error),)
            for problem in told:
                self.problems.add((*place, "equation"), problem)
            return None

    def _unique(self, name: str) -> str:
        self.names[name] = self.names.get(name, 0) + 1
        return name if self.names[name] == 1 else f"{name}#{self.names[name]}"


def _is_sparsity(field: str) -> bool:
    return any(word in field.lower() for word in ("spars", "densit"))


def _rewritten(equation: str, relations: dict[str, str]) -> tuple[str, list[str]]:
    """Return the equation in the einsum language, and its operands' names."""
    match = _EQUATION.fullmatch(equation)
    parts = match[3].split("*") if match else []
    operands = [_OPERAND.fullmatch(part) for part in parts]
    if match is None or None in operands or not operands:
        raise ValueError(f"{equation!r} is not O[..]+=W[..]*I[..]")
    found: list[Any] = [match, *operands]
    tensors = [f"{m[1]}[{','.join(_indices(m[2], relations))}]" for m in found]
    return f"{tensors[0]} += {' * '.join(tensors[1:])}", [m[1] for m in operands if m]


def _indices(text: str, relations: dict[str, str]) -> list[str]:
    names = [name.lower() for name in re.findall(r"\[(\w*)\]", text) if name]
    return [relations.get(name, name) for name in names]
