"""Ctrl-C that is not lost."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from cosearch.registry.registration import hookimpl

AGAIN = 0.25
"""Seconds until an interruption that went nowhere is raised once more."""


class Interruption:
    """Ends what happens in its context on Ctrl-C or SIGTERM, as soon as Python can.

    An exception that a signal raises is lost when it hits a callback of the compiler (llvmlite's,
    for one), which runs for half a minute after an installation. So it is raised again, until it
    is on its way out or has left the context; and after the next trial of a study.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._interrupt)
            self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._insist)

    def __exit__(self, *_: object) -> None:
        if self._before:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @hookimpl
    def cosearch_trial_finished(self) -> None:
        """Interrupt, if a signal asked for it in vain."""
        if self.asked and not _on_its_way(sys.exception()):
            raise KeyboardInterrupt

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
        raise KeyboardInterrupt

    def _insist(self, _number: int, _frame: FrameType | None) -> None:
        if not _on_its_way(sys.exception()):
            raise KeyboardInterrupt


@contextmanager
def ending_early(end: Callable[[], None]) -> Iterator[list[int]]:
    """Ask on Ctrl-C for what runs in the context to end by itself; a second one ends it at once.

    Yields:
        The signals that came, none so far.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def ask(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        came.append(number)
        end()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)


def _on_its_way(error: BaseException | None) -> bool:
    """Return whether an interruption is being handled, perhaps behind other errors."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False
