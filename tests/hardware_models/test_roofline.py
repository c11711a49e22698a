"""Devices as rooflines: which roof binds, and that nothing undercuts them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.workload.einsum import gemm
from cosearch_hardware.roofline import DEVICES, Device, Roofline, RooflineAccelerator

ROW = np.zeros((1, 1), dtype=np.int64)


@given(
    st.tuples(*[st.integers(1, 300)] * 3), st.floats(0.5, 1e4), st.floats(0.5, 2e3),
    st.sampled_from((8, 16, 32)),
)  # fmt: skip
def test_time_is_the_longer_of_the_two_roofs(sizes, gmacs, gbytes, bits):
    M, N, K = sizes
    machine = RooflineAccelerator("mine", Device(gmacs, gbytes, 2.0, "a test"), bits)
    layer = gemm(M=M, N=N, K=K)
    batch = machine.evaluate(layer, ROW)
    cores = M * N * K / gmacs
    memory = (M * K + K * N + M * N) * bits / 8 / gbytes
    assert batch.cycles[0] == math.ceil(max(cores, memory))
    assert batch.energy_pj[0] == batch.cycles[0] * 2000.0  # 2 W for a nanosecond are 2,000 pJ
    cost = machine.explain(layer, ROW[0])
    assert (cost.energy_pj, cost.cycles) == (batch.energy_pj[0], batch.cycles[0])
    assert cost.bound_by == ("compute" if cores >= memory else "memory")
    assert cost.compute_pj + cost.levels[0].energy_pj == pytest.approx(cost.energy_pj)


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_has_a_source(device):
    machine = Roofline(device).build({"device": device})
    assert machine.name == device
    assert len(machine.sources["rates and power"]) > 30


def test_peak_rates_follow_from_the_cores_that_the_sources_state():
    assert DEVICES["raspberry-pi-4"].gmacs == 4 * 1.5 * 4
    assert DEVICES["raspberry-pi-5"].gmacs == pytest.approx(4 * 2.4 * 8)
    assert DEVICES["jetson-nano"].gmacs == pytest.approx(128 * 0.9216, rel=1e-3)
    assert DEVICES["rtx-3090"].gmacs == 35580 / 2
    assert DEVICES["a100"].gmacs == 19500 / 2
