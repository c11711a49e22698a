"""The compiled search as Python calls it.

numba's cache looks at the file of the function it stores and does not see a change of a callee in
another. The functions here are closures over a digest of the package's sources, and numba tells
closures apart by what they close over, so a changed source is compiled anew.
"""

# ruff: noqa: ANN001, ANN202 - the signatures are those of the functions called

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

from numba import njit

from cosearch.loopnest.exact import tables, travel, tree, unions, windows


def _digest() -> int:
    """Return a number that changes with any source of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:6], "big")


def _entries(digest: int) -> SimpleNamespace:
    """Return the functions that Python calls, as attributes."""
    entry = njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)

    @entry
    def fill_runs(p, runs, values, value_start, levels, tight):  # type: ignore[no-untyped-def]
        _ = digest
        return windows.fill_runs(p, runs, values, value_start, levels, tight)

    @entry
    def fill_bounds(p, k, b, runs, strides, lengths, open_axis, flat_top):  # type: ignore[no-untyped-def]
        _ = digest
        return tables.fill_bounds(p, k, b, runs, strides, lengths, open_axis, flat_top)

    @entry
    def bound_unions(p, k, b, runs, aim, strides, lengths, bound):  # type: ignore[no-untyped-def]
        _ = digest
        return unions.bound_unions(p, k, b, runs, aim, strides, lengths, bound)

    @entry
    def fill_travel(p, z):  # type: ignore[no-untyped-def]
        _ = digest
        return travel.fill_travel(p, z)

    @entry
    def search(p, k, b, runs, aim, w, z, unions, bound, quota):  # type: ignore[no-untyped-def]
        _ = digest
        return tree.search(p, k, b, runs, aim, w, z, unions, bound, quota)

    return SimpleNamespace(
        fill_runs=fill_runs,
        fill_bounds=fill_bounds,
        bound_unions=bound_unions,
        fill_travel=fill_travel,
        search=search,
    )


compiled = _entries(_digest())
"""fill_runs, fill_bounds, bound_unions, fill_travel and search, see the modules they are of."""
