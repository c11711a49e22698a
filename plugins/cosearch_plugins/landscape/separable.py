"""Spaces of networks too large to enumerate whose networks are sums of independent parts.

A part is some columns and the layers whose names begin with its prefix; which layers those are
hangs on its columns alone. Where the accuracy is a function of such a sum too (a fitted model, see
`cosearch_plugins.workloads.fitted_accuracy`), the cheapest network that is accurate enough is a
knapsack with one choice for each group of parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.typing import FloatArray, IntArray, Rows
from cosearch.workload.einsum import Einsum
from cosearch.workload.network import Network, NetworkSpace
from cosearch_plugins.workloads.fitted_accuracy import FittedAccuracy
from cosearch_plugins.workloads.searched_space import Part, SearchedSpace

CHECKED = 3
"""Networks that are built to see that they are the sums of their parts."""


@frozen(eq=False)
class Group:
    """Parts that a rule ties together, or one part.

    Attributes:
        columns: int64[k], of the space.
        choices: int64[c, k]: what may stand in them.
        counts: int64[c, l]: how often each layer runs.
        lacking: float64[c]: what each choice adds to the logarithm of what lacks to the ceiling.
    """

    columns: IntArray
    choices: Rows
    counts: IntArray
    lacking: FloatArray


@frozen(eq=False)
class Separable:
    """A space as sums over groups.

    Attributes:
        networks: the space.
        layers: all that any of its networks runs.
        always: int64[l]: how often every network runs each.
        groups: one choice of each makes a network.
        model: of the accuracy.
    """

    networks: SearchedSpace
    layers: tuple[Einsum, ...]
    always: IntArray
    groups: tuple[Group, ...]
    model: FittedAccuracy

    @classmethod
    def of(cls, networks: NetworkSpace | None) -> Separable:
        """Return a space's parts; a few networks are built for it.

        Raises:
            CosearchError: the space states no parts, has measured accuracies, or some network is
                not the sum of its parts.
        """
        if not isinstance(networks, SearchedSpace) or not networks.parts:
            raise CosearchError("this space of networks does not say of which parts they are sums")
        if networks.measured is not None:
            raise CosearchError(
                "accuracies of a table are no sums over the parts of a network",
                "leave table=FILE out: predicted accuracies are",
            )
        found = _Parts(networks)
        layers = tuple(found.numbers)
        groups = tuple(_group(networks, found, members) for members in networks.tied)
        mine = cls(networks, layers, found.row_of(found.always), groups, networks.model)
        mine.check(networks.space.sample_feasible(CHECKED, np.random.default_rng(0))[0])
        return mine

    def check(self, rows: Rows) -> None:
        """Raise CosearchError where a network, of rows int64[n, d], is not the sum of its parts."""
        layers, counts = self.networks.counts(rows)
        place = {einsum: i for i, einsum in enumerate(layers)}
        for row, expected in zip(rows, counts, strict=True):
            mine = self.counts_of(row)
            told = [expected[place[e]] if e in place else 0 for e in self.layers]
            if mine.tolist() != told or not set(layers) <= {*self.layers}:
                raise CosearchError("a network of this space is not the sum of its parts")

    def counts_of(self, row: Rows) -> IntArray:
        """Return how often a network, int64[d], runs each layer, int64[l]."""
        total = self.always.copy()
        for group in self.groups:
            at = (group.choices == row[group.columns]).all(axis=1)
            total += group.counts[at][0]
        return total


class _Parts:
    """What each choice of each part runs, by building networks that take all k-th choices."""

    def __init__(self, networks: SearchedSpace) -> None:
        self.numbers: dict[Einsum, int] = {}
        self.always: dict[Einsum, int] = {}
        space = networks.space
        cards = space.cardinalities
        names = space.names
        self.columns = [[names.index(c) for c in part.columns] for part in networks.parts]
        self.choices = [
            np.array(list(product(*(range(int(cards[j])) for j in columns))), dtype=np.int64)
            for columns in self.columns
        ]
        self.runs: list[list[dict[Einsum, int]]] = [[] for _ in networks.parts]
        for k in range(max(len(choices) for choices in self.choices)):
            row = np.zeros(len(names), dtype=np.int64)
            for columns, choices in zip(self.columns, self.choices, strict=True):
                row[columns] = choices[min(k, len(choices) - 1)]
            self._read(networks.build(row), networks.parts, k)

    def _read(self, network: Network, parts: Sequence[Part], k: int) -> None:
        held: list[dict[Einsum, int]] = [{} for _ in parts]
        fixed: dict[Einsum, int] = {}
        for layer in network.layers:
            self.numbers.setdefault(layer.einsum, len(self.numbers))
            whose = [i for i, part in enumerate(parts) if layer.name.startswith(part.prefix)]
            into = held[whose[0]] if whose else fixed
            into[layer.einsum] = into.get(layer.einsum, 0) + layer.count
        for i, runs in enumerate(held):
            if k < len(self.choices[i]):
                self.runs[i].append(runs)
        self.always = fixed

    def row_of(self, runs: dict[Einsum, int]) -> IntArray:
        """Return counts by number, int64[l]."""
        row = np.zeros(len(self.numbers), dtype=np.int64)
        for einsum, count in runs.items():
            row[self.numbers[einsum]] = count
        return row


def _group(networks: SearchedSpace, found: _Parts, members: Sequence[int]) -> Group:
    """Return the choices of some parts together that the space's rules allow."""
    columns = np.concatenate([np.array(found.columns[i]) for i in members])
    picks = list(product(*(range(len(found.choices[i])) for i in members)))
    rows = np.tile(networks.space.index(networks.baseline), (len(picks), 1))
    rows[:, columns] = [
        np.concatenate([found.choices[i][k] for i, k in zip(members, pick, strict=True)])
        for pick in picks
    ]
    allowed = networks.space.feasible(rows)
    rows = rows[allowed]
    kept = [pick for pick, ok in zip(picks, allowed.tolist(), strict=True) if ok]
    counts = np.zeros((len(kept), len(found.numbers)), dtype=np.int64)
    for position, i in enumerate(members):
        of_part = np.stack([found.row_of(runs) for runs in found.runs[i]])
        counts += of_part[[pick[position] for pick in kept]]
    lacking = networks.model.weights[columns, rows[:, columns]].sum(axis=1)
    return Group(columns, rows[:, columns], counts, lacking)
