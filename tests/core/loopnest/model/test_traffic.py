"""Words through levels that let a tensor pass, and who is home to which elements."""

from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.model.traffic import flows, partitions
from cosearch.loopnest.nest import Nest
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import conv, gemm

ALL = ("Weights", "Inputs", "Outputs")
FREE = AccessEnergy.uniform(0.0)


def machine(x):
    levels = (
        Memory("pe", None, FREE, mesh_x=x),
        Memory("glb", None, FREE),
        Memory("DRAM", None, FREE),
    )
    return Architecture("m", levels, Compute(0.0, x))


def mapped(keep, layer, inner, spread, outer):
    mapping = Mapping(
        (
            LevelMapping("pe", keep, inner),
            LevelMapping("glb", keep, (), spread),
            LevelMapping("DRAM", ALL, outer),
        )
    )
    nest = Nest.of(layer, mapping)
    return {t.name: [f.served for f in flows(machine(4), nest, mapping, t)] for t in layer.tensors}


def test_a_level_that_keeps_reuses_and_one_that_passes_does_not():
    layer = gemm(M=3, N=4, K=2)
    loops = layer, [Loop("K", 2), Loop("M", 3)], [Loop("N", 4)], []
    assert mapped(ALL, *loops)["Weights"] == [6, 8, 8]
    # each of four multipliers wants a weight in each of six steps, from DRAM
    assert mapped(["Inputs", "Outputs"], *loops)["Weights"] == [6, 24, 24]
    # inputs are shared by all four
    assert mapped(["Weights", "Outputs"], *loops)["Inputs"] == [6, 6, 6]


def test_nothing_flows_outside_the_outermost_level_that_keeps():
    layer = gemm(M=3, N=4, K=2)
    mapping = Mapping(
        (
            LevelMapping("pe", ["Weights"], [Loop("K", 2), Loop("M", 3)], [Loop("N", 4)]),
            LevelMapping("glb", ["Inputs", "Outputs"]),
            LevelMapping("DRAM", ()),
        )
    )
    nest = Nest.of(layer, mapping)
    found = [[f.served for f in flows(machine(4), nest, mapping, t)] for t in layer.tensors]
    assert found == [[24, 0, 0], [6, 6, 0], [24, 24, 0]]


def test_elements_are_shared_out_among_children():
    layer = conv(K=4, C=2, P=4, Q=1, R=3)
    mapping = Mapping(
        (
            LevelMapping("pe", ALL, [Loop("R", 3), Loop("P", 2)]),
            LevelMapping("glb", ALL, [Loop("C", 2)], [Loop("P", 2), Loop("K", 2)]),
            LevelMapping("DRAM", ALL, [Loop("K", 2)]),
        )
    )
    nest = Nest.of(layer, mapping)
    weights, inputs, outputs = (partitions(nest, t) for t in layer.tensors)
    assert weights == (24 * 3 // 6, 24, 24)
    assert inputs == (12 * 4 // 6, 12, 12)  # tiles of 4 words in a box of 6
    assert outputs == (16 * 2 // 8, 16, 16)
