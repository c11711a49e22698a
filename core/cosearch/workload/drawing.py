"""The graph of a network as text: layers that hand a tensor on, and the tensor.

```text
layer1.0.conv1
  | 200,704 words K P Q
layer1.0.conv2

layer0.attention.scores, 12 such
  | 196,608 words G P, all of K at once
layer0.attention.values
```
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from cosearch.workload.einsum import Einsum
from cosearch.workload.link import Link, chains, extent
from cosearch.workload.network import Network


def chain_drawing(network: Network) -> list[str]:
    """Return the lines of a network's chains of two layers and more, equal ones once.

    A tensor is drawn with the dimensions it may be cut along, as its writer names them, and with
    those that something between the two layers needs all of.
    """
    found: dict[tuple[object, ...], tuple[list[str], int]] = {}
    links = {(link.producer, link.consumer): link for link in reversed(network.links)}
    for run in chains(len(network.layers), network.links):
        if len(run) < 2:
            continue
        key = tuple(network.layers[i].einsum for i in run)
        lines, times = found.get(key, (list(_lines(network, run, links)), 0))
        found[key] = lines, times + network.layers[run[0]].count
    drawn: list[str] = []
    for (first, *rest), times in found.values():
        drawn += [f"{first}, {times} such" if times > 1 else first, *rest, ""]
    return drawn[:-1]


def _lines(
    network: Network, run: tuple[int, ...], links: Mapping[tuple[int, int], Link]
) -> Iterator[str]:
    yield network.layers[run[0]].name
    for a, b in itertools.pairwise(run):
        yield f"  | {_tensor(network.layers[a].einsum, links[a, b])}"
        yield network.layers[b].name


def _tensor(producer: Einsum, link: Link) -> str:
    """Return words and dimensions of what a link carries."""
    axes = [
        ("".join(dim for dim, _ in axis.terms), i in link.whole)
        for i, axis in enumerate(producer.output.axes)
        if extent(producer, axis) > 1
    ]
    free = " ".join(name for name, whole in axes if not whole)
    held = " and ".join(name for name, whole in axes if whole)
    words = f"{producer.words(producer.output):,} words {free}".rstrip()
    told = [words, f"all of {held} at once" if held else "", "also written" * link.written]
    return ", ".join(filter(None, told))
