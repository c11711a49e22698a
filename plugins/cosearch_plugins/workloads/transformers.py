"""Transformers of the size `base`: BERT, GPT-2 and ViT."""

from __future__ import annotations

from cosearch.search.parameters import ParameterSpace
from cosearch.workload.network import Network, Workload
from cosearch_plugins.workloads.attention import block, last_token, tokens
from cosearch_plugins.workloads.builder import Feature, NetworkBuilder
from cosearch_plugins.workloads.options import BATCH, sequence
from cosearch_plugins.workloads.vision import ImageNetwork

LAYERS, WIDTH, HEADS, INNER = 12, 768, 12, 3072


class BertBase(Workload):
    """BERT-base, uncased, with its pooler.

    Args:
        batch: sequences in one run.
        sequence: tokens in each; it was trained for 512, a longer one has as many positions more.
    """

    options = ParameterSpace((BATCH, sequence(128)))

    def __init__(self, batch: int = 1, sequence: int = 128) -> None:
        self.batch, self.sequence = batch, sequence

    def network(self) -> Network:
        """Return the network."""
        source = "Devlin et al., NAACL 2019, section 3; vocabulary of bert-base-uncased"
        net = NetworkBuilder("bert-base", self.batch, source)
        for rows in (30_522, max(512, self.sequence), 2):
            net.embedding(rows, WIDTH)
        x = net.normalize("norm", net.given(tokens(self.sequence, WIDTH)))
        for i in range(LAYERS):
            x = block(net, f"layer{i}", x, heads=HEADS, inner=INNER)
        net.pointwise("pooler.tanh", "tanh", net.linear("pooler", last_token(x), WIDTH))
        return net.network()


class GPT2(Workload):
    """GPT-2 small over a whole sequence, with the scores of all words at every position.

    Args:
        batch: sequences in one run.
        sequence: tokens in each; it was trained for 1024, a longer one has more positions.
    """

    options = ParameterSpace((BATCH, sequence(1024)))

    def __init__(self, batch: int = 1, sequence: int = 1024) -> None:
        self.batch, self.sequence = batch, sequence

    def network(self) -> Network:
        """Return the network; the output layer shares the embedding's parameters."""
        source = "Radford et al., 2019, Table 2, and the released 124M checkpoint's sizes"
        net = NetworkBuilder("gpt2", self.batch, source)
        net.embedding(max(1024, self.sequence), WIDTH)
        x = net.given(tokens(self.sequence, WIDTH))
        for i in range(LAYERS):
            x = block(net, f"layer{i}", x, heads=HEADS, inner=INNER)
        x = net.normalize("norm", x)
        net.linear("output", x, 50_257, bias=False)
        return net.network()


class ViTB16(ImageNetwork):
    """ViT-B/16: patches of 16x16 pixels and a class token."""

    name = "vit-b16"
    source = "Dosovitskiy et al., ICLR 2021, Table 1"

    def write(self, net: NetworkBuilder, x: Feature) -> None:
        """Add the layers."""
        patches = net.conv("patches", x, WIDTH, 16, stride=16, padding=0, bias=True, norm=False)
        x = tokens(patches.height * patches.width + 1, WIDTH)
        x = net.gather("class-token", (patches,), x)
        net.embedding(1 + x.width, WIDTH)
        for i in range(LAYERS):
            x = block(net, f"layer{i}", x, heads=HEADS, inner=INNER)
        x = net.normalize("norm", x)
        net.linear("head", last_token(x), 1000)
