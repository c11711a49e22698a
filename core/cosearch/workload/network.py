"""Networks: layers with repeat counts, and spaces of networks to search in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np
from attrs import evolve, field, frozen

from cosearch.answers import Answering, Contract, no_numbers, no_text, shown
from cosearch.errors import UnknownNameError
from cosearch.quantities import added
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import Configuration, FloatArray, IntArray, Rows
from cosearch.workload.dataflow import Dataflow
from cosearch.workload.einsum import Einsum
from cosearch.workload.link import Link, refuse_broken


@frozen
class Layer:
    """An einsum and how often the network runs it."""

    einsum: Einsum
    count: int = 1

    @property
    def name(self) -> str:
        """The einsum's name."""
        return self.einsum.name


@frozen
class Unmodelled:
    """An operation that a reader met, or a layer carries, and that the cost model leaves out.

    Attributes:
        name: unique in its network.
        kind: the operator.
        operations: how many it does; at least so many where they are not `known`.
        reason: why it is left out.
        known: whether `operations` is the whole number.
    """

    name: str
    kind: str
    operations: int
    reason: str
    known: bool = True


@frozen
class Part:
    """A network that runs beside others.

    Attributes:
        name: unique among the parts, in front of its layers' names.
        weight: how often it runs.
        network: itself, its layers under their own names.
    """

    name: str
    weight: int
    network: Network


