"""What AccelForge says of one einsum's tensors, in its long form and in its concise one.

    {name: I, projection: {N: n, C: c, H: p+r, W: q+s}, bits_per_value: 8}
    Conv[n, m, p, q] = I(input)[n, c, H: p+r, W: q+s] * F(weight)[m, c, r, s]

Source: AccelForge's guide, `docs/source/guide/spec/workload.rst`. An index that stands alone names
the rank of the same letters in upper case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from cosearch.workload.einsum import WIDEST

_TENSOR = re.compile(r"\s*(\w+)\s*(?:\(\s*(\w+)\s*\))?\s*\[([^\[\]]*)\]\s*")
_RANK = re.compile(r"\s*(\w+)\s*[:=]\s*(.+)")


@frozen
class Access:
    """A tensor of an einsum.

    Attributes:
        name: of the tensor.
        indices: rank to the index into it, in order.
        output: whether the einsum writes it.
        bits: of an element; None where the tensor itself does not say.
        alias: what the einsum calls it: `input`, `weight`, `output`; empty where it says nothing.
    """

    name: str
    indices: Mapping[str, str] = field(factory=dict)
    output: bool = False
    alias: str = ""
    bits: int | None = None


@frozen
class Written:
    """An einsum of one line.

    Attributes:
        accesses: operands first, the result last.
        product: whether the operands are multiplied.
    """

    accesses: tuple[Access, ...]
    product: bool


def concise(text: str) -> Written:
    """Return what an einsum in one line says.

    Raises:
        ValueError: it is none.
    """
    left, equals, right = text.partition("]=") if "]=" in text else _cut(text)
    if not equals:
        raise ValueError(f"{text!r} is not an einsum such as 'Z[m, n] = A[m, k] * B[k, n]'")
    factors = [_tensor(part, output=False) for part in _factors(right)]
    return Written((*factors, _tensor(left, output=True)), len(factors) > 1)


def _cut(text: str) -> tuple[str, str, str]:
    """Cut an einsum at the equals sign that stands outside of brackets."""
    depth = 0
    for i, character in enumerate(text):
        depth += {"[": 1, "]": -1}.get(character, 0)
        if character == "=" and depth == 0:
            return text[:i].rstrip().removesuffix("+"), "=", text[i + 1 :]
    return text, "", ""


def _factors(text: str) -> list[str]:
    return [part for part in re.split(r"\*(?![^\[]*\])", text) if part.strip()]


def _tensor(text: str, *, output: bool) -> Access:
    match = _TENSOR.fullmatch(text)
    if match is None:
        raise ValueError(f"{text.strip()!r} is not a tensor such as A[m, k]")
    name, alias, inside = match.groups()
    parts = [part for part in inside.split(",") if part.strip()]
    return Access(name, dict(map(_index, parts)), output, alias or "")


def access(data: Mapping[str, Any]) -> Access:
    """Return what an entry of `tensor_accesses` says.

    Raises:
        ValueError: it has no name or no projection that can be read.
    """
    projection, name = data.get("projection"), data.get("name")
    if not name:
        raise ValueError("a tensor access has no name")
    if isinstance(projection, Mapping):
        indices = {str(rank): str(index) for rank, index in projection.items()}
    elif isinstance(projection, list):
        indices = dict(_index(str(part)) for part in projection)
    elif projection is None:
        raise ValueError(f"{name} has no projection: a list of indices, or of ranks with indices")
    else:
        indices = dict([_index(str(projection))])
    bits = data.get("bits_per_value")
    width = bits if is_width(bits) else None
    return Access(str(name), indices, data.get("output") is True, bits=width)


def is_width(value: object) -> bool:
    """Return whether a value is a number of bits that an element may have."""
    return type(value) is int and 1 <= value <= WIDEST


def _index(text: str) -> tuple[str, str]:
    """Return rank and index of `p` or `M: p`."""
    match = _RANK.fullmatch(text)
    if match is not None:
        return match[1], match[2].strip()
    index = text.strip()
    return index.upper(), index
