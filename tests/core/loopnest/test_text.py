import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosearch.loopnest.mapping import LevelMapping, Loop, Mapping
from cosearch.loopnest.text import loop_nest, statement
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.workload.einsum import conv, gemm

ALL = {"Weights", "Inputs", "Outputs"}


@pytest.fixture
def machine():
    pj = AccessEnergy.uniform(1.0)
    return Architecture(
        "small",
        (
            Memory("Scratchpad", 512, pj, mesh_x=14, mesh_y=3),
            Memory("Buffer", 65536, pj),
            Memory("DRAM", None, pj, is_dram=True),
        ),
        Compute(1.0, mesh_x=14, mesh_y=3),
    )


def test_nest_reads_from_the_outermost_memory_to_the_multiplier(machine):
    layer = conv(K=64, C=16, P=56, Q=14, R=3, S=3)
    mapping = Mapping(
        (
            LevelMapping("Scratchpad", ALL, (Loop("S", 3), Loop("K", 16))),
            LevelMapping(
                "Buffer",
                {"Inputs", "Outputs"},
                (Loop("P", 56), Loop("C", 16)),
                (Loop("Q", 7), Loop("K", 1), Loop("Q", 2)),
                (Loop("R", 3),),
            ),
            LevelMapping("DRAM", ALL, (Loop("C", 1), Loop("K", 4))),
        )
    )
    assert loop_nest(machine, layer, mapping) == (
        "DRAM: Weights 9,216, Inputs 14,848, Outputs 50,176 words",
        "  for k in 0..4",
        "    Buffer: Inputs 14,848, Outputs 12,544 words",
        "      for c in 0..16",
        "        for p in 0..56",
        "          parallel-for y: r in 0..3",
        "            parallel-for x: q in 0..2, q in 0..7",
        "              Scratchpad: Weights 48, Inputs 3, Outputs 16 words",
        "                for k in 0..16",
        "                  for s in 0..3",
        "                    MAC: Outputs[k,p,q] += Weights[k,c,r,s] * Inputs[c,p+r,q+s]",
    )


def test_a_level_that_keeps_nothing_says_so(machine):
    layer = gemm(M=2, N=2, K=2)
    mapping = Mapping(
        (
            LevelMapping("Scratchpad", ALL, tuple(Loop(d, 2) for d in "MNK")),
            LevelMapping("Buffer", set()),
            LevelMapping("DRAM", ALL),
        )
    )
    assert "  Buffer: bypassed" in loop_nest(machine, layer, mapping)


def test_statement_shows_stride_and_dilation_and_hides_dimensions_of_one():
    layer = conv(K=4, C=1, P=5, Q=5, R=3, S=3, stride=(2, 1), dilation=(1, 2))
    assert statement(layer) == "Outputs[k,p,q] += Weights[k,r,s] * Inputs[2p+r,q+2s]"


@given(st.lists(st.tuples(st.sampled_from("MNK"), st.integers(1, 5)), max_size=9))
def test_loops_in_the_text_multiply_up_to_the_steps_of_the_mapping(machine_loops):
    pj = AccessEnergy.uniform(1.0)
    machine = Architecture("m", (Memory("A", 9, pj), Memory("B", None, pj)), Compute(1.0))
    loops = tuple(Loop(dim, bound) for dim, bound in machine_loops)
    mapping = Mapping((LevelMapping("A", ALL, loops[:4]), LevelMapping("B", ALL, loops[4:])))
    sizes = mapping.tile(1, ("M", "N", "K"))
    text = "\n".join(loop_nest(machine, gemm(**sizes), mapping))
    bounds = [int(bound) for bound in re.findall(r"for \w in 0\.\.(\d+)", text)]
    assert math.prod(bounds) == mapping.steps
