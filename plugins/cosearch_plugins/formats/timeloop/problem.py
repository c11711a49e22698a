"""Timeloop's problem files, of versions 0.2 to 0.4.

A problem is a shape (dimensions, coefficients, data spaces with projections) and an instance
(their sizes and values). A projection is a list of axes; an axis is a sum of products, such as
`[[R, Wdilation], [P, Wstride]]`. Names may be spelled with hyphens or with underscores.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.formats.fields import ANYTHING, BITS, FLAG, TEXT, WHOLE, Fields, Problems, optional
from cosearch.formats.yaml_source import Place, YamlDocument
from cosearch.workload.einsum import Axis, Einsum, Role, Tensor
from cosearch_plugins.formats.timeloop.arithmetic import number_of
from cosearch_plugins.formats.timeloop.components import COUNT
from cosearch_plugins.formats.timeloop.yaml import read_timeloop_yaml

CNN_LAYER: dict[str, Any] = {
    "name": "CNN-Layer",
    "dimensions": list("RSPQCKN"),
    "coefficients": [
        {"name": name, "default": 1} for name in ("Wstride", "Hstride", "Wdilation", "Hdilation")
    ],
    "data_spaces": [
        {"name": "Weights", "projection": [[["C"]], [["K"]], [["R"]], [["S"]]]},
        {
            "name": "Inputs",
            "projection": [
                [["N"]],
                [["C"]],
                [["R", "Wdilation"], ["P", "Wstride"]],
                [["S", "Hdilation"], ["Q", "Hstride"]],
            ],
        },
        {
            "name": "Outputs",
            "projection": [[["N"]], [["K"]], [["Q"]], [["P"]]],
            "read_write": True,
        },
    ],
}
"""The shape that Timeloop assumes where a file has none."""

GEMM: dict[str, Any] = {
    "name": "gemm_ABZ",
    "dimensions": list("MNK"),
    "data_spaces": [
        {"name": "A", "projection": [[["M"]], [["K"]]]},
        {"name": "B", "projection": [[["N"]], [["K"]]]},
        {"name": "Z", "projection": [[["M"]], [["N"]]], "read_write": True},
    ],
}

SHAPES = {"cnn-layer": CNN_LAYER, "gemm-abz": GEMM}
"""Shapes that Timeloop ships and that a file may just name, in lower case with hyphens."""

ASSUMED = "no shape is given: taken for a cnn-layer, as Timeloop does"

ROLE_WORDS: dict[str, Role] = {
    "weight": "Weights",
    "filter": "Weights",
    "kernel": "Weights",
    "input": "Inputs",
    "ifmap": "Inputs",
    "activation": "Inputs",
}
"""Beginnings of data-space names, in lower case, that tell the role of an operand."""


ABOUT = ("name", "dnn_name", "notes", "histograms", "version")
"""Fields that say something about a problem to people, and to models of its values."""

WIDTHS = ("bits", "bitwidth", "word_bits", "datawidth")
"""Spellings of the width of a data space's elements, in the data space itself."""

LONG = 60
"""Characters of a value that a note still repeats."""


@frozen
class Problem:
    """What a problem file says.

    Attributes:
        layer: the problem.
        notes: what the file holds and this model has no use for.
    """

    layer: Einsum
    notes: tuple[str, ...]


def read_problem(path: Path) -> Einsum:
    """Return the layer in a problem file.

    Raises:
        InputError: with everything that is wrong or not understood, each with its line.
    """
    return problem_of(read_timeloop_yaml(path), path.stem).layer


def problem_of(document: YamlDocument, name: str = "problem") -> Problem:
    """Return the layer in a document that has a `problem` (or is one).

    Raises:
        InputError: with everything that is wrong or not understood, each with its line.
    """
    problems = Problems(document)
    top = Fields(problems, (), document.data)
    key = next((key for key in ("problem", "prob") if key in top), None)
    fields = top.inner(key) if key else top
    reader = _Reader(problems, name)
    layer = reader.layer(fields)
    problems.raise_if_any()
    if layer is None:
        raise CosearchError(f"{document.source} holds no problem")
    return Problem(layer, tuple(reader.notes))


