"""The charts of reports, as plotly figures; every text in them is escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cosearch.errors import MissingExtraError
from cosearch.quantities import METRICS, added
from cosearch.typing import FloatArray

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b5a642",
    "#8c564b", "#9467bd",
)  # fmt: skip
"""Okabe and Ito's palette, which colour-blind readers can tell apart, and three more."""

JOULES = 1e-12
"""Of a pJ: axes are in joules, with a prefix at each tick."""

Points = Mapping[str, tuple[FloatArray, FloatArray, Sequence[str]]]
"""Name of a series to x, y and what to say of each point."""


def _figure() -> Figure:
    try:
        from plotly.graph_objects import Figure
    except ImportError:
        raise MissingExtraError("the HTML report", "html") from None
    return Figure()


def in_joules(unit: str) -> tuple[float, str]:
    """Return by what values of a unit are multiplied on an axis, and the unit there."""
    return (JOULES, "J" + unit[2:]) if unit.startswith("pJ") else (1.0, unit)


def axis_of(metric: str) -> tuple[float, str]:
    """Return by what values of a design's metric are multiplied, and the title of their axis."""
    scale, unit = in_joules(METRICS.get(metric, ""))
    name = metric.removesuffix("_pj").removesuffix("_mm2")
    return scale, f"{name}, {unit}" if unit and unit != name else name


def colour(i: int) -> str:
    """Return the colour of the i-th series."""
    return COLOURS[i % len(COLOURS)]


