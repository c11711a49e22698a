"""The cycles of a clock-driven spiking network, counted in the state machines of Spiker.

In a time step every layer looks whether any input spiked; if so it goes through all inputs, one a
cycle, and all its neurons add the weight of an input that spiked. All layers do so at once, and a
step ends with the slowest (`multi_cycle_cu`, `multi_input_cu` and `lif_neuron_cu` that the package
spikerplus of smilies-polito/Spiker generates, commit 0a3e8170; Spiker: arXiv 2201.06993, Spiker+:
arXiv 2401.01141).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Final

from attrs import frozen

from cosearch.quantities import added

START: Final = 4
"""Cycles before the first step: the network's `init`, its layers' `init_wait`, `init`, `idle`."""
STEP: Final = 3
"""Cycles of a step in which nothing spikes: `network_update`, `sample`, `idle`."""
TURN: Final = 2
"""Cycles that a scan waits for the neurons, which leak or fire first."""


@frozen
class Stage:
    """A layer: its sizes, and how likely a time step brings it a spike.

    Attributes:
        inputs: scanned one a cycle.
        neurons: that work at once.
        stirred: share of the steps in which an input spikes; 1 where nothing is known.
        answered: share of the steps in which one of its own neurons spikes; 1 likewise.
    """

    inputs: int
    neurons: int
    stirred: float = 1.0
    answered: float = 1.0

    def lengths(self, *, inhibition: bool) -> dict[int, float]:
        """Return how likely each number of cycles of a step is.

        Args:
            inhibition: whether neurons hinder each other, so that own spikes are scanned as well.
        """
        scans = [(self.stirred, TURN + self.inputs)]
        scans += [(self.answered, TURN + self.neurons)] if inhibition else []
        chances = {STEP: 1.0}
        for likely, cycles in scans:
            both: dict[int, float] = {}
            for length, chance in chances.items():
                both[length] = both.get(length, 0.0) + chance * (1 - likely)
                both[length + cycles] = both.get(length + cycles, 0.0) + chance * likely
            chances = both
        return chances


def spoken(elements: int, density: float | None) -> float:
    """Return the share of steps with a spike among so many lines that spike by themselves.

    Args:
        elements: lines.
        density: share of line and step with a spike; None where it is not known.
    """
    return 1.0 if density is None else 1 - (1 - density) ** elements


def step_of(stages: Sequence[Stage], *, inhibition: bool) -> float:
    """Return the mean cycles of a step: of the slowest of layers that spike by themselves."""
    each = [stage.lengths(inhibition=inhibition) for stage in stages]
    lengths = sorted(set().union(*each))
    below, mean = 0.0, []
    for length in lengths:
        upto = (added(p for n, p in one.items() if n <= length) for one in each)
        reached = min(reduce(lambda a, b: a * b, upto), 1.0)
        mean.append(length * (reached - below))
        below = reached
    return added(mean)


def cycles_of(stages: Sequence[Stage], steps: int, *, inhibition: bool) -> int:
    """Return the cycles of a run of so many steps, rounded up."""
    return START + math.ceil(round(steps * step_of(stages, inhibition=inhibition), 6))


def share_of(cycles: int, scans: Sequence[int], index: int) -> int:
    """Return a layer's share of a network's cycles, by the lengths of scans; at least one.

    The shares add up to the whole unless that has fewer cycles than layers.
    """
    left, whole = max(cycles - len(scans), 0), added(scans)
    upto, before = added(scans[: index + 1]), added(scans[:index])
    return 1 + left * upto // whole - left * before // whole
