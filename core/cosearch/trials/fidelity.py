"""Cheap judgements of a design: some layers of the network in place of all, and what they cost.

A fidelity is a share of the network's unique layers, those with the most multiplications over a
run first. What is mapped at a low fidelity is mapped at every higher one, so going up pays only
for the rest. Energy and cycles of the whole are estimated by the share of the multiplications.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from cosearch.quantities import added
from cosearch.trials.trial import Outcome, Trial
from cosearch.typing import Value
from cosearch.workload.network import Layer, Network

WHOLE = 1.0
"""Every layer is judged."""

ROUNDING = 1e-9
"""By how much sums of shares may be off: shares are fractions of the number of layers."""


def layers_at(network: Network, fidelity: float) -> tuple[Layer, ...]:
    """Return the unique layers judged at a fidelity, in order of execution.

    The nearest number to the share asked for, at least one; of layers with equally many
    multiplications the earlier ones.
    """
    unique = network.unique
    if fidelity >= WHOLE:
        return unique
    heaviest = sorted(range(len(unique)), key=lambda i: (-_macs(unique[i]), i))
    judged = set(heaviest[: _number(len(unique), fidelity)])
    return tuple(layer for i, layer in enumerate(unique) if i in judged)


def attained(network: Network, fidelity: float) -> float:
    """Return the share of the unique layers that a fidelity asked for comes to."""
    if fidelity >= WHOLE:
        return WHOLE
    n = len(network.unique)
    return _number(n, fidelity) / n


def scale(network: Network, judged: Iterable[Layer]) -> float:
    """Return by what to multiply the energy and the cycles of some layers for those of all."""
    macs = added(map(_macs, judged))
    return network.macs / macs if macs else 1.0


def _macs(layer: Layer) -> int:
    return layer.einsum.macs * layer.count


def _number(layers: int, fidelity: float) -> int:
    return min(layers, max(1, round(fidelity * layers)))


def spoken_for(fidelity: float, outcome: Outcome) -> float:
    """Return the fidelity that an outcome holds at: a design refused outright is refused at all.

    Whether it cannot be built, breaks a limit known before mapping or has a layer that fits
    nowhere does not depend on how many other layers are looked at.
    """
    return fidelity if "energy_pj" in outcome.metrics else WHOLE


class Bill:
    """Counts trials so that a design judged step by step costs what one judged at once does.

    A trial costs the share of the layers that no earlier trial of its design was charged for; a
    design refused outright costs a whole trial, and so does a whole trial repeated, as ever.
    """

    def __init__(self, before: Bill | None = None, *, stepwise: bool = True) -> None:
        """Begin a bill: an empty one, or one that goes on from another and leaves it as it is.

        Args:
            before: goes on from that.
            stepwise: whether some trials may be below full fidelity; where none is, each costs one
                and nothing of it is kept.
        """
        self.paid: dict[frozenset[tuple[str, Value]], float] = {}
        self.total, self.stepwise = 0.0, stepwise
        if before is not None:
            self.paid, self.total = dict(before.paid), before.total

    def price(self, trial: Trial, fidelity: float) -> float:
        """Return what a trial costs if its outcome holds at a fidelity."""
        if not self.stepwise:
            return WHOLE
        paid = self.paid.get(trial.design, 0.0)
        return WHOLE if paid == fidelity == WHOLE else max(fidelity - paid, 0.0)

    def charge(self, trial: Trial, fidelity: float | None = None) -> float:
        """Add a trial, in the order of numbers, and return what it costs.

        Args:
            trial: of the strategy, not the baseline.
            fidelity: to charge it at; the trial's own if None.
        """
        level = trial.fidelity if fidelity is None else fidelity
        cost = self.price(trial, level)
        if self.stepwise:
            self.paid[trial.design] = max(level, self.paid.get(trial.design, 0.0))
        self.total += cost
        return cost


def spent(trials: Iterable[Trial]) -> list[float]:
    """Return the whole trials spent up to and with each trial, given in the order of numbers."""
    trials = list(trials)
    if all(trial.whole for trial in trials):
        return [float(number) for number in range(1, len(trials) + 1)]
    bill = Bill()
    totals = []
    for trial in trials:
        bill.charge(trial)
        totals.append(bill.total)
    return totals


def by_whole_trial(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Return trials in groups, the n-th of which ends with the n-th whole trial spent.

    Where everything is judged in full, each trial is a group: so contenders that judge cheaply and
    contenders that do not are compared trial by trial.

    Args:
        trials: of the strategy, in the order of numbers.
    """
    groups: list[list[Trial]] = []
    for trial, total in zip(trials, spent(trials), strict=True):
        while len(groups) < max(1, math.ceil(total - ROUNDING)):
            groups.append([])
        groups[-1].append(trial)
    return groups
