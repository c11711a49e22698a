"""Timeloop's problem files as networks of one layer."""

from __future__ import annotations

from pathlib import Path

from cosearch.workload import Layer, Network


def read_timeloop(path: Path) -> Network:
    """Return the layer in a Timeloop problem file (0.3 or 0.4 style).

    Raises:
        InputError: with what is not understood.
    """
    from cosearch.formats.timeloop_problem import read_problem

    return Network(path.stem, (Layer(read_problem(path)),), source=str(path))
