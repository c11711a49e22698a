"""No schedule on the GEMM core undercuts its floor, and the best ones come near."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import Infeasible
from cosearch.workload.einsum import conv
from cosearch_hardware.vta.model import Vta


def every_price(machine, layer):
    space = machine.mapspace(layer)
    rows = space.unrank(np.arange(space.size))
    costs = machine.evaluate(layer, rows)
    return costs.energy_pj[costs.feasible], costs.cycles[costs.feasible]


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.tuples(*[st.sampled_from((1, 3, 16, 34))] * 2, *[st.sampled_from((1, 2, 5, 6))] * 2),
    window=st.sampled_from((1, 2, 3)),
    stride=st.sampled_from((1, 2, 4)),
    batch=st.sampled_from((0, 1)),
    gemm_core=st.sampled_from(("pipelined", "unpipelined")),
    bus=st.sampled_from((8, 32)),
)
def test_no_schedule_undercuts_it(sizes, window, stride, batch, gemm_core, bus):
    model = Vta("intel", "asic")
    small = {"block_in": 4, "block_out": 3, "wgt": 15, "acc": 15}
    chosen = {**small, "batch": batch, "gemm": gemm_core, "bus_bytes": bus}
    machine = model.build({**model.baseline, **chosen})
    K, C, P, Q = sizes
    layer = conv(K=K, C=C, P=P, Q=Q, R=window, S=1, stride=(stride, 1))
    try:
        energy, cycles = every_price(machine, layer)
    except Infeasible:
        return
    floor = machine.floor(layer)
    assert floor[0] <= energy.min()
    assert floor[1] <= cycles.min()


def test_it_is_near_where_everything_fits():
    model = Vta()
    machine = model.build(model.baseline)
    layer = conv(K=32, C=32, P=14, Q=14, R=3, S=3)
    energy, cycles = every_price(machine, layer)
    floor = machine.floor(layer)
    assert 0.97 * energy.min() < floor[0]
    assert 0.9 * cycles.min() < floor[1]
