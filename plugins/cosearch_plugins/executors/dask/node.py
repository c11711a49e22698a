"""What a worker of a cluster does with designs, in child processes of its own.

A worker only waits: plugins run in a child (`cosearch_plugins.executors.child`), so that one that
hangs, leaks or ends its process costs what it costs on one machine, for the same reasons.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.registry.registry import Registry
from cosearch.store.store import Store
from cosearch.study.executor import Design, Task
from cosearch.trials.trial import Outcome
from cosearch_plugins.executors.processes import Processes

MOST_BYTES = 2**30
"""Of the file in which one machine keeps results of mappers; nothing is added beyond."""

KEPT = 4
"""Studies whose children a thread of a worker keeps."""

NO_FILE = Path(os.devnull, "none")
"""Where there never is a store."""


class NodeTask(Task):
    """A task whose remembered results of mappers stand in a file of the machine that runs it.

    The study's own store may be out of sight, or its path may lead to another file there.

    Args:
        task: of the study.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task.spec, NO_FILE, files=task.files, cached=task.cached)
        self._kept: Store | None = None

    def prepare(self, registry: Registry) -> None:
        """Resolve names, and open the file."""
        super().prepare(registry)
        path = results_file() if self.cached else None
        if path is not None:
            with contextlib.suppress(CosearchError):
                self._kept, self.store = Store(path), path

    def __call__(self, design: Design) -> Outcome:
        """Return what a design is worth; remember what mappers found for it."""
        outcome = super().__call__(design)
        if self._kept is not None and self._problem is not None:
            purpose = self._problem.for_design(design.configuration).task.remembered_by()
            try:
                if self.store.stat().st_size < MOST_BYTES:
                    self._kept.remember(outcome, purpose)
            except (CosearchError, OSError):  # a full disk costs nobody a design
                self._kept.close()
                self._kept = None
        return outcome


def results_file() -> Path | None:
    """Return the file of this machine and user, in a folder nobody else can write; or None."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    folder = Path(tempfile.gettempdir(), f"cosearch-{user}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    mine = not hasattr(os, "getuid") or (status.st_uid == user and not status.st_mode & 0o22)
    return folder / "mapped.db" if mine and not folder.is_symlink() else None


@frozen
class Work:
    """What a study asks of workers; sent along with designs.

    Attributes:
        key: tells the work of one session from another's.
        task: to run on each design.
        trial_seconds: after which a design is given up; None is never.
        version: of the cosearch that asks.
    """

    key: str
    task: NodeTask
    trial_seconds: float | None
    version: str


@frozen
class Answer:
    """What became of designs.

    Attributes:
        outcomes: by the designs' numbers.
        printed: by plugins.
        error: why there are no outcomes, and what to do.
    """

    outcomes: tuple[tuple[int, Outcome], ...] = ()
    printed: str = ""
    error: tuple[str, str] | None = None


class _Children(Processes):
    """The child of one thread of a worker; what plugins print is kept for who asked."""

    def __init__(self, work: Work) -> None:
        super().__init__(work.task, 1, work.trial_seconds)
        self._said: list[str] = []

    def printed(self, text: str) -> None:
        """Keep what a plugin printed."""
        self._said.append(text)

    def answer(self, designs: Sequence[Design]) -> Answer:
        """Return the outcomes of designs."""
        self._said.clear()
        outcomes = tuple((design.number, outcome) for design, outcome in self.run(designs))
        return Answer(outcomes, "".join(self._said))


_children: dict[tuple[int, str], _Children] = {}
"""By thread and work."""

_lock = threading.Lock()


def evaluate_here(work: Work, designs: Sequence[Design]) -> Answer:
    """Return what designs are worth; a fault of this worker's set-up is an answer too."""
    if (here := version("cosearch")) != work.version:
        told = f"a worker on {os.uname().nodename} has cosearch {here}, this is {work.version}"
        return Answer(error=(told, "install the same version there"))
    try:
        return _of_this_thread(work).answer(designs)
    except CosearchError as error:
        return Answer(error=(str(error), error.hint))


def _of_this_thread(work: Work) -> _Children:
    me = threading.get_ident()
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # a thread of a worker has a core
    with _lock:
        found = _children.get((me, work.key)) or _Children(work)
        _children.pop((me, work.key), None)
        _children[me, work.key] = found
        mine = [key for key in _children if key[0] == me]
        old = [_children.pop(key) for key in mine[:-KEPT]]
    for children in old:
        children.close()
    return found


def forget(key: str) -> None:
    """Stop the children of a session that has ended, idle or busy."""
    with _lock:
        ended = [_children.pop(k) for k in list(_children) if k[1] == key]
    for children in ended:
        children.abandon()
