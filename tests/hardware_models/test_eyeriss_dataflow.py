from attrs import evolve

from cosearch.einsum import conv, gemm
from cosearch_hardware.eyeriss_dataflow import constraints_of
from cosearch_hardware.eyeriss_space import INSIDE, SPREAD, Design, design_space

CHIP = Design.of(design_space(168, free=False, fixed=False, mesh=False).defaults, 168)
CONV = conv("conv", N=2, K=8, C=4, P=6, Q=6, R=3, S=3)


def test_filter_columns_stay_inside_and_rows_are_spread():
    found = constraints_of(CONV, CHIP, row_stationary=False)
    assert "R" not in found["buffer"].x_dims | found["buffer"].y_dims
    assert "S" in found["buffer"].x_dims & found["buffer"].y_dims
    assert dict(found["scratchpads"].temporal) == {"S": 1}


def test_the_other_way_round():
    design = evolve(CHIP, filter_width=SPREAD, filter_height=INSIDE)
    found = constraints_of(CONV, design, row_stationary=False)
    assert "S" not in found["DRAM"].x_dims
    assert dict(found["scratchpads"].temporal) == {"R": 1}


def test_row_stationary_rules_of_a_convolution():
    found = constraints_of(CONV, CHIP, row_stationary=True)
    assert found["buffer"].x_dims == {"Q", "K"}
    assert found["buffer"].y_dims == {"S", "C"}
    assert found["scratchpads"].order == ("K", "R", "C")
    assert set(found["scratchpads"].temporal) == {"N", "P", "Q", "S"}


def test_row_stationary_rules_of_a_matrix_product():
    found = constraints_of(gemm("gemm", M=4, N=6, K=8), CHIP, row_stationary=True)
    assert found["buffer"].x_dims == {"N", "M"}
    assert found["buffer"].y_dims == {"K"}
    assert found["scratchpads"].order == ("N", "K")


def test_groups_are_spread_along_the_columns():
    grouped = conv("depthwise", G=8, K=1, C=1, P=6, Q=6, R=3, S=3)
    assert "G" in constraints_of(grouped, CHIP, row_stationary=True)["buffer"].x_dims
