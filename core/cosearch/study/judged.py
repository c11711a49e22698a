"""Which trial answers for a design: each is evaluated once at each fidelity."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cosearch.trials.trial import Trial
from cosearch.typing import Value

DesignKey: TypeAlias = frozenset[tuple[str, Value]]


class Judged:
    """The first trial of each design and fidelity; of a trial its number alone is kept.

    Args:
        trial: returns the trial of a number.
    """

    def __init__(self, trial: Callable[[int], Trial | None]) -> None:
        self._trial = trial
        self._numbers: dict[int, int] = {}  # by a hash, which unlike designs may share
        self._sharing: dict[tuple[DesignKey, float], int] = {}

    def add(self, trial: Trial) -> None:
        """Take in a trial; one of the same design and fidelity before it stays the answer."""
        design = trial.design
        first = self._numbers.setdefault(hash((design, trial.fidelity)), trial.number)
        if first != trial.number and self.find(design, trial.fidelity) is None:
            self._sharing[design, trial.fidelity] = trial.number

    def find(self, design: DesignKey, fidelity: float) -> Trial | None:
        """Return the trial that answers for a design; None where there is none."""
        number = self._numbers.get(hash((design, fidelity)))
        if number is None:
            return None
        found = self._trial(number)
        if found is None or (found.design, found.fidelity) != (design, fidelity):
            other = self._sharing.get((design, fidelity))
            return None if other is None else self._trial(other)
        return found
