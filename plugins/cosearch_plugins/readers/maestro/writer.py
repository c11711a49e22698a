"""Networks as MAESTRO's: layers without dataflows, as its `data/model` holds them."""

from __future__ import annotations

import re

from cosearch.errors import InputError
from cosearch.workload.network import Layer, Network
from cosearch.workload.writer import WorkloadWriter, Written
from cosearch_plugins.readers.convolution import convolution_of


class MaestroWriter(WorkloadWriter):
    """MAESTRO's model file; dataflows are added by MAESTRO's own front end."""

    def write(self, network: Network) -> Written:
        """Return one file; repeats and groups stand in it one by one."""
        problems: list[str] = []
        layers: list[str] = []
        for layer in network.layers:
            try:
                text, count = _layer(layer)
            except ValueError as error:
                problems.append(f"{layer.name}: {error}")
                continue
            name = _name(layer.name)
            layers += [f"Layer {name}_{i} {{\n{text}}}" for i in range(count)]
        if problems:
            raise InputError(f"{network.name} as a MAESTRO network", problems)
        text = "\n".join([f"Network {_name(network.name)} {{", *layers, "}"])
        return Written({f"{_name(network.name)}.m": f"{text}\n"})


def _layer(layer: Layer) -> tuple[str, int]:
    """Return a layer's text and how often it stands in the file."""
    found = convolution_of(layer.einsum)
    if found is None:
        raise ValueError("is neither a convolution nor a matrix product")
    if (found.R > 1 and found.dilation_w > 1) or (found.S > 1 and found.dilation_h > 1):
        raise ValueError("MAESTRO knows no dilation")
    deep = found.G > 1 and found.C == 1 and found.K == 1
    channels, count = (found.G, 1) if deep else (found.C, found.G)
    height = (found.Q - 1) * found.stride_h + found.S
    width = (found.P - 1) * found.stride_w + found.R
    sizes = {"N": found.N, "K": found.K, "C": channels, "R": found.S, "S": found.R,
             "Y": height, "X": width}  # fmt: skip
    written = ", ".join(f"{dim}: {size}" for dim, size in sizes.items() if dim != "N" or size > 1)
    kind = "DSCONV" if deep else "CONV"
    stride = f"Stride {{ X: {found.stride_w}, Y: {found.stride_h} }}"
    return f"Type: {kind}\n{stride}\nDimensions {{ {written} }}\n", layer.count * count


def _name(name: str) -> str:
    return re.sub(r"[^\w-]", "_", name)
