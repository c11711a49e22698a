from __future__ import annotations

import math
import random

import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.loopnest.model.partial_tiles import Clipped, partial_cost, refuse_unclear
from cosearch.loopnest.nest import Nest
from cosearch.workload.einsum import conv, gemm
from cosearch_plugins.mappers.exact.arrays import Aim
from cosearch_plugins.mappers.exact.imperfect_bound import Shares, restricted, share_left
from cosearch_plugins.mappers.exact.solve import Solver

ENERGY, CYCLES = Aim(1, 0), Aim(0, 1)


def smaller(layer, r):
    """Return the layer with some dimensions cut, of each axis at most one."""
    sizes = dict(layer.bounds)
    for dim in r.sample(layer.dims, len(layer.dims)):
        partners = {
            d
            for t in layer.tensors
            for a in t.axes
            for d, _ in a.terms
            if dim in dict(a.terms) and d != dim
        }
        uncut = all(sizes[d] == layer.bounds[d] for d in partners)
        if uncut and r.random() < 0.7:
            sizes[dim] = r.randint(layer.bounds[dim] // 2 + 1, layer.bounds[dim])
    return layer.resized(tuple(sizes.values()))


def cases(small_case, seeds, rows):
    """Yield a mapspace of a padded layer, the layer, and some mappings."""
    for seed in seeds:
        case = small_case(seed)
        if case is None:
            continue
        space, r = case.space, random.Random(seed)
        try:
            refuse_unclear(space.architecture, space.layer)
        except CosearchError:
            continue
        layer = smaller(space.layer, r)
        sampled = space.sample(rows, np.random.default_rng(seed))
        sampled = np.unique(sampled[space.feasible(sampled)], axis=0)
        yield space, layer, [space.mapping_of(row) for row in sampled]


def counted(space, layer, mapping):
    """Return the counts of a mapping by kind, with partial tiles or without."""
    nest = Nest.of(space.layer, mapping)
    clipped = Clipped(space.architecture, layer, mapping, nest)
    out = {("steps", 0): clipped.steps}
    for level in range(nest.depth):
        out["instances", level] = clipped.active(level)
        for t in clipped.level(level):
            for kind in ("reads", "fills", "updates"):
                words = np.broadcast_to(
                    getattr(t, kind), np.broadcast_shapes(t.reads.shape, t.fills.shape)
                )
                out[kind, level, t.tensor.name] = int(words.sum())
                out[f"most {kind}", level, t.tensor.name] = int(words.max())
    return out


def compare_counts(small_case, seeds):
    tight = 0
    for space, layer, mappings in cases(small_case, seeds, 5):
        shares = Shares.of(layer, space.layer)
        of = {
            t.name: (m, a)
            for t, m, a in zip(layer.tensors, shares.moved, shares.revisited, strict=True)
        }
        for mapping in mappings:
            part, whole = counted(space, layer, mapping), counted(space, space.layer, mapping)
            for key, there in whole.items():
                share = shares.macs
                if key[0].endswith(("reads", "fills")):
                    share = of[key[2]][1]
                elif key[0].endswith("updates"):
                    share = of[key[2]][0]
                here, mean = part[key], there
                if key[0].startswith("most"):
                    mean = whole[key[0][5:], *key[1:]] / whole["instances", key[1]]
                assert here >= share * mean * (1 - 1e-12), (key, layer.sizes, space.layer.sizes)
                tight += 0 < here <= 1.01 * share * mean and share < 1
    assert tight


def test_no_count_falls_below_its_share(small_case):
    compare_counts(small_case, range(12))


@pytest.mark.exhaustive
def test_no_count_falls_below_its_share_in_many_cases(small_case):
    compare_counts(small_case, range(1000, 1300))


def compare_prices(small_case, seeds):
    for space, layer, mappings in cases(small_case, seeds, 8):
        shares, solver = Shares.of(layer, space.layer), Solver(space)
        cheaper = solver.repriced(shares.deflated(solver.problem))
        energy = cheaper.solve(ENERGY).energy_pj
        cycles = cheaper.solve(CYCLES).cycles - bool(solver.problem.limited.any())
        for mapping in mappings:
            price = partial_cost(space.architecture, layer, mapping)
            assert energy <= price.energy_pj * (1 + 1e-12)
            assert shares.macs * cycles <= price.cycles


def test_deflated_prices_undercut_partial_tiles(small_case):
    compare_prices(small_case, range(12))


@pytest.mark.exhaustive
def test_deflated_prices_undercut_partial_tiles_in_many_cases(small_case):
    compare_prices(small_case, range(5000, 5200))


def test_without_rounding_up_everything_is_left():
    layer = conv(K=4, C=4, P=7, Q=7, R=3, S=3)
    shares = Shares.of(layer, layer)
    assert shares.least == shares.macs == 1


def test_how_many_loops_are_kept_off_their_first_index():
    strided = conv(K=4, C=4, P=8, Q=8, R=3, stride=(3, 2), dilation=(1, 1))
    weights, inputs, outputs = strided.tensors
    assert restricted(strided, inputs, "P") == 2
    assert restricted(strided, inputs, "R") == 1
    assert restricted(strided, inputs, "Q") == 1
    assert restricted(strided, inputs, "K") == 1
    assert restricted(strided, inputs, "C") == restricted(strided, weights, "P") == 0
    assert restricted(strided, outputs, "P") == 0


def test_a_product_loses_no_more_than_its_padding_but_for_results_read_again():
    layer, padded = gemm(M=512, N=512, K=512), gemm(M=518, N=512, K=513)
    shares = Shares.of(layer, padded)
    part = 512 / 518 * 512 / 513
    assert math.isclose(shares.macs, part)
    assert shares.moved.tolist() == [shares.macs] * 3
    assert math.isclose(shares.revisited[2], 512 / 518 * share_left(512 / 513, 1))
