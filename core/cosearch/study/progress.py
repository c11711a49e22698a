"""How a running study stands: best so far, rate, time left, and a sparkline of the best."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence

from attrs import define, field

from cosearch.quantities import digits, duration, loss, percent, ratio
from cosearch.registry.registration import hookimpl
from cosearch.study.computation import changes
from cosearch.study.study import Study, Trial
from cosearch.trials.fidelity import ROUNDING, Bill
from cosearch.trials.trial import State

BLOCKS = "▁▂▃▄▅▆▇█"
"""Heights of a sparkline."""

ASCII = "_.-=+*#@"
"""The same for terminals that know no more."""


@define(eq=False)
class Pulse:
    """Follows a study as an observer; the displays ask it what to show.

    It keeps counts of its own, since a display reads them while the study goes on.

    Attributes:
        study: None before it has begun.
        counts: trials by state, stored ones included.
        best: the best whole trial so far.
        history: the least merit after each whole feasible trial.
        bill: how many whole trials those so far are worth.
        clock: when the first trial of this session ended, and what had been spent by then:
            compiling and the baseline come before it, and say nothing of the speed.
    """

    study: Study | None = None
    counts: Counter[State] = field(factory=Counter)
    best: Trial | None = None
    history: list[float] = field(factory=list)
    bill: Bill = field(factory=Bill)
    clock: tuple[float, float] | None = None

    @hookimpl
    def cosearch_study_started(self, study: Study) -> None:
        """Take in the trials that are stored already."""
        self.study, self.clock, self.best = study, None, None
        self.counts, self.history, self.bill = Counter(), [], Bill(stepwise=False)
        for trial in study.in_order:
            self._add(trial)

    @hookimpl
    def cosearch_trial_finished(self, trial: Trial) -> None:
        """Take in a trial."""
        self._add(trial)
        if self.clock is None:
            self.clock = (time.monotonic(), self.bill.total)

    def _add(self, trial: Trial) -> None:
        self.counts[trial.outcome.state] += 1
        self._charge(trial)
        if not trial.ok:
            return
        if self.best is None or trial.merit < self.best.merit:
            self.best = trial
        self.history.append(self.best.merit)

    def _charge(self, trial: Trial) -> None:
        if not trial.whole and not self.bill.stepwise and self.study is not None:
            self.bill = Bill()  # the first that is judged cheaply: what each costs hangs on others
            for before in self.study.in_order:
                if before.number < trial.number:
                    self.bill.charge(before)
        self.bill.charge(trial)

    @property
    def total(self) -> int:
        """Trials that ended, stored ones included."""
        return self.counts.total()

    @property
    def rate(self) -> float | None:
        """Whole trials a second in this session; None before the second has ended."""
        if self.clock is None:
            return None
        at, before = self.clock
        spent = self.bill.total - before
        return spent / max(time.monotonic() - at, 1e-9) if spent > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """Until the first limit of the budget is reached; None while nothing is known."""
        if self.study is None:
            return None
        budget, left = self.study.header.budget, []
        if budget.trials is not None and self.rate is not None:
            left.append((budget.trials - self.bill.total) / self.rate)
        if budget.seconds is not None:
            left.append(budget.seconds - self.study.header.seconds)
        return max(0.0, min(left)) if left else None

    @property
    def share_done(self) -> float | None:
        """Of the trials, 0 to 1; None without a limit on them."""
        if self.study is None or not self.study.header.budget.trials:
            return None
        return min(1.0, self.bill.total / self.study.header.budget.trials)

    def counted(self) -> str:
        """Return `17/50 trials`; `12.3/50 trials (41 judgements)` where some are judged cheaply."""
        limit = None if self.study is None else self.study.header.budget.trials
        spent, cheap = self.bill.total, abs(self.bill.total - self.total) > ROUNDING
        text = f"{spent:.1f}" if cheap else f"{self.total}"
        text += " trials" if limit is None else f"/{limit} trials"
        return f"{text} ({self.total} judgements)" if cheap else text

    def standing(self) -> str:
        """Return the best so far and its ratio to the baseline."""
        if self.study is None or self.best is None:
            return "no feasible design yet"
        first, value = self.study.problem.objectives[0], self.best.outcome.losses[0]
        text = f"best {first.name} {loss(value, first.unit)} (trial {self.best.number})"
        baseline = self.study.baseline
        if baseline is None or not baseline.ok or value <= 0:
            return text
        better = baseline.outcome.losses[0] / value
        if better <= 1:
            return f"{text}, not yet better than the baseline"
        changed = changes(self.study.problem, self.best.configuration)
        only = f" only with {', '.join(changed)}" if changed else ""
        return f"{text}, {ratio(better)} better than the baseline{only}"

    def speed(self) -> str:
        """Return the rate, the time left and the share of infeasible trials."""
        if not self.total:
            return "the first trial is being evaluated"
        parts = [] if self.rate is None else [f"{digits(self.rate)} trials/s"]
        if self.seconds_left is not None:
            parts.append(f"{duration(self.seconds_left)} left")
        parts.append(f"{percent(self.counts[State.INFEASIBLE] / self.total)} infeasible")
        failed = self.counts[State.FAILED]
        return ", ".join(parts + ([f"{failed} failed"] if failed else []))


def sparkline(values: Sequence[float], width: int, blocks: str = BLOCKS) -> str:
    """Return values as a row of heights, on a logarithmic scale where all are positive.

    Args:
        values: any number of finite ones; more than the width are thinned out, the last one stays.
        width: characters at most.
        blocks: characters from low to high.
    """
    if not values:
        return ""
    if len(values) > width:
        values = [values[round(i * (len(values) - 1) / (width - 1))] for i in range(width)]
    if min(values) > 0:
        values = [math.log(value) for value in values]
    low, span = min(values), max(values) - min(values)
    top = len(blocks) - 1
    return "".join(blocks[round((v - low) / span * top) if span > 0 else 0] for v in values)
