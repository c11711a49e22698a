"""The larger and the smaller of two numbers in compiled code.

numba compiles `max`, `min` and `int` of the built-ins as functions of their own, anew for every
combination of types and with all of LLVM's work: an eighth of what compiling the exact mapper's
search took. These are one instruction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numba
from numba.core import types
from numba.extending import intrinsic

N = TypeVar("N", int, float)


def _chosen(sign: str) -> Callable[..., Any]:
    """Return how numba is to write `second if second <sign> first else first`."""

    def typed(typing: Any, first: Any, second: Any) -> Any:  # noqa: ANN401 - numba's
        kind = typing.unify_types(first, second)
        if kind not in (types.int64, types.float64):
            return None

        def written(context: Any, builder: Any, signature: Any, given: Any) -> Any:  # noqa: ANN401 - numba's
            a, b = (
                context.cast(builder, value, own, kind)
                for value, own in zip(given, signature.args, strict=True)
            )
            compare = builder.fcmp_ordered if kind is types.float64 else builder.icmp_signed
            return builder.select(compare(sign, b, a), b, a)

        return kind(first, second), written

    return typed


def _number(kind: types.Type) -> Callable[..., Any]:
    """Return how numba is to write a number as one of a kind, cut off towards zero."""

    def typed(typing: Any, value: Any) -> Any:  # noqa: ANN401, ARG001 - numba's
        def written(context: Any, builder: Any, signature: Any, given: Any) -> Any:  # noqa: ANN401 - numba's
            return context.cast(builder, given[0], signature.args[0], kind)

        return kind(value), written

    return typed


if TYPE_CHECKING:

    def larger(first: N, second: N) -> N:
        """Return the larger of two numbers."""

    def smaller(first: N, second: N) -> N:
        """Return the smaller of two numbers."""

    def whole(value: float) -> int:
        """Return a number without its fraction."""

elif numba.config.DISABLE_JIT:
    larger, smaller, whole = max, min, int
else:
    larger, smaller, whole = (
        intrinsic(make) for make in (_chosen(">"), _chosen("<"), _number(types.int64))
    )
