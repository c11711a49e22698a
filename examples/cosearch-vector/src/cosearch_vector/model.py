"""The design space: how many lanes, how large a scratchpad, how wide a port."""

from cosearch.errors import Infeasible
from cosearch.machine.hardware import HardwareModel
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_vector.machine import VectorMachine

LARGEST_MM2 = 5.0


class Vector(HardwareModel):
    """A family of vector processors."""

    name = "vector"
    space = ParameterSpace(
        (
            Parameter("lanes", (4, 8, 16, 32, 64), 16, doc="multiply-accumulates a cycle"),
            Parameter("scratchpad", (256, 1024, 4096, 16384), 1024, "words", "software-managed"),
            Parameter("port", (1, 2, 4, 8), 2, "words", "from DRAM in a cycle"),
        )
    )

    def build(self, configuration):
        machine = VectorMachine(**self.check(configuration))
        if machine.area_mm2 > LARGEST_MM2:
            margin = machine.area_mm2 / LARGEST_MM2
            raise Infeasible(f"larger than {LARGEST_MM2} mm2", {"area": margin})
        return machine
