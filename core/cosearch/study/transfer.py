"""Warm start: what one study found, told to the strategy of another on the same space."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError, InputError, UnknownNameError
from cosearch.search.limits import Limits
from cosearch.search.parameters import ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.trials.trial import Outcome, State, Trial
from cosearch.typing import BoolArray, FloatArray, Rows


@frozen(eq=False)
class Known:
    """Trials as a strategy is told of them.

    Attributes:
        rows: int64[n, d], no row twice.
        losses: float64[n, m]; infinite where not feasible.
        feasible: bool[n].
        violations: by how much each of the n misses its limits, by name.
        skipped: trials left out: broken down, repeated, judged below full fidelity, or outside
            the space.
    """

    rows: Rows
    losses: FloatArray
    feasible: BoolArray
    violations: tuple[Mapping[str, float], ...]
    skipped: int

    @classmethod
    def of(cls, trials: Iterable[Trial], space: ParameterSpace) -> Known:
        """Find the trials' designs, by name and value, in a space that may have changed.

        Args:
            trials: of studies with the same objectives, in any order.
            space: of the strategy to be told; a trial that it has no row for is skipped.

        Raises:
            CosearchError: the trials have different numbers of losses.
        """
        found: dict[bytes, tuple[Rows, Outcome]] = {}
        trials = list(trials)
        for trial in trials:
            row = _row(trial, space)
            if row is not None:
                found.setdefault(row.tobytes(), (row, trial.outcome))
        widths = {len(trial.outcome.losses) for trial in trials if trial.ok}
        if len(widths) > 1:
            raise CosearchError("the trials are of studies with different numbers of objectives")
        m = widths.pop() if widths else 1
        rows = [row for row, _ in found.values()]
        outcomes = [outcome for _, outcome in found.values()]
        losses = [outcome.losses if outcome.ok else (np.inf,) * m for outcome in outcomes]
        return cls(
            np.array(rows, dtype=np.int64).reshape(len(rows), len(space.names)),
            np.array(losses, dtype=np.float64).reshape(len(rows), m),
            np.array([outcome.ok for outcome in outcomes], dtype=bool),
            tuple(outcome.violations for outcome in outcomes),
            len(trials) - len(rows),
        )

    def tell(self, strategy: Strategy, limits: Limits | None = None) -> None:
        """Tell a strategy, before its first ask.

        Args:
            strategy: to be told.
            limits: the columns of violations, where more will be told; new ones are added.
        """
        missed = (limits or Limits()).table(self.violations)
        strategy.tell(self.rows, self.losses, self.feasible, missed)


def _row(trial: Trial, space: ParameterSpace) -> Rows | None:
    """Return the trial's row, int64[d], or None if it is no whole result or not in the space."""
    if (
        not trial.whole
        or trial.outcome.state is State.FAILED
        or set(trial.configuration) != set(space.names)
    ):
        return None
    try:
        return space.index(trial.configuration)
    except (InputError, UnknownNameError, ValueError):
        return None
