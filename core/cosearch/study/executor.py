"""The contract of an executor: it runs one task on many designs, here or elsewhere."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self, TypeAlias

from attrs import frozen

from cosearch.registry.registry import Registry
from cosearch.search.parameters import ParameterSpace
from cosearch.study.building import problem_of, threaded
from cosearch.study.problem import Problem
from cosearch.trials.spec import StudySpec
from cosearch.trials.trial import Outcome
from cosearch.typing import Value

if TYPE_CHECKING:
    from cosearch.store.store import StoredResults


@frozen
class Design:
    """What a trial evaluates.

    Attributes:
        number: of the trial.
        configuration: the hardware parameters.
        fidelity: share of the network's unique layers to judge it by, see
            `cosearch.trials.fidelity`.
        best: the loss of the best design before it, where one that cannot beat it is mapped no
            further; infinite where it is mapped whatever it costs.
    """

    number: int
    configuration: Mapping[str, Value]
    fidelity: float = 1.0
    best: float = math.inf


class Task:
    """Evaluates designs of one study; small enough to send to another process or machine.

    Args:
        spec: the study's settings, from which a process makes everything it needs.
        store: the file whose results of mappers are used again, where a process can see it.
        problem: the settings resolved, for the process that has them already.
        files: plugins that are files, which another process loads too.
        threads: layers of one design that are mapped at once.
        cached: whether results of mappers are used again, and remembered.
    """

    def __init__(
        self,
        spec: StudySpec,
        store: Path,
        problem: Problem | None = None,
        files: tuple[str, ...] = (),
        threads: int = 1,
        *,
        cached: bool = True,
    ) -> None:
        self.spec, self.store, self.files, self.threads = spec, store, files, threads
        self.cached = cached
        self._problem = problem
        self._results: StoredResults | None = None

    def __getstate__(self) -> dict[str, object]:
        """Leave behind what another process makes for itself."""
        return {**vars(self), "_problem": None, "_results": None}

    def prepare(self, registry: Registry) -> None:
        """Resolve names, in a process that has not yet; the first call takes a second or two."""
        if self._problem is None:
            self._problem = threaded(problem_of(self.spec, registry), registry, self.threads)

    def __call__(self, design: Design) -> Outcome:
        """Return what a design is worth."""
        from cosearch.store.store import StoredResults
        from cosearch.study.evaluation import evaluate

        if self._problem is None:
            raise RuntimeError("a task that was sent elsewhere is prepared before it is called")
        if self.cached and self._results is None:
            self._results = StoredResults(self.store)
        return evaluate(
            self._problem, design.configuration, self._results, design.fidelity, design.best
        )


Outcomes: TypeAlias = Generator[tuple[Design, Outcome], None, None]
"""Designs with their outcomes, as they finish."""


class Executor(ABC):
    """A plugin that evaluates designs; the engine makes one for a session of a study.

    The results do not depend on the executor, the number of workers or the order in which they
    finish: the engine alone sees to that.

    Args:
        task: to run on each design.
        workers: how many at once.
        trial_seconds: after which a design is given up; None is never.

    Attributes:
        options: what the constructor takes as further keywords.
        can_give_up: whether `trial_seconds` is kept.
        elsewhere: whether other processes evaluate designs, which make what names stand for.
        until: `time.monotonic()` from which on the study's time is over: a run that can, ends then
            and leaves out what has not.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(())
    can_give_up: ClassVar[bool] = False
    elsewhere: ClassVar[bool] = True
    until: float | None = None

    def __init__(self, task: Task, workers: int, trial_seconds: float | None) -> None:
        self.task, self.workers, self.trial_seconds = task, workers, trial_seconds

    @abstractmethod
    def run(self, designs: Sequence[Design]) -> Outcomes:
        """Yield each design with its outcome, as they finish.

        A worker that dies is not its design's fault: the design is tried again on another one, and
        only where it ends one after the other does it get an outcome of the state `failed`, which
        says how they ended. One that takes longer than `trial_seconds` is `failed` as well.
        Closing the generator early gives up what is still running.
        """

    @property
    def late(self) -> bool:
        """Whether the study's time is over."""
        return self.until is not None and time.monotonic() >= self.until

    def close(self) -> None:  # noqa: B027 - what runs right here has nothing to stop
        """Stop every worker."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
