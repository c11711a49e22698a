"""The problems of `cosearch bench-optimizers`: spaces of shipped machines, small enough to try all.

No default of a shipped strategy was chosen on any of them: `benchmarks/strategy_tuning.py` has the
problems that were used for that.
"""

from __future__ import annotations

from collections.abc import Iterable

from cosearch.errors import UnknownNameError
from cosearch_plugins.bench.tables import AnyTask, MappingTask, Task

TASKS: tuple[AnyTask, ...] = (
    Task("gemmini", "gemmini", "gemm:M=128,N=768,K=768"),
    Task(
        "systolic",
        "systolic",
        "gemm:M=64,N=256,K=256",
        {
            "weight_kb": "64",
            "output_kb": "64",
            "word_bits": "8",
            "accumulator_bits": "32",
            "dram_bits_per_cycle": "64",
        },
    ),
    Task(
        "eyeriss",
        "eyeriss:resources=free",
        "conv:C=16,K=32,P=14,Q=14,R=3,S=3",
        {
            "spad_inputs": "12",
            "spad_weights": "224",
            "spad_outputs": "24",
            "buffer_kb": "108",
            "buffer_block": "4",
            "bus_words": "9",
            "word_bits": "16",
        },
    ),
    Task(
        "vta",
        "vta:stack=apache,rules=hidden",
        "conv:C=16,K=16,P=32,Q=32,R=3,S=3",
        {"gemm": "pipelined", "bus_bytes": "8", "uop": "15"},
    ),
    Task(
        "dqn",
        "eyeriss",
        "shi2020-dqn",
        {
            "buffer_kb": "108",
            "buffer_block": "4",
            "bus_words": "9",
            "filter_width": "inside",
            "filter_height": "spread",
        },
    ),
    Task("mlp", "nvdla", "shi2020-mlp", {"dram_bits": "64"}),
    Task(
        "simba",
        "simba",
        "gemm:M=64,N=512,K=512",
        {"weight_kb": "32", "input_kb": "8", "sum_kb": "3"},
    ),
    Task("front", "gemmini", "conv:C=32,K=32,P=16,Q=16,R=3,S=3", objective="energy,latency,area"),
    MappingTask("levels", "gemm:M=4,N=4,K=4"),
)
"""All but `front` have one objective; on `eyeriss` two fifths of the designs can be built, on `vta`
an eighth, and which is found out by building them."""


def task(name: str) -> AnyTask:
    """Return the task of that name, or raise UnknownNameError."""
    for each in TASKS:
        if each.name == name:
            return each
    raise UnknownNameError("task", name, [each.name for each in TASKS])


def tasks_of(names: Iterable[str]) -> tuple[AnyTask, ...]:
    """Return the named tasks, or all."""
    return tuple(task(name) for name in names) or TASKS
