"""Hardware models that ship with cosearch, each of the kind that a third party would write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cosearch.registry.registration import Registration, hookimpl

if TYPE_CHECKING:
    from cosearch.machine.hardware import HardwareModel

_HERE = "cosearch_hardware"


@hookimpl
def cosearch_hardware_models() -> list[Registration]:
    """Return the machines that ship with cosearch."""
    return [
        Registration("nvdla", f"{_HERE}.nvdla:Nvdla", "C x K array under a convolution buffer"),
        Registration(
            "bit-serial",
            f"{_HERE}.bit_serial:BitSerial",
            "BISMO-like array of bits: cycles are the product of the widths",
        ),
        Registration(
            "bit-fusion",
            f"{_HERE}.bit_fusion:BitFusion",
            "units of 2-bit multipliers that fuse to the widths of a layer",
        ),
        Registration("simba", f"{_HERE}.simba:Simba", "PEs of vector MACs under a global buffer"),
        Registration(
            "gemmini",
            f"{_HERE}.gemmini.model:Gemmini",
            "weight-stationary array, as DOSA searched it",
        ),
        Registration(
            "eyeriss",
            f"{_HERE}.eyeriss.model:Eyeriss",
            "168 PEs, 108 KB buffer, row-stationary family",
        ),
        Registration(
            "systolic",
            f"{_HERE}.systolic.model:Systolic",
            "R x C array with SCALE-Sim's cycles and double-buffered memories",
        ),
        Registration(
            "crossbar",
            f"{_HERE}.crossbar.model:Crossbar",
            "resistive cells that multiply in place, with ISAAC's energies",
        ),
        Registration(
            "roofline",
            f"{_HERE}.roofline:Roofline",
            "boards and cards by peak rate, bandwidth and power: a bound on any run",
        ),
        Registration(
            "arm-cpu",
            f"{_HERE}.arm_cpu.model:ArmCpu",
            "cores that run each layer by one of several implementations and layouts",
        ),
        Registration(
            "split",
            f"{_HERE}.split:Split",
            "a chain of layers shared by two devices over a link",
        ),
        Registration(
            "spiking",
            f"{_HERE}.spiking.model:Spiking",
            "spiking networks on an Artix-7, driven by the clock; LUTs and block RAMs",
        ),
        Registration(
            "vta",
            f"{_HERE}.vta.model:Vta",
            "GEMM core with three instruction queues; many configurations are not realizable",
        ),
    ]


@hookimpl
def cosearch_read_hardware(path: Path) -> HardwareModel | None:
    """Return the array in a configuration file of SCALE-Sim."""
    if path.suffix.lower() not in (".cfg", ".ini"):
        return None
    from cosearch_hardware.systolic.config import ScaleSimMachine

    return ScaleSimMachine(path)


@hookimpl
def cosearch_references() -> list[Registration]:
    """Return the published figures that these machines are checked against."""
    return [
        Registration(
            "scalesim",
            f"{_HERE}.systolic.reference:ScaleSim",
            "systolic arrays of SCALE-Sim 3, as CSV: cycles and SRAM counts",
        )
    ]
