"""Links of a PyTorch program: what each operator does to the tensors that layers write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cosearch_plugins.readers.linking import (
    Follower,
    attention_link,
    conv_letters,
    product_letters,
    row_letters,
)
from cosearch_plugins.readers.shapes_to_layers import Shape
from cosearch_plugins.readers.torch.layers import Call, OpenShape

ONE_TO_ONE = frozenset(
    (
        "_to_copy", "abs", "add", "batch_norm", "celu", "clamp", "clone", "contiguous", "detach",
        "div", "dropout", "elu", "erf", "exp", "gelu", "hardsigmoid", "hardswish", "hardtanh",
        "leaky_relu", "log", "maximum", "minimum", "mish", "mul", "neg", "pow", "relu", "relu6",
        "rsub", "selu", "sigmoid", "silu", "softplus", "sqrt", "sub", "tanh", "to", "where",
    )
)  # fmt: skip
"""Operators whose elements depend on those at their place alone; `relu_` is `relu` in place."""

RESHAPES = frozenset(("_unsafe_view", "flatten", "reshape", "squeeze", "unsqueeze", "view"))

CONVOLUTIONS = frozenset(("conv1d", "conv2d", "convolution"))

PRODUCTS = {"matmul": ("self", "other"), "mm": ("self", "mat2"), "bmm": ("self", "mat2")}


def follow(follower: Follower, call: Call, first: int) -> None:
    """Note what a call does to the tensors that layers write.

    Args:
        follower: told of every call before.
        call: whose layers, if any, are in the network already.
        first: number of its first layer.
    """
    made = len(follower.layers) - first
    inputs = list(_tensors(call))
    try:
        if _known(follower, call, inputs, made):
            return
    except (OpenShape, StopIteration, TypeError):
        pass
    follower.unknown(inputs, [call.name])
    if made == 2 and call.kind == "scaled_dot_product_attention":
        follower.internal(attention_link(follower.layers, first))


def _known(follower: Follower, call: Call, inputs: list[str], made: int) -> bool:
    """Note a call that is understood, and return whether it is."""
    kind = call.kind.removesuffix("_")
    if made == 1:
        if kind in CONVOLUTIONS and not call.given.get("transposed"):
            _convolution(follower, call)
        elif kind == "linear":
            _linear(follower, call)
        elif kind in PRODUCTS:
            _product(follower, call, *PRODUCTS[kind])
        else:
            return False
        return True
    if made:
        return False
    if kind in ONE_TO_ONE:
        follower.one_to_one(inputs, call.name, call.result)
    elif kind in RESHAPES:
        follower.reshaped(inputs[0], call.name, call.result)
    elif kind in _RULES:
        _RULES[kind](follower, call, call.given["self" if "self" in call.given else "input"])
    else:
        return False
    return True


def _tensors(call: Call) -> Iterator[str]:
    for value in call.node.all_input_nodes:
        yield value.name


def _convolution(follower: Follower, call: Call) -> None:
    number = len(follower.layers) - 1
    layer, shape = follower.layers[number].einsum, call.result
    letters = [conv_letters(layer, len(shape), output=output) for output in (False, True)]
    _operand(follower, call, "input", number, letters[0])
    follower.wrote(call.name, number, shape, letters[1])


def _linear(follower: Follower, call: Call) -> None:
    number, shape = len(follower.layers) - 1, call.result
    _operand(follower, call, "input", number, row_letters(len(shape), "C"))
    follower.wrote(call.name, number, shape, row_letters(len(shape), "K"))


def _operand(
    follower: Follower, call: Call, name: str, number: int, letters: tuple[str, ...]
) -> None:
    """Note the one operand that flows; the others are lost."""
    flowing = call.given[name].name
    follower.read(flowing, number, "Inputs", letters)
    follower.lost(x for x in _tensors(call) if x != flowing)


def _product(follower: Follower, call: Call, first: str, second: str) -> None:
    number = len(follower.layers) - 1
    constant = call.constant(first) and not call.constant(second)
    shapes: tuple[Shape, Shape] = call.shape(first), call.shape(second)
    letters = product_letters(follower.layers[number].einsum, *shapes, first_is_constant=constant)
    follower.read(call.given[first].name, number, "Inputs", letters[0])
    follower.read(call.given[second].name, number, "Weights", letters[1])
    follower.wrote(call.name, number, call.result, letters[2])


def _softmax(follower: Follower, call: Call, tensor: Any) -> None:  # noqa: ANN401 - torch.fx.Node
    axis = int(call.given["dim"]) % len(call.result)
    follower.needs_whole(tensor.name, call.name, [axis])


def _layer_norm(follower: Follower, call: Call, tensor: Any) -> None:  # noqa: ANN401
    follower.lost(x for x in _tensors(call) if x != tensor.name)
    rank = len(call.result)
    axes = range(rank - len(call.given["normalized_shape"]), rank)
    follower.needs_whole(tensor.name, call.name, axes)


def _permute(follower: Follower, call: Call, tensor: Any) -> None:  # noqa: ANN401
    rank = len(call.result)
    follower.turned(tensor.name, call.name, [int(axis) % rank for axis in call.given["dims"]])


def _transpose(follower: Follower, call: Call, tensor: Any) -> None:  # noqa: ANN401
    rank = len(call.result)
    order = list(range(rank))
    one, other = (int(call.given[name]) % rank for name in ("dim0", "dim1"))
    order[one], order[other] = order[other], order[one]
    follower.turned(tensor.name, call.name, order)


_RULES: Mapping[str, Callable[[Follower, Call, Any], None]] = {
    "softmax": _softmax,
    "_softmax": _softmax,
    "layer_norm": _layer_norm,
    "permute": _permute,
    "transpose": _transpose,
}
