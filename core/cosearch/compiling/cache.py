"""Where machine code is kept, one file a function, found by a digest of what it was made from.

Unlike numba's own cache it has no index that two processes could write at once: a file appears
whole, under a name that says what is in it, or not at all. It reads what an administrator compiled
into a folder that it may not write, and never ends a run because nothing can be kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pickle
import platform
import tempfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import Any
from uuid import uuid4

import llvmlite
import numba
import numpy as np
from attrs import frozen
from numba.core import types
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from cosearch.compiling.digest import digest_of

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".code"

_log = logging.getLogger("cosearch")


@frozen
class Folder:
    """A place for machine code.

    Attributes:
        path: of the folder.
        why: it is there, in words.
    """

    path: Path
    why: str

    def is_writable(self) -> bool:
        """Return whether files can be made there; the folder is made where it is missing."""
        try:
            mode = 0o700 if self.why == TEMPORARY else 0o777
            self.path.mkdir(parents=True, exist_ok=True, mode=mode)
            tempfile.TemporaryFile(dir=self.path).close()
        except OSError:
            return False
        return self.is_trusted()

    def is_trusted(self) -> bool:
        """Return whether nobody else can have put code there."""
        if os.name == "nt":
            return True
        try:
            status = self.path.stat()
        except OSError:
            return False
        return self.why != TEMPORARY or (status.st_uid == os.getuid() and not status.st_mode & 0o22)


TEMPORARY = "neither the installation nor the home can be written"


def folders(package: Path) -> tuple[Folder, ...]:
    """Return where the code of the modules in a folder may be kept, best first."""
    own = hashlib.sha256(str(package).encode()).hexdigest()[:12]
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    first = [Folder(Path(chosen, "cosearch", own), "NUMBA_CACHE_DIR")] if chosen else []
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - never raises
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    return (
        *first,
        Folder(package / "__pycache__", "beside the sources"),
        Folder(Path(home, "cosearch", own), "the installation cannot be written"),
        Folder(Path(tempfile.gettempdir(), f"cosearch-{user}", own), TEMPORARY),
    )


def place(package: Path) -> Folder | None:
    """Return the first folder that can be written; None where there is none."""
    return next((folder for folder in folders(package) if folder.is_writable()), None)


class CodeCache(NullCache):  # type: ignore[misc]  # numba has no types
    """The machine code of one function, kept.

    Args:
        function: as written.
        arguments: returns the types that it is compiled for.
    """

    def __init__(
        self, function: FunctionType, arguments: Callable[[], tuple[types.Type, ...]]
    ) -> None:
        self.function, self.arguments = function, arguments
        self.package = Path(function.__code__.co_filename).parent

    @property
    def cache_path(self) -> str:
        """The folder of the sources."""
        return str(self.package)

    @cached_property
    def stem(self) -> str:
        """What the names of its files begin with."""
        module = self.function.__module__.rpartition(".")[2]
        return f"{module}.{self.function.__name__}-{_platform()}-"

    @cached_property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.stem}{digest_of(self.function, self.arguments())[:24]}{SUFFIX}"

    def find(self) -> Path | None:
        """Return the file with the code, or None."""
        for folder in folders(self.package):
            path = folder.path / self.name
            if path.is_file() and folder.is_trusted():
                return path
        return None

    def load_overload(self, sig: Any, target_context: Any) -> Any:  # noqa: ANN401 - numba's
        """Return the compiled function, or None where it is to be compiled.

        Unlike numba's own cache it does not `refresh` the context, which reads in all that numba
        can compile, SciPy's BLAS among it: machine code needs none of that.

        Raises:
            TypeError: it is called with other types than it is annotated with.
        """
        if tuple(sig) != self.arguments():
            raise TypeError(f"{self.function.__name__} takes {self.arguments()}, not {tuple(sig)}")
        path = self.find()
        if path is None:
            return None
        rtsys.initialize(target_context)
        try:
            return CompileResult._rebuild(target_context, *pickle.loads(path.read_bytes()))  # noqa: SLF001, S301
        except Exception as error:
            _log.debug("%s cannot be used: %s", path, error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:  # noqa: ANN401, ARG002 - numba's
        """Keep a compiled function, and remove what was compiled from older sources."""
        folder = place(self.package)
        if folder is None:
            return
        code = dumps(data._replace(type_annotation="")._reduce())  # noqa: SLF001 - numba's way
        for older in folder.path.glob(f"{self.stem}*{SUFFIX}"):
            older.unlink(missing_ok=True)
        whole = folder.path / f"{self.name}.{uuid4().hex}"
        whole.write_bytes(code)
        whole.replace(folder.path / self.name)


@contextlib.contextmanager
def lock(package: Path, name: str, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of a part; yields False where another process does and nobody waits.

    Where there is no writable folder, or no such locks, every process holds it: two of them do the
    same work then, which does no harm.
    """
    folder = place(package)
    if folder is None or fcntl is None:
        yield True
        return
    with (folder.path / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            yield False
            return
        yield True


def kept(package: Path) -> Iterator[Path]:
    """Yield the files with code of the modules in a folder."""
    for folder in folders(package):
        yield from folder.path.glob(f"*{SUFFIX}")


def _platform() -> str:
    """Return what else machine code depends on, as a few digits."""
    codegen = cpu_target.target_context.codegen()
    parts = (
        codegen.magic_tuple(), numba.__version__, llvmlite.__version__, np.__version__,
        platform.python_version(),
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
