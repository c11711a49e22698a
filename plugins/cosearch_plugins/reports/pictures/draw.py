"""The pictures: what each shows of a study, in field units; the same study gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cosearch.errors import CosearchError, MissingExtraError
from cosearch.quantities import energy, loss
from cosearch.study.report import report_of
from cosearch.study.study import Study
from cosearch_plugins.reports.roof import roof_of

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
"""Okabe and Ito's palette, which colour-blind readers can tell apart."""

DECADE = 10.0
"""From how far apart losses are on an axis is logarithmic."""

SIZE = (6.4, 3.8)
"""Inches."""


def picture(study: Study, what: str, kind: str) -> bytes:
    """Return a picture of a study.

    Args:
        study: to be drawn.
        what: one of `DRAWN`.
        kind: of file, `svg`, `png` or `pdf`.

    Raises:
        MissingExtraError: matplotlib is not installed.
        CosearchError: the study has nothing of the kind to show.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("a picture", "plot") from None
    if study.best is None:
        raise CosearchError(f"the study {study.name!r} has no best design to draw")
    settings = {"svg.hashsalt": study.name, "svg.fonttype": "none", "font.size": 9}
    with rc_context(settings), io.BytesIO() as file:
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        DRAWN[what](study, axes)
        stamp = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
        figure.savefig(file, format=kind, dpi=200, metadata=stamp)
        return file.getvalue()


def _convergence(study: Study, axes: Any) -> None:  # noqa: ANN401 - matplotlib's
    objective = study.problem.objectives[0]
    found = np.array([t.outcome.losses[0] if t.ok else np.nan for t in study.in_order])
    numbers = np.arange(1, len(found) + 1)
    best = np.fmin.accumulate(found)
    axes.plot(numbers, found, ".", color=COLOURS[6], markersize=4, label="trial")
    axes.step(numbers, best, where="post", color=COLOURS[0], label="best so far")
    if study.baseline is not None and study.baseline.ok:
        axes.axhline(study.baseline.outcome.losses[0], color=COLOURS[1], lw=1, label="baseline")
    if np.nanmax(found) > DECADE * np.nanmin(found) > 0:
        axes.set_yscale("log")
    _in_units(axes.yaxis, objective.unit)
    axes.set(xlabel="trial", ylabel=objective.name)
    axes.legend(frameon=False)


def _front(study: Study, axes: Any) -> None:  # noqa: ANN401
    objectives = study.problem.objectives
    if len(objectives) < 2:
        raise CosearchError("one objective has no front", "draw: --what convergence")
    x, y = objectives[:2]
    losses = np.array([t.outcome.losses[:2] for t in study.feasible])
    front = np.array([t.outcome.losses[:2] for t in study.front])
    axes.plot(*losses.T, ".", color=COLOURS[6], markersize=4, label="feasible trial")
    axes.plot(*front[np.argsort(front[:, 0])].T, "o-", color=COLOURS[0], ms=4, label="front")
    for axis, objective in ((axes.xaxis, x), (axes.yaxis, y)):
        _in_units(axis, objective.unit)
    axes.set(xlabel=x.name, ylabel=y.name)
    axes.legend(frameon=False)


def _energy(study: Study, axes: Any) -> None:  # noqa: ANN401
    report = report_of(study)
    designs = {"best": report.best, "baseline": report.baseline}
    parts = {name: d.energy_by_part for name, d in designs.items() if d is not None}
    _stacked(axes, parts)
    axes.set(ylabel="energy of a run")


def _layers(study: Study, axes: Any) -> None:  # noqa: ANN401
    best = report_of(study).best
    if best is None:
        return
    _stacked(
        axes,
        {
            x.name: {part: pj * x.count for part, pj in x.energy_by_part.items()}
            for x in best.layers
        },
    )
    axes.tick_params(axis="x", rotation=90)
    axes.set(ylabel="energy of all runs")


def _stacked(axes: Any, bars: Mapping[str, Mapping[str, float]]) -> None:  # noqa: ANN401
    bottom = np.zeros(len(bars))
    for i, part in enumerate(dict.fromkeys(part for bar in bars.values() for part in bar)):
        heights = np.array([bar.get(part, 0.0) for bar in bars.values()])
        axes.bar(list(bars), heights, bottom=bottom, label=part, color=COLOURS[i % len(COLOURS)])
        bottom += heights
    _in_units(axes.yaxis, "pJ")
    axes.legend(frameon=False)


def _roofline(study: Study, axes: Any) -> None:  # noqa: ANN401
    roof = None if study.best is None else roof_of(study, study.best)
    if roof is None:
        raise CosearchError("this machine's model counts no DRAM words", "draw: --what energy")
    grid = np.geomspace(roof.intensity.min() / 3, roof.intensity.max() * 3, 100)
    slope = np.full(100, np.inf) if roof.words_per_cycle is None else grid * roof.words_per_cycle
    axes.plot(grid, np.minimum(roof.multipliers, slope), color="#444", label="roof")
    axes.plot(roof.intensity, roof.speed, "o", color=COLOURS[0], ms=4)
    for name, x, y in zip(roof.names, roof.intensity, roof.speed, strict=True):
        axes.annotate(name, (x, y), xytext=(3, -7), textcoords="offset points", fontsize=6)
    axes.set(xscale="log", yscale="log", xlabel="MACs per DRAM word", ylabel="MACs per cycle")


def _in_units(axis: Any, unit: str) -> None:  # noqa: ANN401
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: _told(value, unit)))
    axis.set_minor_formatter(NullFormatter())


def _told(value: float, unit: str) -> str:
    return energy(value) if unit == "pJ" else loss(value, unit)


DRAWN: Mapping[str, Callable[[Study, Any], None]] = {
    "convergence": _convergence,
    "front": _front,
    "energy": _energy,
    "layers": _layers,
    "roofline": _roofline,
}
"""What there is to draw, by its name."""
