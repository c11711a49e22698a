"""The chains of a network, each once."""

from __future__ import annotations

from attrs import frozen

from cosearch.mapping.groups import links_between
from cosearch.workload.link import Link, chains
from cosearch.workload.network import Network
from cosearch_plugins.mappers.fused.chain import Chain


@frozen(eq=False)
class Item:
    """A chain of a network, and how often it runs."""

    chain: Chain
    names: tuple[str, ...]
    places: tuple[int, ...]
    count: int


def items_of(network: Network) -> list[Item]:
    """Return the different chains of a network with how often each runs."""
    found: dict[Chain, Item] = {}
    kept = [link for link in network.links if not _parted(network, link)]
    for run in chains(len(network.layers), kept):
        layers = tuple(network.layers[i] for i in run)
        chain = Chain(tuple(layer.einsum for layer in layers), links_between(network, run))
        before = found.get(chain)
        count = layers[0].count + (before.count if before else 0)
        names = before.names if before else tuple(layer.name for layer in layers)
        found[chain] = Item(chain, names, before.places if before else run, count)
    return list(found.values())


def _parted(network: Network, link: Link) -> bool:
    """Return whether element-wise work that the machine prices may stand between two layers."""
    between = network.layers[link.producer + 1 : link.consumer]
    return any(layer.einsum.operation for layer in between)
