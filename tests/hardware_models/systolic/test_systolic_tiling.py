"""The closed form of traffic and stalls against a walk over the tiles, one by one."""

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosearch_hardware.systolic.tiling import ORDERS, Tiles, traffic

MOVES = {"M": "IO", "N": "WO", "K": "IW", "B": "IWO"}


def walk(counts, bits, compute, order, bandwidth):
    """Visit every tile; return bits moved of each tensor and the cycles."""
    nest = (*order, "B")
    ranges = [range(counts[g]) for g in reversed(nest)]
    tiles = [dict(zip(reversed(nest), at, strict=True)) for at in itertools.product(*ranges)]

    def which(tile, tensor):
        return tuple(tile[g] for g in "MNKB" if tensor in MOVES[g])

    moved = {"I": bits["I"], "W": bits["W"], "O": 0}
    cycles = math.ceil((bits["I"] + bits["W"]) / bandwidth)
    visited = {which(tiles[0], "O")}
    left = {}
    for tile in tiles:
        left[which(tile, "O")] = left.get(which(tile, "O"), 0) + 1
    for now, following in itertools.pairwise(tiles):
        tick = 0
        for tensor in "IW":
            if which(now, tensor) != which(following, tensor):
                tick += bits[tensor]
                moved[tensor] += bits[tensor]
        here, there = which(now, "O"), which(following, "O")
        left[here] -= 1
        if here != there:
            stored = bits["P"] if left[here] else bits["F"]
            fetched = bits["P"] if there in visited else 0
            tick += stored + fetched
            moved["O"] += stored + fetched
        visited.add(there)
        cycles += max(compute, math.ceil(tick / bandwidth))
    moved["O"] += bits["F"]
    return moved, cycles + compute + math.ceil(bits["F"] / bandwidth)


small = st.integers(1, 4)


@given(
    counts=st.fixed_dictionaries(dict.fromkeys("MNKB", small)),
    bits=st.fixed_dictionaries({t: st.integers(1, 999) for t in "IWPF"}),
    compute=st.integers(1, 500),
    order=st.sampled_from(ORDERS),
    bandwidth=st.integers(1, 64),
)
def test_closed_form_equals_the_walk(counts, bits, compute, order, bandwidth):
    moved, cycles = walk(counts, bits, compute, order, bandwidth)
    one = {g: np.array([counts[g]]) for g in "MNKB"}
    columns = {t: np.array([bits[t]]) for t in "IWPF"}
    tiles = Tiles(one, columns["I"], columns["W"], columns["P"], columns["F"], np.array([compute]))
    found = traffic(tiles, order, bandwidth)
    assert found.input_bits[0] == moved["I"]
    assert found.weight_bits[0] == moved["W"]
    np.testing.assert_allclose(found.output_bits[0], moved["O"], rtol=1e-12)
    np.testing.assert_allclose(found.cycles[0], cycles, rtol=1e-12)


def test_orders_are_all_permutations():
    assert len(set(ORDERS)) == 6
