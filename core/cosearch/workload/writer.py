"""The contract of plugins that write a network as another tool reads it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from attrs import evolve, field, frozen

from cosearch.search.parameters import ParameterSpace
from cosearch.workload.network import Network


@frozen
class Written:
    """What a writer made.

    Attributes:
        files: text by file name.
        notes: what the other tool will not know, or what was assumed for it.
    """

    files: Mapping[str, str]
    notes: tuple[str, ...] = field(default=())


class WorkloadWriter(ABC):
    """Writes networks in one format; a plugin registers it with `cosearch_workload_writers`."""

    options: ClassVar[ParameterSpace] = ParameterSpace(())

    @abstractmethod
    def write(self, network: Network) -> Written:
        """Return the network, which has layers of products alone, in the format.

        A layer that runs several times is written so that the other tool runs it as often, or a
        note says how often it runs.

        Raises:
            InputError: with every layer that the format cannot say.
        """


def products_alone(network: Network) -> Network:
    """Return a network without its element-wise layers, as writers take it."""
    return evolve(network, layers=network.products, links=())
