"""An einsum of any number of operands as products of two, the same for every file format.

What is summed up in one operand alone is summed up first; a diagonal is taken on the way; an
operand that is repeated along an axis is read without that axis. Three operands or more are
multiplied in the order with the fewest multiplications.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from attrs import field, frozen

from cosearch.errors import CosearchError
from cosearch.workload.einsum import conv
from cosearch.workload.network import Layer, Unmodelled
from cosearch_plugins.readers import operations as count
from cosearch_plugins.readers.shapes_to_layers import Shape

Letters: TypeAlias = frozenset[str]
Sizes: TypeAlias = Mapping[str, int]

MOST_OPERANDS = 8
"""Orders of more are not tried: their number grows like 3 to the power of operands."""


def einsum_products(
    name: str, kind: str, equation: str, shapes: tuple[Shape, ...]
) -> tuple[Layer | Unmodelled, ...] | None:
    """Return the products of an einsum, and the sums before them; None where there is no product.

    Letters in both operands of a product and in what is made of it are groups, in both alone are
    summed over, in one alone are rows (first) or columns (second).

    Args:
        name: of the einsum.
        kind: the operator, for what is left out.
        equation: with or without a result, an ellipsis or broadcasting.
        shapes: of the operands.

    Raises:
        CosearchError: operands have different sizes for one letter.
    """
    read = einsum_letters(equation, shapes)
    if read is None or not 2 <= len(shapes) <= MOST_OPERANDS:
        return None
    written, result, sizes = read
    if len(set(result)) != len(result):
        return None
    operands = tuple(_own(term, s, sizes) for term, s in zip(written, shapes, strict=True))
    plan = _Plan(operands, frozenset(result), sizes)
    summed = plan.summed()
    if not summed:
        return plan.layers(name)
    sums = Unmodelled(f"{name}.sum", kind, summed, count.SUMMED_REASON)
    return (*plan.layers(name), sums)


def _own(term: str, shape: Shape, sizes: Sizes) -> Letters:
    """Return the letters that an operand really has: not those along which it is repeated."""
    wrong = [c for c, n in zip(term, shape, strict=True) if n not in (1, sizes[c])]
    if wrong:
        raise CosearchError(f"the letter {wrong[0]!r} has the sizes 1 or {sizes[wrong[0]]} only")
    return frozenset(c for c, n in zip(term, shape, strict=True) if n == sizes[c])


def einsum_letters(
    equation: str, shapes: tuple[Shape, ...]
) -> tuple[tuple[str, ...], str, dict[str, int]] | None:
    """Return the operands' letters, the result's letters and their sizes, or None if malformed.

    An ellipsis becomes digits, aligned at its end as broadcasting does.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        return None
    spare = [
        len(shape) - len(term.replace("...", "")) for term, shape in zip(terms, shapes, strict=True)
    ]
    longest = max((n for term, n in zip(terms, spare, strict=True) if "..." in term), default=0)
    if min(spare) < 0 or longest > 9:
        return None
    dots = "0123456789"[:longest]
    written = [
        term.replace("...", dots[longest - n :]) for term, n in zip(terms, spare, strict=True)
    ]
    if any(len(term) != len(shape) for term, shape in zip(written, shapes, strict=True)):
        return None
    if arrow:
        result = right.replace("...", dots)
    else:
        once = sorted(c for c in set("".join(written)) if "".join(written).count(c) == 1)
        result = dots + "".join(c for c in once if c not in dots)
    sizes: dict[str, int] = {}
    for term, shape in zip(written, shapes, strict=True):
        for letter, length in zip(term, shape, strict=True):
            sizes[letter] = max(sizes.get(letter, 1), length)
    return (tuple(written), result, sizes) if set(result) <= set(sizes) else None


@frozen(eq=False)
class _Plan:
    """Multiplies operands, two at a time, in the cheapest order; sets of them are bit masks."""

    operands: tuple[Letters, ...]
    result: Letters
    sizes: Sizes
    cheapest: dict[int, tuple[int, tuple[tuple[int, int], ...]]] = field(factory=dict, init=False)

    def layers(self, name: str) -> tuple[Layer, ...]:
        """Return the products in order of execution, named after the einsum."""
        _, pairs = self._order((1 << len(self.operands)) - 1)
        return tuple(
            self._layer(name if len(pairs) == 1 else f"{name}.{i}", first, second)
            for i, (first, second) in enumerate(pairs)
        )

    def summed(self) -> int:
        """Return the elements of operands that are summed up before a product reads them."""
        sizes = [(self._size(own), self._kept(1 << i)) for i, own in enumerate(self.operands)]
        return sum(size for size, kept in sizes if size > self._size(kept))

    def _layer(self, name: str, first: int, second: int) -> Layer:
        a, b, out = self._kept(first), self._kept(second), self._kept(first | second)
        return Layer(
            conv(
                name,
                G=self._size(a & b & out),
                K=self._size(b - a),
                C=self._size((a & b) - out),
                P=self._size(a - b),
                Q=1,
            )
        )

    def _kept(self, members: int) -> Letters:
        """Return the letters of what operands make together: those that are needed elsewhere."""
        inside: set[str] = set()
        outside = set(self.result)
        for i, letters in enumerate(self.operands):
            (inside if members >> i & 1 else outside).update(letters)
        return frozenset(inside & outside)

    def _order(self, members: int) -> tuple[int, tuple[tuple[int, int], ...]]:
        """Return the least multiplications, and what is multiplied by what, in order."""
        if members & (members - 1) == 0:
            return 0, ()
        if members not in self.cheapest:
            self.cheapest[members] = min(self._orders(members), key=lambda order: order[0])
        return self.cheapest[members]

    def _orders(self, members: int) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
        """Yield for every way to cut operands in two its multiplications and its order."""
        lowest, part = members & -members, (members - 1) & members
        while part:
            if part & lowest:
                rest = members ^ part
                (before, head), (after, tail) = self._order(part), self._order(rest)
                own = self._size(self._kept(part) | self._kept(rest))
                yield before + after + own, (*head, *tail, (part, rest))
            part = (part - 1) & members

    def _size(self, letters: Letters) -> int:
        return math.prod(self.sizes[letter] for letter in letters)
