"""What a study comes to, in one line: the ratio at equal computation first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cosearch.quantities import percent, ratio

if TYPE_CHECKING:
    from cosearch.study.report import StudyReport

PRODUCTS = ("edp", "ed2p")
"""Objectives that are written in capitals."""


def headline(report: StudyReport) -> str:
    """Return how much better than the baseline the best design is; empty where nothing is known.

    The baseline computes what the best design computes. Where the study's own baseline does not,
    the ratio to that one comes second, with what was changed.
    """
    names = [n for n in report.settings["objectives"] if n in report.equal]
    if not names or report.best is None:
        return ""
    told = f"{_compared(names, report.equal)} than the baseline at equal computation"
    area = report.equal.get("area_mm2")
    if area is not None and "area" not in names:
        told += f", on {_area(1 / area)}"
    if report.changed:
        changed = ", ".join(report.changed)
        told += f"; {_compared(names, report.improvement)} only with {changed}"
    return told


def _compared(names: list[str], ratios: Mapping[str, float]) -> str:
    return ", ".join(f"{_in_words(name)} {times(ratios[name])}" for name in names)


def _in_words(name: str) -> str:
    return name.upper() if name in PRODUCTS else name


def times(better: float) -> str:
    """Return a ratio of baseline to design in words: `1.42x better`, `1.05x worse`."""
    if better == 1:
        return "no better"
    return f"{ratio(better)} better" if better > 1 else f"{ratio(1 / better)} worse"


def _area(share: float) -> str:
    return "the same area" if share == 1 else f"{percent(share)} of its area"
