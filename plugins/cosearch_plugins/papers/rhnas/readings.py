"""Readings of the claim: which machines are allowed, the default, and how accurate networks are.

Published, in the abstract of arXiv 2106.09180: against the default accelerator, 2.81x lower latency
and 3.30x lower EDP on CIFAR-10 (1.84x and 1.86x on ImageNet). Not published there: the ranges of
parameters, the limit on area, the batch, the port, the accuracy that was asked for, the network
spaces. So every figure here is of a reading that says all of these.
"""

from __future__ import annotations

from attrs import frozen

from cosearch.registry.registry import Registry
from cosearch.study.codesign import plan
from cosearch.study.problem import Problem

PUBLISHED = {
    ("CIFAR-10", "latency"): 2.81,
    ("CIFAR-10", "edp"): 3.30,
    ("ImageNet", "latency"): 1.84,
    ("ImageNet", "edp"): 1.86,
}
"""Default over found, from the abstract."""

NETWORKS = "nasbench201:dataset=cifar10"
FLOORS = (94.0, 93.5, 93.0)
FIXED = {"gemm": "pipelined"}
"""The core is pipelined, in the default as in what is found: the older one is no contender."""


@frozen
class Reading:
    """A set of machines with a default.

    Attributes:
        name: for people.
        device: `pynq`, by the board's multipliers and memories; `asic`, by its area.
        area: of an ASIC, in areas of the default; 0 where the board decides.
        bus: widest memory port, bytes; 0 is any.
    """

    name: str
    device: str
    area: float = 0.0
    bus: int = 0

    @property
    def about(self) -> str:
        """Return what is allowed and what the default is, in words."""
        port = "8" if self.device == "pynq" else "16"
        limit = f"at most {self.area:g} times its area" if self.area else "a Zynq-7020's resources"
        wide = f", a port of at most {self.bus} bytes" if self.bus else ""
        return f"batch 1; the default VTA with a port of {port} bytes; {limit}{wide}"


READINGS = (
    Reading("pynq", "pynq"),
    Reading("pynq, port <= 8 bytes", "pynq", bus=8),
    Reading("asic <= 1x", "asic", 1.0),
    Reading("asic <= 2x", "asic", 2.0),
    Reading("asic <= 3x", "asic", 3.0),
)


def problem_of(
    registry: Registry,
    reading: Reading,
    objective: str,
    area_mm2: float = 0.0,
    networks: str = NETWORKS,
) -> Problem:
    """Return the problem of a reading, every rule of what can be built hidden from strategies.

    Args:
        registry: knows the names.
        reading: which machines.
        objective: `latency` or `edp`.
        area_mm2: of the default, by which an ASIC's limit is told.
        networks: the space of networks, with its options.
    """
    hardware = f"vta:stack=apache,rules=hidden,device={reading.device}"
    if reading.area and area_mm2:
        hardware += f",area_limit_mm2={reading.area * area_mm2 * (1 + 1e-9):.6f}"
    elif reading.area:
        hardware += ",area_limit_mm2=10000"
    return plan(
        registry, networks, hardware, "random", objective=objective, combine="layers",
        fixed=FIXED,
    )  # fmt: skip