class _Reader:
    """Reads one problem and collects notes."""

    def __init__(self, problems: Problems, name: str) -> None:
        self.problems, self.name = problems, name
        self.notes: list[str] = []
        self.factors: dict[str, int] = {}
        self.dims: list[str] = []

    def layer(self, fields: Fields) -> Einsum | None:
        fields.get("version", ANYTHING, None)
        shape = self._shape(fields)
        if shape is None:
            return None
        name = shape.get("name", ANYTHING, None) or self.name
        self.dims = self._dims(shape)
        coefficients = self._coefficients(shape)
        instance = fields.inner("instance") if "instance" in fields else fields
        _work_out(instance)
        sizes = tuple(instance.need(dim, WHOLE) for dim in self.dims)
        for coefficient, default in coefficients.items():
            self.factors[coefficient] = instance.get(coefficient, COUNT, default or 1)
            if self.factors[coefficient] == 0:
                self.notes.append(f"{coefficient}: 0, so nothing moves along it, as in Timeloop")
            if default is None and coefficient not in instance:
                self.problems.add(instance.place, f"the coefficient {coefficient} is missing")
        bits = self._bits(instance)
        self._leave(instance, fields)
        tensors = self._tensors(shape)
        for name in sorted(set(bits) - {t.name for t in tensors}):
            place = (*instance.place, "bitwidths", name)
            self.problems.add(place, f"{name!r} is no data space")
        shape.get("version", ANYTHING, None)
        shape.refuse_left()
        if self.problems.found:
            return None
        try:
            return Einsum(str(name), tuple(self.dims), sizes, tensors).with_bits(bits)
        except CosearchError as error:
            self.problems.add(fields.place, str(error))
            return None

    def _shape(self, fields: Fields) -> Fields | None:
        if "shape" not in fields and all(dim in fields.data for dim in CNN_LAYER["dimensions"]):
            self.notes.append(ASSUMED)
            fields.data["shape"] = "cnn-layer"
        given = fields.need("shape", ANYTHING)
        place = (*fields.place, "shape")
        if not isinstance(given, str):
            return Fields(self.problems, place, given) if given else None
        known = SHAPES.get(given.lower().replace("_", "-"))
        if known is not None:
            return Fields(self.problems, place, known)
        self.problems.add(place, f"{given!r} names a file of Timeloop's: write the shape out")
        return None

    def _dims(self, shape: Fields) -> list[str]:
        dims = [dim for _, dim in shape.items("dimensions")]
        for i, dim in enumerate(dims):
            if not isinstance(dim, str) or dims.count(dim) > 1:
                place = (*shape.place, "dimensions", i)
                self.problems.add(place, f"{dim!r} is not a name of its own")
        return [str(dim) for dim in dims]

    def _coefficients(self, shape: Fields) -> dict[str, int | None]:
        out: dict[str, int | None] = {}
        if shape.get("coefficients", ANYTHING, None):
            for place, item in shape.items("coefficients"):
                fields = Fields(self.problems, place, item)
                out[fields.need("name", TEXT)] = fields.get("default", WHOLE, None)
                fields.refuse_left()
        return out

    def _bits(self, instance: Fields) -> dict[str, int | None]:
        """Return the widths that an instance states, as Timeloop with quantization writes them."""
        if not instance.get("bitwidths", ANYTHING, None):
            return {}
        return instance.inner("bitwidths").every(optional(BITS))

    def _leave(self, instance: Fields, fields: Fields) -> None:
        """Note what the instance holds beyond sizes and coefficients."""
        if instance.get("densities", ANYTHING, None):
            self.notes.append("densities: sparsity is not modelled, the layer is counted as dense")
        for name in ABOUT:
            fields.get(name, ANYTHING, None)
            instance.get(name, ANYTHING, None)
        others = [] if instance is fields else [(name, fields.data[name]) for name in fields.left]
        strange = [
            f"{name} {value if len(str(value)) < LONG else '...'}"
            for name, value in [*((n, instance.data[n]) for n in instance.left), *others]
            if value not in (None, "", [], {})
        ]
        if strange:
            self.notes.append(f"without meaning for the cost model: {', '.join(strange)}")

    def _tensors(self, shape: Fields) -> tuple[Tensor, ...]:
        operands: list[Tensor] = []
        results: list[Tensor] = []
        for place, item in shape.items("data_spaces"):
            fields = Fields(self.problems, place, item)
            name = fields.need("name", TEXT)
            read = [self._axis(p, axis) for p, axis in fields.items("projection")]
            axes = [axis for axis in read if axis.terms]
            stated = [fields.get(spelling, optional(BITS), None) for spelling in WIDTHS]
            bits = next((width for width in stated if width is not None), None)
            if fields.get("read_write", FLAG, False):
                results.append(Tensor(name, "Outputs", tuple(axes), bits))
            else:
                operands.append(Tensor(name, _role(name, len(operands)), tuple(axes), bits))
            fields.refuse_left()
        if len(results) != 1 and "data_spaces" in shape:
            self.problems.add(
                (*shape.place, "data_spaces"),
                f"{len(results)} data spaces have read_write: true; exactly one is needed",
            )
        operands.sort(key=lambda tensor: tensor.role != "Weights")
        return (*operands, *results)

    def _axis(self, place: Place, axis: object) -> Axis:
        terms = axis if isinstance(axis, list) else [axis]
        read = [self._term(place, term) for term in terms]
        return Axis(tuple((dim, step) for dim, step in read if step))

    def _term(self, place: Place, term: object) -> tuple[str, int]:
        parts: list[Any] = term if isinstance(term, list) else [term]
        dims = [str(part) for part in parts if part in self.dims]
        others = [part for part in parts if part not in self.dims]
        names = list(self.factors)  # not the mapping: a list or mapping in `others` has no hash
        unknown = [p for p in others if p not in names and not isinstance(p, int)]
        if len(dims) != 1 or unknown:
            known = " ".join([*self.dims, *self.factors])
            self.problems.add(
                place, f"{term!r} is not one dimension and its coefficients; there are: {known}"
            )
            return (dims or ["?"])[0], 1
        return dims[0], math.prod(p if isinstance(p, int) else self.factors[p] for p in others)


def _work_out(instance: Fields) -> None:
    """Replace sizes that are written as arithmetic (`P: 224 // 2`)."""
    given = dict(instance.data)
    found = {k: number_of(v, given) for k, v in given.items() if isinstance(v, str)}
    instance.data.update({k: v for k, v in found.items() if v is not None})


def _role(name: str, position: int) -> Role:
    """Return an operand's role by its name; else the first operand stands for the weights."""
    for word, role in ROLE_WORDS.items():
        if name.lower().startswith(word):
            return role
    return "Inputs" if position else "Weights"
