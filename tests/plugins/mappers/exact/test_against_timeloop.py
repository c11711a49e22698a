"""Never worse than what other mappers found on the same machine under the same constraints."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from cosearch.loopnest.mapping import LevelConstraint
from cosearch.loopnest.model.reference import analyse
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import conv
from cosearch_plugins.mappers.exact.arrays import Aim
from cosearch_plugins.mappers.exact.solve import Solver

DATA = Path(__file__).parents[3] / "data"
KNOWN = json.loads((DATA / "timeloop_mapper" / "best.json").read_text())
SMALL = ("map_res50_3_1x1", "map_mbv1_pw14")


def machine():
    with gzip.open(DATA / "timeloop" / "archs.json.gz", "rt") as file:
        facts = json.load(file)[KNOWN["arch"]]
    levels = [
        Memory(
            m["name"],
            m["entries"],
            AccessEnergy(**m["energy_per_vector_access_pj"]),
            m["word_bits"],
            m["block_size"],
            m["meshX"],
            m["meshY"],
            m["read_bandwidth"],
            m["write_bandwidth"],
            m["shared_bandwidth"],
            is_dram=m["technology"] == "DRAM",
            keeps=KNOWN["bypass"][m["name"]],
        )
        for m in facts["levels"]
    ]
    macs = facts["arithmetic"]
    compute = Compute(macs["energy_per_compute_pj"], macs["meshX"], macs["meshY"])
    return Architecture(facts["name"], levels, compute)


def constraints(name):
    if name == "bypass_only":
        return {}
    return {
        level: LevelConstraint(
            temporal=dict.fromkeys(rule.get("temporal_factors_1", ()), 1),
            spatial=dict.fromkeys(rule.get("spatial_factors_1", ()), 1),
            order=tuple(rule["order_inner_to_outer"]) if "order_inner_to_outer" in rule else None,
            x_dims=frozenset(rule["spatial_x_dims"]) if "spatial_x_dims" in rule else None,
            y_dims=frozenset(rule["spatial_y_dims"]) if "spatial_y_dims" in rule else None,
        )
        for level, rule in KNOWN["row_stationary_extra"].items()
    }


def cases():
    for layer in KNOWN["layers"]:
        for name in ("row_stationary", "bypass_only"):
            slow = name == "bypass_only" and layer not in SMALL
            marks = [pytest.mark.exhaustive] if slow else []
            yield pytest.param(layer, name, marks=marks)


@pytest.mark.parametrize(("layer", "name"), list(cases()))
def test_never_worse_than_known_mappings(layer, name):
    einsum = conv(layer, **KNOWN["layers"][layer])
    space = MapSpace(machine(), einsum, constraints(name))
    found = Solver(space).solve(Aim(1, 1, np.inf, np.inf))
    cost = analyse(space.architecture, einsum, found.mapping)
    edp = cost.energy_pj * cost.cycles
    known = [
        b["edp_pj_cycles"]
        for b in KNOWN["best"]
        if b["layer"] == layer and b["constraints"] == name
    ]
    assert found.proven
    assert known
    assert edp <= min(known) * (1 + 1e-6), "the known figures are printed to six digits"
