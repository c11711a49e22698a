from cosearch.workload.einsum import conv, gemm
from cosearch_hardware.stationary import passing, spread, weights_rest

CONV = conv("conv", N=2, K=3, C=4, P=5, Q=6, R=2, S=3)


def test_what_passes_by_a_resting_weight():
    assert passing(CONV) == {"N", "P", "Q"}
    assert passing(gemm("gemm", M=2, N=3, K=4)) == {"M"}


def test_a_register_sees_only_what_passes():
    rule = weights_rest(CONV, frozenset({"P"}))
    assert set(rule.temporal) == {"N", "K", "C", "Q", "R", "S"}
    assert rule.x_dims == rule.y_dims == frozenset()


def test_wires_carry_named_dimensions():
    rule = spread(frozenset({"K"}), frozenset({"C"}))
    assert (rule.x_dims, rule.y_dims) == ({"K"}, {"C"})
