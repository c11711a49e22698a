"""From calls of PyTorch's operators (ATen) to layers.

Names of operands are those of PyTorch's `native_functions.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from attrs import frozen

from cosearch.workload.network import Layer, Unmodelled
from cosearch_plugins.readers import shapes_to_layers as make
from cosearch_plugins.readers.einsum_products import einsum_products
from cosearch_plugins.readers.shapes_to_layers import Shape

MOVES_DATA = frozenset(
    (
        "_assert_scalar", "_assert_tensor_metadata", "_reshape_alias", "_to_copy", "_unsafe_view",
        "alias", "arange", "as_strided", "cat", "chunk", "clone", "constant_pad_nd", "contiguous",
        "copy", "detach", "detach_", "diagonal", "dropout", "dropout_", "embedding", "empty",
        "expand", "expand_as", "feature_dropout", "flatten", "flip", "full", "full_like", "gather",
        "index", "index_select", "lift_fresh_copy", "movedim", "narrow", "new_zeros", "ones",
        "ones_like", "pad", "permute", "pixel_shuffle", "repeat", "repeat_interleave", "reshape",
        "roll", "select", "slice", "split", "split_with_sizes", "squeeze", "stack", "sym_size", "t",
        "to", "transpose", "tril", "triu", "type_as", "unbind", "unflatten", "unsqueeze", "view",
        "view_as", "zeros", "zeros_like",
    )
)  # fmt: skip
"""Operators without arithmetic."""

READS_ALL = frozenset(
    (
        "_log_softmax", "_softmax", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "amax", "argmax",
        "cumsum", "group_norm", "instance_norm", "layer_norm", "log_softmax", "max", "mean", "min",
        "native_group_norm", "native_layer_norm", "rms_norm", "softmax", "sum", "topk", "var",
    )
)  # fmt: skip
"""Operators that read a whole tensor whatever the size of their result."""


class OpenShape(Exception):  # noqa: N818 - caught where the call's name is known
    """A dimension that the program leaves open."""


@frozen
class Call:
    """A call of an operator.

    Attributes:
        name: unique in the program.
        kind: the operator without its name space and overload.
        given: operands by name, defaults included.
        node: of the graph.
        constants: names of the nodes that are parameters or buffers.
    """

    name: str
    kind: str
    given: Mapping[str, Any]
    node: Any
    constants: frozenset[str]

    @classmethod
    def of(cls, node: Any, constants: frozenset[str]) -> Call:  # noqa: ANN401 - torch.fx.Node
        """Return a call of the program."""
        schema = node.target._schema  # noqa: SLF001 - has no public name
        given = {a.name: a.default_value for a in schema.arguments if a.has_default_value()}
        given |= {a.name: value for a, value in zip(schema.arguments, node.args, strict=False)}
        given |= node.kwargs
        kind = schema.name.rpartition("::")[2]
        return cls(node.name, kind, given, node, constants)

    @property
    def result(self) -> Shape:
        """The shape of the (first) result; raises OpenShape."""
        value = self.node.meta.get("val")
        first = value[0] if isinstance(value, list | tuple) and value else value
        return _closed(first)

    def shape(self, *names: str) -> Shape:
        """Return the shape of the first of these operands that there is; raises OpenShape."""
        operand = next(self.given[n] for n in names if self.given.get(n) is not None)
        return _closed(operand.meta.get("val"))

    def has_tensor(self, *names: str) -> bool:
        """Return whether one of these operands is a tensor."""
        return any(hasattr(self.given.get(name), "meta") for name in names)

    def constant(self, name: str) -> bool:
        """Return whether an operand is a parameter or a buffer."""
        return getattr(self.given.get(name), "name", "") in self.constants

    def integers(self, name: str, axes: int, default: int) -> Shape:
        """Return one whole number an axis; a single one is repeated."""
        value = self.given.get(name)
        if value is None or isinstance(value, str):
            return (default,) * axes
        numbers = tuple(value) if isinstance(value, list | tuple) else (value,)
        return numbers * axes if len(numbers) == 1 else numbers


def _closed(value: Any) -> Shape:  # noqa: ANN401 - torch.Tensor
    shape = getattr(value, "shape", None)
    if shape is None:
        raise OpenShape("no shape")
    for length in shape:
        if not isinstance(length, int):
            raise OpenShape(str(length))
    return tuple(shape)


Layers: TypeAlias = tuple[Layer | Unmodelled, ...] | None


def _conv(call: Call) -> Layers:
    weights = call.shape("weight")
    axes = len(weights) - 2
    if call.given.get("transposed"):
        return _conv_transpose(call)
    return make.convolution(
        call.name,
        weights,
        _batched(call.result, axes),
        groups=call.given.get("groups") or 1,
        strides=call.integers("stride", axes, 1),
        dilations=call.integers("dilation", axes, 1),
    )


def _conv_transpose(call: Call) -> Layers:
    weights = call.shape("weight")
    axes = len(weights) - 2
    if axes > 2:
        return None
    return make.transposed_convolution(
        call.name,
        weights,
        _batched(call.result, axes),
        groups=call.given.get("groups") or 1,
        strides=call.integers("stride", axes, 1),
        dilations=call.integers("dilation", axes, 1),
        padding=call.integers("padding", axes, 0),
    )


def _batched(result: Shape, axes: int) -> Shape:
    """Return the shape of a result with its batch, which PyTorch lets one leave out."""
    return result if len(result) == axes + 2 else (1, *result)


def _linear(call: Call) -> Layers:
    return make.fully_connected(call.name, call.shape("input"), call.shape("weight")[0])


def _product(first: str, second: str) -> Callable[[Call], Layers]:
    def layers(call: Call) -> Layers:
        constant = call.constant(first) and not call.constant(second)
        shapes = call.shape(first), call.shape(second)
        return make.matrix_product(call.name, *shapes, first_is_constant=constant)

    return layers


def _einsum(call: Call) -> Layers:
    shapes = tuple(_closed(tensor.meta.get("val")) for tensor in call.given["tensors"])
    return einsum_products(call.name, call.kind, call.given["equation"], shapes)


def _attention(call: Call) -> Layers:
    """Scaled dot-product attention of [..., heads, tokens, channels]."""
    queries, keys, values = (call.shape(name) for name in ("query", "key", "value"))
    if len(queries) != 4:
        return None
    return make.attention_products(
        call.name,
        batch=queries[0], heads=queries[1], kv_heads=keys[1], queries=queries[2], keys=keys[2],
        head=queries[3], value_head=values[3],
    )  # fmt: skip


_GATES = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}


def _recurrent(call: Call) -> Layers:
    """RNN, GRU, LSTM: `params` holds [gates*hidden, inputs], [gates*hidden, hidden], biases, ..."""
    if "params" not in call.given or "batch_first" not in call.given:
        return None
    steps, batch, _ = call.shape("input")
    if call.given["batch_first"]:
        steps, batch = batch, steps
    directions = 2 if call.given["bidirectional"] else 1
    gates = _GATES[call.kind]
    params = [_closed(p.meta.get("val")) for p in call.given["params"]]
    weights = [shape for shape in params if len(shape) == 2]
    layers: list[Layer] = []
    for i in range(call.given["num_layers"]):
        from_inputs, from_state = weights[2 * directions * i : 2 * directions * i + 2]
        layers += make.recurrent(
            f"{call.name}.{i}",
            gates=gates, steps=steps, batch=batch, inputs=from_inputs[1], hidden=from_state[1],
            directions=directions,
        )  # fmt: skip
    return tuple(layers)


MAKERS: Mapping[str, Callable[[Call], Layers]] = {
    "conv1d": _conv,
    "conv2d": _conv,
    "conv3d": _conv,
    "convolution": _conv,
    "_convolution": _conv,
    "conv_transpose1d": _conv_transpose,
    "conv_transpose2d": _conv_transpose,
    "conv_transpose3d": _conv_transpose,
    "linear": _linear,
    "matmul": _product("self", "other"),
    "mm": _product("self", "mat2"),
    "bmm": _product("self", "mat2"),
    "addmm": _product("mat1", "mat2"),
    "baddbmm": _product("batch1", "batch2"),
    "mv": _product("self", "vec"),
    "einsum": _einsum,
    "scaled_dot_product_attention": _attention,
    "rnn_tanh": _recurrent,
    "rnn_relu": _recurrent,
    "gru": _recurrent,
    "lstm": _recurrent,
}
"""Operators of products, by name."""
