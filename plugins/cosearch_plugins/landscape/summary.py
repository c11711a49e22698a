"""What a joint table says at one accuracy floor: machine alone, network alone, both."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen

from cosearch.typing import Value
from cosearch.workload.network import NetworkSpace
from cosearch_plugins.landscape.table import JointTable


@frozen
class Summary:
    """The exact optima at one floor.

    Attributes:
        floor: least accuracy in per cent; None is none.
        networks: that are accurate enough.
        classes: of equal cost that have one.
        default: the baseline machine with the baseline network; None where it is not in the table.
        hardware: the best machine with the baseline network.
        network: the baseline machine with the best network that is accurate enough.
        both: the best pair.
        one_after_other: that network with the best machine for it.
        configuration: of the best pair.
        accuracy: of its network.
        accuracy_is: measured, predicted or estimated, and what is to be said of that.
        area_ratio: its area over the baseline machine's.
    """

    floor: float | None
    networks: int
    classes: int
    default: float | None
    hardware: float | None
    network: float | None
    both: float | None
    one_after_other: float | None
    configuration: Mapping[str, Value]
    accuracy: float
    accuracy_is: str
    area_ratio: float

    def ratio(self, loss: float | None) -> float | None:
        """Return the default's loss over another's; above 1 is better."""
        return None if self.default is None or not loss else self.default / loss


def summary_of(table: JointTable, floor: float | None = None) -> Summary:
    """Return the optima of a joint table at a floor."""
    every = table.classes
    kept = np.flatnonzero(every.accuracy >= (-np.inf if floor is None else floor))
    allowed = every.only(kept)
    base = _baseline_class(table)
    default, machine = None, table.number(table.problem.baseline)
    network = after = None
    if machine is not None:
        default = _finite(table.losses(np.array([machine]), every.only(np.array([base])))[0, 0])
    if machine is not None and len(allowed):
        on_default = table.losses(np.array([machine]), allowed)[0]
        network = _finite(on_default.min())
        following = table.best(allowed.only(np.array([int(on_default.argmin())])))
        after = following.loss if following and network is not None else None
    best = table.best(allowed) if len(allowed) else None
    alone = table.best(every.only(np.array([base])))
    return Summary(
        floor,
        _accurate(table, floor),
        len(allowed),
        default,
        alone.loss if alone else None,
        network,
        best.loss if best else None,
        after,
        table.configuration(best, allowed) if best else {},
        float(allowed.accuracy[best.network]) if best else float("nan"),
        _space(table).remark(allowed.rows[best.network]) if best else "",
        _area_ratio(table, machine, best.machine) if best else float("nan"),
    )


def front_of(table: JointTable) -> list[tuple[float, float]]:
    """Return the exact front of accuracy against cost, as (accuracy, loss), most accurate first."""
    least, classes = table.best_of_each(), table.classes
    front: list[tuple[float, float]] = []
    for k in np.lexsort((least, -classes.accuracy)).tolist():
        if np.isfinite(least[k]) and (not front or least[k] < front[-1][1]):
            front.append((float(classes.accuracy[k]), float(least[k])))
    return front


def _space(table: JointTable) -> NetworkSpace:
    if table.problem.networks is None:
        raise TypeError("a joint table is of a space of networks")
    return table.problem.networks


def _accurate(table: JointTable, floor: float | None) -> int:
    """Return how many networks are accurate enough: of a class, not all need be."""
    if floor is None:
        return int(table.classes.members.sum())
    networks = _space(table)
    rows = networks.space.unrank(np.arange(networks.space.size))
    accuracy = networks.accuracy(rows[networks.space.feasible(rows)])
    return int((accuracy >= floor).sum())


def _baseline_class(table: JointTable) -> int:
    """Return the number of the class that the baseline network is in."""
    networks = _space(table)
    row = networks.space.index(networks.baseline)
    layers, counts = networks.counts(row[None, :])
    place: dict[object, int] = dict(zip(layers, counts[0].tolist(), strict=True))
    mine = [place.get(einsum, 0) for einsum in table.classes.layers]
    return int(np.flatnonzero((table.classes.counts == mine).all(axis=1))[0])


def _area_ratio(table: JointTable, default: int | None, machine: int) -> float:
    area = float(table.area_mm2[machine])
    return area / float(table.area_mm2[default]) if default is not None else float("nan")


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
