"""Links of networks by what they link, to compare readers with the library."""

from cosearch.workload.link import extent


def links(network):
    """Return the links by what they link, wherever the layers stand; lengths of 1 left out."""
    return sorted(
        (
            network.layers[x.producer].einsum.key,
            network.layers[x.consumer].einsum.key,
            x.operand,
            axes(network, x),
            sorted(x.whole),
            x.written,
        )
        for x in network.links
    )


def axes(network, link):
    layer = network.layers[link.producer].einsum
    pairs = zip(layer.output.axes, link.axes, strict=True)
    return [to for axis, to in pairs if extent(layer, axis) > 1]
