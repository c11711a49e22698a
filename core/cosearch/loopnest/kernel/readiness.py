"""Whether compiled code is at hand, and saying so when it is not.

The first batch ever priced on a machine compiles the kernel, and the first proof the exact mapper,
which takes seconds; numba keeps the result on disk for every later process.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numba

from cosearch.loopnest.kernel import interpreter as kernel

_log = logging.getLogger("cosearch")

KERNEL = "the pricing kernel (once per installation, about 10 seconds)"


def is_cached(function: Any, sources: Iterable[Path]) -> bool:  # noqa: ANN401 - numba's own type
    """Return whether a compiled function, newer than its sources, is in numba's cache."""
    name = function.py_func.__qualname__.replace("<", "").replace(">", "")
    stem = f"{Path(function.py_func.__code__.co_filename).stem}.{name}-"
    newest = [f.stat().st_mtime for f in Path(function.stats.cache_path).glob(f"{stem}*.nbc")]
    return bool(newest) and max(newest) >= max(source.stat().st_mtime for source in sources)


def is_ready(function: Any, sources: Iterable[Path]) -> bool:  # noqa: ANN401 - numba's own type
    """Return whether this process can call a function without compiling."""
    if numba.config.DISABLE_JIT:
        return True
    return bool(function.signatures) or is_cached(function, sources)


def announce(function: Any, sources: Iterable[Path], what: str) -> None:  # noqa: ANN401 - numba's
    """Log, on the logger `cosearch`, that a function is about to be compiled, if it is."""
    if not is_ready(function, sources):
        _log.info("compiling %s ...", what)


def announce_kernel() -> None:
    """Say that the pricing kernel is about to be compiled, if it is."""
    announce(kernel.price, [Path(kernel.__file__)], KERNEL)
