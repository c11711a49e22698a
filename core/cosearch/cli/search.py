"""One session of a study at the terminal: progress, interruption, the report at the end."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from cosearch.api.progress import Display, LiveProgress, PlainProgress, Silent
from cosearch.api.rough_start import watching
from cosearch.cli.errors import INTERRUPTED
from cosearch.cli.interruption import Interruption
from cosearch.cli.options import STORE, TRIALS
from cosearch.cli.output import Output
from cosearch.cli.session import Session
from cosearch.cli.text import report as report_text
from cosearch.registry.registry import Registry
from cosearch.store.records import EXHAUSTED
from cosearch.store.store import Store, StoredResults
from cosearch.study.codesign import Session as How
from cosearch.study.codesign import is_over, run
from cosearch.study.report import StudyReport, report_of
from cosearch.study.study import Study

NOTHING_FOUND = 1
"""Exit code when no design is feasible, or the reference model does not confirm the best."""


def search(session: Session, store: Store, study: Study, how: How, *, json: bool) -> int:
    """Run a study to the end of its budget, report, and return the exit code."""
    output = session.output
    finished = is_over(study)
    interrupted = False
    if not json and not finished:
        report_text.show_head(output, study)
    try:
        with _watched(session, finished=finished):
            run(study, store, session.registry, how)
    except KeyboardInterrupt:
        interrupted = True
    if interrupted and not json:
        resume = resume_command(store, study.name, session.registry.files)
        report_text.show_interrupted(output, study, resume)
        return INTERRUPTED
    with closing(StoredResults(store.path)) as known:
        report = report_of(study, known)
    if json:
        output.json(report)
    else:
        if finished:
            output.note(f"the study {study.name} is finished: {study.header.note}")
        after = commands_after(store, study, session.registry)
        report_text.show_report(output, study.problem, report, after)
    return INTERRUPTED if interrupted else exit_code(output, report)


def exit_code(output: Output, report: StudyReport) -> int:
    """Warn of what is wrong with a report; return the exit code it deserves."""
    for note in report.notes:
        output.warn(note)
    wrong = [text for d in (report.best, report.baseline) if d for text in d.disagreements]
    for text in wrong:
        output.warn(f"not confirmed: {text}")
    return NOTHING_FOUND if wrong or report.best is None else 0


def commands_after(store: Store, study: Study, registry: Registry) -> report_text.Next:
    """Return the commands that go on from a study's report."""
    name, files = study.name, registry.files
    page, lacking = report_command(store, name, files, f"--html {name}.html"), ""
    if "html" in registry.entries["reporters"]:
        lacking = registry.load("reporters", "html").lacking()
    trials = study.header.budget.trials or TRIALS
    further = "" if study.header.status == EXHAUSTED else f" --trials {trials}"
    return report_text.Next(
        report_command(store, name, files, "--full"),
        f"{page}  ({lacking})" if lacking else page,
        rescore_command(store, name, files),
        further and resume_command(store, name, files) + further,
    )


def report_command(store: Store, name: str, plugins: Sequence[str] = (), how: str = "") -> str:
    """Return the command that shows what a study found."""
    return f"{_command('report', store, name, plugins)} {how}".strip()


def resume_command(store: Store, name: str, plugins: Sequence[str] = ()) -> str:
    """Return the command that continues a study, with the plugin files that it needs."""
    return _command("resume", store, name, plugins)


def rescore_command(store: Store, name: str, plugins: Sequence[str] = ()) -> str:
    """Return the command that prices a study's best design again."""
    return _command("rescore", store, name, plugins)


def _command(verb: str, store: Store, name: str, plugins: Sequence[str]) -> str:
    words = ["cosearch", verb, name]
    for path in plugins:
        words += ["--plugins", path]
    if store.path != STORE:
        words += ["--store", str(store.path)]
    return shlex.join(words)


@contextmanager
def _watched(session: Session, *, finished: bool) -> Iterator[None]:
    """Show progress as an observer of the study, and take signals."""
    interruption = Interruption()
    display = _display(session.output, finished=finished)
    with interruption, watching(session.registry, display, interruption=interruption):
        yield


def _display(output: Output, *, finished: bool) -> Display:
    if output.quiet or finished:
        return Silent()
    return LiveProgress(output.errors) if output.live else PlainProgress(output.errors)