@frozen
class Network:
    """Layers in order of execution.

    Attributes:
        name: for people.
        layers: each with its count; equal einsums may stand more than once.
        unmodelled: what the source held and the cost model leaves out, never dropped silently.
        source: where the shapes come from (paper and table, or the file).
        parameters: trainable numbers of the whole network, those outside the layers (biases,
            norms, embeddings) included; None where the source does not tell.
        parts: the networks it is made of, for a mix; empty for one network.
        links: the tensors that a layer hands on, as far as known: each may stay on chip.
        dataflow: every operation and what it reads and writes; None where that is not known, and
            for a mix, whose parts have their own.
    """

    name: str
    layers: tuple[Layer, ...]
    unmodelled: tuple[Unmodelled, ...] = ()
    source: str = ""
    parameters: int | None = None
    parts: tuple[Part, ...] = ()
    links: tuple[Link, ...] = ()
    dataflow: Dataflow | None = field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        refuse_broken(self.name, [(layer.einsum, layer.count) for layer in self.layers], self.links)

    @cached_property
    def unique(self) -> tuple[Layer, ...]:
        """The different einsums in order of first appearance, counts added up."""
        counts: dict[Einsum, int] = {}
        for layer in self.layers:
            counts[layer.einsum] = counts.get(layer.einsum, 0) + layer.count
        return tuple(Layer(einsum, count) for einsum, count in counts.items())

    @property
    def products(self) -> tuple[Layer, ...]:
        """The layers that multiply and accumulate."""
        return tuple(layer for layer in self.layers if not layer.einsum.operation)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run of the network."""
        return added(layer.einsum.macs * layer.count for layer in self.layers)

    @property
    def operations(self) -> int:
        """Multiply-accumulates and element-wise operations of the layers, one run."""
        return added(layer.einsum.operations * layer.count for layer in self.layers)

    @property
    def unmodelled_share(self) -> float:
        """Share of all operations that `unmodelled` holds, 0 to 1; a MAC is one operation.

        It is the least that the share can be where `unmodelled_known` is false.
        """
        left_out = added(item.operations for item in self.unmodelled)
        return left_out / (self.operations + left_out) if left_out else 0.0

    def priced(self, left_out: Callable[[Einsum], str]) -> Network:
        """Return the network as a machine sees it: what it leaves out stands in `unmodelled`.

        Args:
            left_out: why a layer is left out, empty for one that is priced
                (`HardwareModel.left_out`).
        """
        reasons = [left_out(layer.einsum) for layer in self.layers]
        if not any(reasons):
            return self
        pairs = list(zip(self.layers, reasons, strict=True))
        place = {old: new for new, old in enumerate(i for i, r in enumerate(reasons) if not r)}
        return evolve(
            self,
            layers=tuple(layer for layer, reason in pairs if not reason),
            unmodelled=(*self.unmodelled, *(_named(x, reason) for x, reason in pairs if reason)),
            parts=tuple(evolve(p, network=p.network.priced(left_out)) for p in self.parts),
            links=tuple(
                evolve(link, producer=place[link.producer], consumer=place[link.consumer])
                for link in self.links
                if {link.producer, link.consumer} <= place.keys()
            ),
        )

    @property
    def unmodelled_known(self) -> bool:
        """Whether all operations that are left out could be counted."""
        return all(item.known for item in self.unmodelled)

    def layer(self, name: str) -> Layer:
        """Return the layer of that name."""
        by_name = {layer.name: layer for layer in self.layers}
        if name not in by_name:
            raise UnknownNameError(f"layer of {self.name}", name, by_name)
        return by_name[name]


def _named(layer: Layer, reason: str) -> Unmodelled:
    einsum = layer.einsum
    kind = einsum.operation or "multiply-accumulate"
    return Unmodelled(layer.name, kind, einsum.operations * layer.count, reason)


def no_network(answer: object, *_: object, **__: object) -> str:
    """Return what is wrong with what should be a network that can be mapped; empty for nothing."""
    if not isinstance(answer, Network):
        return f"gave {shown(answer)}, no Network"
    texts = no_text(answer.name) or no_text(answer.source)
    if texts:
        return f"{texts}: name and source of a network"
    layers: object = answer.layers
    if not isinstance(layers, tuple) or not layers:
        return f"gave a network with the layers {shown(layers)}: a tuple of some is needed"
    return next(filter(None, map(_no_layer, layers)), "")


def _no_layer(layer: object) -> str:
    if not isinstance(layer, Layer) or type(layer.einsum) is not Einsum:
        return f"gave {shown(layer)} among the layers, no Layer of an Einsum"
    if not _whole(layer.count):
        return f"runs a layer {shown(layer.count)} times"
    if no_text(layer.name) or not all(map(_whole, layer.einsum.sizes)):
        return f"gave a layer {shown(layer.name)} of sizes {shown(layer.einsum.sizes)}"
    return ""


def _whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and value is not True and int(value) >= 1


class Workload(Answering, ABC):
    """A plugin that makes a network; its constructor takes the declared options."""

    options: ClassVar[ParameterSpace] = ParameterSpace(())

    _contract: ClassVar[Contract] = Contract("workload", {"network": no_network})

    @abstractmethod
    def network(self) -> Network:
        """Return the network."""


MEASURED, PREDICTED, ESTIMATED = "measured", "predicted", "estimated"
"""Where an accuracy comes from: that network itself; a model that was fitted to measured networks
of the same space and has a held-out error; anything weaker, which ranks nothing by itself."""


def _no_accuracies(answer: object, rows: Rows) -> str:
    wrong = no_numbers(answer, len(rows))
    if wrong or not isinstance(answer, np.ndarray):
        return wrong
    odd = answer[(answer < 0) | (answer > 100)]
    return f"gave {odd[0]} per cent" if len(odd) else ""


def _no_texts(answer: object, rows: Rows) -> str:
    if not isinstance(answer, tuple) or len(answer) != len(rows):
        return f"gave {shown(answer)} for {len(rows)} rows"
    return next(filter(None, map(no_text, answer)), "")


def _no_scores(answer: object, name: str, rows: Rows) -> str:  # noqa: ARG001 - as `score`
    return no_numbers(answer, len(rows))


_OF_SPACES = Contract(
    "network space",
    {
        "build": no_network,
        "accuracy": _no_accuracies,
        "origins": _no_texts,
        "remark": no_text,
        "score": _no_scores,
        "missing": no_text,
    },
    {
        "space": lambda answer: (
            "" if isinstance(answer, ParameterSpace) else "gave no ParameterSpace"
        ),
        "baseline": lambda answer: "" if isinstance(answer, Mapping) else f"gave {shown(answer)}",
    },
)
"""What is checked of the answers of a space of networks."""


class NetworkSpace(Answering, ABC):
    """A plugin that makes a whole space of networks, for co-design that includes the network.

    Attributes:
        options: what the constructor takes as keywords.
        accuracy_is: where accuracies come from, `measured`, `predicted` or `estimated`.
        accuracy_note: what stands beside every accuracy: on what it was measured, with which error.
        scores: further numbers known of a network without a machine, such as training-free scores
            or latencies measured on devices; metrics under these names.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(())
    accuracy_is: str = ESTIMATED
    accuracy_note: str = ""
    scores: tuple[str, ...] = ()

    _contract: ClassVar[Contract] = _OF_SPACES

    @property
    @abstractmethod
    def space(self) -> ParameterSpace:
        """The space that a strategy searches."""

    @property
    def baseline(self) -> Configuration:
        """The network that others are compared with: the space's defaults."""
        return self.space.defaults

    @abstractmethod
    def build(self, row: Rows) -> Network:
        """Return the network of one row, int64[d]."""

    @abstractmethod
    def accuracy(self, rows: Rows) -> FloatArray:
        """Return the accuracy in per cent, float64[n], of rows int64[n, d]."""

    def origins(self, rows: Rows) -> tuple[str, ...]:
        """Return where the accuracy of each row comes from, where rows differ in that."""
        return (self.accuracy_is,) * len(rows)

    def remark(self, row: Rows) -> str:
        """Return what is to be said of the accuracy of one row, int64[d], in one line."""
        (origin,) = self.origins(row[None])
        return f"{origin}, {self.accuracy_note}" if self.accuracy_note else origin

    def score(self, name: str, rows: Rows) -> FloatArray:  # noqa: ARG002 - has none
        """Return one of `scores`, float64[n], of rows int64[n, d]; NaN where it is not known.

        Raises:
            UnknownNameError: there is no such score.
        """
        raise UnknownNameError("score", name, self.scores)

    def missing(self, name: str) -> str:  # noqa: ARG002 - nothing would help
        """Return what to pass so that a score is known, one sentence; empty where nothing helps."""
        return ""

    def counts(self, rows: Rows) -> tuple[tuple[Einsum, ...], IntArray]:
        """Return the different layers of some networks and how often each runs, int64[n, l].

        Costs of networks are sums over it: the counts times what a layer costs. Here every network
        is built; a space whose networks share their layers says it faster.

        Args:
            rows: int64[n, d].
        """
        numbers: dict[Einsum, int] = {}
        networks = [self.build(row) for row in rows]
        for network in networks:
            for layer in network.layers:
                numbers.setdefault(layer.einsum, len(numbers))
        counts = np.zeros((len(networks), len(numbers)), dtype=np.int64)
        for i, network in enumerate(networks):
            for layer in network.layers:
                counts[i, numbers[layer.einsum]] += layer.count
        return tuple(numbers), counts
