"""Run what of a contest is not in the store yet, several studies at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path

from cosearch.compare.contest import Run
from cosearch.mapping.mapper import Budget
from cosearch.registry.registry import Registry
from cosearch.store.store import Store
from cosearch.study.building import problem_of
from cosearch.study.codesign import is_over, open_study
from cosearch.study.codesign import run as run_study
from cosearch.trials.spec import StudySpec


def run_all(
    runs: Sequence[Run],
    budget: Budget,
    store: Path,
    registry: Registry,
    workers: int,
    finished: Callable[[Run], None] = lambda _: None,
) -> None:
    """Run every study that has not ended; each trial is stored as it ends.

    The result does not depend on the number of workers nor on interruptions, as each run is a
    study of its own with a seed of its own.

    Args:
        runs: of a contest; two that are one study are run once.
        budget: of each.
        store: the SQLite file.
        registry: knows the names; what it knows of a script alone is run in this process.
        workers: studies at once, each in a process.
        finished: called in this process after each.

    Raises:
        KeyboardInterrupt: everything finished is stored.
        CosearchError: a plugin broke its contract; everything finished is stored.
    """
    runs = list({run.spec.name: run for run in runs}.values())
    if workers == 1 or len(runs) <= 1 or registry.local or registry.loader is None:
        for run in runs:
            run_one(run.spec, budget, store, registry)
            finished(run)
        return
    pool = ProcessPoolExecutor(min(workers, len(runs)), mp_context=get_context("spawn"))
    try:
        rest = (budget, store, registry.loader, registry.files)
        waiting = {pool.submit(_run_one_here, run.spec, *rest): run for run in runs}
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                finished(waiting.pop(future))
        pool.shutdown()
    except BaseException:
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 - no public way
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def _run_one_here(
    spec: StudySpec,
    budget: Budget,
    store: Path,
    loader: Callable[[tuple[str, ...]], Registry],
    files: tuple[str, ...],
) -> None:
    """Run one study in a process that has loaded nothing yet."""
    run_one(spec, budget, store, loader(files))


def run_one(spec: StudySpec, budget: Budget, store: Path, registry: Registry) -> None:
    """Run one study to its end, or see that it has ended."""
    with Store(store) as opened:
        study = open_study(opened, registry, problem_of(spec, registry), budget)
        if not is_over(study):
            run_study(study, opened, registry)
