"""Which stored trials a study begins from, and that they are still the same when it is resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from attrs import evolve

from cosearch.errors import CosearchError
from cosearch.store.store import Store
from cosearch.study.problem import Problem
from cosearch.study.transfer import Known
from cosearch.trials.spec import JOINT, StudySpec
from cosearch.trials.trial import Trial

_ALIKE = ("hardware", "fixed", "objectives", "constraints")
"""Settings without which another study's rows, losses or feasibility mean something else."""


def pinned(spec: StudySpec, store: Store) -> StudySpec:
    """Return the settings with the digest of the trials they start from.

    A joint study's designs name mappings too: it needs the same scheme and workload.

    Raises:
        UnknownNameError: no study of that name; near ones are suggested.
        CosearchError: it searched another space, or for something else.
    """
    if not spec.warm_start:
        return spec
    other = store.header(spec.warm_start).spec
    alike = (*_ALIKE, "scheme", "workload") if JOINT in (other.scheme, spec.scheme) else _ALIKE
    unlike = [text for text in other.differences(spec) if text.partition(":")[0] in alike]
    if unlike:
        raise CosearchError(
            f"a study cannot start from {spec.warm_start!r}, which has other settings:\n  "
            + "\n  ".join(unlike),
            "name a study of the same machine, objectives and constraints: cosearch studies",
        )
    return evolve(spec, warm_start_digest=_digest(store.trials(spec.warm_start)))


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
    return Known.of(trials, problem.space)


def _digest(trials: Sequence[Trial]) -> str:
    """Return the digest of what a strategy is told: whole trials, no estimates."""
    facts = [
        [t.number, dict(t.configuration), t.outcome.state.value, t.outcome.losses]
        for t in trials
        if t.whole
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
