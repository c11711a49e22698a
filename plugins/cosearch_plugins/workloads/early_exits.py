"""A network with early exits, as a space: which exit answers, or which exits are built.

An exit is a head behind a layer: global average pooling and one fully connected layer. What each
exit's accuracy is takes training to know, so it is the user's: a table or values, never a guess.
`answer` is the choice of SAC-d (arXiv 2201.02968): the network ends at one exit. `anytime` is the
setting of MS-RANAS (arXiv 2009.13940): every exit that is built runs, and the sooner an answer is
there the better. Of both papers the abstracts are known; the score is defined here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np
from attrs import evolve, frozen

from cosearch.errors import InputError, UnknownNameError, near_names
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import FloatArray, Rows
from cosearch.workload.dataflow import Dataflow, Step
from cosearch.workload.einsum import Einsum, conv
from cosearch.workload.elementwise import AVERAGE, POOLING, pool
from cosearch.workload.link import extent
from cosearch.workload.network import MEASURED, Layer, Network, NetworkSpace, Workload
from cosearch_plugins.workloads.alexnet import AlexNet
from cosearch_plugins.workloads.measured_table import TABLE, read_measured

ANSWER, ANYTIME = "answer", "anytime"
END = "end"
"""The network's own last layer, which needs no head."""


@frozen
class Exit:
    """Where a network may answer.

    Attributes:
        after: name of the layer it reads, or `end`.
        accuracy: of its answers in per cent; NaN where it is not known.
    """

    after: str
    accuracy: float = math.nan


