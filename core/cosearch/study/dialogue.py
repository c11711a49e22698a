"""What the engine and a strategy say to each other: asked for designs, told what they are worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError, PluginError, broken, pass_on
from cosearch.search.asked import asked_rows, checked_rows
from cosearch.search.limits import Limits
from cosearch.search.strategy import MultiFidelity, Strategy
from cosearch.study.problem import Problem
from cosearch.study.warm_start import Known
from cosearch.trials.trial import Outcome, Trial
from cosearch.typing import FloatArray, Rows

OUTSIDE = Outcome.failed("the strategy proposed a row outside the space")
"""What becomes of such a row; the strategy is not told of it."""


@frozen(eq=False)
class Asked:
    """Designs that a strategy proposes.

    Attributes:
        rows: int64[m, d].
        fidelity: float64[m] in (0, 1], to judge each row at.
    """

    rows: Rows
    fidelity: FloatArray


class Dialogue:
    """Asks and tells one strategy; whatever breaks in it is a PluginError that names it.

    Args:
        strategy: not asked yet.
        problem: of the study.
    """

    def __init__(self, strategy: Strategy, problem: Problem) -> None:
        self.strategy, self.problem = strategy, problem
        self._asked_at: dict[bytes, float] = {}
        self._limits = Limits()
        self._first = np.zeros((0, len(problem.space.names)), dtype=np.int64)
        self._alone: Asked | None = None  # the baseline, as long as nothing else was proposed

    @property
    def asks_the_strategy(self) -> bool:
        """Whether the next batch is the strategy's own, none of which it asks for again untold."""
        return not len(self._first)

    def ask(self) -> Asked:
        """Return the next batch: what is promising elsewhere, then what the strategy asks for.

        Where that is nothing from the start, as in a space of one design, the baseline is it.
        """
        asked, alone = self._next(), self._alone
        self._alone = None
        return asked if len(asked.rows) or alone is None else alone

    def _next(self) -> Asked:
        spec, space = self.problem.spec, self.problem.space
        if len(self._first):
            rows, self._first = self._first[: spec.batch], self._first[spec.batch :]
            return Asked(rows, np.ones(len(rows)))
        with self._blamed("ask"):
            if not isinstance(self.strategy, MultiFidelity):
                rows = asked_rows(self.strategy, spec.batch, space, spec.strategy)
                return Asked(rows, np.ones(len(rows)))
            said, levels = self.strategy.ask_at(spec.batch)
            rows = checked_rows(said, spec.batch, space, spec.strategy, self.strategy)
            fidelity = np.asarray(levels, dtype=np.float64)
        if fidelity.shape != (len(rows),) or not ((fidelity > 0) & (fidelity <= 1)).all():
            raise PluginError(
                f"strategy {spec.strategy!r} broke its contract: ask_at gave {len(rows)} rows and "
                f"the fidelities {fidelity.tolist()}, not one in (0, 1] for each"
            )
        self._refuse_standing_still(rows, fidelity)
        return Asked(rows, fidelity)

    def _refuse_standing_still(self, rows: Rows, fidelity: FloatArray) -> None:
        """Raise PluginError for a row asked again no dearer: it costs nothing, and so for ever."""
        for row, level in zip(rows, fidelity.tolist(), strict=True):
            before = self._asked_at.get(row.tobytes(), 0.0)
            if level <= before:
                raise PluginError(
                    f"strategy {self.problem.spec.strategy!r} broke its contract: it asks for the "
                    f"row {row.tolist()} at fidelity {level:g}, after {before:g}"
                )
            self._asked_at[row.tobytes()] = level

    def tell(self, asked: Asked, trials: Sequence[Trial]) -> None:
        """Tell what came of a batch; of rows outside the space nothing is told."""
        inside = [i for i, trial in enumerate(trials) if trial.outcome != OUTSIDE]
        outcomes = [trials[i].outcome for i in inside]
        m = len(self.problem.objectives)
        lost = (np.inf,) * m
        losses = np.array([o.losses if o.ok else lost for o in outcomes]).reshape(-1, m)
        feasible = np.array([o.ok for o in outcomes], dtype=bool)
        missed = self._limits.table([o.violations for o in outcomes])
        rows, fidelity = asked.rows[inside], asked.fidelity[inside]
        with self._blamed("tell"):
            if isinstance(self.strategy, MultiFidelity):
                self.strategy.tell_at(rows, losses, feasible, fidelity, missed)
            else:
                self.strategy.tell(rows, losses, feasible, missed)

    def tell_baseline(self, baseline: Trial | None) -> None:
        """Let the strategy start from the baseline, where that is in its space."""
        row = None if baseline is None else self.problem.row_told(baseline)
        if row is not None and baseline is not None:
            self._alone = Asked(row[None, :], np.ones(1))
            self.tell(self._alone, [baseline])

    def tell_known(self, known: Known | None) -> None:
        """Tell another study's trials; of another workload, have the best designs tried first.

        Losses of another workload are off by orders of magnitude, and a design that is told is not
        asked for again.
        """
        if known is not None and known.elsewhere:
            open_ones = self.strategy.space.feasible(known.promising)
            self._first = known.promising[open_ones]
        elif known is not None and len(known.rows):
            with self._blamed("tell"):
                known.tell(self.strategy, self._limits)

    @contextmanager
    def _blamed(self, verb: str) -> Iterator[None]:
        try:
            yield
        except CosearchError:
            raise
        except BaseException as error:
            pass_on(error)
            name = self.problem.spec.strategy
            raise broken("strategy", name, verb, error, self.strategy) from error
