"""Progress on a terminal, live, and in a pipe, plain and short."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cosearch.registry.registration import hookimpl
from cosearch.study.progress import ASCII, BLOCKS, Pulse, sparkline
from cosearch.study.study import Study, Trial

WIDTH = 24
"""Characters of the sparkline and of the bar."""

TENTHS = 10
"""A pipe gets a line for the first feasible design, and each time another of so many parts of the
trials is done, but not more often than every `LEAST_SECONDS`, nor less often than every
`MOST_SECONDS`."""

LEAST_SECONDS = 2.0

MOST_SECONDS = 30.0


class Display(Protocol):
    """A progress display: an observer of the study, shown while its context lasts."""

    def roughly(self, text: str) -> None:
        """Show a first figure, before any design has ended; called from another thread."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing."""


class Silent(Pulse):
    """Shows nothing."""

    def roughly(self, text: str) -> None:
        """Show no first figure either."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class LiveProgress(Pulse):
    """A few lines that are redrawn in place and vanish at the end.

    Args:
        console: a terminal.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._rough = ""
        blocks = BLOCKS if console.encoding.lower().startswith("utf") else ASCII
        self._blocks = blocks
        self._live = Live(
            console=console, get_renderable=self.lines, refresh_per_second=5, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def roughly(self, text: str) -> None:
        """Keep a first figure until there is a design."""
        self._rough = text

    def lines(self) -> RenderableType:
        """Return what to show now."""
        if self.study is None:
            return Text("getting ready ...", style="dim")
        first = Table.grid(padding=(0, 2, 0, 0))
        share = self.share_done
        standing = self.standing() if self.total or not self._rough else self._rough
        first.add_row(
            Text(self.counted()),
            ProgressBar(total=1.0, completed=share or 0.0, width=WIDTH, pulse=share is None),
            Text(sparkline(self.history, WIDTH, self._blocks), style="green"),
        )
        return Group(first, Text(standing, style="bold"), Text(self.speed(), style="dim"))


class PlainProgress(Pulse):
    """A line now and then.

    Args:
        console: a pipe, a file or a log.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._shown = (0, time.monotonic())
        self._told = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @hookimpl
    def cosearch_study_started(self, study: Study) -> None:
        """Take in what is stored, and begin to count from there."""
        super().cosearch_study_started(study)
        self._shown = (self._tenth, time.monotonic())
        self._told = self.best is not None

    def roughly(self, text: str) -> None:
        """Print a first figure."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @hookimpl
    def cosearch_trial_finished(self, trial: Trial) -> None:
        """Take in a trial; print a line when it is time."""
        super().cosearch_trial_finished(trial)
        tenth, at = self._shown
        waited = time.monotonic() - at
        news = self._tenth > tenth or (self.best is not None and not self._told)
        if waited > (LEAST_SECONDS if news else MOST_SECONDS):
            self._told = self.best is not None
            self._shown = (self._tenth, time.monotonic())
            line = f"{self.counted()}: {self.standing()}; {self.speed()}"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    @property
    def _tenth(self) -> int:
        return int(TENTHS * (self.share_done or 0.0) + 1e-9)
