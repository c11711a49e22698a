"""Another technology, carried over to a different node and supply voltage."""

from __future__ import annotations

import math
from functools import cached_property
from typing import ClassVar

from attrs import evolve

from cosearch.errors import CosearchError
from cosearch.machine.architecture import AccessEnergy
from cosearch.machine.technology import ComputePrice, Storage, StoragePrice, Technology
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch_plugins.technologies.horowitz import Horowitz
from cosearch_plugins.technologies.scaling import NODES, SOURCE, area_ratio, energy_ratio

HOROWITZ: Technology = Horowitz()


class Scaled(Technology):
    """Prices of another technology, scaled to a node and a voltage; DRAM is left as it is.

    Relative energies belong to no node and stay as they are, which the source then says.

    Args:
        base: the technology that is scaled.
        node_nm: to which it is scaled.
        supply_v: supply voltage there.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter(
                "base",
                ("horowitz",),
                doc="the technology that is scaled",
                free=True,
                plugin="technologies",
            ),
            Parameter("node_nm", NODES, 16, "nm", "to this node"),
            Parameter("supply_v", (0.5, 1.4), 0.8, "V", "at this voltage", free=True),
        )
    )

    def __init__(
        self, base: Technology = HOROWITZ, node_nm: int = 16, supply_v: float = 0.8
    ) -> None:
        self._base, self._process = base, (node_nm, supply_v)

    @cached_property
    def _ratios(self) -> tuple[float, float]:
        """Energy and area, here over the base's.

        Raises:
            CosearchError: the base belongs to no node.
        """
        base = self._base
        if base.process is None and base.area_node_nm is None:
            raise CosearchError(
                f"the prices of technology {base.name!r} belong to no node: nothing to scale",
                "scale one that has a node, such as horowitz",
            )
        energy = 1.0 if base.process is None else energy_ratio(base.process, self._process)
        node = base.area_node_nm
        return energy, math.nan if node is None else area_ratio(node, self._process[0])

    @property
    def name(self) -> str:
        """As users write it."""
        node, volts = self._process
        return f"scaled:base={self._base.name},node_nm={node},supply_v={volts:g}"

    def storage(self, part: Storage) -> StoragePrice:
        """Return the base's price, scaled."""
        price = self._base.storage(part)
        if part.kind == "dram":
            return price
        energy, area = self._ratios
        read, fill, update = price.energy.read, price.energy.fill, price.energy.update
        return evolve(
            price,
            energy=AccessEnergy(read * energy, fill * energy, update * energy),
            area_um2=price.area_um2 * area,
            leak_pj_per_cycle=price.leak_pj_per_cycle * energy,
            energy_source=self._energy_source(price.energy_source),
            area_source=self._said(price.area_source),
        )

    def compute(self, bits: int, name: str = "MAC") -> ComputePrice:
        """Return the base's price, scaled."""
        price = self._base.compute(bits, name)
        energy, area = self._ratios
        return evolve(
            price,
            energy_pj=price.energy_pj * energy,
            area_um2=price.area_um2 * area,
            energy_source=self._energy_source(price.energy_source),
            area_source=self._said(price.area_source),
        )

    def _energy_source(self, source: str) -> str:
        if self._base.process is None:
            return f"{source}; relative, not scaled"
        return self._said(source)

    def _said(self, source: str) -> str:
        node, volts = self._process
        return f"{source}; to {node} nm, {volts:g} V {SOURCE}"
