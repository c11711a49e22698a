"""Prices by `hwcomponents`: CACTI for SRAM, JEDEC-style tables for DRAM, Aladdin for arithmetic.

An extra (`cosearch[hwcomponents]`, Python 3.12 or newer). Every memory is one run of CACTI, cached
by the package. S. Li et al., *CACTI-P*, ICCAD 2011; Y. S. Shao et al., *Aladdin*, ISCA 2014.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any, ClassVar

from cosearch.errors import CosearchError, MissingExtraError
from cosearch.machine.architecture import AccessEnergy
from cosearch.machine.technology import OFF_CHIP, ComputePrice, Storage, StoragePrice, Technology
from cosearch.search.parameters import Parameter, ParameterSpace

PJ, UM2 = 1e12, 1e12
"""Joules to picojoules, square metres to square micrometres."""


class HwComponents(Technology):
    """SRAM, DRAM and multiply-accumulate units of the `hwcomponents` packages.

    Args:
        node_nm: process.
        clock_mhz: turns leakage power into leakage per cycle.
        dram: which DRAM.

    Raises:
        MissingExtraError: the packages are not installed.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("node_nm", (22, 180), 45, "nm", "process", free=True),
            Parameter("clock_mhz", (1.0, 10000.0), 1000.0, "MHz", "for leakage", free=True),
            Parameter("dram", ("LPDDR4", "DDR3", "HBM2"), doc="kind of DRAM"),
        )
    )

    def __init__(self, node_nm: int = 45, clock_mhz: float = 1000.0, dram: str = "LPDDR4") -> None:
        self._node_nm, self._clock_mhz, self._dram = node_nm, clock_mhz, dram
        self._memories = _package("hwcomponents_cacti")

    @property
    def name(self) -> str:
        """As users write it."""
        options = f"clock_mhz={self._clock_mhz:g},dram={self._dram},node_nm={self._node_nm}"
        return f"hwcomponents:{options}"

    def storage(self, part: Storage) -> StoragePrice:
        """Return what CACTI says of an SRAM, or the energy of a DRAM access.

        Raises:
            CosearchError: CACTI refuses the memory.
        """
        if part.kind == "dram" or part.depth is None:
            model = _asked(part.name, getattr(self._memories, self._dram), width=part.width_bits)
            source = f"hwcomponents-cacti, {self._dram}"
        else:
            model = _asked(
                part.name,
                self._memories.SRAM,
                tech_node=self._node_nm * 1e-9,
                width=part.width_bits,
                size=part.width_bits * part.depth,
            )
            source = f"CACTI by hwcomponents-cacti, {self._node_nm} nm"
        read, write = model.read().energy * PJ, model.write().energy * PJ
        off_chip = part.kind == "dram"
        return StoragePrice(
            AccessEnergy(read, write, write),
            0.0 if off_chip else model.area * UM2,
            source,
            OFF_CHIP if off_chip else source,
            0.0 if off_chip else self._per_cycle(model.leak_power),
        )

    def compute(self, bits: int, name: str = "MAC") -> ComputePrice:
        """Return an Aladdin integer unit whose adder has twice the multiplier's width."""
        library = _package("hwcomponents_library.library.aladdin")
        model = _asked(
            name,
            library.AladdinIntMAC,
            tech_node=self._node_nm * 1e-9,
            adder_width=2 * bits,
            multiplier_width=bits,
        )
        source = f"Aladdin (ISCA 2014) by hwcomponents-library, {self._node_nm} nm"
        return ComputePrice(model.compute().energy * PJ, model.area * UM2, source, source)

    def _per_cycle(self, watts: float) -> float:
        return watts * PJ / (self._clock_mhz * 1e6)


@lru_cache(maxsize=4)
def _package(name: str) -> Any:  # noqa: ANN401 - an optional package, without types
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError("technology hwcomponents", "hwcomponents") from error


def _asked(component: str, model: Any, **values: float) -> Any:  # noqa: ANN401 - as above
    """Return the package's model of a component, or say in one line why there is none."""
    try:
        return model(**values)
    except Exception as error:
        said = str(error).splitlines() or [type(error).__name__]
        raise CosearchError(
            f"hwcomponents cannot price {component!r}: {said[0]}",
            "CACTI takes SRAMs of 22 to 180 nm; see its own log for more",
        ) from error
