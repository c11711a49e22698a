"""The layers on which the co-design paper of 2020 was evaluated.

Shi, Sakhuja, Hashemi, Swersky and Lin, Learned Hardware/Software Co-Design of Neural Accelerators,
arXiv 2010.02075. Each model is a network of its layers, run once each. The paper does not say how
many tokens its Transformer has; 128 is this module's choice and an option.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from cosearch.search.parameters import ParameterSpace
from cosearch.workload.einsum import Einsum, conv
from cosearch.workload.network import Layer, Network, Workload
from cosearch_plugins.workloads.options import BATCH, sequence

SOURCE = "Shi et al., arXiv 2010.02075, 2020"


class PaperLayers(Workload):
    """The layers of one model of the paper.

    Args:
        batch: samples in one run.
    """

    name: ClassVar[str]
    options = ParameterSpace((BATCH,))

    def __init__(self, batch: int = 1) -> None:
        self.batch = batch

    @abstractmethod
    def layers(self) -> tuple[Einsum, ...]:
        """Return the layers in the paper's order."""

    def network(self) -> Network:
        """Return the network."""
        return Network(self.name, tuple(map(Layer, self.layers())), source=SOURCE)


class ResNetLayers(PaperLayers):
    """ResNet-K1 to K4: the 3x3 convolutions of the four stages."""

    name = "shi2020-resnet"

    def layers(self) -> tuple[Einsum, ...]:
        """Return the layers."""
        shapes = ((56, 64), (28, 128), (14, 256), (7, 512))
        return tuple(
            conv(f"ResNet-K{i}", N=self.batch, K=k, C=k, P=p, Q=p, R=3, S=3)
            for i, (p, k) in enumerate(shapes, start=1)
        )


class DQNLayers(PaperLayers):
    """DQN-K1 and K2: the two convolutions of the first deep Q-network (Mnih et al., 2013)."""

    name = "shi2020-dqn"

    def layers(self) -> tuple[Einsum, ...]:
        """Return the layers."""
        return (
            conv("DQN-K1", N=self.batch, K=16, C=4, P=20, Q=20, R=8, S=8, stride=(4, 4)),
            conv("DQN-K2", N=self.batch, K=32, C=16, P=9, Q=9, R=4, S=4, stride=(2, 2)),
        )


class MLPLayers(PaperLayers):
    """MLP-K1 and K2: two fully connected layers."""

    name = "shi2020-mlp"

    def layers(self) -> tuple[Einsum, ...]:
        """Return the layers."""
        return (
            conv("MLP-K1", N=self.batch, K=512, C=512, P=1, Q=1),
            conv("MLP-K2", N=self.batch, K=1024, C=64, P=1, Q=1),
        )


class TransformerLayers(PaperLayers):
    """Transformer-K1 to K4: projection, score of 8 heads, feed-forward and back.

    Args:
        batch: sequences in one run.
        sequence: tokens in each; the paper does not give it.
    """

    name = "shi2020-transformer"
    options = ParameterSpace((BATCH, sequence(128)))

    def __init__(self, batch: int = 1, sequence: int = 128) -> None:
        super().__init__(batch)
        self.sequence = sequence

    def layers(self) -> tuple[Einsum, ...]:
        """Return the layers."""
        n, p = self.batch, self.sequence
        return (
            conv("Transformer-K1", N=n, K=512, C=512, P=p, Q=1),
            conv("Transformer-K2", G=8 * n, K=p, C=64, P=p, Q=1),
            conv("Transformer-K3", N=n, K=2048, C=512, P=p, Q=1),
            conv("Transformer-K4", N=n, K=512, C=2048, P=p, Q=1),
        )
