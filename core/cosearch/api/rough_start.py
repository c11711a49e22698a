"""A first figure on the screen where the first design takes long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from attrs import define, field

from cosearch.api.progress import Display, Silent
from cosearch.quantities import loss
from cosearch.registry.registration import hookimpl
from cosearch.registry.registry import Registry
from cosearch.study.study import Study, Trial

if TYPE_CHECKING:
    from cosearch.study.problem import Problem

PATIENCE = 1.0
"""Seconds that a first design may take before a rough figure is worked out beside it."""

MOST_SECONDS = 10.0
"""That the rough figure may take: later it helps nobody."""


@define(eq=False)
class RoughStart:
    """Prices the default machine with rough mappings while workers prove the proper ones.

    An observer of a study. It changes nothing in it: what it finds is shown and forgotten, and it
    gives up when the first trial ends.

    Args:
        show: is handed the figure, in words, from a thread.
    """

    show: Callable[[str], None]
    _over: Event = field(factory=Event, init=False)
    _thread: Thread | None = field(default=None, init=False)

    @hookimpl
    def cosearch_study_started(self, study: Study) -> None:
        """Wait beside a study that has nothing yet."""
        if study.baseline is None and not study.trials:
            self._over.clear()
            self._thread = Thread(target=self._work, args=(study.problem,), daemon=True)
            self._thread.start()

    @hookimpl
    def cosearch_trial_finished(self, trial: Trial) -> None:  # noqa: ARG002 - any will do
        """Give up: there are better figures now."""
        self._over.set()

    @hookimpl
    def cosearch_study_finished(self, study: Study) -> None:  # noqa: ARG002 - any will do
        """Give up, and leave no thread behind."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)  # amid one mapping it cannot be told
            self._thread = None

    def _work(self, problem: Problem) -> None:
        from cosearch.study.rough import rough_loss

        if self._over.wait(PATIENCE):
            return
        try:
            until = time.monotonic() + MOST_SECONDS
            rough = rough_loss(problem, lambda: self._over.is_set() or time.monotonic() > until)
        except Exception:
            return  # a plugin fails, as it will in the search, which says so
        if rough is not None and not self._over.is_set():
            first = problem.objectives[0]
            self.show(
                f"the baseline has {first.name} {loss(rough, first.unit)} with the best of some "
                "random mappings; the first design is on its way"
            )


@contextmanager
def watching(registry: Registry, display: Display, **others: object) -> Iterator[None]:
    """Have a display, with a first figure where it shows any, and others observe studies."""
    observers = {"progress": display, **others}
    if not isinstance(display, Silent):
        observers["rough start"] = RoughStart(display.roughly)
    for name, observer in observers.items():
        registry.manager.register(observer, name=name)
    try:
        with display:
            yield
    finally:
        for name in observers:
            registry.manager.unregister(name=name)
