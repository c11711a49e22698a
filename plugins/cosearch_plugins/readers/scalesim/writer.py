"""Networks as SCALE-Sim's topologies: one convolution or matrix product a line.

SCALE-Sim knows neither batches nor groups nor repeats: each is as many lines. Depthwise layers are
those with `DP` in their names.
"""

from __future__ import annotations

from attrs import frozen

from cosearch.errors import InputError
from cosearch.workload.network import Layer, Network
from cosearch.workload.writer import WorkloadWriter, Written
from cosearch_plugins.readers.convolution import Convolution, convolution_of
from cosearch_plugins.readers.scalesim.topology import DEPTHWISE

CONV_HEADER = (
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
    "Strides,"
)
GEMM_HEADER = "Layer, M, N, K,"
MOST_LINES = 100_000


@frozen
class _Line:
    """A line and how often it stands in the file."""

    text: str
    count: int


class ScaleSimWriter(WorkloadWriter):
    """SCALE-Sim's topology CSV."""

    def write(self, network: Network) -> Written:
        """Return one file; matrix products alone are written in the form `M, N, K`."""
        products = all(set(layer.einsum.dims) <= set("BMNK") for layer in network.layers)
        problems: list[str] = []
        lines: list[_Line] = []
        for layer in network.layers:
            try:
                lines.append(_product(layer) if products else _convolution(layer))
            except ValueError as error:
                problems.append(f"{layer.name}: {error}")
        if sum(line.count for line in lines) > MOST_LINES:
            problems.append(f"needs more than {MOST_LINES:,} lines, for repeats and groups")
        if problems:
            raise InputError(f"{network.name} as a SCALE-Sim topology", problems)
        header = GEMM_HEADER if products else CONV_HEADER
        text = "\n".join([header, *(line.text for line in lines for _ in range(line.count))])
        return Written({f"{_file_name(network.name)}.csv": f"{text}\n"}, _notes(network, lines))


def _notes(network: Network, lines: list[_Line]) -> tuple[str, ...]:
    runs = sum(layer.count for layer in network.layers)
    more = sum(line.count for line in lines)
    told = f"{runs} runs are {more} lines: a batch or a group is a line of its own"
    return (told,) if more > runs else ()


def _product(layer: Layer) -> _Line:
    sizes = {"B": 1, **layer.einsum.bounds}
    cells = (_name(layer.name), *(str(sizes.get(dim, 1)) for dim in "MNK"))
    return _Line(f"{', '.join(cells)},", layer.count * sizes["B"])


def _convolution(layer: Layer) -> _Line:
    found = convolution_of(layer.einsum)
    if found is None:
        raise ValueError("is neither a convolution nor a matrix product")
    _refuse_unknown(found)
    stride = found.stride_w if found.P > 1 else found.stride_h
    deep = found.G > 1 and found.C == 1
    name = f"{DEPTHWISE}_{_name(layer.name)}" if deep else _name(layer.name)
    channels, count = (found.G, found.N) if deep else (found.C, found.N * found.G)
    height, width = (found.Q - 1) * stride + found.S, (found.P - 1) * stride + found.R
    sizes = (height, width, found.S, found.R, channels, found.K, stride)
    return _Line(f"{', '.join((name, *map(str, sizes)))},", layer.count * count)


def _refuse_unknown(found: Convolution) -> None:
    if (found.R > 1 and found.dilation_w > 1) or (found.S > 1 and found.dilation_h > 1):
        raise ValueError("SCALE-Sim knows no dilation")
    if found.P > 1 and found.Q > 1 and found.stride_w != found.stride_h:
        raise ValueError("SCALE-Sim knows one stride for both axes")


def _name(name: str) -> str:
    return name.replace(",", "_").replace('"', "_").replace(DEPTHWISE, DEPTHWISE.lower())


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name) or "network"
