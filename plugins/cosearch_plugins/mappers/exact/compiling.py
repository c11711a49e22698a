"""How the search is compiled."""

from __future__ import annotations

from numba import njit

compiled = njit(
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False
)
"""Called from compiled code only. No wrapper for Python and no counting of references: with a
hundred arrays handed to every call, both cost more than the work (3 and 6 times)."""

inlined = njit(
    nogil=True,
    error_model="numpy",
    no_cpython_wrapper=True,
    no_cfunc_wrapper=True,
    forceinline=True,
    _nrt=False,
)
"""The same, for small ones."""

allocating = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""For those that make arrays of their own, whose references have to be counted."""
