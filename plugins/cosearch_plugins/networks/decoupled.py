"""Semi-decoupled search against exhaustion: when the networks of one device serve another.

Of Lu, Yan, Shi and Ren (arXiv 2203.13921): the networks that are Pareto-optimal on a proxy are all
that is tried elsewhere. Here every network is known on every device, so what that loses is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.typing import FloatArray
from cosearch.workload.network import NetworkSpace
from cosearch_plugins.landscape.table import AT_ONCE, JointTable
from cosearch_plugins.networks.columns import Networks, chosen_rows
from cosearch_plugins.schemes.semi_decoupled_networks import correlation, kept_networks


@frozen
class Verdict:
    """One proxy, one target and one floor.

    Attributes:
        proxy, target: names of devices, or of machines.
        floor: least accuracy in per cent; None is none.
        networks: that are known on both.
        kept: Pareto-optimal ones on the proxy.
        rank: Spearman's correlation of all networks' costs between both.
        best: least cost of all networks that are accurate enough.
        found: least cost of those kept; infinite where none is accurate enough.
    """

    proxy: str
    target: str
    floor: float | None
    networks: int
    kept: int
    rank: float
    best: float
    found: float

    @property
    def loss(self) -> float:
        """How much dearer than the optimum what was found is; 0 is none."""
        return self.found / self.best - 1.0


def between_devices(
    space: NetworkSpace, devices: Sequence[str], floors: Sequence[float | None]
) -> list[Verdict]:
    """Return a verdict for each ordered pair of different devices and each floor.

    Args:
        space: with the devices' latencies or throughputs (`..._fps`) as scores.
        devices: at least two scores.
        floors: of the accuracy.

    Raises:
        CosearchError: fewer than two devices.
    """
    if len(devices) < 2:
        raise CosearchError("two devices are compared at least: --device A --device B")
    networks = Networks.of(space, chosen_rows(space, None, 0, ()))
    costs = {name: _cost(networks, name) for name in devices}
    known = np.isfinite(np.stack(list(costs.values()))).all(axis=0)
    accuracy = networks.column("accuracy")[known]
    found = []
    for proxy in devices:
        here = costs[proxy][known]
        kept = kept_networks(accuracy, here)
        for target in devices:
            if target != proxy:
                there = costs[target][known]
                found += [_verdict(proxy, target, f, accuracy, here, there, kept) for f in floors]
    return found


def on_machines(table: JointTable, floors: Sequence[float | None]) -> list[Verdict]:
    """Return what the baseline machine's Pareto networks lose over all machines of a family.

    The rank correlation of the verdict is the least between the baseline and any machine that runs
    every network.
    """
    classes, machine = table.classes, table.number(table.problem.baseline)
    if machine is None:
        raise CosearchError("the baseline machine cannot be built, and is needed as a proxy")
    at = np.array([machine])
    energy, cycles = classes.sums(table.energy_pj[at])[0], classes.sums(table.cycles[at])[0]
    kept = kept_networks(classes.accuracy, energy, cycles)
    here, least = table.losses(at, classes)[0], 1.0
    for first in range(0, table.machines, AT_ONCE):
        losses = table.losses(slice(first, first + AT_ONCE), classes)
        distinct = np.unique(losses[np.isfinite(losses).all(axis=1)], axis=0)
        least = min([least, *(correlation(here, there) for there in distinct)])
    found = []
    for floor in floors:
        enough = classes.accuracy >= (-np.inf if floor is None else floor)
        best = table.best(classes.only(np.flatnonzero(enough)))
        mine = table.best(classes.only(kept[enough[kept]]))
        if best is not None:
            lost = np.inf if mine is None else mine.loss
            family = f"{table.machines:,} machines"
            n = int(classes.members.sum())
            found.append(Verdict("baseline", family, floor, n, len(kept), least, best.loss, lost))
    return found


def _cost(networks: Networks, name: str) -> FloatArray:
    column = networks.column(name)
    return 1.0 / column if name.endswith("_fps") else column


def _verdict(
    proxy: str,
    target: str,
    floor: float | None,
    accuracy: FloatArray,
    here: FloatArray,
    there: FloatArray,
    kept: np.ndarray,
) -> Verdict:
    enough = accuracy >= (-np.inf if floor is None else floor)
    mine = np.zeros(len(accuracy), dtype=bool)
    mine[kept] = True
    best, found = (float(there[enough & chosen].min(initial=np.inf)) for chosen in (True, mine))
    if not np.isfinite(best):
        raise CosearchError(f"no network has an accuracy of {floor} % or more")
    rank = correlation(here, there)
    return Verdict(proxy, target, floor, len(accuracy), len(kept), rank, best, found)