class EarlyExits(NetworkSpace):
    """One network with exits.

    Args:
        network: whose layers run, in the order in which they stand.
        mode: `answer` ends the network at one exit; `anytime` builds some exits and runs all.
        classes: to tell apart at an exit.
        table: file with columns `after` (a layer, or `end`) and `accuracy` in per cent; without one
            there is an exit behind each pooling layer and no accuracy is known.
        exits: instead of a table.

    Raises:
        InputError: an exit is behind no layer, or twice, or its accuracy is no percentage.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("network", ("alexnet",), free=True, doc="whose layers", plugin="workloads"),
            Parameter("mode", (ANSWER, ANYTIME), doc="one exit answers, or all that are built"),
            Parameter("classes", (2, 1_000_000), 1000, doc="to tell apart", free=True),
            TABLE,
        )
    )
    accuracy_is = MEASURED
    scores = (ANYTIME,)

    def __init__(
        self,
        network: Workload | None = None,
        mode: str = ANSWER,
        classes: int = 1000,
        table: str = "",
        exits: Sequence[Exit] = (),
    ) -> None:
        self.original = (network or AlexNet()).network()
        self.mode, self.classes = mode, classes
        given = _read(table) if table else tuple(exits)
        self.accuracy_note = "as the user states it of each exit" if given else _UNKNOWN
        self.exits = self._ordered(table or "exits", given or self._behind_pools())

    def _behind_pools(self) -> tuple[Exit, ...]:
        pools = [x.name for x in self.original.layers[:-1] if x.einsum.operation in POOLING]
        return tuple(Exit(name) for name in (*pools, END))

    def _ordered(self, source: str, exits: Sequence[Exit]) -> tuple[Exit, ...]:
        names = [layer.name for layer in self.original.layers]
        after = [x.after for x in exits]
        problems = [
            f"no layer is named {name!r}; {near_names(name, [*names, END])}"
            for name in after
            if name not in names and name != END
        ]
        problems += [f"{name!r} is there twice" for name in set(after) if after.count(name) > 1]
        problems += [
            f"the accuracy behind {x.after!r} is {x.accuracy:g}, no percentage"
            for x in exits
            if not (math.isnan(x.accuracy) or 0 <= x.accuracy <= 100)
        ]
        if problems:
            raise InputError(source, problems)
        return tuple(sorted(exits, key=self._place))

    def _place(self, at: Exit) -> int:
        """Return how many layers run before an exit's head; the end is behind all."""
        names = [layer.name for layer in self.original.layers]
        return len(names) + 1 if at.after == END else names.index(at.after) + 1

    @cached_property
    def space(self) -> ParameterSpace:
        """The exit that answers; or of each but the last, whether it is built."""
        if self.mode == ANSWER:
            names = tuple(x.after for x in self.exits)
            return ParameterSpace(
                (Parameter("exit", names, names[-1], doc="behind which layer it answers"),)
            )
        return ParameterSpace(
            tuple(
                Parameter(f"exit.{x.after}", (False, True), doc=f"an exit behind {x.after}")
                for x in self.exits[:-1]
            )
            or (Parameter("exit", (self.exits[-1].after,), doc="the only one"),)
        )

    def _built(self, row: Rows) -> list[Exit]:
        """Return the exits of a row, int64[d], in order."""
        if self.mode == ANSWER:
            return [self.exits[int(row[0])]]
        early = zip(self.exits[:-1], row, strict=False)
        return [x for x, chosen in early if chosen] + [self.exits[-1]]

    def build(self, row: Rows) -> Network:
        """Return the layers up to the last exit, each exit's head behind the layer it reads."""
        built = self._built(row)
        trunk = self.original.layers[: self._place(built[-1])]
        heads = {x.after: self._head(x.after) for x in built if x.after != END}
        layers: list[Layer] = []
        for layer in trunk:
            layers += [layer, *heads.get(layer.name, ())]
        whole = built[-1].after == END and len(built) == 1
        return evolve(
            self.original,
            name=f"{self.original.name} to {', '.join(x.after for x in built)}",
            layers=tuple(layers),
            unmodelled=self.original.unmodelled,
            parameters=self.original.parameters if whole else None,
            links=tuple(x for x in self.original.links if x.consumer < len(trunk))
            if len(built) == 1
            else (),
            dataflow=self._dataflow(len(trunk), heads),
        )

    def _head(self, after: str) -> tuple[Layer, Layer]:
        """Return the mean of each channel of a layer's output, and the classifier."""
        einsum = self.original.layer(after).einsum
        samples, channels, width, height = _shape(einsum)
        mean = pool(
            f"{after}.exit.mean", AVERAGE, N=samples, C=channels, P=1, Q=1, R=width, S=height
        )
        classifier = conv(f"{after}.exit.fc", N=samples, K=self.classes, C=channels, P=1, Q=1)
        return Layer(mean), Layer(classifier)

    def _dataflow(self, trunk: int, heads: dict[str, tuple[Layer, Layer]]) -> Dataflow | None:
        """Return the steps up to the last exit and those of the heads; None where not known."""
        flow = self.original.dataflow
        names = {layer.name for layer in self.original.layers[trunk:]}
        if flow is None:
            return None
        words, steps, results = list(flow.words), list[Step](), list[int]()
        for step in flow.steps:
            if step.name in names:
                break
            steps.append(step)
            if step.name in heads:
                read = step.writes[0]
                for layer in heads[step.name]:
                    words.append(layer.einsum.words(layer.einsum.output))
                    steps.append(Step(layer.name, (read,), (len(words) - 1,)))
                    read = len(words) - 1
                results.append(read)
        whole = trunk == len(self.original.layers) and len(results) < len(heads) + 1
        results += flow.results if whole else ()
        return Dataflow(tuple(words), tuple(steps), frozenset(results))

    def accuracy(self, rows: Rows) -> FloatArray:
        """Return the accuracy of the last exit that is built, float64[n]; NaN if not known."""
        return np.array([self._built(row)[-1].accuracy for row in rows], dtype=np.float64)

    def score(self, name: str, rows: Rows) -> FloatArray:
        """Return `anytime`: the accuracy to be had, in the mean over budgets of computation.

        Budgets are even from nothing to the multiply-accumulates of the network with every exit; at
        each one the best answer that is there counts, and 0 before the first one.

        Args:
            name: `anytime`.
            rows: int64[n, d].
        """
        if name != ANYTIME:
            raise UnknownNameError("score", name, self.scores)
        return np.array([self._anytime(self._built(row)) for row in rows])

    def _anytime(self, built: Sequence[Exit]) -> float:
        whole = sum(self._macs(x) for x in self.exits) + self._trunk(self.exits[-1])
        best, area, heads, last = 0.0, 0.0, 0, 0.0
        for x in built:
            heads += self._macs(x)
            at = (self._trunk(x) + heads) / whole
            area, last = area + best * (at - last), at
            best = max(best, x.accuracy)
        return (
            area + best * (1 - last) if not any(math.isnan(x.accuracy) for x in built) else math.nan
        )

    def _macs(self, at: Exit) -> int:
        """Return the multiply-accumulates of an exit's head."""
        return 0 if at.after == END else sum(x.einsum.macs for x in self._head(at.after))

    def _trunk(self, at: Exit) -> int:
        """Return the multiply-accumulates before an exit."""
        return sum(x.einsum.macs * x.count for x in self.original.layers[: self._place(at)])


_UNKNOWN = "no accuracy of exits is known without a table of them"


def _shape(einsum: Einsum) -> tuple[int, int, int, int]:
    """Return samples, channels, width and height of what a layer of an image network writes."""
    lengths = [extent(einsum, axis) for axis in einsum.output.axes]
    dims = [dict(axis.terms) for axis in einsum.output.axes]
    if len(lengths) < 4 or "P" not in dims[-2] or "Q" not in dims[-1] or "N" not in dims[0]:
        raise InputError(einsum.name, ["writes no image, which an exit would read"])
    return lengths[0], math.prod(lengths[1:-2]), lengths[-2], lengths[-1]


def _read(path: str) -> tuple[Exit, ...]:
    table = read_measured(path)
    accuracies = table.numbers("accuracy")
    exits = tuple(
        Exit(name, float(a)) for name, a in zip(table.texts("after"), accuracies, strict=True)
    )
    table.refuse([] if exits else ["has no exit"])
    return exits
