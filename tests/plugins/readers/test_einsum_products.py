"""Einsums become products of two operands, as many multiplications as the cheapest order has."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.workload.network import Layer
from cosearch_plugins.readers.einsum_products import einsum_letters, einsum_products


def made(equation: str, shapes) -> tuple[list[Layer], int]:
    """Return the layers of an einsum and the elements summed up before."""
    items = einsum_products("e", "Einsum", equation, shapes)
    layers = [item for item in items if isinstance(item, Layer)]
    return layers, sum(item.operations for item in items if not isinstance(item, Layer))


def macs(layers) -> int:
    return sum(layer.einsum.macs for layer in layers)


EQUATIONS = (
    "bhid,bhjd->bhij",
    "ij,jk->ik",
    "ij,jk",
    "ij,ij->",
    "ij,kj->ikj",
    "i,j->ij",
    "...ij,...jk->...ik",
    "bi...,bj...->bij...",
    "nchw,kc->nkhw",
    "ii,ij->j",
)


@pytest.mark.parametrize("equation", EQUATIONS)
def test_two_operands_equal_numpys_path(equation: str) -> None:
    """numpy's own count: all combinations of the letters, one product each."""
    sizes = dict(zip("bhidjknchw", itertools.count(2), strict=False))
    shapes = tuple(
        tuple(sizes[c] for c in term.replace("...", "hw"))
        for term in equation.partition("->")[0].split(",")
    )
    letters = set(equation.replace("...", "hw")) - set("->, ")
    layers, summed = made(equation, shapes)
    assert macs(layers) == math.prod(sizes[letter] for letter in letters)
    assert summed == 0
    expected = np.einsum(equation, *(np.ones(s) for s in shapes))
    assert layers[0].einsum.words(layers[0].einsum.output) == expected.size


def test_three_operands_are_two_products() -> None:
    layers, summed = made("ij,jk,kl->il", ((4, 5), (5, 6), (6, 7)))
    assert [layer.einsum.macs for layer in layers] == [4 * 5 * 6, 4 * 6 * 7]
    assert [layer.name for layer in layers] == ["e.0", "e.1"]
    assert summed == 0


def test_an_operand_is_summed_up_first() -> None:
    layers, summed = made("abc,d->ad", ((4, 5, 6), (7,)))
    assert (macs(layers), summed) == (4 * 7, 4 * 5 * 6)
    assert layers[0].einsum.words(layers[0].einsum.tensors[1]) == 4


def test_a_repeated_operand_is_read_once() -> None:
    """Grouped-query attention: keys [b, h, 1, s, d] shared by the queries [b, h, g, s, d]."""
    layers, _ = made("bhgqd,bhgkd->bhgqk", ((2, 3, 4, 10, 16), (2, 3, 1, 12, 16)))
    (layer,) = layers
    assert layer.einsum.macs == 2 * 3 * 4 * 10 * 12 * 16
    weights, inputs, outputs = (layer.einsum.words(t) for t in layer.einsum.tensors)
    assert (weights, inputs) == (2 * 3 * 12 * 16, 2 * 3 * 4 * 10 * 16)
    assert outputs == 2 * 3 * 4 * 10 * 12


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij->ji", ((2, 3),)),
        ("ij,jk->ik", ((2, 3),)),
        ("ij,jk->iz", ((2, 3), (3, 4))),
        ("ij,jk->ii", ((2, 3), (3, 4))),
        ("i...,j->ij", ((), (2,))),
    ],
)
def test_einsums_without_products(equation: str, shapes) -> None:
    assert einsum_products("e", "Einsum", equation, shapes) is None


def test_sizes_that_contradict_each_other() -> None:
    with pytest.raises(CosearchError, match="the letter 'j'"):
        made("ij,jk->ik", ((2, 3), (4, 5)))


def test_letters_of_an_implicit_result_are_in_order() -> None:
    terms, result, sizes = einsum_letters("ba,bc", ((2, 3), (2, 4)))
    assert (terms, result, sizes) == (("ba", "bc"), "ac", {"b": 2, "a": 3, "c": 4})


def cheapest(operands: list[frozenset[str]], result: frozenset[str], sizes) -> int:
    """Return the least multiplications of any order, tried one by one."""
    operands = [
        own & result.union(*(o for j, o in enumerate(operands) if j != i))
        for i, own in enumerate(operands)
    ]
    if len(operands) == 1:
        return 0
    found = []
    for i, j in itertools.combinations(range(len(operands)), 2):
        rest = [o for k, o in enumerate(operands) if k not in (i, j)]
        pair = operands[i] | operands[j]
        here = math.prod(sizes[c] for c in pair)
        kept = pair & result.union(*rest)
        found.append(here + cheapest([*rest, kept], result, sizes))
    return min(found)


@given(st.data())
def test_no_order_has_fewer_multiplications(data) -> None:
    sizes = {c: data.draw(st.integers(1, 5)) for c in "abcde"}
    term = st.lists(st.sampled_from("abcde"), min_size=1, max_size=3, unique=True)
    terms = data.draw(st.lists(term, min_size=2, max_size=4))
    known = sorted({c for t in terms for c in t})
    result = data.draw(st.lists(st.sampled_from(known), max_size=3, unique=True))
    equation = ",".join("".join(t) for t in terms) + "->" + "".join(result)
    layers, summed = made(equation, tuple(tuple(sizes[c] for c in t) for t in terms))
    expected = cheapest([frozenset(t) for t in terms], frozenset(result), sizes)
    assert macs(layers) == expected
    alone = [
        math.prod(sizes[c] for c in t)
        for i, t in enumerate(terms)
        if any(
            sizes[c] > 1
            and c not in result
            and not any(c in o for j, o in enumerate(terms) if j != i)
            for c in t
        )
    ]
    assert summed == sum(alone)
    assert layers[-1].einsum.words(layers[-1].einsum.output) == math.prod(sizes[c] for c in result)
