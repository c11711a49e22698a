"""A pruned study: what it learns from trials, what it keeps, and what is proven when it ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import evolve

from cosearch.store.records import EXHAUSTED, PrunedDesign
from cosearch.store.store import Store
from cosearch.study.dialogue import OUTSIDE
from cosearch.study.ending import Ending
from cosearch.study.pruning import LEFT, DesignFloors
from cosearch.study.study import Study
from cosearch.trials.trial import State, Trial


class PrunedStudy:
    """Stands between a search and the floors of its designs.

    What has left is decided when the strategy asks, by the trials that it was told of, so it
    depends neither on the number of workers nor on interruptions.

    Args:
        study: that is searched.
        store: keeps what was pruned.
        floors: of its designs.
    """

    def __init__(self, study: Study, store: Store, floors: DesignFloors) -> None:
        self.study, self.store, self.floors = study, store, floors

    def begin(self) -> None:
        """Take in the baseline, where the strategy was told of it."""
        baseline = self.study.baseline
        row = None if baseline is None else self.study.problem.row_told(baseline)
        if baseline is not None and row is not None:
            losses = np.array([baseline.outcome.losses])
            self.floors.learn(row[None, :], losses, np.ones(1, dtype=bool), trials=0)

    def learn(self, trials: Sequence[Trial]) -> None:
        """Take in trials that the strategy is told of; estimates rule out nothing."""
        whole = [t for t in trials if t.whole and t.outcome != OUTSIDE]
        settled = [t for t in whole if t.outcome.state is not State.FAILED]
        m = len(self.study.problem.objectives)
        rows = np.array([t.row for t in settled], dtype=np.int64)
        losses = [t.outcome.losses if t.ok else (np.inf,) * m for t in settled]
        self.floors.learn(
            rows.reshape(len(settled), len(self.study.problem.space.names)),
            np.array(losses, dtype=np.float64).reshape(len(settled), m),
            np.array([t.ok for t in settled], dtype=bool),
            trials=len(trials),
        )

    def keep(self) -> None:
        """Store what has left since the last time."""
        decode = self.floors.machines.decode
        self.store.prune(
            self.study.name,
            [
                PrunedDesign(decode(np.array(p.row)), p.floor.losses, p.floor.reason, p.after)
                for p in self.floors.new()
            ],
        )

    def end(self, ending: Ending, *, hurried: bool = False) -> Ending:
        """Note in the study's facts what is left of the space; return the ending in words.

        Args:
            ending: of the search.
            hurried: whether the study's time is over.
        """
        left = self.floors.remaining(hurried=hurried)
        if ending.status == EXHAUSTED:
            self.floors.dismiss()
        self.keep()
        gone, header = self.floors.gone, self.study.header
        impossible = sum(bool(pruned.floor.reason) for pruned in gone)
        facts = {
            "trials": len(self.study.trials),
            "impossible": impossible,
            "no_better": len(gone) - impossible,
            **left,
        }
        self.study.header = evolve(header, facts={**header.facts, LEFT: facts})
        if ending.status == EXHAUSTED and left.get("designs") == 0:
            n = len(self.study.trials)
            return evolve(ending, note=f"every other design is proven no better, after {n}")
        return ending
