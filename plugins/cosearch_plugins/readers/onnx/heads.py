"""What an attention operator of ONNX Runtime says of its heads and lengths.

Sources: ONNX Runtime, docs/ContribOperators.md. Queries, keys and values come apart as
`[batch, length, hidden]`, keys and values also as `[batch, heads, length, head]`; packed in one
operand as `[batch, length, heads, 3, head]`, `[batch, length, heads, 2, head]` (keys and values) or
side by side in the last axis; without a batch axis where padding was removed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from attrs import evolve, frozen

from cosearch_plugins.readers.onnx.attributes import Attributes
from cosearch_plugins.readers.shapes_to_layers import Shape

ShapeOf: TypeAlias = Callable[[int], Shape | None]
"""Operand to shape; None where it is left out; raises where it is given and not known."""


@frozen
class AttentionSizes:
    """Sizes of an attention operator.

    Attributes:
        batch: sequences.
        heads, kv_heads: of queries, and of keys and values.
        queries, keys: lengths; keys include those of a cache.
        head, value_head: channels of a head of queries and keys, and of values.
    """

    batch: int
    heads: int
    kv_heads: int
    queries: int
    keys: int
    head: int
    value_head: int


def attention_sizes(
    kind: str, shape: ShapeOf, attrs: Attributes, total: np.ndarray | None = None
) -> AttentionSizes:
    """Return an attention operator's sizes.

    Args:
        kind: the operator.
        shape: of an operand.
        attrs: the operator's attributes.
        total: the length of keys that GroupQueryAttention is told, where it is known.

    Raises:
        LookupError: an operand that is needed is left out.
    """
    if kind in ("Attention", "QAttention", "PackedAttention"):
        return _projected(kind, shape, attrs)
    if kind in ("GroupQueryAttention", "SparseAttention"):
        return _grouped(shape, attrs, total)
    sizes = _apart(shape, attrs)
    if kind == "PackedMultiHeadAttention":
        return _padded(sizes, shape(4))
    past = shape({"MultiHeadAttention": 6, "DecoderMaskedMultiHeadAttention": 5}.get(kind, -1))
    if past is None or len(shape(1) or ()) == 4:
        return sizes
    if attrs.integer("past_present_share_buffer", 0):
        return evolve(sizes, keys=past[2])
    return evolve(sizes, keys=past[2] + sizes.keys)


def _padded(sizes: AttentionSizes, offsets: Shape | None) -> AttentionSizes:
    """Return sizes of sequences without padding as if they had it: no longer is any of them."""
    if offsets is None:
        return sizes
    batch, length = offsets
    return evolve(sizes, batch=batch, queries=length, keys=length)


def _need(shape: ShapeOf, i: int) -> Shape:
    found = shape(i)
    if found is None:
        raise LookupError(f"operand {i} is left out")
    return found


def _projected(kind: str, shape: ShapeOf, attrs: Attributes) -> AttentionSizes:
    """Attention with its joint projection: operand 0 [b, s, in], 1 the weights [in, q + k + v]."""
    inputs, weights = _need(shape, 0), _need(shape, 1)
    heads = attrs.integer("num_heads", 1)
    third = weights[1] // 3
    query, _, value = attrs.integers("qkv_hidden_sizes", (third,) * 3)
    batch, length = (1, inputs[0]) if len(inputs) == 2 else inputs[:2]
    sizes = AttentionSizes(batch, heads, heads, length, length, query // heads, value // heads)
    if kind == "PackedAttention":
        return _padded(sizes, shape(3))
    past = shape(8 if kind == "QAttention" else 4)
    return sizes if past is None else evolve(sizes, keys=length + past[3])


def _grouped(shape: ShapeOf, attrs: Attributes, total: np.ndarray | None) -> AttentionSizes:
    """GroupQueryAttention: query [b, s, h*d], or with key and value behind it in the last axis."""
    batch, length, hidden = _need(shape, 0)
    heads, kv_heads = attrs.integer("num_heads", 1), attrs.integer("kv_num_heads", 1)
    key, past = shape(1), shape(3)
    head = hidden // (heads + 2 * kv_heads if key is None else heads)
    new = length if key is None else _length(key)
    keys = new if past is None else past[2] + new
    if total is not None and total.size == 1 and int(total.ravel()[0]) > 0:
        keys = int(total.ravel()[0])
    window = attrs.integer("local_window_size", -1)
    if window > 0 and length == 1:
        keys = min(keys, window)
    return AttentionSizes(batch, heads, kv_heads, length, keys, head, head)


def _length(shape: Shape) -> int:
    return shape[2] if len(shape) == 4 else shape[1]


def _apart(shape: ShapeOf, attrs: Attributes) -> AttentionSizes:
    """MultiHeadAttention and its kin: queries, keys and values apart or packed."""
    query, key = _need(shape, 0), shape(1)
    heads = attrs.integer("num_heads", 1)
    if len(query) == 5:
        batch, length, _, _, head = query
        return AttentionSizes(batch, heads, heads, length, length, head, head)
    if key is None and len(query) == 4:
        return AttentionSizes(1, heads, heads, query[0], query[0], query[3], query[3])
    batch, length, hidden = (1, *query) if len(query) == 2 else query
    head = hidden // heads
    key = _need(shape, 1)
    if len(key) == 5:
        return AttentionSizes(batch, heads, heads, length, key[1], head, head)
    value = _need(shape, 2)
    keys = key[0] if len(key) == 2 else _length(key)
    value_head = value[-1] if len(value) == 4 else value[-1] // heads
    return AttentionSizes(batch, heads, heads, length, keys, head, value_head)
