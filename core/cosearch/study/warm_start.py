"""Which stored trials a study begins from, and that they are still the same when it is resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from attrs import evolve, frozen

from cosearch.errors import CosearchError, InputError, UnknownNameError
from cosearch.registry.registry import Registry
from cosearch.search.limits import Limits
from cosearch.search.parameters import ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.store.store import Store
from cosearch.study.building import make_scheme
from cosearch.study.problem import Problem
from cosearch.trials.spec import StudySpec
from cosearch.trials.trial import Outcome, State, Trial
from cosearch.typing import BoolArray, FloatArray, Rows

TRIED_FIRST = 5
"""Designs of a study of another workload or machine that are tried before the strategy is asked."""

_ALIKE = ("hardware", "fixed", "objectives", "constraints")
"""Settings without which another study's rows, losses or feasibility mean something else."""


def pinned(problem: Problem, store: Store, registry: Registry) -> StudySpec:
    """Return the settings with the digest of the trials they start from.

    Designs that name mappings mean the same under the same scheme and workload alone; those of
    another machine mean something where its parameters have the same names.

    Raises:
        UnknownNameError: no study of that name; near ones are suggested.
        CosearchError: it searched another space, or for something else.
    """
    spec = problem.spec
    if not spec.warm_start:
        return spec
    trials = store.trials(spec.warm_start)
    other = store.header(spec.warm_start).spec
    schemes = [make_scheme(text, registry) for text in (other.scheme, spec.scheme)]
    mapped = any(scheme.names_mappings for scheme in schemes)
    alike = {*_ALIKE, "scheme", "workload"} if mapped else {*_ALIKE}
    if not mapped and any({*trial.configuration} == {*problem.space.names} for trial in trials):
        alike -= {"hardware"}
    unlike = [text for text in other.differences(spec) if text.partition(":")[0] in alike]
    if unlike:
        raise CosearchError(
            f"a study cannot start from {spec.warm_start!r}, which has other settings:\n  "
            + "\n  ".join(unlike),
            "name a study of the same machine, objectives and constraints: cosearch studies",
        )
    return evolve(spec, warm_start_digest=_digest(trials))


def known_of(problem: Problem, store: Store) -> Known | None:
    """Return what the strategy is told before its first ask; None without a warm start.

    Raises:
        CosearchError: the trials are gone, or are others than when the study began.
    """
    spec = problem.spec
    if not spec.warm_start:
        return None
    header = store.find(spec.warm_start)
    trials = store.trials(spec.warm_start) if header else []
    if header is None or _digest(trials) != spec.warm_start_digest:
        raise CosearchError(
            f"the study {spec.warm_start!r}, which this one started from, "
            + ("is gone" if header is None else "has other trials since"),
            "start a new study: --study NAME",
        )
    known = Known.of(trials, problem.space)
    here = spec.workload, spec.hardware
    return evolve(known, elsewhere=(header.spec.workload, header.spec.hardware) != here)


def _digest(trials: Sequence[Trial]) -> str:
    """Return the digest of what a strategy is told: whole trials, no estimates."""
    facts = [
        [t.number, dict(t.configuration), t.outcome.state.value, t.outcome.losses]
        for t in trials
        if t.whole
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


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
        elsewhere: whether losses are of another workload or machine, so that they mean little here;
            the best designs are then tried first instead.
    """

    rows: Rows
    losses: FloatArray
    feasible: BoolArray
    violations: tuple[Mapping[str, float], ...]
    skipped: int
    elsewhere: bool = False

    @property
    def promising(self) -> Rows:
        """The feasible designs of least product of losses, int64[p, d], the best first."""
        good = np.flatnonzero(self.feasible)
        merit = np.log(np.maximum(self.losses[good], 1e-300)).sum(axis=1)
        return self.rows[good[np.argsort(merit, kind="stable")[:TRIED_FIRST]]]

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
