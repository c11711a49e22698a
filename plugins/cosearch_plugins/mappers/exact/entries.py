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

from cosearch.loopnest.kernel.readiness import announce
from cosearch_plugins.mappers.exact import tables, tiles, travel, tree, unions, windows


def _digest() -> int:
    """Return a number that changes with any source of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:6], "big")


def _entries(digest: int) -> SimpleNamespace:  # noqa: C901 - a list of wrappers
    """Return the functions that Python calls, as attributes."""
    entry = njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)

    @entry
    def fill_runs(p, runs, values, value_start, levels, tight, s, begin, end):  # type: ignore[no-untyped-def]
        _ = digest
        return windows.fill_runs(p, runs, values, value_start, levels, tight, s, begin, end)

    @entry
    def open_bounds(p, b):  # type: ignore[no-untyped-def]
        _ = digest
        return tables.open_bounds(p, b)

    @entry
    def fill_tails(p, k, b, runs, level, first, end, flat_top):  # type: ignore[no-untyped-def]
        _ = digest
        return tables.fill_tails(p, k, b, runs, level, first, end, flat_top)

    @entry
    def close_level(p, b, level, open_axis):  # type: ignore[no-untyped-def]
        _ = digest
        return tables.close_level(p, b, level, open_axis)

    @entry
    def fill_heads(p, k, b, runs, level, first, end):  # type: ignore[no-untyped-def]
        _ = digest
        return tables.fill_heads(p, k, b, runs, level, first, end)

    @entry
    def least_inside(values, strides, lengths):  # type: ignore[no-untyped-def]
        _ = digest
        return tiles.least_inside(values, strides, lengths)

    @entry
    def fill_shares(p, share):  # type: ignore[no-untyped-def]
        _ = digest
        return unions.fill_shares(p, share)

    @entry
    def fill_feeds(p, k, b, feed):  # type: ignore[no-untyped-def]
        _ = digest
        return unions.fill_feeds(p, k, b, feed)

    @entry
    def fill_insides(p, k, b, runs, inside, first, end):  # type: ignore[no-untyped-def]
        _ = digest
        return unions.fill_insides(p, k, b, runs, inside, first, end)

    @entry
    def bound_unions(p, k, b, runs, aim, share, feed, inside, bound, first, end):  # type: ignore[no-untyped-def]
        _ = digest
        return unions.bound_unions(p, k, b, runs, aim, share, feed, inside, bound, first, end)

    @entry
    def fill_travel(p, z, level, first, end):  # type: ignore[no-untyped-def]
        _ = digest
        return travel.fill_travel(p, z, level, first, end)

    @entry
    def search(p, k, b, runs, aim, w, z, unions, bound, quota):  # type: ignore[no-untyped-def]
        _ = digest
        return tree.search(p, k, b, runs, aim, w, z, unions, bound, quota)

    return SimpleNamespace(
        fill_runs=fill_runs,
        open_bounds=open_bounds,
        fill_tails=fill_tails,
        close_level=close_level,
        fill_heads=fill_heads,
        least_inside=least_inside,
        fill_shares=fill_shares,
        fill_feeds=fill_feeds,
        fill_insides=fill_insides,
        bound_unions=bound_unions,
        fill_travel=fill_travel,
        search=search,
    )


compiled = _entries(_digest())
"""The functions of these names in tables, tiles, travel, tree, unions and windows."""

SEARCH = "the exact mapper (once per installation, about 40 seconds)"


def announce_compiling() -> None:
    """Say that the search is about to be compiled, if it is."""
    announce(compiled.search, Path(__file__).parent.glob("*.py"), SEARCH)
