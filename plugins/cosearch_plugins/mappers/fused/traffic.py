"""The fewest words that pass the outermost memory: a line that no mapping of a machine undercuts.

The exact search and the search for groups answer this too, once nothing costs anything but a word
at the outermost memory. Over buffer sizes that is a curve that no mapper of the machine gets below,
whatever it minimizes; inner memories and dataflow are the machine's own.
"""

from __future__ import annotations

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.mapping.mapper import Budget, Mapper
from cosearch.mapping.traffic import LeastTraffic
from cosearch.workload.network import Network
from cosearch_plugins.mappers.exact.counting import ENERGY, counting_words, each_once


def least_traffic(
    mapper: Mapper,
    machine: SpatialAccelerator,
    network: Network,
    words: int | None,
    most: int,
    budget: Budget,
) -> LeastTraffic:
    """Return the fewest words that any mapping moves, with a buffer of some size.

    Args:
        mapper: that proves groups.
        machine: all but the size of its second outermost memory.
        network: mapped.
        words: that this memory holds; None is without end.
        most: layers in a group.
        budget: of the search.

    Raises:
        Infeasible: a layer fits nowhere.
    """
    found = mapper.fuse(counting_words(machine, words), network, ENERGY, budget, most)
    alone, together = round(found.unfused[0]), round(found.energy_pj)
    return LeastTraffic(words, alone, together, each_once(network), found.gap)