def _faint(i: int) -> str:
    red, green, blue = (int(colour(i)[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"


def curves(
    title: str,
    bands: Mapping[str, tuple[FloatArray, FloatArray, FloatArray]],
    x_title: str,
    y_title: str,
) -> Figure:
    """Draw medians with their quartiles, against trials; a button switches the scale.

    Args:
        title: of the chart.
        bands: name to lower quartile, median and upper quartile, float64[trials] each.
        x_title: of the axis.
        y_title: of the axis.
    """
    figure = _figure()
    for i, (name, (lower, median, upper)) in enumerate(bands.items()):
        x = list(range(1, len(median) + 1))
        label = html.escape(name)
        for edge, fill in ((lower, None), (upper, "tonexty")):
            figure.add_scatter(
                x=x, y=edge, mode="lines", line={"width": 0, "shape": "hv"}, fill=fill,
                fillcolor=_faint(i), hoverinfo="skip", showlegend=False, legendgroup=label,
            )  # fmt: skip
        figure.add_scatter(
            x=x, y=median, name=label, mode="lines", legendgroup=label,
            line={"color": colour(i), "shape": "hv", "width": 2},
        )  # fmt: skip
    _axes(figure, title, x_title, y_title, log_y=True)
    return figure


def _axes(figure: Figure, title: str, x: str, y: str, *, log_y: bool = False) -> None:
    figure.update_layout(title=html.escape(title))
    figure.update_xaxes(title=html.escape(x), exponentformat="SI")
    figure.update_yaxes(title=html.escape(y), exponentformat="SI")
    if log_y:
        figure.update_yaxes(type="log")
        buttons = [
            {"label": label, "method": "relayout", "args": [{"yaxis.type": kind}]}
            for label, kind in (("log", "log"), ("linear", "linear"))
        ]
        figure.update_layout(updatemenus=[{
            "type": "buttons", "direction": "right", "buttons": buttons, "x": 1, "y": 1.02,
            "xanchor": "right", "yanchor": "bottom", "showactive": True, "font": {"size": 11},
            "pad": {"t": 0, "b": 0},
        }])  # fmt: skip


def distributions(title: str, values: Mapping[str, FloatArray], y_title: str) -> Figure:
    """Draw boxes with every point beside them."""
    figure = _figure()
    for i, (name, numbers) in enumerate(values.items()):
        finite = numbers[np.isfinite(numbers)]
        figure.add_box(
            y=finite, name=html.escape(name), boxpoints="all", jitter=0.4, pointpos=0,
            marker={"color": colour(i), "size": 5}, line={"width": 1}, showlegend=False,
        )  # fmt: skip
    _axes(figure, title, "", y_title, log_y=True)
    return figure


def ranks(names: Sequence[str], means: Sequence[float], difference: float | None) -> Figure:
    """Draw mean ranks; a bar joins those that differ by less than the critical difference.

    J. Demsar, *Statistical Comparisons of Classifiers over Multiple Data Sets*, JMLR 7, 2006,
    figure 1.
    """
    figure = _figure()
    order = sorted(range(len(names)), key=lambda i: means[i])
    sorted_means = [means[i] for i in order]
    labels = [html.escape(names[i]) for i in order]
    figure.add_scatter(
        x=sorted_means, y=list(range(len(order), 0, -1)), mode="markers+text", text=labels,
        textposition="middle right", marker={"size": 10, "color": [colour(i) for i in order]},
        showlegend=False, cliponaxis=False,
    )  # fmt: skip
    if difference is not None:
        for k, (first, last) in enumerate(_groups(sorted_means, difference)):
            level = 0.5 - 0.25 * k
            figure.add_scatter(
                x=[sorted_means[first], sorted_means[last]], y=[level, level], mode="lines",
                line={"width": 5, "color": "#7a8590"}, showlegend=False, hoverinfo="skip",
            )  # fmt: skip
    figure.update_layout(height=140 + 36 * len(names))
    _axes(figure, "mean rank, 1 is best", "rank", "")
    figure.update_yaxes(visible=False)
    figure.update_xaxes(range=[0.8, len(names) + 0.6])
    return figure


def _groups(means: Sequence[float], difference: float) -> list[tuple[int, int]]:
    """Return the largest runs of sorted means that lie within the difference, two or more."""
    groups: list[tuple[int, int]] = []
    for first in range(len(means)):
        last = max(j for j in range(first, len(means)) if means[j] - means[first] < difference)
        if last > first and (not groups or last > groups[-1][1]):
            groups.append((first, last))
    return groups


def scatter(title: str, points: Points, x_title: str, y_title: str, *, front: bool) -> Figure:
    """Draw points on logarithmic axes, and where asked a line through those none dominates."""
    figure = _figure()
    for i, (name, (x, y, notes)) in enumerate(points.items()):
        figure.add_scatter(
            x=x, y=y, name=html.escape(name), mode="markers", text=[html.escape(n) for n in notes],
            hovertemplate="%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
            marker={"color": colour(i), "size": 6, "opacity": 0.65},
        )  # fmt: skip
    if front and points:
        all_x = np.concatenate([x for x, _, _ in points.values()])
        all_y = np.concatenate([y for _, y, _ in points.values()])
        order = np.lexsort((all_y, all_x))
        best = np.minimum.accumulate(all_y[order])
        keep = order[np.concatenate([[True], best[1:] < best[:-1]])] if len(order) else order
        figure.add_scatter(
            x=all_x[keep], y=all_y[keep], name="Pareto front", mode="lines",
            line={"shape": "hv", "color": "#7a8590", "width": 1},
        )  # fmt: skip
    _axes(figure, title, x_title, y_title)
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log")
    return figure


def stacked(title: str, bars: Mapping[str, Mapping[str, float]], y_title: str) -> Figure:
    """Draw bars made of parts.

    Args:
        title: of the chart.
        bars: part to bar to value.
        y_title: of the axis.
    """
    figure = _figure()
    for i, (part, values) in enumerate(bars.items()):
        figure.add_bar(
            x=[html.escape(bar) for bar in values], y=list(values.values()),
            name=html.escape(part), marker={"color": colour(i)},
        )  # fmt: skip
    above = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    figure.update_layout(barmode="stack", legend=above)
    _axes(figure, title, "", y_title)
    return figure


def shares(title: str, parts: Mapping[str, float], scale: float, unit: str) -> Figure:
    """Draw the parts of a whole as bars, the largest on top, each with its share.

    Args:
        title: of the chart.
        parts: name to value.
        scale: by which values are multiplied to be in the unit.
        unit: of the axis.
    """
    figure = _figure()
    rows = sorted(parts.items(), key=lambda item: item[1])
    total = added(parts.values()) or 1.0
    figure.add_bar(
        x=[value * scale for _, value in rows], y=[html.escape(name) for name, _ in rows],
        orientation="h", text=[f"{100 * value / total:.1f} %" for _, value in rows],
        textposition="auto", textangle=0, marker={"color": colour(0)}, showlegend=False,
    )  # fmt: skip
    figure.update_layout(uniformtext={"minsize": 10, "mode": "show"})
    _axes(figure, title, unit, "")
    return figure


def parallel(title: str, columns: Mapping[str, Sequence[object]], losses: FloatArray) -> Figure:
    """Draw designs as lines across their parameters, coloured by the logarithm of the loss.

    Args:
        title: of the chart.
        columns: parameter to its value in each design.
        losses: float64[designs], finite.
    """
    figure = _figure()
    shade = np.log10(losses)
    dimensions = [_dimension(name, values) for name, values in columns.items()]
    dimensions.append({"label": "log10 loss", "values": shade})
    figure.add_parcoords(
        line={"color": shade, "colorscale": "Viridis", "reversescale": True, "showscale": True},
        dimensions=dimensions,
    )
    figure.update_layout(title=html.escape(title), height=420)
    return figure


def _dimension(name: str, values: Sequence[object]) -> dict[str, object]:
    kinds = sorted(set(values), key=lambda v: (isinstance(v, str), v))
    places = {value: i for i, value in enumerate(kinds)}
    return {
        "label": html.escape(name),
        "values": [places[v] for v in values],
        "tickvals": list(range(len(kinds))),
        "ticktext": [html.escape(str(v)) for v in kinds],
    }


def roofline(
    title: str, points: Points, macs_per_cycle: float, words_per_cycle: float | None
) -> Figure:
    """Draw layers under the machine's roof.

    Args:
        title: of the chart.
        points: one series: arithmetic intensity (MACs a DRAM word), MACs a cycle, names.
        macs_per_cycle: multipliers.
        words_per_cycle: of DRAM; None is unlimited.
    """
    figure = scatter(title, points, "MACs per DRAM word", "MACs per cycle", front=False)
    xs = np.concatenate([x for x, _, _ in points.values()])
    low, high = float(xs.min()) / 3, float(xs.max()) * 3
    grid = np.geomspace(low, high, 100)
    slope = np.full(100, np.inf) if words_per_cycle is None else grid * words_per_cycle
    figure.add_scatter(
        x=grid, y=np.minimum(macs_per_cycle, slope), mode="lines", name="roof",
        line={"color": "#7a8590", "width": 2},
    )  # fmt: skip
    return figure


def by_choice(
    name: str, values: Sequence[object], losses: FloatArray, title: str = "loss"
) -> Figure:
    """Draw the loss of each design over one parameter; the title is of the losses' axis."""
    figure = _figure()
    kinds = sorted(set(values), key=lambda v: (isinstance(v, str), v))
    figure.add_scatter(
        x=[html.escape(str(v)) for v in values], y=losses, mode="markers", showlegend=False,
        marker={"size": 6, "color": colour(0), "opacity": 0.6},
    )  # fmt: skip
    _axes(figure, name, name, title, log_y=False)
    figure.update_yaxes(type="log")
    order = [html.escape(str(v)) for v in kinds]
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=order)
    figure.update_layout(height=300)
    return figure
