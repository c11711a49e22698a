"""The einsum language: layers as one writes them on a whiteboard.

    O[n,k,p,q] += I[n,c,2*p+r,2*q+s] * W[k,c,r,s]

The left side is accumulated into, over all products of the right side. An index is a sum of
dimensions with whole, positive coefficients (strides and dilations). There are no constants in
it: a layer has no padding, its input is exactly as large as its outputs need. A tensor may state
the bits of an element, `W[k,c,r,s]:4`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from attrs import frozen

from cosearch.errors import CosearchError, InputError
from cosearch.workload.einsum import Axis, Einsum, Role, Tensor

HINT = 'for example: "O[m,n] += A[m,k] * B[k,n] ; m=512,n=512,k=512"'

MAX_LENGTH = 10_000
"""Characters; anything longer is not a formula."""

MAX_SIZE = 2**31 - 1
"""Of a dimension."""

_TENSOR = re.compile(r"\s*([A-Za-z_]\w*)\s*\[([^\[\]]*)\]\s*(?::\s*(\d{1,9})\s*)?")
_TERM = re.compile(
    r"(?:(?P<before>\d{1,12})\s*\*\s*)?(?P<dim>[A-Za-z_]\w*)(?:\s*\*\s*(?P<after>\d{1,12}))?"
)
_USUAL_ORDER = ("B", "G", "M", "N", "K", "C", "P", "Q", "R", "S")


@frozen
class _Written:
    """A tensor as it stands in the text: its name, its indices and its width."""

    name: str
    axes: tuple[Axis, ...]
    bits: int | None = None

    @property
    def dims(self) -> tuple[str, ...]:
        return tuple(dim for axis in self.axes for dim, _ in axis.terms)


def is_einsum(text: str) -> bool:
    """Return whether a text is meant as an einsum rather than a name or a path."""
    return "+=" in text or ("[" in text and "=" in text)


def parse_sized_einsum(text: str) -> Einsum:
    """Return the layer of `EINSUM ; dim=size, dim=size`, or raise InputError."""
    formula, _, sizes = text.partition(";")
    return parse_einsum(formula, parse_sizes(sizes))


def parse_sizes(text: str) -> dict[str, int]:
    """Return the sizes in `m=512, n=512`, or raise InputError."""
    sizes: dict[str, int] = {}
    problems: list[str] = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"([A-Za-z_]\w*)\s*=\s*([-+]?\d{1,18})", item)
        if match is None:
            problems.append(f"{item!r} is not DIMENSION=SIZE")
        elif match[1] in sizes:
            problems.append(f"dimension {match[1]} has two sizes")
        else:
            sizes[match[1]] = int(match[2])
    if problems:
        raise InputError(f"sizes {text.strip()!r}", problems, HINT)
    return sizes


def parse_einsum(
    text: str, sizes: Mapping[str, int], *, name: str = "einsum", weights: str | None = None
) -> Einsum:
    """Return the layer that a text describes.

    Dimensions are written in either case and become upper case, so that `k` meets a machine's
    rules for `K`; they are kept in the usual order (G N K C P Q R S, or M N K), others behind.

    Args:
        text: the einsum: one result, `+=`, and two operands joined by `*`.
        sizes: dimension to size, each at least 1.
        name: of the layer.
        weights: which operand has the role of the weights, for the memories that treat weights
            and inputs differently; None takes the operand whose name begins with W, else the
            second one.

    Raises:
        InputError: with everything that is wrong.
    """
    source = f"einsum {text.strip()[:200]!r}"
    if len(text) > MAX_LENGTH:
        raise InputError(source, [f"is longer than {MAX_LENGTH} characters"])
    result, operands = _sides(source, text)
    problems = _shape_problems(result, operands)
    if problems:
        raise InputError(source, problems, HINT)
    dims = _ordered(dict.fromkeys([*result.dims, *(d for o in operands for d in o.dims)]))
    values = _checked_sizes(source, dims, sizes)
    first, second = _by_role(source, operands, weights)
    roles: tuple[tuple[_Written, Role], ...] = (
        (first, "Weights"),
        (second, "Inputs"),
        (result, "Outputs"),
    )
    try:
        tensors = tuple(Tensor(t.name, role, t.axes, t.bits) for t, role in roles)
        return Einsum(name, dims, values, tensors)
    except CosearchError as error:
        raise InputError(source, [str(error)], error.hint) from None


def format_einsum(einsum: Einsum) -> str:
    """Return the text of a layer, without its sizes; the inverse of `parse_einsum`.

    Element-wise work, which the language has no signs for, reads
    `Outputs[...] add= Inputs[...], Others[...]`.
    """

    def tensor(t: Tensor) -> str:
        axes = ("+".join(_format_term(*term) for term in axis.terms) for axis in t.axes)
        return f"{t.name}[{','.join(axes)}]" + ("" if t.bits is None else f":{t.bits}")

    if einsum.operation:
        operands = ", ".join(map(tensor, einsum.operands))
        return f"{tensor(einsum.output)} {einsum.operation}= {operands}"
    return f"{tensor(einsum.output)} += {' * '.join(map(tensor, reversed(einsum.operands)))}"


def _format_term(dim: str, coefficient: int) -> str:
    return dim.lower() if coefficient == 1 else f"{coefficient}*{dim.lower()}"


def _sides(source: str, text: str) -> tuple[_Written, tuple[_Written, ...]]:
    left, plus, right = text.partition("+=")
    if not plus:
        left, plus, right = text.partition("=")
    if not plus or "=" in right:
        raise InputError(source, ["needs one result, then +=, then the operands"], HINT)
    problems: list[str] = []
    result = _tensors(left, problems)
    operands = _tensors(right, problems)
    if not problems and len(result) != 1:
        problems.append("needs exactly one result on the left")
    if not problems and len(operands) != 2:
        problems.append(
            f"has {len(operands)} operand{'s' * (len(operands) != 1)}; a layer multiplies exactly "
            "two (split a longer product into several layers)"
        )
    if problems:
        raise InputError(source, problems, HINT)
    return result[0], operands


def _tensors(text: str, problems: list[str]) -> tuple[_Written, ...]:
    """Return the tensors joined by `*`; what is not one is added to the problems."""
    found: list[_Written] = []
    for part in re.split(r"\*(?![^\[]*\])", text):
        match = _TENSOR.fullmatch(part)
        if match is None:
            problems.append(f"{part.strip()!r} is not a tensor such as A[m,k]")
            continue
        name, inside, bits = match.groups()
        axes = [_axis(name, index, problems) for index in inside.split(",")]
        known = tuple(axis for axis in axes if axis is not None)
        found.append(_Written(name, known, int(bits) if bits else None))
    return tuple(found)


def _axis(tensor: str, text: str, problems: list[str]) -> Axis | None:
    """Return one index, a sum of terms; several terms of one dimension are added up."""
    coefficients: dict[str, int] = {}
    for part in text.split("+"):
        term = part.strip()
        match = _TERM.fullmatch(term)
        if match is None or (match["before"] and match["after"]):
            problems.append(f"{tensor}: {_bad_term(term)}")
            return None
        dim = match["dim"].upper()
        coefficient = int(match["before"] or match["after"] or 1)
        if not 1 <= coefficient <= MAX_SIZE:
            problems.append(f"{tensor}: the coefficient in {term!r} is not at least 1")
            return None
        coefficients[dim] = coefficients.get(dim, 0) + coefficient
    return Axis(tuple(coefficients.items()))


def _bad_term(term: str) -> str:
    if not term:
        return "an index is missing"
    if re.fullmatch(r"-?\s*\d+", term) or "-" in term:
        return (
            f"{term!r} has a constant or a minus; leave it out: there is no padding, an input is "
            "as large as its outputs need"
        )
    return f"{term!r} is not a dimension such as p, or a multiple such as 2*p"


def _shape_problems(result: _Written, operands: tuple[_Written, ...]) -> list[str]:
    problems: list[str] = []
    names = [result.name, *(o.name for o in operands)]
    if len(set(names)) != len(names):
        problems.append(f"the tensors {', '.join(names)} need different names")
    if any(len(axis.terms) != 1 or axis.terms[0][1] != 1 for axis in result.axes):
        problems.append(f"every index of the result {result.name} must be one plain dimension")
    if len(set(result.dims)) != len(result.dims):
        problems.append(f"a dimension stands twice in the result {result.name}")
    known = {d for o in operands for d in o.dims}
    problems += [f"dimension {d.lower()} is in no operand" for d in result.dims if d not in known]
    return problems


def _ordered(dims: Mapping[str, None]) -> tuple[str, ...]:
    usual = [dim for dim in _USUAL_ORDER if dim in dims]
    return (*usual, *(dim for dim in dims if dim not in _USUAL_ORDER))


def _checked_sizes(source: str, dims: tuple[str, ...], sizes: Mapping[str, int]) -> tuple[int, ...]:
    given = {dim.upper(): size for dim, size in sizes.items()}
    problems = [f"dimension {d.lower()} has no size" for d in dims if d not in given]
    problems += [
        f"there is no dimension {d.lower()} to give a size" for d in given if d not in dims
    ]
    problems += [
        f"dimension {d.lower()}={size!r} is not a whole number from 1 to {MAX_SIZE}"
        for d, size in given.items()
        if type(size) is not int or not 1 <= size <= MAX_SIZE
    ]
    if len(given) != len(sizes):
        problems.append("a dimension has two sizes (k and K are the same)")
    if problems:
        raise InputError(source, problems, HINT)
    return tuple(given[dim] for dim in dims)


def _by_role(
    source: str, operands: tuple[_Written, ...], weights: str | None
) -> tuple[_Written, _Written]:
    """Return (weights, inputs)."""
    first, second = operands
    if weights is None:
        starts = [o.name for o in operands if o.name[0] in "Ww"]
        weights = starts[0] if len(starts) == 1 else second.name
    if weights not in (first.name, second.name):
        raise InputError(source, [f"there is no operand {weights!r} to be the weights"])
    return (first, second) if weights == first.name else (second, first)


def same_dimension(word: str, dims: Sequence[str]) -> str | None:
    """Return the dimension that a word means: the same letters, else the same but for case."""
    if word in dims:
        return word
    alike = [dim for dim in dims if dim.lower() == word.lower()]
    return alike[0] if len(alike) == 1 else None
