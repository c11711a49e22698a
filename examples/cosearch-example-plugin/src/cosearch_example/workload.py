"""A network, layer by layer."""

from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.network import Layer, Network, Workload


class LeNet5(Workload):
    """LeNet-5 for digits of 32x32, its third convolution connected to all maps."""

    options = ParameterSpace((Parameter("batch", (1, 1024), free=True, doc="images at once"),))

    def __init__(self, batch=1):
        self.batch = batch

    def network(self):
        n = self.batch
        layers = (
            conv("c1", N=n, K=6, C=1, P=28, Q=28, R=5, S=5),
            conv("c3", N=n, K=16, C=6, P=10, Q=10, R=5, S=5),
            conv("c5", N=n, K=120, C=16, P=1, Q=1, R=5, S=5),
            gemm("f6", M=n, N=84, K=120),
            gemm("output", M=n, N=10, K=84),
        )
        return Network("lenet5", tuple(map(Layer, layers)), source="LeCun et al., Proc. IEEE 1998")
