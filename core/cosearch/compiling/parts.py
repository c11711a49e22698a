"""Parts of the compiled code: what is compiled in one process, side by side with other parts."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast, get_type_hints

import numba
from attrs import define, field
from numba.core import types

from cosearch.compiling.bundle import numba_type
from cosearch.compiling.cache import CodeCache, lock, place
from cosearch.compiling.functions import outermost

F = TypeVar("F", bound=Callable[..., Any])

_log = logging.getLogger("cosearch")


@define(eq=False)
class Entry:
    """A function that Python calls, compiled for the types of its annotations and no others.

    Attributes:
        function: as written.
        dispatcher: numba's.
        cache: where its machine code is kept.
    """

    function: Any
    dispatcher: Any
    cache: CodeCache = field(init=False)
    _arguments: tuple[types.Type, ...] | None = field(init=False, default=None)
    _ready: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.cache = CodeCache(self.function, self.arguments)
        self.dispatcher._cache = self.cache  # noqa: SLF001 - numba has no other way to set it

    def arguments(self) -> tuple[types.Type, ...]:
        """Return the types that it is compiled for."""
        if self._arguments is None:
            hints = get_type_hints(self.function, include_extras=True)
            names = inspect.signature(self.function).parameters
            self._arguments = tuple(numba_type(hints[name]) for name in names)
        return self._arguments

    def is_ready(self) -> bool:
        """Return whether it can be called without compiling."""
        if not self._ready:
            self._ready = bool(self.dispatcher.overloads) or self.cache.find() is not None
        return self._ready

    def prepare(self) -> None:
        """Load its machine code, or compile it and keep that."""
        if not self.dispatcher.overloads:
            self.dispatcher.compile(self.arguments())
            self.dispatcher.disable_compile()


@define(eq=False)
class Part:
    """Entries that are compiled in one process.

    Args:
        module: that holds it.
        name: there.
        what: it is, in words.
    """

    module: str
    name: str
    what: str
    entries: list[Entry] = field(init=False, factory=list)

    def entry(self, *, allocates: bool = False) -> Callable[[F], F]:
        """Return a decorator for a function that Python calls.

        Args:
            allocates: whether it, or what it calls, makes arrays.
        """

        def decorate(function: F) -> F:
            self.entries.append(Entry(function, outermost(function, allocates=allocates)))
            return cast("F", self.entries[-1].dispatcher)

        return decorate

    @property
    def address(self) -> str:
        """Where to find it, and the modules of its entries, in one word; see `found`."""
        modules = dict.fromkeys(entry.function.__module__ for entry in self.entries)
        return f"{self.module}:{self.name}={','.join(modules)}"

    def is_ready(self) -> bool:
        """Return whether all of it can be called without compiling."""
        return all(entry.is_ready() for entry in self.entries)

    def prepare(self) -> None:
        """Load or compile all of it, here."""
        for entry in self.entries:
            entry.prepare()


def found(address: str) -> Part:
    """Return the part at an address, its modules imported."""
    home, _, modules = address.partition("=")
    for module in modules.split(","):
        importlib.import_module(module)
    module, _, name = home.partition(":")
    part: Part = getattr(importlib.import_module(module), name)
    return part


def prepare(*parts: Part) -> float:
    """Have parts ready to be called, compiled side by side on all cores where they are not.

    Says so on the logger `cosearch`, at level INFO, before and after each part.

    Returns:
        seconds that this took.
    """
    started = time.perf_counter()
    if numba.config.DISABLE_JIT:
        return 0.0
    missing = [part for part in parts if not part.is_ready()]
    if missing:
        _compile(missing, started)
    for part in parts:
        part.prepare()
    return time.perf_counter() - started


def _compile(missing: Sequence[Part], started: float) -> None:
    """Compile parts side by side, and say how far that is."""
    folder = place(missing[0].entries[0].cache.package)
    if folder is None:
        _log.info("compiled code cannot be kept, as no folder can be written: every run compiles")
    _log.info("compiling %s (once per installation) ...", ", ".join(p.what for p in missing))
    helpers = _helpers(missing) if folder is not None else []
    try:
        for done, part in enumerate(taken_in_turn(missing), start=1):
            seconds = time.perf_counter() - started
            _log.info("compiled %s: %d of %d, %.0f s", part.what, done, len(missing), seconds)
    finally:
        for helper in helpers:
            helper.terminate()
            helper.wait()


def taken_in_turn(parts: Sequence[Part]) -> Iterator[Part]:
    """Yield parts as they become ready, compiling those that no other process is at."""
    waiting = []
    for part in parts:
        if _compiled_here(part, wait=False):
            yield part
        else:
            waiting.append(part)
    for part in waiting:
        _compiled_here(part, wait=True)
        yield part


def _compiled_here(part: Part, *, wait: bool) -> bool:
    """Compile a part unless another process is at it; return whether it is ready."""
    with lock(part.entries[0].cache.package, part.name, wait=wait) as mine:
        if mine and not part.is_ready():
            part.prepare()
        return mine


def _helpers(parts: Sequence[Part]) -> list[subprocess.Popen[bytes]]:
    """Start a process for every further core that a part can be compiled on, if it can be."""
    command = [sys.executable, "-m", "cosearch.compiling.helper", *(p.address for p in parts[::-1])]
    quiet = subprocess.DEVNULL
    helpers: list[subprocess.Popen[bytes]] = []
    with contextlib.suppress(OSError):
        helpers.extend(
            subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)  # noqa: S603 - ours
            for _ in range(min(_cores(), len(parts)) - 1)
        )
    return helpers


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
