"""Single layers with free sizes."""

from __future__ import annotations

from cosearch.search.parameters import ParameterSpace
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.network import Layer, Network, Workload
from cosearch_plugins.workloads.options import size


class Convolution(Workload):
    """One convolution; the defaults are the paper's ResNet-K1 (3x3, 64 to 64, 56x56).

    Args:
        N: batch.
        G: groups; depthwise is K=1, C=1, G=channels.
        K: output channels of a group.
        C: input channels of a group.
        P: output width.
        Q: output height.
        R: filter width.
        S: filter height.
        stride: along both axes.
        dilation: along both axes.
    """

    options = ParameterSpace(
        (
            size("N", 1, "batch"),
            size("G", 1, "groups"),
            size("K", 64, "output channels of a group"),
            size("C", 64, "input channels of a group"),
            size("P", 56, "output width"),
            size("Q", 56, "output height"),
            size("R", 3, "filter width"),
            size("S", 3, "filter height"),
            size("stride", 1, "along both axes"),
            size("dilation", 1, "along both axes"),
        )
    )

    def __init__(
        self,
        N: int = 1,
        G: int = 1,
        K: int = 64,
        C: int = 64,
        P: int = 56,
        Q: int = 56,
        R: int = 3,
        S: int = 3,
        stride: int = 1,
        dilation: int = 1,
    ) -> None:
        self.layer = conv(
            N=N,
            G=G,
            K=K,
            C=C,
            P=P,
            Q=Q,
            R=R,
            S=S,
            stride=(stride, stride),
            dilation=(dilation, dilation),
        )

    def network(self) -> Network:
        """Return the network of this one layer."""
        return Network("conv", (Layer(self.layer),))


class MatrixProduct(Workload):
    """One matrix product, `Outputs[b,m,n] += Inputs[b,m,k] * Weights[b,k,n]`.

    Args:
        M: rows of the inputs.
        N: columns of the weights.
        K: summed over.
        B: products, each with weights of its own.
    """

    options = ParameterSpace(
        (
            size("M", 512, "rows of the inputs"),
            size("N", 512, "columns of the weights"),
            size("K", 512, "summed over"),
            size("B", 1, "products, each with weights of its own"),
        )
    )

    def __init__(self, M: int = 512, N: int = 512, K: int = 512, B: int = 1) -> None:
        self.layer = gemm(M=M, N=N, K=K, B=B)

    def network(self) -> Network:
        """Return the network of this one layer."""
        return Network("gemm", (Layer(self.layer),))
