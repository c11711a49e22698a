"""Schemes of co-design: how hardware and mappings are searched together.

Each puts another mapper, another space or another strategy into the same loop, so that storing,
resuming and reporting are the same for all.
"""

from __future__ import annotations

from cosearch.registry.registration import Registration, hookimpl

_HERE = "cosearch_plugins.schemes"


@hookimpl
def cosearch_schemes() -> list[Registration]:
    """Return the schemes that ship with cosearch."""
    return [
        Registration(
            "nested",
            "cosearch.study.scheme:Scheme",
            "hardware outside, the best mapping of each layer inside",
        ),
        Registration(
            "semi-decoupled",
            f"{_HERE}.semi_decoupled:SemiDecoupled",
            "hardware over mappings that were found on the baseline alone",
        ),
        Registration("joint", f"{_HERE}.joint:Joint", "hardware and mappings in one loop"),
        Registration(
            "network-inside",
            f"{_HERE}.network_inside:NetworkInside",
            "hardware outside; for each machine the best network of a space, by sums",
        ),
        Registration(
            "semi-decoupled-networks",
            f"{_HERE}.semi_decoupled_networks:SemiDecoupledNetworks",
            "networks that are best on the baseline, then machines over those alone",
        ),
        Registration(
            "rhnas",
            f"{_HERE}.rhnas.scheme:Rhnas",
            "a policy over machines and a relaxed search of the network, in turns",
        ),
        Registration(
            "exhaustive",
            f"{_HERE}.exhaustive:Exhaustive",
            "every design, most promising bound first: proven",
        ),
    ]
