"""The `layer` of a specification: a convolution, a matrix product, or any einsum."""

from __future__ import annotations

from typing import Any

from cosearch.errors import CosearchError, InputError, near_names
from cosearch.formats.fields import BITS, TEXT, WHOLE, Check, Fields, optional
from cosearch.formats.yaml_source import Place
from cosearch.workload.einsum import Einsum, conv, gemm
from cosearch.workload.language import parse_einsum

KINDS = ("conv", "gemm", "einsum")


def read_layer(fields: Fields) -> Einsum | None:
    """Return the layer, or None with the problems noted."""
    name = fields.get("name", TEXT, "layer")
    kinds = [kind for kind in KINDS if kind in fields]
    if len(kinds) != 1:
        fields.problems.add(fields.place, f"needs exactly one of {', '.join(KINDS)}")
        return None
    before = len(fields.problems.found)
    place: Place = (*fields.place, kinds[0])
    try:
        if kinds[0] == "einsum":
            layer = _einsum(fields, name)
        elif kinds[0] == "conv":
            layer = _conv(fields.inner("conv"), name)
        else:
            layer = _gemm(fields.inner("gemm"), name)
    except InputError as error:
        for problem in error.problems:
            fields.problems.add(place, problem)
        return None
    except CosearchError as error:
        fields.problems.add(place, str(error))
        return None
    if "bits" in fields:
        layer = _of_bits(fields.inner("bits", "of an element, by tensor or by role"), layer)
    fields.refuse_left(KINDS)
    return layer if len(fields.problems.found) == before else None


def _of_bits(fields: Fields, layer: Einsum) -> Einsum:
    bits = fields.every(optional(BITS))
    names = {name for t in layer.tensors for name in (t.name, t.role)}
    for name in sorted(set(bits) - names):
        fields.problems.add((*fields.place, name), f"is no tensor; {near_names(name, names)}")
    return layer.with_bits(bits)


def _einsum(fields: Fields, name: str) -> Einsum:
    given = fields.inner("sizes", "of an einsum's dimensions").every(WHOLE)
    about = "the operand of an einsum in the role of the weights"
    weights = fields.get("weights", TEXT, None, about)
    text = fields.need("einsum", TEXT, "such as `O[m,n] += A[m,k] * B[k,n]`")
    return parse_einsum(text, given, name=name, weights=weights)


def _conv(fields: Fields, name: str) -> Einsum:
    needed = {dim: fields.need(dim, WHOLE) for dim in "KCPQ"}
    free = {dim: fields.get(dim, WHOLE, 1) for dim in "RSNG"}
    stride, dilation = (fields.get(f, PAIR, (1, 1)) for f in ("stride", "dilation"))
    fields.refuse_left()
    return conv(name, **needed, **free, stride=stride, dilation=dilation)


def _gemm(fields: Fields, name: str) -> Einsum:
    M, N, K = (fields.need(dim, WHOLE) for dim in "MNK")
    B = fields.get("B", WHOLE, 1)
    fields.refuse_left()
    return gemm(name, M=M, N=N, K=K, B=B)


def _pair(value: Any) -> tuple[int, int]:  # noqa: ANN401
    both = value if isinstance(value, list) else [value, value]
    if len(both) != 2:
        raise ValueError(f"{value!r} is not a number, nor [along the width, along the height]")
    return WHOLE.read(both[0]), WHOLE.read(both[1])


PAIR = Check(
    _pair,
    (1, 1),
    {
        "oneOf": [
            WHOLE.schema,
            {"type": "array", "items": WHOLE.schema, "minItems": 2, "maxItems": 2},
        ]
    },
)
"""One whole number, or one along the width and one along the height."""
