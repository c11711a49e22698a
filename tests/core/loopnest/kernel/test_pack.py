"""Layers and machines as arrays."""

import numpy as np

from cosearch.loopnest.kernel.pack import (
    PLAIN,
    SLIDING,
    TANGLED,
    inexact,
    order_word,
    pack,
    reasons,
)
from cosearch.loopnest.slots import turning_dims
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory, Partition
from cosearch.workload.einsum import Axis, Einsum, Tensor, conv, gemm

ONE, TWO = AccessEnergy.uniform(1.0), AccessEnergy.uniform(2.0)
MACHINE = Architecture(
    "machine",
    (
        Memory(
            "pe",
            64,
            ONE,
            mesh_x=4,
            mesh_y=2,
            multiple_buffering=2,
            partitions={"Weights": Partition(33, TWO)},
        ),
        Memory("DRAM", None, ONE),
    ),
    Compute(1.0, 4, 2),
)


def test_dimensions_of_one_step_are_left_out():
    assert turning_dims(conv(K=4, C=1, P=6, Q=1, R=3)) == ("K", "P", "R")
    assert turning_dims(gemm(M=1, N=1, K=1)) == ("M",)


def test_tensors_are_told_apart_by_how_their_tiles_move():
    assert pack(MACHINE, conv(K=4, C=2, P=6, Q=6, R=3)).shape.tolist() == [PLAIN, SLIDING, PLAIN]
    assert pack(MACHINE, conv(K=4, C=2, P=6, Q=6)).shape.tolist() == [PLAIN, PLAIN, PLAIN]
    diagonal = Tensor("Weights", "Weights", (Axis((("A", 1),)), Axis((("A", 1), ("B", 1)))))
    line = Tensor("Outputs", "Outputs", (Axis((("A", 1), ("B", 1), ("C", 2))),))
    layer = Einsum("odd", ("A", "B", "C"), (2, 3, 4), (diagonal, line))
    assert pack(MACHINE, layer).shape.tolist() == [TANGLED, TANGLED]


def test_checks_stand_in_the_order_of_the_reference():
    assert reasons(MACHINE, gemm(M=2, N=2, K=2)) == (
        "feasible",
        "MAC: more instances than there are",
        "MAC: spread too far along X",
        "MAC: spread too far along Y",
        "pe: tiles exceed the capacity (Weights)",
        "pe: tiles exceed the capacity",
        "pe: more instances than there are",
        "pe: spread too far along X",
        "pe: spread too far along Y",
    )
    packed = pack(MACHINE, gemm(M=2, N=2, K=2))
    assert packed.check_limit.tolist() == [8, 4, 2, 16, 32, 8, 4, 2]
    assert packed.read_pj.tolist() == [[2.0, 1.0, 1.0], [1.0, 1.0, 1.0]]


def test_order_words_hold_the_set_inside_each_dimension():
    assert order_word((2, 0, 1)) == (0b100 << 0) | (0b101 << 8) | (0 << 16)
    assert order_word(tuple(range(9))) == sum(i << (4 * i) for i in range(9))


def test_what_float64_cannot_hold_is_known_beforehand():
    assert inexact(MACHINE, conv(K=512, C=512, P=224, Q=224, R=7, S=7, N=64)) is None
    assert inexact(MACHINE, gemm(M=2048, N=12288, K=49152)) is None
    assert "2**53" in str(inexact(MACHINE, gemm(M=10**6, N=10**6, K=10**6)))
    assert "2**53" in str(inexact(MACHINE, gemm(M=2**40, N=2**40, K=2**40)))


def test_arrays_have_the_types_that_the_kernel_is_compiled_for():
    for layer in (gemm(M=2, N=2, K=2), gemm(M=1, N=1, K=1), conv(K=4, C=2, P=6, Q=6, R=3)):
        packed = pack(MACHINE, layer)
        for name in ("relevant_bits", "shape", "term_dim", "check_kind", "most_children"):
            assert getattr(packed, name).dtype == np.int64
        assert packed.relevant.shape == (3, len(packed.sizes))
