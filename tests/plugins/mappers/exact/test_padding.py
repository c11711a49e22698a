from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import conv, gemm
from cosearch_plugins.mappers.exact.padding import MOST_EXTRA, Scope, least_steps, padded_sizes


def machine(x, y):
    uniform = AccessEnergy.uniform
    return Architecture(
        "odd",
        (
            Memory("PE", 64, uniform(1.0), mesh_x=x, mesh_y=y),
            Memory("DRAM", None, uniform(50.0), is_dram=True),
        ),
        Compute(1.0, x, y),
    )


def sizes_of(layer, scope, x=14, y=12):
    return {size.layer.sizes for size in padded_sizes(machine(x, y), layer, scope)}


@pytest.mark.parametrize(
    ("size", "larger"), [(55, 56), (7, 8), (13, 14), (27, 28), (1000, 1008), (5, 6), (23, 24)]
)
def test_sizes_worth_rounding_up_to(size, larger):
    assert (larger, 4, 4) in sizes_of(gemm(M=size, N=4, K=4), Scope.ALL)


def test_a_side_that_is_filled_already_asks_for_nothing():
    assert not sizes_of(gemm(M=14, N=12, K=6), Scope.SPATIAL)
    assert (15, 12, 6) in sizes_of(gemm(M=14, N=12, K=6), Scope.ALL)


def test_over_space_only_sizes_that_fill_the_array_nearly_best():
    layer, array = gemm(M=512, N=512, K=512), machine(14, 12)
    own, steps = least_steps(array, layer.sizes), {}
    for size in padded_sizes(array, layer, Scope.SPATIAL):
        steps[size.layer.sizes] = least_steps(array, size.layer.sizes)
        assert size.cycles >= steps[size.layer.sizes]
        assert sum(a != b for a, b in zip(size.layer.sizes, layer.sizes, strict=True)) <= 2
    assert (518, 512, 513) in steps
    assert max(steps.values()) < own
    assert max(steps.values()) <= 1.1 * min(steps.values())


def test_of_the_dimensions_of_an_axis_one_is_rounded_up():
    layer = conv(K=2, C=2, P=13, Q=13, R=7, S=5)
    found = sizes_of(layer, Scope.ALL)
    p, q, r, s = (layer.dims.index(d) for d in "PQRS")
    assert any(n[p] > 13 and n[q] > 13 for n in found)
    assert any(n[r] > 7 for n in found)
    assert not any((n[p] > 13 and n[r] > 7) or (n[q] > 13 and n[s] > 5) for n in found)


def test_no_size_beyond_a_quarter_more_work():
    layer = conv(K=13, C=7, P=9, Q=5, R=3, S=3)
    found = sizes_of(layer, Scope.ALL)
    assert found
    assert all(layer.macs < math.prod(n) <= MOST_EXTRA * layer.macs for n in found)


def test_a_machine_without_an_array_has_nothing_to_fill():
    assert not sizes_of(gemm(M=7, N=7, K=7), Scope.SPATIAL, 1, 1)


@given(st.tuples(*(st.integers(1, 12),) * 3), st.integers(1, 6), st.integers(1, 6))
def test_least_steps_are_those_of_the_best_factors(sizes, x, y):
    def factors(n):
        return [(a, b) for a in range(1, x + 1) for b in range(1, y + 1) if n % (a * b) == 0]

    used = max(
        math.prod(a for a, _ in chosen) * math.prod(b for _, b in chosen)
        for chosen in itertools.product(*map(factors, sizes))
        if math.prod(a for a, _ in chosen) <= x and math.prod(b for _, b in chosen) <= y
    )
    assert least_steps(machine(x, y), sizes) == math.prod(sizes) // used
