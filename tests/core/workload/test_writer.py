"""A writer of a plugin is called with the network and its files are kept as they are."""

from cosearch.workload.einsum import gemm
from cosearch.workload.network import Layer, Network
from cosearch.workload.writer import WorkloadWriter, Written


class Names(WorkloadWriter):
    """A line a layer."""

    def write(self, network: Network) -> Written:
        text = "".join(f"{layer.name} {layer.count}\n" for layer in network.layers)
        return Written({"names.txt": text})


def test_a_writer_without_options():
    written = Names().write(Network("net", (Layer(gemm("g", M=1, N=2, K=3), 4),)))
    assert written.files == {"names.txt": "g 4\n"}
    assert written.notes == ()
    assert not tuple(Names.options.parameters)
