"""Sizes of networks as objectives and limits: peak activation memory, MACs, parameters."""

from __future__ import annotations

import math
from functools import lru_cache

from cosearch.quantities import percent, si
from cosearch.search.objective import Objective
from cosearch.workload.dataflow import Dataflow
from cosearch.workload.measure import network_objective
from cosearch.workload.network import Network
from cosearch_plugins.memory.peak import Peak, least_peak

PEAK_MEMORY = "peak_memory"

remembered = lru_cache(maxsize=4096)(least_peak)
"""The least peak of a dataflow; networks of a space are often asked for again."""


def flows(network: Network) -> list[Dataflow]:
    """Return the dataflow of each network that runs alone; none where one is not known."""
    networks = [part.network for part in network.parts] or [network]
    known = [n.dataflow for n in networks if n.dataflow is not None]
    return known if len(known) == len(networks) else []


def peak_memory(network: Network) -> float:
    """Return the words of activations that are alive at one time at most, in the best order found.

    Of a mix, whose networks run one after another, that of the largest. NaN where it is not known
    who reads which tensor.
    """
    known = flows(network)
    return float(max(remembered(flow).words for flow in known)) if known else math.nan


def told_of_memory(network: Network) -> str:
    """Return the peak in words, whether it is proven, and what the order as written takes."""
    known = flows(network)
    if not known:
        return ""
    peak = max((remembered(flow) for flow in known), key=lambda peak: peak.words)
    as_written = "" if peak.as_written == peak.words else f"; {si(peak.as_written)} as written"
    return f"{si(peak.words, 'words')} in the best order{as_written}, {_proof(peak)}"


def _proof(peak: Peak) -> str:
    if peak.proven:
        return "proven least"
    return f"at most {percent(peak.gap)} above the least"


def size_objectives() -> list[Objective]:
    """Return the objectives."""
    return [
        network_objective(
            PEAK_MEMORY,
            "words",
            peak_memory,
            "activations alive at one time, in the best order of execution",
            told_of_memory,
        ),
        network_objective(
            "macs", "MACs", lambda n: float(n.macs), "multiply-accumulates of one run"
        ),
        network_objective(
            "parameters",
            "1",
            lambda n: math.nan if n.parameters is None else float(n.parameters),
            "trainable numbers of the network",
        ),
    ]
