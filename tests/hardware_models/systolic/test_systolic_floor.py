"""No tiling undercuts the floor of a systolic array, and one that fits whole meets its parts."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.workload.einsum import conv, gemm
from cosearch_hardware.gemm_view import gemm_view
from cosearch_hardware.systolic.floor import least_words
from cosearch_hardware.systolic.model import Systolic


def every_price(machine, layer):
    space = machine.mapspace(layer)
    costs = machine.evaluate(layer, space.unrank(np.arange(space.size)))
    return costs.energy_pj[costs.feasible], costs.cycles[costs.feasible]


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.tuples(*[st.sampled_from((1, 2, 5, 6, 12))] * 4),
    window=st.sampled_from((1, 2, 3)),
    stride=st.sampled_from((1, 2, 4)),
    groups=st.sampled_from((1, 2)),
    dataflow=st.sampled_from(("ws", "os", "is")),
    sides=st.tuples(*[st.sampled_from((4, 8, 14, 64))] * 2),
    port=st.sampled_from((32, 128, 2048)),
)
def test_no_tiling_undercuts_it(sizes, window, stride, groups, dataflow, sides, port):
    model = Systolic(small_sides=True)
    rows, cols = sides
    machine = model.build(
        {**model.baseline, "dataflow": dataflow, "rows": rows, "cols": cols,
         "dram_bits_per_cycle": port}
    )  # fmt: skip
    K, C, P, Q = sizes
    layer = conv(K=K, C=C, P=P, Q=Q, R=window, S=1, G=groups, stride=(stride, 1))
    energy, cycles = every_price(machine, layer)
    floor = machine.floor(layer)
    assert floor[0] <= energy.min()
    assert floor[1] <= cycles.min()


def test_it_is_near_where_everything_fits():
    model = Systolic()
    machine = model.build(model.baseline)
    layer = gemm(M=32, N=48, K=64)
    energy, cycles = every_price(machine, layer)
    floor = machine.floor(layer)
    assert 0.999 * energy.min() < floor[0]
    assert 0.5 * cycles.min() < floor[1]


def test_pixels_that_no_filter_reads_are_not_loaded():
    layer = conv(K=1, C=1, P=5, Q=1, R=2, S=1, stride=(3, 1))
    view = gemm_view(layer)
    assert least_words(view, view.tensor("Inputs")) == 5 * 2
    near = gemm_view(conv(K=1, C=1, P=5, Q=1, R=2, S=1))
    assert least_words(near, near.tensor("Inputs")) == 6


MODEL = Systolic(small_sides=True, word_bits="search")


@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_no_machine_undercuts_the_floor_of_many(data, seed):
    choices = {}
    for p in MODEL.space.parameters:
        first = data.draw(st.integers(0, len(p.choices) - 1), label=p.name)
        choices[p.name] = p.choices[first : data.draw(st.integers(first, len(p.choices))) + 1]
    layer = data.draw(st.sampled_from((gemm(M=12, N=48, K=64), conv(K=8, C=3, P=9, Q=9, R=3, S=3))))
    energy, cycles = MODEL.floor_over(choices, layer)
    rng = np.random.default_rng(seed)
    for _ in range(10):
        one = {name: values[rng.integers(len(values))] for name, values in choices.items()}
        floor = MODEL.build(one).floor(layer)
        assert energy <= floor[0]
        assert cycles <= floor[1]


def test_the_floor_of_one_of_many_is_its_own():
    layer = gemm(M=12, N=48, K=64)
    one = {name: (value,) for name, value in MODEL.baseline.items()}
    assert MODEL.floor_over(one, layer) == MODEL.build(MODEL.baseline).floor(layer)
    more = MODEL.floor_over(one | {"rows": (8, 16), "input_kb": (16, 64)}, layer)
    assert 0 < more[0] < MODEL.build(MODEL.baseline).floor(layer)[0]
