"""The contracts between the engine and a machine.

A `HardwareModel` owns a design space and turns a configuration into an `Accelerator`, or says why
it cannot be built. An accelerator prices batches of mappings. The easy way is
`SpatialAccelerator`: declare an architecture and get the mapspace, the kernel, the exact mapper
and the reports for nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from attrs import frozen

from cosearch.errors import Infeasible
from cosearch.machine.cost import Cost, CostBatch
from cosearch.search.objective import Objective
from cosearch.search.parameters import ParameterSpace, Space
from cosearch.typing import BoolArray, Configuration, FloatArray, Rows, Value
from cosearch.workload.einsum import Einsum

if TYPE_CHECKING:
    from cosearch.workload.network import Network


NO_ELEMENTWISE = "the machine's model has no unit for element-wise work"
"""Why element-wise layers are left out where a model says nothing else."""


class Accelerator(ABC):
    """One concrete machine.

    Attributes:
        name: for people.
        area_mm2: of the whole machine; NaN where the model has no area.
        clock_mhz: for power and seconds; None where no source states it.
        sources: where each number comes from, by component.
        sketch: lines of a drawing, for a machine that is no `SpatialAccelerator`; those are drawn
            from their architecture.
        default_mapper: the mapper used unless another is named.
    """

    name: str
    area_mm2: float
    clock_mhz: float | None = None
    sources: Mapping[str, str]
    sketch: tuple[str, ...] = ()
    default_mapper: ClassVar[str] = "random"

    @property
    @abstractmethod
    def key(self) -> str:
        """A stable digest of everything that changes a cost: equal keys, equal costs."""

    @abstractmethod
    def mapspace(self, layer: Einsum) -> Space:
        """Return the space of all mappings of a layer; raises Infeasible when it fits nowhere."""

    @abstractmethod
    def evaluate(self, layer: Einsum, rows: Rows) -> CostBatch:
        """Price mappings, int64[n, d], in one call."""

    def screen(self, layer: Einsum, rows: Rows) -> CostBatch:
        """Return what `evaluate` does; costs may be left out where they take long: none is read."""
        return self.evaluate(layer, rows)

    def pricing_seconds(self, layer: Einsum, rows: Rows) -> FloatArray:  # noqa: ARG002
        """Return about how long pricing each row takes, float64[n]; zero where nobody would wait.

        For limits of time: what may take seconds, such as a simulation, is not begun without them.
        """
        return np.zeros(len(rows))

    def bounds(self, layer: Einsum, rows: Rows) -> tuple[FloatArray, FloatArray]:  # noqa: ARG002
        """Return energy (pJ) and cycles, float64[n] each, that pricing the rows never undercuts.

        Cheaper than `evaluate`, for mappers that enumerate; zero unless a model knows better.
        """
        return np.zeros(len(rows)), np.zeros(len(rows))

    def floor(self, layer: Einsum) -> tuple[float, float]:  # noqa: ARG002
        """Return energy (pJ) and cycles that no mapping of a layer undercuts.

        For searches that rule out whole machines; zero unless a model knows better.
        """
        return 0.0, 0.0

    def tight_floor(self, layer: Einsum) -> tuple[float, float]:
        """Return what `floor` does, higher where a model knows better and takes longer."""
        return self.floor(layer)

    @abstractmethod
    def explain(self, layer: Einsum, row: Rows) -> Cost:
        """Return the breakdown of one mapping, int64[d], by the readable reference model."""


@frozen(eq=False)
class ManyMachines:
    """What the best mappings of layers cost on many machines.

    Attributes:
        built: bool[n]: which can be built.
        area_mm2: float64[n]; not a number where not built.
        energy_pj, cycles: float64[n, l], of one run of each layer at its own best mapping; infinite
            where it cannot be run.
    """

    built: BoolArray
    area_mm2: FloatArray
    energy_pj: FloatArray
    cycles: FloatArray


class HardwareModel(ABC):
    """A plugin that owns a design space; its constructor takes the declared options.

    Attributes:
        options: what the constructor takes as keywords.
        compiled: parts of compiled code that its machines need, for `cosearch warmup`: the
            addresses of `cosearch.compiling.parts.found`.
        notes: of a machine in a file, what the file holds and nothing here has a use for.
        said_of_mappings: of a machine in a file, the constraints it states, a line each.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(())
    notes: tuple[str, ...] = ()
    said_of_mappings: tuple[str, ...] = ()
    compiled: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """As users write it."""

    @property
    @abstractmethod
    def space(self) -> ParameterSpace:
        """The design space, known constraints included."""

    @property
    def baseline(self) -> Configuration:
        """The design that others are compared with: the space's defaults."""
        return self.space.defaults

    def floor_over(
        self,
        choices: Mapping[str, Sequence[Value]],  # noqa: ARG002
        layer: Einsum,  # noqa: ARG002
    ) -> tuple[float, float] | None:
        """Return energy (pJ) and cycles that no mapping of a layer undercuts on many machines.

        None unless a model knows: a pruned study then says nothing of a space too large to go
        through.

        Args:
            choices: of every parameter; the machines are all their combinations.
            layer: of the network.
        """
        return None

    def left_out(self, layer: Einsum) -> str:
        """Return why a layer of a network costs nothing here; empty for one that is priced.

        Multiply-accumulates are priced. Element-wise work (pooling, additions, activations) is left
        out and named in every report, unless a model knows better.
        """
        return NO_ELEMENTWISE if layer.operation else ""

    def placed(
        self,
        network: Network,
        configuration: Configuration,  # noqa: ARG002 - machines of several parts look
    ) -> Network:
        """Return a network as one design runs it; as it is, unless a machine has several parts.

        Such a machine says with `Einsum.place` which part runs a layer, and adds what is sent or
        converted between two parts as element-wise layers of its own.

        Args:
            network: as this family of machines prices it.
            configuration: of the design, perhaps without parameters that have defaults.

        Raises:
            InputError: no design of the family runs such a network.
        """
        return network

    @abstractmethod
    def build(self, configuration: Configuration) -> Accelerator:
        """Return the machine, or raise Infeasible with the reason and by how much it misses."""

    def price_many(
        self,
        rows: Rows,  # noqa: ARG002 - others look
        layers: Sequence[Einsum],  # noqa: ARG002 - others look
        objective: Objective,  # noqa: ARG002 - others look
    ) -> ManyMachines | None:
        """Return what the best mappings of layers cost on many machines, or None: ask the mapper.

        For families whose machines share so much that all are priced at once; it must equal what
        building each machine and proving each mapping gives.

        Args:
            rows: int64[n, d], points of the design space, whether they can be built or not.
            layers: to be mapped, each for itself.
            objective: of each mapping.
        """
        return None

    def check(self, configuration: Configuration) -> dict[str, Value]:
        """Return the completed configuration, or raise Infeasible with the broken rules."""
        values = self.space.complete(configuration)
        columns = {name: np.array([value]) for name, value in values.items()}
        broken = [r.reason for r in self.space.rules if not bool(np.all(r.holds(columns)))]
        if broken:
            raise Infeasible("; ".join(broken))
        return values
