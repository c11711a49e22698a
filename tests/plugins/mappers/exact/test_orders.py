from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.model.delivery import delivered
from cosearch.loopnest.nest import Nest
from cosearch.machine.architecture import CostRules
from cosearch.workload.einsum import Axis, Tensor, conv, gemm
from cosearch_plugins.mappers.exact.orders import Mover, order_classes


def classes_of(layer, fixed=None):
    dims = [d for d in layer.dims if layer.bounds[d] > 1]
    movers = [Mover.of(t, dims) for t in layer.tensors]
    return [
        "".join(dims[d] for d in order) for order in order_classes(movers, range(len(dims)), fixed)
    ]


def test_a_convolution_has_twelve_classes():
    found = classes_of(conv(K=2, C=2, P=2, Q=2, R=2, S=2, N=2))
    starts = {order[:2] for order in found}
    assert len(found) == 12
    assert {"PR", "RP", "QS", "SQ"} <= starts


def test_a_matrix_product_has_three():
    assert sorted(order[0] for order in classes_of(gemm(M=2, N=2, K=2))) == ["K", "M", "N"]


def test_a_prescribed_order_is_kept():
    assert classes_of(gemm(M=2, N=2, K=2), (2, 0, 1)) == ["KMN"]


def test_axes_that_share_a_dimension_are_one_place():
    tensor = Tensor(
        "I", "Inputs", (Axis((("P", 1), ("R", 1))), Axis((("C", 1),)), Axis((("P", 2),)))
    )
    mover = Mover.of(tensor, ["P", "C", "R", "K"])
    assert mover.axis == (0, 1, 0, -1)
    assert mover.slides == (True, False, True, False)
    assert mover.odd


def test_a_window_is_not_odd_and_three_dimensions_on_an_axis_are():
    def odd(*dims):
        return Mover.of(Tensor("I", "Inputs", (Axis(tuple((d, 1) for d in dims)),)), dims).odd

    assert not odd("P", "R")
    assert odd("P", "R", "S")


RULES = (
    CostRules(),
    CostRules(geometric_halo=True),
    CostRules(only_innermost_loop_slides=True),
)
bound = st.sampled_from([1, 1, 2, 3])


@settings(max_examples=60, deadline=None)
@given(
    tile=st.tuples(*[st.sampled_from([1, 2])] * 4),
    inner=st.tuples(*[bound] * 4),
    outer=st.tuples(*[bound] * 4),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 3),
    rules=st.sampled_from(RULES),
)
def test_every_order_is_matched_by_a_class_for_all_tensors_at_once(
    tile, inner, outer, stride, dilation, rules
):
    names = ("K", "C", "P", "R")
    total = [a * b * c for a, b, c in zip(tile, inner, outer, strict=True)]
    sizes = dict(zip(names, total, strict=True))
    layer = conv(**sizes, Q=1, S=1, stride=(stride, 1), dilation=(dilation, 1))
    movers = [Mover.of(t, names, rules) for t in layer.tensors]

    def words(low, high):
        def loops(bounds, order):
            return [Loop(names[d], bounds[d]) for d in order if bounds[d] > 1]

        mapping = Mapping(
            [
                LevelMapping("0", (), loops(tile, range(4))),
                LevelMapping("1", (), loops(inner, low)),
                LevelMapping("2", (), loops(outer, high)),
            ]
        )
        nest = Nest.of(layer, mapping)
        return [delivered(nest, t, 0, rules) for t in layer.tensors]

    lows = order_classes(movers, [d for d in range(4) if inner[d] > 1])
    highs = order_classes(movers, [d for d in range(4) if outer[d] > 1])
    found = np.array([words(a, b) for a in lows for b in highs])
    for order in itertools.permutations(range(4)):
        for other in (order, order[::-1], (2, 3, 0, 1), (3, 2, 1, 0)):
            assert (found <= np.array(words(order, other))).all(axis=1).any()
