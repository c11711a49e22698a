"""The parts of transformers: attention and feed-forward layers (Vaswani et al., NeurIPS 2017)."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from cosearch.workload.elementwise import MULTIPLY
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder, read_also, read_once


def tokens(count: int, channels: int) -> Feature:
    """Return a sequence: one pixel high, one token a column."""
    return Feature(channels, 1, count)


def attention(
    net: NetworkBuilder,
    name: str,
    x: Feature,
    *,
    heads: int,
    kv_heads: int | None = None,
    context: int | None = None,
    bias: bool = True,
    carried: Feature | None = None,
    caches: Sequence[Feature] = (),
) -> Feature:
    """Add the projections to queries, keys and values, scores, weighted values, and the output.

    What flows in, or is carried past it, is added to what flows out.

    Scores are counted in full, as published totals do; a causal mask would allow to skip half.
    The queries that share a key head are rows of one product, so that the key is reused.

    Args:
        net: where the layers go.
        name: of the attention.
        x: the tokens.
        heads: of queries.
        kv_heads: of keys and values; None is as many as heads.
        context: tokens attended to; None is those of x.
        bias: whether the projections have one.
        carried: what is added in the end; None is x.
        caches: keys and values of earlier tokens, where there are such.
    """
    kv_heads = kv_heads or heads
    context = context or x.width
    head = x.channels // heads
    query = net.linear(f"{name}.query", read_also(x), x.channels, bias=bias)
    key, value = (
        net.linear(f"{name}.{part}", x, kv_heads * head, bias=bias) for part in ("key", "value")
    )
    rows = x.width * heads // kv_heads
    keys, values = (query, key, *caches[:1]), (value, *caches[1:])
    scores = net.products(f"{name}.scores", keys, kv_heads, rows, head, context)
    net.pointwise(f"{name}.softmax", "softmax", Feature(heads, x.width, context))
    weighted = net.products(
        f"{name}.values",
        (scores, *values),
        kv_heads,
        rows,
        context,
        head,
        softmax_of=scores.producer,
    )
    out = net.linear(f"{name}.output", evolve(x, tensor=weighted.tensor), x.channels, bias=bias)
    return net.add(f"{name}.add", out, carried or x)


def feed_forward(
    net: NetworkBuilder,
    name: str,
    x: Feature,
    inner: int,
    *,
    activation: str,
    gated: bool = False,
    bias: bool = True,
    carried: Feature | None = None,
) -> Feature:
    """Add the two layers to `inner` channels and back; gated ones have a third beside the first.

    What flows in, or is carried past it, is added to what flows out.
    """
    gate = net.linear(f"{name}.gate", read_also(x), inner, bias=bias) if gated else None
    y = net.linear(f"{name}.up", x if gated else read_also(x), inner, bias=bias)
    net.pointwise(f"{name}.{activation}", activation, y)
    if gate is not None:
        y = net.pointwise(f"{name}.multiply", MULTIPLY, y, ("NCPQ", gate))
    y = net.linear(f"{name}.down", read_once(y), x.channels, bias=bias)
    return net.add(f"{name}.add", y, carried or x)


def block(net: NetworkBuilder, name: str, x: Feature, *, heads: int, inner: int) -> Feature:
    """Add a block of the encoders and of GPT-2: attention, feed-forward, two layer norms."""
    x = attention(net, f"{name}.attention", x, heads=heads)
    x = net.normalize(f"{name}.norm1", x)
    x = feed_forward(net, f"{name}.mlp", x, inner, activation="gelu")
    return net.normalize(f"{name}.norm2", x)


def last_token(x: Feature) -> Feature:
    """Return one token of a sequence."""
    return evolve(x, width=1)
