from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.workload.einsum import conv, gemm
from cosearch_plugins.mappers.exact.lattice import Lattice

LAYER = conv(K=12, C=10, P=8, Q=9, R=3, S=1, stride=(2, 1))
LATTICE = Lattice.of(LAYER)
ids = st.integers(0, len(LATTICE) - 1)


def test_every_tile_has_a_number_and_the_whole_layer_the_last():
    assert len(LATTICE) == 6 * 4 * 4 * 3 * 2
    assert LATTICE.tile(len(LATTICE) - 1) == {"K": 12, "C": 10, "P": 8, "Q": 9, "R": 3}
    assert all(LATTICE.number(LATTICE.tile(i)) == i for i in range(len(LATTICE)))


@given(ids, ids)
def test_products_are_sums_and_division_is_one_subtraction(a, b):
    tile, other = LATTICE.tile(a), LATTICE.tile(b)
    divides = all(other[d] % tile[d] == 0 for d in tile)
    packed = ((int(LATTICE.packed[b]) | LATTICE.guard) - int(LATTICE.packed[a])) & LATTICE.guard
    assert (packed == LATTICE.guard) == divides
    if divides:
        assert LATTICE.tile(b - a) == {d: other[d] // tile[d] for d in tile}


@given(ids)
def test_tables_agree_with_the_einsum(i):
    tile = dict.fromkeys(LAYER.dims, 1) | LATTICE.tile(i)
    for tensor in LAYER.tensors:
        assert LATTICE.footprint(tensor)[i] == tensor.footprint(tile)


def test_a_layer_with_too_many_tiles_is_refused():
    with pytest.raises(CosearchError, match="tiles"):
        Lattice.of(gemm(M=2**40 * 3**4 * 5**2 * 7**2, N=2**40 * 3**4, K=2**40))
