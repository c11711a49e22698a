"""Llama-style decoders: Touvron et al., 2023 (Llama 2); Grattafiori et al., 2024 (Llama 3)."""

from __future__ import annotations

from attrs import frozen

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.workload.network import Network, Workload
from cosearch_plugins.workloads.attention import attention, feed_forward, last_token, tokens
from cosearch_plugins.workloads.builder import NetworkBuilder
from cosearch_plugins.workloads.options import BATCH, sequence


@frozen
class _Size:
    """Of a decoder; the feed-forward layers are gated, nothing has a bias."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    inner: int
    vocabulary: int
    source: str


SIZES = {
    "llama2-7b": _Size(
        32, 4096, 32, 32, 11_008, 32_000, "Touvron et al., 2023; config.json of Llama-2-7b"
    ),
    "llama3-8b": _Size(32, 4096, 32, 8, 14_336, 128_256, "Grattafiori et al., 2024, Table 3"),
    "tinyllama-1.1b": _Size(
        22, 2048, 32, 4, 5_632, 32_000, "Zhang et al., TinyLlama, 2024, Table 2"
    ),
}


class Llama(Workload):
    """A decoder that reads a prompt (prefill) or makes one more token (decode).

    Args:
        model: which sizes.
        phase: `prefill` runs all tokens of the sequence and scores the words after the last one;
            `decode` runs one token that attends to the whole sequence, from a cache of keys and
            values.
        batch: sequences in one run.
        sequence: tokens in each.
    """

    options = ParameterSpace(
        (
            Parameter("model", tuple(SIZES), "llama2-7b", doc="which sizes"),
            Parameter("phase", ("prefill", "decode"), "prefill", doc="a prompt, or one token"),
            BATCH,
            sequence(2048),
            Parameter(
                "logits",
                ("last", "all"),
                "last",
                doc="positions of a prompt whose words are scored",
            ),
        )
    )

    def __init__(
        self,
        model: str = "llama2-7b",
        phase: str = "prefill",
        batch: int = 1,
        sequence: int = 2048,
        logits: str = "last",
    ) -> None:
        self.model, self.phase, self.batch = model, phase, batch
        self.sequence, self.logits = sequence, logits

    def network(self) -> Network:
        """Return the network."""
        size = SIZES[self.model]
        net = NetworkBuilder(f"{self.model}-{self.phase}", self.batch, size.source)
        net.embedding(size.vocabulary, size.width)
        x = net.given(tokens(1 if self.phase == "decode" else self.sequence, size.width))
        cache = tokens(self.sequence - 1, size.kv_heads * size.width // size.heads)
        for i in range(size.layers):
            caches = (
                [net.given(cache, kept=True) for _ in range(2)] if self.phase == "decode" else []
            )
            normed = net.normalize(f"layer{i}.norm1", x, shift=False)
            x = attention(
                net,
                f"layer{i}.attention",
                normed,
                heads=size.heads,
                kv_heads=size.kv_heads,
                context=self.sequence,
                bias=False,
                carried=x,
                caches=caches,
            )
            normed = net.normalize(f"layer{i}.norm2", x, shift=False)
            x = feed_forward(
                net,
                f"layer{i}.mlp",
                normed,
                size.inner,
                activation="swish",
                gated=True,
                bias=False,
                carried=x,
            )
        x = net.normalize("norm", x, shift=False)
        scored = x if self.logits == "all" else last_token(x)
        net.linear("output", scored, size.vocabulary, bias=False)
        return net.network()
