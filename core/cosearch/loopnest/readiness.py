"""Whether the compiled kernel is at hand, and saying so when it is not.

The first batch ever priced on a machine compiles the kernel, which takes seconds; numba keeps the
result on disk for every later process.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numba

from cosearch.loopnest import kernel

_log = logging.getLogger("cosearch")

COMPILING = "compiling the pricing kernel (once per installation, about 10 seconds) ..."


def kernel_is_cached() -> bool:
    """Return whether a compiled kernel, newer than its source, is in numba's cache."""
    source = Path(kernel.__file__)
    cache = Path(kernel.price.stats.cache_path)
    stem = f"{source.stem}.{kernel.price.py_func.__qualname__}-"
    newest = [f.stat().st_mtime for f in cache.glob(f"{stem}*.nbc")]
    return bool(newest) and max(newest) >= source.stat().st_mtime


def kernel_is_ready() -> bool:
    """Return whether this process can price without compiling."""
    if numba.config.DISABLE_JIT:
        return True
    return bool(kernel.price.signatures) or kernel_is_cached()


def announce() -> None:
    """Log, on the logger `cosearch`, that the kernel is about to be compiled, if it is."""
    if not kernel_is_ready():
        _log.info(COMPILING)
