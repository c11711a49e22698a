"""Link transfers, by hand."""

from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.model.reference import analyse
from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    CostRules,
    Link,
    Memory,
)
from cosearch.workload.einsum import conv

ALL = ("Weights", "Inputs", "Outputs")
FREE = AccessEnergy.uniform(0.0)


def machine(*, linked):
    levels = (
        Memory("pe", None, FREE, mesh_x=4),
        Memory("glb", None, FREE, network_below=Link(1.0, 0.5)),
        Memory("DRAM", None, FREE, is_dram=True),
    )
    rules = CostRules(link_transfers=linked)
    return Architecture("row", levels, Compute(0.0, 4), rules=rules)


LAYER = conv(K=2, C=2, P=4, Q=1, R=3)
MAPPING = Mapping(
    (
        LevelMapping("pe", ALL),
        LevelMapping(
            "glb", ALL, [Loop("R", 3), Loop("C", 2), Loop("K", 2)], spatial_x=[Loop("P", 4)]
        ),
        LevelMapping("DRAM", ALL),
    )
)


def test_a_window_is_passed_along_a_row():
    """Four outputs side by side: when R steps, each needs what its neighbour had, but the last."""
    plain, linked = (analyse(machine(linked=on), LAYER, MAPPING) for on in (False, True))
    before, after = plain.networks[1].tensors[1], linked.networks[1].tensors[1]
    assert (before.ingresses, before.link_transfers) == (48, 0)
    # R steps twice for each of 2 C x 2 K: 8 times one word from above, three from a neighbour
    assert (after.ingresses, after.link_transfers) == (4 * 4 + 8, 8 * 3)
    assert after.link_transfer_pj == 24 * (1.0 + 2 * 0.5)
    assert linked.levels[1].tensors[1].reads == 24
    child = linked.levels[0].tensors[1]
    assert (child.fills, child.reads) == (12, 12 + 24 // 4)


def test_results_and_stationary_weights_stay_as_they_are():
    plain, linked = (analyse(machine(linked=on), LAYER, MAPPING) for on in (False, True))
    for tensor in (0, 2):
        assert linked.networks[1].tensors[tensor] == plain.networks[1].tensors[tensor]
