"""Several objectives: what each run's designs dominate, and the best front known of each case.

The reference point of a case lies 10 % beyond the worst of the best front known, that of all runs
of all contenders together; it is the same for all of them. A run's loss after a trial is one over
the share of the box between zero and that point that its designs so far dominate: less is better,
and a ratio of two losses is the ratio of two hypervolumes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import evolve, frozen

from cosearch.compare.contest import Case
from cosearch.compare.outcome import Result, RunOutcome
from cosearch.quantities import digits, percent
from cosearch.search.hypervolume import dominated_share, reference_point
from cosearch.search.objective import pareto_front
from cosearch.typing import FloatArray


@frozen(eq=False)
class Member:
    """A design on the best front known of a case.

    Attributes:
        losses: one an objective.
        run: that found it first.
        trial: its number there.
    """

    losses: tuple[float, ...]
    run: RunOutcome
    trial: int


@frozen(eq=False)
class KnownFront:
    """What all runs of a case found together.

    Attributes:
        case: the problem.
        members: designs that no other dominates, by the first loss; equal losses once.
        reference: float64[m].
        share: of the box between zero and the reference point that the members dominate.
    """

    case: Case
    members: tuple[Member, ...]
    reference: FloatArray
    share: float

    @property
    def about(self) -> str:
        """What it dominates, in words."""
        n = len(self.members)
        designs = "1 design dominates" if n == 1 else f"{n} designs dominate"
        corner = ", ".join(digits(x, 4) for x in self.reference)
        return f"{designs} {percent(self.share)} of the box up to ({corner})"

    def facts(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "case": str(self.case),
            "reference": self.reference.tolist(),
            "hypervolume": self.share,
            "designs": [
                {"losses": m.losses, "study": m.run.run.spec.name, "trial": m.trial}
                for m in self.members
            ],
        }


def known_front(result: Result, case: Case) -> KnownFront | None:
    """Return the front of all designs that any run of a case found; None where there is none."""
    runs = [o for o in result.outcomes if o.run.case == case]
    losses = np.concatenate([o.found.losses for o in runs])
    if len(losses) == 0:
        return None
    owners = [(o, int(number)) for o in runs for number in o.found.numbers]
    keep = np.flatnonzero(pareto_front(losses))
    first = {tuple(map(float, losses[i])): owners[i] for i in reversed(keep)}
    members = tuple(Member(vector, *first[vector]) for vector in sorted(first))
    reference = reference_point(losses[keep])
    return KnownFront(case, members, reference, dominated_share(losses[keep], reference))


def known_fronts(result: Result) -> list[KnownFront]:
    """Return the best known front of every case that has one; none with one objective."""
    if len(result.contest.objectives) == 1:
        return []
    fronts = [known_front(result, case) for case in result.solved]
    return [front for front in fronts if front is not None]


def judged(result: Result) -> Result:
    """Return the result with several objectives judged by what is dominated; one is left as it is.

    The losses are then one over the share of the box that a run's designs so far dominate.
    """
    if len(result.contest.objectives) == 1:
        return result
    fronts = {case: known_front(result, case) for case in result.contest.cases}
    return evolve(
        result, outcomes=tuple(_with_shares(o, fronts[o.run.case]) for o in result.outcomes)
    )


def _with_shares(outcome: RunOutcome, known: KnownFront | None) -> RunOutcome:
    losses = np.full(len(outcome.losses), np.inf)
    if known is None:
        return evolve(outcome, losses=losses)
    front = np.zeros((0, len(known.reference)))
    for trial in range(len(losses)):
        new = outcome.found.losses[outcome.found.at == trial]
        losses[trial] = losses[trial - 1] if trial else np.inf
        if len(new):
            front = np.concatenate([front, new])
            front = front[pareto_front(front)]
            share = dominated_share(front, known.reference)
            losses[trial] = 1.0 / share if share > 0.0 else np.inf
    return evolve(outcome, losses=losses)
