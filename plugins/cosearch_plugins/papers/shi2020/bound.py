"""What no search of the paper's space can beat, whatever it finds.

A product that needs no mapping: every multiplier works in every cycle, every scratchpad is priced
as the cheapest that the space allows, and of every word that must come from DRAM just one is
counted. Where even that is not far below Eyeriss, nothing better is left to find.
"""

from __future__ import annotations

from cosearch.machine.technology import Storage, Technology
from cosearch.quantities import added
from cosearch.registry.registry import Registry
from cosearch.workload.einsum import Einsum
from cosearch.workload.source import resolve
from cosearch_hardware.eyeriss.space import LOCAL_WORDS
from cosearch_plugins.papers.shi2020.setting import LARGE, Setting

WORD_BITS = 16


def least_product(registry: Registry, setting: Setting, model: str) -> float:
    """Return an energy-delay product that no design with any mapping undercuts."""
    technology = registry.find("technologies", setting.technology).make()
    pes = 256 if model == LARGE else 168
    energy = cycles = 0.0
    for layer in resolve(model, registry).layers:
        energy += layer.count * _energy(technology, layer.einsum, pes)
        waiting = (
            _from_dram(layer.einsum) * WORD_BITS / setting.link_bits if setting.link_bits else 0
        )
        cycles += layer.count * max(layer.einsum.macs / pes, waiting)
    return energy * cycles


def _energy(technology: Technology, layer: Einsum, pes: int) -> float:
    """Return what an operation costs at least, times operations, and DRAM's share.

    An operation reads a weight and an input and updates a partial sum, which it has read before,
    but for the first time in each PE that it visits.
    """
    scratchpad = min(
        technology.storage(Storage("scratchpads", "regfile", words, WORD_BITS)).energy.read
        for words in range(1, LOCAL_WORDS + 1)
    )
    unread = min(layer.macs, pes * layer.words(layer.output))
    accesses = 4 * layer.macs - unread
    dram = technology.storage(Storage("DRAM", "dram", None, WORD_BITS)).energy.read
    return (
        layer.macs * technology.compute(WORD_BITS).energy_pj
        + accesses * scratchpad
        + _from_dram(layer) * dram
    )


def _from_dram(layer: Einsum) -> int:
    """Return words that must pass: inputs under a window are left out, see `loopnest.floor`."""
    whole = (
        tensor
        for tensor in layer.tensors
        if all(len(axis.terms) == 1 and axis.terms[0][1] == 1 for axis in tensor.axes)
    )
    return added(layer.words(tensor) for tensor in whole)
