"""Layers without multiply-accumulates: pooling, additions of two tensors, activations.

They are einsums with an `operation`. A pooling window is a reduction as a filter is, over pixels of
one tensor; an addition has two operands of the same shape; an activation has one. Whether they cost
anything is the machine's business: `HardwareModel.left_out`.
"""

from __future__ import annotations

from cosearch.workload.einsum import Axis, Einsum, Tensor

MAXIMUM, AVERAGE = "maximum", "average"
ADD, MULTIPLY = "add", "multiply"
POOLING = (MAXIMUM, AVERAGE)


def pool(
    name: str,
    operation: str,
    *,
    C: int,
    P: int,
    Q: int,
    R: int,
    S: int,
    N: int = 1,
    stride: tuple[int, int] = (1, 1),
) -> Einsum:
    """Return a pooling of each channel; P and R run along the width.

    Args:
        name: for people.
        operation: `maximum` or `average`.
        C: channels.
        P: output width.
        Q: output height.
        R: window width.
        S: window height.
        N: batch.
        stride: along the width and the height.
    """
    sizes = {"N": N, "C": C, "P": P, "Q": Q, "R": R, "S": S}
    width, height = Axis((("P", stride[0]), ("R", 1))), Axis((("Q", stride[1]), ("S", 1)))
    return Einsum(
        name,
        tuple(sizes),
        tuple(sizes.values()),
        (
            Tensor("Inputs", "Inputs", (*_plain("NC"), width, height)),
            Tensor("Outputs", "Outputs", _plain("NCPQ")),
        ),
        operation,
    )


def pointwise(
    name: str, operation: str, *, C: int, P: int, Q: int, N: int = 1, operands: tuple[str, ...] = ()
) -> Einsum:
    """Return an operation on every number of a tensor, and on those of further operands.

    Args:
        name: for people.
        operation: what is done.
        C: channels.
        P: width.
        Q: height.
        N: batch.
        operands: the dimensions of each further operand: `NCPQ` for one of the same shape, `NC`
            for one number a channel.
    """
    sizes = {"N": N, "C": C, "P": P, "Q": Q}
    others = [
        Tensor("Others" if i == 0 else f"Others{i + 1}", "Inputs", _plain(dims))
        for i, dims in enumerate(operands)
    ]
    return Einsum(
        name,
        tuple(sizes),
        tuple(sizes.values()),
        (
            Tensor("Inputs", "Inputs", _plain("NCPQ")),
            *others,
            Tensor("Outputs", "Outputs", _plain("NCPQ")),
        ),
        operation,
    )


def _plain(dims: str) -> tuple[Axis, ...]:
    return tuple(Axis(((dim, 1),)) for dim in dims)
