"""A comparison as a file: what goes into it, and how to get the same again."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import asdict

if TYPE_CHECKING:
    from cosearch.compare.outcome import Result
    from cosearch.compare.scores import Standing
    from cosearch.compare.tuning import Rehearsal
    from cosearch.registry.registry import Registry
    from cosearch.store.records import Header


def write_report(
    path: Path,
    result: Result,
    found: Standing,
    tuned: Rehearsal | None,
    store: Path,
    registry: Registry,
    command: str,
) -> None:
    """Write a comparison as a file: each case's best design is priced again for it.

    Args:
        path: of the file; its suffix names the reporter.
        result: every run.
        found: the scores.
        tuned: how the contenders were tuned first; None where they were not.
        store: holds the runs.
        registry: knows the names.
        command: that does the same again.
    """
    from cosearch.reporting.reporter import Compared, reporter_for, write_whole
    from cosearch.store.store import Store
    from cosearch.study.codesign import load_study
    from cosearch.study.report import account

    reporter = reporter_for(path, registry)
    best, trials = {}, {}
    with Store(store, write=False) as opened:
        for outcome in result.outcomes:
            name = outcome.run.spec.name
            trials[name] = [t for t in opened.trials(name) if t.number > 0]
        for case in result.solved:
            study = load_study(opened, registry, result.winner(case).run.spec.name)
            if study.best is not None:
                best[case] = account(study.problem, study.best)
        header = opened.header(result.outcomes[0].run.spec.name)
    facts = list(_reproduce(result, header, command))
    compared = Compared(result, found, tuned, trials, best, facts)
    write_whole(path, reporter.comparison(compared))


def _reproduce(result: Result, header: Header, command: str) -> Iterator[str]:
    """Yield what another needs to get the same: command, versions, settings, studies."""
    contest = result.contest
    yield from (command, "")
    yield f"cosearch {header.facts['cosearch']}, begun {header.facts['begun']}"
    yield f"plugins: {', '.join(header.facts['plugins'])}"
    yield f"python: {platform.python_version()} on {platform.machine()}"
    yield f"seeds: 0 to {contest.seeds - 1}"
    limits = asdict(contest.budget).items()
    yield "budget of a run: " + ", ".join(f"{value} {name}" for name, value in limits if value)
    yield f"objective: {','.join(contest.objectives)}"
    yield f"constraints: {', '.join(contest.shared.constraints) or 'none'}"
    mappers = {f"{o.run.spec.hardware}: {o.run.spec.mapper}": None for o in result.outcomes}
    yield f"mapper of {'; '.join(mappers)}; mappings chosen by {contest.shared.combine}"
    yield f"designs proposed at once: {contest.shared.batch}"
    for name in contest.strategies:
        yield f"contender {name}: {contest.tuned.get(name, name)}"
    yield from ("", "studies (cosearch report NAME):")
    for o in sorted(result.outcomes, key=lambda o: (str(o.run.case), o.run.strategy, o.run.seed)):
        yield f"{o.run.spec.name}  {o.run.case}, {o.run.strategy}, seed {o.run.seed}"
